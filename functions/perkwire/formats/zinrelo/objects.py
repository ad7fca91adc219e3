"""What Zinrelo's webhooks say of a member, a transaction and the rest.

Sources: the pages of Zinrelo's API reference on members and transactions, which print
`member_info` and the `transaction_info` of an award. Numbers and dates are strings.

A redemption has `reward_info` in the place of `award_info`: the vendor's own plug-in reads
`reward_id`, `coupon_code` and a reward's `reward_name`, `reward_value`, `reward_sub_type` and
`product_id`.

Inferred, because no page prints it: what else is in `reward_info`; that the transactions of other
kinds are said as an award is, with `deduct_info` or `expire_info` and points without a sign (as in
Zinrelo's older webhooks), though a redemption shows that the name need not follow the type;
`old_tier` and `new_tier` of a tier movement; and what stands beside `member_info` in referral,
system and campaign events: `transaction_info`, `reward_info`, `referral_info`, `campaign_info`,
`offer_info`, `otp_info`. Of a `transaction_date` the page says the form, not where it stands in a
webhook.
"""

from collections.abc import Mapping

from perkwire.formats.reading import (
    Object,
    day,
    first,
    number,
    part,
    parts,
    present,
    text,
    texts,
)
from perkwire.formats.zinrelo.values import (
    capitalised,
    digits,
    joined,
    zinrelo_date,
    zinrelo_day,
    zinrelo_moment,
)
from perkwire.model.event import Event
from perkwire.primitives.strict_json import Json

_REJECTED = "Rejected"
# Of each transaction event: its `transaction_type`, and the status that the event itself says.
_TRANSACTIONS: Mapping[str, tuple[str, str | None]] = {
    "points.earned": ("award", "Approved"),
    "points.added": ("award", "Approved"),
    "points.rejected": ("award", _REJECTED),
    "points.redeemed": ("redeem", None),
    "reward.redeemed": ("redeem", None),
    "points.deducted": ("deduct", None),
    "points.expired": ("expire", None),
}
# Of each `transaction_type`: where its points stand.
_INFO: Mapping[str, str] = {"redeem": "reward_info"}
# The plug-in's words; another is passed on.
_REWARD_SUB_TYPES: Mapping[str, str] = {
    "coupon": "Fixed Amount Discount",
    "gift_card": "Fixed Amount Discount",
    "fixed_amount": "Fixed Amount Discount",
    "percentage": "Percentage Discount",
    "product": "Product Redemption",
    "shipping": "Free Shipping",
    "free_shipping": "Free Shipping",
}
_MEMBER_ALONE = frozenset(
    {"member.enrolled", "member.updated", "member.deleted", "tier.upgraded", "tier.downgraded"}
)


def event_data(event: Event) -> dict[str, Json]:
    """The `data` of an event: `member_info`, and what else its group of events has."""
    said: dict[str, Json] = {"member_info": _member(event)}
    if event.type in _TRANSACTIONS:
        said["transaction_info"] = _transaction(event, *_TRANSACTIONS[event.type])
    elif event.type not in _MEMBER_ALONE:
        said |= _inferred(event)
    return said


def _member(event: Event) -> dict[str, Json]:
    """Up to `tier_info` as the reference prints it; the rest as in a later print of it."""
    member = part(event.data, "member")
    points = part(member, "points")
    balance_after = digits(part(event.data, "transaction"), "balance_after")
    return present(
        {
            **_person(member),
            "phone_number": text(member, "phone"),
            "birthdate": zinrelo_date(day(member, "birthday")),
            "anniversary_date": zinrelo_date(day(member, "anniversary")),
            "twitter_handle": text(member, "x_handle"),
            "instagram_handle": text(member, "instagram_handle"),
            "gender": text(member, "gender"),
            "address": _address(part(member, "address")),
            "available_points": first(digits(points, "balance"), balance_after),
            "lifetime_points_earned": digits(points, "earned"),
            "lifetime_points_redeemed": digits(points, "redeemed"),
            "lifetime_points_expired": digits(points, "expired"),
            "lifetime_points_deducted": digits(points, "deducted"),
            "number_of_activities": digits(member, "activities"),
            "number_of_redemptions": digits(member, "redemptions"),
            "points_expiration_schedule": _expiries(points),
            "tier_info": _tier(event),
            "member_status": text(member, "status"),
            "enrollment_date": zinrelo_moment(member, "enrolled_at"),
            "custom_attributes": dict(part(member, "attributes")) or None,
        }
    )


def _person(person: Object) -> dict[str, Json]:
    own = text(person, "id")
    return present(
        {
            "id": first(text(person, "membership_id"), own),
            "member_id": own,
            "first_name": text(person, "first_name"),
            "last_name": text(person, "last_name"),
            "email_address": text(person, "email"),
        }
    )


def _address(address: Object) -> dict[str, Json] | None:
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return present({name: text(address, name) for name in names}) or None


def _expiries(points: Object) -> list[Json] | None:
    schedule: list[Json] = [
        present(
            {
                "expiration_date": first(
                    zinrelo_moment(expiry, "at"), zinrelo_date(day(expiry, "on"))
                ),
                "points_to_expire": number(expiry, "points"),
            }
        )
        for expiry in parts(points, "expiries")
    ]
    return schedule or None


