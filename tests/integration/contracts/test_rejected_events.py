"""rejected_event.RejectedEvents: found as they were kept, newest first, until they are removed."""

import random
import string
from collections.abc import Iterator
from itertools import count

import pytest

from perkwire.accepting.rejected_event import RejectedEvent, RejectedHeading
from perkwire.adapters.dynamodb.rejected_events import RejectedEventTable, RejectedSignalItem
from perkwire.primitives.ids import RejectedEventId, rejected_event_id
from tests.builders import ACCOUNT
from tests.integration.contracts.conftest import Adapters

_moments = count(1_900_000_000_000_000, 1_000_000)


def a_rejected(text: str = '{"type": "nothing"}', **changes: object) -> RejectedEvent:
    """Each later than those before, and of a message of its own."""
    moment = next(_moments)
    key = f"message-{moment}"
    members: dict[str, object] = {
        "id": rejected_event_id(moment, key, 3),
        "message_id": key,
        "place": 3,
        "received_at": moment,
        "sender": "AIDA:tills",
        "account_id": ACCOUNT,
        "type": "points.earned",
        "status": 422,
    }
    heading = RejectedHeading(**(members | changes))  # type: ignore[arg-type]
    return RejectedEvent(heading, text, {"status": 422, "title": "Wrong", "errors": []})


@pytest.fixture
def kept(adapters: Adapters) -> Iterator[list[RejectedEvent]]:
    """What a test keeps; nothing of it stays, as all have one list."""
    some: list[RejectedEvent] = []
    yield some
    for one in some:
        adapters.rejected.remove(one.heading.id)


def test_one_is_found_as_it_was_kept(adapters: Adapters, kept: list[RejectedEvent]) -> None:
    kept += [a_rejected(), a_rejected("", place=None, account_id=None, type=None, sender="")]
    adapters.rejected.keep(kept)
    assert [adapters.rejected.find(one.heading.id) for one in kept] == kept


def test_keeping_it_again_changes_nothing(adapters: Adapters, kept: list[RejectedEvent]) -> None:
    kept.append(a_rejected())
    for _ in range(2):
        adapters.rejected.keep(kept)
    listed = adapters.rejected.page(100, None).items
    assert [one for one in listed if one.id == kept[0].heading.id] == [kept[0].heading]


def test_a_text_as_large_as_a_message_is_kept_whole(
    adapters: Adapters, kept: list[RejectedEvent]
) -> None:
    """Random, so that it is no smaller compressed: more than an item of DynamoDB holds."""
    text = "".join(random.Random(1).choices(string.printable + "é漢", k=800_000))
    assert len(text.encode()) > 800_000
    kept.append(a_rejected(text))
    adapters.rejected.keep(kept)
    assert adapters.rejected.find(kept[0].heading.id) == kept[0]


def test_the_list_is_newest_first_and_comes_in_pages(
    adapters: Adapters, kept: list[RejectedEvent]
) -> None:
    kept += [a_rejected() for _ in range(5)]
    adapters.rejected.keep(kept)
    own = {one.heading.id for one in kept}
    found = []
    cursor = None
    while True:
        page = adapters.rejected.page(2, cursor)
        assert len(page.items) <= 2
        found += [one for one in page.items if one.id in own]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [one.heading for one in reversed(kept)]


def test_what_is_removed_is_gone(adapters: Adapters, kept: list[RejectedEvent]) -> None:
    kept += [a_rejected(), a_rejected()]
    adapters.rejected.keep(kept)
    for _ in range(2):
        adapters.rejected.remove(kept[0].heading.id)
    assert adapters.rejected.find(kept[0].heading.id) is None
    assert adapters.rejected.find(kept[1].heading.id) == kept[1]


@pytest.mark.parametrize("text", ["rej_0", "!signal", "", "evt_1", "rej_" + "x" * 100])
def test_what_was_never_kept_is_not_found(adapters: Adapters, text: str) -> None:
    assert adapters.rejected.find(RejectedEventId(text)) is None
    adapters.rejected.remove(RejectedEventId(text))


def forget_signal(adapters: Adapters) -> None:
    """As if none had ever told: all have one."""
    if isinstance(adapters.rejected, RejectedEventTable):
        RejectedSignalItem("rejected", "!signal").delete()


def test_a_signal_is_taken_once_an_interval(adapters: Adapters) -> None:
    moment = 1_700_000_000_000_000
    forget_signal(adapters)
    assert adapters.rejected.take_signal(moment, moment - 60)
    assert not adapters.rejected.take_signal(moment + 30, moment - 30)
    assert adapters.rejected.take_signal(moment + 60, moment)
    forget_signal(adapters)
