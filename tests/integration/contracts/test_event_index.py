"""The index `by_time`: an hour in shards, read as one."""

import random
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from pynamodb.connection import Connection

from perkwire.adapters.dynamodb import event_table
from perkwire.adapters.dynamodb.event_index import EventIndex
from perkwire.adapters.dynamodb.event_table import SHARDS, EventItem
from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives.ids import AccountId, EventId, new_account_id
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, to_rfc3339
from perkwire.reading.event_listing import ListPosition
from tests.builders import NOW, an_event
from tests.integration.contracts.conftest import Adapters

HOUR = HOUR_SECONDS * MICROSECONDS
START = NOW // HOUR * HOUR
FIRST = to_rfc3339(START)[: len("2026-11-21T01")]


@pytest.fixture
def account_id(real: Adapters) -> AccountId:
    return new_account_id()


def routed(account_id: AccountId, moment: int, **members: object) -> RoutedEvent:
    event = an_event(accepted_at=moment, **members)
    return RoutedEvent(account_id=account_id, event=event, deliveries={})


def shards(account_id: AccountId) -> dict[str, list[str]]:
    """What each shard of the hour holds, in its own order."""
    index = EventItem.by_time
    found: dict[str, list[str]] = {}
    for shard in range(SHARDS):
        hour = event_table.account_hour(account_id, START, shard)
        raw = EventItem._get_connection().query(hour, index_name=index.Meta.index_name)
        if raw["Items"]:
            found[hour.rpartition("#")[2]] = [item["event_id"]["S"] for item in raw["Items"]]
    return found


def oldest_first(account_id: AccountId, since: int, until: int, limit: int) -> Iterator[EventId]:
    after: str | None = None
    while True:
        headings, more = EventIndex().of_hour(account_id, since, until, after, limit)
        assert len(headings) <= limit
        for heading in headings:
            yield heading.id
            since, after = heading.accepted_at, heading.id
        if not more:
            return
        assert headings


def newest_first(account_id: AccountId, since: int, until: int, limit: int) -> Iterator[EventId]:
    place = ListPosition(until)
    while True:
        headings, more = EventIndex().newest_of_hour(account_id, since, place, limit)
        assert len(headings) <= limit
        yield from (heading.id for heading in headings)
        if not more:
            return
        place = ListPosition(headings[-1].accepted_at, headings[-1].id)


def test_events_of_a_busy_invocation_are_spread(real: Adapters, account_id: AccountId) -> None:
    events = [routed(account_id, START + position) for position in range(80)]

    assert all(real.events.keep(events))

    found = shards(account_id)
    assert len(found) == SHARDS
    assert found[FIRST] == [events[0].event.id]
    assert max(map(len, found.values())) < 45


def test_an_event_alone_is_where_it_has_always_been(real: Adapters, account_id: AccountId) -> None:
    for position in range(5):
        real.events.keep([routed(account_id, START + position)])

    assert [*shards(account_id)] == [FIRST]


@pytest.mark.parametrize("limit", [1, 2, 7, 500])
def test_shards_are_read_as_one_in_either_direction(
    real: Adapters, account_id: AccountId, limit: int
) -> None:
    draw = random.Random(limit)
    moments = [START, START + HOUR - 1, *[START + draw.randrange(9) for _ in range(40)]]
    events = [routed(account_id, moment) for moment in moments]
    for event in events[:7]:  # as a release without shards has kept them, too
        assert real.events.keep([event]) == [True]
    assert all(real.events.keep(events[7:]))
    wanted = [
        one.event.id
        for one in sorted(events, key=lambda one: (one.event.accepted_at, one.event.id))
    ]

    assert [*oldest_first(account_id, START, START + HOUR, limit)] == wanted
    assert [*newest_first(account_id, START, START + HOUR, limit)] == wanted[::-1]
    inside = [
        one.event.id
        for one in sorted(events, key=lambda one: (one.event.accepted_at, one.event.id))
        if START + 2 <= one.event.accepted_at < START + 7
    ]
    assert [*oldest_first(account_id, START + 2, START + 7, limit)] == inside
    assert [*newest_first(account_id, START + 2, START + 7, limit)] == inside[::-1]


def test_many_at_one_moment_are_all_read(real: Adapters, account_id: AccountId) -> None:
    events = [routed(account_id, START + 5) for _ in range(60)]
    assert all(real.events.keep(events))
    wanted = sorted(one.event.id for one in events)

    assert [*oldest_first(account_id, START, START + HOUR, 3)] == wanted
    assert [*newest_first(account_id, START, START + HOUR, 3)] == wanted[::-1]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What DynamoDB is asked for."""
    operations: list[str] = []
    make = Connection._make_api_call

    def counted(own: Connection, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        operations.append(operation)
        answer: dict[str, Any] = make(own, operation, request)
        return answer

    monkeypatch.setattr(Connection, "_make_api_call", counted)
    return operations


def test_every_account_and_hour_begins_in_its_first_shard_by_one_write(
    real: Adapters, asked: list[str]
) -> None:
    accounts = [new_account_id() for _ in range(3)]
    moments = [START + hour * HOUR + place for hour in range(2) for place in range(3)]

    assert all(real.events.keep([routed(one, moment) for one in accounts for moment in moments]))

    assert asked.count("BatchWriteItem") == 1
    assert all(FIRST in shards(one) for one in accounts)


def test_an_empty_hour_takes_one_query(
    real: Adapters, account_id: AccountId, asked: list[str]
) -> None:
    assert EventIndex().of_hour(account_id, START, START + HOUR, None, 5) == ([], False)
    assert EventIndex().newest_of_hour(account_id, START, ListPosition(START + HOUR), 5) == (
        [],
        False,
    )
    assert asked == ["Query"] * 2

    # A part of an hour may be empty in one shard only.
    assert EventIndex().of_hour(account_id, START + 1, START + HOUR, None, 5) == ([], False)
    assert asked == ["Query"] * (2 + SHARDS)


def test_if_what_goes_to_the_first_shard_is_not_stored_another_takes_its_place(
    real: Adapters, account_id: AccountId
) -> None:
    noise = random.Random(1).randbytes(450_000).hex()
    assert len(zlib.compress(noise.encode())) > 400_000
    events = [routed(account_id, START, data={"x": noise})]
    events += [routed(account_id, START + 1 + position) for position in range(6)]

    assert real.events.keep(events) == [False] + [True] * 6

    assert len(shards(account_id)[FIRST]) == 1
    listed = {*oldest_first(account_id, START, START + HOUR, 5)}
    assert listed == {one.event.id for one in events[1:]}
