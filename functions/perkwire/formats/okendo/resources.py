"""The resources: reviews, loyalty customers and transactions, quiz and survey responses.

Sources: Okendo's developer pages, which print an adjustment, the beginning of a loyalty customer
and, in the REST API, a review and a loyalty customer's points, status and tier; its support page
lists in words what the other resources hold. Names that are not printed are marked as inferred.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from perkwire.formats import reading
from perkwire.formats.reading import Object, flag, number, part, parts, present, text
from perkwire.primitives.ids import AccountId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import iso_milliseconds

type Resource = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Source:
    """What a resource is made of. `created_at` is None if the event is not its creation."""

    data: Object
    subscriber: AccountId
    created_at: int | None

    def created(self, of: Object, name: str) -> str | None:
        """A member's time, else that of the creation."""
        if self.created_at is None:
            return _time(of, name)
        return _time(of, name) or iso_milliseconds(self.created_at)


def _adjustment(source: Source) -> Resource:
    """As printed. Points taken away are a negative amount."""
    return _transaction(source, number(part(source.data, "transaction"), "points"))


def _earning(source: Source) -> Resource:
    """Inferred: an adjustment as printed, and `action`."""
    transaction = part(source.data, "transaction")
    activity = part(transaction, "activity")
    action = {
        **_texts(activity, actionId="id", name="name", url="url"),
        "amount": number(activity, "points"),
    }
    return _transaction(source, number(transaction, "points"), action=_given(action))


def _redemption(source: Source) -> Resource:
    """Inferred: an adjustment as printed, and `reward`. The amount is what was spent: positive."""
    points = number(part(source.data, "transaction"), "points")
    if points is None:
        points = number(part(source.data, "reward"), "points")
    amount = None if points is None else abs(points)
    return _transaction(source, amount, reward=_reward(source.data))


def _transaction(source: Source, amount: float | None, **more: Json) -> Resource:
    transaction = part(source.data, "transaction")
    return present(
        {
            **_texts(part(source.data, "member"), loyaltyCustomerId="id"),
            **_texts(transaction, loyaltyTransactionId="id"),
            "subscriberId": source.subscriber,
            "amount": amount,
            "customer": _customer(source.data),
            "date": source.created(transaction, "at"),
            **_texts(transaction, internalReason="reason", notificationText="message"),
            **_texts(transaction, status="status"),
            **more,
        }
    )


def _loyalty_customer(source: Source) -> Resource:
    """Inferred: the dates and `pointsExpiry`, and where `subscriberId` stands."""
    member = part(source.data, "member")
    points = part(member, "points")
    held = part(member, "tier")
    entered = part(source.data, "tier", "current")
    period = part(source.data, "tier") if entered else {}
    if entered and text(entered, "name") != text(held, "name"):
        held = {}  # the tier that the member was in before
    born = reading.day(member, "birthday")
    birthday: Json = None
    if born is not None:
        birthday = {"day": born.day, "month": born.month, "year": born.year}
    expiries = [
        {"date": _date(one, "on"), "amount": number(one, "points")}
        for one in parts(points, "expiries")
    ]
    return present(
        {
            **_texts(member, loyaltyCustomerId="id"),
            "customer": _given(_texts(member, customerId="customer_id", email="email")),
            "birthday": birthday,
            "dateEnrolled": source.created(member, "enrolled_at"),
            "points": _given({"balance": number(points, "balance")}),
            "pointsExpiry": _list(expiries),
            **_texts(member, status="status"),
            "subscriberId": source.subscriber,
            "vipTierName": text(entered, "name") or text(held, "name"),
            "dateVipTierEntered": _date(period, "since") or _date(held, "since"),
            "dateVipTierExpires": _date(period, "until") or _date(held, "until"),
        }
    )


def _review(source: Source) -> Resource:
    """As printed to `reward`; what follows is inferred."""
    review = part(source.data, "review")
    product = part(review, "product")
    reply = part(review, "reply")
    attributes = parts(review, "attributes")
    return present(
        {
            "subscriberId": source.subscriber,
            **_texts(review, reviewId="id"),
            **_texts(product, productId="id"),
            "attributesWithRating": _list(_attribute(one) for one in attributes if _is_rated(one)),
            **_texts(review, body="body"),
            "containsProfanity": flag(review, "contains_profanity"),
            "dateCreated": source.created(review, "created_at"),
            "helpfulCount": reading.integer(review, "helpful_count"),
            "isRecommended": flag(review, "recommended"),
            "media": _list(_medium(one) for one in parts(review, "media")),
            "productAttributes": _list(_attribute(one) for one in attributes if not _is_rated(one)),
            **_texts(product, productName="name"),
            "order": _given(_texts(part(source.data, "order"), orderId="id")),
            "rating": number(review, "rating"),
            "reply": _given({**_texts(reply, body="body"), "dateCreated": _time(reply, "at")}),
            "reviewer": _reviewer(part(source.data, "member"), review),
            "reward": _reward(source.data),
            **_texts(review, sentiment="sentiment", status="status"),
            "tags": _tags(review),
            **_texts(review, title="title"),
            "unhelpfulCount": reading.integer(review, "unhelpful_count"),
            **_texts(product, variantId="variant_id"),
        }
    )


