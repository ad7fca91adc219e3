"""`data` of a webhook: its members, null where the event says nothing of them."""

from collections.abc import Callable, Mapping

from perkwire.catalogue.event_types import CUSTOM
from perkwire.formats.reading import moment, number, part, present, text
from perkwire.formats.voucherify import required
from perkwire.formats.voucherify.event_objects import EventObjects
from perkwire.formats.voucherify.objects import (
    VoucherifyObject,
    customer,
    id_of,
    iso,
    loyalty_tier,
    made,
    within_64_bits,
)
from perkwire.formats.voucherify.orders import (
    publication,
    redemption,
    rollback,
    rolled_back,
    used_on_order,
)
from perkwire.formats.voucherify.points import (
    buckets,
    credit_balance,
    earning_rule,
    gift_transaction,
    held_tier,
    lost,
    order_of,
    pending_balance,
    pending_points,
    points_balance,
    rule_of,
    transaction,
)
from perkwire.formats.voucherify.required import Shape, completed
from perkwire.formats.voucherify.webhooks import WEBHOOKS
from perkwire.model.event import Event
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import iso_milliseconds

_TRANSACTION_TYPES = {
    "points.earned": "POINTS_ACCRUAL",
    "points.added": "POINTS_ADDITION",
    "points.expired": "POINTS_EXPIRATION",
    "points.pending.activated": "PENDING_POINTS_ACTIVATION",
}
_REDEMPTION_STATES = {
    "reward.redemption.created": "CREATED",
    "reward.redemption.pending": "PENDING",
    "reward.redeemed": "COMPLETED",
}


_CALCULATED_ORDERS = ("customer.order.", "customer.rewarded.loyalty_points")


def render_data(event: Event, webhook: str) -> dict[str, Json]:
    """`data` of the webhook of this type, which must be one of `WEBHOOKS`."""
    said = EventObjects(event, webhook)
    data = {name: _member(said, name) for name in WEBHOOKS[webhook]}
    # No schema tells what of a distribution is null.
    return present(data) if webhook == "manual_distribution_schedule" else data


def _member(said: EventObjects, name: str) -> Json:
    """A member of `data` with all that its schema requires; null if nothing is said of it."""
    value = _MEMBERS[name](said) if name in _MEMBERS else None
    shape, at = _shape(said, name), iso_milliseconds(said.event.happened_at)
    if shape is not None and isinstance(value, dict):
        return completed(value, shape, at)
    return value


def _shape(said: EventObjects, name: str) -> Shape | None:
    """What is required of a member, which in some webhooks has another schema than in others."""
    if name == "customer" and said.is_about_customer:
        return required.WHOLE_CUSTOMER
    if name == "order" and said.webhook.startswith(_CALCULATED_ORDERS):
        return required.WHOLE_ORDER
    if name == "redemption" and not said.webhook.startswith("redemption."):
        found = said.webhook.startswith("customer.redemption.")
        return required.REDEMPTION if found else required.REDEMPTION_ON_ORDER
    if name == "balance" and said.type == "voucher.gift_credits_added":
        return required.CREDITS
    if name == "balance" and said.is_referral:
        return None
    if name == "event" and said.webhook != "customer.custom_event":
        return None
    if said.webhook == "voucher.loyalty_card.transaction.created":
        return _SHAPES_OF_TRANSACTION.get(name) or _SHAPES.get(name)
    return _SHAPES.get(name)


_SHAPES: Mapping[str, Shape] = {
    "balance": required.BALANCE,
    "customer": required.CUSTOMER,
    "earning_rule": required.EARNING_RULE,
    "event": required.EVENT,
    "holder": required.CUSTOMER,
    "holder_loyalty_tier": required.LOYALTY_TIER,
    "loyalty_tier": required.LOYALTY_TIER,
    "loyalty_tier_from": required.LOYALTY_TIER,
    "loyalty_tier_to": required.LOYALTY_TIER,
    "order": required.ORDER,
    "pending_points": required.PENDING_POINTS,
    "publication": required.PUBLICATION,
    "redemption": required.REDEMPTION,
    "redemption_rollback": required.REDEMPTION,
    "referrer": required.CUSTOMER,
    "reward": required.REWARD,
    "segment": required.SEGMENT,
    "transaction": required.TRANSACTION,
    "voucher": required.VOUCHER,
    "voucher_pending_points_balance": required.BALANCE,
}
_SHAPES_OF_TRANSACTION: Mapping[str, Shape] = {
    "earning_rule": required.EARNING_RULE_OF_TRANSACTION,
    "reward": required.REWARD_OF_TRANSACTION,
}


