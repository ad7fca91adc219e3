"""What may go wrong at a step, and how often in this run."""

import enum
import random
from dataclasses import dataclass
from typing import Self


class Fault(enum.StrEnum):
    """How a call of a port ends badly."""

    NONE = "none"
    CRASH_BEFORE = "crash before it"
    CRASH_AFTER = "crash after it"
    THROTTLED = "throttled"
    ANSWER_LOST = "done, answer lost"
    SURPRISE = "an unforeseen exception"
    SLOW = "slow"


_FAULTS = tuple(fault for fault in Fault if fault is not Fault.NONE)
_RATES = (0.0, 0.0, 0.01, 0.04, 0.12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The probabilities of one run. Each is drawn, often nought: bugs that only one kind of fault

    shows would drown among the others.
    """

    at_step: tuple[float, ...]
    refused_message: float
    doubled_send: float
    doubled_receive: float
    lost_delete: float
    miscounted_receive: float
    throttled_poll: float
    late_start: float
    absent_item: float

    @classmethod
    def drawn(cls, source: random.Random) -> Self:
        def rate() -> float:
            return source.choice(_RATES)

        return cls(
            at_step=tuple(rate() / 2 for _ in _FAULTS),
            refused_message=rate(),
            doubled_send=rate(),
            doubled_receive=rate(),
            lost_delete=rate(),
            miscounted_receive=rate(),
            throttled_poll=rate(),
            late_start=rate(),
            absent_item=rate() / 2,
        )

    def drawn_for(self, source: random.Random) -> Fault:
        """What happens to one call."""
        left = source.random()
        for fault, rate in zip(_FAULTS, self.at_step, strict=True):
            if left < rate:
                return fault
            left -= rate
        return Fault.NONE
