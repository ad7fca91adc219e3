"""The resources: reviews, loyalty customers and transactions, referrals; responses stand beside.

Sources: Okendo's developer pages, which print an adjustment, the beginning of a loyalty customer
and, in the REST API, a review and a loyalty customer's points, status and tier; its support page
lists in words what the other resources hold, and a public reader of that page the referral. Names
that are not printed are marked as inferred.
"""

from collections.abc import Callable, Mapping

from perkwire.formats import reading
from perkwire.formats.okendo.responses import quiz_response, survey_response
from perkwire.formats.okendo.values import (
    Resource,
    Source,
    customer,
    date_of,
    given,
    listed,
    order,
    reward,
    texts,
    time,
)
from perkwire.formats.reading import Object, flag, number, part, parts, present, text
from perkwire.primitives.strict_json import Json

# Okendo has no other words for these.
_CUSTOMER_STATUSES = {
    "active": "enrolled",
    "enrolled": "enrolled",
    "pending": "pending",
    "invited": "pending",
    "blocked": "blocked",
    "suspended": "blocked",
    "banned": "blocked",
}
_REVIEW_STATUSES = {
    "approved": "approved",
    "published": "approved",
    "pending": "pending",
    "submitted": "pending",
    "rejected": "rejected",
    "hidden": "rejected",
}
_SENTIMENTS = {one: one for one in ("positive", "negative", "neutral", "mixed")}
# Of transactions one word is printed; another is passed on.
_TRANSACTION_STATUSES = dict.fromkeys(
    ("approved", "complete", "completed", "confirmed", "posted", "settled"), "complete"
)
_ATTRIBUTE_TYPES = {"range": "centered-range", "choice": "drop-down", "select": "drop-down"}


def _adjustment(source: Source) -> Resource:
    """As printed. Points taken away are a negative amount."""
    return _transaction(source, number(part(source.data, "transaction"), "points"))


def _earning(source: Source) -> Resource:
    """Inferred: an adjustment as printed, and `action`."""
    transaction = part(source.data, "transaction")
    activity = part(transaction, "activity")
    action = {
        **texts(activity, actionId="id", name="name", url="url"),
        "amount": number(activity, "points"),
    }
    return _transaction(source, number(transaction, "points"), action=given(action))


def _redemption(source: Source) -> Resource:
    """Inferred: an adjustment as printed, and `reward`. The amount is what was spent: positive."""
    points = number(part(source.data, "transaction"), "points")
    if points is None:
        points = number(part(source.data, "reward"), "points")
    amount = None if points is None else abs(points)
    return _transaction(source, amount, reward=reward(source.data))


def _transaction(source: Source, amount: float | None, **more: Json) -> Resource:
    transaction = part(source.data, "transaction")
    return present(
        {
            **texts(part(source.data, "member"), loyaltyCustomerId="id"),
            **texts(transaction, loyaltyTransactionId="id"),
            "subscriberId": source.subscriber,
            "amount": amount,
            "customer": customer(source.data),
            "date": source.created(transaction, "at"),
            **texts(transaction, internalReason="reason", notificationText="message"),
            "status": _status(transaction),
            **more,
        }
    )


def _word(of: Object, name: str, words: Mapping[str, str]) -> str | None:
    """Okendo's word for a member's; none for what it has no word for."""
    return words.get((text(of, name) or "").lower())


