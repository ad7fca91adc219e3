"""What travels in the queues: event, delivery and job messages, written and read.

Version 1 of all. A message says everything in its body, so nothing depends on what SQS keeps of
it when it is redriven. URL, headers and secret are never in one: they are looked up at delivery.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from perkwire.model.event import MAX_EVENTS, Event
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, JobId, WebhookId
from perkwire.primitives.strict_json import Json, compact_ascii

# SQS takes 1 MiB; what is left is room for the envelope.
MAX_MESSAGE_BYTES = 900_000
_VERSION = 1


class UnreadableMessage(Exception):
    """A message that this version cannot read; the text never holds what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message as a function gets it from SQS. `receive_count` begins at 1."""

    message_id: str
    body: str = field(repr=False)
    receive_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMessage:
    """Accepted events of one account, on their way to the router."""

    account_id: AccountId
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryMessage:
    """One HTTP request to be made; `run` counts the hand-overs to SQS, from 0."""

    delivery_id: DeliveryId
    account_id: AccountId
    webhook_id: WebhookId
    run: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMessage:
    """A job's next turn; `turn` counts them, from 0."""

    account_id: AccountId
    job_id: JobId
    turn: int


def chunks(events: Sequence[Event], most: int = MAX_EVENTS) -> Iterator[tuple[Event, ...]]:
    """The events in their order, in groups of at most `most` and MAX_MESSAGE_BYTES."""
    if most == 1:  # an event alone always fits: its size need not be known
        yield from ((event,) for event in events)
        return
    group: list[Event] = []
    size = 0
    for event in events:
        length = len(compact_ascii(_event_to_json(event)))
        if group and (len(group) == most or size + length > MAX_MESSAGE_BYTES):
            yield tuple(group)
            group, size = [], 0
        group.append(event)
        size += length + 1
    if group:
        yield tuple(group)


def write_event_message(message: EventMessage) -> str:
    """The body of an event message, in ASCII."""
    return compact_ascii(
        {
            "v": _VERSION,
            "account_id": message.account_id,
            "events": [_event_to_json(event) for event in message.events],
        }
    )


def write_delivery_message(message: DeliveryMessage) -> str:
    """The body of a delivery message, in ASCII."""
    return compact_ascii(
        {
            "v": _VERSION,
            "delivery_id": message.delivery_id,
            "account_id": message.account_id,
            "webhook_id": message.webhook_id,
            "run": message.run,
            "events": [_event_to_json(event) for event in message.events],
        }
    )


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


def read_event_message(body: str) -> EventMessage:
    """The message that `write_event_message` wrote; raises UnreadableMessage."""
    members = _Members(body)
    return EventMessage(account_id=AccountId(members.text("account_id")), events=members.events())


def read_delivery_message(body: str) -> DeliveryMessage:
    """The message that `write_delivery_message` wrote; raises UnreadableMessage."""
    members = _Members(body)
    return DeliveryMessage(
        delivery_id=DeliveryId(members.text("delivery_id")),
        account_id=AccountId(members.text("account_id")),
        webhook_id=WebhookId(members.text("webhook_id")),
        run=members.integer("run"),
        events=members.events(),
    )


def read_job_message(body: str) -> JobMessage:
    """The message that `write_job_message` wrote; raises UnreadableMessage."""
    members = _Members(body)
    return JobMessage(
        account_id=AccountId(members.text("account_id")),
        job_id=JobId(members.text("job_id")),
        turn=members.integer("turn"),
    )


def _event_to_json(event: Event) -> dict[str, Json]:
    return {
        "id": event.id,
        "type": event.type,
        "accepted_at": event.accepted_at,
        "occurred_at": event.occurred_at,
        "program_id": event.program_id,
        "data": event.data,
    }


def _event_from_json(value: Json) -> Event:
    match value:
        case {
            "id": str(event_id),
            "type": str(event_type),
            "accepted_at": int(accepted_at),
            "occurred_at": int() | None as occurred_at,
            "program_id": str() | None as program_id,
            "data": dict(data),
        }:
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

    def text(self, name: str) -> str:
        value = self._value.get(name)
        if not isinstance(value, str) or not value:
            raise UnreadableMessage(f"The message has no {name}.")
        return value

    def integer(self, name: str) -> int:
        value = self._value.get(name)
        if not isinstance(value, int) or value < 0:
            raise UnreadableMessage(f"The message has no {name}.")
        return value

    def events(self) -> tuple[Event, ...]:
        value = self._value.get("events")
        if not isinstance(value, list) or not value:
            raise UnreadableMessage("The message has no events.")
        return tuple(_event_from_json(item) for item in value)