def _customer(said: EventObjects) -> VoucherifyObject:
    if said.webhook == "customer.referred":  # the friend is the customer there
        return customer(said.part("referral", "friend"))
    return said.customer


def _redemption(said: EventObjects) -> VoucherifyObject:
    if said.is_referral:
        return _use_by_friend(said)
    source = said.part("redemption")
    if said.webhook.startswith("customer.order."):
        return used_on_order(source, said.customer)
    if "rollback" in said.webhook:
        failed = said.webhook == "redemption.rollback.failed"
        return rolled_back(source, said.voucher, said.customer, failed=failed)
    failed = said.webhook == "redemption.failed"
    return redemption(source, said.voucher, said.customer, said.order, failed=failed)


def _use_by_friend(said: EventObjects) -> VoucherifyObject:
    """The friend's use of the referral code: to it a referrer owes the reward."""
    friend = customer(said.part("referral", "friend"))
    if friend is None and said.order is None:
        return None
    members = {
        "customer_id": id_of(friend),
        "order": said.order,
        "customer": friend,
        "voucher": said.voucher,
    }
    return made(members, "redemption")


def _rollback(said: EventObjects) -> VoucherifyObject:
    failed = said.webhook == "redemption.rollback.failed"
    source = said.part("redemption")
    return rollback(source, said.voucher, said.customer, said.order, failed=failed)


def _balance(said: EventObjects) -> VoucherifyObject:
    if said.type == "voucher.gift_credits_added":
        return credit_balance(said.part("voucher"), said.voucher)
    if said.type in _REDEMPTION_STATES:  # of a gift card that a reward adds to
        return None
    if said.is_referral:
        return made({"points": number(said.transaction, "points")})
    operation = None
    if said.webhook == "voucher.loyalty_card.points_added":
        operation = "MANUAL" if said.type == "points.added" else "AUTOMATIC"
    return points_balance(said.transaction, said.member, said.voucher, operation)


def _pending_balance(said: EventObjects) -> VoucherifyObject:
    points = number(said.part("pending_points"), "points")
    change: Json = None
    if points is not None and said.type == "points.pending.added":
        change = points
    elif points is not None and said.type == "points.pending.cancelled":
        change = within_64_bits(-abs(points))
    return pending_balance(change, said.member, said.voucher)


def _transaction(said: EventObjects) -> VoucherifyObject:
    if said.type == "voucher.gift_credits_added":
        source = said.part("gift_transaction")
        return gift_transaction(source, _balance(said), said.voucher, said.campaign)
    activity = said.part("transaction", "activity")
    reward = said.part("reward")
    kind = _TRANSACTION_TYPES.get(said.type)
    if said.type == "points.transaction.created":
        added = (number(said.transaction, "points") or 0) >= 0
        by_hand = "POINTS_ADDITION" if added else "POINTS_REMOVAL"
        kind = "POINTS_REDEMPTION" if reward else "POINTS_ACCRUAL" if activity else by_hand
    details = {
        "order": order_of(said.order),
        "earning_rule": rule_of(activity),
        "holder_loyalty_tier": held_tier(said.member),
        "reward": made({"id": text(reward, "id"), "name": text(reward, "name")}),
    }
    return transaction(said.transaction, kind, said.member, said.voucher, said.campaign, details)


def _pending_points(said: EventObjects) -> VoucherifyObject:
    source = said.part("pending_points")
    return pending_points(source, said.member, said.voucher, said.campaign, said.order)


def _reward_redemption(said: EventObjects) -> VoucherifyObject:
    created = said.type == "reward.redemption.created"
    spent_at = moment(said.transaction, "at")
    now = said.event.happened_at
    return made(
        {
            "id": text(said.part("reward"), "redemption_id"),
            "state": _REDEMPTION_STATES[said.type],
            "created_at": iso(now if created else spent_at),
            "updated_at": None if created else iso(now),
            "voucher_id": id_of(said.voucher),
            "campaign_id": id_of(said.campaign),
            "customer_id": id_of(said.customer),
        }
    )


def _reward_assignment(said: EventObjects) -> VoucherifyObject:
    price = number(said.part("reward"), "points")
    points = lost(said.transaction) if price is None else price
    if points is None:
        return None
    return made(
        {
            "reward_id": text(said.part("reward"), "id"),
            "related_object_id": id_of(said.campaign),
            "related_object_type": None if said.campaign is None else "campaign",
            "parameters": {"loyalty": {"points": points}},
        },
        "reward_assignment",
    )


