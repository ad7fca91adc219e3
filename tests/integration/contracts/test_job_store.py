"""starting.Jobs and working.Jobs, and the indexes that jobs select from."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from perkwire.adapters.dynamodb import tables
from perkwire.adapters.dynamodb.config_items import CONFIG_ITEMS
from perkwire.adapters.dynamodb.delivery_items import DeliveryItem
from perkwire.adapters.dynamodb.delivery_table import DeliveryReader, DeliveryTable
from perkwire.adapters.dynamodb.event_index import EventIndex
from perkwire.adapters.dynamodb.event_table import EVENT_TABLE_ITEMS, EventTable
from perkwire.adapters.dynamodb.job_store import JOB_ITEMS, JobStore
from perkwire.jobs.job import Job, JobItem, JobKind, JobReason, JobStatus
from perkwire.jobs.selecting import EventSelection, count
from perkwire.jobs.starting import JobRunning
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives.ids import (
    AccountId,
    JobId,
    WebhookId,
    new_account_id,
    new_job_id,
    new_webhook_id,
)
from perkwire.primitives.problem import Problem
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS
from tests.builders import NOW, a_delivery, a_delivery_message, a_webhook, an_event
from tests.fakes import (
    FakeDeliveryItems,
    FakeDeliveryReader,
    FakeDeliveryTable,
    FakeEventIndex,
    FakeEventItems,
    FakeEventTable,
    FakeJobItems,
    FakeJobStore,
    FakeTelemetry,
)
from tests.integration.system import Stack

HOUR = HOUR_SECONDS * MICROSECONDS
START = NOW - NOW % HOUR


@dataclass(frozen=True)
class Kept:
    """What jobs are made of, of one kind."""

    jobs: JobStore | FakeJobStore
    log: DeliveryTable | FakeDeliveryTable
    reader: DeliveryReader | FakeDeliveryReader
    events: EventTable | FakeEventTable
    index: EventIndex | FakeEventIndex


@pytest.fixture(params=["fake", "real"])
def kept(request: pytest.FixtureRequest) -> Kept:
    journal = FakeTelemetry()
    if request.param == "fake":
        deliveries, events = FakeDeliveryItems(), FakeEventItems()
        return Kept(
            FakeJobStore(FakeJobItems()),
            FakeDeliveryTable(deliveries),
            FakeDeliveryReader(deliveries),
            FakeEventTable(events),
            FakeEventIndex(events),
        )
    stack: Stack = request.getfixturevalue("stack")
    connection = tables.TransactionalConnection(
        "us-east-1",
        stack.emulator.url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    tables.bind(connection, stack.resources["ConfigTable"], *CONFIG_ITEMS, *JOB_ITEMS)
    tables.bind(connection, stack.resources["EventTable"], *EVENT_TABLE_ITEMS)
    tables.bind(connection, stack.resources["DeliveryTable"], DeliveryItem)
    return Kept(
        JobStore(connection),
        DeliveryTable(connection, journal, log_retention_days=30),
        DeliveryReader(),
        EventTable(journal, event_retention_days=30, clock=lambda: NOW),
        EventIndex(),
    )


@pytest.fixture
def account_id() -> AccountId:
    return new_account_id()


@pytest.fixture
def webhook_id() -> WebhookId:
    return new_webhook_id()


def a_job(account_id: AccountId, webhook_id: WebhookId, **members: object) -> Job:
    job = Job(
        id=new_job_id(NOW),
        account_id=account_id,
        webhook_id=webhook_id,
        kind=JobKind.REPLAY,
        since=START,
        until=NOW,
        event_types=None,
        per_second=50,
        status=JobStatus.QUEUED,
        reason=None,
        total=None,
        sent=0,
        skipped=0,
        page=(),
        page_batch=1,
        cursor=str(START),
        turn=0,
        version=1,
        created_at=NOW,
        updated_at=NOW,
        finished_at=None,
    )
    return replace(job, **members)  # type: ignore[arg-type]


def advanced(job: Job, **members: object) -> Job:
    return replace(job, version=job.version + 1, updated_at=job.updated_at + 1, **members)  # type: ignore[arg-type]


def test_a_job_is_found_as_it_was_added_and_advanced(
    kept: Kept, account_id: AccountId, webhook_id: WebhookId
) -> None:
    job = a_job(account_id, webhook_id, event_types=("points.earned",))
    kept.jobs.add(job)
    assert kept.jobs.find(account_id, job.id) == job

    page = (JobItem("order:1", 0), JobItem("dlv_1", 7))
    further = advanced(
        job,
        status=JobStatus.RUNNING,
        total=9,
        sent=3,
        page=page,
        page_batch=4,
        page_batch_bytes=5_000,
        turn=2,
        cursor="x",
    )
    assert kept.jobs.advance(job, further) == further
    assert kept.jobs.find(account_id, job.id) == further

    ended = advanced(
        further,
        status=JobStatus.FAILED,
        reason=JobReason.PAUSED,
        skipped=1,
        page=(),
        cursor=None,
        finished_at=NOW + 5,
    )
    assert kept.jobs.advance(further, ended) == ended
    assert kept.jobs.find(account_id, job.id) == ended


def test_a_job_is_its_own_accounts_only(
    kept: Kept, account_id: AccountId, webhook_id: WebhookId
) -> None:
    job = a_job(account_id, webhook_id)
    kept.jobs.add(job)
    other = new_account_id()

    assert kept.jobs.find(other, job.id) is None
    assert kept.jobs.cancel(other, job.id, NOW) is None
    for odd in ("", "job_", f"latest#{webhook_id}#replay", "job_" + "x" * 2_000, "job_\x00"):
        assert kept.jobs.find(account_id, JobId(odd)) is None
    assert kept.jobs.find(account_id, job.id) == job


def test_one_of_two_workers_advances(
    kept: Kept, account_id: AccountId, webhook_id: WebhookId
) -> None:
    job = a_job(account_id, webhook_id)
    kept.jobs.add(job)
    mine = advanced(job, sent=1)
    other = replace(advanced(job, sent=2), updated_at=NOW + 9)
    at_the_same_moment = advanced(job, sent=1, turn=1)

    assert kept.jobs.advance(job, mine) == mine
    assert kept.jobs.advance(job, other) is None
    assert kept.jobs.advance(job, at_the_same_moment) is None
    assert kept.jobs.find(account_id, job.id) == mine


def test_a_job_that_is_not_there_is_not_made_by_advancing_it(
    kept: Kept, account_id: AccountId, webhook_id: WebhookId
) -> None:
    job = a_job(account_id, webhook_id)

    assert kept.jobs.advance(job, advanced(job)) is None
    assert kept.jobs.cancel(account_id, job.id, NOW) is None
    assert kept.jobs.find(account_id, job.id) is None


def test_what_a_worker_stores_leaves_a_job_cancelled(
    kept: Kept, account_id: AccountId, webhook_id: WebhookId
) -> None:
    job = a_job(account_id, webhook_id)
    kept.jobs.add(job)

    cancelled = kept.jobs.cancel(account_id, job.id, NOW + 3)
    assert cancelled is not None
    assert (cancelled.status, cancelled.finished_at) == (JobStatus.CANCELLED, NOW + 3)
    assert kept.jobs.cancel(account_id, job.id, NOW + 4) is None

    done = advanced(job, status=JobStatus.DONE, sent=5, finished_at=NOW + 9)
    stored = kept.jobs.advance(job, done)
    assert stored is not None
    assert (stored.status, stored.sent, stored.finished_at) == (JobStatus.CANCELLED, 5, NOW + 3)


def test_a_job_that_has_ended_cannot_be_cancelled(
    kept: Kept, account_id: AccountId, webhook_id: WebhookId
) -> None:
    job = a_job(account_id, webhook_id)
    kept.jobs.add(job)
    done = advanced(job, status=JobStatus.DONE, finished_at=NOW)
    kept.jobs.advance(job, done)

    assert kept.jobs.cancel(account_id, job.id, NOW) is None
    assert kept.jobs.find(account_id, job.id) == done


def test_of_many_at_once_one_is_added(
    kept: Kept, account_id: AccountId, webhook_id: WebhookId
) -> None:
    def adds(job: Job) -> str:
        try:
            kept.jobs.add(job)
        except JobRunning as running:
            return str(running)
        return job.id

    jobs = [a_job(account_id, webhook_id) for _ in range(6)]
    with ThreadPoolExecutor(6) as executor:
        (added,) = set(executor.map(adds, jobs))

    kept.jobs.add(a_job(account_id, webhook_id, kind=JobKind.RETRY_FAILED))
    kept.jobs.add(a_job(account_id, new_webhook_id()))
    kept.jobs.cancel(account_id, JobId(added), NOW)
    kept.jobs.add(a_job(account_id, webhook_id))


def test_jobs_are_listed_newest_first_a_page_at_a_time(
    kept: Kept, account_id: AccountId, webhook_id: WebhookId
) -> None:
    jobs = [
        a_job(account_id, new_webhook_id(), id=new_job_id(NOW + n * 1_000), kind=kind)
        for n, kind in enumerate([*JobKind] * 2)
    ]
    for job in [*jobs, a_job(new_account_id(), webhook_id)]:
        kept.jobs.add(job)
    cancelled = kept.jobs.cancel(account_id, jobs[3].id, NOW)

    first = kept.jobs.page(account_id, 3, None)
    second = kept.jobs.page(account_id, 3, first.next_cursor)

    assert first.items == [cancelled, jobs[2], jobs[1]]
    assert (second.items, second.next_cursor) == ([jobs[0]], None)
    with pytest.raises(Problem):
        kept.jobs.page(account_id, 3, "../..")


def failed(account_id: AccountId, webhook_id: WebhookId, accepted_at: int) -> Delivery:
    webhook = a_webhook(id=webhook_id, account_id=account_id)
    message = a_delivery_message(webhook, an_event(accepted_at=accepted_at))
    return a_delivery(message, status=DeliveryStatus.FAILED)


def test_unsettled_deliveries_come_oldest_first_within_their_ends(
    kept: Kept, account_id: AccountId, webhook_id: WebhookId
) -> None:
    entries = [failed(account_id, webhook_id, START + place * 1_000) for place in range(6)]
    retrying = replace(entries[2], status=DeliveryStatus.RETRYING, due_at=NOW)
    succeeded = replace(entries[3], status=DeliveryStatus.SUCCEEDED)
    others = [
        failed(account_id, new_webhook_id(), START),
        failed(new_account_id(), webhook_id, START),
    ]
    kept.log.add([*entries[:2], retrying, succeeded, *entries[4:], *others])
    ids = [entry.id for entry in entries if entry is not entries[3]]

    def unsettled(after: str = "", before: str = "~", limit: int = 10) -> list[str]:
        return list(
            kept.reader.unsettled(account_id, webhook_id, after=after, before=before, limit=limit)
        )

    places = [one.rpartition("_")[2] for one in ids]
    assert unsettled("0") == ids
    assert unsettled("0", limit=2) == ids[:2]
    assert unsettled(places[1]) == ids[2:]
    assert unsettled(places[0], before=places[3]) == ids[1:3]
    assert unsettled(places[0], before=places[3], limit=1) == ids[1:2]


def headings_of(kept: Kept, account_id: AccountId, since: int, until: int) -> Iterator[str]:
    """All of an hour, two at a time."""
    after: str | None = None
    while True:
        headings, more = kept.index.of_hour(account_id, since, until, after, 2)
        for heading in headings:
            yield heading.id
            since, after = heading.accepted_at, heading.id
        if not more:
            return


def test_headings_of_an_hour_come_page_by_page_each_once(kept: Kept, account_id: AccountId) -> None:
    moments = [START, START + 1, *[START + 2] * 5, START + HOUR - 1, START + HOUR]
    events = [
        an_event(accepted_at=moment, program_id="gold" if place % 2 else None)
        for place, moment in enumerate(moments)
    ]
    kept.events.keep(
        [RoutedEvent(account_id=account_id, event=event, deliveries={}) for event in events]
    )
    ids = [event.id for event in events]

    found = list(headings_of(kept, account_id, START, NOW + HOUR))
    assert sorted(found) == sorted(ids[:8])
    assert found[:2] == ids[:2]
    assert list(headings_of(kept, account_id, START + HOUR, START + 2 * HOUR)) == ids[8:]
    assert list(headings_of(kept, account_id, START + 1, START + 2)) == ids[1:2]
    assert list(headings_of(kept, new_account_id(), START, NOW + HOUR)) == []
    (first, second), more = kept.index.of_hour(account_id, START, NOW + HOUR, None, 2)
    assert more
    assert (first.type, first.program_id, first.accepted_at) == ("points.earned", None, START)
    assert second.program_id == "gold"


def test_a_month_is_counted_whole_by_many_threads(
    kept: Kept, account_id: AccountId, webhook_id: WebhookId
) -> None:
    month = START - 30 * 24 * HOUR
    moments = [month, month + HOUR - 1, START - HOUR, *[START - 9 * HOUR + n for n in range(510)]]
    events = [an_event(accepted_at=moment) for moment in moments]
    for start in range(0, len(events), 100):
        kept.events.keep(
            [
                RoutedEvent(account_id=account_id, event=event, deliveries={})
                for event in events[start : start + 100]
            ]
        )
    job = a_job(account_id, webhook_id, since=month + 1, until=START)
    webhook = a_webhook(id=webhook_id, account_id=account_id)

    assert count(EventSelection(kept.index), job, webhook, lambda: START) == (len(events) - 1, True)
