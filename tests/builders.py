"""Whole things with sensible members, of which a test names only those that matter to it."""

from dataclasses import replace
from itertools import count

from perkwire.formats.format import Payload
from perkwire.model.account import Account, Caller, Scope
from perkwire.model.delivery import Attempt, Delivery, DeliveryStatus
from perkwire.model.event import Event
from perkwire.model.hand_over import HandOver
from perkwire.model.lanes import DeliveryQueues, Lane
from perkwire.model.messages import (
    DeliveryMessage,
    EventMessage,
    Received,
    write_delivery_message,
    write_event_message,
)
from perkwire.model.waiting import WaitingList
from perkwire.model.webhook import SealedSecrets, Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId, delivery_id
from perkwire.primitives.strict_json import Json
from tests.fakes import (
    FakeClock,
    FakeDeliveryItems,
    FakeQueue,
    FakeSealer,
    FakeSlotCounter,
    FakeTelemetry,
    FakeWaitingTable,
)

NOW = 1_790_000_000_000_000
ACCOUNT = AccountId("acct_0000000000000001")
OTHER_ACCOUNT = AccountId("acct_0000000000000002")
WEBHOOK = WebhookId("wh_0000000000000001")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # of the specification's example

_numbers = count(1)
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:DeliveryQueue"


def an_account(**overrides: object) -> Account:
    account = Account(id=ACCOUNT, name="Zylker Rewards", created_at=NOW, updated_at=NOW)
    return replace(account, **overrides)  # type: ignore[arg-type]


def a_caller(account_id: AccountId = ACCOUNT, *scopes: Scope) -> Caller:
    """The holder of an account's key, for everything unless scopes are given."""
    return Caller(account_id, frozenset(scopes or (Scope.EVENTS, Scope.WEBHOOKS)))


def an_operator() -> Caller:
    return Caller(None, frozenset({Scope.OPERATOR}))


def an_event(**overrides: object) -> Event:
    """Each with an id of its own."""
    event = Event(
        id=EventId(f"evt_{next(_numbers):026}"),
        type="points.earned",
        accepted_at=NOW,
        occurred_at=None,
        program_id=None,
        data={"member": {"id": "m-1"}, "points": 120},
    )
    return replace(event, **overrides)  # type: ignore[arg-type]


def a_webhook(
    *, secret: str = SECRET, headers: dict[str, str] | None = None, **overrides: object
) -> Webhook:
    """Enabled, for every event; its secret and headers are sealed for it by FakeSealer."""
    webhook = Webhook(
        id=WEBHOOK,
        account_id=ACCOUNT,
        name="Till",
        description=None,
        url="https://till.example/hook",
        event_types=("*",),
        program_ids=None,
        header_names=tuple(headers or ()),
        batch_size=1,
        format="standard",
        format_settings={},
        status=WebhookStatus.ENABLED,
        pause=None,
        sealed=SealedSecrets(secret=b"", headers=None),
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )
    webhook = replace(webhook, **overrides)  # type: ignore[arg-type]
    if "sealed" in overrides:
        return webhook
    sealer = FakeSealer()
    sealed = SealedSecrets(
        secret=sealer.seal_secret(webhook.account_id, webhook.id, secret),
        headers=sealer.seal_headers(webhook.account_id, webhook.id, headers or {}),
    )
    return replace(webhook, sealed=sealed)


def a_payload(*events: Event, **overrides: object) -> Payload:
    """A delivery of these events to be rendered."""
    payload = Payload(
        delivery_id=DeliveryId("dlv_1"),
        account_id=ACCOUNT,
        webhook_id=WEBHOOK,
        url="https://till.example/hook",
        events=events,
        batched=False,
        settings={},
    )
    return replace(payload, **overrides)  # type: ignore[arg-type]


