"""Talon.One: a receiver written after what is public of its webhooks."""

import base64
import hashlib
import hmac

import pytest

from perkwire.catalogue.names import ProductEvent
from tests.builders import NOW
from tests.unit.formats.contract_product import ContractProduct

PRODUCT = ContractProduct("talon-one@1", secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
SECRET, delivery = PRODUCT.secret, PRODUCT.delivery


@pytest.mark.parametrize("event", PRODUCT.events, ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    PRODUCT.says(event)


def test_no_type_is_said_that_no_line_of_the_page_has() -> None:
    PRODUCT.says_no_more()


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


@pytest.mark.parametrize("event_type", PRODUCT.types)
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
