"""Receivers of Okendo's webhooks, written after its pages and after what a shop's own reads.

Nothing here knows how Perkwire makes a body: a field that these sources name and that is not there,
or is of another type, is an error of the receiver.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import product_events
from perkwire.formats.format import Attempt
from perkwire.formats.okendo.envelope import Okendo
from perkwire.formats.registry import FORMATS
from perkwire.primitives.ids import AccountId, DeliveryId
from perkwire.primitives.strict_json import Json
from tests.builders import NOW, SECRET, a_payload, an_event

FORMAT = FORMATS[Okendo.name]
ACCOUNT = AccountId("123e4567-e89b-12d3-a456-426614174000")


class Refused(Exception):
    """The receiver answers 401."""


def arrived(event_type: str, data: dict[str, Json]) -> tuple[dict[str, str], bytes]:
    """Headers and body as they reach an endpoint."""
    event = an_event(type=event_type, data=data)
    body = FORMAT.render(a_payload(event, account_id=ACCOUNT))
    attempt = Attempt(delivery_id=DeliveryId("dlv_1"), at=NOW, body=body, settings={})
    return FORMAT.sign([SECRET], attempt), body


def verified(headers: Mapping[str, str], raw: bytes, prefix: str) -> dict[str, Any]:
    """By hand, as Svix's page and the shop have it; the shop takes `webhook-` for the prefix."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{headers[f'{prefix}id']}.{headers[f'{prefix}timestamp']}.".encode() + raw
    computed = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [one.removeprefix("v1,") for one in headers[f"{prefix}signature"].split(" ")]
    if computed not in given:
        raise Refused
    payload: dict[str, Any] = json.loads(raw)
    UUID(payload["resource"]["subscriberId"])
    assert int(payload["sequenceNumber"]) > 0
    assert payload["version"] == "2025-02-01"
    assert payload["topic"] in ("create", "update", "delete")
    return payload


def of_text(owner: Mapping[str, Any], *names: str) -> list[str]:
    """Members that have to be texts."""
    found = [owner[name] for name in names]
    assert all(isinstance(one, str) and one for one in found), (names, found)
    return found


def of_time(owner: Mapping[str, Any], name: str) -> datetime:
    """A member that has to be a time, as `2025-07-11T05:09:34.561Z`."""
    (text,) = of_text(owner, name)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text), text
    return datetime.fromisoformat(text)


def answer_of(question: Mapping[str, Any]) -> str:
    """An answer, and what was written beside it, in one text."""
    answer = question["answer"]
    text = ", ".join(map(str, answer)) if isinstance(answer, list) else str(answer)
    custom = question.get("customAnswer")
    return f"{text} (Other: {custom.strip()})" if custom else text


def survey_rows(payload: dict[str, Any]) -> list[dict[str, str]]:
    """What the shop passes on of a survey response: a row for each answered question."""
    resource = payload["resource"]
    of_text(resource, "surveyResponseId", "surveyId", "surveyName", "channel")
    of_text(resource, "channelSurveyId", "channelSurveyDescription")
    of_text(resource["customer"], "customerId", "email")
    of_text(resource["reward"], "description", "type", "value")
    of_time(resource, "dateCreated")
    return [
        {
            "order_id": resource["order"]["remoteOrderId"],
            "platform_account_id": resource["subscriberId"],
            "created_at": resource["dateCreated"],
            "question": ": ".join(of_text(question, "id", "type", "text")),
            "response": answer_of(question),
        }
        for question in resource["answeredQuestions"]
    ]


@pytest.mark.parametrize("event_type", ["survey_response.created", "survey_response.updated"])
def test_the_shop_reads_every_field_of_a_survey_response(event_type: str) -> None:
    headers, raw = arrived(event_type, event_types()[event_type].example)

    payload = verified(headers, raw, "webhook-")

    assert payload["resourceType"] == "survey_response"
    assert survey_rows(payload) == [
        {
            "order_id": "ord_70551",
            "platform_account_id": ACCOUNT,
            "created_at": "2026-09-21T14:13:20.000Z",
            "question": "q1: nps: How was the delivery?",
            "response": "9",
        },
        {
            "order_id": "ord_70551",
            "platform_account_id": ACCOUNT,
            "created_at": "2026-09-21T14:13:20.000Z",
            "question": "q2: multiple-choice: What could be better?",
            "response": "Packing (Other: Less paper, please.)",
        },
    ]
    first, second = payload["resource"]["answeredQuestions"]
    assert first["answerNpsCategory"] == "promoter"
    assert second["customAnswerOptionText"] == "Something else"
    assert second["profileQuestionId"] == "pq_3"
    assert second["marketingOptIn"] is True


