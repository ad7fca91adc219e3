"""Okendo's bodies of members and points, against what its pages print and list."""

from typing import Any

import pytest

from perkwire.primitives.strict_json import Json, compact
from tests.builders import an_event
from tests.unit.formats.okendo_bodies import (
    CUSTOMER,
    ID,
    MEMBER,
    REWARD,
    SAID_REWARD,
    ordered,
    render,
    resource,
)

ADJUSTMENT: dict[str, Json] = {
    "member": MEMBER,
    "transaction": {
        "id": ID,
        "points": 100,
        "status": "complete",
        "at": "2025-06-18T07:31:46.915999+02:00",
        "reason": "Manual Adjustment",
        "message": "Manual Store Adjustment",
    },
}


def printed_adjustment(topic: str) -> dict[str, Json]:
    """The page's samples `loyalty_adjustment_transaction.create`, `.update` and `.delete`."""
    customer: dict[str, Json] = {} if topic == "delete" else {"customer": CUSTOMER}
    return {
        "resource": {
            "loyaltyCustomerId": ID,
            "loyaltyTransactionId": ID,
            "subscriberId": ID,
            "amount": 100,
            **customer,
            "date": "2025-06-18T05:31:46.915Z",
            "internalReason": "Manual Adjustment",
            "notificationText": "Manual Store Adjustment",
            "status": "complete",
        },
        "resourceType": "loyalty_adjustment_transaction",
        "sequenceNumber": "123123412",
        "topic": topic,
        "version": "2025-02-01",
    }


@pytest.mark.parametrize(
    ("event_type", "topic"),
    [
        ("points.added", "create"),
        ("points.adjustment.updated", "update"),
        ("points.adjustment.deleted", "delete"),
    ],
)
def test_an_adjustment_is_as_printed(event_type: str, topic: str) -> None:
    event = an_event(type=event_type, accepted_at=123123412, data=ADJUSTMENT)

    assert render(event) == compact(printed_adjustment(topic))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("active", "enrolled"),
        ("Active", "enrolled"),
        ("pending", "pending"),
        ("suspended", "blocked"),
        ("blocked", "blocked"),
        ("on holiday", None),
    ],
)
def test_the_status_of_a_member_is_one_of_okendos_three(ours: str, theirs: str | None) -> None:
    told = resource("member.updated", {"member": {**MEMBER, "status": ours}})

    assert told.get("status") == theirs


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("approved", "complete"), ("complete", "complete"), ("Settled", "complete"), ("held", "held")],
)
@pytest.mark.parametrize("event_type", ["points.added", "points.earned", "points.redeemed"])
def test_a_transaction_that_is_done_is_complete(event_type: str, ours: str, theirs: str) -> None:
    data: dict[str, Json] = {"transaction": {"id": ID, "points": 1, "status": ours}}

    assert resource(event_type, data)["status"] == theirs


def test_points_taken_away_are_a_negative_amount() -> None:
    data: dict[str, Json] = {"member": MEMBER, "transaction": {"id": ID, "points": -40}}

    assert resource("points.deducted", data)["amount"] == -40


ENROLLED: dict[str, Json] = {
    "member": {
        **MEMBER,
        "status": "enrolled",
        "birthday": "1990-04-10",
        "enrolled_at": "2024-02-11T09:30:00Z",
        "points": {
            "balance": 860,
            "expiries": [{"on": "2026-12-31", "points": 240}, {"on": "2027-01-31", "points": 9}],
        },
        "tier": {"name": "Gold", "since": "2026-01-01", "until": "2026-12-31"},
    }
}
LOYALTY_CUSTOMER: dict[str, Json] = {
    "loyaltyCustomerId": ID,
    "customer": {"customerId": ID, "email": "tim@example.com"},
    "birthday": {"day": 10, "month": 4, "year": 1990},
    "dateEnrolled": "2024-02-11T09:30:00.000Z",
    "points": {"balance": 860},
    "pointsExpiry": [
        {"date": "2026-12-31", "amount": 240},
        {"date": "2027-01-31", "amount": 9},
    ],
    "status": "enrolled",
    "subscriberId": ID,
    "vipTierName": "Gold",
    "dateVipTierEntered": "2026-01-01",
    "dateVipTierExpires": "2026-12-31",
}


