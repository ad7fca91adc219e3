"""One message on its way through an invocation of the dispatcher."""

import threading

from perkwire.dispatching.verdict import Finding
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.delivery import Attempt, Delivery
from perkwire.model.messages import DeliveryMessage, Received
from perkwire.primitives.ids import EventId
from perkwire.primitives.journal import Journal

type Outcome = tuple[Finding, Attempt | None]


class InFlightDelivery:
    """One message on its way through an invocation."""

    def __init__(self, received: Received, message: DeliveryMessage, taken_at: int) -> None:
        self.received = received
        self.message = message
        # What has been taken out of the message, as it has been erased.
        self.left_out: tuple[EventId, ...] = ()
        # When the invocation began, microseconds since the epoch: soon after the receive.
        self.taken_at = taken_at
        self.finding = Finding.UNAVAILABLE
        self.to_send = False
        self.state: WebhookState | None = None
        self.entry: Delivery | None = None
        self.first_copy: InFlightDelivery | None = None
        self.attempt: Attempt | None = None
        self.after: Delivery | None = None
        # Seconds after which SQS is to bring the message again; None: after the stack's interval.
        self.delay_seconds: int | None = None
        # Set by the thread that sends.
        self.sending_since: int | None = None
        self.outcome: Outcome | None = None
        self.retry_after_seconds = 0
        self.ended = threading.Event()


def attempt_number(delivery: InFlightDelivery) -> int:
    """One more than the last in the log, and never less than what SQS has counted."""
    logged = delivery.entry.attempts if delivery.entry is not None else ()
    return max(logged[-1].number + 1 if logged else 1, delivery.received.receive_count)


def delivery_fault(
    journal: Journal, delivery: InFlightDelivery, what: str, detail: str | None = None
) -> None:
    """A line and a count about something that an operator should look at."""
    journal.fault(
        what,
        account_id=delivery.message.account_id,
        webhook_id=delivery.message.webhook_id,
        delivery_id=delivery.message.delivery_id,
        message_id=delivery.received.message_id,
        detail=detail,
    )
