"""Samples sent on purpose: tests of webhooks, called trials here, and sample events.

A trial goes straight to one webhook and leaves nothing in the log. A sample event goes through the
queues as any event does. What a sample says is the catalogue's.
"""
