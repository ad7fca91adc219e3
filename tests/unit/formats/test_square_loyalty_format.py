"""Square Loyalty: a receiver written after what is public of its webhooks."""

import base64
import hashlib
import hmac

import pytest

from perkwire.catalogue.names import ProductEvent
from tests.unit.formats.contract_product import ContractProduct

PRODUCT = ContractProduct("square-loyalty@1", secret="a-signature-key-of-square")
SECRET, delivery = PRODUCT.secret, PRODUCT.delivery


@pytest.mark.parametrize("event", PRODUCT.events, ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    PRODUCT.says(event)


def test_no_type_is_said_that_no_line_of_the_page_has() -> None:
    PRODUCT.says_no_more()


DETAILS = {
    "ACCUMULATE_POINTS": ("accumulate_points", {"loyalty_program_id", "points", "order_id"}),
    "ADJUST_POINTS": ("adjust_points", {"loyalty_program_id", "points", "reason"}),
    "EXPIRE_POINTS": ("expire_points", {"loyalty_program_id", "points"}),
    "REDEEM_REWARD": ("redeem_reward", {"loyalty_program_id", "reward_id", "order_id"}),
    "CREATE_REWARD": ("create_reward", {"loyalty_program_id", "reward_id", "points"}),
}


@pytest.mark.parametrize("event_type", PRODUCT.types)
def test_a_delivery_satisfies_a_receiver_written_after_the_pages(event_type: str) -> None:
    body, headers, raw = delivery(event_type, merchant_id="MLX", location_id="L1")

    signed = b"https://receiver.example/hook" + raw
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["x-square-hmacsha256-signature"] == expected
    assert headers["square-environment"] == "Production"
    assert {*body} == {"merchant_id", "type", "event_id", "created_at", "data"}
    assert body["merchant_id"] == "MLX"
    data = body["data"]
    assert data["type"] in ("loyalty_account", "loyalty_event")
    if body["type"] == "loyalty.account.deleted":
        assert data == {"type": "loyalty_account", "id": data["id"], "deleted": True}
    elif body["type"] == "loyalty.event.created":
        event = data["object"]["loyalty_event"]
        name, members = DETAILS[event["type"]]
        assert {*event[name]} <= members
        assert event["id"] == data["id"]
        assert event["location_id"] == "L1"
        assert event["source"] in ("SQUARE", "LOYALTY_API")
        if "points" in event[name]:
            assert isinstance(event[name]["points"], int)
    else:
        assert data["object"]["loyalty_account"]["id"] == data["id"]
