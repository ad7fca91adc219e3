"""Rivo: a receiver written after what is public of its webhooks."""

import base64
import hashlib
import hmac

import pytest

from perkwire.catalogue.names import ProductEvent
from tests.unit.formats.contract_product import ContractProduct

PRODUCT = ContractProduct("rivo@1", secret="a-secret-of-the-shop")
FORMAT, SECRET, delivery = PRODUCT.format, PRODUCT.secret, PRODUCT.delivery


@pytest.mark.parametrize("event", PRODUCT.events, ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    PRODUCT.says(event)


def test_no_type_is_said_that_no_line_of_the_page_has() -> None:
    PRODUCT.says_no_more()


CUSTOMER = {
    "id", "email", "first_name", "last_name", "dob", "accepts_marketing", "orders_count",
    "verified_email", "total_spent", "shopify_tags", "loyalty_status", "points_tally",
    "credits_tally", "event_type",
}  # fmt: skip
EVENT = {
    "id", "points_amount", "points_diff", "credits_amount", "credits_diff", "applied_at",
    "internal_note", "external_note", "event_type", "source", "order_id", "customer",
}  # fmt: skip


@pytest.mark.parametrize("event_type", PRODUCT.types)
def test_a_delivery_satisfies_a_receiver_written_after_the_pages(event_type: str) -> None:
    body, headers, raw = delivery(event_type)

    expected = base64.b64encode(hmac.new(SECRET.encode(), raw, hashlib.sha256).digest()).decode()
    assert headers["rivo-signature"] == expected
    assert {*body} >= EVENT
    assert {*body["customer"]} == CUSTOMER
    assert body["event_type"] == body["customer"]["event_type"] == FORMAT.name_of(event_type)
    assert body["applied_at"].endswith(".000Z")
    assert isinstance(body["points_diff"], int)
    assert (body["points_diff"] > 0) == (event_type in ("points.earned", "points.added"))
    assert body["customer"]["credits_tally"] == "0.0"
