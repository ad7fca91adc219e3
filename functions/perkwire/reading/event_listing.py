"""Listing an account's events, newest first, from the index that holds them by the hour."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from perkwire.model.event import Event, EventHeading
from perkwire.model.webhook import TYPE_FILTER_FORM, covers, may_cover
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, EventId
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, invalid
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import (
    DAY_SECONDS,
    HOUR_SECONDS,
    MICROSECONDS,
    parse_rfc3339,
    to_rfc3339,
)

# A page looks at no more hours than these, so that it costs a bounded number of queries.
MOST_HOURS = 48
MOST_LOOKED_AT = 500
"""Events that a page looks at for those of a type."""
_AT_A_TIME = 100
_HOUR = HOUR_SECONDS * MICROSECONDS
_CURSOR = regex(r"([0-9]{16})(?:\.([A-Za-z0-9._:-]{1,128}))?")


@dataclass(frozen=True, slots=True)
class ListPosition:
    """Where a list goes on: before `moment`, or, with an id, behind that event accepted then."""

    moment: int
    event_id: EventId | None = None


class EventsByHour(Protocol):
    """The index."""

    def newest_of_hour(
        self, account_id: AccountId, since: int, place: ListPosition, limit: int
    ) -> tuple[Sequence[EventHeading], bool]:
        """Up to `limit` from `place` back to `since`, both in one hour, newest first.

        The flag says that there may be more in this hour. Raises Unavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events to list; times are microseconds since the epoch, `until` not included."""

    type: str | None
    since: int
    until: int

    def takes(self, event: EventHeading | Event) -> bool:
        """Whether an event is of the type; its time is not looked at."""
        return self.type is None or covers(self.type, event.type)


class EventListing:
    """GET /v1/events. `clock` gives microseconds since the epoch."""

    def __init__(
        self, events: EventsByHour, *, event_retention_days: int, clock: Callable[[], int]
    ) -> None:
        self._events = events
        self._retention_days = event_retention_days
        self._clock = clock

    def list(
        self, account_id: AccountId, parameters: Mapping[str, str], limit: int, cursor: str | None
    ) -> Page[dict[str, Json]]:
        """Events without their data, newest first by acceptance.

        A page takes MOST_HOURS queries at most and, for those of a type, looks at MOST_LOOKED_AT
        events, so that it may be short; the cursor goes on. Raises Problem and Unavailable.
        """
        wanted = read_event_filter(parameters, self._clock(), self._retention_days)
        place: ListPosition | None = first_place(wanted.until, cursor)
        found: list[EventHeading] = []
        looked_at = 0
        for _ in range(MOST_HOURS):
            if place is None or len(found) >= limit or looked_at >= MOST_LOOKED_AT:
                break
            most = _AT_A_TIME if wanted.type else limit - len(found)
            headings, place = self._step(account_id, wanted, place, most)
            looked_at += len(headings)
            for heading in headings:
                if wanted.takes(heading):
                    found.append(heading)
                if len(found) == limit and heading is not headings[-1]:
                    place = ListPosition(heading.accepted_at, heading.id)
                    break
        shown = [heading_shown(one) for one in found]
        return Page(shown, write_cursor(place) if place else None)

    def _step(
        self, account_id: AccountId, wanted: EventFilter, place: ListPosition, limit: int
    ) -> tuple[Sequence[EventHeading], ListPosition | None]:
        """What an hour holds from a place on, and the place behind that; None at the end."""
        # An id names an event of that very moment; without one the moment itself is left out.
        last = place.moment if place.event_id else place.moment - 1
        hour = last - last % _HOUR
        since = max(hour, wanted.since)
        if last < since:
            return [], None
        headings, more = self._events.newest_of_hour(account_id, since, place, limit)
        if more:
            return headings, ListPosition(headings[-1].accepted_at, headings[-1].id)
        return headings, ListPosition(hour) if hour > wanted.since else None


def read_event_filter(
    parameters: Mapping[str, str], now: int, event_retention_days: int
) -> EventFilter:
    """Read `type`, `since` and `until` of GET /v1/events; raises the 422 problem."""
    errors: list[FieldError] = []
    earliest = now - event_retention_days * DAY_SECONDS * MICROSECONDS
    times = {"since": earliest, "until": now + 1}
    for name in times:
        if (text := parameters.get(name)) is not None:
            moment = parse_rfc3339(text)
            if moment is None:
                errors.append(FieldError(name, "must be an RFC 3339 time"))
            else:
                times[name] = moment
    event_type = parameters.get("type")
    if event_type is not None and not may_cover(event_type):
        errors.append(FieldError("type", f"must be {TYPE_FILTER_FORM}"))
    if errors:
        raise invalid(errors)
    return EventFilter(event_type, max(times["since"], earliest), min(times["until"], now + 1))


def read_cursor(cursor: str) -> ListPosition:
    """The place that a list's cursor names; raises the 422 problem."""
    form = _CURSOR.fullmatch(cursor)
    if form is None:
        raise invalid([FieldError("cursor", "must be the next_cursor of an earlier page")])
    return ListPosition(int(form[1]), EventId(form[2]) if form[2] else None)


def first_place(until: int, cursor: str | None) -> ListPosition:
    """Where a page begins: at the cursor's place, or `until` if that is earlier or there is none.

    Raises the 422 problem for what is no cursor.
    """
    if cursor is not None and (named := read_cursor(cursor)).moment < until:
        return named
    return ListPosition(until)


def write_cursor(place: ListPosition) -> str:
    """The cursor of a place."""
    moment = f"{place.moment:016}"
    return f"{moment}.{place.event_id}" if place.event_id else moment


def heading_shown(heading: EventHeading | Event) -> dict[str, Json]:
    """An event as lists have it."""
    return {
        "id": heading.id,
        "type": heading.type,
        "program_id": heading.program_id,
        "accepted_at": to_rfc3339(heading.accepted_at),
    }
