"""Calling endpoints: addresses, connections, TLS, HTTP, and one deadline over all of it.

Only the dispatcher imports this. What is sent, and what an answer means, is decided elsewhere.
"""