def a_hand_over(
    delivery_queue: FakeQueue, slow_queue: FakeQueue | None = None, **overrides: object
) -> HandOver:
    """Into these queues; its other parts are fakes of its own unless they are given."""
    queues = {Lane.PROMPT: delivery_queue, Lane.SLOW: slow_queue or FakeQueue()}
    parts: dict[str, object] = {
        "delivery_queues": DeliveryQueues(queues),
        "pacing_queue": FakeQueue(),
        "slots": FakeSlotCounter(),
        "waiting": WaitingList(FakeWaitingTable(FakeDeliveryItems()), FakeQueue()),
        "journal": FakeTelemetry(),
        "clock": FakeClock(NOW),
    }
    return HandOver(**parts | overrides)  # type: ignore[arg-type]


def webhooks(number: int, **overrides: object) -> list[Webhook]:
    """Some that differ in id and URL."""
    return [
        a_webhook(
            id=WebhookId(f"wh_{position:016}"),
            url=f"https://till-{position}.example/hook",
            **overrides,  # type: ignore[arg-type]
        )
        for position in range(1, number + 1)
    ]


def a_delivery_message(
    webhook: Webhook | None = None, *events: Event, **overrides: object
) -> DeliveryMessage:
    """What the router makes of the events, or of one, for the webhook."""
    webhook = webhook or a_webhook()
    events = events or (an_event(),)
    message = DeliveryMessage(
        delivery_id=delivery_id(webhook.id, [event.id for event in events], events[0].accepted_at),
        account_id=webhook.account_id,
        webhook_id=webhook.id,
        run=0,
        events=events,
    )
    return replace(message, **overrides)  # type: ignore[arg-type]


def an_event_message(*events: Event, account_id: AccountId = ACCOUNT) -> EventMessage:
    return EventMessage(account_id=account_id, events=events or (an_event(),))


def an_attempt(**overrides: object) -> Attempt:
    """A first one, refused."""
    attempt = Attempt(number=1, at=NOW, duration_ms=12, status_code=500, response="no")
    return replace(attempt, **overrides)  # type: ignore[arg-type]


def a_delivery(message: DeliveryMessage | None = None, **overrides: object) -> Delivery:
    """The log's entry for a message, succeeded unless said otherwise."""
    message = message or a_delivery_message()
    delivery = Delivery(
        id=message.delivery_id,
        account_id=message.account_id,
        webhook_id=message.webhook_id,
        event_ids=tuple(event.id for event in message.events),
        event_types=tuple(dict.fromkeys(event.type for event in message.events)),
        run=message.run,
        status=DeliveryStatus.SUCCEEDED,
        reason=None,
        attempts=(),
        due_at=None,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(delivery, **overrides)  # type: ignore[arg-type]


def a_received(
    message: DeliveryMessage | EventMessage | str,
    receive_count: int = 1,
    message_id: str | None = None,
    queue_arn: str = QUEUE_ARN,
) -> Received:
    """The message as SQS hands it over, or any body."""
    match message:
        case DeliveryMessage():
            body = write_delivery_message(message)
        case EventMessage():
            body = write_event_message(message)
        case str():
            body = message
    return Received(
        message_id=message_id or f"message-{next(_numbers)}",
        body=body,
        receive_count=receive_count,
        receipt=f"receipt-{next(_numbers)}",
        queue_arn=queue_arn,
    )


def points_data(points: int = 120) -> dict[str, Json]:
    """Data that the catalogue takes for points.earned and its like."""
    return {"member": {"id": "mbr_1"}, "transaction": {"id": "txn_1", "points": points}}


def any_data(_event_type: str, _data: dict[str, Json]) -> tuple[()]:
    """A DataCheck that finds nothing wrong."""
    return ()


def event_body(**overrides: Json) -> dict[str, Json]:
    """An event as the platform posts it."""
    body: dict[str, Json] = {"type": "points.earned", "data": points_data()}
    return body | overrides


def webhook_body(**overrides: Json) -> dict[str, Json]:
    """A webhook as it is posted."""
    body: dict[str, Json] = {
        "name": "Till",
        "url": "https://till.example/hook",
        "event_types": ["*"],
    }
    return body | overrides
