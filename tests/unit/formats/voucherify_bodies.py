"""Neutral events, and what exactly `data` of Voucherify's webhooks has of them.

All happened at AT in the programme `gold`, and have the id `evt_1`.
"""

from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import parse_rfc3339

AT = parse_rfc3339("2026-09-21T14:13:20.5Z")
ON = "2026-09-21T14:13:20.500Z"

MEMBER: dict[str, Json] = {
    "id": "mbr_1",
    "membership_id": "msp_1",
    "customer_id": "cus_1",
    "email": "ada@example.com",
    "phone": "+1-555-0134",
    "first_name": "Ada",
    "last_name": "Moreno",
    "birthday": "1990-04-12",
    "enrolled_at": "2024-02-11T10:30:00+01:00",
    "address": {"line1": "14 Harbour Street", "city": "Portland", "country": "US"},
    "points": {"balance": 860, "earned": 1500, "redeemed": 500, "pending": 30},
    "redemptions": 2,
    "attributes": {"shoe_size": 39},
}
CUSTOMER: dict[str, Json] = {
    "id": "mbr_1",
    "name": "Ada Moreno",
    "email": "ada@example.com",
    "source_id": "cus_1",
    "metadata": {"shoe_size": 39},
    "object": "customer",
}
PROGRAMME: dict[str, Json] = {
    "id": "gold",
    "campaign_type": "LOYALTY_PROGRAM",
    "object": "campaign",
}
NO_PROGRAMME_TYPE: dict[str, Json] = {"id": "gold", "object": "campaign"}
RELATED: dict[str, Json] = {"id": "msp_1", "type": "voucher"}


def card(balance: int) -> dict[str, Json]:
    return {
        "id": "msp_1",
        "code": "msp_1",
        "loyalty_card": {"points": 1500, "balance": balance, "pending_points": 30},
        "type": "LOYALTY_CARD",
        "campaign_id": "gold",
        "is_referral_code": False,
        "holder_id": "mbr_1",
        "created_at": "2024-02-11T09:30:00.000Z",
        "redemption": {"redeemed_quantity": 2, "redeemed_points": 500},
        "object": "voucher",
    }


def balance(points: int, after: int) -> dict[str, Json]:
    return {
        "type": "loyalty_card",
        "total": 1500,
        "object": "balance",
        "points": points,
        "balance": after,
        "related_object": RELATED,
    }


def with_operation(operation: str, said: dict[str, Json]) -> dict[str, Json]:
    """A balance that also tells how it came about."""
    related = said.pop("related_object")
    return {**said, "operation_type": operation, "related_object": related}


def transaction(kind: str, points: int, after: int, **details: Json) -> dict[str, Json]:
    return {
        "id": "txn_1",
        "voucher_id": "msp_1",
        "campaign_id": "gold",
        "reason": "Order ord_1",
        "type": kind,
        "details": {"balance": balance(points, after), **details},
        "created_at": "2026-09-21T14:13:20.000Z",
    }


def neutral(points: int, after: int, **overrides: Json) -> dict[str, Json]:
    moved: dict[str, Json] = {
        "id": "txn_1",
        "points": points,
        "balance_after": after,
        "at": "2026-09-21T14:13:20Z",
        "reason": "Order ord_1",
    }
    return moved | overrides


