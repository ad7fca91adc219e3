"""What every room stands on: ids, times, JSON, problems, pages, and protocols of a line or two.

Ids have their shapes here; what an account, a webhook or an event holds is not known.
"""
