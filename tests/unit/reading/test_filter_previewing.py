"""Previewing a filter: what of an account's last events it would have let through."""

from dataclasses import replace
from typing import Any

import pytest

from perkwire.model.event import Event
from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives.page import Page
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import to_rfc3339
from perkwire.reading.event_listing import EventListing
from perkwire.reading.filter_previewing import (
    MOST_EVENTS,
    MOST_PREVIEWS_PER_MINUTE,
    FilterPreviewing,
)
from tests.builders import ACCOUNT, NOW, OTHER_ACCOUNT, an_account, an_event
from tests.fakes import (
    FakeAccountStore,
    FakeClock,
    FakeConfigItems,
    FakeEventIndex,
    FakeEventItems,
    FakeEventReader,
    FakeTrialCounter,
)

MANY: Json = {"data": {"points": [{"numeric": [">=", 1000]}]}}
HOUR = 3_600_000_000


class Bench:
    """Previews with fakes around them, of an account that is ten days old."""

    def __init__(self) -> None:
        config, self.items = FakeConfigItems(), FakeEventItems()
        config.put(an_account(created_at=NOW - 240 * HOUR))
        self.clock = FakeClock(NOW)
        self.listing = EventListing(
            FakeEventIndex(self.items), event_retention_days=30, clock=self.clock
        )
        self.previewing = FilterPreviewing(
            accounts=FakeAccountStore(config),
            listing=self.listing,
            events=FakeEventReader(self.items),
            searches=FakeTrialCounter(),
            clock=self.clock,
        )

    def has(self, *events: Event) -> None:
        for event in events:
            self.items.events[ACCOUNT, event.id] = RoutedEvent(
                account_id=ACCOUNT, event=event, deliveries={}
            )

    def preview(self, **members: Json) -> dict[str, Any]:
        asked: dict[str, Json] = {"event_types": ["points.*"], "filter": MANY}
        return self.previewing.preview(ACCOUNT, {**asked, **members}).to_json()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_last_events_of_the_types_and_programmes_are_looked_at(bench: Bench) -> None:
    events = [
        an_event(accepted_at=NOW - place * HOUR, data={"points": 900 + 50 * place})
        for place in range(1, 9)
    ]
    bench.has(*events)
    bench.has(an_event(accepted_at=NOW - 1, type="tier.upgraded", data={"points": 5000}))
    bench.has(replace(events[0], id=an_event().id, program_id="staff"))

    seen = bench.preview(program_ids=None)

    assert (seen["events"], seen["matched"], seen["complete"]) == (9, 7, False)
    assert [one["id"] for one in seen["first"]] == [event.id for event in events[1:6]]
    assert seen["first"][0] == {
        "id": events[1].id,
        "type": "points.earned",
        "program_id": None,
        "accepted_at": to_rfc3339(events[1].accepted_at),
    }
    assert seen["unmatched"]["pointer"] == "/data/points"
    assert seen["unmatched"]["condition"] == '[{"numeric": [">=", 1000]}]'
    assert seen["unmatched"]["found"] == ["950"]
    assert bench.preview(program_ids=["staff"])["events"] == 1
    assert bench.preview(filter={"type": ["points.earned"]})["unmatched"] is None


def test_no_more_than_the_last_few_hundred_are_looked_at(bench: Bench) -> None:
    bench.has(*(an_event(accepted_at=NOW - place) for place in range(1, MOST_EVENTS + 50)))

    seen = bench.preview()

    assert (seen["events"], seen["matched"], seen["complete"]) == (MOST_EVENTS, 0, True)


def test_an_account_without_events_has_nothing_to_look_at(bench: Bench) -> None:
    nothing = {"events": 0, "matched": 0, "complete": False, "first": [], "unmatched": None}
    assert bench.preview() == nothing


def test_a_preview_ends_in_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.has(*(an_event(accepted_at=NOW - place) for place in range(1, 200)))
    slow = bench.listing.list

    def slowly(*arguments: Any) -> Page[dict[str, Json]]:  # noqa: ANN401
        bench.clock.pass_seconds(9)
        return slow(*arguments)

    monkeypatch.setattr(bench.listing, "list", slowly)

    assert bench.preview()["complete"] is False


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"filter": None}, "filter"),
        ({"filter": {"points": [1]}}, "filter.points"),
        ({"event_types": ["nothing.*"]}, "event_types[0]"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(bench: Bench, members: dict[str, Json], field: str) -> None:
    with pytest.raises(Problem) as raised:
        bench.preview(**members)

    errors: Any = raised.value.document()["errors"]
    assert [error["field"] for error in errors] == [field]


def test_previews_are_not_many(bench: Bench) -> None:
    for _ in range(MOST_PREVIEWS_PER_MINUTE):
        bench.preview()

    with pytest.raises(Problem) as raised:
        bench.preview()

    assert raised.value.status == 429
    with pytest.raises(Problem) as raised:
        bench.previewing.preview(OTHER_ACCOUNT, {"event_types": ["*"], "filter": MANY})
    assert raised.value.status == 404
