"""What travels in the queues: events, deliveries, jobs and watches, written and read.

Version 1 of all. A message says everything in its body, so nothing depends on what SQS keeps of
it when it is redriven. URL, headers and secret are never in one: they are looked up at delivery.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field

from perkwire.model.event import (
    LONGEST_EVENT_TYPE,
    LONGEST_PROGRAM_ID,
    MAX_EVENTS,
    Event,
    is_event_id,
)
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, JobId, WebhookId
from perkwire.primitives.strict_json import Json, compact_ascii
from perkwire.primitives.timestamps import is_writable

# SQS takes 1 MiB; what is left is room for the envelope.
MAX_MESSAGE_BYTES = 900_000
_ENVELOPE_BYTES = 100  # of a batch, around its events
_VERSION = 1
_OWN_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MOST_TURNS = 2**31  # turns of a job, or runs of a delivery


class UnreadableMessage(Exception):
    """A message that this version cannot read; the text never holds what is in it.

    Nor can it be read if an id, a time or a number in it is none that any version writes: DynamoDB
    would refuse it, with all that is asked beside it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message as a function gets it from SQS. `receive_count` begins at 1.

    `receipt` is the handle of this receive, `queue_arn` the queue that it came from. `sent_at` is
    when SQS took it, in microseconds since the epoch, and `sender` the principal that sent it.
    """

    message_id: str
    body: str = field(repr=False)
    receive_count: int
    receipt: str = field(repr=False)
    queue_arn: str
    sent_at: int = 0
    sender: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMessage:
    """Accepted events of one account, on their way to the router.

    `webhook_ids` are the only webhooks that they are for, as of a sample; None: all that want them.
    """

    account_id: AccountId
    events: tuple[Event, ...]
    webhook_ids: tuple[WebhookId, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryMessage:
    """One HTTP request to be made; `run` counts the hand-overs to SQS, from 0."""

    delivery_id: DeliveryId
    account_id: AccountId
    webhook_id: WebhookId
    run: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class PacedDelivery:
    """A delivery in PacingQueue, and the slot for which it waits: microseconds since the epoch."""

    message: DeliveryMessage
    slot_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMessage:
    """A job's next turn; `turn` counts them, from 0."""

    account_id: AccountId
    job_id: JobId
    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchMessage:
    """The watch of a list that is pulled; `watch` is when it looks (microseconds)."""

    account_id: AccountId
    webhook_id: WebhookId
    watch: int


def encode_event(event: Event) -> str:
    """An event as messages hold it, in ASCII."""
    return compact_ascii(
        {
            "id": event.id,
            "type": event.type,
            "accepted_at": event.accepted_at,
            "occurred_at": event.occurred_at,
            "program_id": event.program_id,
            "data": event.data,
        }
    )


class EventEncoder:
    """`encode_event` for events that go into more than one message: each is encoded once.

    Keeps what it has encoded, so it is for one invocation.
    """

    def __init__(self) -> None:
        # By identity: two events of one id may differ, and data has no hash.
        self._encoded: dict[int, tuple[Event, str]] = {}

    def __call__(self, event: Event) -> str:
        """The event as messages hold it."""
        known = self._encoded.get(id(event))
        if known is None:
            known = self._encoded[id(event)] = (event, encode_event(event))
        return known[1]


def chunks(
    events: Sequence[Event],
    most: int = MAX_EVENTS,
    most_bytes: int = MAX_MESSAGE_BYTES,
    encode: Callable[[Event], str] = encode_event,
) -> Iterator[tuple[Event, ...]]:
    """The events in their order, in groups of at most `most` and `most_bytes`.

    Bytes are counted in ASCII, as the queue carries them: a `standard` body has no more. An event
    that is larger goes alone.
    """
    if most == 1:  # an event alone always fits: its size need not be known
        yield from ((event,) for event in events)
        return
    # What is grouped by the limit of the queue alone stays as releases before grouped it.
    room = MAX_MESSAGE_BYTES if most_bytes >= MAX_MESSAGE_BYTES else most_bytes - _ENVELOPE_BYTES
    group: list[Event] = []
    size = 0
    for event in events:
        length = len(encode(event))
        if group and (len(group) == most or size + length > room):
            yield tuple(group)
            group, size = [], 0
        group.append(event)
        size += length + 1
    if group:
        yield tuple(group)


def write_event_message(
    message: EventMessage, encode: Callable[[Event], str] = encode_event
) -> str:
    """The body of an event message, in ASCII."""
    members: dict[str, Json] = {"v": _VERSION, "account_id": message.account_id}
    if message.webhook_ids is not None:
        members["webhook_ids"] = [*message.webhook_ids]
    return _with_events(members, map(encode, message.events))


def write_delivery_message(
    message: DeliveryMessage, encode: Callable[[Event], str] = encode_event
) -> str:
    """The body of a delivery message, in ASCII."""
    return _with_events(_delivery_members(message), map(encode, message.events))


def write_paced_delivery(
    paced: PacedDelivery, encode: Callable[[Event], str] = encode_event
) -> str:
    """The body of a delivery message that waits in PacingQueue, in ASCII."""
    members = _delivery_members(paced.message) | {"slot_at": paced.slot_at}
    return _with_events(members, map(encode, paced.message.events))


def _delivery_members(message: DeliveryMessage) -> dict[str, Json]:
    return {
        "v": _VERSION,
        "delivery_id": message.delivery_id,
        "account_id": message.account_id,
        "webhook_id": message.webhook_id,
        "run": message.run,
    }


