"""A dispatcher with fakes all around it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from perkwire.dispatching.dispatcher import Dispatcher
from perkwire.dispatching.follow_up import FollowUp
from perkwire.dispatching.noticing import Noticing
from perkwire.dispatching.pausing import PauseRule
from perkwire.dispatching.signalling import Signalling
from perkwire.dispatching.timing import DispatchRule
from perkwire.formats.format import Unrenderable
from perkwire.formats.lookup import FormatLookup
from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.messages import Received
from perkwire.model.sending import NoResponse, Response
from perkwire.model.webhook import Webhook, WebhookStatus
from tests.builders import NOW, a_delivery, a_delivery_message, a_received, a_webhook, an_account
from tests.fakes import (
    FakeClock,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeDeliveryTable,
    FakeOpener,
    FakeRecords,
    FakeSender,
    FakeSignalCounts,
    FakeSignals,
    FakeTelemetry,
    FakeTopics,
    FakeVisibility,
    FakeWebhookLookup,
)

MAX_ATTEMPTS = 6
INTERVAL = 300
REQUEST_SECONDS = 1.0
OK = Response(200, "thanks", 5)
BROKEN = Response(500, "oh no", 7)


class DispatcherHarness:
    """A dispatcher with fakes all around it, and one enabled webhook."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self.config = FakeConfigItems()
        self.webhook = a_webhook()
        self.config.put(an_account(), self.webhook)
        self.lookup = FakeWebhookLookup(self.config)
        self.deliveries = FakeDeliveryItems()
        self.log = FakeDeliveryTable(self.deliveries)
        self.vault = FakeOpener()
        self.formats = FormatLookup()
        self.sender = FakeSender()
        self.journal = FakeTelemetry()
        self.topics = FakeTopics()
        self.visibility = FakeVisibility(self.journal)
        self.signals: FakeSignals | None = None
        self.signal_counts = FakeSignalCounts(self.config)
        self.clock = FakeClock(NOW)
        self.log_successes = False
        self.executor = executor
        self.seconds_left = 3 * REQUEST_SECONDS
        self.seconds_left_of_steps: list[float] = []

    def dispatch(
        self, *received: Received, after_failures: int = 20, when_exhausted: bool = False
    ) -> list[str]:
        dispatching = Dispatcher(
            records=FakeRecords(self.lookup, self.log),
            log=self.log,
            vault=self.vault,
            formats=self.formats,
            sender=self.sender,
            visibility=self.visibility,
            follow_up=FollowUp(
                health=self.lookup,
                noticing=Noticing(
                    counts=self.lookup,
                    publisher=self.topics,
                    journal=self.journal,
                    interval_minutes=60,
                ),
                signalling=None
                if self.signals is None
                else Signalling(
                    counts=self.signal_counts,
                    signals=self.signals,
                    journal=self.journal,
                    interval_minutes=60,
                ),
                journal=self.journal,
                rule=PauseRule(after_failures, when_exhausted),
                max_attempts=MAX_ATTEMPTS,
                request_seconds=REQUEST_SECONDS,
                clock=self.clock,
            ),
            journal=self.journal,
            rule=DispatchRule(
                max_attempts=MAX_ATTEMPTS,
                retry_interval_seconds=INTERVAL,
                request_seconds=REQUEST_SECONDS,
                log_successes=self.log_successes,
            ),
            executor=self.executor,
            clock=self.clock,
        )
        return dispatching.dispatch(received, self._seconds_left)

    def _seconds_left(self) -> float:
        steps = self.seconds_left_of_steps
        return steps.pop(0) if steps else self.seconds_left

    def change_webhook(self, **changes: object) -> Webhook:
        self.webhook = replace(self.webhook, **changes)  # type: ignore[arg-type]
        self.config.put(self.webhook)
        return self.webhook

    def answer(self, *answers: Response | NoResponse) -> None:
        self.sender.answer(self.webhook.url, *answers)

    def entry(self) -> Delivery:
        """The only log entry."""
        (entry,) = self.deliveries.entries.values()
        return entry

    def log_an_entry(self, **members: object) -> Delivery:
        entry = a_delivery(MESSAGE, **members)
        self.deliveries.put(entry)
        return entry


MESSAGE = a_delivery_message()


def received(receive_count: int = 1) -> Received:
    return a_received(MESSAGE, receive_count)


UNSENT = {
    WebhookStatus.DELETED: (DeliveryStatus.CANCELLED, Reason.DELETED),
    WebhookStatus.DISABLED: (DeliveryStatus.CANCELLED, Reason.DISABLED),
    WebhookStatus.PAUSED: (DeliveryStatus.FAILED, Reason.PAUSED),
}


class Wordless:
    """A format that can say nothing."""

    def render(self, _payload: object) -> bytes:
        raise Unrenderable("evt_1")
