"""Voucherify's orders, rewards, redemptions and publications, made of the catalogue's.

As in `objects`: its documented names, types and order; nothing that the event does
not say.
"""

from perkwire.formats.reading import Object, integer, moment, part, parts, present, text, texts
from perkwire.formats.voucherify.objects import (
    VoucherifyObject,
    cents,
    id_of,
    iso,
    made,
    voucher,
    whole_points,
    within_64_bits,
)
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json

_ORDER_STATUSES = {
    "created": "CREATED",
    "paid": "PAID",
    "cancelled": "CANCELED",
    "canceled": "CANCELED",
    "fulfilled": "FULFILLED",
}
_REWARD_TYPES = {"coupon": "CAMPAIGN", "gift_card": "CAMPAIGN", "product": "MATERIAL"}
_OF_A_CODE = ("code", "value", "currency", "expires_at")
_FAILURE_CODE = regex(r"[a-z][a-z0-9_]*")


def order(
    source: Object,
    status: str | None,
    buyer: VoucherifyObject,
    referrer: VoucherifyObject,
    *,
    whole: bool,
) -> VoucherifyObject:
    """An order. `id` is the programme's and `source_id` the shop's own, as far as they differ.

    `amount` is before discounts. `status` is what the event says by its type. Only a `whole` one
    repeats its customer.
    """
    if not source:
        return None
    given = text(source, "status")
    known = _ORDER_STATUSES.get((given or "").lower())
    state = status or known
    order_id = text(source, "id")
    before: float | None = cents(source, "subtotal")
    discount = cents(source, "discount")
    total = cents(source, "total")
    if before is None and total is not None:
        before = within_64_bits(total + (discount or 0))
    items = [_item(product) for product in parts(source, "items")]
    metadata: dict[str, Json] = {
        "currency": text(source, "currency"),
        "coupons": [*found] if (found := texts(source, "coupons")) else None,
        "status": None if known else given,
    }
    return made(
        {
            "id": text(source, "tracking_id") or order_id,
            "source_id": order_id,
            "created_at": iso(moment(source, "ordered_at")),
            "updated_at": iso(moment(source, "paid_at")) if state == "PAID" else None,
            "status": state,
            "amount": before,
            "total_discount_amount": discount,
            "total_amount": total,
            "items": [*items] if items else None,
            "metadata": made(metadata),
            "customer": made({"id": id_of(buyer)}, "customer") if whole else None,
            "customer_id": id_of(buyer),
            "referrer_id": id_of(referrer),
        },
        "order",
    )


def reward(source: Object, code: VoucherifyObject, holder: Object) -> VoucherifyObject:
    """What was redeemed. `code` is the voucher handed out for it, if the event has that too."""
    if not source:
        return None
    kind = text(source, "type")
    known = _REWARD_TYPES.get(kind or "")
    product = part(source, "product")
    metadata = {
        "type": None if known else kind,
        "status": text(source, "status"),
        "currency": text(source, "currency"),
    }
    return made(
        {
            "voucher": code or _handed_out(source, holder),
            "product": made({"id": text(product, "id"), "name": text(product, "name")}),
            "sku": made({"id": text(product, "variant_id"), "source_id": text(product, "sku")}),
            "id": text(source, "id"),
            "object": "reward",
            "name": text(source, "name"),
            "metadata": made(metadata),
            "type": known,
        }
    )


def redemption(
    source: Object,
    code: VoucherifyObject,
    buyer: VoucherifyObject,
    of: VoucherifyObject,
    *,
    failed: bool,
) -> VoucherifyObject:
    """One use of the voucher `code`; `of` is the order that it was used on."""
    return _use(source, code, buyer, of, failed=failed, kind="redemption")


def rollback(
    source: Object,
    code: VoucherifyObject,
    buyer: VoucherifyObject,
    of: VoucherifyObject,
    *,
    failed: bool,
) -> VoucherifyObject:
    """The taking back of a use, which `redemption` names."""
    return _use(source, code, buyer, of, failed=failed, kind="redemption_rollback")


