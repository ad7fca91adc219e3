import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from svix.webhooks import Webhook as Verifier
from svix.webhooks import WebhookVerificationError

from perkwire.catalogue import ProductEvent, event_types, names_in, product_events
from perkwire.formats import Attempt, Format, Unrenderable
from perkwire.formats.okendo import Okendo
from perkwire.model.event import Event
from perkwire.model.secret import UnusableSecret
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import AccountId, DeliveryId, EventId
from perkwire.primitives.strict_json import Json, compact
from perkwire.primitives.timestamps import MICROSECONDS, now, parse_rfc3339
from tests.builders import NOW, SECRET, a_payload, an_event
from tests.unit.strategies import FEW, MOMENTS, SCALARS

FORMAT: Format = Okendo()
DELIVERY = DeliveryId("dlv_1")
# The uuid that every printed sample has in every place.
ID = "123e4567-e89b-12d3-a456-426614174000"
ACCOUNT = AccountId(ID)
# The support page's headings and lines, in its order, and what the developer pages call them.
RESOURCES = {
    "Review": "review",
    "Loyalty Member": "loyalty_customer",
    "Loyalty Transaction Adjustment": "loyalty_adjustment_transaction",
    "Loyalty Earning Transaction": "loyalty_earning_transaction",
    "Loyalty Redemption Transaction": "loyalty_redemption_transaction",
    "Quiz Response": "quiz_response",
    "Survey Response": "survey_response",
}
TOPICS = {"Created": "create", "Updated": "update", "Deleted": "delete"}
TYPES = sorted(names_in("okendo"))
HOSTILE = st.one_of(
    st.sampled_from(
        ['"\\/', "\x00\x1f\x7f", "\u202egolo\u2066", "\u2028\u2029", "😀🏳️‍🌈", "</a>", ""]
    ),
    st.text(max_size=12),
)
WRONG: st.SearchStrategy[Json] = st.sampled_from([[], [1], [{}], {}, {"id": {}}])


def deformed(value: Json) -> st.SearchStrategy[Json]:
    """The like of a value, in which anything may be of another type."""
    match value:
        case dict():
            like: st.SearchStrategy[Json] = st.fixed_dictionaries(
                {key: deformed(item) for key, item in value.items()}
            )
        case list():
            like = st.tuples(*map(deformed, value)).map(list)
        case _:
            like = st.just(value)
    return like | SCALARS | WRONG


def render(event: Event) -> bytes:
    return FORMAT.render(a_payload(event, account_id=ACCOUNT))


def said(event_type: str, data: dict[str, Json], **overrides: object) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(render(an_event(type=event_type, data=data, **overrides)))
    return body


def resource(event_type: str, data: dict[str, Json], **overrides: object) -> dict[str, Any]:
    found: dict[str, Any] = said(event_type, data, **overrides)["resource"]
    return found


def ordered(value: Json) -> str:
    """The value as text, so that the order of keys counts."""
    return json.dumps(value)


def sign(secrets: list[str], body: bytes, at: int = NOW) -> dict[str, str]:
    return FORMAT.sign(secrets, Attempt(delivery_id=DELIVERY, at=at, body=body, settings={}))


MEMBER: dict[str, Json] = {"id": ID, "customer_id": ID, "email": "tim@example.com"}
ADJUSTMENT: dict[str, Json] = {
    "member": MEMBER,
    "transaction": {
        "id": ID,
        "points": 100,
        "status": "complete",
        "at": "2025-06-18T07:31:46.915999+02:00",
        "reason": "Manual Adjustment",
        "message": "Manual Store Adjustment",
    },
}
CUSTOMER: dict[str, Json] = {"email": "tim@example.com", "customerId": ID}


def printed_adjustment(topic: str) -> dict[str, Json]:
    """The page's samples `loyalty_adjustment_transaction.create`, `.update` and `.delete`."""
    customer: dict[str, Json] = {} if topic == "delete" else {"customer": CUSTOMER}
    return {
        "resource": {
            "loyaltyCustomerId": ID,
            "loyaltyTransactionId": ID,
            "subscriberId": ID,
            "amount": 100,
            **customer,
            "date": "2025-06-18T05:31:46.915Z",
            "internalReason": "Manual Adjustment",
            "notificationText": "Manual Store Adjustment",
            "status": "complete",
        },
        "resourceType": "loyalty_adjustment_transaction",
        "sequenceNumber": "123123412",
        "topic": topic,
        "version": "2025-02-01",
    }


