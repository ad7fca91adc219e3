"""Selecting: what a job would send, found a bounded step at a time, in the order of its time.

A cursor is where the next step begins, text that only the selection of its kind reads; None is the
end. What a step finds is no promise: the sender looks at each delivery and event again.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from perkwire.formats.registry import format_of
from perkwire.jobs.job import Job, JobItem
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.event import MAX_EVENTS, EventHeading
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId, time_prefix
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS

_HOUR = HOUR_SECONDS * MICROSECONDS
_MOST_READ = 500  # keys or headings of one query
_MOST_QUERIES = 50  # of one step, which may have found nothing by then
_COUNT_SECONDS = 8
_SIDE_BY_SIDE = 8  # queries of a count; AWS's client keeps ten connections


@dataclass(frozen=True, slots=True)
class SelectionPage:
    """Some of what a job would send, and where the rest of it begins."""

    items: tuple[JobItem, ...]
    cursor: str | None


class Selection(Protocol):
    """What jobs of one kind would send."""

    def start(self, job: Job) -> str | None:
        """The cursor of the beginning."""
        ...

    def page_length(self, job: Job, webhook: Webhook) -> int:
        """How many items a page has at most: few enough for the job's rate."""
        ...

    def step(self, job: Job, webhook: Webhook, cursor: str, most: int) -> SelectionPage:
        """Up to `most` items from the cursor on; raises Unavailable."""
        ...

    def count(self, job: Job, webhook: Webhook, may_go_on: Callable[[], bool]) -> tuple[int, bool]:
        """How many items there are, and whether that is all of them; raises Unavailable.

        `may_go_on` is asked before each query, by many threads.
        """
        ...


