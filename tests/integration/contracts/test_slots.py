"""pace.Slots: one after the other, each taken once, under any race."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pynamodb.connection import Connection

from perkwire.adapters.dynamodb.config_items import SlotItem, slots_pk
from perkwire.adapters.dynamodb.slot_counter import SlotCounter
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import new_account_id
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS
from tests.builders import NOW, a_webhook
from tests.fakes import FakeSlotCounter

SECOND = MICROSECONDS

type AnyCounter = SlotCounter | FakeSlotCounter


@pytest.fixture(params=["fake", "real"])
def counter(request: pytest.FixtureRequest) -> AnyCounter:
    if request.param == "fake":
        return FakeSlotCounter()
    request.getfixturevalue("connection")
    return SlotCounter()


@pytest.fixture
def webhook() -> Webhook:
    return a_webhook(account_id=new_account_id(), max_per_second=2)


def faster(webhook: Webhook, max_per_second: float) -> Webhook:
    return a_webhook(account_id=webhook.account_id, max_per_second=max_per_second)


def test_the_first_slot_is_now_and_the_next_ones_follow(
    counter: AnyCounter, webhook: Webhook
) -> None:
    assert counter.last_taken(webhook) is None
    assert counter.take(webhook, 3, NOW) == NOW
    assert counter.last_taken(webhook) == NOW + SECOND
    assert counter.take(webhook, 1, NOW) == NOW + 3 * SECOND // 2
    assert counter.take(webhook, 5, NOW + SECOND) == NOW + 2 * SECOND
    assert counter.last_taken(webhook) == NOW + 4 * SECOND


def test_what_nobody_took_is_over(counter: AnyCounter, webhook: Webhook) -> None:
    counter.take(webhook, 1, NOW)

    assert counter.take(webhook, 2, NOW + 60 * SECOND) == NOW + 60 * SECOND
    assert counter.take(webhook, 1, NOW + 60 * SECOND) == NOW + 61 * SECOND


@pytest.mark.parametrize("late", [0, 1, SECOND // 2 - 1, SECOND // 2, SECOND // 2 + 1])
def test_no_two_slots_are_nearer_than_the_pace_allows(
    counter: AnyCounter, webhook: Webhook, late: int
) -> None:
    counter.take(webhook, 1, NOW)

    assert counter.take(webhook, 1, NOW + late) == NOW + max(late, SECOND // 2)


def test_a_clock_that_is_behind_takes_what_follows(counter: AnyCounter, webhook: Webhook) -> None:
    counter.take(webhook, 1, NOW)

    assert counter.take(webhook, 1, NOW - 600 * SECOND) == NOW + SECOND // 2


def test_another_pace_goes_on_behind_what_is_taken(counter: AnyCounter, webhook: Webhook) -> None:
    counter.take(webhook, 11, NOW)

    assert counter.take(faster(webhook, 10), 2, NOW) == NOW + 5 * SECOND + SECOND // 10
    assert counter.take(faster(webhook, 0.1), 1, NOW) == NOW + 15 * SECOND + 2 * SECOND // 10


def test_each_webhook_has_its_own(counter: AnyCounter, webhook: Webhook) -> None:
    counter.take(webhook, 10, NOW)

    other = a_webhook(account_id=new_account_id(), id="wh_other", max_per_second=1)
    assert counter.take(other, 1, NOW) == NOW


def test_of_many_at_once_each_has_slots_of_its_own(counter: AnyCounter, webhook: Webhook) -> None:
    with ThreadPoolExecutor(8) as threads:
        firsts = list(threads.map(lambda count: counter.take(webhook, count, NOW), [1, 2, 3] * 8))

    taken = [
        first + number * SECOND // 2
        for first, count in zip(firsts, [1, 2, 3] * 8, strict=True)
        for number in range(count)
    ]
    assert sorted(taken) == [NOW + number * SECOND // 2 for number in range(48)]


def test_the_item_outlives_its_last_slot_by_a_month(
    connection: Connection, webhook: Webhook
) -> None:
    counter = SlotCounter()
    counter.take(webhook, 1, NOW)
    counter.take(webhook, 1_000_000, NOW)
    counter.take(webhook, 1_000_000, NOW)

    item = SlotItem.get(slots_pk(webhook.account_id), webhook.id)

    assert item.last_at == NOW + 1_000_000 * SECOND
    assert 0 <= item.expires_at - item.last_at / SECOND - 30 * DAY_SECONDS < 4


def test_it_remembers_which_way_holds_and_mostly_needs_one_update(
    connection: Connection, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = SlotCounter()
    tries: list[object] = []
    update = SlotItem.update

    def counted(item: SlotItem, **how: Any) -> Any:  # noqa: ANN401 - as the method's
        tries.append(how)
        return update(item, **how)

    monkeypatch.setattr(SlotItem, "update", counted)

    for second in range(5):
        counter.take(webhook, 4, NOW + second * SECOND)
    assert len(tries) == 5

    counter.take(webhook, 1, NOW + 60 * SECOND)
    assert len(tries) == 6

    SlotCounter().take(webhook, 1, NOW + 60 * SECOND)
    assert len(tries) == 8, "one that has seen nothing may take the wrong way first"
