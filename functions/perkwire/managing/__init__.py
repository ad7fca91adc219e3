"""Accounts, API keys, webhooks and signing in: the rules, once, for every entrance.

What is sent to a webhook, or seen of it, is not here.
"""
