"""member_listing.Mentions: the events that name a member."""

from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives.ids import AccountId, EventId, new_account_id
from perkwire.reading.event_listing import ListPosition
from tests.builders import NOW, an_event
from tests.integration.contracts.conftest import Adapters

KEY, OTHER = "0" * 32, "f" * 32
LATER = ListPosition(NOW + 100)


def keep(
    adapters: Adapters, account_id: AccountId, *events: tuple[str, int, tuple[str, ...]]
) -> None:
    for event_id, accepted_at, keys in events:
        event = an_event(id=event_id, accepted_at=accepted_at)
        routed = RoutedEvent(account_id=account_id, event=event, deliveries={}, member_keys=keys)
        assert adapters.events.keep([routed]) == [True]


def found(adapters: Adapters, account_id: AccountId, key: str = KEY, limit: int = 10) -> list[str]:
    positions, _ = adapters.mentions.newest(account_id, key, 0, LATER, limit)
    return [str(one.event_id) for one in positions]


def test_events_are_found_by_each_name_newest_first(
    adapters: Adapters, account_id: AccountId
) -> None:
    keep(
        adapters,
        account_id,
        ("a", NOW, (KEY,)),
        ("c", NOW + 1, (KEY, OTHER)),
        ("b", NOW + 1, (KEY,)),
        ("d", NOW + 2, ()),
    )

    assert found(adapters, account_id) == ["c", "b", "a"]
    assert found(adapters, account_id, OTHER) == ["c"]
    assert found(adapters, new_account_id()) == []


def test_a_list_goes_on_behind_an_event_and_ends_at_its_time(
    adapters: Adapters, account_id: AccountId
) -> None:
    keep(adapters, account_id, *((one, NOW + n // 2, (KEY,)) for n, one in enumerate("abcdef")))

    first, more = adapters.mentions.newest(account_id, KEY, NOW + 1, LATER, 2)
    assert ([one.event_id for one in first], more) == (["f", "e"], True)
    rest, more = adapters.mentions.newest(account_id, KEY, NOW + 1, first[-1], 10)
    assert ([one.event_id for one in rest], more) == (["d", "c"], False)
    moment, _ = adapters.mentions.newest(account_id, KEY, 0, ListPosition(NOW + 1), 10)
    assert [one.event_id for one in moment] == ["b", "a"]


def test_events_kept_together_and_again_are_found_once(
    adapters: Adapters, account_id: AccountId
) -> None:
    events = [
        RoutedEvent(
            account_id=account_id,
            event=an_event(id=f"e-{position:02}", accepted_at=NOW + position),
            deliveries={},
            member_keys=(KEY, OTHER),
        )
        for position in range(40)
    ]

    assert all(adapters.events.keep(events))
    assert all(adapters.events.keep([*events[:20], events[0]]))

    assert sorted(found(adapters, account_id, limit=100)) == [one.event.id for one in events]
    assert len(found(adapters, account_id, OTHER, limit=100)) == 40


def test_an_event_by_itself_that_comes_again_gets_the_names_that_it_lacked(
    adapters: Adapters, account_id: AccountId
) -> None:
    event = an_event(id=EventId("a"))
    for keys in ((), (KEY,)):
        routed = RoutedEvent(account_id=account_id, event=event, deliveries={}, member_keys=keys)
        assert adapters.events.keep([routed]) == [True]

    assert found(adapters, account_id) == ["a"]