class FailedDeliveries(Protocol):
    """The log, by what has not settled."""

    def unsettled(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> Sequence[DeliveryId]:
        """Up to `limit` that have failed or are being retried, oldest first; raises Unavailable.

        Fewer than `limit` are all there are.
        """
        ...

    def oldest(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> Sequence[Delivery]:
        """Up to `limit` entries of any status, oldest first, as `unsettled`; raises Unavailable."""
        ...

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        """The entries that exist, read consistently; raises Unavailable."""
        ...


class EventsByTime(Protocol):
    """The kept events, by their time of acceptance."""

    def of_hour(
        self, account_id: AccountId, since: int, until: int, after: str | None, limit: int
    ) -> tuple[Sequence[EventHeading], bool]:
        """Up to `limit` from `since` to before `until` within the hour of `since`, oldest first.

        `after` is the id of an event accepted at `since`, to begin behind it. The flag says that
        there may be more in this hour. Raises Unavailable.
        """
        ...


class FailedSelection:
    """A webhook's deliveries that count as failed, by when their first event was accepted.

    The cancelled ones too, if the job is for them: no index has those, so all are read.

    `retry_interval_seconds` tells when one is overdue and counts as failed too.
    """

    def __init__(
        self, deliveries: FailedDeliveries, *, retry_interval_seconds: int, clock: Callable[[], int]
    ) -> None:
        self._deliveries = deliveries
        self._retry_interval_seconds = retry_interval_seconds
        self._clock = clock

    def start(self, job: Job) -> str | None:
        """The cursor of the beginning."""
        return time_prefix(job.since) if job.since < job.until else None

    def page_length(self, job: Job, webhook: Webhook) -> int:
        """As many deliveries as a second may have, and as events may be held at once."""
        return min(job.per_second, max(1, MAX_EVENTS // webhook.batch_size))

    def step(self, job: Job, _webhook: Webhook, cursor: str, most: int) -> SelectionPage:
        """Up to `most` failed deliveries; raises Unavailable. One query and its batch reads."""
        if job.with_cancelled:
            return self._step_through_all(job, cursor, most)
        ids = self._deliveries.unsettled(
            job.account_id,
            job.webhook_id,
            after=cursor,
            before=time_prefix(job.until),
            limit=_MOST_READ,
        )
        items: list[JobItem] = []
        for start in range(0, len(ids), most):
            some = ids[start : start + most]
            found = self._deliveries.find({(job.account_id, one) for one in some})
            for one in some:
                if one in found and is_for(job, found[one], self._clock(), self._interval):
                    items.append(JobItem(one, found[one].run + 1))
                    if len(items) == most:
                        return SelectionPage(tuple(items), _position(one))
        return SelectionPage(tuple(items), _position(ids[-1]) if len(ids) == _MOST_READ else None)

    def _step_through_all(self, job: Job, cursor: str, most: int) -> SelectionPage:
        entries = self._deliveries.oldest(
            job.account_id,
            job.webhook_id,
            after=cursor,
            before=time_prefix(job.until),
            limit=_MOST_READ,
        )
        items: list[JobItem] = []
        for entry in entries:
            if is_for(job, entry, self._clock(), self._interval):
                items.append(JobItem(entry.id, entry.run + 1))
                if len(items) == most:
                    return SelectionPage(tuple(items), _position(entry.id))
        is_last = len(entries) < _MOST_READ
        return SelectionPage(tuple(items), None if is_last else _position(entries[-1].id))

    def count(self, job: Job, webhook: Webhook, may_go_on: Callable[[], bool]) -> tuple[int, bool]:
        """How many failed deliveries, and whether that is all; raises Unavailable."""
        counted = 0
        cursor = self.start(job)
        while cursor is not None:
            if not may_go_on():
                return counted, False
            step = self.step(job, webhook, cursor, _MOST_READ)
            counted += len(step.items)
            cursor = step.cursor
        return counted, True

    @property
    def _interval(self) -> int:
        return self._retry_interval_seconds


class EventSelection:
    """An account's events that a webhook wants now and its format knows."""

    def __init__(self, events: EventsByTime) -> None:
        self._events = events

    def start(self, job: Job) -> str | None:
        """The cursor of the beginning."""
        return str(job.since) if job.since < job.until else None

    def page_length(self, job: Job, webhook: Webhook) -> int:
        """Whole batches, as many as a second may have, and as events may be held at once."""
        batches = min(job.per_second, max(1, MAX_EVENTS // webhook.batch_size))
        return batches * webhook.batch_size

    def step(self, job: Job, webhook: Webhook, cursor: str, most: int) -> SelectionPage:
        """Up to `most` events; raises Unavailable. At most _MOST_QUERIES queries."""
        items: list[JobItem] = []
        for heading, reached in self._headings(job, cursor):
            cursor = reached
            if heading is not None and _is_wanted(heading, job, webhook):
                items.append(JobItem(heading.id, 0))
                if len(items) == most:
                    break
        moment = int(cursor.partition(":")[0])
        return SelectionPage(tuple(items), cursor if moment < job.until else None)

    def count(self, job: Job, webhook: Webhook, may_go_on: Callable[[], bool]) -> tuple[int, bool]:
        """How many events, and whether that is all; raises Unavailable.

        Each hour takes a query, so hours are counted side by side.
        """
        beginnings = [job.since, *range(job.since - job.since % _HOUR + _HOUR, job.until, _HOUR)]
        executor = ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="count")
        try:
            hours = [
                *executor.map(
                    lambda since: self._count_hour(job, webhook, since, may_go_on), beginnings
                )
            ]
        finally:
            executor.shutdown(cancel_futures=True)
        return sum(counted for counted, _ in hours), all(is_all for _, is_all in hours)

    def _count_hour(
        self, job: Job, webhook: Webhook, since: int, may_go_on: Callable[[], bool]
    ) -> tuple[int, bool]:
        counted = 0
        after = None
        while may_go_on():
            headings, more = self._events.of_hour(
                job.account_id, since, job.until, after, _MOST_READ
            )
            counted += sum(_is_wanted(heading, job, webhook) for heading in headings)
            if not more:
                return counted, True
            since, after = headings[-1].accepted_at, headings[-1].id
        return counted, False

    def _headings(self, job: Job, cursor: str) -> Iterator[tuple[EventHeading | None, str]]:
        """Each heading with the cursor behind it; None for an hour's end."""
        place, _, after = cursor.partition(":")
        moment = int(place)
        for _ in range(_MOST_QUERIES):
            if moment >= job.until:
                return
            headings, more = self._events.of_hour(
                job.account_id, moment, job.until, after or None, _MOST_READ
            )
            for heading in headings:
                moment, after = heading.accepted_at, heading.id
                yield heading, f"{moment}:{after}"
            if not more:
                moment, after = moment - moment % _HOUR + _HOUR, ""
                yield None, str(moment)


def is_for(job: Job, entry: Delivery, now: int, retry_interval_seconds: int) -> bool:
    """Whether the job sends it: one that a person may take for failed, as if overdue, or cancelled.

    What went out in parts is sent again by those.
    """
    status = entry.standing(now, retry_interval_seconds)[0]
    if status is DeliveryStatus.CANCELLED:
        return job.with_cancelled and not entry.parts
    return status is DeliveryStatus.FAILED


def count(
    selection: Selection, job: Job, webhook: Webhook, clock: Callable[[], int]
) -> tuple[int, bool]:
    """How many items the job would send, and whether that is all of them.

    Stops after some seconds, and may take one query longer; raises Unavailable.
    """
    if job.since >= job.until:
        return 0, True
    deadline = clock() + _COUNT_SECONDS * MICROSECONDS
    return selection.count(job, webhook, lambda: clock() <= deadline)


def _is_wanted(heading: EventHeading, job: Job, webhook: Webhook) -> bool:
    if not webhook.wants(heading) or not format_of(webhook).name_of(heading.type):
        return False
    return job.event_types is None or heading.type in job.event_types


def _position(delivery_id: DeliveryId) -> str:
    return delivery_id.rpartition("_")[2]
