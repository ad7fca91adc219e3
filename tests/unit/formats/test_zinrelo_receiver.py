"""A receiver of Zinrelo's webhooks, written after its help page and what its plug-ins read.

Nothing here knows how Perkwire makes a body: a field that these sources name and that is not there,
or is of another type, is an error of the receiver.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import product_events
from perkwire.formats.format import Attempt
from perkwire.formats.registry import FORMATS
from perkwire.primitives.ids import DeliveryId
from perkwire.primitives.strict_json import Json
from tests.builders import NOW, a_payload, an_event

FORMAT = FORMATS["zinrelo"]
SECRET = "mysecret"
SUB_TYPES = (
    "Fixed Amount Discount",
    "Percentage Discount",
    "Product Redemption",
    "Free Shipping",
)
TIME = re.compile(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d")


def arrived(event_type: str, data: dict[str, Json]) -> tuple[dict[str, str], bytes]:
    """Headers and body as they reach an endpoint."""
    body = FORMAT.render(a_payload(an_event(type=event_type, data=data)))
    attempt = Attempt(delivery_id=DeliveryId("dlv_1"), at=NOW, body=body, settings={})
    return FORMAT.sign([SECRET], attempt), body


def event_of(headers: Mapping[str, str], raw: bytes) -> dict[str, Any]:
    """The one event of a batch that is verified as the page's code does."""
    message = f"{raw.decode()}:{headers['nonce']}".encode()
    computed = hmac.new(SECRET.encode(), message, hashlib.sha512).hexdigest()
    assert hmac.compare_digest(computed, headers["x-zinrelo-signature"])
    batch = json.loads(raw)
    assert isinstance(batch["request_id"], str)
    assert TIME.fullmatch(batch["created_date"])
    assert int(batch["total_count"]) == len(batch["events"]) == 1
    event: dict[str, Any] = batch["events"][0]
    assert isinstance(event["id"], str)
    return event


def of_text(owner: Mapping[str, Any], *names: str) -> list[str]:
    """Members that have to be texts."""
    found = [owner[name] for name in names]
    assert all(isinstance(one, str) and one for one in found), (names, found)
    return found


def read_member(member: Mapping[str, Any]) -> None:
    """The member object as the reference prints it: numbers as texts."""
    of_text(member, "id", "member_id", "first_name", "last_name", "email_address", "phone_number")
    of_text(member["address"], "city", "country", "line1", "postal_code", "state")
    for name in ("available_points", "lifetime_points_earned", "lifetime_points_redeemed"):
        assert str(int(member[name])) == member[name]
    assert re.fullmatch(r"\d\d/\d\d/\d{4}", member["birthdate"])


def coupon_of(event: Mapping[str, Any]) -> dict[str, str]:
    """What the plug-ins read of a redemption, to put the reward into the cart."""
    transaction = event["data"]["transaction_info"]
    of_text(transaction, "id")
    reward = transaction["reward_info"]
    names = ("reward_id", "coupon_code", "reward_name", "reward_value", "product_id")
    assert reward["reward_sub_type"] in SUB_TYPES
    return dict(zip(names, of_text(reward, *names), strict=True))


@pytest.mark.parametrize(
    "event_type", sorted({one for event in product_events("zinrelo") for one in event.types})
)
def test_the_member_is_read_in_every_event(event_type: str) -> None:
    event = event_of(*arrived(event_type, event_types()[event_type].example))

    assert event["event_type"].startswith("event_")
    read_member(event["data"]["member_info"])


@pytest.mark.parametrize("event_type", ["points.earned", "points.added"])
def test_an_award_is_read_as_the_reference_prints_it(event_type: str) -> None:
    event = event_of(*arrived(event_type, event_types()[event_type].example))

    transaction = event["data"]["transaction_info"]
    of_text(transaction, "id", "member_id")
    assert transaction["transaction_type"] == "award"
    if event_type == "points.earned":
        of_text(transaction["award_info"], "activity_id", "activity_name")
    assert transaction["award_info"]["points_status"] == "Approved"
    assert int(transaction["award_info"]["points"]) > 0


def test_the_coupon_of_a_redeemed_reward_is_read() -> None:
    example = event_types()["reward.redeemed"].example

    coupon = coupon_of(event_of(*arrived("reward.redeemed", example)))

    reward = example["reward"]
    assert isinstance(reward, dict)
    assert coupon["coupon_code"] == reward["code"]
    assert coupon["reward_id"] == reward["id"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("coupon", "Fixed Amount Discount"),
        ("percentage", "Percentage Discount"),
        ("product", "Product Redemption"),
        ("free_shipping", "Free Shipping"),
        ("lottery ticket", "lottery ticket"),
    ],
)
def test_the_kind_of_a_reward_is_in_the_plug_ins_words(ours: str, theirs: str) -> None:
    event = event_of(*arrived("reward.redeemed", {"reward": {"id": "r", "type": ours}}))

    assert event["data"]["transaction_info"]["reward_info"]["reward_sub_type"] == theirs
