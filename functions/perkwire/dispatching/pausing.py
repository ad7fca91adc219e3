"""When the system pauses a webhook.

After `after_failures` failed attempts in a row with no success for QUIET_SECONDS, at once on a 410
(Standard Webhooks 1.0), and, if `when_exhausted` is set or the webhook itself asks for it
(Qualifio's rule), with the first delivery that uses up its attempts.
"""

from collections.abc import Sequence
from typing import Protocol

from perkwire.model.webhook import PauseReason, Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.timestamps import MICROSECONDS

QUIET_SECONDS = 600


class Tried(Protocol):
    """An attempt, as far as pausing cares."""

    @property
    def success(self) -> bool:
        """Whether it was taken."""
        ...

    @property
    def gone(self) -> bool:
        """Whether the answer was 410."""
        ...

    @property
    def exhausted(self) -> bool:
        """Whether it was the last attempt of its delivery."""
        ...


@dataclass(frozen=True, slots=True)
class PauseRule:
    """The stack's parameters for pausing."""

    after_failures: int
    when_exhausted: bool


def at_once(rule: PauseRule, webhook: Webhook, attempts: Sequence[Tried]) -> PauseReason | None:
    """Why these attempts alone pause their webhook; None: they do not."""
    if any(one.gone for one in attempts):
        return PauseReason.GONE
    exhausted = any(one.exhausted and not one.success for one in attempts)
    own = webhook.pause_when_exhausted
    when_exhausted = rule.when_exhausted if own is None else own
    return PauseReason.EXHAUSTED if when_exhausted and exhausted else None


def is_long(rule: PauseRule, failures: int, lasts: int) -> bool:
    """Whether a streak of so many failures, over so many microseconds, pauses its webhook."""
    return failures >= rule.after_failures and lasts >= QUIET_SECONDS * MICROSECONDS