@pytest.mark.parametrize("event_type", ["member.enrolled", "member.updated", "tier.left"])
def test_a_loyalty_customer_has_all_that_the_page_lists(event_type: str) -> None:
    assert ordered(resource(event_type, ENROLLED)) == ordered(LOYALTY_CUSTOMER)


@pytest.mark.parametrize("event_type", ["tier.upgraded", "tier.joined", "tier.prolonged"])
def test_a_change_of_tier_tells_the_tier_that_was_entered(event_type: str) -> None:
    change: dict[str, Json] = {
        "previous": {"name": "Gold"},
        "current": {"name": "Platinum"},
        "since": "2026-11-21",
        "until": "2027-11-20",
    }

    assert resource(event_type, {**ENROLLED, "tier": change}) == {
        **LOYALTY_CUSTOMER,
        "vipTierName": "Platinum",
        "dateVipTierEntered": "2026-11-21",
        "dateVipTierExpires": "2027-11-20",
    }


def test_the_tier_entered_has_no_days_of_another_tier_that_the_member_was_in() -> None:
    def entering(name: str) -> dict[str, Any]:
        return resource("tier.upgraded", {**ENROLLED, "tier": {"current": {"name": name}}})

    without_days = {name: LOYALTY_CUSTOMER[name] for name in LOYALTY_CUSTOMER if "Tier" not in name}
    assert entering("Platinum") == {**without_days, "vipTierName": "Platinum"}
    assert entering("Gold") == LOYALTY_CUSTOMER


def test_leaving_a_tier_tells_the_one_that_the_member_is_in() -> None:
    change: dict[str, Json] = {"previous": {"name": "Platinum"}, "until": "2026-11-20"}

    assert resource("tier.left", {**ENROLLED, "tier": change}) == LOYALTY_CUSTOMER


def test_an_earning_is_an_adjustment_with_its_action() -> None:
    activity: dict[str, Json] = {"id": "a", "name": "Visit", "points": 5, "url": "https://a"}
    transaction = ADJUSTMENT["transaction"]
    assert isinstance(transaction, dict)
    data = {**ADJUSTMENT, "transaction": {**transaction, "activity": activity}}

    action: dict[str, Json] = {"actionId": "a", "name": "Visit", "url": "https://a", "amount": 5}
    expected = printed_adjustment("create")["resource"]
    assert isinstance(expected, dict)
    assert resource("points.earned", data) == {**expected, "action": action}


@pytest.mark.parametrize("event_type", ["points.redeemed", "reward.redeemed"])
def test_a_redemption_is_of_the_points_spent_and_its_reward(event_type: str) -> None:
    transaction = ADJUSTMENT["transaction"]
    assert isinstance(transaction, dict)
    data = {**ADJUSTMENT, "transaction": {**transaction, "points": -100}, "reward": REWARD}

    expected = printed_adjustment("create")["resource"]
    assert isinstance(expected, dict)
    assert resource(event_type, data) == {**expected, "reward": SAID_REWARD}


def test_the_value_of_a_reward_is_said_as_it_was_given() -> None:
    for value in ("10.00", 10, 9.5):
        told = resource("reward.redeemed", {"reward": {"value": value}})["reward"]
        assert ordered(told) == ordered({"value": value})


def test_a_redemption_without_transaction_is_of_the_price_of_its_reward() -> None:
    data: dict[str, Json] = {"member": MEMBER, "reward": {"name": "Mug", "points": 250}}

    assert resource("reward.redeemed", data)["amount"] == 250
