"""Sending on: the events of a delivery to another webhook of the account, as it would get them.

As new deliveries, whose ids derive from webhook, events and the delivery they are of: sent on
twice, they are the same. The webhook gets no event that it does not want.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from perkwire.formats.registry import format_of
from perkwire.model.delivery import Delivery
from perkwire.model.event import Event
from perkwire.model.hand_over import Addressed, HandOver
from perkwire.model.messages import DeliveryMessage, EventEncoder, chunks
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.ids import (
    AccountId,
    DeliveryId,
    EventId,
    WebhookId,
    delivery_id,
    webhook_of,
)
from perkwire.primitives.problem import FieldError, invalid
from perkwire.recovering.retrying import RetryResult


class Deliveries(Protocol):
    """The log."""

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        """The entries that exist, read consistently; raises Unavailable."""
        ...


class Events(Protocol):
    """The kept events."""

    def find_all(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[EventId, RoutedEvent]:
        """Those of the events that are still kept; raises Unavailable."""
        ...


class AccountWebhooks(Protocol):
    """The webhooks that there are."""

    def of_account(self, account_id: AccountId) -> Sequence[Webhook] | None:
        """All webhooks of an account; raises Unavailable."""
        ...


class SendingOn:
    """Of one account's deliveries."""

    def __init__(
        self,
        *,
        deliveries: Deliveries,
        events: Events,
        webhooks: AccountWebhooks,
        hand_over: HandOver,
        clock: Callable[[], int],
    ) -> None:
        self._deliveries = deliveries
        self._events = events
        self._webhooks = webhooks
        self._hand_over = hand_over
        self._clock = clock

    def send(
        self, account_id: AccountId, ids: Sequence[DeliveryId], webhook_id: WebhookId
    ) -> list[RetryResult]:
        """Send the events of each to the webhook; a result for each, in their order.

        409 if the webhook is not enabled, is the delivery's own, or wants none of its events, or
        if these are no longer kept; 404 for one that is not in the account's log. Raises Problem
        for no webhook of the account, and Unavailable; a repeat is then harmless.
        """
        own = {one.id: one for one in self._webhooks.of_account(account_id) or ()}
        webhook = own.get(webhook_id)
        if webhook is None or webhook.status is WebhookStatus.DELETED:
            raise invalid([FieldError("webhook_id", "is no webhook of this account")])
        known = [one for one in ids if webhook_of(one) is not None]
        entries = self._deliveries.find({(account_id, one) for one in known})
        return [self._send(one, entries.get(one), webhook) for one in ids]

    def recipients(self, entry: Delivery) -> list[Webhook]:
        """The webhooks to offer: those that `send` would send some of its events to.

        But none that has ended: nobody listens any more. Raises Unavailable.
        """
        now = self._clock()
        webhooks = [
            one
            for one in self._webhooks.of_account(entry.account_id) or ()
            if one.status is WebhookStatus.ENABLED
            and one.id != entry.webhook_id
            and not one.has_ended(now)
        ]
        events = self._events_of(entry) if webhooks else []
        return [one for one in webhooks if any(wants(one, event) for event in events)]

    def _events_of(self, entry: Delivery) -> list[Event]:
        kept = self._events.find_all({(entry.account_id, one) for one in entry.event_ids})
        found = [
            kept[one].event for one in entry.event_ids if one in kept and not entry.leaves_out(one)
        ]
        return [one for one in found if one.erased_at is None and entry.may_carry(one)]

    def _send(
        self, delivery_id_: DeliveryId, entry: Delivery | None, webhook: Webhook
    ) -> RetryResult:
        if entry is None:
            return RetryResult(delivery_id_, HTTPStatus.NOT_FOUND, "There is no such delivery.")
        if webhook.status is not WebhookStatus.ENABLED:
            return _refused(entry, f"The webhook is {webhook.status}; enable it first.")
        if entry.webhook_id == webhook.id:
            return _refused(entry, "It is this webhook's own; send it again instead.")
        events = self._events_of(entry)
        if not events:
            return _refused(entry, "Its events are no longer kept, or erased.")
        wanted = [event for event in events if wants(webhook, event)]
        if not wanted:
            return _refused(
                entry, "The webhook wants none of its events, by type, programme, filter or format."
            )
        encode = EventEncoder()
        messages = [
            DeliveryMessage(
                delivery_id=delivery_id(
                    webhook.id, [one.id for one in chunk], chunk[0].accepted_at, entry.id
                ),
                account_id=entry.account_id,
                webhook_id=webhook.id,
                run=0,
                events=chunk,
            )
            for chunk in chunks(wanted, webhook.batch_size, webhook.batch_bytes, encode)
        ]
        if None in self._hand_over.send([Addressed(one, webhook) for one in messages], encode):
            return RetryResult(
                entry.id, HTTPStatus.SERVICE_UNAVAILABLE, "It could not be queued; try again."
            )
        left_out = len(entry.event_ids) - len(wanted)
        detail = f"{left_out} of its events are left out: not wanted, not kept, or erased."
        return RetryResult(
            entry.id,
            HTTPStatus.ACCEPTED,
            detail if left_out else None,
            sent_as=tuple(message.delivery_id for message in messages),
        )


def wants(webhook: Webhook, event: Event) -> bool:
    """Whether the webhook gets such an event: by type, programme, filter and its format's words."""
    return (
        webhook.wants(event)
        and format_of(webhook).name_of(event.type) is not None
        and webhook.lets_through(event)
    )


def _refused(entry: Delivery, detail: str) -> RetryResult:
    return RetryResult(entry.id, HTTPStatus.CONFLICT, detail)