ORDER: dict[str, Json] = {
    "id": "ord_1",
    "tracking_id": "trk_1",
    "status": "paid",
    "currency": "USD",
    "subtotal": "129.90",
    "discount": 12,
    "total": 117.9,
    "coupons": ["AUTUMN12"],
    "ordered_at": "2026-09-21T14:10:02Z",
    "paid_at": "2026-09-21T14:12:47.123456Z",
    "items": [
        {
            "id": "prd_1",
            "variant_id": "v_1",
            "sku": "SOCK-M",
            "name": "Socks",
            "price": "10.05",
            "quantity": 2,
            "category": "Clothing",
        }
    ],
}
ORDERED: dict[str, Json] = {
    "id": "trk_1",
    "source_id": "ord_1",
    "created_at": "2026-09-21T14:10:02.000Z",
    "updated_at": "2026-09-21T14:12:47.123Z",
    "status": "PAID",
    "amount": 12990,
    "total_discount_amount": 1200,
    "total_amount": 11790,
    "items": [
        {
            "object": "order_item",
            "product_id": "prd_1",
            "sku_id": "v_1",
            "quantity": 2,
            "amount": 2010,
            "price": 1005,
            "product": {
                "id": "prd_1",
                "name": "Socks",
                "metadata": {"category": "Clothing"},
                "price": 1005,
            },
            "sku": {"id": "v_1", "source_id": "SOCK-M"},
        }
    ],
    "metadata": {"currency": "USD", "coupons": ["AUTUMN12"]},
    "customer_id": "mbr_1",
    "object": "order",
}
WHOLE_ORDER: dict[str, Json] = {
    **{name: value for name, value in ORDERED.items() if name not in ("customer_id", "object")},
    "customer": {"id": "mbr_1", "object": "customer"},
    "customer_id": "mbr_1",
    "object": "order",
}
COUPON: dict[str, Json] = {
    "id": "vch_1",
    "code": "WELCOME",
    "type": "coupon",
    "value": "15.00",
    "currency": "USD",
    "expires_at": "2026-12-31T23:59:59Z",
    "active": True,
}


def discount(**holder: Json) -> dict[str, Json]:
    return {
        "id": "vch_1",
        "code": "WELCOME",
        "discount": {"type": "AMOUNT", "amount_off": 1500},
        "type": "DISCOUNT_VOUCHER",
        "campaign": "Welcome",
        "campaign_id": "cmp_1",
        "is_referral_code": False,
        **holder,
        "active": True,
        "expiration_date": "2026-12-31T23:59:59.000Z",
        "metadata": {"currency": "USD"},
        "object": "voucher",
    }


CAMPAIGN: dict[str, Json] = {"id": "cmp_1", "name": "Welcome", "type": "discount_coupons"}
COUPONS: dict[str, Json] = {
    "id": "cmp_1",
    "name": "Welcome",
    "campaign_type": "DISCOUNT_COUPONS",
    "object": "campaign",
}
LEVELS: dict[str, Json] = {
    "previous": {"id": "t_1", "name": "Silver", "points_from": 500, "points_to": 1499},
    "current": {"id": "t_2", "name": "Gold", "points_from": 1500},
    "since": "2026-09-21",
    "until": "2027-09-20",
}
REDEMPTION: dict[str, Json] = {
    "id": "red_1",
    "customer_id": "mbr_1",
    "date": "2026-09-21T14:13:20.000Z",
    "amount": 1500,
    "order": ORDERED,
    "customer": CUSTOMER,
    "result": "SUCCESS",
    "status": "SUCCEEDED",
    "voucher": discount(),
    "object": "redemption",
}

REFERRAL_CODE: dict[str, Json] = {
    "code": "ADA",
    "type": "DISCOUNT_VOUCHER",
    "campaign_id": "gold",
    "is_referral_code": True,
    "holder_id": "mbr_1",
    "referrer_id": "mbr_1",
    "object": "voucher",
}