def _attribute(attribute: Object) -> Object:
    return {
        **_texts(attribute, minLabel="min_label", midLabel="mid_label", maxLabel="max_label"),
        **_texts(attribute, title="title", type="type"),
        "value": attribute.get("value"),
    }


def _is_rated(attribute: Object) -> bool:
    labels = ("min_label", "mid_label", "max_label")
    return number(attribute, "value") is not None or any(text(attribute, one) for one in labels)


def _medium(medium: Object) -> Object:
    urls = _texts(medium, fullSizeUrl="url", largeUrl="large_url", thumbnailUrl="thumbnail_url")
    return {**_texts(medium, streamId="id"), **urls, **_texts(medium, type="type")}


def _tags(review: Object) -> Json:
    tags = reading.texts(review, "tags")
    return None if tags is None else [*tags]


def _reviewer(member: Object, review: Object) -> Json:
    """Inferred: `location.name`, for where the reviewer said to be."""
    address = part(member, "address")
    country = text(address, "country") or ""
    is_code = len(country) == len("au")
    location = {
        "country": _given({"code": country.lower()} if is_code else {"name": country or None}),
        **_texts(address, zoneCode="state"),
        **_texts(review, name="location"),
    }
    names = [text(member, "first_name"), text(member, "last_name")]
    return _given(
        {
            **_texts(member, avatarUrl="avatar_url", email="email"),
            "isVerified": flag(review, "verified"),
            "location": _given(location),
            "name": " ".join(name for name in names if name) or None,
        }
    )


def _quiz_response(source: Source) -> Resource:
    """Inferred: all names."""
    response = part(source.data, "quiz_response")
    recommendations = [
        {
            **_texts(one, productId="product_id", variantId="variant_id"),
            "isRunnerUp": flag(one, "runner_up"),
            "points": number(one, "points"),
        }
        for one in parts(response, "recommendations")
    ]
    return _response(
        source,
        response,
        _texts(part(response, "quiz"), quizId="id", quizName="name"),
        {"recommendations": _list(recommendations)},
    )


def _survey_response(source: Source) -> Resource:
    """Inferred: all names."""
    response = part(source.data, "survey_response")
    return _response(
        source,
        response,
        _texts(part(response, "survey"), surveyId="id", surveyName="name"),
        _texts(response, channel="channel"),
    )


def _response(source: Source, response: Object, asked: Object, more: Object) -> Resource:
    consent = flag(response, "marketing_consent")
    if consent is None:
        consent = flag(part(source.data, "member"), "marketing_consent")
    answers = [
        {**_texts(one, questionId="question_id", question="question"), "answer": one.get("answer")}
        for one in parts(response, "answers")
    ]
    return present(
        {
            **_texts(response, responseId="id"),
            "subscriberId": source.subscriber,
            **asked,
            "answers": _list(answers),
            "customer": _customer(source.data),
            "dateCreated": source.created(response, "at"),
            "marketingOptIn": consent,
            **_texts(response, orderId="order_id"),
            "reward": _reward(source.data),
            **more,
        }
    )


def _customer(data: Object) -> Json:
    return _given(_texts(part(data, "member"), email="email", customerId="customer_id"))


def _reward(data: Object) -> Json:
    """Inferred: all names but `description`."""
    reward = part(data, "reward")
    return _given(
        {
            **_texts(reward, rewardId="id", description="name", type="type", code="code"),
            "value": text(reward, "value") or number(reward, "value"),
            **_texts(reward, currency="currency", status="status"),
            "dateExpires": _time(reward, "expires_at"),
        }
    )


def _texts(of: Object, **names: str) -> dict[str, Json]:
    """The texts of an object, each under Okendo's name for it."""
    return {theirs: text(of, ours) for theirs, ours in names.items()}


def _given(members: Object) -> dict[str, Json] | None:
    """An object of the members that have a value, if any has one."""
    return present(members) or None


def _list(items: Iterable[Object]) -> Json:
    """The objects of a list, if there are any."""
    return [present(item) for item in items] or None


def _time(of: Object, name: str) -> str | None:
    at = reading.moment(of, name)
    return None if at is None else iso_milliseconds(at)


def _date(of: Object, name: str) -> str | None:
    found = reading.day(of, name)
    return None if found is None else found.isoformat()


RESOURCES: Mapping[str, Callable[[Source], Resource]] = {
    "review": _review,
    "loyalty_customer": _loyalty_customer,
    "loyalty_adjustment_transaction": _adjustment,
    "loyalty_earning_transaction": _earning,
    "loyalty_redemption_transaction": _redemption,
    "quiz_response": _quiz_response,
    "survey_response": _survey_response,
}
