"""Listing a member's events, with fakes around."""

from perkwire.model.members import MemberIndex
from perkwire.model.routed_event import FILTERED, RoutedEvent
from perkwire.primitives.ids import EventId, WebhookId
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS
from perkwire.reading.member_listing import MOST_LOOKED_AT, MOST_OUTCOMES, MemberListing
from perkwire.reading.outcomes import EventOutcomes
from tests.builders import ACCOUNT, NOW, an_account, an_event
from tests.fakes import (
    FakeAccountStore,
    FakeClock,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeDeliveryReader,
    FakeEventItems,
    FakeEventReader,
    FakeEventTable,
    FakeMentions,
)

RETENTION_DAYS = 30


class Bench:
    def __init__(self) -> None:
        config = FakeConfigItems()
        config.put(an_account())
        self.events = FakeEventItems()
        clock = FakeClock(NOW)
        self.listing = MemberListing(
            accounts=FakeAccountStore(config),
            mentions=FakeMentions(self.events),
            events=FakeEventReader(self.events),
            outcomes=EventOutcomes(
                FakeDeliveryReader(FakeDeliveryItems()),
                retry_interval_seconds=60,
                log_retention_days=30,
                clock=clock,
            ),
            index=MemberIndex.IDS,
            event_retention_days=RETENTION_DAYS,
            clock=clock,
        )

    def keep(
        self, event_id: str, accepted_at: int, webhooks: int = 1, event_type: str = "points.earned"
    ) -> None:
        routed = RoutedEvent(
            account_id=ACCOUNT,
            event=an_event(id=EventId(event_id), accepted_at=accepted_at, type=event_type),
            deliveries={WebhookId(f"wh_{n:016}"): FILTERED for n in range(webhooks)},
            member_keys=(an_account().member_keys.of("m-1"),),
        )
        FakeEventTable(self.events).keep([routed])

    def page(
        self, limit: int = 50, cursor: str | None = None, **parameters: str
    ) -> tuple[list[str], str | None]:
        page = self.listing.list(ACCOUNT, {"member": "m-1", **parameters}, limit, cursor)
        return [str(one["id"]) for one in page.items], page.next_cursor


def test_a_page_ends_at_a_thousand_outcomes() -> None:
    bench = Bench()
    for position in range(4):
        bench.keep(f"e-{position}", NOW - position, webhooks=MOST_OUTCOMES // 2)

    first, cursor = bench.page()
    rest, end = bench.page(cursor=cursor)

    assert (first, rest, end) == (["e-0", "e-1"], ["e-2", "e-3"], None)


def test_one_event_with_more_outcomes_than_that_is_a_page_of_its_own() -> None:
    bench = Bench()
    for position in range(2):
        bench.keep(f"e-{position}", NOW - position, webhooks=MOST_OUTCOMES + 1)

    first, cursor = bench.page()

    assert (first, bench.page(cursor=cursor)) == (["e-0"], (["e-1"], None))


def test_a_type_is_looked_for_behind_all_the_others() -> None:
    bench = Bench()
    for position in range(160):
        bench.keep(f"other-{position:03}", NOW - position, event_type="custom.part")
    for position in range(3):
        bench.keep(f"e-{position}", NOW - 200 - position)

    first, cursor = bench.page(2, type="points.earned")

    assert first == ["e-0", "e-1"]
    assert bench.page(2, cursor, type="points.*") == (["e-2"], None)


def test_a_page_looks_at_a_bounded_number_of_events_of_other_types() -> None:
    bench = Bench()
    for position in range(MOST_LOOKED_AT):
        bench.keep(f"other-{position:03}", NOW - position, event_type="custom.part")
    bench.keep("e-0", NOW - MOST_LOOKED_AT)

    first, cursor = bench.page(type="points.earned")

    assert first == []
    assert bench.page(cursor=cursor, type="points.earned")[0] == ["e-0"]


def test_what_is_no_longer_kept_and_another_event_of_its_id_are_passed_over() -> None:
    bench = Bench()
    bench.keep("gone", NOW - 3)
    bench.keep("again", NOW - 2)
    bench.keep("old", NOW - RETENTION_DAYS * DAY_SECONDS * MICROSECONDS - 1)
    del bench.events.events[ACCOUNT, EventId("gone")]
    del bench.events.events[ACCOUNT, EventId("again")]
    bench.keep("again", NOW - 1)

    assert bench.page() == (["again"], None)
