"""routing.Events and reading.Events: accepted events, with what they became."""

from perkwire.model.routed_event import NOT_IN_FORMAT, RoutedEvent
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId, new_account_id
from perkwire.primitives.strict_json import Json
from tests.builders import an_event
from tests.integration.contracts.conftest import Adapters

FIRST, SECOND = WebhookId("wh_0000000000000001"), WebhookId("wh_0000000000000002")


def routed(
    account_id: AccountId,
    deliveries: dict[WebhookId, DeliveryId | str] | None = None,
    **event: Json,
) -> RoutedEvent:
    return RoutedEvent(account_id=account_id, event=an_event(**event), deliveries=deliveries or {})


def test_an_event_is_found_as_it_was_kept(adapters: Adapters, account_id: AccountId) -> None:
    whole = routed(
        account_id,
        {FIRST: DeliveryId("dlv_1_x"), SECOND: NOT_IN_FORMAT},
        occurred_at=-1,
        program_id="gold",
        data={"text": "naïve \u2028\x00", "numbers": [0, -0.0, 1e-7, 2**63], "none": None, "": {}},
    )
    bare = routed(account_id, id="order:1", data={})

    assert adapters.events.keep([whole, bare]) == set()

    for event in (whole, bare):
        assert adapters.event_reader.find(account_id, event.event.id) == event
    assert adapters.event_reader.find(account_id, EventId("evt_other")) is None
    assert adapters.event_reader.find(new_account_id(), bare.event.id) is None


def test_a_hundred_events_are_kept_at_once(adapters: Adapters, account_id: AccountId) -> None:
    events = [routed(account_id) for _ in range(100)]

    assert adapters.events.keep(events) == set()

    assert adapters.event_reader.find(account_id, events[99].event.id) == events[99]


def test_what_an_earlier_routing_made_of_an_event_is_kept_too(
    adapters: Adapters, account_id: AccountId
) -> None:
    before = routed(account_id, {FIRST: DeliveryId("dlv_1_x")})
    after = RoutedEvent(
        account_id=account_id, event=before.event, deliveries={SECOND: DeliveryId("dlv_2_x")}
    )
    adapters.events.keep([before])

    assert adapters.events.keep([after]) == set()

    found = adapters.event_reader.find(account_id, before.event.id)
    assert found is not None
    assert found.deliveries == {**before.deliveries, **after.deliveries}


def test_an_event_that_comes_twice_at_once_keeps_all_that_it_became(
    adapters: Adapters, account_id: AccountId
) -> None:
    first = routed(account_id, {FIRST: DeliveryId("dlv_1_x")})
    second = RoutedEvent(
        account_id=account_id, event=first.event, deliveries={SECOND: DeliveryId("dlv_2_x")}
    )

    assert adapters.events.keep([first, routed(account_id), second]) == set()

    found = adapters.event_reader.find(account_id, first.event.id)
    assert found is not None
    assert found.deliveries == {**first.deliveries, **second.deliveries}
