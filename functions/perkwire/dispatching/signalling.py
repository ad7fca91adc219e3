"""Which signals an invocation comes to.

Of a webhook's failed deliveries one signal in an interval tells, with the count of those that none
has told of yet, as a notice does, but by a count of its own: who wants no mails may want signals.
Of its pauses one in an interval tells, too. What is told of is told once, whether it arrives or
not.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from perkwire.dispatching.health import Recorded
from perkwire.dispatching.noticing import UnreportedFailures
from perkwire.model.lanes import Lane
from perkwire.model.signals import (
    Signal,
    Signals,
    deliveries_failed,
    webhook_moved,
    webhook_paused,
)
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.timestamps import MICROSECONDS

_MINUTE = 60 * MICROSECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalTrigger:
    """What one invocation saw of a webhook: what it has changed, and how many failed for good.

    `unsignalled` are failures from before of which no signal has told.
    """

    webhook: Webhook
    recorded: Recorded | None
    failed: int
    unsignalled: UnreportedFailures | None = None


class SignalCounts(Protocol):
    """Where failed deliveries and pauses are counted until a signal tells of them."""

    def count_failed(self, webhook: Webhook, count: int, now: int) -> UnreportedFailures:
        """Count some more; all that are untold now. Raises Unavailable."""
        ...

    def take_failed(self, webhook: Webhook, untold: UnreportedFailures, now: int) -> bool:
        """Take these out for a signal at `now`; False if another was first. Raises Unavailable."""
        ...

    def take_pause(self, webhook: Webhook, now: int, since: int) -> bool:
        """Have `now` as the time of a pause's signal, if none was after `since`.

        Raises Unavailable.
        """
        ...


class Signalling:
    """Says what is to be told, and tells it."""

    def __init__(
        self,
        *,
        counts: SignalCounts,
        signals: Signals,
        journal: Journal,
        interval_minutes: int,
    ) -> None:
        self._counts = counts
        self._signals = signals
        self._journal = journal
        self._interval = interval_minutes * _MINUTE

    def due(self, occasions: Iterable[SignalTrigger], now: int) -> list[Signal]:
        """What is to be told. Never raises; after the first fault nothing is counted any more."""
        due: list[Signal] = []
        counting = True
        for occasion in occasions:
            due.extend(_moves(occasion, now))
            try:
                if counting:
                    due.extend(self._counted(occasion, now))
            except Exception as error:  # a signal must not change what becomes of a message
                counting = False
                self._journal.fault(
                    "signal_not_sent",
                    account_id=occasion.webhook.account_id,
                    webhook_id=occasion.webhook.id,
                    detail=str(error) if isinstance(error, Unavailable) else type(error).__name__,
                )
        return due

    def send(self, signals: Sequence[Signal]) -> None:
        """Send them. Never raises."""
        self._signals.send(signals)

    def _counted(self, occasion: SignalTrigger, now: int) -> Iterator[Signal]:
        webhook, recorded = occasion.webhook, occasion.recorded
        pause = None if recorded is None else recorded.pause
        if pause is not None and self._counts.take_pause(webhook, now, now - self._interval):
            yield webhook_paused(webhook, now, pause)
        untold = occasion.unsignalled
        if occasion.failed:
            untold = self._counts.count_failed(webhook, occasion.failed, now)
        if untold is None:
            return
        is_due = untold.noticed_at is None or now - untold.noticed_at >= self._interval
        if is_due and self._counts.take_failed(webhook, untold, now):
            yield deliveries_failed(webhook, now, count=untold.count, since=untold.since)


def _moves(occasion: SignalTrigger, now: int) -> Iterator[Signal]:
    if occasion.recorded is not None and occasion.recorded.lane is not None:
        is_strained = occasion.recorded.lane is Lane.SLOW
        yield webhook_moved(occasion.webhook, now, is_strained=is_strained)
