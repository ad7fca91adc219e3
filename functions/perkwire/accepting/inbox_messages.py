"""What a message of the inbox may be: our own events, EventBridge's, CloudEvents, SNS around them.

One event, a list of up to MAX_EVENTS, or `{"events": […]}`; each event of a list may be of any of
the three forms, which are told apart by their members.
"""

import json
from collections.abc import Sequence

from perkwire.accepting.cloud_events import posted_cloud_event
from perkwire.model.event import MAX_EVENTS, PostedEvent
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import parse_value
from perkwire.primitives.problem import FieldError, invalid, malformed
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json

_DETAIL_TYPE = "detail-type"
# What of an event its envelope says; all else is in `detail`.
_OF_ENVELOPE = {"type": _DETAIL_TYPE, "occurred_at": "time"}
_NOTIFICATION_ID = regex(r"[0-9A-Za-z-]{1,100}")  # SNS's are UUIDs
_OF_DETAIL = ("id", "account_id", "program_id", "data")


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The text of a message without what SNS puts around it, and what its repeats are known by."""

    message_id: str
    text: str


def unwrapped(message_id: str, body: str) -> Unwrapped:
    """What somebody has sent: SNS's notification is taken off, unless it is delivered raw.

    SNS may send one notification as two messages: it is known by SNS's id, if that could be one.
    """
    match _value(body):
        case {
            "Type": "Notification",
            "TopicArn": str(),
            "MessageId": str(notification_id),
            "Message": str(text),
        } if _is_writable(text):
            # A queue may hold what SNS has not sent, and the id ends in items and ids of our own.
            is_sns_id = _NOTIFICATION_ID.fullmatch(notification_id) is not None
            return Unwrapped(notification_id if is_sns_id else message_id, text)
        case _:
            return Unwrapped(message_id, body)


@dataclass(frozen=True, slots=True)
class MessageEvent:
    """An event of a message: as it stands there, and as it is read."""

    value: Json
    posted: PostedEvent


def message_events(text: str, most: int | None = MAX_EVENTS) -> Sequence[MessageEvent]:
    """The events of a message's text; raises the problems 400 and 422 if it holds none.

    So does a list of more than `most`; None: as many as there are.
    """
    value = parse_value(text.encode())
    if isinstance(value, dict) and "events" in value:
        if unknown := [
            FieldError(name, "is not a known field") for name in value if name != "events"
        ]:
            raise invalid(unknown)
        return _listed(value["events"], "events", most)
    if isinstance(value, list):
        return _listed(value, "", most)
    if not isinstance(value, dict):
        raise malformed("The message must be a JSON object, or a list of them.")
    return [_event(value, "", "")]


def _listed(values: Json, name: str, most: int | None) -> Sequence[MessageEvent]:
    if not isinstance(values, list) or not values or (most is not None and len(values) > most):
        many = "events" if most is None else f"1 to {most} events"
        raise invalid([FieldError(name or "events", f"must be a list of {many}")])
    pointer = f"/{name}" if name else ""
    return [
        _event(value, f"{name}[{place}]", f"{pointer}/{place}")
        for place, value in enumerate(values)
    ]


def _event(value: Json, place: str, pointer: str) -> MessageEvent:
    return MessageEvent(value, _posted(value, place, pointer))


def _posted(value: Json, place: str, pointer: str) -> PostedEvent:
    if isinstance(value, dict):
        if "specversion" in value:
            return posted_cloud_event(value, place, pointer)
        if _DETAIL_TYPE in value:
            return _posted_by_event_bridge(value, place, pointer)
    return PostedEvent(value=value, place=place, pointer=pointer)


def _posted_by_event_bridge(value: dict[str, Json], place: str, pointer: str) -> PostedEvent:
    """`detail-type` is the type, `time` the moment, the rest is in `detail`.

    Of what else the envelope says only its id is taken, for an event that has none of its own.
    """
    prefix = f"{place}." if place else ""
    detail = value.get("detail")
    errors = []
    if not isinstance(detail, dict):
        errors.append(FieldError(f"{prefix}detail", "must be an object"))
        detail = {}
    read = {name: member for name, member in detail.items() if name not in _OF_ENVELOPE}
    for name, called in _OF_ENVELOPE.items():
        if name in detail:
            wrong = f"is not a known field; {called} says it"
            errors.append(FieldError(f"{prefix}detail.{name}", wrong))
        if called in value:
            read[name] = value[called]
    if "id" not in detail and "id" in value:
        read["id"] = value["id"]
    names = {name: f"detail.{name}" for name in (*_OF_DETAIL, *detail)} | _OF_ENVELOPE
    return PostedEvent(
        value=read, place=place, pointer=f"{pointer}/detail", names=names, errors=errors
    )


def _is_writable(text: str) -> bool:
    """Whether it is text, of which lone surrogates are none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _value(text: str) -> object:
    """As JSON has it, without judging it: what is wrong with it is found where it is read."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
