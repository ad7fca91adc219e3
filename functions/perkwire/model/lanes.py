"""The two lanes in which deliveries travel, so that one slow webhook makes no other wait."""

import enum
from collections.abc import Mapping, Sequence

from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.queueing import Outgoing, Queue


class Lane(enum.StrEnum):
    """The slow one is for webhooks whose endpoints fail or take long, one attempt after another."""

    PROMPT = "prompt"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a lane's queue holds: what waits, for its slot too, and what is under way or is retried.

    SQS's numbers, which are approximate.
    """

    waiting: int
    in_flight: int


class DeliveryQueues:
    """The delivery queue of each lane."""

    def __init__(self, queues: Mapping[Lane, Queue]) -> None:
        self._queues = queues

    def send(self, messages: Sequence[tuple[Lane, Outgoing]]) -> list[bool]:
        """Whether SQS holds each of them now, in their order. Never raises for a failed send."""
        held = [False] * len(messages)
        for lane, queue in self._queues.items():
            own = [place for place, (wanted, _) in enumerate(messages) if wanted is lane]
            if not own:
                continue
            results = queue.send([messages[place][1] for place in own])
            for place, is_held in zip(own, results, strict=True):
                held[place] = is_held
        return held
