"""Jobs: what is sent, in which pages and at which pace, and what a crash at any step leaves."""

import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.jobs import selecting
from perkwire.jobs.job import Job, JobKind, JobReason, JobStatus
from perkwire.jobs.listing import JobFilter
from perkwire.jobs.pages import ReplayPages, RetryPages
from perkwire.jobs.selecting import EventSelection, FailedSelection, Selection
from perkwire.jobs.starting import DryRun, JobManagement
from perkwire.jobs.working import JobWork, KindWorker
from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.event import Event
from perkwire.model.messages import (
    DeliveryMessage,
    JobMessage,
    Received,
    read_delivery_message,
    write_job_message,
)
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, EventId, JobId, new_job_id, new_webhook_id
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, to_rfc3339
from perkwire.recovering.retrying import Retrying
from tests.builders import (
    ACCOUNT,
    NOW,
    OTHER_ACCOUNT,
    WEBHOOK,
    a_delivery,
    a_delivery_message,
    a_webhook,
    an_account,
    an_event,
)
from tests.fakes import (
    FakeAccountStore,
    FakeClock,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeEventIndex,
    FakeEventItems,
    FakeEventReader,
    FakeJobItems,
    FakeJobStore,
    FakeQueue,
    FakeRetryableDeliveries,
    FakeTelemetry,
    FakeWebhookLookup,
    FakeWebhookStore,
)
from tests.unit.strategies import FEW

