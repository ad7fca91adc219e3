"""Talon.One: a receiver written after what is public of its webhooks."""

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

NAME = "talon-one@1"
FORMAT = built_in(NAME)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


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


@pytest.mark.parametrize("event", product_events("talon-one"), ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    for event_type in event.types:
        said = FORMAT.contract.said(event_type)
        assert said is not None
        assert said.name == event.name.name
        if event.name.topic is not None:
            assert event.name.topic in said.words.values()
        assert event.name.name in json.dumps(delivery(event_type)[0])


def test_no_type_is_said_that_no_line_of_the_page_has() -> None:
    of_lines = {one for event in product_events("talon-one") for one in event.types}

    assert {one for one in event_types() if FORMAT.name_of(one)} == of_lines


LEDGER = {
    "NotificationType", "ProfileIntegrationID", "LoyaltyProgramID", "SubledgerID", "Amount",
    "Reason", "TypeOfChange", "EmployeeName", "UserID", "Operation", "StartDate", "ExpiryDate",
    "SessionIntegrationID", "TransactionUUID",
}  # fmt: skip
TIER = {
    "NotificationType", "CustomerProfileID", "LoyaltyProgramID", "SubledgerID", "CurrentTier",
    "CurrentPoints", "OldTier", "PointsRequiredToTheNextTier", "NextTier", "TierExpirationDate",
    "TimestampOfTierChange",
}  # fmt: skip
MEMBERS = {
    "LoyaltyPointsAdded": LEDGER,
    "LoyaltyPointsDeducted": LEDGER,
    "LoyaltyPointsExpiring": {
        "NotificationType", "ExpiryDate", "LoyaltyProgramID", "CustomerProfileID",
        "AmountOfExpiringPoints", "SubledgerID",
    },
    "LoyaltyPointsPendingToActive": {
        "NotificationType", "CustomerProfileID", "LoyaltyProgramID", "SubledgerID", "Points",
        "ActiveOn", "ExpireOn",
    },
    "TierUpgrade": TIER,
    "TierDowngrade": TIER,
}  # fmt: skip


@pytest.mark.parametrize("event_type", [one for one in event_types() if FORMAT.name_of(one)])
def test_a_delivery_satisfies_a_receiver_written_after_the_pages(event_type: str) -> None:
    body, headers, raw = delivery(event_type)

    assert {*body} == MEMBERS[body["NotificationType"]]
    assert body["LoyaltyProgramID"] == 7
    assert len(headers["x-uuid"]) == 36
    if "Operation" in body:
        assert body["Operation"] in ("addition", "subtraction")
        assert body["TypeOfChange"] in ("campaign_manager", "rule_engine", "management_api")
        assert body["Amount"] > 0
    signed = b"%s.%d.%s" % (headers["webhook-id"].encode(), NOW // 10**6, raw)
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
