"""What is around jobs: an account with one webhook, fakes, and SQS as it treats them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from perkwire.jobs.asking import ErasureManagement
from perkwire.jobs.erasing import ErasureWorker
from perkwire.jobs.job import Job, JobKind, JobStatus
from perkwire.jobs.pages import ReplayPages, RetryPages
from perkwire.jobs.selecting import EventSelection, FailedSelection, Selection
from perkwire.jobs.starting import DryRun, JobManagement
from perkwire.jobs.watching import Watcher
from perkwire.jobs.working import JobWorker, KindWorker
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.event import Event
from perkwire.model.messages import DeliveryMessage, read_delivery_message
from perkwire.model.notices import NoticeSender
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.waiting import WaitingList
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, EventId
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, to_rfc3339
from perkwire.recovering.retrying import Retrying
from tests.builders import (
    ACCOUNT,
    NOW,
    WEBHOOK,
    a_delivery,
    a_delivery_message,
    a_hand_over,
    a_received,
    a_webhook,
    an_account,
    an_event,
)
from tests.fakes import (
    FakeAccountStore,
    FakeClock,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeErasedAccounts,
    FakeErasureItems,
    FakeErasureStore,
    FakeEventErasing,
    FakeEventIndex,
    FakeEventItems,
    FakeEventReader,
    FakeJobItems,
    FakeJobStore,
    FakeLogErasing,
    FakeQueue,
    FakeRejectedErasing,
    FakeRejectedEvents,
    FakeRetryableDeliveries,
    FakeSignals,
    FakeSlotCounter,
    FakeTelemetry,
    FakeTopics,
    FakeTrialCounter,
    FakeWaitingTable,
    FakeWebhookLookup,
    FakeWebhookStore,
)

INTERVAL = 300
VISIBILITY_SECONDS = 120
RETENTION_DAYS = 30
CONSOLE_URL = "https://perkwire.example/console"
HOUR = HOUR_SECONDS * MICROSECONDS
START = NOW - NOW % HOUR - 2 * HOUR  # an hour's beginning, more than two hours ago
LONG_AGO = NOW - 2 * RETENTION_DAYS * 24 * HOUR
FAILED, RETRYING = DeliveryStatus.FAILED, DeliveryStatus.RETRYING
REPLAY, RETRY_FAILED = JobKind.REPLAY, JobKind.RETRY_FAILED


class Died(BaseException):
    """The worker is gone, as when Lambda ends an invocation."""


class WebhooksById:
    """What WebhookManagement is to jobs."""

    def __init__(self, config: FakeConfigItems) -> None:
        self._store = FakeWebhookStore(config)

    def get(self, account_id: AccountId, webhook_id: Any) -> Webhook:  # noqa: ANN401
        found = self._store.find(account_id, webhook_id)
        if found is None:
            raise Problem(404, "not-found", "There is no such webhook.")
        return found


class World:
    """An account with one webhook, the jobs' function around fakes, and SQS as it treats it."""

    def __init__(self, **webhook: object) -> None:
        self.config = FakeConfigItems()
        self.config.put(an_account(created_at=LONG_AGO), a_webhook(**webhook))  # type: ignore[arg-type]
        self.jobs = FakeJobItems()
        self.store = FakeJobStore(self.jobs)
        self.deliveries = FakeDeliveryItems()
        self.log = FakeRetryableDeliveries(self.deliveries)
        self.events = FakeEventItems()
        self.reader = FakeEventReader(self.events)
        self.index = FakeEventIndex(self.events)
        self.delivery_queue = FakeQueue()
        self.slow_delivery_queue = FakeQueue()
        self.slots = FakeSlotCounter()
        self.job_queue = FakeQueue()
        self.journal = FakeTelemetry()
        self.signals = FakeSignals()
        self.clock = FakeClock(NOW)
        self.lookup = FakeWebhookLookup(self.config)
        self.may_go_on: Callable[[], bool] = lambda: True
        selections: dict[JobKind, Selection] = {
            RETRY_FAILED: FailedSelection(
                self.log, retry_interval_seconds=INTERVAL, clock=self.clock
            ),
            REPLAY: EventSelection(self.index),
        }
        self.management = JobManagement(
            jobs=self.store,
            accounts=FakeAccountStore(self.config),
            webhooks=WebhooksById(self.config),
            selections=selections,
            queue=self.job_queue,
            dry_runs=FakeTrialCounter(),
            event_retention_days=RETENTION_DAYS,
            signals=self.signals,
            clock=self.clock,
        )
        hand_over = a_hand_over(
            self.delivery_queue, self.slow_delivery_queue, slots=self.slots, clock=self.clock
        )
        retrying = Retrying(
            deliveries=self.log,
            events=self.reader,
            webhooks=self.lookup,
            hand_over=hand_over,
            retry_interval_seconds=INTERVAL,
            clock=self.clock,
        )
        retry_pages = RetryPages(
            deliveries=self.log,
            retrying=retrying,
            retry_interval_seconds=INTERVAL,
            clock=self.clock,
        )
        replay_pages = ReplayPages(events=self.reader, hand_over=hand_over)
        self.erasures = FakeErasureItems()
        self.erasure_store = store = FakeErasureStore(self.erasures, self.config)
        self.event_erasing = FakeEventErasing(self.erasures, self.events)
        self.asking = ErasureManagement(
            erasures=store,
            accounts=FakeAccountStore(self.config),
            queue=self.job_queue,
            event_retention_days=RETENTION_DAYS,
            dispatcher_timeout_seconds=45,
            clock=self.clock,
        )
        self.log_erasing = FakeLogErasing(self.deliveries)
        self.rejected = FakeRejectedEvents()
        self.rejected_erasing = FakeRejectedErasing(self.rejected)
        erasing = ErasureWorker(
            erasures=store,
            accounts=FakeErasedAccounts(self.config),
            index=self.index,
            events=self.reader,
            erasable=self.event_erasing,
            log=self.log_erasing,
            rejected=self.rejected_erasing,
            queue=self.job_queue,
            journal=self.journal,
            signals=self.signals,
            clock=self.clock,
        )
        self.lists = FakeWaitingTable(self.deliveries)
        self.wait_list = WaitingList(self.lists, self.job_queue)
        self.topics = FakeTopics()
        watching = Watcher(
            lists=self.lists,
            webhooks=self.lookup,
            accounts=FakeErasedAccounts(self.config),
            notices=NoticeSender(bound=self.lookup, publisher=self.topics, journal=self.journal),
            queue=self.job_queue,
            journal=self.journal,
            kept_days=RETENTION_DAYS,
            console_url=CONSOLE_URL,
            clock=self.clock,
        )
        self.work = JobWorker(
            erasing=erasing,
            watching=watching,
            jobs=self.store,
            webhooks=self.lookup,
            kinds={
                RETRY_FAILED: KindWorker(selections[RETRY_FAILED], retry_pages),
                REPLAY: KindWorker(selections[REPLAY], replay_pages),
            },
            queue=self.job_queue,
            journal=self.journal,
            signals=self.signals,
            clock=self.clock,
        )
        # By when SQS gives them out, and how often it has.
        self.waiting: list[tuple[int, str, int]] = []

    def has_events(self, *events: Event) -> None:
        for event in events:
            self.events.events[(ACCOUNT, event.id)] = RoutedEvent(
                account_id=ACCOUNT, event=event, deliveries={}
            )

    def has_failed(self, *events: Event, **members: object) -> Delivery:
        """A failed delivery and its events."""
        events = events or (an_event(accepted_at=START),)
        self.has_events(*events)
        entry = a_delivery(a_delivery_message(None, *events), **{"status": FAILED, **members})
        self.deliveries.put(entry)
        return entry

    def asked(self, **members: Json) -> dict[str, Json]:
        return {"since": to_rfc3339(START), **members}

    def start(self, kind: JobKind, **members: Json) -> Job:
        started = self.management.start(ACCOUNT, WEBHOOK, kind, self.asked(**members))
        assert isinstance(started, Job)
        return started

    def dry_run(self, kind: JobKind, **members: Json) -> DryRun:
        counted = self.management.start(ACCOUNT, WEBHOOK, kind, self.asked(dry_run=True, **members))
        assert isinstance(counted, DryRun)
        return counted

    def job(self, job: Job) -> Job:
        return self.management.get(ACCOUNT, job.id)

    def take_queued(self) -> None:
        """What was sent to JobQueue waits there now."""
        for message in self.job_queue.messages:
            due = self.clock.now + message.delay_seconds * MICROSECONDS
            self.waiting.append((due, message.body, 1))
        self.job_queue.messages.clear()

    def invoke(self) -> list[str] | None:
        """One invocation with the next message, once it is due; None if the worker died."""
        self.take_queued()
        self.waiting.sort()
        due, body, count = self.waiting.pop(0)
        self.clock.now = max(self.clock.now, due)
        received = a_received(body, count, "m-1")
        left: list[str] | None = None
        with suppress(Died):
            left = self.work.work([received], self.may_go_on)
        self.take_queued()
        if left != []:
            again = self.clock.now + VISIBILITY_SECONDS * MICROSECONDS
            self.waiting.append((again, body, count + 1))
        return left

    def run(self, most: int = 10_000) -> None:
        """Invoke until JobQueue is empty."""
        self.take_queued()
        while self.waiting:
            most -= 1
            assert most, "the job goes on for ever"
            self.invoke()

    def sent(self) -> list[DeliveryMessage]:
        return [read_delivery_message(message.body) for message in self.delivery_queue.messages]

    def sent_events(self) -> list[EventId]:
        return [event.id for message in self.sent() for event in message.events]

    def change_webhook(self, **members: object) -> None:
        before = self.config.webhooks[WEBHOOK]
        self.config.put(replace(before, version=before.version + 1, **members))  # type: ignore[arg-type]


def some_events(number: int, every: int = MICROSECONDS, **members: object) -> list[Event]:
    return [an_event(accepted_at=START + place * every, **members) for place in range(number)]


def counts(job: Job) -> tuple[JobStatus, int | None, int, int]:
    return job.status, job.total, job.sent, job.skipped


def problem_of(call: Callable[[], object]) -> dict[str, Json]:
    with pytest.raises(Problem) as raised:
        call()
    return raised.value.document()