BODIES: list[tuple[str, dict[str, Json], dict[str, Json]]] = [
    (
        "points.earned",
        {
            "member": MEMBER,
            "transaction": neutral(360, 860, activity={"id": "a_1", "name": "Order"}),
            "order": ORDER,
        },
        {
            "voucher": card(860),
            "balance": with_operation("AUTOMATIC", balance(360, 860)),
            "campaign": PROGRAMME,
            "customer": CUSTOMER,
            "transaction": transaction(
                "POINTS_ACCRUAL",
                360,
                860,
                order={"id": "trk_1", "source_id": "ord_1"},
                earning_rule={"id": "a_1", "source": {"banner": "Order"}},
            ),
        },
    ),
    (
        "points.added",
        {"member": MEMBER, "transaction": neutral(100, 960)},
        {
            "voucher": card(960),
            "balance": with_operation("MANUAL", balance(100, 960)),
            "campaign": PROGRAMME,
            "customer": CUSTOMER,
            "transaction": transaction("POINTS_ADDITION", 100, 960),
        },
    ),
    (
        "points.expired",
        {"member": MEMBER, "transaction": neutral(-50, 810, expires_on="2026-09-21")},
        {
            "voucher": card(810),
            "points": 50,
            "campaign": PROGRAMME,
            "customer": CUSTOMER,
            "buckets": [
                {
                    "voucher_id": "msp_1",
                    "campaign_id": "gold",
                    "bucket": {"total_points": 50},
                    "expires_at": "2026-09-21",
                    "object": "loyalty_points_bucket",
                }
            ],
            "transaction": transaction("POINTS_EXPIRATION", -50, 810),
        },
    ),
    (
        "points.pending.cancelled",
        {
            "member": MEMBER,
            "pending_points": {"id": "pnd_1", "points": 20, "available_on": "2026-10-05"},
        },
        {
            "customer": CUSTOMER,
            "campaign": PROGRAMME,
            "voucher": card(860),
            "voucher_pending_points_balance": {
                "points": -20,
                "total": 30,
                "balance": 30,
                "object": "balance",
                "related_object": RELATED,
            },
            "pending_points": {
                "id": "pnd_1",
                "voucher_id": "msp_1",
                "campaign_id": "gold",
                "customer_id": "mbr_1",
                "points": 20,
                "activates_at": "2026-10-05",
            },
        },
    ),
    (
        "tier.upgraded",
        {"member": MEMBER, "tier": LEVELS},
        {
            "customer": CUSTOMER,
            "campaign": PROGRAMME,
            "loyalty_tier_from": {
                "id": "t_1",
                "name": "Silver",
                "campaign_id": "gold",
                "config": {"points": {"from": 500, "to": 1499}},
                "points": {"from": 500, "to": 1499},
                "object": "loyalty_tier",
            },
            "loyalty_tier_to": {
                "id": "t_2",
                "name": "Gold",
                "campaign_id": "gold",
                "config": {"points": {"from": 1500}},
                "points": {"from": 1500},
                "expiration": {
                    "customer_id": "mbr_1",
                    "campaign_id": "gold",
                    "tier_id": "t_2",
                    "start_date": "2026-09-21",
                    "expiration_date": "2027-09-20",
                },
                "object": "loyalty_tier",
            },
            "created_at": ON,
        },
    ),
    (
        "reward.redeemed",
        {
            "member": MEMBER,
            "reward": {
                "id": "rwd_1",
                "redemption_id": "rdm_1",
                "name": "10 dollars",
                "type": "gift_card",
                "points": 500,
                "value": "10",
                "code": "TEN",
            },
            "transaction": neutral(-500, 360),
            "publication": {"id": "pub_1", "channel": "portal"},
        },
        {
            "customer": CUSTOMER,
            "holder": CUSTOMER,
            "voucher": card(360),
            "campaign": PROGRAMME,
            "reward_redemption": {
                "id": "rdm_1",
                "state": "COMPLETED",
                "created_at": "2026-09-21T14:13:20.000Z",
                "updated_at": ON,
                "voucher_id": "msp_1",
                "campaign_id": "gold",
                "customer_id": "mbr_1",
            },
            "reward": {
                "voucher": {
                    "code": "TEN",
                    "gift": {"amount": 1000, "balance": 1000},
                    "type": "GIFT_VOUCHER",
                    "is_referral_code": False,
                    "holder_id": "mbr_1",
                    "object": "voucher",
                },
                "id": "rwd_1",
                "object": "reward",
                "name": "10 dollars",
                "type": "CAMPAIGN",
            },
            "reward_assignment": {
                "reward_id": "rwd_1",
                "related_object_id": "gold",
                "related_object_type": "campaign",
                "parameters": {"loyalty": {"points": 500}},
                "object": "reward_assignment",
            },
            "source": {"id": "txn_1", "type": "redemption"},
            "publication": {
                "id": "pub_1",
                "object": "publication",
                "customer_id": "mbr_1",
                "tracking_id": "cus_1",
                "channel": "portal",
                "result": "SUCCESS",
                "customer": CUSTOMER,
            },
        },
    ),
    (
        "voucher.redeemed",
        {
            "member": MEMBER,
            "voucher": COUPON,
            "redemption": {"id": "red_1", "at": "2026-09-21T14:13:20Z", "amount": 15.0},
            "order": ORDER,
            "campaign": CAMPAIGN,
        },
        {
            "customer": CUSTOMER,
            "order": ORDERED,
            "campaign": COUPONS,
            "voucher": discount(),
            "redemption": REDEMPTION,
            "created_at": "2026-09-21T14:13:20.000Z",
        },
    ),
    (
        "voucher.redemption_failed",
        {
            "member": {"id": "mbr_2"},
            "voucher": COUPON,
            "holder": MEMBER,
            "redemption": {"id": "red_1", "at": "2026-09-21T14:13:20Z"},
            "campaign": CAMPAIGN,
        },
        {
            "customer": {"id": "mbr_2", "object": "customer"},
            "campaign": COUPONS,
            "voucher": discount(holder_id="mbr_1"),
            "holder": CUSTOMER,
            "redemption": {
                "id": "red_1",
                "customer_id": "mbr_2",
                "date": "2026-09-21T14:13:20.000Z",
                "customer": {"id": "mbr_2", "object": "customer"},
                "result": "FAILURE",
                "status": "FAILED",
                "voucher": discount(holder_id="mbr_1"),
                "object": "redemption",
            },
            "created_at": "2026-09-21T14:13:20.000Z",
        },
    ),
    (
        "voucher.redemption_rollback_failed",
        {
            "member": MEMBER,
            "redemption": {"id": "rrb_1", "redemption_id": "red_1", "reason": "already_done"},
        },
        {
            "customer": CUSTOMER,
            "campaign": NO_PROGRAMME_TYPE,
            "redemption": {
                "id": "red_1",
                "customer_id": "mbr_1",
                "customer": CUSTOMER,
                "status": "SUCCEEDED",
                "object": "redemption",
            },
            "redemption_rollback": {
                "id": "rrb_1",
                "customer_id": "mbr_1",
                "customer": CUSTOMER,
                "result": "FAILURE",
                "status": "FAILED",
                "redemption": "red_1",
                "failure_code": "already_done",
                "failure_message": "already_done",
                "object": "redemption_rollback",
            },
        },
    ),
    (
        "voucher.published",
        {"member": MEMBER, "voucher": COUPON, "campaign": CAMPAIGN},
        {
            "customer": CUSTOMER,
            "campaign": COUPONS,
            "publication": {
                "object": "publication",
                "created_at": ON,
                "customer_id": "mbr_1",
                "tracking_id": "cus_1",
                "result": "SUCCESS",
                "customer": CUSTOMER,
                "vouchers_id": ["vch_1"],
            },
            "voucher": discount(holder_id="mbr_1"),
        },
    ),
    (
        "voucher.gift_credits_added",
        {
            "member": MEMBER,
            "voucher": {
                "id": "v_2",
                "code": "G",
                "type": "gift_card",
                "value": "20.00",
                "balance": "45",
            },
            "gift_transaction": {"id": "gtx_1", "at": "2026-09-21T14:13:20Z", "reason": "Till"},
        },
        {
            "voucher": {
                "id": "v_2",
                "code": "G",
                "gift": {"amount": 4500, "balance": 4500},
                "type": "GIFT_VOUCHER",
                "campaign_id": "gold",
                "is_referral_code": False,
                "holder_id": "mbr_1",
                "object": "voucher",
            },
            "balance": {
                "type": "gift_voucher",
                "amount": 2000,
                "total": 4500,
                "object": "balance",
                "balance": 4500,
                "operation_type": "MANUAL",
                "related_object": {"id": "v_2", "type": "voucher"},
            },
            "campaign": NO_PROGRAMME_TYPE,
            "transaction": {
                "id": "gtx_1",
                "voucher_id": "v_2",
                "campaign_id": "gold",
                "reason": "Till",
                "type": "CREDITS_ADDITION",
                "details": {
                    "balance": {
                        "type": "gift_voucher",
                        "amount": 2000,
                        "total": 4500,
                        "object": "balance",
                        "balance": 4500,
                        "operation_type": "MANUAL",
                        "related_object": {"id": "v_2", "type": "voucher"},
                    }
                },
                "created_at": "2026-09-21T14:13:20.000Z",
            },
        },
    ),
    (
        "member.enrolled",
        {"member": MEMBER},
        {
            "customer": {
                "id": "mbr_1",
                "source_id": "cus_1",
                "name": "Ada Moreno",
                "email": "ada@example.com",
                "phone": "+1-555-0134",
                "birthdate": "1990-04-12",
                "address": {"city": "Portland", "line_1": "14 Harbour Street", "country": "US"},
                "summary": {
                    "redemptions": {
                        "total_redeemed": 2,
                        "loyalty_card": {"redeemed_points": 500, "points_to_go": 860},
                    }
                },
                "loyalty": {"points": 860, "campaigns": {"gold": {"points": 860}}},
                "metadata": {"shoe_size": 39},
                "created_at": "2024-02-11T09:30:00.000Z",
                "object": "customer",
            }
        },
    ),
    (
        "order.paid",
        {"member": MEMBER, "order": ORDER},
        {
            "customer": CUSTOMER,
            "order": WHOLE_ORDER,
        },
    ),
    (
        "order.paid",
        {
            "member": MEMBER,
            "order": ORDER,
            "redemption": {"id": "red_1", "at": "2026-09-21T14:13:20Z", "amount": "12.00"},
            "referral": {"referrer": {"id": "mbr_2"}},
            "voucher": COUPON,
            "publication": {"id": "pub_1", "channel": "email"},
            "campaign": CAMPAIGN,
        },
        {
            "customer": CUSTOMER,
            "referrer": {"id": "mbr_2", "object": "customer"},
            "order": {
                **{name: value for name, value in WHOLE_ORDER.items() if name != "object"},
                "referrer_id": "mbr_2",
                "object": "order",
            },
            "redemption": {
                "id": "red_1",
                "created_at": "2026-09-21T14:13:20.000Z",
                "amount": 1200,
                "result": "SUCCESS",
                "status": "SUCCEEDED",
                "customer": CUSTOMER,
                "customer_id": "mbr_1",
                "object": "redemption",
            },
        },
    ),
    (
        "segment.entered",
        {"member": {"id": "mbr_1"}, "segment": {"id": "seg_1", "name": "Hikers"}},
        {
            "customer": {"id": "mbr_1", "object": "customer"},
            "segment": {"id": "seg_1", "name": "Hikers", "object": "segment"},
        },
    ),
    (
        "custom.quiz.done",
        {"member": MEMBER, "score": 7.0},
        {
            "event": {
                "id": "evt_1",
                "object": "event",
                "type": "quiz.done",
                "customer": {"id": "mbr_1"},
                "metadata": {"member": MEMBER, "score": 7},
                "created_at": ON,
            },
            "event_schema": {"name": "quiz.done"},
            "customer": CUSTOMER,
        },
    ),
    (
        "referral.rewarded",
        {
            "member": MEMBER,
            "referral": {"code": "ADA", "friend": {"id": "mbr_2", "first_name": "Tom"}},
            "reward": {"id": "rwd_1", "name": "Thanks", "type": "coupon"},
            "voucher": {"id": "vch_2", "code": "TEN", "type": "coupon"},
        },
        {
            "customer": CUSTOMER,
            "holder": CUSTOMER,
            "voucher": REFERRAL_CODE,
            "campaign": NO_PROGRAMME_TYPE,
            "redemption": {
                "customer_id": "mbr_2",
                "customer": {"id": "mbr_2", "name": "Tom", "object": "customer"},
                "voucher": REFERRAL_CODE,
                "object": "redemption",
            },
            "reward": {
                "voucher": {
                    "id": "vch_2",
                    "code": "TEN",
                    "type": "DISCOUNT_VOUCHER",
                    "is_referral_code": False,
                    "holder_id": "mbr_1",
                    "object": "voucher",
                },
                "id": "rwd_1",
                "object": "reward",
                "name": "Thanks",
                "type": "CAMPAIGN",
            },
        },
    ),
]
