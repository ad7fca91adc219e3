"""Events: what happened to a member, as posted, kept and delivered."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from perkwire.catalogue.event_types import CUSTOM, is_event_type, nearest
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields, parse_object
from perkwire.primitives.ids import AccountId, EventId
from perkwire.primitives.problem import FieldError, invalid, too_large
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json, compact
from perkwire.primitives.timestamps import parse_rfc3339

MAX_EVENTS = 100
MAX_REQUEST_BYTES = 1024 * 1024
MAX_EVENT_BYTES = 256 * 1024

EVENT_TYPE = regex(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
EVENT_TYPE_FORM = "a dotted name such as points.earned or custom.anything"
LONGEST_EVENT_TYPE = 128
_NOT_IN_CATALOGUE = "is not an event type of the catalogue"
MOST_SUGGESTIONS = 5
LONGEST_EVENT_ID = 128
LONGEST_PROGRAM_ID = 128
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
# What `GET /v1/events/{id}` shows beside what was posted, so that it may be posted again as it is.
_SHOWN_ONLY = ("accepted_at", "deliveries", "erased_at")
_SHOWN_AS_NULL = ("program_id", "occurred_at")


def has_type_form(name: str) -> bool:
    """Whether it could be the name of an event type, in the catalogue or not."""
    return len(name) <= LONGEST_EVENT_TYPE and EVENT_TYPE.fullmatch(name) is not None


def is_event_id(text: str) -> bool:
    """Whether it could be the id of an event, ours or the caller's own."""
    return len(text) <= LONGEST_EVENT_ID and _ID.fullmatch(text) is not None


class EventTypeCheck:
    """Checks the names of event types in one request. `form` says what they must look like.

    For the first MOST_SUGGESTIONS wrong ones the nearest types are named: to look for them takes
    longer than all else that is done for an event.
    """

    def __init__(self, form: str = EVENT_TYPE_FORM) -> None:
        self._form = form
        self._suggested: set[str] = set()

    def __call__(self, name: str) -> str | None:
        """What is wrong with a name, or None.

        A product's own name need not have the form: the nearest types are named all the same.
        """
        if is_event_type(name):
            return None
        dotted = EVENT_TYPE.fullmatch(name) is not None
        wrong = f"must be {self._form}"
        if dotted:
            wrong = f"{_NOT_IN_CATALOGUE}, nor begins with {CUSTOM} as your own types do"
        if name not in self._suggested and len(self._suggested) >= MOST_SUGGESTIONS:
            return wrong
        self._suggested.add(name)
        near = nearest(name)
        return f"{wrong}; the nearest are {', '.join(near)}" if near else wrong