def write_job_message(message: JobMessage) -> str:
    """The body of a job message, in ASCII."""
    return compact_ascii(
        {
            "v": _VERSION,
            "account_id": message.account_id,
            "job_id": message.job_id,
            "turn": message.turn,
        }
    )


def write_watch_message(message: WatchMessage) -> str:
    """The body of a watch's message, in ASCII."""
    return compact_ascii(
        {
            "v": _VERSION,
            "account_id": message.account_id,
            "webhook_id": message.webhook_id,
            "watch": message.watch,
        }
    )


def read_event_message(body: str) -> EventMessage:
    """The message that `write_event_message` wrote; raises UnreadableMessage."""
    return _event_message(_Members(body))


def read_delivery_message(body: str) -> DeliveryMessage:
    """The message that `write_delivery_message` wrote; raises UnreadableMessage."""
    return _delivery_message(_Members(body))


def read_router_message(body: str) -> EventMessage | PacedDelivery:
    """What `write_event_message` or `write_paced_delivery` wrote; raises UnreadableMessage.

    Told apart by what is in them, whichever queue they have come through.
    """
    members = _Members(body)
    if members.has("slot_at"):
        return PacedDelivery(_delivery_message(members), members.moment("slot_at"))
    return _event_message(members)


def _event_message(members: "_Members") -> EventMessage:
    return EventMessage(
        account_id=AccountId(members.own_id("account_id")),
        events=members.events(),
        webhook_ids=members.webhook_ids(),
    )


def _delivery_message(members: "_Members") -> DeliveryMessage:
    return DeliveryMessage(
        delivery_id=DeliveryId(members.own_id("delivery_id")),
        account_id=AccountId(members.own_id("account_id")),
        webhook_id=WebhookId(members.own_id("webhook_id")),
        run=members.integer("run"),
        events=members.events(),
    )


def read_job_message(body: str) -> JobMessage | WatchMessage:
    """What `write_job_message` or `write_watch_message` wrote; raises UnreadableMessage.

    Told apart by what is in them.
    """
    members = _Members(body)
    if members.has("watch"):
        return WatchMessage(
            account_id=AccountId(members.own_id("account_id")),
            webhook_id=WebhookId(members.own_id("webhook_id")),
            watch=members.moment("watch"),
        )
    return JobMessage(
        account_id=AccountId(members.own_id("account_id")),
        job_id=JobId(members.own_id("job_id")),
        turn=members.integer("turn"),
    )


def _with_events(members: dict[str, Json], encoded: Iterable[str]) -> str:
    """The members and the encoded events as one object."""
    return f'{compact_ascii(members)[:-1]},"events":[{",".join(encoded)}]}}'


def _event_from_json(value: Json) -> Event:
    match value:
        case {
            "id": str(event_id),
            "type": str(event_type),
            "accepted_at": int(accepted_at),
            "occurred_at": int() | None as occurred_at,
            "program_id": str() | None as program_id,
            "data": dict(data),
        } if (
            is_event_id(event_id)
            and _is_text(event_type, LONGEST_EVENT_TYPE)
            and (program_id is None or _is_text(program_id, LONGEST_PROGRAM_ID))
            and _is_moment(accepted_at)
            and (occurred_at is None or _is_moment(occurred_at))
        ):
            return Event(
                id=EventId(event_id),
                type=event_type,
                accepted_at=accepted_at,
                occurred_at=occurred_at,
                program_id=program_id,
                data=data,
            )
        case _:
            raise UnreadableMessage("An event of the message lacks a member.")


def _is_text(text: str, longest: int) -> bool:
    """Whether it can be written as UTF-8, which a lone surrogate cannot."""
    return len(text) <= longest and _SURROGATE.search(text) is None


def _is_moment(value: int) -> bool:
    return not isinstance(value, bool) and is_writable(value)


def _parsed(text: str) -> Json:
    try:
        return json.loads(text)  # type: ignore[no-any-return]
    except (ValueError, RecursionError):
        raise UnreadableMessage("The message is not JSON.") from None


class _Members:
    def __init__(self, body: str) -> None:
        value = _parsed(body)
        if not isinstance(value, dict):
            raise UnreadableMessage("The message is not an object.")
        if value.get("v") != _VERSION:
            raise UnreadableMessage("The message is of another version.")
        self._value = value

    def own_id(self, name: str) -> str:
        value = self._value.get(name)
        if not isinstance(value, str) or not _OWN_ID.fullmatch(value):
            raise UnreadableMessage(f"The message has no {name}.")
        return value

    def webhook_ids(self) -> tuple[WebhookId, ...] | None:
        value = self._value.get("webhook_ids")
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise UnreadableMessage("The message has webhook_ids that are none.")
        return tuple(WebhookId(one) for one in value if isinstance(one, str))

    def has(self, name: str) -> bool:
        return name in self._value

    def moment(self, name: str) -> int:
        value = self._value.get(name)
        if not isinstance(value, int) or not _is_moment(value):
            raise UnreadableMessage(f"The message has no {name}.")
        return value

    def integer(self, name: str) -> int:
        value = self._value.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_TURNS:
            raise UnreadableMessage(f"The message has no {name}.")
        return value

    def events(self) -> tuple[Event, ...]:
        value = self._value.get("events")
        if not isinstance(value, list) or not value:
            raise UnreadableMessage("The message has no events.")
        return tuple(_event_from_json(item) for item in value)
