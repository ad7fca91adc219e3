"""What people see: the log, events, types, health, and what a webhook would get.

Nothing here changes anything.
"""
