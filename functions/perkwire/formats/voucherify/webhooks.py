"""Voucherify's webhooks, version v2024-01-01, and what `data` of each may hold.

The members that its documentation lists for a webhook, in its order, but for those that no
neutral event can say, which the catalogue names as `never_sent`. Of `customer.confirmed` and
`customer.referred` it lists none; theirs are inferred.
"""

from collections.abc import Mapping

_REDEMPTION = ("customer", "order", "campaign", "voucher", "holder", "redemption")
_ROLLBACK = (*_REDEMPTION, "redemption_rollback")
_ORDER = ("customer", "referrer", "order", "redemption", "campaign", "voucher", "publication")
_REWARD = ("customer", "holder", "voucher", "campaign", "reward_redemption", "reward")
_REWARD_BALANCE = (*_REWARD, "reward_assignment", "balance")
_SEGMENT = ("customer", "segment", "campaign", "voucher", "publication")
_TIER = ("customer", "campaign", "loyalty_tier", "created_at")
_TIER_CHANGE = ("customer", "campaign", "loyalty_tier_from", "loyalty_tier_to", "created_at")
_PUBLICATION = ("customer", "campaign", "publication", "voucher")
_ACTIVATED = (
    "customer",
    "campaign",
    "voucher",
    "balance",
    "order",
    "transaction",
    "pending_points",
)
_PENDING = (
    "customer",
    "campaign",
    "voucher",
    "voucher_pending_points_balance",
    "order",
    "pending_points",
)

WEBHOOKS: Mapping[str, tuple[str, ...]] = {
    "redemption.succeeded": (*_REDEMPTION, "created_at"),
    "redemption.failed": (*_REDEMPTION, "created_at"),
    "redemption.rollback.succeeded": _ROLLBACK,
    "redemption.rollback.failed": _ROLLBACK,
    "customer.created": ("customer",),
    "customer.updated": ("customer",),
    "customer.deleted": ("customer",),
    "customer.confirmed": ("customer",),
    "customer.redemption.succeeded": _REDEMPTION,
    "customer.redemption.rollback.succeeded": _ROLLBACK,
    "customer.referred": ("customer", "referrer", "campaign", "voucher", "redemption"),
    "customer.rewarded": (
        "customer",
        "holder",
        "voucher",
        "campaign",
        "redemption",
        "reward",
        "balance",
    ),
    "customer.rewarded.loyalty_points": (
        "customer",
        "holder",
        "voucher",
        "campaign",
        "loyalty_tier",
        "earning_rule",
        "balance",
        "order",
    ),
    "customer.reward_redemptions.created": _REWARD_BALANCE,
    "customer.reward_redemptions.pending": _REWARD_BALANCE,
    "customer.reward_redemptions.completed": (*_REWARD_BALANCE, "publication"),
    "customer.voucher.loyalty_card.pending_points.activated": _ACTIVATED,
    "customer.voucher.loyalty_card.pending_points.added": _PENDING,
    "customer.voucher.loyalty_card.pending_points.canceled": _PENDING,
    "customer.voucher.loyalty_card.pending_points.updated": _PENDING,
    "customer.voucher.loyalty_card.points_added": (
        "customer",
        "campaign",
        "voucher",
        "balance",
        "transaction",
    ),
    "customer.voucher.loyalty_card.points_expired": (
        "customer",
        "campaign",
        "voucher",
        "points",
        "buckets",
        "transaction",
    ),
    "customer.voucher.gift.balance_added": (
        "customer",
        "campaign",
        "voucher",
        "balance",
        "transaction",
    ),
    "customer.segment.entered": _SEGMENT,
    "customer.segment.left": _SEGMENT,
    "customer.loyalty.tier.joined": _TIER,
    "customer.loyalty.tier.upgraded": _TIER_CHANGE,
    "customer.loyalty.tier.downgraded": _TIER_CHANGE,
    "customer.loyalty.tier.prolonged": _TIER,
    "customer.loyalty.tier.left": _TIER,
    "customer.order.created": _ORDER,
    "customer.order.paid": _ORDER,
    "customer.order.updated": _ORDER,
    "customer.order.canceled": _ORDER,
    "customer.publication.succeeded": _PUBLICATION,
    "customer.custom_event": (
        "event",
        "event_schema",
        "customer",
        "campaign",
        "voucher",
        "publication",
    ),
    "publication.succeeded": _PUBLICATION,
    "voucher.loyalty_card.transaction.created": (
        "transaction",
        "voucher",
        "campaign",
        "holder",
        "holder_loyalty_tier",
        "balance",
        "order",
        "earning_rule",
        "reward",
    ),
    "voucher.loyalty_card.pending_points.activated": _ACTIVATED,
    "voucher.loyalty_card.pending_points.added": _PENDING,
    "voucher.loyalty_card.pending_points.canceled": _PENDING,
    "voucher.loyalty_card.pending_points.updated": _PENDING,
    "voucher.loyalty_card.points_added": (
        "voucher",
        "balance",
        "campaign",
        "customer",
        "transaction",
    ),
    "voucher.loyalty_card.points_expired": (
        "voucher",
        "points",
        "campaign",
        "customer",
        "buckets",
        "transaction",
    ),
    "voucher.gift.balance_added": ("voucher", "balance", "campaign", "transaction"),
    "campaign.loyalty_tier.created": ("campaign", "loyalty_tier"),
    "campaign.loyalty_tier.deleted": ("campaign", "loyalty_tier"),
    "campaign.loyalty_tier.updated": ("campaign", "loyalty_tier"),
    "manual_distribution_schedule": (
        "distribution",
        "campaign",
        "voucher",
        "publication",
        "customer",
    ),
}