@pytest.mark.parametrize(
    ("event_type", "topic"),
    [
        ("points.added", "create"),
        ("points.adjustment.updated", "update"),
        ("points.adjustment.deleted", "delete"),
    ],
)
def test_an_adjustment_is_as_printed(event_type: str, topic: str) -> None:
    event = an_event(type=event_type, accepted_at=123123412, data=ADJUSTMENT)

    assert render(event) == compact(printed_adjustment(topic))


def test_points_taken_away_are_a_negative_amount() -> None:
    data: dict[str, Json] = {"member": MEMBER, "transaction": {"id": ID, "points": -40}}

    assert resource("points.deducted", data)["amount"] == -40


REVIEW: dict[str, Json] = {
    "member": {
        "id": ID,
        "email": "tim@example.com",
        "first_name": "Tim",
        "last_name": "Cook",
        "avatar_url": "https://example.com/tim",
        "address": {"country": "AU", "state": "NSW"},
    },
    "order": {"id": "123456789"},
    "reward": {"name": "$10 off your next order over $40"},
    "review": {
        "id": ID,
        "product": {"id": "shopify-123456789", "variant_id": "v-1", "name": "MacBook Pro"},
        "title": "Great",
        "body": "Great quality! Great price! Would buy again!",
        "rating": 5,
        "sentiment": "positive",
        "contains_profanity": True,
        "recommended": True,
        "verified": True,
        "location": "Sydney",
        "status": "approved",
        "created_at": "2025-07-11T05:09:34.561Z",
        "helpful_count": 1,
        "unhelpful_count": 0,
        "tags": ["laptop", "silver"],
        "attributes": [
            {"title": "Pros", "type": "drop-down", "value": "Powerful"},
            {
                "title": "Sizing",
                "type": "centered-range",
                "value": 1,
                "min_label": "Too Small",
                "mid_label": "Just Right",
                "max_label": "Too Big",
            },
        ],
        "media": [
            {
                "id": ID,
                "type": "image",
                "url": "https://example.com/full",
                "large_url": "https://example.com/large",
                "thumbnail_url": "https://example.com/thumbnail",
            }
        ],
        "reply": {"body": "Thanks for your review", "at": "2025-07-12T05:09:34.561Z"},
    },
}
# To `reward`, the keys, their order and their types are those of the REST API's sample.
PRINTED_REVIEW: dict[str, Json] = {
    "subscriberId": ID,
    "reviewId": ID,
    "productId": "shopify-123456789",
    "attributesWithRating": [
        {
            "minLabel": "Too Small",
            "midLabel": "Just Right",
            "maxLabel": "Too Big",
            "title": "Sizing",
            "type": "centered-range",
            "value": 1,
        }
    ],
    "body": "Great quality! Great price! Would buy again!",
    "containsProfanity": True,
    "dateCreated": "2025-07-11T05:09:34.561Z",
    "helpfulCount": 1,
    "isRecommended": True,
    "media": [
        {
            "streamId": ID,
            "fullSizeUrl": "https://example.com/full",
            "largeUrl": "https://example.com/large",
            "thumbnailUrl": "https://example.com/thumbnail",
            "type": "image",
        }
    ],
    "productAttributes": [{"title": "Pros", "type": "drop-down", "value": "Powerful"}],
    "productName": "MacBook Pro",
    "order": {"orderId": "123456789"},
    "rating": 5,
    "reply": {"body": "Thanks for your review", "dateCreated": "2025-07-12T05:09:34.561Z"},
    "reviewer": {
        "avatarUrl": "https://example.com/tim",
        "email": "tim@example.com",
        "isVerified": True,
        "location": {"country": {"code": "au"}, "zoneCode": "NSW", "name": "Sydney"},
        "name": "Tim Cook",
    },
    "reward": {"description": "$10 off your next order over $40"},
    "sentiment": "positive",
    "status": "approved",
    "tags": ["laptop", "silver"],
    "title": "Great",
    "unhelpfulCount": 0,
    "variantId": "v-1",
}