def rolled_back(
    source: Object, code: VoucherifyObject, buyer: VoucherifyObject, *, failed: bool
) -> VoucherifyObject:
    """The use that was taken back, or that stands since taking it back has failed."""
    used = text(source, "redemption_id")
    if used is None:
        return None
    members = {
        "id": used,
        "customer_id": id_of(buyer),
        "customer": buyer,
        "result": "SUCCESS",
        "status": "SUCCEEDED" if failed else "ROLLED BACK",
        "voucher": code,
    }
    return made(members, "redemption")


def used_on_order(source: Object, buyer: VoucherifyObject) -> VoucherifyObject:
    """The use of a voucher on an order, as the webhooks of orders have it."""
    if not source:
        return None
    members = {
        "id": text(source, "id"),
        "created_at": iso(moment(source, "at")),
        "amount": cents(source, "amount"),
        "reason": text(source, "reason"),
        "result": "SUCCESS",
        "status": "SUCCEEDED",
        "redemption": text(source, "redemption_id"),
        "customer": buyer,
        "customer_id": id_of(buyer),
    }
    return made(members, "redemption")


def publication(
    source: Object,
    at: int | None,
    code: VoucherifyObject,
    receiver: VoucherifyObject,
    *,
    with_voucher: bool,
) -> dict[str, Json]:
    """The handing of the voucher `code` to `receiver`; `at` is when, if the event does not say."""
    given = id_of(code)
    when = moment(source, "at")
    return present(
        {
            "id": text(source, "id"),
            "object": "publication",
            "created_at": iso(at if when is None else when),
            "customer_id": id_of(receiver),
            "tracking_id": None if receiver is None else receiver.get("source_id"),
            "channel": text(source, "channel"),
            "result": "SUCCESS",
            "customer": receiver,
            "vouchers_id": None if given is None else [given],
            "voucher": (code or {}) if with_voucher else None,
        }
    )


def _use(
    source: Object,
    code: VoucherifyObject,
    buyer: VoucherifyObject,
    of: VoucherifyObject,
    *,
    failed: bool,
    kind: str,
) -> VoucherifyObject:
    if not source:
        return None
    in_points = code is not None and code.get("type") == "LOYALTY_CARD"
    reason = text(source, "reason")
    said_as_code = failed and reason is not None and _FAILURE_CODE.fullmatch(reason)
    return made(
        {
            "id": text(source, "id"),
            "customer_id": id_of(buyer),
            "date": iso(moment(source, "at")),
            "amount": whole_points(source, "amount") if in_points else cents(source, "amount"),
            "order": of,
            "customer": buyer,
            "result": "FAILURE" if failed else "SUCCESS",
            "status": "FAILED" if failed else "SUCCEEDED",
            "voucher": code,
            "redemption": text(source, "redemption_id"),
            "failure_code": reason if said_as_code else None,
            "failure_message": reason if failed else None,
            "reason": None if failed else reason,
        },
        kind,
    )


def _item(product: Object) -> dict[str, Json]:
    price = cents(product, "price")
    quantity = integer(product, "quantity")
    amount = None if price is None or quantity is None else within_64_bits(price * quantity)
    metadata = {
        "category": text(product, "category"),
        "url": text(product, "url"),
        "image_url": text(product, "image_url"),
    }
    known = {
        "id": text(product, "id"),
        "name": text(product, "name"),
        "metadata": made(metadata),
        "price": price,
    }
    return present(
        {
            "object": "order_item",
            "product_id": text(product, "id"),
            "sku_id": text(product, "variant_id"),
            "quantity": quantity,
            "amount": amount,
            "price": price,
            "product": made(known),
            "sku": made({"id": text(product, "variant_id"), "source_id": text(product, "sku")}),
        }
    )


def _handed_out(source: Object, holder: Object) -> VoucherifyObject:
    said = present({name: source.get(name) for name in _OF_A_CODE})
    if not said:
        return None
    return voucher({**said, **present({"type": source.get("type")})}, None, holder)
