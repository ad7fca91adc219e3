"""A webhook's own schedule: the delays between the attempts of its deliveries.

Without one the stack's rule holds: MaxAttempts attempts, RetryIntervalSeconds apart.
"""

LONGEST_DELAY_SECONDS = 43_200
"""As long as SQS hides a message from its receive on. Set at the end of an attempt, which took some
time, a delay of so much ends a minute or two earlier."""
LONGEST_SCHEDULE_SECONDS = 172_800
"""All delays together, in order that a message outlives them: a queue keeps it for four days."""


def most_attempts(delays: tuple[int, ...] | None, max_attempts: int) -> int:
    """How often a delivery is attempted; the stack's `max_attempts` is never exceeded."""
    return max_attempts if delays is None else min(len(delays) + 1, max_attempts)
