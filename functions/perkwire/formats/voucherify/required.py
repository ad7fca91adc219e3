"""What Voucherify's schemas require of an object, whatever the event says of it.

Receivers that decode strictly want each required member at every delivery. What the event does not
say is null where the schema allows it; else nothing of its type: 0, an empty object, list or
string. A time that is not said is the event's: the earliest at which the thing was surely there.
"""

from collections.abc import Mapping
from types import MappingProxyType

from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.strict_json import Json

AT = "at"
"""In place of a default: the time of the event."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The required members of an object, each with what it is if not said, and shapes within.

    A shape within is that of an object, or of each object of a list.
    """

    required: Mapping[str, Json]
    within: "Mapping[str, Shape]" = MappingProxyType({})


def completed(said: dict[str, Json], shape: Shape, at: str) -> dict[str, Json]:
    """What is said, and what else the shape requires, after it."""
    whole = dict(said)
    for name, default in shape.required.items():
        whole.setdefault(name, at if default == AT else default)
    for name, inner in shape.within.items():
        value = whole.get(name)
        if isinstance(value, dict):
            whole[name] = completed(value, inner, at)
        elif isinstance(value, list):
            whole[name] = [
                completed(one, inner, at) if isinstance(one, dict) else one for one in value
            ]
    return whole


def _zeros(*names: str) -> dict[str, Json]:
    return dict.fromkeys(names, 0)


_NAMED = Shape({"id": "", "name": ""})
_RULE_NAMED = Shape({"id": "", "source": {}}, {"source": Shape({"banner": ""})})
_ORDER_NAMED = Shape({"id": "", "source_id": ""})

CUSTOMER = Shape({"metadata": {}})
WHOLE_CUSTOMER = Shape(
    {"summary": None, "loyalty": None, "referrals": None, "metadata": {}},
    {
        "summary": Shape(
            {"redemptions": {}, "orders": {}},
            {
                "redemptions": Shape(
                    {
                        **_zeros("total_redeemed", "total_failed", "total_succeeded"),
                        **_zeros("total_rolled_back", "total_rollback_failed"),
                        **_zeros("total_rollback_succeeded"),
                        "gift": {},
                        "loyalty_card": {},
                    },
                    {
                        "gift": Shape(_zeros("redeemed_amount", "amount_to_go")),
                        "loyalty_card": Shape(_zeros("redeemed_points", "points_to_go")),
                    },
                ),
                "orders": Shape(
                    _zeros("total_amount", "total_count", "average_amount", "last_order_amount")
                ),
            },
        ),
        "loyalty": Shape({"points": 0, "referred_customers": 0, "campaigns": {}}),
    },
)
_NAMED_CUSTOMER = Shape({"address": None, "summary": None, "loyalty": None, "referrals": None})

VOUCHER = Shape(
    {"code": "", "type": "DISCOUNT_VOUCHER", "created_at": AT, "metadata": {}},
    {
        "gift": Shape(_zeros("amount", "balance")),
        "loyalty_card": Shape({"points": 0}),
        "redemption": Shape({"quantity": None, "redeemed_quantity": 0}),
    },
)
ORDER = Shape({"source_id": None, "customer_id": None, "referrer_id": None, "metadata": {}})
WHOLE_ORDER = Shape(
    {"id": "", "source_id": None, "customer_id": None, "referrer_id": None, "metadata": {}},
    {"customer": _NAMED_CUSTOMER},
)
REDEMPTION = Shape(
    {"id": "", "date": AT, "status": None, "metadata": {}},
    {"customer": CUSTOMER, "order": ORDER, "voucher": VOUCHER},
)
REDEMPTION_ON_ORDER = Shape(
    {"metadata": {}}, {"customer": CUSTOMER, "order": ORDER, "voucher": VOUCHER}
)
PUBLICATION = Shape(
    {
        **{"id": "", "created_at": AT, "customer_id": "", "metadata": {}, "channel": "API"},
        **{"source_id": None, "result": "SUCCESS", "customer": {}, "vouchers_id": []},
    },
    {
        "customer": Shape(
            {"summary": None, "loyalty": None, "referrals": None, "object": "customer"}
        ),
        "voucher": VOUCHER,
    },
)

_RELATED = Shape({"id": "", "type": "voucher"})
BALANCE = Shape(
    {"points": 0, "total": 0, "balance": 0, "related_object": {}}, {"related_object": _RELATED}
)
CREDITS = Shape(
    {"amount": 0, "total": 0, "balance": 0, "operation_type": "MANUAL", "related_object": {}},
    {"related_object": _RELATED},
)
_DETAILS = Shape(
    {},
    {
        "balance": Shape(
            {"total": 0, "balance": 0, "related_object": {}}, {"related_object": _RELATED}
        ),
        "order": _ORDER_NAMED,
        "earning_rule": _RULE_NAMED,
        "holder_loyalty_tier": _NAMED,
        "reward": _NAMED,
    },
)
TRANSACTION = Shape(
    {
        **{"id": "", "source_id": None, "voucher_id": "", "campaign_id": "", "source": None},
        **{"reason": None, "details": None, "related_transaction_id": None, "created_at": AT},
    },
    {"details": _DETAILS},
)
BUCKET = Shape(
    {
        **{"id": "", "voucher_id": "", "campaign_id": "", "bucket": {}, "status": "ACTIVE"},
        **{"expires_at": AT, "created_at": AT},
    },
    {"bucket": Shape({"total_points": 0})},
)
PENDING_POINTS = Shape(
    {
        **{"id": "", "voucher_id": "", "campaign_id": "", "customer_id": "", "order_id": ""},
        **{"points": 0, "activates_at": AT, "details": {}, "created_at": AT},
    },
    {
        "details": Shape(
            {"event": {}, "earning_rule": {}, "order": {}},
            {
                "event": Shape({"id": "", "type": "customer.order.paid"}),
                "earning_rule": _RULE_NAMED,
                "order": _ORDER_NAMED,
                "holder_loyalty_tier": _NAMED,
            },
        )
    },
)
LOYALTY_TIER = Shape(
    {
        **{"id": "", "name": "", "campaign_id": "", "earning_rules": {}, "rewards": {}},
        **{"points": {}, "config": {}, "metadata": {}, "created_at": AT, "updated_at": None},
    },
    {
        "config": Shape({"points": {}}),
        "expiration": Shape(
            {"customer_id": "", "campaign_id": "", "tier_id": "", "created_at": AT}
        ),
    },
)

_OF_RULE = Shape({"object_id": "", "object_type": "campaign"})
EARNING_RULE = Shape(
    {
        **{"id": "", "created_at": AT, "loyalty": {}, "source": {}, "automation_id": ""},
        **{"metadata": {}, "validation_rule_id": None, "updated_at": None, "active": True},
    },
    {"loyalty": Shape({"type": "FIXED"}), "source": _OF_RULE},
)
EARNING_RULE_OF_TRANSACTION = Shape(
    {"id": "", "loyalty": {}, "source": {}},
    {"loyalty": Shape({"type": "FIXED"}), "source": _OF_RULE},
)
REWARD = Shape({"metadata": {}}, {"voucher": VOUCHER})
REWARD_OF_TRANSACTION = Shape(
    {
        **{"id": "", "name": "", "stock": None, "redeemed": None, "metadata": {}},
        **{"type": "CAMPAIGN", "updated_at": None},
    }
)
SEGMENT = Shape({"id": "", "name": ""})
EVENT = Shape(
    {"customer": {}, "referral": None, "loyalty": None},
    {"customer": Shape({"object": "customer"})},
)
