"""A receiver of Zoho Thrive's webhooks, written after the samples of its help page.

Nothing here knows how Perkwire makes a body: a field that the page prints and that is not there, or
is of another type, is an error of the receiver.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.formats.registry import FORMATS
from perkwire.primitives.strict_json import Json
from tests.builders import a_payload, an_event

# The members of each sample, as the page prints them, with their types; ids are whole numbers.
WHO = {"email_id": str, "contact_id": int, "user_program_id": int}
POINTS = {"points_details": int, "earned_points": int, **WHO}
SAMPLES: Mapping[str, Mapping[str, type]] = {
    "tier_upgrade": {"previous_tier": str, "current_tier": str, "total_points": int, **WHO},
    "opt_in": {
        "user_type": str,
        "joined_date": int,
        "is_loyalty_optin": bool,
        "first_name": str,
        "last_name": str,
        **WHO,
    },
    "new_purchase": {
        "amount": float,
        "purchase_time": int,
        "order_id": str,
        "purchase_order_track_id": int,
        **WHO,
    },
    "redeem_rewards": {"reward_name": str, "total_points": int, "redeemed_points": int, **WHO},
    "follow_instagram": POINTS,
    "google_review_activity": {**POINTS, "review_details": str},
    "testimonial_activity": {**POINTS, "review_details": str},
    "custom_activity_tracker": {**POINTS, "unique_identifier": str},
}
OF_TYPE = {
    "tier.upgraded": "tier_upgrade",
    "member.opted_in": "opt_in",
    "referral.added": "opt_in",
    "purchase.created": "new_purchase",
    "reward.redeemed": "redeem_rewards",
    "social.instagram.followed": "follow_instagram",
    "review.google.created": "google_review_activity",
    "testimonial.created": "testimonial_activity",
    "task.completed": "custom_activity_tracker",
}


def read(raw: bytes) -> dict[str, Any]:
    """The message, each of whose printed members is there and of the printed type."""
    body = json.loads(raw)
    assert body["code"] == 200
    message: dict[str, Any] = body["message"]
    for name, kind in SAMPLES[message["event"]].items():
        value = message[name]
        assert isinstance(value, int | float if kind is float else kind), (name, value)
    return message


@pytest.mark.parametrize("event_type", OF_TYPE)
def test_every_field_that_the_page_prints_is_read(event_type: str) -> None:
    example = event_types()[event_type].example
    member = example["member"]
    assert isinstance(member, dict)
    ids: dict[str, Json] = {"id": "826000000272053", "membership_id": "826000000272057"}
    event = an_event(type=event_type, data={**example, "member": {**member, **ids}})

    message = read(FORMATS["zoho-thrive"].render(a_payload(event)))

    assert message["event"] == OF_TYPE[event_type]
    assert {*message} == {*SAMPLES[message["event"]], "event"}
