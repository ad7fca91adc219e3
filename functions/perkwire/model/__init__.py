"""The values of the domain: accounts, events, webhooks, deliveries, and what passes between them.

Their rules are here; what is done with them, by whom and in what order, is not.
"""
