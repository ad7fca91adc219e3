"""The queues: sending to them, receiving from them, redriving and counting dead letters.

What a message says is the model's.
"""
