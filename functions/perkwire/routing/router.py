"""Routing: one event message becomes the deliveries of its account's webhooks.

Only the events of one message are ever batched together, and ids are derived, so that a message
that comes twice becomes the same deliveries twice, whose second copies send nothing. What waits in
PacingQueue for its slot comes by here too, and is handed on.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from perkwire.formats.registry import format_of
from perkwire.model.account import Account
from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.erasures import without_data
from perkwire.model.event import Event
from perkwire.model.hand_over import Addressed, HandOver
from perkwire.model.members import MemberIndex
from perkwire.model.messages import (
    DeliveryMessage,
    EventEncoder,
    EventMessage,
    PacedDelivery,
    Received,
    UnreadableMessage,
    chunks,
    read_router_message,
)
from perkwire.model.routed_event import ERASED, FILTERED, NOT_IN_FORMAT, RoutedEvent
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId, delivery_id
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.routing.account_webhooks import AccountWebhooks, LanesNow


class Events(Protocol):
    """Where accepted events are kept."""

    def keep(self, events: Sequence[RoutedEvent]) -> list[bool]:
        """Whether each of them is stored now, in their order. Never raises for a failed write.

        An event may come twice, also in one call: all that it became is kept, but for what two
        routings of one message make of it at the very same time. One of another body than the
        event that is kept under its id is not stored. Member keys that cannot be stored are a
        fault, and nothing waits for them.
        """
        ...


class PausedDeliveries(Protocol):
    """The log, for deliveries that are not sent because their webhook is paused."""

    def add(self, deliveries: Sequence[Delivery]) -> None:
        """Store those that are not in the log yet; raises Unavailable."""
        ...


class _Plan:
    """What one event message becomes."""

    def __init__(self, received: Received, message: EventMessage) -> None:
        self.received = received
        self.message = message
        self.events: list[RoutedEvent] = []
        self.deliveries: list[Addressed] = []
        self.paused: list[Delivery] = []


class Router:
    """The router's work on the messages of one invocation."""

    def __init__(
        self,
        *,
        webhooks: AccountWebhooks,
        events: Events,
        paused: PausedDeliveries,
        hand_over: HandOver,
        journal: Journal,
        member_index: MemberIndex,
        clock: Callable[[], int],
    ) -> None:
        self._webhooks = webhooks
        self._member_index = member_index
        self._events = events
        self._paused = paused
        self._hand_over = hand_over
        self._journal = journal
        self._clock = clock

    def route(
        self, received: Sequence[Received], may_go_on: Callable[[], bool] = lambda: True
    ) -> list[str]:
        """Route each message by itself; the ids of those to be left for SQS.

        `may_go_on` says whether the invocation has time for some more calls; what it has no time
        for is left.

        A message is done only if its events are kept and all its deliveries are held by SQS or,
        for paused webhooks, by the log. Events are kept before their deliveries are sent.
        """
        encode = EventEncoder()
        read = self._readable(received)
        done = self._hand_on(
            [(one, paced) for one, paced in read if isinstance(paced, PacedDelivery)], may_go_on
        )
        events = [(one, message) for one, message in read if isinstance(message, EventMessage)]
        kept = self._keep(self._plans(events, encode))
        done |= {plan.received.message_id for plan in self._send(kept, encode, may_go_on)}
        return [message.message_id for message in received if message.message_id not in done]

    def _readable(
        self, received: Sequence[Received]
    ) -> list[tuple[Received, EventMessage | PacedDelivery]]:
        read = []
        for record in received:
            try:
                read.append((record, read_router_message(record.body)))
            except UnreadableMessage as error:
                self._journal.fault(
                    "message_unreadable", message_id=record.message_id, detail=str(error)
                )
            except Exception as error:  # one message must not take its batch with it
                self._journal.fault(
                    "message_unroutable",
                    message_id=record.message_id,
                    detail=type(error).__name__,
                )
        return read

    def _hand_on(
        self, waiting: Sequence[tuple[Received, PacedDelivery]], may_go_on: Callable[[], bool]
    ) -> set[str]:
        """The ids of the messages whose deliveries SQS holds anew."""
        lanes = LanesNow(self._webhooks, self._journal)
        held = self._hand_over.hand_on([paced for _, paced in waiting], lanes.of, may_go_on)
        done = set()
        for (record, paced), is_held in zip(waiting, held, strict=True):
            if is_held:
                done.add(record.message_id)
            else:
                self._journal.fault(
                    "delivery_not_handed_on",
                    account_id=paced.message.account_id,
                    webhook_id=paced.message.webhook_id,
                    delivery_id=paced.message.delivery_id,
                    message_id=record.message_id,
                )
        return done

    def _plans(
        self, received: Sequence[tuple[Received, EventMessage]], encode: EventEncoder
    ) -> list[_Plan]:
        found: dict[AccountId, tuple[Account, Sequence[Webhook]] | None] = {}
        plans = []
        for record, message in received:
            try:
                if message.account_id not in found:
                    found[message.account_id] = self._webhooks.account_with_webhooks(
                        message.account_id
                    )
            except Exception as error:  # one message must not take its batch with it
                self._journal.fault(
                    "routing_unavailable",
                    message_id=record.message_id,
                    detail=str(error) if isinstance(error, Unavailable) else type(error).__name__,
                )
                continue
            routed_by = found[message.account_id]
            if routed_by is None:
                self._journal.fault(
                    "account_absent",
                    message_id=record.message_id,
                    account_id=message.account_id,
                )
                continue
            try:
                plans.append(self._plan(record, message, *routed_by, encode))
            except Exception as error:  # one message must not take its batch with it
                self._journal.fault(
                    "message_unroutable",
                    message_id=record.message_id,
                    account_id=message.account_id,
                    detail=type(error).__name__,
                )
        return plans

    def _plan(
        self,
        record: Received,
        message: EventMessage,
        account: Account,
        webhooks: Sequence[Webhook],
        encode: EventEncoder,
    ) -> _Plan:
        plan = _Plan(record, message)
        erased = account.erasures.covered(message.events)
        became: dict[EventId, dict[WebhookId, DeliveryId | str]] = {
            event.id: {} for event in message.events
        }
        for webhook in webhooks:
            if message.webhook_ids is not None and webhook.id not in message.webhook_ids:
                continue
            wanted = [event for event in message.events if is_routed(event, webhook)]
            name_of = format_of(webhook).name_of
            sent: list[Event] = []
            for event in wanted:
                if name_of(event.type) is None:
                    became[event.id][webhook.id] = NOT_IN_FORMAT
                elif webhook.lets_through(event):
                    sent.append(event)
                else:
                    became[event.id][webhook.id] = FILTERED
            for chunk in chunks(sent, webhook.batch_size, webhook.batch_bytes, encode):
                delivery = _delivery(message.account_id, webhook, chunk, erased)
                for event in chunk:
                    is_sent = event.id not in erased
                    became[event.id][webhook.id] = delivery.delivery_id if is_sent else ERASED
                if not delivery.events:
                    continue
                if webhook.status is WebhookStatus.PAUSED:
                    plan.paused.append(_paused(delivery, self._clock()))
                else:
                    plan.deliveries.append(Addressed(delivery, webhook))
        now = self._clock()
        plan.events = [
            RoutedEvent(
                account_id=message.account_id,
                event=without_data(event, now) if event.id in erased else event,
                deliveries=became[event.id],
                member_keys=()
                if event.id in erased
                else account.member_keys.named(event.data, self._member_index),
            )
            for event in message.events
        ]
        return plan

    def _keep(self, plans: Sequence[_Plan]) -> list[_Plan]:
        """The plans whose events and paused deliveries are stored now."""
        stored = iter(self._kept(plans))
        kept = []
        for plan in plans:
            # A list, not a generator: each plan has to take its own share of the results.
            if not all([next(stored) for _ in plan.events]):  # noqa: C419
                self._fault(plan, "events_not_kept")
            elif self._log_paused(plan):
                kept.append(plan)
        return kept

    def _kept(self, plans: Sequence[_Plan]) -> list[bool]:
        """Whether each event of the plans is stored, those of all at once."""
        events = [event for plan in plans for event in plan.events]
        if not events:
            return []
        try:
            return self._events.keep(events)
        except Exception as error:  # one message must not take its batch with it
            if len(plans) > 1:
                return [one for plan in plans for one in self._kept([plan])]
            self._fault(plans[0], "message_unroutable", detail=type(error).__name__)
            return [False] * len(events)

    def _log_paused(self, plan: _Plan) -> bool:
        if not plan.paused:
            return True
        try:
            self._paused.add(plan.paused)
        except Unavailable as error:
            self._fault(plan, "paused_deliveries_not_logged", detail=str(error))
        except Exception as error:  # one message must not take its batch with it
            self._fault(plan, "paused_deliveries_not_logged", detail=type(error).__name__)
        else:
            return True
        return False

    def _send(
        self, plans: Sequence[_Plan], encode: EventEncoder, may_go_on: Callable[[], bool]
    ) -> list[_Plan]:
        """The plans whose deliveries SQS holds, all of them.

        Sent in the order of the plans, those with a pace last: when time runs out, the first ones
        are done.
        """
        deliveries = [delivery for plan in plans for delivery in plan.deliveries]
        sent = iter(self._hand_over.send(deliveries, encode, may_go_on))
        done = []
        for plan in plans:
            # A list, not a generator: each plan has to take its own share of the results.
            if all([next(sent) is not None for _ in plan.deliveries]):  # noqa: C419
                self._note(plan)
                done.append(plan)
            else:
                self._fault(plan, "deliveries_not_queued")
        return done

    def _note(self, plan: _Plan) -> None:
        self._journal.note(
            "events.routed",
            account_id=plan.message.account_id,
            message_id=plan.received.message_id,
            events=len(plan.events),
            deliveries=len(plan.deliveries),
            paused=len(plan.paused),
        )

    def _fault(self, plan: _Plan, what: str, detail: str | None = None) -> None:
        self._journal.fault(
            what,
            account_id=plan.message.account_id,
            message_id=plan.received.message_id,
            detail=detail,
        )


def is_routed(event: Event, webhook: Webhook) -> bool:
    """Whether the event becomes something at the webhook: a delivery, or one of UNSENT."""
    is_on = webhook.status in (WebhookStatus.ENABLED, WebhookStatus.PAUSED)
    # By the event's time and not by the clock: routed twice, it becomes the same.
    return is_on and webhook.wants(event)


def _delivery(
    account_id: AccountId, webhook: Webhook, events: tuple[Event, ...], erased: set[str]
) -> DeliveryMessage:
    """The delivery of a chunk, under the id that all of it has, without what is erased of it."""
    return DeliveryMessage(
        delivery_id=delivery_id(webhook.id, [event.id for event in events], events[0].accepted_at),
        account_id=account_id,
        webhook_id=webhook.id,
        run=0,
        events=tuple(event for event in events if event.id not in erased),
    )


def _paused(message: DeliveryMessage, now: int) -> Delivery:
    return replace(Delivery.of(message, DeliveryStatus.FAILED, now), reason=Reason.PAUSED)