def _tier(event: Event) -> dict[str, Json] | None:
    """The tier that the member is in; for a change of tier the movement too."""
    held, change = part(event.data, "member", "tier"), part(event.data, "tier")
    entered = part(change, "current")
    period = change if entered else {}
    if entered and text(entered, "name") != text(held, "name"):
        held = {}  # the tier that the member was in before
    movement: dict[str, Json] | None = None
    if change:
        movement = present(
            {
                "date": zinrelo_day(event.happened_at),
                "old_tier": text(part(change, "previous"), "name"),
                "new_tier": text(entered, "name"),
            }
        )
    tier: dict[str, Json] = {
        "current_tier": first(text(entered, "name"), text(held, "name")),
        "current_tier_ID": first(text(entered, "id"), text(held, "id")),
        "current_period_start": zinrelo_date(day(period, "since"), day(held, "since")),
        "current_period_end": zinrelo_date(day(period, "until"), day(held, "until")),
        "tier_movements": [movement] if movement else None,
    }
    return present(tier) or None


def _inferred(event: Event) -> dict[str, Json]:
    reward = _reward(part(event.data, "reward"))
    if code := text(part(event.data, "voucher"), "code"):
        reward.setdefault("coupon_code", code)
    return {
        name: said
        for name, said in (
            ("transaction_info", _award(event)),
            ("reward_info", reward),
            ("referral_info", _referral(part(event.data, "referral"))),
            ("campaign_info", _campaign(part(event.data, "campaign"))),
            ("offer_info", _offer(part(event.data, "offer"))),
            ("otp_info", _one_time_password(part(event.data, "one_time_password"))),
        )
        if said
    }


def _award(event: Event) -> dict[str, Json]:
    return _transaction(event, "award", None) if part(event.data, "transaction") else {}


def _transaction(event: Event, kind: str, status: str | None) -> dict[str, Json]:
    transaction = part(event.data, "transaction")
    activity = part(transaction, "activity")
    points = digits(transaction, "points")
    # A transaction that was rejected may still say what it was before.
    own = None if status == _REJECTED else capitalised(text(transaction, "status"))
    return present(
        {
            "id": text(transaction, "id"),
            "transaction_type": kind,
            "member_id": text(part(event.data, "member"), "id"),
            _INFO.get(kind, f"{kind}_info"): present(
                {
                    "activity_id": text(activity, "id"),
                    "activity_name": text(activity, "name"),
                    **(_reward(part(event.data, "reward")) if kind == "redeem" else {}),
                    "points_status": first(own, status),
                    "points": points if kind == "award" or not points else points.lstrip("-"),
                }
            ),
            "transaction_attributes": _attributes(transaction, part(event.data, "order")),
            "transaction_date": zinrelo_moment(transaction, "at"),
        }
    )


def _attributes(transaction: Object, order: Object) -> dict[str, Json] | None:
    products: list[Json] = [
        present(
            {
                "product_id": text(product, "id"),
                "product_category": text(product, "category"),
                "product_price": digits(product, "price"),
                "product_title": text(product, "name"),
                "product_image_url": text(product, "image_url"),
            }
        )
        for product in parts(order, "items")
    ]
    attributes: dict[str, Json] = {
        "tags": joined(texts(transaction, "tags")),
        "reason": text(transaction, "reason"),
        "order_id": text(order, "id"),
        "order_total": digits(order, "total"),
        "order_subtotal": digits(order, "subtotal"),
        "coupons": joined(texts(order, "coupons")),
        "currency": text(order, "currency"),
        "products": products or None,
    }
    return present(attributes) or None


def _reward(reward: Object) -> dict[str, Json]:
    kind = text(reward, "type")
    return present(
        {
            "reward_id": text(reward, "id"),
            "redemption_id": text(reward, "redemption_id"),
            "reward_name": text(reward, "name"),
            "reward_sub_type": kind if kind is None else _REWARD_SUB_TYPES.get(kind, kind),
            "reward_value": digits(reward, "value"),
            "product_id": text(part(reward, "product"), "id"),
            "reward_points": digits(reward, "points"),
            "points_missing": digits(reward, "points_missing"),
            "currency": text(reward, "currency"),
            "coupon_code": text(reward, "code"),
            "reward_status": text(reward, "status"),
            "expiration_date": zinrelo_moment(reward, "expires_at"),
        }
    )


def _referral(referral: Object) -> dict[str, Json]:
    return present(
        {
            "referral_id": text(referral, "id"),
            "referral_code": text(referral, "code"),
            "referral_URL": text(referral, "link"),
            "channel": text(referral, "channel"),
            "referral_status": text(referral, "status"),
            "referrer": _person(part(referral, "referrer")) or None,
            "friend": _person(part(referral, "friend")) or None,
        }
    )


def _campaign(campaign: Object) -> dict[str, Json]:
    return present(
        {
            "campaign_id": text(campaign, "id"),
            "campaign_name": text(campaign, "name"),
            "campaign_type": text(campaign, "type"),
        }
    )


def _offer(offer: Object) -> dict[str, Json]:
    return present(
        {
            "offer_id": text(offer, "id"),
            "offer_name": text(offer, "name"),
            "coupon_code": text(offer, "code"),
            "points": digits(offer, "points"),
            "expiration_date": zinrelo_moment(offer, "expires_at"),
            "inactive_days": digits(offer, "inactive_days"),
        }
    )


def _one_time_password(password: Object) -> dict[str, Json]:
    return present(
        {
            "otp": text(password, "code"),
            "channel": text(password, "channel"),
            "expiration_date": zinrelo_moment(password, "expires_at"),
        }
    )
