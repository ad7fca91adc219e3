"""LoyaltyLion: a receiver written after what is public of its webhooks."""

import base64
import hashlib
import hmac

import pytest

from perkwire.catalogue.names import ProductEvent
from tests.unit.formats.contract_product import ContractProduct

PRODUCT = ContractProduct("loyaltylion@2", secret="a-secret-of-the-shop")
FORMAT, SECRET, delivery = PRODUCT.format, PRODUCT.secret, PRODUCT.delivery


@pytest.mark.parametrize("event", PRODUCT.events, ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    PRODUCT.says(event)


def test_no_type_is_said_that_no_line_of_the_page_has() -> None:
    PRODUCT.says_no_more()


CUSTOMER = {
    "id", "merchant_id", "email", "points_approved", "points_pending", "points_spent",
    "rewards_claimed", "properties", "metadata", "birthday", "blocked", "guest", "enrolled",
    "enrolled_at", "referral_id", "referred_by", "loyalty_tier_membership", "insights_segment",
    "referral_url", "created_at", "updated_at",
}  # fmt: skip


@pytest.mark.parametrize("event_type", PRODUCT.types)
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
