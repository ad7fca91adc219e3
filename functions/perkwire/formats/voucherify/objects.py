"""Voucherify's objects, made of the catalogue's: member to customer, tier to loyalty tier, ….

Names, types and the order of members are those of its documentation, version v2024-01-01. An
object of which the event says nothing is None; a member that the event does not say is left out.
Money is whole hundredths of the currency's main unit, exact if it is given so and a third decimal
rounded half up; what needs more than 64 bits is left out. Words
that are not among Voucherify's own (a status, a kind of campaign) stand in `metadata`, which is
free.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from perkwire.formats.reading import (
    Object,
    day,
    decimal,
    first,
    flag,
    integer,
    moment,
    number,
    part,
    parts,
    present,
    text,
)
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import iso_milliseconds

type VoucherifyObject = dict[str, Json] | None

_HUNDREDTH = Decimal("0.01")
_LARGEST = 2**63 - 1
_MOST_MONEY = Decimal(_LARGEST).scaleb(-2)

_CAMPAIGN_TYPES = {
    "loyalty_program": "LOYALTY_PROGRAM",
    "loyalty_programme": "LOYALTY_PROGRAM",
    "referral_program": "REFERRAL_PROGRAM",
    "referral_programme": "REFERRAL_PROGRAM",
    "discount_coupons": "DISCOUNT_COUPONS",
    "gift_vouchers": "GIFT_VOUCHERS",
    "promotion": "PROMOTION",
}
_VOUCHER_TYPES = {
    "coupon": "DISCOUNT_VOUCHER",
    "gift_card": "GIFT_VOUCHER",
    "loyalty_card": "LOYALTY_CARD",
    "referral_code": "DISCOUNT_VOUCHER",
}


def iso(microseconds: int | None) -> str | None:
    """`2024-01-01T11:11:11.111Z`: milliseconds, as all times of Voucherify's are written."""
    return None if microseconds is None else iso_milliseconds(microseconds)


def made(members: Mapping[str, Json], kind: str | None = None) -> VoucherifyObject:
    """The members that have a value, with `object` last; None if none has one."""
    found = present(members)
    if not found:
        return None
    return found if kind is None else {**found, "object": kind}


def id_of(thing: VoucherifyObject) -> Json:
    """The `id` of an object that may be none or have none."""
    return None if thing is None else thing.get("id")


def within_64_bits(value: float) -> float | None:
    """The number, or None if it is of more than a signed integer of 64 bits holds."""
    return value if -(2**63) <= value < 2**63 else None


def cents(source: Object, name: str) -> int | None:
    """An amount of money in hundredths; None too for what needs more than 64 bits."""
    amount = decimal(source, name)
    if amount is None or abs(amount) > _MOST_MONEY:
        return None
    return int(amount.quantize(_HUNDREDTH, ROUND_HALF_UP).scaleb(2))


def whole_points(source: Object, name: str) -> int | float | None:
    """Points, also where they are written as money is; a whole number wherever they are one."""
    points = decimal(source, name)
    if points is None or abs(points) > _LARGEST:
        return None
    return int(points) if points == points.to_integral_value() else float(points)


def customer(member: Object) -> VoucherifyObject:
    """A customer as it stands inside other objects' events."""
    return made(
        {
            "id": text(member, "id"),
            "name": _full_name(member),
            "email": text(member, "email"),
            "source_id": text(member, "customer_id"),
            "metadata": _object(member, "attributes"),
        },
        "customer",
    )


def whole_customer(member: Object, program_id: str | None) -> VoucherifyObject:
    """A customer as the events of its own and of its segments have it."""
    return made(
        {
            "id": text(member, "id"),
            "source_id": text(member, "customer_id"),
            "name": _full_name(member),
            "email": text(member, "email"),
            "phone": text(member, "phone"),
            "birthdate": _day(member, "birthday"),
            "address": _address(part(member, "address")),
            "summary": _summary(member),
            "loyalty": _loyalty(member, program_id),
            "metadata": _object(member, "attributes"),
            "created_at": iso(moment(member, "enrolled_at")),
        },
        "customer",
    )


def campaign(source: Object, program_id: str | None, *, loyalty: bool) -> VoucherifyObject:
    """The event's own campaign, or else its programme: a campaign too in Voucherify's words."""
    if not source:
        kind = "LOYALTY_PROGRAM" if loyalty and program_id is not None else None
        return made({"id": program_id, "campaign_type": kind}, "campaign")
    kind = text(source, "type")
    known = _CAMPAIGN_TYPES.get((kind or "").lower())
    return made(
        {
            "id": text(source, "id"),
            "name": text(source, "name"),
            "campaign_type": known,
            "metadata": None if known else made({"type": kind}),
        },
        "campaign",
    )


