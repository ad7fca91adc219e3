"""What an invocation's attempts say of a webhook: it is paused, strained, or well again.

A webhook that is healthy and prompt costs no write, nor does a success of a strained one that is as
slow as those before it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from perkwire.dispatching.pausing import PauseRule, at_once, is_long
from perkwire.dispatching.strain import STRAINED_AFTER, lane_after, last_row
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.lanes import Lane
from perkwire.model.webhook import Pause, PauseReason, Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, WebhookId


@dataclass(frozen=True, slots=True)
class Streak:
    """Failed attempts without a success between, and when (microseconds) the first one was.

    `strain` counts those without a fast success between that failed or were slow.
    """

    failures: int
    since: int
    strain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one attempt went, and when, in microseconds since the epoch, it ended."""

    success: bool
    slow: bool = False
    ended_at: int = 0
    gone: bool = False
    exhausted: bool = False

    @property
    def is_fast(self) -> bool:
        """Whether it succeeded, and soon."""
        return self.success and not self.slow


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one call has changed: it paused the webhook, or moved it to this lane.

    `is_strained` is what the webhook is now, whoever has moved it.
    """

    pause: PauseReason | None = None
    lane: Lane | None = None
    is_strained: bool = False


class HealthStore(Protocol):
    """Where streaks, pauses and lanes are kept.

    A row is of one version of the webhook's endpoint: what another one has failed, or done, is
    over. Every method raises Unavailable.
    """

    def look_again(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> Mapping[WebhookId, WebhookState]:
        """Those of the webhooks that there are: they could not be looked up before."""
        ...

    def add_failures(self, webhook: Webhook, count: int, now: int, *, failing: bool) -> Streak:
        """Lengthen the webhook's streak and its strain. `failing`: a streak was on record."""
        ...

    def add_slow(self, webhook: Webhook, count: int, now: int) -> int:
        """Successes among attempts of which none was fast: the streak is over, the strain longer.

        How long that is.
        """
        ...

    def end_streak(self, webhook: Webhook, now: int, *, fast: int = 0) -> int:
        """A fast success: forget streak and strain. How many are in a row with these `fast` ones.

        Without `fast` ones to be counted, that row is over too.
        """
        ...

    def pause(self, webhook: Webhook, pause: Pause) -> bool:
        """Enabled to paused; False if it is not enabled or has been changed since it was read."""
        ...

    def move(self, webhook: Webhook, lane: Lane) -> bool:
        """To this lane from the other; False if it is there, not enabled, or has been changed."""
        ...


def record(
    store: HealthStore,
    rule: PauseRule,
    state: WebhookState,
    results: Iterable[Result],
    *,
    now: int,
) -> Recorded:
    """Note one invocation's attempts at a webhook, of which there is one at least.

    Of many callers at once one has paused the webhook, or moved it, the others nothing. Raises
    Unavailable.
    """
    results = list(results)
    webhook = state.webhook
    succeeded = any(result.success for result in results)
    reason = at_once(rule, webhook, results)
    strain = ease = 0
    if reason is None and not succeeded:
        streak = store.add_failures(webhook, len(results), now, failing=state.failing)
        strain = streak.strain
        if is_long(rule, streak.failures, now - streak.since):
            reason = PauseReason.FAILURES
    if reason is not None and store.pause(webhook, Pause(now, reason)):
        return Recorded(pause=reason)
    if succeeded:
        strain, ease = _note_successes(store, state, results, now)
    lane = lane_after(webhook.lane, strain=strain, ease=ease)
    moved = lane is not webhook.lane and store.move(webhook, lane)
    return Recorded(lane=lane if moved else None, is_strained=lane is Lane.SLOW)


def _note_successes(
    store: HealthStore, state: WebhookState, results: Sequence[Result], now: int
) -> tuple[int, int]:
    """Keep what attempts with a success among them come to: strain, and fast ones in a row."""
    webhook = state.webhook
    row = last_row(results)
    if row.is_all and not row.fast:
        is_known = webhook.lane is Lane.SLOW and state.strain >= STRAINED_AFTER and not state.ease
        if is_known and not state.failing:
            return state.strain, 0
        return store.add_slow(webhook, row.length, now), 0
    if row.is_all and webhook.lane is Lane.SLOW:
        return 0, store.end_streak(webhook, now, fast=row.length)
    if state.failing or state.strain or state.ease:
        store.end_streak(webhook, now)
    return (0, 0) if row.fast else (row.length, 0)
