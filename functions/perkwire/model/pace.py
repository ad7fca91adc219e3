"""Pace: the most deliveries a second that a webhook wants, kept by slots.

A slot is a moment at which one delivery may go out. Each delivery takes the next one, once.
"""

import math
from typing import Protocol

from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.timestamps import MICROSECONDS

LOWEST_PACE = 0.1
HIGHEST_PACE = 1_000


def slot_length(max_per_second: float) -> int:
    """From one slot to the next, in microseconds; rounded up, so that no pace is exceeded."""
    return math.ceil(MICROSECONDS / max_per_second)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in PacingQueue, of all webhooks: SQS's number, which is approximate.

    `oldest_seconds` is how long ago the one was looked at for which that is longest; None: none
    waits, or it is not known.
    """

    count: int
    oldest_seconds: int | None


class Slots(Protocol):
    """Where the slots of each webhook are counted."""

    def take(self, webhook: Webhook, count: int, now: int) -> int:
        """Take the next `count` slots of a webhook with a pace: when the first of them is.

        That is now, or one slot after the last that is taken. Nobody else gets them. Raises
        Unavailable; slots may be taken then, and stay empty.
        """
        ...
