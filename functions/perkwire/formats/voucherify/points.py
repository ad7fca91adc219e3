"""Voucherify's balances, points and credits on the move, made of the catalogue's.

As in `objects`: its documented names, types and order; nothing that the event does
not say. Points taken away are negative, as Voucherify writes them too.
"""

from perkwire.formats.reading import Object, day, first, moment, number, part, present, text
from perkwire.formats.voucherify.objects import VoucherifyObject, cents, id_of, iso, made
from perkwire.primitives.strict_json import Json


def points_balance(
    transaction: Object, member: Object, card: VoucherifyObject, operation: str | None = None
) -> VoucherifyObject:
    """What a movement of points has done to a loyalty card; `operation`: by whom, where said."""
    if not transaction:
        return None
    after = first(number(transaction, "balance_after"), number(part(member, "points"), "balance"))
    return present(
        {
            "type": "loyalty_card",
            "total": first(number(part(member, "points"), "earned"), after),
            "object": "balance",
            "points": number(transaction, "points"),
            "balance": after,
            "operation_type": operation,
            "related_object": _related(card),
        }
    )


def credit_balance(gift_card: Object, rendered: VoucherifyObject) -> VoucherifyObject:
    """What adding credits has done to a gift card; `value` is what was added."""
    balance = cents(gift_card, "balance")
    return present(
        {
            "type": "gift_voucher",
            "amount": cents(gift_card, "value"),
            "total": balance,
            "object": "balance",
            "balance": balance,
            "operation_type": "MANUAL",
            "related_object": _related(rendered),
        }
    )


def gift_transaction(
    source: Object, balance: VoucherifyObject, card: VoucherifyObject, of: VoucherifyObject
) -> VoucherifyObject:
    """A line in the journal of a gift card: credits that were added, which `balance` says."""
    if not source:
        return None
    return made(
        {
            "id": text(source, "id"),
            "voucher_id": id_of(card),
            "campaign_id": id_of(of),
            "reason": text(source, "reason"),
            "type": "CREDITS_ADDITION",
            "details": made({"balance": balance}),
            "created_at": iso(moment(source, "at")),
        }
    )


def pending_balance(points: Json, member: Object, card: VoucherifyObject) -> VoucherifyObject:
    """What is promised in all after a change of it by `points`."""
    total = number(part(member, "points"), "pending")
    said = made({"points": points, "total": total, "balance": total})
    if said is None:
        return None
    return {**said, "object": "balance", **present({"related_object": _related(card)})}


def transaction(
    source: Object,
    kind: str | None,
    member: Object,
    card: VoucherifyObject,
    of: VoucherifyObject,
    details: Object,
) -> VoucherifyObject:
    """A line in the journal of a card. `of` is the campaign; `details` come after the balance."""
    if not source:
        return None
    return made(
        {
            "id": text(source, "id"),
            "voucher_id": id_of(card),
            "campaign_id": id_of(of),
            "reason": text(source, "reason"),
            "type": kind,
            "details": made({"balance": points_balance(source, member, card), **details}),
            "created_at": iso(moment(source, "at")),
        }
    )


def buckets(source: Object, card: VoucherifyObject, of: VoucherifyObject) -> list[dict[str, Json]]:
    """The points that have run out, with the day on which they did; none without that day."""
    expired_on = day(source, "expires_on")
    if expired_on is None:
        return []
    return [
        present(
            {
                "voucher_id": id_of(card),
                "campaign_id": id_of(of),
                "bucket": made({"total_points": lost(source)}),
                "expires_at": expired_on.isoformat(),
                "object": "loyalty_points_bucket",
            }
        )
    ]


def lost(source: Object) -> int | float | None:
    """How many points a transaction has taken away: not negative."""
    points = number(source, "points")
    return None if points is None else abs(points)


def pending_points(
    source: Object,
    member: Object,
    card: VoucherifyObject,
    of: VoucherifyObject,
    bought: VoucherifyObject,
) -> VoucherifyObject:
    """A promise of points, as it stands now. `bought` is the order that it is for."""
    if not source:
        return None
    available_on = day(source, "available_on")
    details = {"holder_loyalty_tier": held_tier(member), "order": order_of(bought)}
    return made(
        {
            "id": text(source, "id"),
            "voucher_id": id_of(card),
            "campaign_id": id_of(of),
            "customer_id": text(member, "id"),
            "order_id": id_of(bought),
            "points": number(source, "points"),
            "activates_at": None if available_on is None else available_on.isoformat(),
            "details": made(details),
        }
    )


def earning_rule(activity: Object, of: VoucherifyObject, kind: str | None) -> VoucherifyObject:
    """The rule by which points were earned in the campaign `of`; `kind` is its `object`."""
    if not activity:
        return None
    points = number(activity, "points")
    return made(
        {
            "id": text(activity, "id"),
            "loyalty": None if points is None else {"type": "FIXED", "points": points},
            "source": made({"banner": text(activity, "name"), "object_id": id_of(of)}),
        },
        kind,
    )


def rule_of(activity: Object) -> VoucherifyObject:
    """The same rule as the details of a transaction name it."""
    return made({"id": text(activity, "id"), "source": made({"banner": text(activity, "name")})})


def order_of(bought: VoucherifyObject) -> VoucherifyObject:
    """An order as details name it."""
    return made({"id": id_of(bought), "source_id": bought.get("source_id")}) if bought else None


def held_tier(member: Object) -> VoucherifyObject:
    """The tier that the member is in, as details name it."""
    tier = part(member, "tier")
    return made({"id": text(tier, "id"), "name": text(tier, "name")})


def _related(card: VoucherifyObject) -> VoucherifyObject:
    related = id_of(card)
    return None if related is None else {"id": related, "type": "voucher"}
