"""Listing events: newest first, each once, at a bounded cost for each page."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.model.event import EventHeading
from perkwire.primitives.ids import AccountId, EventId
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import DAY_SECONDS, HOUR_SECONDS, MICROSECONDS, to_rfc3339
from perkwire.reading.event_listing import (
    MOST_HOURS,
    MOST_LOOKED_AT,
    EventListing,
    ListPosition,
    heading_shown,
)
from tests.builders import ACCOUNT, NOW

HOUR = HOUR_SECONDS * MICROSECONDS
RETENTION_DAYS = 30


class FakeEventsByHour:
    """As the index: within an hour by time of acceptance, then in any fixed order."""

    def __init__(self, headings: Sequence[EventHeading]) -> None:
        self._headings = sorted(headings, key=lambda one: (one.accepted_at, one.id), reverse=True)
        self.queries = 0

    def newest_of_hour(
        self, account_id: AccountId, since: int, place: ListPosition, limit: int
    ) -> tuple[Sequence[EventHeading], bool]:
        self.queries += 1
        assert account_id == ACCOUNT
        assert since // HOUR == (place.moment - (place.event_id is None)) // HOUR
        end = (place.moment, place.event_id or "")
        found = [one for one in self._headings if since <= one.accepted_at and _key(one) < end]
        return found[:limit], len(found) > limit


def _key(heading: EventHeading) -> tuple[int, str]:
    return heading.accepted_at, heading.id


def heading(accepted_at: int, event_id: str, event_type: str = "points.earned") -> EventHeading:
    return EventHeading(
        id=EventId(event_id), type=event_type, accepted_at=accepted_at, program_id=None
    )


def listing(events: FakeEventsByHour) -> EventListing:
    return EventListing(events, event_retention_days=RETENTION_DAYS, clock=lambda: NOW)


def pages(
    events: FakeEventsByHour, limit: int = 50, **parameters: str
) -> list[list[dict[str, Json]]]:
    found: list[list[dict[str, Json]]] = []
    cursor = None
    while True:
        page = listing(events).list(ACCOUNT, parameters, limit, cursor)
        found.append(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return found


def ids(events: FakeEventsByHour, limit: int = 50, **parameters: str) -> list[Json]:
    return [item["id"] for page in pages(events, limit, **parameters) for item in page]


def test_events_come_newest_first() -> None:
    events = FakeEventsByHour([heading(NOW - 5, "a"), heading(NOW - 3 * HOUR, "b")])

    assert ids(events) == ["a", "b"]


@given(
    ages=st.lists(st.integers(0, 5 * HOUR).map(lambda age: age - age % (HOUR // 4)), max_size=30),
    limit=st.integers(1, 7),
)
def test_every_event_comes_once_whatever_the_pages(ages: list[int], limit: int) -> None:
    headings = [heading(NOW - age, f"e{place:02}") for place, age in enumerate(ages)]
    newest_first = sorted(headings, key=_key, reverse=True)

    assert ids(FakeEventsByHour(headings), limit) == [one.id for one in newest_first]


def test_a_page_costs_a_bounded_number_of_queries() -> None:
    events = FakeEventsByHour([heading(NOW - 20 * 24 * HOUR, "old")])

    page = listing(events).list(ACCOUNT, {}, 50, None)

    assert page.items == []
    assert page.next_cursor is not None
    assert events.queries == MOST_HOURS
    assert ids(events) == ["old"]


def test_a_type_leaves_others_out() -> None:
    events = FakeEventsByHour([heading(NOW, "a"), heading(NOW, "b", "tier.upgraded")])

    assert ids(events, type="tier.upgraded") == ["b"]


def test_a_type_is_looked_for_behind_all_the_others_of_its_moment() -> None:
    events = FakeEventsByHour(
        [heading(NOW, f"b{place:03}", "custom.part") for place in range(160)]
        + [heading(NOW, f"a{place}") for place in range(3)]
    )

    assert pages(events, 2, type="points.earned")[0] == [
        heading_shown(heading(NOW, f"a{place}")) for place in (2, 1)
    ]
    assert ids(events, 2, type="points.*") == ["a2", "a1", "a0"]


def test_a_page_looks_at_a_bounded_number_of_events_of_other_types() -> None:
    events = FakeEventsByHour(
        [heading(NOW, f"b{place:04}", "custom.part") for place in range(2 * MOST_LOOKED_AT)]
        + [heading(NOW, "a")]
    )

    found = pages(events, type="points.earned")

    assert [len(page) for page in found[:3]] == [0, 0, 1]


def test_since_is_included_and_until_is_not() -> None:
    events = FakeEventsByHour([heading(NOW - HOUR * step, str(step)) for step in range(4)])

    found = ids(events, since=to_rfc3339(NOW - 2 * HOUR), until=to_rfc3339(NOW))

    assert found == ["1", "2"]


def test_what_is_older_than_its_retention_does_not_show() -> None:
    gone = NOW - (RETENTION_DAYS * DAY_SECONDS + 1) * MICROSECONDS

    assert ids(FakeEventsByHour([heading(gone, "a")]), since="2001-01-01T00:00:00Z") == []


def test_a_cursor_goes_on_within_until() -> None:
    events = FakeEventsByHour([heading(NOW - HOUR * step, str(step)) for step in range(4)])
    until = {"until": to_rfc3339(NOW - HOUR)}
    first = listing(events).list(ACCOUNT, {}, 1, None)

    second = listing(events).list(ACCOUNT, until, 50, first.next_cursor)

    assert [one["id"] for one in first.items] == ["0"]
    assert [one["id"] for one in second.items] == ["2", "3"]


@pytest.mark.parametrize("cursor", ["9" * 16, "9" * 16 + ".a", f"{NOW + 1}", f"{NOW + 1}.z"])
def test_a_cursor_in_the_future_begins_now(cursor: str) -> None:
    events = FakeEventsByHour([heading(NOW, "a"), heading(NOW + HOUR, "later")])

    page = listing(events).list(ACCOUNT, {}, 50, cursor)

    assert [one["id"] for one in page.items] == ["a"]


@pytest.mark.parametrize(
    ("parameters", "cursor", "field"),
    [
        ({"since": "yesterday"}, None, "since"),
        ({"until": ""}, None, "until"),
        ({"type": "*"}, None, "type"),
        ({"type": "points"}, None, "type"),
        ({"type": "points.e*"}, None, "type"),
        ({"type": "a." + "b" * 127}, None, "type"),
        ({}, "1", "cursor"),
        ({}, "9" * 16 + ".", "cursor"),
        ({}, "9" * 16 + ".a b", "cursor"),
    ],
)
def test_a_wrong_parameter_is_named(
    parameters: dict[str, str], cursor: str | None, field: str
) -> None:
    with pytest.raises(Problem) as raised:
        listing(FakeEventsByHour([])).list(ACCOUNT, parameters, 50, cursor)

    errors = raised.value.document()["errors"]
    assert isinstance(errors, list)
    assert [error["field"] for error in errors if isinstance(error, dict)] == [field]
