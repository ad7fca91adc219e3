"""Square Loyalty: a receiver written after what is public of its webhooks."""

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

NAME = "square-loyalty@1"
FORMAT = built_in(NAME)
SECRET = "a-signature-key-of-square"


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


@pytest.mark.parametrize("event", product_events("square-loyalty"), ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    for event_type in event.types:
        said = FORMAT.contract.said(event_type)
        assert said is not None
        assert said.name == event.name.name
        if event.name.topic is not None:
            assert event.name.topic in said.words.values()
        assert event.name.name in json.dumps(delivery(event_type)[0])


def test_no_type_is_said_that_no_line_of_the_page_has() -> None:
    of_lines = {one for event in product_events("square-loyalty") for one in event.types}

    assert {one for one in event_types() if FORMAT.name_of(one)} == of_lines


DETAILS = {
    "ACCUMULATE_POINTS": ("accumulate_points", {"loyalty_program_id", "points", "order_id"}),
    "ADJUST_POINTS": ("adjust_points", {"loyalty_program_id", "points", "reason"}),
    "EXPIRE_POINTS": ("expire_points", {"loyalty_program_id", "points"}),
    "REDEEM_REWARD": ("redeem_reward", {"loyalty_program_id", "reward_id", "order_id"}),
    "CREATE_REWARD": ("create_reward", {"loyalty_program_id", "reward_id", "points"}),
}


@pytest.mark.parametrize("event_type", [one for one in event_types() if FORMAT.name_of(one)])
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
