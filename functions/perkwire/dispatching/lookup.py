"""Finding what deliveries are about: their webhooks, their log entries, and what these decide."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Protocol

from perkwire.dispatching.in_flight import InFlightDelivery, delivery_fault
from perkwire.dispatching.schedule import used_up
from perkwire.dispatching.timing import in_time
from perkwire.dispatching.verdict import Finding
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.webhook import DeletedWebhook, WebhookStatus
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId
from perkwire.primitives.journal import Journal, Unavailable

type States = Mapping[WebhookId, WebhookState | DeletedWebhook]
type Entries = Mapping[DeliveryId, Delivery]


class Records(Protocol):
    """What is stored of deliveries: their webhooks, and their entries in the log."""

    def look_up(
        self,
        webhooks: Collection[tuple[AccountId, WebhookId]],
        deliveries: Collection[tuple[AccountId, DeliveryId]],
    ) -> tuple[States, Entries]:
        """Of the webhooks those whose account exists, with their tombstones; the entries there are.

        All is read consistently. Raises Unavailable.
        """
        ...


class Lookup:
    """Looks webhooks and log entries up, consistently and for every message."""

    def __init__(
        self,
        *,
        records: Records,
        journal: Journal,
        executor: Executor,
        max_attempts: int,
    ) -> None:
        self._records = records
        self._journal = journal
        self._executor = executor
        self._max_attempts = max_attempts

    def find(
        self, deliveries: Sequence[InFlightDelivery], seconds_left: Callable[[], float]
    ) -> None:
        """Find each message's webhook and log entry, and what they alone decide."""
        if not deliveries:
            return
        try:
            states, entries = in_time(
                self._executor, seconds_left, lambda: self._look_up(deliveries)
            )
        except Unavailable as error:
            self._journal.fault("dispatching_unavailable", detail=str(error))
            return
        except Exception as crash:  # one message must not take its batch with it
            self._find_alone(deliveries, seconds_left, type(crash).__name__)
            return
        firsts: dict[DeliveryId, InFlightDelivery] = {}
        for delivery in deliveries:
            first = firsts.setdefault(delivery.message.delivery_id, delivery)
            if delivery.message.run > first.message.run:
                firsts[delivery.message.delivery_id] = delivery
        for delivery in deliveries:
            message = delivery.message
            found = states.get(message.webhook_id)
            delivery.state = found if isinstance(found, WebhookState) else None
            delivery.entry = entries.get(message.delivery_id)
            if found is None:
                delivery_fault(self._journal, delivery, "webhook_absent")
            elif delivery is not firsts[message.delivery_id]:
                delivery.first_copy = firsts[message.delivery_id]
                delivery.finding = Finding.DOUBLED
                self._journal.note("delivery.doubled", delivery_id=message.delivery_id)
            elif delivery.entry is not None and delivery.entry.status is DeliveryStatus.UNKNOWN:
                delivery_fault(self._journal, delivery, "delivery_of_later_release")
            else:
                decided = self._decided_unsent(delivery, found)
                delivery.to_send = decided is None
                delivery.finding = decided or Finding.UNAVAILABLE

    def _find_alone(
        self, deliveries: Sequence[InFlightDelivery], seconds_left: Callable[[], float], crash: str
    ) -> None:
        """Find each delivery by itself, with its copies, as looking all up together has crashed."""
        ids = dict.fromkeys(delivery.message.delivery_id for delivery in deliveries)
        for one in ids if len(ids) > 1 else ():
            copies = [delivery for delivery in deliveries if delivery.message.delivery_id == one]
            self.find(copies, seconds_left)
        for delivery in deliveries if len(ids) == 1 else ():
            delivery_fault(self._journal, delivery, "dispatching_unavailable", crash)

    def _look_up(self, deliveries: Sequence[InFlightDelivery]) -> tuple[States, Entries]:
        messages = [delivery.message for delivery in deliveries]
        return self._records.look_up(
            {(message.account_id, message.webhook_id) for message in messages},
            {(message.account_id, message.delivery_id) for message in messages},
        )

    def _decided_unsent(
        self, delivery: InFlightDelivery, found: WebhookState | DeletedWebhook
    ) -> Finding | None:
        """What log, webhook and receives decide without a request; None: it is to be sent."""
        message, entry = delivery.message, delivery.entry
        if entry is not None and (
            entry.status is DeliveryStatus.SUCCEEDED or message.run < entry.run
        ):
            return Finding.SETTLED
        if isinstance(found, DeletedWebhook):
            return Finding.DELETED
        if entry is not None and entry.place is not None and entry.run >= message.run:
            return Finding.SETTLED
        if not _leave_out_erased(delivery, found):
            return Finding.ERASED
        message, webhook = delivery.message, found.webhook
        used_up_as = used_up(
            message, webhook, entry, delivery.received.receive_count, self._max_attempts
        )
        match webhook.status:
            case WebhookStatus.DELETED:
                return Finding.DELETED
            case WebhookStatus.DISABLED:
                return Finding.DISABLED
            case WebhookStatus.PAUSED:
                return Finding.SPENT if used_up_as is Finding.SPENT else Finding.PAUSED
            case WebhookStatus.ENABLED:
                # No message is made for one that is pulled: should there be one, nothing is lost.
                return Finding.PAUSED if webhook.is_pulled else used_up_as


def _leave_out_erased(delivery: InFlightDelivery, state: WebhookState) -> bool:
    """Take out of the message what has been erased of it; False if nothing would be left.

    The account says whose events are erased, and the entry which of its own: it stays when the
    account has forgotten.
    """
    message, entry = delivery.message, delivery.entry
    if entry is not None and entry.reason is Reason.ERASED:
        return False
    erased = set() if state.erasures is None else state.erasures.covered(message.events)
    left = tuple(
        event
        for event in message.events
        if event.id not in erased and not (entry is not None and entry.leaves_out(event.id))
    )
    if left and len(left) < len(message.events):
        delivery.left_out = tuple(one.id for one in message.events if one not in left)
        delivery.message = replace(message, events=left)
    return bool(left)
