"""Receivers of Voucherify's webhooks, written after its pages and after what public ones read.

Nothing here knows how Perkwire makes a body: a field that these sources name and that is not there,
or is of another type, is an error of the receiver. What a schema says stands in `test_schemas.py`.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.formats.format import Attempt
from perkwire.formats.registry import find_format
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import DeliveryId
from perkwire.primitives.strict_json import Json
from tests.builders import NOW, a_payload, an_event
from tests.javascript import JavaScript

SECRET = "mysecret"


def arrived(event_type: str, data: dict[str, Json], **given: Json) -> tuple[dict[str, str], bytes]:
    """Headers and body as they reach an endpoint."""
    format_ = find_format("voucherify")
    assert format_ is not None
    settings = format_.read_settings(Fields({**given}))
    event = an_event(type=event_type, data=data, program_id="gold")
    body = format_.render(a_payload(event, settings=settings))
    attempt = Attempt(delivery_id=DeliveryId("dlv_1"), at=NOW, body=body, settings=settings)
    return format_.sign([SECRET], attempt), body


def example(event_type: str, **given: Json) -> dict[str, Any]:
    """The body of the catalogue's example, verified over the bytes."""
    headers, raw = arrived(event_type, event_types()[event_type].example, **given)
    computed = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(computed, headers["x-voucherify-signature"])
    body: dict[str, Any] = json.loads(raw)
    return body


def test_it_verifies_what_it_has_parsed_and_written_again_as_the_page_says() -> None:
    headers, raw = arrived("custom.x", {"member": {"id": "m"}, "10": 1.0, "9": 1e-7, "b": -0.0})

    with JavaScript() as node:
        again = node.restringified(raw)

    computed = hmac.new(SECRET.encode(), again, hashlib.sha256).hexdigest()
    assert headers["x-voucherify-signature"] == computed


@pytest.mark.parametrize("event_name", [None, "Points gained"])
def test_it_reads_the_envelope(event_name: str | None) -> None:
    body = example("points.earned", **({} if event_name is None else {"event_name": event_name}))

    assert body["id"].startswith("whs_")
    assert {"id", "object", "target_url"} == {*body["source"]}
    event = body["event"]
    assert {"id", "type", "created_at", "entity_id", "group_id", "event_source"} == {*event}
    assert event["event_source"]["channel"] in ("USER_PORTAL", "API", "CLIENT_API", "INTERNAL")
    for moment in (body["created_at"], event["created_at"]):
        assert datetime.fromisoformat(moment).tzinfo
    assert body["type"] == (event_name or event["type"])


def shop_message(body: Mapping[str, Any]) -> dict[str, str] | None:
    """A shop that pops a published code up to its holder, and tells of a reward."""
    voucher = body["data"]["voucher"]
    match body["type"]:
        case "voucher.published":
            if voucher["metadata"].get("auto_publish"):
                return None
            return {
                "to": voucher["holder_id"],
                "id": voucher["id"],
                "code": voucher["code"],
                "campaign": voucher["campaign"],
            }
        case "customer.rewarded":
            return {"to": voucher["holder_id"], "code": voucher["code"]}
        case _:
            return None


def test_a_shop_that_switches_on_voucher_published_is_reached() -> None:
    data = event_types()["voucher.published"].example

    message = shop_message(example("voucher.published"))

    member, voucher, campaign = data["member"], data["voucher"], data["campaign"]
    assert isinstance(member, dict)
    assert isinstance(voucher, dict)
    assert isinstance(campaign, dict)
    assert message == {
        "to": member["id"],
        "id": voucher["id"],
        "code": voucher["code"],
        "campaign": campaign["name"],
    }


def queue_row(body: Mapping[str, Any]) -> dict[str, str]:
    """A bridge to a mailing tool, which stores a publication once by its event's id."""
    assert body["type"] == "voucher.published"
    data = body["data"]
    row = {
        "event": body["event"]["id"],
        "voucher": data["voucher"]["id"],
        "code": data["voucher"]["code"],
        "customer": data["customer"]["id"],
    }
    assert all(isinstance(one, str) and one for one in row.values())
    return row


def test_a_bridge_that_reads_voucher_and_customer_of_a_publication_is_reached() -> None:
    assert queue_row(example("voucher.published"))
    assert shop_message(example("referral.rewarded"))


def test_one_that_branches_on_the_balance_of_a_reward_takes_none() -> None:
    data = example("reward.redeemed")["data"]

    assert data["balance"] is None
    spent = data["reward_assignment"]["parameters"]["loyalty"]["points"]
    assert isinstance(spent, int)
    assert spent > 0


def earned_by(rule: Mapping[str, Any]) -> int:
    """A typed union: the member `type` says which."""
    match rule["loyalty"]["type"]:
        case "FIXED":
            points = rule["loyalty"]["points"]
            assert isinstance(points, int)
            return points
        case kind:
            raise AssertionError(kind)


def test_one_that_tells_earning_rules_apart_by_their_type_can() -> None:
    assert earned_by(example("points.rewarded")["data"]["earning_rule"]) > 0


@pytest.mark.parametrize("kind", ["order.paid", "segment.entered"])
def test_what_is_the_distributions_own_is_not_taken_for_the_members(kind: str) -> None:
    data = example(kind, event_name="x")["data"]

    assert {"campaign", "voucher", "publication", "promotion_tier"}.isdisjoint(data)