def _publication(said: EventObjects) -> VoucherifyObject:
    source = said.part("publication")
    itself = "publication" in said.webhook
    if not source and not itself:
        return None
    rewarded = said.type in _REDEMPTION_STATES  # the voucher of these is the card that paid
    return publication(
        source,
        said.event.happened_at if itself else None,
        None if rewarded else said.voucher,
        said.customer,
        with_voucher=said.webhook.startswith(("customer.publication.", "customer.reward_")),
    )


def _tier(said: EventObjects, *path: str) -> VoucherifyObject:
    level = said.part(*path)
    days = said.part("tier") if path[-1] == "current" else {}
    return loyalty_tier(level, days, id_of(said.campaign), id_of(said.customer))


def _loyalty_tier(said: EventObjects) -> VoucherifyObject:
    if said.type == "tier.left":
        return _tier(said, "tier", "previous")
    if said.type == "points.rewarded":
        return _holder_loyalty_tier(said)
    return _tier(said, "tier", "current") or _tier(said, "level")


def _holder_loyalty_tier(said: EventObjects) -> VoucherifyObject:
    held = part(said.member, "tier")
    return loyalty_tier(held, held, id_of(said.campaign), id_of(said.customer))


def _segment(said: EventObjects) -> VoucherifyObject:
    source = said.part("segment")
    return made({"id": text(source, "id"), "name": text(source, "name")}, "segment")


def _event(said: EventObjects) -> VoucherifyObject:
    """An event of the platform's own, whole: all of its data is metadata. Of another, its ids."""
    if said.webhook != "customer.custom_event":
        return {
            "id": said.event.id,
            "type": said.webhook,
            "category": "EFFECT",
            **present({"entity_id": id_of(said.customer)}),
            "created_at": iso(said.event.happened_at),
            "group_id": said.event.id,
        }
    return {
        "id": said.event.id,
        "object": "event",
        "type": said.type.removeprefix(CUSTOM),
        **present({"customer": made({"id": id_of(said.customer)})}),
        "metadata": said.event.data,
        "created_at": iso(said.event.happened_at),
    }


def _earning_rule(said: EventObjects) -> VoucherifyObject:
    of_transaction = said.webhook == "voucher.loyalty_card.transaction.created"
    activity = said.part("transaction", "activity")
    return earning_rule(activity, said.campaign, None if of_transaction else "earning_rule")


def _reward(said: EventObjects) -> VoucherifyObject:
    if said.webhook != "voucher.loyalty_card.transaction.created" or said.reward is None:
        return said.reward
    members = {name: said.reward.get(name) for name in ("id", "name", "metadata", "type")}
    return made(members, "reward")


def _source(said: EventObjects) -> VoucherifyObject:
    """What has paid for the reward."""
    paid = text(said.transaction, "id")
    return None if paid is None else {"id": paid, "type": "redemption"}


def _buckets(said: EventObjects) -> Json:
    at = iso_milliseconds(said.event.happened_at)
    return [
        completed(bucket, required.BUCKET, at)
        for bucket in buckets(said.transaction, said.voucher, said.campaign)
    ]


def _distribution(said: EventObjects) -> VoucherifyObject:
    message = said.part("message")
    return made(
        {
            "id": text(message, "id"),
            "parameters": made({"subject": text(message, "name")}),
            "set_live_at": iso(moment(message, "scheduled_at")),
            "distribution_channels": ["webhook"],
        }
    )


def _created_at(said: EventObjects) -> str | None:
    at = moment(said.part("redemption"), "at")
    return iso(said.event.happened_at if at is None else at)


_MEMBERS: Mapping[str, Callable[[EventObjects], Json]] = {
    "balance": _balance,
    "buckets": _buckets,
    "campaign": lambda said: said.campaign,
    "created_at": _created_at,
    "customer": _customer,
    "distribution": _distribution,
    "earning_rule": _earning_rule,
    "event": _event,
    "event_schema": lambda said: {"name": said.type.removeprefix(CUSTOM)},
    "holder": lambda said: said.holder,
    "holder_loyalty_tier": _holder_loyalty_tier,
    "loyalty_tier": _loyalty_tier,
    "loyalty_tier_from": lambda said: _tier(said, "tier", "previous"),
    "loyalty_tier_to": lambda said: _tier(said, "tier", "current"),
    "order": lambda said: said.order,
    "pending_points": _pending_points,
    "points": lambda said: lost(said.transaction) or 0,
    "publication": _publication,
    "redemption": _redemption,
    "redemption_rollback": _rollback,
    "referrer": lambda said: said.referrer,
    "reward": _reward,
    "reward_assignment": _reward_assignment,
    "reward_redemption": _reward_redemption,
    "segment": _segment,
    "source": _source,
    "transaction": _transaction,
    "voucher": lambda said: said.voucher,
    "voucher_pending_points_balance": _pending_balance,
}
