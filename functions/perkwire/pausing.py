"""When the system pauses a webhook. Healthy webhooks cost no write.

A webhook is paused after `after_failures` failed attempts in a row with no success for
QUIET_SECONDS, at once on a 410 (Standard Webhooks 1.0), and, if `when_exhausted` is set
(Qualifio's rule), with the first delivery that uses up its attempts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from perkwire.timestamps import MICROSECONDS
from perkwire.webhook import Pause, PauseReason, Webhook

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

    def add_failures(self, webhook: Webhook, count: int, now: int) -> Streak:
        """Lengthen the webhook's streak; raises Unavailable."""
        ...

    def end_streak(self, webhook: Webhook) -> None:
        """A success: forget the streak; raises Unavailable."""
        ...

    def pause(self, webhook: Webhook, pause: Pause) -> bool:
        """Enabled to paused; False if it is no longer enabled. Raises Unavailable."""
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
    if any(result.success for result in results):
        if failing:
            store.end_streak(webhook)
        return None
    reason = _reason(store, rule, webhook, results, now)
    if reason is not None and store.pause(webhook, Pause(now, reason)):
        return reason
    return None


def _reason(
    store: HealthStore, rule: PauseRule, webhook: Webhook, results: list[Result], now: int
) -> PauseReason | None:
    if any(result.gone for result in results):
        return PauseReason.GONE
    if rule.when_exhausted and any(result.exhausted for result in results):
        return PauseReason.EXHAUSTED
    streak = store.add_failures(webhook, len(results), now)
    quiet = now - streak.since >= QUIET_SECONDS * MICROSECONDS
    return PauseReason.FAILURES if streak.failures >= rule.after_failures and quiet else None
