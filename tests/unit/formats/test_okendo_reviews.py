"""Okendo's bodies of reviews, quizzes and surveys, against what its pages print and list."""

import pytest

from perkwire.primitives.strict_json import Json
from tests.unit.formats.okendo_bodies import (
    CUSTOMER,
    ID,
    MEMBER,
    REWARD,
    SAID_REWARD,
    ordered,
    resource,
)

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
            "isHidden": False,
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


def test_a_medium_that_is_not_to_be_shown_is_hidden() -> None:
    media: list[Json] = [{"id": "m-1", "hidden": True}, {"id": "m-2", "hidden": "yes"}]

    told = resource("review.created", {"review": {"media": media}})["media"]

    assert [one["isHidden"] for one in told] == [True, False]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("range", "centered-range"), ("choice", "drop-down"), ("centered_range", "centered-range")],
)
def test_the_type_of_an_attribute_is_in_okendos_words(ours: str, theirs: str) -> None:
    attributes: list[Json] = [{"title": "Fit", "type": ours, "value": "True to size"}]

    told = resource("review.created", {"review": {"attributes": attributes}})

    assert told["productAttributes"][0]["type"] == theirs


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


QUESTIONS: dict[str, Json] = {
    "id": "r-1",
    "at": "2026-09-21T14:13:20Z",
    "order_id": "ord_1",
    "marketing_consent": False,
    "answers": [
        {
            "question_id": "q1",
            "type": "multiple-choice",
            "question": "Where?",
            "answer": ["hills", "sea"],
            "custom_answer": "dunes",
            "custom_option": "Elsewhere",
            "profile_question_id": "pq",
            "marketing_consent": True,
        },
        {"question": "How often?", "answer": 0, "nps_category": "detractor"},
    ],
}
SAID_ANSWERS: dict[str, Json] = {
    "customer": CUSTOMER,
    "order": {"remoteOrderId": "ord_1"},
    "answeredQuestions": [
        {
            "id": "q1",
            "type": "multiple-choice",
            "text": "Where?",
            "answer": ["hills", "sea"],
            "customAnswer": "dunes",
            "customAnswerOptionText": "Elsewhere",
            "profileQuestionId": "pq",
            "marketingOptIn": True,
        },
        {"text": "How often?", "answer": 0, "answerNpsCategory": "detractor"},
    ],
    "reward": SAID_REWARD,
    "marketingOptIn": False,
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
    expected: dict[str, Json] = {
        "subscriberId": ID,
        "quizResponseId": "r-1",
        "quizId": "qz",
        "quizName": "Boots",
        "dateCreated": "2026-09-21T14:13:20.000Z",
        **SAID_ANSWERS,
        "recommendations": recommendations,
    }
    assert ordered(resource("quiz_response.created", data)) == ordered(expected)


def test_a_survey_response_has_all_that_the_page_lists() -> None:
    survey: dict[str, Json] = {"id": "sv", "name": "Delivery"}
    response: dict[str, Json] = {
        **QUESTIONS,
        "survey": survey,
        "channel": "email",
        "channel_survey": {"id": "cs", "description": "After the order"},
    }

    data: dict[str, Json] = {"member": MEMBER, "survey_response": response, "reward": REWARD}
    expected: dict[str, Json] = {
        "subscriberId": ID,
        "surveyResponseId": "r-1",
        "surveyId": "sv",
        "surveyName": "Delivery",
        "dateCreated": "2026-09-21T14:13:20.000Z",
        "channel": "email",
        "channelSurveyId": "cs",
        "channelSurveyDescription": "After the order",
        **SAID_ANSWERS,
    }
    assert ordered(resource("survey_response.created", data)) == ordered(expected)


def test_the_consent_of_the_member_counts_if_the_response_does_not_tell() -> None:
    data: dict[str, Json] = {"member": {"marketing_consent": True}, "quiz_response": {"id": "r"}}

    assert resource("quiz_response.created", data)["marketingOptIn"] is True
