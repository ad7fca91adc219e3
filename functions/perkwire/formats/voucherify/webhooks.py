"""Voucherify's webhooks, version v2024-01-01, and what `data` of each holds.

The members that its OpenAPI descriptions list for a webhook, in their order; of
`customer.confirmed` and `customer.referred` it describes the bodies as activities of a customer.
Without `campaign`, `voucher`, `publication` and `promotion_tier` of orders, segments and custom
events: these are what a distribution sends out, not what the event is about.
"""

from collections.abc import Mapping

_REDEMPTION = (
    "customer",
    "order",
    "campaign",
    "voucher",
    "holder",
    "promotion_tier",
    "promotion_stack",
    "redemption",
)
_ROLLBACK = (*_REDEMPTION, "redemption_rollback")
_ORDER = ("customer", "referrer", "order", "redemption")
_REWARD = ("customer", "holder", "voucher", "campaign", "reward_redemption", "reward")
_REWARD_BALANCE = (*_REWARD, "reward_assignment", "source", "balance")
_SEGMENT = ("customer", "segment")
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
    "customer.confirmed": ("customer", "unconfirmed_customer"),
    "customer.redemption.succeeded": _REDEMPTION,
    "customer.redemption.rollback.succeeded": _ROLLBACK,
    "customer.referred": (
        "customer",
        "referrer",
        "campaign",
        "voucher",
        "custom_event",
        "redemption",
    ),
    "customer.rewarded": (
        "customer",
        "holder",
        "voucher",
        "campaign",
        "redemption",
        "reward",
        "referral_tier",
        "balance",
        "custom_event",
        "customer_event",
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
        "event",
        "publication",
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
    "customer.custom_event": ("event", "event_schema", "customer", "referral", "loyalty"),
    "publication.succeeded": (*_PUBLICATION, "user"),
    "voucher.published": (*_PUBLICATION, "created_at"),
    "voucher.loyalty_card.transaction.created": (
        "transaction",
        "voucher",
        "campaign",
        "holder",
        "holder_loyalty_tier",
        "balance",
        "order",
        "event",
        "earning_rule",
        "segment",
        "loyalty_tier",
        "redemption",
        "rollback",
        "reward",
        "custom_event",
        "source_voucher",
        "destination_voucher",
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
