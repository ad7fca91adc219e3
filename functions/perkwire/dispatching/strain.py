"""When a webhook is strained, and when no longer: which lane its new deliveries travel in.

Strained is a webhook of which the last STRAINED_AFTER attempts each failed or were slow; so many
fast successes in a row as RECOVERED_AFTER end it. The attempts of one invocation, which run side by
side, come in the order in which they ended. If they are of both kinds, those after the last of the
other kind count only if they are enough by themselves: an invocation that brings a fast success
leaves nothing to be added to.
"""

from collections.abc import Sequence
from typing import Protocol

from perkwire.model.lanes import Lane
from perkwire.primitives.dataclass import dataclass

STRAINED_AFTER = 5
RECOVERED_AFTER = 10
SLOW_SHARE = 5
"""An attempt is slow that took longer than this part of EndpointTimeoutSeconds."""


class Ended(Protocol):
    """An attempt, as far as strain cares."""

    @property
    def is_fast(self) -> bool:
        """Whether it succeeded, and soon."""
        ...

    @property
    def ended_at(self) -> int:
        """When, in microseconds since the epoch."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """The last attempts of one kind in an invocation; `is_all` if there was no other kind."""

    fast: bool
    length: int
    is_all: bool


def last_row(attempts: Sequence[Ended]) -> Row:
    """The row with which an invocation's attempts end, of which there is one at least."""
    kinds = [one.is_fast for one in sorted(attempts, key=lambda one: one.ended_at, reverse=True)]
    last = kinds[0]
    length = kinds.index(not last) if (not last) in kinds else len(kinds)
    return Row(last, length, length == len(kinds))


def lane_after(lane: Lane, *, strain: int, ease: int) -> Lane:
    """The lane after so many attempts in a row that failed or were slow, or so many fast ones."""
    if lane is Lane.PROMPT and strain >= STRAINED_AFTER:
        return Lane.SLOW
    if lane is Lane.SLOW and ease >= RECOVERED_AFTER:
        return Lane.PROMPT
    return lane
