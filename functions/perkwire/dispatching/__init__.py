"""From a delivery message to its request, its entry in the log, and what that leads to.

How bytes reach an endpoint is the sender's, in adapters; how a body looks is a format's.
"""