def _status(transaction: Object) -> str | None:
    status = text(transaction, "status")
    return status if status is None else _TRANSACTION_STATUSES.get(status.lower(), status)


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
        {"date": date_of(one, "on"), "amount": number(one, "points")}
        for one in parts(points, "expiries")
    ]
    return present(
        {
            **texts(member, loyaltyCustomerId="id"),
            "customer": given(texts(member, customerId="customer_id", email="email")),
            "birthday": birthday,
            "dateEnrolled": source.created(member, "enrolled_at"),
            "points": given({"balance": number(points, "balance")}),
            "pointsExpiry": listed(expiries),
            "status": _word(member, "status", _CUSTOMER_STATUSES),
            "subscriberId": source.subscriber,
            "vipTierName": text(entered, "name") or text(held, "name"),
            "dateVipTierEntered": date_of(period, "since") or date_of(held, "since"),
            "dateVipTierExpires": date_of(period, "until") or date_of(held, "until"),
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
            **texts(review, reviewId="id"),
            **texts(product, productId="id"),
            "attributesWithRating": listed(_attribute(one) for one in attributes if _is_rated(one)),
            **texts(review, body="body"),
            "containsProfanity": flag(review, "contains_profanity"),
            "dateCreated": source.created(review, "created_at"),
            "helpfulCount": reading.integer(review, "helpful_count"),
            "isRecommended": flag(review, "recommended"),
            "media": listed(_medium(one) for one in parts(review, "media")),
            "productAttributes": listed(
                _attribute(one) for one in attributes if not _is_rated(one)
            ),
            **texts(product, productName="name"),
            "order": given(texts(part(source.data, "order"), orderId="id")),
            "rating": number(review, "rating"),
            "reply": given({**texts(reply, body="body"), "dateCreated": time(reply, "at")}),
            "reviewer": _reviewer(part(source.data, "member"), review),
            "reward": reward(source.data),
            "sentiment": _word(review, "sentiment", _SENTIMENTS),
            "status": _word(review, "status", _REVIEW_STATUSES),
            "tags": _tags(review),
            **texts(review, title="title"),
            "unhelpfulCount": reading.integer(review, "unhelpful_count"),
            **texts(product, variantId="variant_id"),
        }
    )


def _attribute(attribute: Object) -> Object:
    kind = text(attribute, "type")
    return {
        **texts(attribute, minLabel="min_label", midLabel="mid_label", maxLabel="max_label"),
        **texts(attribute, title="title"),
        "type": kind if kind is None else _ATTRIBUTE_TYPES.get(kind, kind.replace("_", "-")),
        "value": attribute.get("value"),
    }


def _is_rated(attribute: Object) -> bool:
    labels = ("min_label", "mid_label", "max_label")
    return number(attribute, "value") is not None or any(text(attribute, one) for one in labels)


def _medium(medium: Object) -> Object:
    urls = texts(medium, fullSizeUrl="url", largeUrl="large_url", thumbnailUrl="thumbnail_url")
    return {
        **texts(medium, streamId="id"),
        **urls,
        **texts(medium, type="type"),
        "isHidden": flag(medium, "hidden") is True,
    }


def _tags(review: Object) -> Json:
    tags = reading.texts(review, "tags")
    return None if tags is None else [*tags]


def _reviewer(member: Object, review: Object) -> Json:
    """Inferred: `location.name`, for where the reviewer said to be."""
    address = part(member, "address")
    country = text(address, "country") or ""
    is_code = len(country) == len("au")
    location = {
        "country": given({"code": country.lower()} if is_code else {"name": country or None}),
        **texts(address, zoneCode="state"),
        **texts(review, name="location"),
    }
    names = [text(member, "first_name"), text(member, "last_name")]
    return given(
        {
            **texts(member, avatarUrl="avatar_url", email="email"),
            "isVerified": flag(review, "verified"),
            "location": given(location),
            "name": " ".join(name for name in names if name) or None,
        }
    )


def _referral(source: Source) -> Resource:
    """Inferred: all names but `referralSenderId` and `shareableLinkUrl`, which the REST API has."""
    said = part(source.data, "referral")
    sender = part(said, "referrer") or part(source.data, "member")
    friend = part(said, "friend")
    return present(
        {
            "subscriberId": source.subscriber,
            **texts(said, referralId="id"),
            **texts(sender, referralSenderId="id"),
            **texts(said, shareableLinkUrl="link", code="code", channel="channel"),
            "customer": given(texts(sender, email="email", customerId="customer_id")),
            "dateCreated": source.created(said, "at"),
            "recipient": given(texts(friend, email="email", customerId="id")),
            "order": order(text(part(source.data, "order"), "id")),
            "reward": reward(source.data),
            **texts(said, status="status"),
        }
    )


RESOURCES: Mapping[str, Callable[[Source], Resource]] = {
    "review": _review,
    "loyalty_customer": _loyalty_customer,
    "loyalty_adjustment_transaction": _adjustment,
    "loyalty_earning_transaction": _earning,
    "loyalty_redemption_transaction": _redemption,
    "quiz_response": quiz_response,
    "survey_response": survey_response,
    "referral": _referral,
}
