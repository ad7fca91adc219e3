"""Trials: a sample event sent to a webhook now, saved or not, by the code that delivers."""
