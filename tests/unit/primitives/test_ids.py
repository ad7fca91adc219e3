import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.primitives.ids import (
    AccountId,
    DeliveryId,
    EventId,
    WebhookId,
    accepted_at,
    delivery_id,
    event_id_for_key,
    is_account_id,
    new_account_id,
    new_event_id,
    new_job_id,
    new_key_id,
    new_test_delivery_id,
    new_webhook_id,
    time_prefix,
    webhook_of,
)
from tests.builders import NOW, WEBHOOK
from tests.unit.strategies import MOMENTS, NAMES

BASE32 = "[0-9a-hjkmnp-tv-z]"
EVENT_IDS = st.lists(NAMES.map(EventId), min_size=1, max_size=5)
WEBHOOK_IDS = st.text("0123456789abcdef", min_size=16, max_size=16).map(
    lambda text: WebhookId(f"wh_{text}")
)


@pytest.mark.parametrize(
    ("new", "prefix"),
    [(new_account_id, "acct"), (new_webhook_id, "wh"), (new_key_id, "key")],
)
def test_a_new_id_says_what_it_names_and_is_like_no_other(new: object, prefix: str) -> None:
    ids = {new() for _ in range(200)}  # type: ignore[operator]

    assert len(ids) == 200
    assert all(re.fullmatch(f"{prefix}_{BASE32}{{16}}", one) for one in ids)


@pytest.mark.parametrize(
    "text",
    ["", "acct_", "acct_7", "shop-42", f"acct_{'0' * 17}", f"acct_{'0' * 16}#keys", "acct_" * 4],
)
def test_what_can_be_no_accounts_id(text: str) -> None:
    assert all(is_account_id(new_account_id()) for _ in range(200))
    assert not is_account_id(text)
    assert not is_account_id(f"{new_account_id()}\n")


def test_new_job_ids_sort_by_the_millisecond_and_differ_within_it() -> None:
    ids = {new_job_id(NOW) for _ in range(200)}

    assert len(ids) == 200
    assert all(re.fullmatch(f"job_{BASE32}{{16}}", one) for one in ids)
    assert new_job_id(NOW - 1_000) < min(ids) <= max(ids) < new_job_id(NOW + 1_000)


@given(MOMENTS, MOMENTS)
def test_new_event_ids_sort_by_the_millisecond_of_acceptance(one: int, other: int) -> None:
    first, second = new_event_id(one), new_event_id(other)

    assert re.fullmatch(f"evt_{BASE32}{{26}}", first)
    if one // 1000 != other // 1000:
        assert (first < second) is (one < other)
    else:
        assert first != second


@given(MOMENTS, MOMENTS)
def test_time_prefixes_sort_as_time(one: int, other: int) -> None:
    assert (time_prefix(one) < time_prefix(other)) is (one // 1000 < other // 1000)
    assert len(time_prefix(one)) == 10


def test_a_time_before_the_epoch_is_the_earliest_prefix() -> None:
    assert time_prefix(-1) == time_prefix(0) == "0" * 10


@given(EVENT_IDS, WEBHOOK_IDS, MOMENTS)
def test_a_delivery_id_is_the_same_for_the_same_parts_and_names_its_webhook(
    events: list[EventId], webhook: WebhookId, moment: int
) -> None:
    one = delivery_id(webhook, events, moment)

    assert one == delivery_id(webhook, [*events], moment)
    assert webhook_of(one) == webhook
    assert "." not in one


@given(st.integers(0, 2**52))
def test_a_delivery_id_tells_when_its_first_event_was_accepted(moment: int) -> None:
    assert accepted_at(delivery_id(WEBHOOK, [EventId("e")], moment)) == moment // 1000 * 1000


@given(WEBHOOK_IDS, WEBHOOK_IDS, EVENT_IDS, EVENT_IDS)
def test_delivery_ids_differ_if_any_part_does(
    webhook: WebhookId, other: WebhookId, events: list[EventId], others: list[EventId]
) -> None:
    one, two = delivery_id(webhook, events, NOW), delivery_id(other, others, NOW)

    assert (one == two) is ((webhook, events) == (other, others))


@given(st.text("ab", min_size=2, max_size=8), st.data())
def test_where_one_event_id_ends_and_the_next_begins_matters(
    text: str, data: st.DataObject
) -> None:
    cuts = st.integers(1, len(text) - 1)
    one, two = data.draw(cuts), data.draw(cuts)

    first = delivery_id(WEBHOOK, [EventId(text[:one]), EventId(text[one:])], NOW)
    second = delivery_id(WEBHOOK, [EventId(text[:two]), EventId(text[two:])], NOW)

    assert (first == second) is (one == two)


@given(NAMES, NAMES, st.text(min_size=1, max_size=9), st.text(min_size=1, max_size=9))
def test_ids_for_a_key_depend_on_account_key_and_position_only(
    account: str, other: str, key: str, other_key: str
) -> None:
    one = event_id_for_key(AccountId(account), key, 3)

    assert one == event_id_for_key(AccountId(account), key, 3)
    assert one != event_id_for_key(AccountId(account), key, 4)
    assert (one == event_id_for_key(AccountId(other), other_key, 3)) is (
        (account, key) == (other, other_key)
    )


@pytest.mark.parametrize(
    "text", ["", "dlv", "dlv_", "dlv_a", "dlv_a_", "dlv__b", "evt_a_b", "_a_b"]
)
def test_other_texts_name_no_webhook(text: str) -> None:
    assert webhook_of(DeliveryId(text)) is None


KNOWN = "dlv_0000000000000001_01m3250v00a56r3f3f5khhwpn1"


@pytest.mark.parametrize(
    "text",
    [
        *(KNOWN + "0", KNOWN[:-1], KNOWN + "\n", " " + KNOWN, KNOWN.upper(), "x" + KNOWN),
        *(KNOWN.replace("dlv_0", "dlv_"), KNOWN.replace("dlv_0", "dlv_00"), KNOWN + "_0"),
        *(KNOWN.replace("_01", "/01"), KNOWN.replace("_01", "_#1"), KNOWN.replace("5", "\u0665")),
        KNOWN.replace("dlv", "wh"),
        pytest.param(new_test_delivery_id(NOW), id="of a test"),
    ],
)
def test_only_the_exact_form_of_a_delivery_id_names_a_webhook(text: str) -> None:
    assert webhook_of(DeliveryId(KNOWN)) == WEBHOOK
    assert webhook_of(DeliveryId(text)) is None


def test_delivery_ids_of_a_release_stay_those_of_the_next() -> None:
    """Changing how they are derived would double what is routed again over a deploy."""
    known = delivery_id(WEBHOOK, [EventId("evt_1"), EventId("evt_2")], NOW)

    assert known == KNOWN
    assert event_id_for_key(AccountId("acct_1"), "key", 0) == "evt_806mx3vvws4e1wydnw9sjxjp3s"
