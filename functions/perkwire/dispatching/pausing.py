"""When the system pauses a webhook. Healthy webhooks cost no write.

A webhook is paused after `after_failures` failed attempts in a row with no success for
QUIET_SECONDS, at once on a 410 (Standard Webhooks 1.0), and, if `when_exhausted` is set or the
webhook itself asks for it (Qualifio's rule), with the first delivery that uses up its attempts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from perkwire.model.webhook import Pause, PauseReason, Webhook
from perkwire.primitives.timestamps import MICROSECONDS

QUIET_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Streak:
    """Failed attempts without a success between, and when (microseconds) the first one was."""

    failures: int
    since: int


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt went, as far as pausing cares."""

    success: bool
    gone: bool = False
    exhausted: bool = False


class HealthStore(Protocol):
    """Where streaks and pauses are kept."""

    def add_failures(self, webhook: Webhook, count: int, now: int, *, failing: bool) -> Streak:
        """Lengthen the webhook's streak; the failures of another version of its endpoint are over.

        `failing` says that a streak was on record. Raises Unavailable.
        """
        ...

    def end_streak(self, webhook: Webhook, now: int) -> None:
        """A success: forget the streak of this version of its endpoint; raises Unavailable."""
        ...

    def pause(self, webhook: Webhook, pause: Pause) -> bool:
        """Enabled to paused; False if it is not enabled or has been changed since it was read.

        Raises Unavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class PauseRule:
    """The stack's parameters for pausing."""

    after_failures: int
    when_exhausted: bool


def record(
    store: HealthStore,
    rule: PauseRule,
    webhook: Webhook,
    results: Iterable[Result],
    *,
    failing: bool,
    now: int,
) -> PauseReason | None:
    """Note one invocation's attempts at a webhook; the reason if this call has paused it.

    `failing` says that a streak is on record. Of many callers at once one gets the reason, the
    others None. Raises Unavailable.
    """
    results = list(results)
    reason = _reason_at_once(rule, webhook, results)
    succeeded = any(result.success for result in results)
    if reason is None and not succeeded:
        streak = store.add_failures(webhook, len(results), now, failing=failing)
        quiet = now - streak.since >= QUIET_SECONDS * MICROSECONDS
        if streak.failures >= rule.after_failures and quiet:
            reason = PauseReason.FAILURES
    if reason is not None and store.pause(webhook, Pause(now, reason)):
        return reason
    if succeeded and failing:
        store.end_streak(webhook, now)
    return None


def _reason_at_once(rule: PauseRule, webhook: Webhook, results: list[Result]) -> PauseReason | None:
    if any(result.gone for result in results):
        return PauseReason.GONE
    exhausted = any(result.exhausted and not result.success for result in results)
    own = webhook.pause_when_exhausted
    when_exhausted = rule.when_exhausted if own is None else own
    return PauseReason.EXHAUSTED if when_exhausted and exhausted else None
