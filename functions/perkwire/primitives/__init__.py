"""What every room stands on: ids, times, JSON, problems, pages, and protocols of a line or two.

Nothing here knows what a webhook or an event is.
"""
