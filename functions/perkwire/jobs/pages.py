"""Sending a page of a job. Sent twice, after a crash, it repeats the same deliveries."""

from collections.abc import Callable, Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from perkwire.jobs.job import Job
from perkwire.jobs.selecting import is_for
from perkwire.model.delivery import Delivery
from perkwire.model.event_pattern import stored_pattern
from perkwire.model.hand_over import Addressed, HandOver
from perkwire.model.messages import DeliveryMessage, EventEncoder, chunks
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId, delivery_id
from perkwire.primitives.journal import Unavailable
from perkwire.recovering.retrying import RetryResult


@dataclass(frozen=True, slots=True)
class PageResult:
    """What became of a page: items sent, items skipped, and deliveries handed to SQS."""

    sent: int
    skipped: int
    deliveries: int


class Deliveries(Protocol):
    """The log."""

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        """The entries that exist, read consistently; raises Unavailable."""
        ...


class Retrying(Protocol):
    """What sends the next run of deliveries."""

    def send(
        self, entries: Sequence[Delivery], webhooks: Mapping[WebhookId, Webhook]
    ) -> Mapping[DeliveryId, RetryResult]:
        """Send the next run of each entry; raises Unavailable."""
        ...


class Events(Protocol):
    """The kept events."""

    def find_all(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[EventId, RoutedEvent]:
        """Those of the events that are still kept; raises Unavailable."""
        ...


class RetryPages:
    """Pages of deliveries that had failed, or been cancelled.

    One whose next run is noted has been sent, be it by the first go at this page; one that no
    longer counts as failed, or whose events are no longer kept, is skipped.
    """

    def __init__(
        self,
        *,
        deliveries: Deliveries,
        retrying: Retrying,
        retry_interval_seconds: int,
        clock: Callable[[], int],
    ) -> None:
        self._deliveries = deliveries
        self._retrying = retrying
        self._retry_interval_seconds = retry_interval_seconds
        self._clock = clock

    def send(self, job: Job, webhook: Webhook) -> PageResult:
        """Send the job's page; raises Unavailable unless SQS holds all of it."""
        found = self._deliveries.find({(job.account_id, DeliveryId(one.id)) for one in job.page})
        now = self._clock()
        noted = 0
        entries = []
        for item in job.page:
            entry = found.get(DeliveryId(item.id))
            if entry is not None and entry.run >= item.run:
                noted += 1
            elif entry is not None and is_for(job, entry, now, self._retry_interval_seconds):
                entries.append(entry)
        results = self._retrying.send(entries, {webhook.id: webhook})
        statuses = [result.status for result in results.values()]
        if HTTPStatus.SERVICE_UNAVAILABLE in statuses:
            raise Unavailable("SQS: deliveries not queued")
        deliveries = statuses.count(HTTPStatus.ACCEPTED)
        sent = noted + deliveries
        return PageResult(sent, len(job.page) - sent, deliveries)


class ReplayPages:
    """Pages of events, as deliveries of the job's own.

    An event that is gone or erased is skipped, and one that the filter keeps out.
    """

    def __init__(self, *, events: Events, hand_over: HandOver) -> None:
        self._events = events
        self._hand_over = hand_over

    def send(self, job: Job, webhook: Webhook) -> PageResult:
        """Send the job's page; raises Unavailable unless SQS holds all of it."""
        ids = [EventId(item.id) for item in job.page]
        kept = self._events.find_all({(job.account_id, one) for one in ids})
        events = [kept[one].event for one in ids if one in kept]
        if job.page_filter is not None:
            pattern = stored_pattern(job.page_filter)
            events = [event for event in events if pattern.matches(event)]
        # Erased ones count in the ids, which stay those of a page that has been sent before.
        encode = EventEncoder()
        messages = [
            DeliveryMessage(
                delivery_id=delivery_id(
                    job.webhook_id, [one.id for one in chunk], chunk[0].accepted_at, job.id
                ),
                account_id=job.account_id,
                webhook_id=job.webhook_id,
                run=0,
                events=tuple(event for event in chunk if event.erased_at is None),
            )
            for chunk in chunks(events, job.page_batch, job.page_batch_bytes, encode)
            if any(event.erased_at is None for event in chunk)
        ]
        sent = self._hand_over.send([Addressed(message, webhook) for message in messages], encode)
        if None in sent:
            raise Unavailable("SQS: deliveries not queued")
        went = sum(len(message.events) for message in messages)
        return PageResult(went, len(ids) - went, len(messages))