@pytest.mark.parametrize("event_type", ["review.created", "review.updated", "review.deleted"])
def test_a_review_is_as_printed(event_type: str) -> None:
    assert ordered(resource(event_type, REVIEW)) == ordered(PRINTED_REVIEW)


def test_a_count_is_whole_however_it_was_written() -> None:
    review: dict[str, Json] = {"helpful_count": 1e16, "unhelpful_count": 0.5}

    told = resource("review.updated", {"review": review})

    assert told["helpfulCount"] == 10**16
    assert "unhelpfulCount" not in told


def test_a_country_that_is_no_code_is_a_name() -> None:
    data: dict[str, Json] = {"member": {"address": {"country": "Australia"}}}

    assert resource("review.created", data)["reviewer"] == {
        "location": {"country": {"name": "Australia"}}
    }


def test_an_attribute_with_a_number_is_a_rating_also_without_labels() -> None:
    attributes: list[Json] = [{"title": "Comfort", "value": 4}, {"title": "Pros", "value": "4"}]
    told = resource("review.updated", {"review": {"attributes": attributes}})

    assert told["attributesWithRating"] == attributes[:1]
    assert told["productAttributes"] == attributes[1:]


def test_a_value_of_another_type_is_left_out() -> None:
    review: dict[str, Json] = {
        "id": "r-1",
        "title": 5,
        "rating": "5",
        "recommended": "yes",
        "created_at": "yesterday",
        "tags": ["warm", 1],
        "media": ["https://example.com"],
        "product": "prd_1",
    }

    assert resource("review.updated", {"member": {"email": [1]}, "review": review}) == {
        "subscriberId": ID,
        "reviewId": "r-1",
        "tags": ["warm"],
    }


ENROLLED: dict[str, Json] = {
    "member": {
        **MEMBER,
        "status": "enrolled",
        "birthday": "1990-04-10",
        "enrolled_at": "2024-02-11T09:30:00Z",
        "points": {
            "balance": 860,
            "expiries": [{"on": "2026-12-31", "points": 240}, {"on": "2027-01-31", "points": 9}],
        },
        "tier": {"name": "Gold", "since": "2026-01-01", "until": "2026-12-31"},
    }
}
LOYALTY_CUSTOMER: dict[str, Json] = {
    "loyaltyCustomerId": ID,
    "customer": {"customerId": ID, "email": "tim@example.com"},
    "birthday": {"day": 10, "month": 4, "year": 1990},
    "dateEnrolled": "2024-02-11T09:30:00.000Z",
    "points": {"balance": 860},
    "pointsExpiry": [
        {"date": "2026-12-31", "amount": 240},
        {"date": "2027-01-31", "amount": 9},
    ],
    "status": "enrolled",
    "subscriberId": ID,
    "vipTierName": "Gold",
    "dateVipTierEntered": "2026-01-01",
    "dateVipTierExpires": "2026-12-31",
}


@pytest.mark.parametrize("event_type", ["member.enrolled", "member.updated", "tier.left"])
def test_a_loyalty_customer_has_all_that_the_page_lists(event_type: str) -> None:
    assert ordered(resource(event_type, ENROLLED)) == ordered(LOYALTY_CUSTOMER)


@pytest.mark.parametrize("event_type", ["tier.upgraded", "tier.joined", "tier.prolonged"])
def test_a_change_of_tier_tells_the_tier_that_was_entered(event_type: str) -> None:
    change: dict[str, Json] = {
        "previous": {"name": "Gold"},
        "current": {"name": "Platinum"},
        "since": "2026-11-21",
        "until": "2027-11-20",
    }

    assert resource(event_type, {**ENROLLED, "tier": change}) == {
        **LOYALTY_CUSTOMER,
        "vipTierName": "Platinum",
        "dateVipTierEntered": "2026-11-21",
        "dateVipTierExpires": "2027-11-20",
    }


def test_the_tier_entered_has_no_days_of_another_tier_that_the_member_was_in() -> None:
    def entering(name: str) -> dict[str, Any]:
        return resource("tier.upgraded", {**ENROLLED, "tier": {"current": {"name": name}}})

    without_days = {name: LOYALTY_CUSTOMER[name] for name in LOYALTY_CUSTOMER if "Tier" not in name}
    assert entering("Platinum") == {**without_days, "vipTierName": "Platinum"}
    assert entering("Gold") == LOYALTY_CUSTOMER