INTERVAL = 300
VISIBILITY_SECONDS = 120
RETENTION_DAYS = 30
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
        self.job_queue = FakeQueue()
        self.journal = FakeTelemetry()
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
            event_retention_days=RETENTION_DAYS,
            clock=self.clock,
        )
        retrying = Retrying(
            deliveries=self.log,
            events=self.reader,
            webhooks=self.lookup,
            queue=self.delivery_queue,
            retry_interval_seconds=INTERVAL,
            clock=self.clock,
        )
        retry_pages = RetryPages(
            deliveries=self.log,
            retrying=retrying,
            retry_interval_seconds=INTERVAL,
            clock=self.clock,
        )
        replay_pages = ReplayPages(events=self.reader, queue=self.delivery_queue)
        self.work = JobWork(
            jobs=self.store,
            webhooks=self.lookup,
            kinds={
                RETRY_FAILED: KindWorker(selections[RETRY_FAILED], retry_pages),
                REPLAY: KindWorker(selections[REPLAY], replay_pages),
            },
            queue=self.job_queue,
            journal=self.journal,
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
        received = Received(message_id="m-1", body=body, receive_count=count)
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


@pytest.fixture
def world() -> World:
    return World()


# Replay.


def test_a_replay_sends_the_events_of_the_range_as_deliveries_of_its_own(world: World) -> None:
    world.change_webhook(batch_size=3)
    events = some_events(7, every=HOUR // 4)
    world.has_events(*events)
    outside = [an_event(accepted_at=START - 1), an_event(accepted_at=START + HOUR * 7 // 4)]
    world.has_events(*outside)

    job = world.start(REPLAY, until=to_rfc3339(START + HOUR * 7 // 4))
    assert counts(world.job(job)) == (JobStatus.QUEUED, None, 0, 0)
    world.run()

    assert [[event.id for event in one.events] for one in world.sent()] == [
        [event.id for event in events[:3]],
        [event.id for event in events[3:6]],
        [events[6].id],
    ]
    assert [message.run for message in world.sent()] == [0, 0, 0]
    assert {message.group for message in world.delivery_queue.messages} == {WEBHOOK}
    routed = a_delivery_message(a_webhook(batch_size=3), *events[:3])
    ids = [message.delivery_id for message in world.sent()]
    assert len({*ids, routed.delivery_id}) == 4, "the router's delivery is another one"
    assert counts(world.job(job)) == (JobStatus.DONE, 7, 7, 0)
    assert world.job(job).finished_at is not None


def test_two_replays_send_different_deliveries(world: World) -> None:
    world.has_events(*some_events(2))
    for _ in range(2):
        world.start(REPLAY)
        world.run()

    assert len({message.delivery_id for message in world.sent()}) == 4
    assert len(set(world.sent_events())) == 2


def test_a_replay_sends_what_the_webhook_wants_now(world: World) -> None:
    world.change_webhook(event_types=("points.earned", "tier.upgraded"), program_ids=("gold",))
    wanted = an_event(accepted_at=START, program_id="gold")
    others = [
        an_event(accepted_at=START),
        an_event(accepted_at=START, program_id="silver"),
        an_event(accepted_at=START, program_id="gold", type="reward.redeemed"),
        an_event(accepted_at=START, program_id="gold", type="tier.upgraded"),
    ]
    world.has_events(wanted, *others)
    world.events.events[(OTHER_ACCOUNT, wanted.id)] = RoutedEvent(
        account_id=OTHER_ACCOUNT, event=wanted, deliveries={}
    )

    assert world.dry_run(REPLAY).count == 2
    assert world.dry_run(REPLAY, event_types=["points.earned"]).count == 1
    job = world.start(REPLAY, event_types=["points.earned", "points.spent"])
    world.run()

    assert world.sent_events() == [wanted.id]
    assert counts(world.job(job)) == (JobStatus.DONE, 1, 1, 0)


def test_events_of_one_moment_are_each_sent_once(world: World) -> None:
    events = [an_event(accepted_at=START) for _ in range(1_300)]
    world.has_events(*events)

    world.start(REPLAY, per_second=7)
    world.run()

    assert sorted(world.sent_events()) == sorted(event.id for event in events)


def test_an_event_that_is_gone_by_its_turn_is_skipped(world: World) -> None:
    events = some_events(3)
    world.has_events(*events)
    job = world.start(REPLAY)
    find_all = world.reader.find_all

    def without_one(keys: Any) -> Any:  # noqa: ANN401
        world.events.events.pop((ACCOUNT, events[1].id), None)
        return find_all(keys)

    world.reader.find_all = without_one  # type: ignore[method-assign]
    world.run()

    assert world.sent_events() == [events[0].id, events[2].id]
    assert counts(world.job(job)) == (JobStatus.DONE, 3, 2, 1)


def test_nothing_to_send_is_done_at_once(world: World) -> None:
    for kind in JobKind:
        job = world.start(kind)
        world.run()
        assert counts(world.job(job)) == (JobStatus.DONE, 0, 0, 0)
    assert world.sent() == []


# Retrying what failed.


def test_all_failed_of_the_range_are_sent_as_their_next_run(world: World) -> None:
    failed = [world.has_failed(event, run=run) for run, event in enumerate(some_events(3))]
    lost = world.has_failed(status=RETRYING, due_at=NOW - 2 * INTERVAL * MICROSECONDS - 1)
    for status in (DeliveryStatus.SUCCEEDED, DeliveryStatus.CANCELLED):
        world.has_failed(status=status)
    world.has_failed(status=RETRYING, due_at=NOW)
    world.has_failed(an_event(accepted_at=START - MICROSECONDS))
    world.has_failed(an_event(accepted_at=NOW - MICROSECONDS))
    until = to_rfc3339(NOW - MICROSECONDS)

    assert world.dry_run(RETRY_FAILED, until=until).count == 4
    job = world.start(RETRY_FAILED, until=until)
    world.run()

    assert {message.delivery_id: message.run for message in world.sent()} == {
        **{entry.id: entry.run + 1 for entry in failed},
        lost.id: 1,
    }
    assert counts(world.job(job)) == (JobStatus.DONE, 4, 4, 0)
    assert {world.deliveries.entries[entry.id].status for entry in failed} == {RETRYING}


def test_one_that_fails_again_meanwhile_is_not_sent_twice(world: World) -> None:
    entries = [world.has_failed(event) for event in some_events(5)]
    world.start(RETRY_FAILED, per_second=1)
    hand_over = world.log.hand_over

    def failing_again(entry: Delivery, now: int, due_at: int) -> None:
        hand_over(entry, now, due_at)
        world.deliveries.put(replace(world.deliveries.entries[entry.id], status=FAILED))

    world.log.hand_over = failing_again  # type: ignore[method-assign]
    world.run()

    assert [message.delivery_id for message in world.sent()] == [entry.id for entry in entries]


def test_what_settles_before_its_page_is_sent_is_skipped(world: World) -> None:
    settled, other, gone = (world.has_failed(event) for event in some_events(3))
    job = world.start(RETRY_FAILED)
    advance = world.store.advance

    def settling(before: Job, after: Job) -> Job | None:
        world.deliveries.put(replace(settled, status=DeliveryStatus.SUCCEEDED))
        world.events.events.pop((ACCOUNT, gone.event_ids[0]), None)
        return advance(before, after)

    world.store.advance = settling  # type: ignore[method-assign]
    world.run()

    assert [message.delivery_id for message in world.sent()] == [other.id]
    assert counts(world.job(job)) == (JobStatus.DONE, 3, 1, 2)


# Pages, pace and time.


@pytest.mark.parametrize("kind", JobKind)
def test_more_than_ten_thousand(world: World, kind: JobKind) -> None:
    events = some_events(10_500, every=MICROSECONDS // 2)
    if kind is REPLAY:
        world.change_webhook(batch_size=100)
        world.has_events(*events)
    else:
        for event in events:
            world.has_failed(event)

    job = world.start(kind, per_second=500)
    world.run()

    assert world.sent_events() == [event.id for event in events]
    assert counts(world.job(job)) == (JobStatus.DONE, 10_500, 10_500, 0)
    assert max(len(message.events) for message in world.sent()) == (100 if kind is REPLAY else 1)


def test_a_long_quiet_range_is_passed_in_bounded_steps(world: World) -> None:
    world.clock.now = START + RETENTION_DAYS * 24 * HOUR
    event = an_event(accepted_at=world.clock.now - HOUR)
    world.has_events(event)
    calls: list[int] = []
    stored = world.store.advance

    def counting(before: Job, after: Job) -> Job | None:
        calls.append(world.index.calls["of_hour"])
        return stored(before, after)

    job = world.start(REPLAY)
    world.store.advance = counting  # type: ignore[method-assign]
    world.run()

    assert world.sent_events() == [event.id]
    # The first step comes after the count, which passes through the whole range once.
    steps = [after - before for before, after in pairwise(calls)]
    assert max(steps) <= 50
    assert world.job(job).status is JobStatus.DONE


def test_what_is_older_than_anything_kept_is_not_looked_for(world: World) -> None:
    counted = world.management.start(
        ACCOUNT, WEBHOOK, REPLAY, {"since": "1970-01-01T00:00:00Z", "dry_run": True}
    )

    assert isinstance(counted, DryRun)
    assert counted.since == NOW - RETENTION_DAYS * 24 * HOUR
    assert world.index.calls["of_hour"] <= RETENTION_DAYS * 24 + 1


def test_what_is_older_than_its_account_is_not_looked_for(world: World) -> None:
    world.config.put(an_account(created_at=NOW))
    # By the clock of another function, which may be behind.
    world.has_events(an_event(accepted_at=NOW - HOUR // 2))

    counted = world.dry_run(REPLAY)

    assert counted.to_json() == {
        "since": to_rfc3339(NOW - HOUR),
        "until": to_rfc3339(NOW),
        "count": 1,
        "complete": True,
    }
    assert world.index.calls["of_hour"] <= 2


def test_an_account_that_is_absent_has_no_jobs(world: World) -> None:
    world.config.accounts.clear()

    assert problem_of(lambda: world.start(REPLAY))["status"] == 404


def test_hours_are_counted_side_by_side(world: World) -> None:
    world.clock.now = START + RETENTION_DAYS * 24 * HOUR
    events = some_events(1_100)
    world.has_events(*events, an_event(accepted_at=world.clock.now - 1))
    all_at_once = threading.Barrier(8, timeout=10)
    of_hour = world.index.of_hour

    def waiting(*arguments: Any) -> Any:  # noqa: ANN401
        if not all_at_once.broken and arguments[1] < START + 8 * HOUR and arguments[3] is None:
            all_at_once.wait()
        return of_hour(*arguments)

    world.index.of_hour = waiting  # type: ignore[assignment,method-assign]
    counted = world.dry_run(REPLAY)

    assert (counted.count, counted.complete) == (1_101, True)
    # One for each hour, and one for each 500 events.
    assert world.index.calls["of_hour"] == RETENTION_DAYS * 24 + 2


def test_a_count_whose_query_fails_asks_no_further(world: World) -> None:
    world.clock.now = START + RETENTION_DAYS * 24 * HOUR
    asked: list[int] = []

    def failing(_account_id: AccountId, since: int, *_: object) -> Any:  # noqa: ANN401
        asked.append(since)
        if since > START:
            threading.Event().wait(0.2)  # the others are slow to answer
        raise Unavailable("told")

    world.index.of_hour = failing  # type: ignore[assignment,method-assign]
    with pytest.raises(Unavailable):
        world.dry_run(REPLAY)

    assert len(asked) < 3 * 8


def test_a_count_that_takes_long_says_that_it_is_not_all(world: World) -> None:
    world.has_events(*some_events(1_200))
    of_hour = world.index.of_hour

    def slow(*arguments: Any) -> Any:  # noqa: ANN401
        world.clock.pass_seconds(5)
        return of_hour(*arguments)

    world.index.of_hour = slow  # type: ignore[assignment,method-assign]
    counted = world.dry_run(REPLAY)
    assert counted.to_json()["complete"] is False
    assert 500 <= counted.count < 1_200

    job = world.start(REPLAY, per_second=500)
    world.run()
    assert counts(world.job(job)) == (JobStatus.DONE, None, 1_200, 0)


@FEW
@given(
    number=st.integers(1, 60),
    per_second=st.integers(1, 20),
    batch_size=st.integers(1, 7),
    page_ms=st.integers(0, 1_500),
)
def test_no_turn_is_ahead_of_its_rate_by_more_than_two_seconds(
    number: int, per_second: int, batch_size: int, page_ms: int
) -> None:
    world = World(batch_size=batch_size)
    world.has_events(*some_events(number))
    job = world.start(REPLAY, per_second=per_second)
    send = world.delivery_queue.send
    sent: list[tuple[int, int]] = []

    def watched(messages: Any) -> list[bool]:  # noqa: ANN401
        sent.append((world.clock.now, len(messages)))
        world.clock.pass_seconds(page_ms / 1000)
        return send(messages)

    world.delivery_queue.send = watched  # type: ignore[method-assign]
    world.run()

    assert world.job(job).sent == number
    begun = sent[0][0]
    total = 0
    for moment, count in sent:
        seconds = (moment - begun) / MICROSECONDS
        total += count
        assert total <= per_second * (seconds + 2)


def test_the_time_of_counting_lets_no_more_be_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*arguments: Any) -> tuple[int, bool]:  # noqa: ANN401
        world.clock.pass_seconds(8)
        return selecting.count(*arguments)

    monkeypatch.setattr("perkwire.jobs.working.count", slowly)
    world.has_events(*some_events(100))
    world.start(REPLAY, per_second=10)

    world.invoke()

    assert 0 < len(world.sent()) <= 20


def test_a_turn_ends_with_its_time_and_the_next_goes_on(world: World) -> None:
    world.has_events(*some_events(250))
    world.may_go_on = lambda: False
    job = world.start(REPLAY, per_second=500)

    assert world.invoke() == []
    assert (world.job(job).status, world.job(job).sent) == (JobStatus.RUNNING, 0)
    assert world.invoke() == []
    assert world.job(job).sent == 100
    world.run()

    assert counts(world.job(job)) == (JobStatus.DONE, 250, 250, 0)
    assert len(world.sent()) == 250


# Cancelling, and webhooks that change.


def test_a_cancelled_job_sends_no_further_page(world: World) -> None:
    world.has_events(*some_events(100))
    job = world.start(REPLAY, per_second=10)
    send = world.delivery_queue.send

    def cancelling(messages: Any) -> list[bool]:  # noqa: ANN401
        if not world.job(job).has_ended:
            world.management.cancel(ACCOUNT, job.id)
        return send(messages)

    world.delivery_queue.send = cancelling  # type: ignore[method-assign]
    world.run()

    assert len(world.sent()) == 10
    assert counts(world.job(job)) == (JobStatus.CANCELLED, 100, 10, 0)
    with pytest.raises(Problem) as refused:
        world.management.cancel(ACCOUNT, job.id)
    assert refused.value.status == 409


def test_a_job_cancelled_on_its_last_page_stays_cancelled(world: World) -> None:
    world.has_events(*some_events(3))
    job = world.start(REPLAY)
    advance = world.store.advance

    def cancelling(before: Job, after: Job) -> Job | None:
        if after.has_ended:
            world.management.cancel(ACCOUNT, job.id)
        return advance(before, after)

    world.store.advance = cancelling  # type: ignore[method-assign]
    world.run()

    assert counts(world.job(job)) == (JobStatus.CANCELLED, 3, 3, 0)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (WebhookStatus.PAUSED, JobReason.PAUSED),
        (WebhookStatus.DISABLED, JobReason.DISABLED),
        (WebhookStatus.DELETED, JobReason.DELETED),
    ],
)
def test_a_webhook_that_no_longer_takes_anything_ends_the_job(
    world: World, status: WebhookStatus, reason: JobReason
) -> None:
    world.has_events(*some_events(100))
    job = world.start(REPLAY, per_second=10)
    world.invoke()
    sent = len(world.sent())
    assert 0 < sent < 100

    world.change_webhook(status=status)
    world.run()

    assert counts(world.job(job)) == (JobStatus.FAILED, 100, world.job(job).sent, 0)
    assert world.job(job).reason is reason
    assert len(world.sent()) == sent


def test_a_batch_size_changed_on_the_way_acts_from_the_next_page(world: World) -> None:
    world.change_webhook(batch_size=2)
    world.has_events(*some_events(40))
    world.start(REPLAY, per_second=1)
    world.invoke()
    world.change_webhook(batch_size=5)
    world.run()

    sizes = [len(message.events) for message in world.sent()]
    assert sizes[0] == 2
    assert set(sizes[2:-1]) == {5}
    assert len(set(world.sent_events())) == len(world.sent_events()) == 40


# What goes wrong.


class Tripwire:
    """Kills the worker before or after the n-th of all its calls that change something."""

    def __init__(self, world: World, step: int, *, after: bool) -> None:
        self._left = step
        self._after = after
        self.tripped = False
        for owner, name in (
            (world.store, "advance"),
            (world.delivery_queue, "send"),
            (world.job_queue, "send"),
            (world.log, "hand_over"),
        ):
            setattr(owner, name, self._watching(getattr(owner, name)))

    def _watching(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any) -> Any:  # noqa: ANN401
            self._left -= 1
            trips = self._left == 0
            if trips and not self._after:
                self._die()
            result = call(*arguments)
            if trips:
                self._die()
            return result

        return watched

    def _die(self) -> None:
        self.tripped = True
        raise Died


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", JobKind)
def test_a_worker_may_die_at_any_step(kind: JobKind, after: bool) -> None:
    step = 0
    while True:
        step += 1
        world = World(batch_size=3 if kind is REPLAY else 1)
        events = some_events(17, every=HOUR // 10)
        world.has_events(*events)
        if kind is RETRY_FAILED:
            for event in events:
                world.has_failed(event)
        job = world.start(kind, per_second=2)
        tripwire = Tripwire(world, step, after=after)
        world.run()
        place = f"step {step}"
        assert counts(world.job(job)) == (JobStatus.DONE, 17, 17, 0), place
        assert set(world.sent_events()) == {event.id for event in events}, place
        ways = defaultdict(set)
        for message in world.sent():
            for event in message.events:
                own = tuple(one.id for one in message.events)
                ways[event.id].add((message.delivery_id, own, message.run))
        assert all(len(way) == 1 for way in ways.values()), place
        assert len(world.sent_events()) <= 17 + 6, f"{place}: one page at most comes twice"
        if not tripwire.tripped:
            break
    assert step >= 10


def test_a_page_is_the_same_after_a_crash_whatever_has_changed(world: World) -> None:
    events = some_events(6)
    world.change_webhook(batch_size=3)
    world.has_events(*events)
    world.start(REPLAY)
    Tripwire(world, 2, after=True)
    assert world.invoke() is None
    first = world.sent()
    assert first

    world.change_webhook(batch_size=2, event_types=("tier.upgraded",))
    world.has_events(an_event(accepted_at=START))
    world.run()

    assert world.sent() == first * 2


def test_two_workers_do_not_both_go_on(world: World) -> None:
    events = some_events(30)
    world.has_events(*events)
    job = world.start(REPLAY, per_second=10)
    world.take_queued()
    world.waiting *= 2  # the message comes twice
    send = world.delivery_queue.send
    nested: list[bool] = []

    def meanwhile(messages: Any) -> list[bool]:  # noqa: ANN401
        held = send(messages)
        if not nested:
            nested.append(True)
            assert world.invoke() == []
        return held

    world.delivery_queue.send = meanwhile  # type: ignore[method-assign]
    world.run()

    assert counts(world.job(job)) == (JobStatus.DONE, 30, 30, 0)
    assert len(world.sent_events()) == 40, "the page that both had, and no other, went out twice"
    assert len({message.delivery_id for message in world.sent()}) == 30


def test_a_message_whose_turn_has_passed_does_nothing(world: World) -> None:
    world.has_events(*some_events(30))
    job = world.start(REPLAY, per_second=10)
    world.take_queued()
    old = world.waiting[0]
    world.invoke()
    sent = len(world.sent())

    world.waiting.insert(0, old)
    assert world.invoke() == []
    assert len(world.sent()) == sent
    world.run()
    assert world.job(job).sent == len(world.sent()) == 30


@pytest.mark.parametrize("kind", JobKind)
def test_a_page_that_sqs_does_not_take_comes_again(world: World, kind: JobKind) -> None:
    for event in some_events(5):
        world.has_failed(event)
    job = world.start(kind)
    world.delivery_queue.refuse(2, 4)

    assert world.invoke() == ["m-1"]
    assert world.journal.kinds == ["job_unavailable"]
    world.run()

    assert counts(world.job(job)) == (JobStatus.DONE, 5, 5, 0)
    assert len({message.delivery_id for message in world.sent()}) == 5
    # Those that were noted as handed over are not sent again.
    assert len(world.sent()) == (5 if kind is RETRY_FAILED else 8)


def test_a_next_turn_that_sqs_does_not_take_leaves_this_one(world: World) -> None:
    world.has_events(*some_events(30))
    job = world.start(REPLAY, per_second=10)
    world.take_queued()
    world.job_queue.refuse(2)

    assert world.invoke() == ["m-1"]
    assert world.job(job).sent == 10
    world.run()

    assert counts(world.job(job)) == (JobStatus.DONE, 30, 30, 0)
    assert len(world.sent()) == 30


@pytest.mark.parametrize(
    ("break_it", "fault"),
    [
        (lambda world: world.jobs.jobs.clear(), "job_absent"),
        (lambda world: world.config.webhooks.clear(), "webhook_absent"),
        (lambda world: world.config.accounts.clear(), "webhook_absent"),
        (lambda world: world.lookup.fail("of_account"), "job_unavailable"),
        (lambda world: world.store.fail("find"), "job_unavailable"),
        (lambda world: world.store.fail("advance"), "job_unavailable"),
        (lambda world: world.index.fail("of_hour"), "job_unavailable"),
        (lambda world: world.reader.fail("find_all"), "job_unavailable"),
    ],
)
def test_what_cannot_be_read_or_stored_leaves_the_message(
    world: World, break_it: Callable[[World], None], fault: str
) -> None:
    world.has_events(*some_events(3))
    world.start(REPLAY)
    break_it(world)

    assert world.invoke() == ["m-1"]
    assert world.journal.kinds == [fault]
    assert world.sent() == []


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"v":1}', '{"v":2,"account_id":"a"}'])
def test_an_unreadable_message_is_left_with_one_line(world: World, body: str) -> None:
    received = Received(message_id="m-2", body=body, receive_count=1)

    assert world.work.work([received], world.may_go_on) == ["m-2"]
    assert world.journal.kinds == ["message_unreadable"]


def test_a_job_of_another_account_is_not_found(world: World) -> None:
    world.has_events(*some_events(3))
    job = world.start(REPLAY)
    message = JobMessage(account_id=OTHER_ACCOUNT, job_id=job.id, turn=0)
    received = Received(message_id="m-2", body=write_job_message(message), receive_count=1)

    assert world.work.work([received], world.may_go_on) == ["m-2"]
    assert world.journal.kinds == ["job_absent"]


# Starting.


def problem_of(call: Callable[[], object]) -> dict[str, Json]:
    with pytest.raises(Problem) as raised:
        call()
    return raised.value.document()


def test_one_job_of_a_kind_at_a_time(world: World) -> None:
    world.has_events(*some_events(3))
    job = world.start(REPLAY)

    problem = problem_of(lambda: world.start(REPLAY))
    assert problem["status"] == 409
    assert job.id in str(problem["detail"])
    world.start(RETRY_FAILED)
    world.run()
    world.start(REPLAY)


def test_a_cancelled_job_makes_way_for_the_next(world: World) -> None:
    job = world.start(REPLAY)
    assert world.management.cancel(ACCOUNT, job.id).status is JobStatus.CANCELLED

    again = world.start(REPLAY)
    world.run()

    assert world.job(again).status is JobStatus.DONE
    assert world.job(job).status is JobStatus.CANCELLED


@pytest.mark.parametrize("status", [WebhookStatus.PAUSED, WebhookStatus.DISABLED])
def test_only_an_enabled_webhook_has_jobs(world: World, status: WebhookStatus) -> None:
    world.change_webhook(status=status)

    problem = problem_of(lambda: world.start(REPLAY))

    assert (problem["status"], problem["detail"]) == (
        409,
        f"The webhook is {status}; enable it first.",
    )
    assert world.job_queue.messages == []


@pytest.mark.parametrize("kind", JobKind)
@pytest.mark.parametrize("status", [WebhookStatus.PAUSED, WebhookStatus.DISABLED])
def test_what_waits_for_a_webhook_can_be_counted_before_it_is_enabled(
    world: World, status: WebhookStatus, kind: JobKind
) -> None:
    world.has_failed()
    world.change_webhook(status=status)

    assert world.dry_run(kind).count == 1


def test_a_job_that_sqs_does_not_take_has_failed_and_makes_way(world: World) -> None:
    world.job_queue.refuse(1)

    assert problem_of(lambda: world.start(REPLAY))["status"] == 503

    (job,) = world.jobs.jobs.values()
    assert (job.status, job.reason) == (JobStatus.FAILED, JobReason.NOT_QUEUED)
    world.start(REPLAY)


def test_another_accounts_webhooks_and_jobs_are_not_found(world: World) -> None:
    job = world.start(REPLAY)
    management = world.management

    for call in (
        lambda: management.start(OTHER_ACCOUNT, WEBHOOK, REPLAY, world.asked()),
        lambda: management.get(OTHER_ACCOUNT, job.id),
        lambda: management.cancel(OTHER_ACCOUNT, job.id),
        lambda: management.get(ACCOUNT, JobId("job_none")),
        lambda: management.cancel(ACCOUNT, new_job_id(NOW)),
    ):
        assert problem_of(call)["status"] == 404
    assert world.job(job).status is JobStatus.QUEUED


def test_jobs_are_listed_newest_first_by_webhook_and_status(world: World) -> None:
    ended = world.start(REPLAY)
    world.run()
    world.clock.pass_seconds(1)
    waiting = world.start(RETRY_FAILED)

    def listed(account_id: AccountId = ACCOUNT, **wanted: Any) -> list[JobId]:  # noqa: ANN401
        page = world.management.list(account_id, JobFilter(**wanted), 50, None)
        assert page.next_cursor is None
        return [job.id for job in page.items]

    assert listed() == [waiting.id, ended.id]
    assert listed(status=JobStatus.QUEUED) == [waiting.id]
    assert listed(status=JobStatus.DONE, webhook_id=WEBHOOK) == [ended.id]
    assert listed(webhook_id=new_webhook_id()) == []
    assert listed(OTHER_ACCOUNT) == []


def test_a_filter_makes_a_page_of_jobs_short_and_the_list_goes_on(world: World) -> None:
    ended = world.start(REPLAY)
    world.run()
    world.clock.pass_seconds(1)
    waiting = world.start(RETRY_FAILED)
    done = JobFilter(status=JobStatus.DONE)

    first = world.management.list(ACCOUNT, done, 1, None)
    second = world.management.list(ACCOUNT, done, 1, first.next_cursor)

    assert (first.items, [job.id for job in second.items]) == ([], [ended.id])
    world.management.cancel(ACCOUNT, waiting.id)
    (cancelled,) = world.management.list(ACCOUNT, JobFilter(), 1, None).items
    assert cancelled.status is JobStatus.CANCELLED


def test_a_job_as_it_is_shown(world: World) -> None:
    world.has_events(*some_events(2))
    job = world.start(REPLAY, event_types=["points.earned"], per_second=7)
    assert job.to_json() == {
        "id": job.id,
        "kind": "replay",
        "webhook_id": WEBHOOK,
        "since": to_rfc3339(START),
        "until": to_rfc3339(NOW),
        "event_types": ["points.earned"],
        "per_second": 7,
        "status": "queued",
        "total": None,
        "sent": 0,
        "skipped": 0,
        "created_at": to_rfc3339(NOW),
        "updated_at": to_rfc3339(NOW),
    }
    world.change_webhook(status=WebhookStatus.PAUSED)
    world.run()
    shown = world.job(job).to_json()
    assert (shown["status"], shown["reason"], shown["finished_at"]) == (
        "failed",
        "paused",
        to_rfc3339(NOW),
    )


NAMED: dict[str, tuple[dict[str, Json], str, str]] = {
    "required": ({}, "since", "is required"),
    "null": ({"since": None}, "since", "must not be null"),
    "no text": ({"since": 1}, "since", "must be a string"),
    "no time": ({"since": "yesterday"}, "since", "must be an RFC 3339 time"),
    "no offset": ({"since": "2026-01-01T00:00:00"}, "since", "must be an RFC 3339 time"),
    "until no time": ({"until": "now"}, "until", "must be an RFC 3339 time"),
    "future": ({"until": to_rfc3339(NOW + 1)}, "until", "must not be in the future"),
    "empty": ({"until": to_rfc3339(START)}, "until", "must be after since"),
    "since now": ({"since": to_rfc3339(NOW)}, "since", "must be in the past"),
    "slow": ({"per_second": 0}, "per_second", "whole number from 1 to 500"),
    "fast": ({"per_second": 501}, "per_second", "whole number from 1 to 500"),
    "flag": ({"dry_run": "yes"}, "dry_run", "must be true or false"),
    "unknown": ({"rate": 5}, "rate", "is not a known field"),
    "no types": ({"event_types": []}, "event_types", "must be a list of 1 to 200 strings"),
    "all types": ({"event_types": ["*"]}, "event_types[0]", "must be a dotted name"),
}


@pytest.mark.parametrize("case", NAMED)
def test_a_wrong_field_is_named(world: World, case: str) -> None:
    members, field, detail = NAMED[case]
    value = world.asked() | members if case != "required" else {}

    problem = problem_of(lambda: world.management.start(ACCOUNT, WEBHOOK, REPLAY, value))

    assert problem["status"] == 422
    errors: Any = problem["errors"]
    assert [error["field"] for error in errors] == [field]
    assert detail in errors[0]["detail"]


def test_event_types_are_for_replays_only(world: World) -> None:
    value = world.asked(event_types=["points.earned"])
    problem = problem_of(lambda: world.management.start(ACCOUNT, WEBHOOK, RETRY_FAILED, value))

    assert problem["errors"] == [{"field": "event_types", "detail": "is not a known field"}]


@given(st.integers(START, NOW - 1), st.integers(START + 1, NOW))
def test_the_range_includes_its_beginning_and_not_its_end(since: int, until: int) -> None:
    if since >= until:
        since, until = until - 1, since + 1
    world = World()
    events = [an_event(accepted_at=moment) for moment in (since - 1, since, until - 1, until)]
    world.has_events(*events)
    value: dict[str, Json] = {"since": to_rfc3339(since), "until": to_rfc3339(until)}
    world.management.start(ACCOUNT, WEBHOOK, REPLAY, value)
    world.run()

    wanted = {event.id for event in events if since <= event.accepted_at < until}
    assert set(world.sent_events()) == wanted


def test_reasons_are_those_of_deliveries_where_they_say_the_same() -> None:
    for reason in (JobReason.PAUSED, JobReason.DISABLED, JobReason.DELETED):
        assert Reason(reason.value).name == reason.name
