"""What is sent to a queue, and the queue that it is sent to."""

from collections.abc import Sequence
from dataclasses import field
from typing import Protocol

from perkwire.primitives.dataclass import dataclass

LONGEST_DELAY_SECONDS = 900
"""For which SQS holds a message back at most."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be sent, and the fair-queue group that it belongs to.

    SQS holds it back for `delay_seconds`, LONGEST_DELAY_SECONDS at most.
    """

    body: str = field(repr=False)
    group: str
    delay_seconds: int = 0


class Queue(Protocol):
    """An SQS queue to send to."""

    def send(self, messages: Sequence[Outgoing]) -> list[bool]:
        """Whether SQS holds each of them now, in their order. Never raises for a failed send."""
        ...
