"""Samples: realistic, of any type, and known for what they are."""

import json

import pytest

from perkwire.formats import FORMATS, Payload
from perkwire.ids import new_test_delivery_id, webhook_of
from perkwire.samples import DEFAULT_TYPE, sample_event
from tests.builders import NOW

COMMON = [
    "points.earned", "points.redeemed", "points.expired", "points.adjusted",
    "tier.upgraded", "tier.downgraded", "member.enrolled", "reward.redeemed",
    "purchase.created", "referral.completed",
]  # fmt: skip


@pytest.mark.parametrize("event_type", COMMON)
def test_a_common_type_has_more_than_the_member(event_type: str) -> None:
    event = sample_event(event_type, NOW)

    assert event.type == event_type
    assert len(event.data) > 1
    assert event.data["member"]


def test_the_default_is_a_common_type() -> None:
    assert DEFAULT_TYPE in COMMON


@pytest.mark.parametrize("event_type", ["custom.gift_given", "quiz.completed"])
def test_any_other_type_has_the_member(event_type: str) -> None:
    event = sample_event(event_type, NOW)

    assert (event.type, [*event.data]) == (event_type, ["member"])


@pytest.mark.parametrize("event_type", [*COMMON, "custom.gift_given"])
@pytest.mark.parametrize("batched", [False, True])
def test_standard_renders_each(event_type: str, batched: bool) -> None:
    payload = Payload(
        delivery_id=new_test_delivery_id(NOW),
        events=[sample_event(event_type, NOW)],
        batched=batched,
    )

    body = json.loads(FORMATS["standard"].render(payload))

    (event,) = body["data"]["events"] if batched else [body]
    assert event["type"] == event_type


def test_a_sample_says_that_it_is_one_and_is_another_each_time() -> None:
    samples = {sample_event(DEFAULT_TYPE, NOW).id for _ in range(50)}
    deliveries = {new_test_delivery_id(NOW) for _ in range(50)}

    assert len(samples) == len(deliveries) == 50
    assert all(event_id.startswith("evt_test_") for event_id in samples)
    assert all(delivery_id.startswith("dlv_test_") for delivery_id in deliveries)


def test_the_delivery_of_a_sample_is_no_webhooks() -> None:
    """So that it is found in no log."""
    assert webhook_of(new_test_delivery_id(NOW)) is None


def test_points_add_up() -> None:
    for event_type in COMMON:
        transaction = sample_event(event_type, NOW).data.get("transaction")
        if isinstance(transaction, dict):
            before, points = transaction["balance_before"], transaction["points"]
            assert isinstance(before, int)
            assert isinstance(points, int)
            assert before + points == transaction["balance_after"], event_type