def voucher(source: Object, of: VoucherifyObject, holder: Object) -> VoucherifyObject:
    """A code. `of` is its campaign; a loyalty card shows the points of the member, its holder."""
    if not source:
        return None
    kind = text(source, "type")
    campaign_of: Object = of or {}
    card = kind == "loyalty_card"
    return made(
        {
            "id": text(source, "id"),
            "code": first(text(source, "code"), text(source, "id")),
            "discount": _discount(source) if kind == "coupon" else None,
            "gift": _gift(source) if kind == "gift_card" else None,
            "loyalty_card": _card(source, part(holder, "points")) if card else None,
            "type": _VOUCHER_TYPES.get(kind or ""),
            "campaign": text(campaign_of, "name"),
            "campaign_id": text(campaign_of, "id"),
            "is_referral_code": None if kind is None else kind == "referral_code",
            "holder_id": text(holder, "id"),
            "active": flag(source, "active"),
            "created_at": iso(
                first(moment(source, "starts_at"), moment(holder, "enrolled_at") if card else None)
            ),
            "redemption": _used(holder) if card else None,
            "start_date": iso(moment(source, "starts_at")),
            "expiration_date": iso(moment(source, "expires_at")),
            "metadata": made({"currency": text(source, "currency")}),
        },
        "voucher",
    )


def referral_code(
    source: Object, referral: Object, of: VoucherifyObject, referrer: Object
) -> VoucherifyObject:
    """The code that a referrer hands on; `source` is its voucher, if the event has that too."""
    given = source or present({"code": text(referral, "code"), "type": "referral_code"})
    code = voucher(given, of, referrer) if "code" in given else None
    if code is None:
        return None
    metadata = {
        "referral_id": text(referral, "id"),
        "link": text(referral, "link"),
        "channel": text(referral, "channel"),
        "status": text(referral, "status"),
    }
    del code["object"]
    said = {**part(code, "metadata"), **present(metadata)}
    return made({**code, "referrer_id": text(referrer, "id"), "metadata": said or None}, "voucher")


def loyalty_tier(level: Object, days: Object, of: Json, owner: Json) -> VoucherifyObject:
    """A tier of the campaign with the id `of`.

    `days` has `since` and `until`, for which the customer with the id `owner` is in it.
    """
    if not level:
        return None
    held = made({"start_date": _day(days, "since"), "expiration_date": _day(days, "until")})
    points = made({"from": number(level, "points_from"), "to": number(level, "points_to")})
    tier_id = text(level, "id")
    whose = present({"customer_id": owner, "campaign_id": of, "tier_id": tier_id})
    return made(
        {
            "id": tier_id,
            "name": text(level, "name"),
            "campaign_id": of,
            "config": made({"points": points}),
            "points": points,
            "expiration": None if held is None else {**whose, **held},
        },
        "loyalty_tier",
    )


def _full_name(member: Object) -> str | None:
    names = [text(member, "first_name"), text(member, "last_name")]
    return " ".join(name for name in names if name) or None


def _address(address: Object) -> VoucherifyObject:
    return made(
        {
            "city": text(address, "city"),
            "state": text(address, "state"),
            "line_1": text(address, "line1"),
            "line_2": text(address, "line2"),
            "country": text(address, "country"),
            "postal_code": text(address, "postal_code"),
        }
    )


def _summary(member: Object) -> VoucherifyObject:
    points = part(member, "points")
    card = {
        "redeemed_points": number(points, "redeemed"),
        "points_to_go": number(points, "balance"),
    }
    redemptions = {
        "total_redeemed": integer(member, "redemptions"),
        "loyalty_card": made(card),
    }
    return made({"redemptions": made(redemptions)})


def _loyalty(member: Object, program_id: str | None) -> VoucherifyObject:
    balance = number(part(member, "points"), "balance")
    in_campaign = made({"points": balance, "loyalty_tier": text(part(member, "tier"), "id")})
    campaigns = {} if program_id is None else present({program_id: in_campaign})
    return made({"points": balance, "campaigns": campaigns or None})


def _card(source: Object, points: Object) -> VoucherifyObject:
    """What the voucher says of its balance goes before what the member has."""
    balance = whole_points(source, "balance")
    expiry: Object = next(iter(parts(points, "expiries")), {})
    return made(
        {
            "points": number(points, "earned"),
            "balance": number(points, "balance") if balance is None else balance,
            "next_expiration_date": _day(expiry, "on"),
            "next_expiration_points": number(expiry, "points"),
            "pending_points": number(points, "pending"),
            "expired_points": number(points, "expired"),
            "subtracted_points": number(points, "deducted"),
        }
    )


def _used(holder: Object) -> VoucherifyObject:
    return made(
        {
            "redeemed_quantity": integer(holder, "redemptions"),
            "redeemed_points": number(part(holder, "points"), "redeemed"),
        }
    )


def _gift(source: Object) -> VoucherifyObject:
    value, balance = cents(source, "value"), cents(source, "balance")
    return made({"amount": first(value, balance), "balance": first(balance, value)})


def _discount(source: Object) -> VoucherifyObject:
    amount = cents(source, "value")
    return None if amount is None else {"type": "AMOUNT", "amount_off": amount}


def _object(source: Object, name: str) -> VoucherifyObject:
    return {**found} if (found := part(source, name)) else None


def _day(source: Object, name: str) -> str | None:
    found = day(source, name)
    return None if found is None else found.isoformat()
