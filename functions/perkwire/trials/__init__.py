"""Trials: a sample event sent to a webhook now, saved or not, by the code that delivers.

Nothing of a trial stays in the log; what does is a delivery.
"""
