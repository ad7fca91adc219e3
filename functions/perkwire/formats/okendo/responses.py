"""Quiz and survey responses.

A public receiver, of a shop, reads a survey response member by member; its REST page prints the
beginning of one. A quiz response is inferred to be like it.
"""

from perkwire.formats.okendo.values import (
    Resource,
    Source,
    customer,
    listed,
    order,
    reward,
    texts,
)
from perkwire.formats.reading import Object, flag, number, part, parts, present, text
from perkwire.primitives.strict_json import Json


def survey_response(source: Source) -> Resource:
    """As that receiver reads it; inferred is `marketingOptIn` of the response."""
    response = part(source.data, "survey_response")
    survey = part(response, "survey")
    channel = {
        **texts(response, channel="channel"),
        **texts(
            part(response, "channel_survey"),
            channelSurveyId="id",
            channelSurveyDescription="description",
        ),
    }
    return present(
        {
            "subscriberId": source.subscriber,
            **texts(response, surveyResponseId="id"),
            **texts(survey, surveyId="id", surveyName="name"),
            **_answered(source, response, channel),
        }
    )


def quiz_response(source: Source) -> Resource:
    """Inferred: all names, by the survey response's."""
    response = part(source.data, "quiz_response")
    recommendations = [
        {
            **texts(one, productId="product_id", variantId="variant_id"),
            "isRunnerUp": flag(one, "runner_up"),
            "points": number(one, "points"),
        }
        for one in parts(response, "recommendations")
    ]
    return present(
        {
            "subscriberId": source.subscriber,
            **texts(response, quizResponseId="id"),
            **texts(part(response, "quiz"), quizId="id", quizName="name"),
            **_answered(source, response, {}),
            "recommendations": listed(recommendations),
        }
    )


def _answered(source: Source, response: Object, channel: Object) -> dict[str, Json]:
    consent = flag(response, "marketing_consent")
    if consent is None:
        consent = flag(part(source.data, "member"), "marketing_consent")
    order_id = text(response, "order_id") or text(part(source.data, "order"), "id")
    return {
        "dateCreated": source.created(response, "at"),
        **channel,
        "customer": customer(source.data),
        "order": order(order_id),
        # Read without a look whether it is there.
        "answeredQuestions": [_question(one) for one in parts(response, "answers")],
        "reward": reward(source.data),
        "marketingOptIn": consent,
    }


def _question(answer: Object) -> Json:
    return present(
        {
            **texts(answer, id="question_id", type="type", text="question"),
            "answer": answer.get("answer"),
            **texts(
                answer,
                answerNpsCategory="nps_category",
                customAnswer="custom_answer",
                customAnswerOptionText="custom_option",
                profileQuestionId="profile_question_id",
            ),
            "marketingOptIn": flag(answer, "marketing_consent"),
        }
    )
