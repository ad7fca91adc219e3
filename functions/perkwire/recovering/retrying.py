"""Retrying: a person sends failed or cancelled deliveries again, as a new run of each.

The message goes first and the log entry after it: a crash between the two repeats a delivery under
the same id, and loses none. An older run's message that is redriven later sends nothing.

One that has succeeded is sent again only if that is asked for, and its log entry goes first: what
the log has as succeeded is never sent. A crash between the two leaves it overdue, and so retryable.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.event import MAX_EVENTS, Event
from perkwire.model.hand_over import Addressed, HandOver
from perkwire.model.messages import DeliveryMessage, chunks
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import (
    AccountId,
    DeliveryId,
    EventId,
    WebhookId,
    delivery_id,
    webhook_of,
)
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS

MOST_IDS = 100
HAS_SUCCEEDED = (
    'The delivery is succeeded; to send it again all the same, ask with `"resend": true`.'
)
HAS_BEEN_PULLED = 'The delivery has been pulled; to have it wait again, ask with `"resend": true`.'
_RETRYABLE = (DeliveryStatus.FAILED, DeliveryStatus.CANCELLED)
_ARRIVED = (DeliveryStatus.SUCCEEDED, DeliveryStatus.PULLED)
_ALSO_SUCCEEDED = (*_RETRYABLE, *_ARRIVED)


class Deliveries(Protocol):
    """The log."""

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        """The entries that exist, read consistently; raises Unavailable."""
        ...

    def hand_over(self, entry: Delivery, now: int, due_at: int) -> None:
        """Note that the entry's next run is with SQS, unless that run is noted; never raises."""
        ...

    def reopen(self, entry: Delivery, now: int, due_at: int) -> bool:
        """Note that a delivery that has succeeded is to be sent again; raises Unavailable.

        False: it is no longer as it was read.
        """
        ...

    def close(self, entry: Delivery, now: int) -> None:
        """Take that back, unless its next run is noted; never raises."""
        ...

    def split(self, entry: Delivery, parts: Sequence[DeliveryId], now: int) -> None:
        """Note that the entry's events are with SQS in parts, as `hand_over` does."""
        ...