def test_leaving_a_tier_tells_the_one_that_the_member_is_in() -> None:
    change: dict[str, Json] = {"previous": {"name": "Platinum"}, "until": "2026-11-20"}

    assert resource("tier.left", {**ENROLLED, "tier": change}) == LOYALTY_CUSTOMER


def test_an_earning_is_an_adjustment_with_its_action() -> None:
    activity: dict[str, Json] = {"id": "a", "name": "Visit", "points": 5, "url": "https://a"}
    transaction = ADJUSTMENT["transaction"]
    assert isinstance(transaction, dict)
    data = {**ADJUSTMENT, "transaction": {**transaction, "activity": activity}}

    action: dict[str, Json] = {"actionId": "a", "name": "Visit", "url": "https://a", "amount": 5}
    expected = printed_adjustment("create")["resource"]
    assert isinstance(expected, dict)
    assert resource("points.earned", data) == {**expected, "action": action}


REWARD: dict[str, Json] = {
    "id": "rwd_1",
    "name": "Mug",
    "type": "product",
    "value": "10.00",
    "currency": "EUR",
    "code": "MUG-1",
    "status": "issued",
    "expires_at": "2026-12-31T23:59:59Z",
}
SAID_REWARD: dict[str, Json] = {
    "rewardId": "rwd_1",
    "description": "Mug",
    "type": "product",
    "code": "MUG-1",
    "value": "10.00",
    "currency": "EUR",
    "status": "issued",
    "dateExpires": "2026-12-31T23:59:59.000Z",
}


@pytest.mark.parametrize("event_type", ["points.redeemed", "reward.redeemed"])
def test_a_redemption_is_of_the_points_spent_and_its_reward(event_type: str) -> None:
    transaction = ADJUSTMENT["transaction"]
    assert isinstance(transaction, dict)
    data = {**ADJUSTMENT, "transaction": {**transaction, "points": -100}, "reward": REWARD}

    expected = printed_adjustment("create")["resource"]
    assert isinstance(expected, dict)
    assert resource(event_type, data) == {**expected, "reward": SAID_REWARD}


def test_the_value_of_a_reward_is_said_as_it_was_given() -> None:
    for value in ("10.00", 10, 9.5):
        told = resource("reward.redeemed", {"reward": {"value": value}})["reward"]
        assert ordered(told) == ordered({"value": value})


def test_a_redemption_without_transaction_is_of_the_price_of_its_reward() -> None:
    data: dict[str, Json] = {"member": MEMBER, "reward": {"name": "Mug", "points": 250}}

    assert resource("reward.redeemed", data)["amount"] == 250


QUESTIONS: dict[str, Json] = {
    "id": "r-1",
    "at": "2026-09-21T14:13:20Z",
    "order_id": "ord_1",
    "marketing_consent": False,
    "answers": [
        {"question_id": "q1", "question": "Where?", "answer": ["hills", "sea"]},
        {"question": "How often?", "answer": 0},
    ],
}
SAID_ANSWERS: dict[str, Json] = {
    "answers": [
        {"questionId": "q1", "question": "Where?", "answer": ["hills", "sea"]},
        {"question": "How often?", "answer": 0},
    ],
    "customer": CUSTOMER,
    "dateCreated": "2026-09-21T14:13:20.000Z",
    "marketingOptIn": False,
    "orderId": "ord_1",
    "reward": SAID_REWARD,
}


def test_a_quiz_response_has_all_that_the_page_lists() -> None:
    response: dict[str, Json] = {
        **QUESTIONS,
        "quiz": {"id": "qz", "name": "Boots"},
        "recommendations": [
            {"product_id": "p", "variant_id": "v", "runner_up": False, "points": 12},
            {"product_id": "p2", "runner_up": True, "points": 0},
        ],
    }

    data: dict[str, Json] = {"member": MEMBER, "quiz_response": response, "reward": REWARD}
    recommendations: list[Json] = [
        {"productId": "p", "variantId": "v", "isRunnerUp": False, "points": 12},
        {"productId": "p2", "isRunnerUp": True, "points": 0},
    ]
    assert resource("quiz_response.created", data) == {
        "responseId": "r-1",
        "subscriberId": ID,
        "quizId": "qz",
        "quizName": "Boots",
        **SAID_ANSWERS,
        "recommendations": recommendations,
    }


