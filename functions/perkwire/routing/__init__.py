"""From an event message to the delivery messages of its account's webhooks.

Nothing here calls an endpoint or reads a log.
"""
