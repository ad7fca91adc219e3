"""Jobs: what failed, or all events, of a time range sent again to one webhook.

What a person sends again by choosing single deliveries is recovering.
"""
