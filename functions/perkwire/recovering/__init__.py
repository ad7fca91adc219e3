"""Sending again what has failed, chosen by a person: from the log, or from a dead-letter queue.

What goes over a whole time range is a job.
"""
