"""routing.Events and reading.Events: accepted events, with what they became."""

import base64
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from perkwire.model.routed_event import FILTERED, NOT_IN_FORMAT, RoutedEvent
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId, new_account_id
from perkwire.primitives.strict_json import Json
from tests.builders import NOW, an_event
from tests.integration.contracts.conftest import Adapters

NOISE = base64.b64encode(random.Random(1).randbytes(500_000)).decode()
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

    assert adapters.events.keep([whole, bare]) == [True] * 2

    for event in (whole, bare):
        assert adapters.event_reader.find(account_id, event.event.id) == event
    assert adapters.event_reader.find(account_id, EventId("evt_other")) is None
    assert adapters.event_reader.find(new_account_id(), bare.event.id) is None


def test_a_hundred_events_are_kept_at_once(adapters: Adapters, account_id: AccountId) -> None:
    events = [routed(account_id) for _ in range(100)]

    assert adapters.events.keep(events) == [True] * 100

    assert adapters.event_reader.find(account_id, events[99].event.id) == events[99]


def test_what_an_earlier_routing_made_of_an_event_is_kept_too(
    adapters: Adapters, account_id: AccountId
) -> None:
    before = routed(account_id, {FIRST: DeliveryId("dlv_1_x")})
    after = RoutedEvent(
        account_id=account_id, event=before.event, deliveries={SECOND: DeliveryId("dlv_2_x")}
    )
    adapters.events.keep([before])

    assert adapters.events.keep([after]) == [True]

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

    assert adapters.events.keep([first, routed(account_id), second]) == [True] * 3

    found = adapters.event_reader.find(account_id, first.event.id)
    assert found is not None
    assert found.deliveries == {**first.deliveries, **second.deliveries}


def test_another_body_never_replaces_a_kept_event(
    adapters: Adapters, account_id: AccountId
) -> None:
    first = routed(account_id, {FIRST: DeliveryId("dlv_1_x")}, id="order:1")
    forged = routed(account_id, {FIRST: DeliveryId("dlv_2_x")}, id="order:1", data={"points": 9})
    other = routed(account_id)
    adapters.events.keep([first])

    assert adapters.events.keep([other, forged]) == [True, False]

    assert adapters.event_reader.find(account_id, first.event.id) == first


def test_another_body_by_itself_replaces_no_kept_event_either(
    adapters: Adapters, account_id: AccountId
) -> None:
    first = routed(account_id, {FIRST: DeliveryId("dlv_1_x")}, id="order:1")
    adapters.events.keep([first])

    assert adapters.events.keep([routed(account_id, id="order:1", data={"points": 9})]) == [False]

    assert adapters.event_reader.find(account_id, first.event.id) == first


def test_of_many_bodies_at_once_one_is_kept(real: Adapters) -> None:
    account_id = new_account_id()
    bodies = [routed(account_id, id="order:1", data={"points": points}) for points in range(8)]

    with ThreadPoolExecutor(len(bodies)) as threads:
        kept = [*threads.map(lambda one: real.events.keep([one]), bodies)]

    assert kept.count([True]) == 1
    found = real.event_reader.find(account_id, EventId("order:1"))
    assert found == bodies[kept.index([True])]


@pytest.mark.parametrize("data", [{"x": "\ud800"}, {"x": NOISE}])
def test_an_event_by_itself_that_dynamodb_will_not_have_is_not_stored(
    real: Adapters, data: dict[str, Json]
) -> None:
    assert real.events.keep([routed(new_account_id(), data=data)]) == [False]


def test_of_two_bodies_at_once_the_first_is_kept(adapters: Adapters, account_id: AccountId) -> None:
    first = routed(account_id, id="order:1")
    forged = routed(account_id, id="order:1", program_id="gold")

    assert adapters.events.keep([first, forged, first]) == [True, False, True]

    assert adapters.event_reader.find(account_id, first.event.id) == first


def test_the_same_body_in_another_order_is_the_same_event(
    adapters: Adapters, account_id: AccountId
) -> None:
    first = routed(account_id, id="order:1", data={"a": 1, "b": 2})
    again = routed(account_id, {FIRST: NOT_IN_FORMAT}, id="order:1", data={"b": 2, "a": 1})
    adapters.events.keep([first])

    assert adapters.events.keep([again]) == [True]

    found = adapters.event_reader.find(account_id, first.event.id)
    assert found is not None
    assert (found.event, found.deliveries) == (first.event, again.deliveries)


def test_an_event_that_dynamodb_will_not_have_harms_no_other(real: Adapters) -> None:
    account_id = new_account_id()
    too_large = routed(account_id, data={"x": NOISE})
    unwritable = routed(account_id, data={"x": "\ud800"})
    good = [routed(account_id) for _ in range(30)]

    stored = real.events.keep([*good[:3], too_large, *good[3:], unwritable])

    assert stored == [True] * 3 + [False] + [True] * 27 + [False]
    keys = {one.key for one in good}
    assert real.event_reader.kept(keys).keys() == keys


def test_what_has_expired_may_be_another_event(real: Adapters) -> None:
    account_id = new_account_id()
    day = 86_400_000_000
    old = routed(account_id, id="order:1", accepted_at=NOW - 31 * day)
    new = routed(account_id, id="order:1", data={"points": 7})
    assert real.events.keep([old]) == [True]

    assert real.events.keep([new]) == [True]

    assert real.event_reader.find(account_id, new.event.id) == new


def test_a_word_makes_no_delivery_forgotten(adapters: Adapters, account_id: AccountId) -> None:
    sent = routed(account_id, {FIRST: DeliveryId("dlv_1_x"), SECOND: FILTERED}, id="order:1")
    again = routed(account_id, {FIRST: FILTERED, SECOND: DeliveryId("dlv_2_x")}, id="order:1")
    adapters.events.keep([sent])

    assert adapters.events.keep([again]) == [True]

    found = adapters.event_reader.find(account_id, sent.event.id)
    assert found is not None
    assert found.deliveries == {FIRST: "dlv_1_x", SECOND: "dlv_2_x"}
