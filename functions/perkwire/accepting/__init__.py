"""Taking events in, up to the 202.

What an event may be, and how large, is the model's; what becomes of one once EventQueue holds it
is not here either.
"""