class Events(Protocol):
    """The kept events."""

    def find_all(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[EventId, RoutedEvent]:
        """Those of the events that are still kept; raises Unavailable."""
        ...


class AccountWebhooks(Protocol):
    """The webhooks that deliveries are for."""

    def of_account(self, account_id: AccountId) -> Sequence[Webhook] | None:
        """All webhooks of an account; raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class RetryResult:
    """What became of one id: 202 if it is with SQS, else why not.

    `sent_as` are the deliveries of another webhook that its events went out in.
    """

    delivery_id: DeliveryId
    status: HTTPStatus
    detail: str | None = None
    sent_as: tuple[DeliveryId, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The result as the API answers it."""
        shown: dict[str, Json] = {"id": self.delivery_id, "status": self.status}
        if self.sent_as:
            shown["sent_as"] = [*self.sent_as]
        return shown if self.detail is None else shown | {"detail": self.detail}


@dataclass(frozen=True, slots=True)
class RetryRequest:
    """Which deliveries to send again; also those that succeeded; or to which other webhook."""

    ids: tuple[DeliveryId, ...]
    resend: bool = False
    webhook_id: WebhookId | None = None


def parse_retry(value: dict[str, Json]) -> RetryRequest:
    """Read POST /v1/deliveries/retry; raises the 422 problem."""
    fields = Fields(value)
    ids = fields.required_texts("ids", most=MOST_IDS, repeatable=True)
    resend = fields.flag("resend")
    webhook_id = fields.text("webhook_id")
    fields.raise_if_wrong()
    return RetryRequest(
        tuple(DeliveryId(one) for one in ids),
        bool(resend),
        None if webhook_id is None else WebhookId(webhook_id),
    )


def parse_ids(value: dict[str, Json]) -> tuple[DeliveryId, ...]:
    """The ids of such a request; raises the 422 problem."""
    return parse_retry(value).ids


class Retrying:
    """Retries of one account's deliveries. `clock` gives microseconds since the epoch."""

    def __init__(
        self,
        *,
        deliveries: Deliveries,
        events: Events,
        webhooks: AccountWebhooks,
        hand_over: HandOver,
        retry_interval_seconds: int,
        clock: Callable[[], int],
    ) -> None:
        self._deliveries = deliveries
        self._events = events
        self._webhooks = webhooks
        self._hand_over = hand_over
        self._retry_interval_seconds = retry_interval_seconds
        self._clock = clock

    def retry(
        self, account_id: AccountId, ids: Sequence[DeliveryId], *, resend: bool = False
    ) -> list[RetryResult]:
        """Send each that may be sent again; a result for each, in their order.

        409 for one that has succeeded, unless `resend`, is still retrying, or whose webhook is not
        enabled; 404 for one that is not in the account's log. Raises Unavailable; a repeat is then
        harmless.
        """
        known = [one for one in ids if webhook_of(one) is not None]
        entries = self._deliveries.find({(account_id, one) for one in known})
        webhooks = self._webhooks_of(account_id)
        results = {
            one: self._refusal(one, entries.get(one), webhooks, resend=resend) for one in ids
        }
        retryable = [entries[one] for one, refusal in results.items() if refusal is None]
        sent = self.send(retryable, webhooks)
        return [refusal or sent[one] for one, refusal in results.items()]

    def refusal(self, entry: Delivery, *, resend: bool = False) -> RetryResult | None:
        """Why `retry` would not send this entry again now; None if it would. Raises Unavailable.

        Whether its events are still kept is not looked at.
        """
        webhooks = self._webhooks_of(entry.account_id)
        return self._refusal(entry.id, entry, webhooks, resend=resend)

    def refusals(
        self, account_id: AccountId, entries: Collection[Delivery]
    ) -> dict[DeliveryId, RetryResult | None]:
        """As `refusal`, of several entries of an account; raises Unavailable."""
        webhooks = self._webhooks_of(account_id) if entries else {}
        return {entry.id: self._refusal(entry.id, entry, webhooks) for entry in entries}

    def send(
        self, entries: Sequence[Delivery], webhooks: Mapping[WebhookId, Webhook]
    ) -> dict[DeliveryId, RetryResult]:
        """Send the next run of each entry, whatever its status, to webhooks as they are now.

        Raises Unavailable if events cannot be read; then later entries have not been sent.
        """
        results: dict[DeliveryId, RetryResult] = {}
        for group in _groups(entries):
            results |= self._send_group(group, webhooks)
        return results

    def _webhooks_of(self, account_id: AccountId) -> dict[WebhookId, Webhook]:
        return {webhook.id: webhook for webhook in self._webhooks.of_account(account_id) or ()}

    def _send_group(
        self, entries: Sequence[Delivery], webhooks: Mapping[WebhookId, Webhook]
    ) -> dict[DeliveryId, RetryResult]:
        kept = self._events.find_all(
            {(entry.account_id, one) for entry in entries for one in entry.event_ids}
        )
        results: dict[DeliveryId, RetryResult] = {}
        ready: list[tuple[Delivery, list[DeliveryMessage]]] = []
        for entry in entries:
            events = [
                kept[one].event
                for one in entry.event_ids
                if one in kept and entry.may_carry(kept[one].event)
            ]
            left = [
                event
                for event in events
                if event.erased_at is None and not entry.leaves_out(event.id)
            ]
            if events and not left:
                results[entry.id] = _erased(entry.id)
            elif len(events) < len(entry.event_ids):
                detail = "Its events are no longer kept."
                results[entry.id] = RetryResult(entry.id, HTTPStatus.CONFLICT, detail)
            elif refused := self._reopened(entry):
                results[entry.id] = refused
            else:
                ready.append((entry, _messages(entry, left, webhooks[entry.webhook_id])))
        go_out = iter(
            self._hand_over.send(
                [
                    Addressed(message, webhooks.get(entry.webhook_id))
                    for entry, messages in ready
                    for message in messages
                ]
            )
        )
        now = self._clock()
        for entry, messages in ready:
            held = [moment for _ in messages if (moment := next(go_out)) is not None]
            results[entry.id] = (
                self._noted(entry, messages, now, max(held), webhooks[entry.webhook_id])
                if len(held) == len(messages)
                else self._unqueued(entry)
            )
        return results

    def _reopened(self, entry: Delivery) -> RetryResult | None:
        """None once the log lets the entry be sent, as it does all but those that succeeded."""
        if entry.status is not DeliveryStatus.SUCCEEDED:
            return None
        now = self._clock()
        due_at = now + self._retry_interval_seconds * MICROSECONDS
        try:
            if self._deliveries.reopen(entry, now, due_at):
                return None
        except Unavailable:
            return _not_queued(entry)
        detail = "It has just been sent again."
        return RetryResult(entry.id, HTTPStatus.CONFLICT, detail)

    def _unqueued(self, entry: Delivery) -> RetryResult:
        if entry.status is DeliveryStatus.SUCCEEDED:
            self._deliveries.close(entry, self._clock())
        return _not_queued(entry)

    def _noted(
        self,
        entry: Delivery,
        messages: Sequence[DeliveryMessage],
        now: int,
        goes_out_at: int,
        webhook: Webhook,
    ) -> RetryResult:
        """Note in the log what SQS holds. It is not overdue while it waits for its slot.

        What waits to be pulled is in the log by now.
        """
        if webhook.is_pulled:
            return RetryResult(entry.id, HTTPStatus.ACCEPTED)
        if len(messages) == 1:
            due_at = max(now, goes_out_at) + self._retry_interval_seconds * MICROSECONDS
            self._deliveries.hand_over(entry, now, due_at)
            return RetryResult(entry.id, HTTPStatus.ACCEPTED)
        self._deliveries.split(entry, [message.delivery_id for message in messages], now)
        detail = f"It was too large, and goes out in {len(messages)} parts."
        return RetryResult(entry.id, HTTPStatus.ACCEPTED, detail)

    def _refusal(
        self,
        delivery_id: DeliveryId,
        entry: Delivery | None,
        webhooks: Mapping[WebhookId, Webhook],
        *,
        resend: bool = False,
    ) -> RetryResult | None:
        if entry is None:
            return RetryResult(delivery_id, HTTPStatus.NOT_FOUND, "There is no such delivery.")
        if entry.reason is Reason.ERASED:
            return _erased(delivery_id)
        if entry.parts:
            detail = "It went out in parts; they are sent again by their own ids."
            return RetryResult(delivery_id, HTTPStatus.CONFLICT, detail)
        status, _ = entry.standing(self._clock(), self._retry_interval_seconds)
        sent_again = _ALSO_SUCCEEDED if resend else _RETRYABLE
        if status not in sent_again:
            detail = f"The delivery is {status}."
            if status is DeliveryStatus.SUCCEEDED:
                detail = HAS_SUCCEEDED
            elif status is DeliveryStatus.PULLED:
                detail = HAS_BEEN_PULLED
            elif status is DeliveryStatus.WAITING:
                detail = "The delivery waits to be pulled."
            return RetryResult(delivery_id, HTTPStatus.CONFLICT, detail)
        webhook = webhooks.get(entry.webhook_id)
        # A tombstone does not stay for ever.
        webhook_status = WebhookStatus.DELETED if webhook is None else webhook.status
        if webhook_status is WebhookStatus.ENABLED:
            return None
        detail = f"Its webhook is {webhook_status}; enable it first."
        if webhook_status is WebhookStatus.DELETED:
            detail = "Its webhook is deleted and gets nothing any more."
        return RetryResult(delivery_id, HTTPStatus.CONFLICT, detail)


def _erased(delivery_id: DeliveryId) -> RetryResult:
    return RetryResult(delivery_id, HTTPStatus.CONFLICT, "Its events have been erased.")


def _groups(entries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """The entries in groups of few enough events to hold at once."""
    group: list[Delivery] = []
    events = 0
    for entry in entries:
        if group and events + len(entry.event_ids) > MAX_EVENTS:
            yield group
            group, events = [], 0
        group.append(entry)
        events += len(entry.event_ids)
    if group:
        yield group


def _messages(entry: Delivery, events: Sequence[Event], webhook: Webhook) -> list[DeliveryMessage]:
    """The entry's next run; or, of one that was too large, its parts as the webhook is now.

    A part is a delivery of its own, with an id that comes from the entry's and its events': sent
    twice, it is the same.
    """
    groups = [tuple(events)]
    if entry.was_too_large:
        groups = [*chunks(events, webhook.batch_size, webhook.batch_bytes)]
    is_whole = len(groups) == 1
    return [
        DeliveryMessage(
            delivery_id=entry.id if is_whole else _part_id(entry, group),
            account_id=entry.account_id,
            webhook_id=entry.webhook_id,
            run=entry.run + 1 if is_whole else 0,
            events=group,
        )
        for group in groups
    ]


def _part_id(entry: Delivery, events: Sequence[Event]) -> DeliveryId:
    ids = [event.id for event in events]
    return delivery_id(entry.webhook_id, ids, events[0].accepted_at, entry.id)


def _not_queued(entry: Delivery) -> RetryResult:
    detail = "It could not be queued; try again."
    return RetryResult(entry.id, HTTPStatus.SERVICE_UNAVAILABLE, detail)