def test_the_shop_survives_a_response_without_answers() -> None:
    headers, raw = arrived("survey_response.created", {"survey_response": {"id": "srs_1"}})

    assert verified(headers, raw, "webhook-")["resource"]["answeredQuestions"] == []


def test_the_shop_refuses_another_body() -> None:
    headers, raw = arrived("survey_response.created", {"survey_response": {"id": "srs_1"}})

    with pytest.raises(Refused):
        verified(headers, raw + b" ", "webhook-")


def read_transaction(resource: Mapping[str, Any]) -> None:
    """All that the page prints of an adjustment."""
    of_text(resource, "loyaltyCustomerId", "loyaltyTransactionId", "notificationText", "status")
    of_time(resource, "date")
    assert isinstance(resource["amount"], int)


def read_loyalty_customer(resource: Mapping[str, Any]) -> None:
    """What the REST page types, and the support page lists."""
    of_text(resource, "loyaltyCustomerId")
    assert isinstance(resource.get("vipTierName", "none"), str)
    assert resource.get("status", "enrolled") in ("pending", "enrolled", "blocked")
    assert isinstance(resource["points"]["balance"], int)
    assert {*resource["birthday"]} == {"day", "month", "year"}


def read_review(resource: Mapping[str, Any]) -> None:
    """All that the REST page prints of a review."""
    of_text(resource, "reviewId", "productId", "body", "title", "productName", "variantId")
    of_time(resource, "dateCreated")
    assert resource.get("status", "approved") in ("approved", "pending", "rejected")
    assert resource["sentiment"] in ("positive", "negative", "neutral", "mixed")
    for name in ("containsProfanity", "isRecommended"):
        assert isinstance(resource[name], bool)
    for name in ("helpfulCount", "unhelpfulCount", "rating"):
        assert isinstance(resource[name], int)
    for medium in resource["media"]:
        of_text(medium, "streamId", "fullSizeUrl", "largeUrl", "thumbnailUrl", "type")
        assert medium["isHidden"] is False
    for attribute in resource["attributesWithRating"]:
        of_text(attribute, "minLabel", "midLabel", "maxLabel", "title")
        assert attribute["type"] == "centered-range"
        assert isinstance(attribute["value"], int)
    for attribute in resource["productAttributes"]:
        of_text(attribute, "title", "type", "value")
    of_text(resource["reviewer"], "name", "email", "avatarUrl")
    assert resource["reviewer"]["isVerified"] is True


def read_quiz_response(resource: Mapping[str, Any]) -> None:
    """What the support page lists, by the names that a survey response has for it."""
    of_text(resource, "quizResponseId", "quizId", "quizName")
    of_time(resource, "dateCreated")
    assert all(answer_of(question) for question in resource["answeredQuestions"])
    assert {"productId", "variantId", "isRunnerUp", "points"} == {*resource["recommendations"][0]}


def read_referral(resource: Mapping[str, Any]) -> None:
    """What the storefront's REST page has of a sender."""
    of_text(resource, "referralSenderId", "shareableLinkUrl")


def read_above(_resource: Mapping[str, Any]) -> None:
    """A survey response: as the shop does."""


READERS = {
    "loyalty_adjustment_transaction": read_transaction,
    "loyalty_earning_transaction": read_transaction,
    "loyalty_redemption_transaction": read_transaction,
    "loyalty_customer": read_loyalty_customer,
    "review": read_review,
    "quiz_response": read_quiz_response,
    "referral": read_referral,
    "survey_response": read_above,
}


@pytest.mark.parametrize(
    "event_type", sorted({one for event in product_events("okendo") for one in event.types})
)
def test_a_receiver_reads_every_field_that_the_pages_name(event_type: str) -> None:
    headers, raw = arrived(event_type, event_types()[event_type].example)

    payload = verified(headers, raw, "svix-")

    READERS[payload["resourceType"]](payload["resource"])
    if payload["topic"] == "delete":
        assert "customer" not in payload["resource"]
