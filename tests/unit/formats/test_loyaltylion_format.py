"""LoyaltyLion: a receiver written after what is public of its webhooks."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import ProductEvent, product_events
from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.contracts.built_in import built_in
from perkwire.primitives.fields import Fields
from tests.builders import NOW, a_delivery_message, a_webhook, an_event

NAME = "loyaltylion@2"
FORMAT = built_in(NAME)
SECRET = "a-secret-of-the-shop"


def delivery(event_type: str, **settings: str) -> tuple[dict[str, Any], dict[str, str], bytes]:
    """What a receiver gets: the body, the headers, the bytes."""
    webhook = a_webhook(
        format=NAME,
        format_settings=FORMAT.read_settings(Fields(dict(settings))),
        url="https://receiver.example/hook",
    )
    event = an_event(type=event_type, data=event_types()[event_type].example, program_id="7")
    request = render(a_delivery_message(webhook, event), webhook, OpenedSecrets(SECRET, {}), NOW)
    body: dict[str, Any] = json.loads(request.body)
    return body, dict(request.headers), request.body


@pytest.mark.parametrize("event", product_events("loyaltylion"), ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    for event_type in event.types:
        said = FORMAT.contract.said(event_type)
        assert said is not None
        assert said.name == event.name.name
        if event.name.topic is not None:
            assert event.name.topic in said.words.values()
        assert event.name.name in json.dumps(delivery(event_type)[0])


def test_no_type_is_said_that_no_line_of_the_page_has() -> None:
    of_lines = {one for event in product_events("loyaltylion") for one in event.types}

    assert {one for one in event_types() if FORMAT.name_of(one)} == of_lines


CUSTOMER = {
    "id", "merchant_id", "email", "points_approved", "points_pending", "points_spent",
    "rewards_claimed", "properties", "metadata", "birthday", "blocked", "guest", "enrolled",
    "enrolled_at", "referral_id", "referred_by", "loyalty_tier_membership", "insights_segment",
    "referral_url", "created_at", "updated_at",
}  # fmt: skip


@pytest.mark.parametrize("event_type", [one for one in event_types() if FORMAT.name_of(one)])
def test_a_delivery_satisfies_a_receiver_written_after_the_pages(event_type: str) -> None:
    body, headers, raw = delivery(event_type, site_domain="shop.example")

    expected = base64.b64encode(hmac.new(SECRET.encode(), raw, hashlib.sha256).digest()).decode()
    assert headers["x-loyaltylion-hmac-sha256"] == expected
    assert headers["x-loyaltylion-topic"] == body["topic"] == FORMAT.name_of(event_type)
    assert headers["x-loyaltylion-site-domain"] == "shop.example"
    customer = body["customer"] if "customer" in body else body["payload"]["properties"]["customer"]
    assert {*customer} == CUSTOMER
    assert body["created_at"].endswith("Z")
    assert len(body["id"]) == 36


def test_an_enrolment_and_earned_points_have_the_members_that_are_printed() -> None:
    enrolled, _, _ = delivery("member.enrolled")
    earned, _, _ = delivery("points.earned")

    assert {*enrolled["payload"]["properties"]["enrollment"]} == {"date", "trigger"}
    assert {*earned["payload"]["properties"]} == {"customer", "transaction", "available_rewards"}
