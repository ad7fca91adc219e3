"""The tables: their items, and what is read and written under which condition.

A use case sees none of it, only the protocol that it has named.
"""
