"""Sending again what has failed, on a person's word: chosen deliveries, or a dead-letter queue.

What goes over a whole time range is a job.
"""
