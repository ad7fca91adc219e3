"""Signals: what no signal has told of, and what was sent."""

from collections.abc import Sequence

from perkwire.dispatching.noticing import UnreportedFailures
from perkwire.model.signals import Signal
from perkwire.model.webhook import Webhook
from tests.fakes.config_items import FakeConfigItems
from tests.fakes.failing import Failing


class FakeSignalCounts(Failing):
    """For SignalCounts: signalling.SignalCounts."""

    def __init__(self, items: FakeConfigItems) -> None:
        super().__init__()
        self._items = items

    def count_failed(self, webhook: Webhook, count: int, now: int) -> UnreportedFailures:
        self._called("count_failed")
        with self._items.lock:
            before = self._items.unsignalled.get(webhook.id, UnreportedFailures(0, 0, None))
            after = UnreportedFailures(before.count + count, before.since or now, before.noticed_at)
            self._items.unsignalled[webhook.id] = after
        return after

    def take_failed(self, webhook: Webhook, untold: UnreportedFailures, now: int) -> bool:
        self._called("take_failed")
        with self._items.lock:
            current = self._items.unsignalled[webhook.id]
            if current.noticed_at != untold.noticed_at:
                return False
            left = current.count - untold.count
            self._items.unsignalled[webhook.id] = UnreportedFailures(left, 0, now)
        return True

    def take_pause(self, webhook: Webhook, now: int, since: int) -> bool:
        self._called("take_pause")
        with self._items.lock:
            last = self._items.pauses_signalled_at.get(webhook.id)
            if last is not None and last > since:
                return False
            self._items.pauses_signalled_at[webhook.id] = now
        return True


class FakeSignals(Failing):
    """For EventBridgeSignals: signals.Signals."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Signal] = []

    def send(self, signals: Sequence[Signal]) -> None:
        if not self._fails("send"):
            self.sent.extend(signals)
