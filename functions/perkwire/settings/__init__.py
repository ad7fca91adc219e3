"""What each function reads from its environment: one frozen dataclass, in a module of its own.

What a setting means is said where it is used.
"""