def test_a_survey_response_has_all_that_the_page_lists() -> None:
    survey: dict[str, Json] = {"id": "sv", "name": "Delivery"}
    response: dict[str, Json] = {**QUESTIONS, "survey": survey, "channel": "email"}

    data: dict[str, Json] = {"member": MEMBER, "survey_response": response, "reward": REWARD}
    assert resource("survey_response.created", data) == {
        "responseId": "r-1",
        "subscriberId": ID,
        "surveyId": "sv",
        "surveyName": "Delivery",
        **SAID_ANSWERS,
        "channel": "email",
    }


def test_the_consent_of_the_member_counts_if_the_response_does_not_tell() -> None:
    data: dict[str, Json] = {"member": {"marketing_consent": True}, "quiz_response": {"id": "r"}}

    assert resource("quiz_response.created", data)["marketingOptIn"] is True


@pytest.mark.parametrize(
    ("event_type", "name"),
    [
        ("points.added", "date"),
        ("points.earned", "date"),
        ("reward.redeemed", "date"),
        ("member.enrolled", "dateEnrolled"),
        ("review.created", "dateCreated"),
        ("survey_response.created", "dateCreated"),
    ],
)
def test_a_creation_without_a_time_was_when_it_happened(event_type: str, name: str) -> None:
    happened = parse_rfc3339("2026-01-02T03:04:05.678901Z")

    assert resource(event_type, {}, occurred_at=happened)[name] == "2026-01-02T03:04:05.678Z"


@pytest.mark.parametrize(
    "event_type", ["points.earning.updated", "member.deleted", "review.updated"]
)
def test_the_time_of_another_event_is_not_taken_for_the_creation(event_type: str) -> None:
    assert resource(event_type, {}) == {"subscriberId": ID}


@pytest.mark.parametrize("event_type", [one for one in TYPES if one.endswith(".deleted")])
def test_a_delete_has_no_customer(event_type: str) -> None:
    created = event_type.replace(".deleted", ".updated")
    data = event_types()[event_type].example
    before, after = resource(created, data), resource(event_type, data)

    assert isinstance(data["member"], dict)
    assert data["member"]["email"]
    assert ("customer" in before) == (not event_type.startswith("review."))
    assert before.pop("customer", None) != {}
    assert after == before


def test_the_events_are_those_of_the_page() -> None:
    labels = [f"{name} {topic}" for name in RESOURCES for topic in TOPICS]

    assert [event.label for event in product_events("okendo")] == labels
    assert len(labels) == 21