def check_event_type(name: str) -> str | None:
    """What is wrong with the one name of an event type in a request, or None."""
    return EventTypeCheck()(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An accepted event. Times are microseconds since the epoch.

    `accepted_at` orders events; `occurred_at` is what the caller said, or None. `erased_at` is
    when its data was taken away, which is then empty.
    """

    id: EventId
    type: str
    accepted_at: int
    occurred_at: int | None
    program_id: str | None
    data: dict[str, Json]
    erased_at: int | None = None

    @property
    def happened_at(self) -> int:
        """When it happened, as the caller said, else when it was accepted."""
        return self.accepted_at if self.occurred_at is None else self.occurred_at

    def digest(self) -> str:
        """As `EventDraft.digest`: equal for what it was posted as."""
        return _digest(self)


def types_of(events: Iterable[Event]) -> tuple[str, ...]:
    """The distinct types of some events, in their order."""
    return tuple(dict.fromkeys(event.type for event in events))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventHeading:
    """What can be known of a kept event without reading it whole."""

    id: EventId
    type: str
    accepted_at: int
    program_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """An event as it was posted, found valid, not yet accepted.

    `place` says where in the request it was, `names` what the request calls its members, as in
    PostedEvent; `source` is whose id it has, where the request says so.
    """

    place: str
    names: Mapping[str, str] | None
    source: str | None
    id: EventId | None
    account_id: str | None
    type: str
    occurred_at: int | None
    program_id: str | None
    data: dict[str, Json]

    def field(self, name: str) -> str:
        """Where in the request a member is, for an error."""
        called = (self.names or {}).get(name, name)
        return f"{self.place}.{called}" if self.place else called

    def digest(self) -> str:
        """The SHA-256 of all that the event says, in hex: equal for equal bodies in any order.

        Numbers are equal if their values are: 1, 1.0 and 1e0 are one number to JSON's readers.
        """
        return _digest(self)

    def former_digest(self) -> str:
        """As the release before this one has it, to which 1 and 1.0 are two numbers."""
        return _hashed(_said(self))


def _digest(said: Event | EventDraft) -> str:
    values = _by_value(_said(said))
    source = said.source if isinstance(said, EventDraft) else None
    return _hashed(values if source is None else [values, source])


def _said(said: Event | EventDraft) -> list[Json]:
    return [said.type, said.occurred_at, said.program_id, said.data]


def _hashed(said: Json) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _by_value(value: Json) -> Json:
    """The value with each whole number as an integer."""
    if isinstance(value, dict):
        return {name: _by_value(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_by_value(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedEvent:
    """An event as it stands in a request, its members named as in `POST /v1/events`.

    `place` and `pointer` say where in the request: `events[3]` and `/events/3`, both empty for the
    one event of a request. `names` has the members that the request calls otherwise, `is_data`
    says that the request's body is the event's data alone, and `errors` what has been found wrong.
    """

    value: Json
    place: str = ""
    pointer: str = ""
    names: Mapping[str, str] | None = None
    is_data: bool = False
    source: str | None = None
    errors: Sequence[FieldError] = ()


@dataclass(frozen=True, slots=True)
class EventRequest:
    """The body of POST /v1/events: one event, or a list."""

    drafts: tuple[EventDraft, ...]
    bulk: bool


type DataCheck = Callable[[str, dict[str, Json]], Sequence[FieldError]]
"""Says all that is wrong with the data of a type: fields that begin with `data`, and why."""


def parse_events(body: bytes, check_data: DataCheck) -> EventRequest:
    """Read POST /v1/events: one event or `{"events": […]}`, all valid or none.

    Raises the problems 400 (not such JSON), 413 (over MAX_REQUEST_BYTES in all, or
    MAX_EVENT_BYTES for one event as compact JSON) and 422 (every wrong field named).
    """
    check_request_size(body)
    value = parse_object(body, instead_of_list='send {"events": […]}')
    if "events" not in value:
        return EventRequest(read_drafts([PostedEvent(value=value)], check_data), bulk=False)
    events = value["events"]
    if not isinstance(events, list) or not 1 <= len(events) <= MAX_EVENTS:
        raise invalid([FieldError("events", f"must be a list of 1 to {MAX_EVENTS} events")])
    unknown = [FieldError(name, "is not a known field") for name in value if name != "events"]
    if unknown:
        raise invalid(unknown)
    posted = [
        PostedEvent(value=event, place=f"events[{position}]", pointer=f"/events/{position}")
        for position, event in enumerate(events)
    ]
    return EventRequest(read_drafts(posted, check_data), bulk=True)


def check_request_size(body: bytes) -> None:
    """Raise the 413 problem for a body over MAX_REQUEST_BYTES."""
    if len(body) > MAX_REQUEST_BYTES:
        raise too_large(f"A request has at most {MAX_REQUEST_BYTES} bytes.")


def read_drafts(
    posted: Sequence[PostedEvent],
    check_data: DataCheck,
    check_type: EventTypeCheck | None = None,
) -> tuple[EventDraft, ...]:
    """The events of a request, all valid; raises 413 and 422 as `parse_events` does.

    `check_type` is that of other events of the same message, of which few are to be suggested for.
    """
    errors: list[FieldError] = []
    drafts: list[EventDraft] = []
    check_type = check_type or EventTypeCheck()
    for one in posted:
        errors += one.errors
        if not isinstance(one.value, dict):
            errors.append(FieldError(one.place, "must be an object"))
            continue
        if len(compact(one.value)) > MAX_EVENT_BYTES:
            raise too_large(f"{one.place or 'The event'} has more than {MAX_EVENT_BYTES} bytes.")
        prefix = f"{one.place}." if one.place else ""
        fields = Fields(_as_posted(one.value), prefix, one.pointer, one.names)
        draft = _draft(fields, one, check_type, check_data)
        errors += fields.finish()
        if draft:
            drafts.append(draft)
    if errors:
        raise invalid(errors)
    return tuple(drafts)


def _as_posted(value: dict[str, Json]) -> dict[str, Json]:
    """The members without those of an event that is shown which say nothing of it."""
    return {
        name: member
        for name, member in value.items()
        if name not in _SHOWN_ONLY and not (member is None and name in _SHOWN_AS_NULL)
    }


def _draft(
    fields: Fields, posted: PostedEvent, check_type: EventTypeCheck, check_data: DataCheck
) -> EventDraft | None:
    event_type = fields.required_text("type", longest=LONGEST_EVENT_TYPE)
    if event_type and (wrong := check_type(event_type)):
        fields.wrong("type", wrong)
    event_id = fields.text(
        "id", longest=LONGEST_EVENT_ID, pattern=_ID, form="letters, digits, dots, colons, - and _"
    )
    account_id = fields.text("account_id")
    program_id = fields.text("program_id", longest=LONGEST_PROGRAM_ID)
    wrong_so_far = len(fields.errors)
    data = fields.required_object("data")
    if len(fields.errors) == wrong_so_far:
        for error in check_data(event_type, data):
            fields.wrong_within(_seen_in(posted, error))
    occurred_at = None
    if (text := fields.text("occurred_at", longest=64)) is not None:
        occurred_at = parse_rfc3339(text)
        if occurred_at is None:
            fields.wrong("occurred_at", "must be an RFC 3339 time such as 2026-11-21T09:30:00Z")
    if fields.errors:
        return None
    return EventDraft(
        place=posted.place,
        names=posted.names,
        source=posted.source,
        id=EventId(event_id) if event_id else None,
        account_id=AccountId(account_id) if account_id else None,
        type=event_type,
        occurred_at=occurred_at,
        program_id=program_id,
        data=data,
    )


def _seen_in(posted: PostedEvent, error: FieldError) -> FieldError:
    if not posted.is_data or error.pointer is None:
        return error
    return replace(error, pointer=error.pointer.removeprefix("/data"))
