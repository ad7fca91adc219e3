"""Taking events in, up to the 202.

What becomes of an event after EventQueue holds it is not here.
"""