@pytest.mark.parametrize("event", product_events("okendo"), ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    name, _, topic = event.label.rpartition(" ")
    expected = RESOURCES[name], TOPICS[topic]

    assert event.types
    assert event.name.inferred == (name in ("Quiz Response", "Survey Response"))
    for event_type in event.types:
        body = said(event_type, event_types()[event_type].example)
        assert list(body) == ["resource", "resourceType", "sequenceNumber", "topic", "version"]
        assert (body["resourceType"], body["topic"]) == expected
        assert FORMAT.name_of(event_type) == ".".join(expected)
        assert len(body["resource"]) > 5


@pytest.mark.parametrize("event_type", ["points.expired", "custom.anything"])
def test_no_other_event_is_said(event_type: str) -> None:
    event = an_event(id=EventId("evt_1"), type=event_type, data={"secret": "hush"})

    assert FORMAT.name_of(event_type) is None
    with pytest.raises(Unrenderable, match="evt_1") as raised:
        render(event)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("number", [0, 2])
def test_a_delivery_is_of_one_event(number: int) -> None:
    assert FORMAT.largest_batch == 1
    with pytest.raises(Unrenderable, match="dlv_1"):
        FORMAT.render(a_payload(*[an_event() for _ in range(number)]))


@given(MOMENTS, MOMENTS)
def test_sequence_numbers_are_in_the_order_of_acceptance(one: int, other: int) -> None:
    first = said("review.created", {}, accepted_at=one, occurred_at=NOW)["sequenceNumber"]
    second = said("points.earned", {}, accepted_at=other)["sequenceNumber"]

    assert isinstance(first, str)
    assert first.isdecimal()
    assert (int(first) < int(second), int(first) == int(second)) == (one < other, one == other)


def with_strings(value: Json, new: Iterator[str]) -> Json:
    """The value with its strings replaced, one after the other."""
    match value:
        case str():
            return next(new)
        case dict():
            return {key: with_strings(item, new) for key, item in value.items()}
        case list():
            return [with_strings(item, new) for item in value]
        case _:
            return value


def strings(value: Json) -> list[str]:
    """All strings in a value."""
    match value:
        case str():
            return [value]
        case dict():
            return [found for item in value.values() for found in strings(item)]
        case list():
            return [found for item in value for found in strings(item)]
        case _:
            return []


def places(event_type: str, texts: list[str]) -> list[int]:
    """Which of these are said, if they are the strings of the type's example."""
    data = with_strings(event_types()[event_type].example, iter(texts))
    assert isinstance(data, dict)
    event = an_event(type=event_type, data=data)
    body = render(event)
    assert body == render(event)
    told = strings(json.loads(body)["resource"])
    return [place for place, one in enumerate(texts) if any(one in other for other in told)]


@given(st.data(), st.sampled_from(TYPES))
def test_a_hostile_string_is_said_wherever_another_is_and_the_same_each_time(
    draw: st.DataObject, event_type: str
) -> None:
    number = len(strings(event_types()[event_type].example))
    plain = [f"text-{place}." for place in range(number)]
    hostile = [draw.draw(HOSTILE) + one for one in plain]

    said_plainly = places(event_type, plain)

    assert len(said_plainly) >= 3
    assert places(event_type, hostile) == said_plainly


@given(st.data(), st.sampled_from(TYPES))
def test_data_of_another_form_is_said_as_far_as_it_goes(
    draw: st.DataObject, event_type: str
) -> None:
    data = draw.draw(deformed(event_types()[event_type].example))

    assert said(event_type, data if isinstance(data, dict) else {})["topic"]


@FEW
@given(st.binary(min_size=24, max_size=64), st.sampled_from(TYPES))
def test_any_secret_verifies_with_the_library_of_svix(key: bytes, event_type: str) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    body = render(an_event(type=event_type, data=event_types()[event_type].example))
    headers = sign([secret], body, at=now())

    Verifier(secret).verify(body, headers)

    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(body + b" ", headers)


def test_while_a_rotation_overlaps_either_secret_verifies() -> None:
    new = FORMAT.new_secret()
    headers = sign([new, SECRET], b"{}", at=now())

    Verifier(new).verify(b"{}", headers)
    Verifier(SECRET).verify(b"{}", headers)
    assert len(headers["svix-signature"].split(" ")) == 2


def test_the_signature_is_of_the_delivery_and_the_second_of_the_attempt() -> None:
    headers = sign([SECRET], b"{}", at=NOW + 999_999)

    assert headers.keys() == {"svix-id", "svix-timestamp", "svix-signature"}
    assert headers["svix-id"] == DELIVERY
    assert headers["svix-timestamp"] == str(NOW // MICROSECONDS)


def test_nothing_is_signed_with_a_secret_of_another_form() -> None:
    with pytest.raises(UnusableSecret) as raised:
        sign(["hush-hush-hush-hush"], b"{}")

    assert "hush" not in str(raised.value)


def test_a_new_secret_is_one_that_it_takes() -> None:
    assert FORMAT.check_secret(FORMAT.new_secret()) is None
    assert FORMAT.check_secret("x" * 32) is not None


def test_it_has_no_settings() -> None:
    fields = Fields({"version": "2025-02-01"}, "format_settings.")

    assert FORMAT.read_settings(fields) == {}
    assert [error.field for error in fields.finish()] == ["format_settings.version"]


def test_its_version_is_part_of_its_name() -> None:
    assert FORMAT.name == "okendo@2025-02-01"


def test_success_is_2xx() -> None:
    assert [status for status in range(100, 600) if FORMAT.is_success(status)] == [*range(200, 300)]
