"""EventTable's index `by_time`: what it says of events, without reading them."""

from collections.abc import Mapping, Sequence
from typing import Any

from perkwire.adapters.dynamodb.event_table import SHARDS, EventTableItem, account_hour
from perkwire.adapters.dynamodb.tables import failing_as_unavailable
from perkwire.model.event import EventHeading
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, EventId
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS
from perkwire.reading.event_listing import ListPosition

_HOUR = HOUR_SECONDS * MICROSECONDS


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of an hour, both ends included, in one direction, after an event at its beginning."""

    account_id: AccountId
    first: int
    last: int
    forward: bool
    after: EventId | None

    @property
    def is_hour(self) -> bool:
        """Whether it is the whole of an hour."""
        return (
            self.after is None and self.first % _HOUR == 0 and self.last - self.first == _HOUR - 1
        )

    def has(self, heading: EventHeading) -> bool:
        """Whether an event that was read is behind the one that it begins after."""
        if self.after is None:
            return True
        place, beginning = _place(heading), (self.first if self.forward else self.last, self.after)
        return place > beginning if self.forward else place < beginning


class EventIndex:
    """Fulfils selecting.EventsByTime and event_listing.EventsByHour.

    The index may lag behind the table by a moment. An hour that is empty takes one query, any other
    one for each shard.
    """

    def newest_of_hour(
        self, account_id: AccountId, since: int, place: ListPosition, limit: int
    ) -> tuple[Sequence[EventHeading], bool]:
        """Up to `limit` from `place` back to `since`, both in one hour, newest first.

        The flag says that there may be more in this hour. Raises Unavailable.
        """
        last = place.moment if place.event_id else place.moment - 1
        return _read(_Span(account_id, since, last, False, place.event_id), limit)

    def of_hour(
        self, account_id: AccountId, since: int, until: int, after: str | None, limit: int
    ) -> tuple[Sequence[EventHeading], bool]:
        """Up to `limit` from `since` to before `until` within the hour of `since`, oldest first.

        `after` is the id of an event accepted at `since`, to begin behind it. The flag says that
        there may be more in this hour. Raises Unavailable.
        """
        last = min(until, since - since % _HOUR + _HOUR) - 1
        return _read(_Span(account_id, since, last, True, EventId(after) if after else None), limit)


def _read(span: _Span, limit: int) -> tuple[Sequence[EventHeading], bool]:
    """Up to `limit` of a span, in the order of their time and id, and whether there may be more."""
    asked = limit
    while True:
        headings, more = _merged(span, asked)
        if headings or not more:
            return headings[:limit], more or len(headings) > limit
        asked *= 2  # all that was read was accepted at one moment, and more of it may follow


def _merged(span: _Span, asked: int) -> tuple[list[EventHeading], bool]:
    """What the shards have, as far as each has told all; and whether there may be more behind."""
    found: list[EventHeading] = []
    ends: list[int] = []
    for shard in range(SHARDS):
        headings, more = _query(span, shard, asked)
        if not headings and not more and shard == 0 and span.is_hour:
            break
        found += headings
        if more:  # of its last moment there may be others, in an order that is the index's own
            ends.append(headings[-1].accepted_at)
    if ends:
        end = min(ends) if span.forward else max(ends)
        found = [
            one
            for one in found
            if (one.accepted_at < end if span.forward else one.accepted_at > end)
        ]
    found.sort(key=_place, reverse=not span.forward)
    return [one for one in found if span.has(one)], bool(ends)


def _query(span: _Span, shard: int, limit: int) -> tuple[list[EventHeading], bool]:
    # The models would ask for `kind`, which the index does not hold.
    with failing_as_unavailable():
        answer = EventTableItem._get_connection().query(
            account_hour(span.account_id, span.first, shard),
            range_key_condition=EventTableItem.accepted_at.between(span.first, span.last),
            index_name="by_time",
            limit=limit,
            scan_index_forward=span.forward,
        )
        headings = [_heading(item) for item in answer["Items"]]
    return headings, bool(headings) and "LastEvaluatedKey" in answer


def _place(heading: EventHeading) -> tuple[int, EventId]:
    return heading.accepted_at, heading.id


def _heading(item: Mapping[str, Any]) -> EventHeading:
    return EventHeading(
        id=EventId(item["event_id"]["S"]),
        type=item["type"]["S"],
        accepted_at=int(item["accepted_at"]["N"]),
        program_id=item["program_id"]["S"] if "program_id" in item else None,
    )
