"""What stands in `data`: exact bodies, documented members, nothing dropped, nothing breaks."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import ProductEvent, product_events
from perkwire.formats.voucherify.envelope import Voucherify
from perkwire.formats.voucherify.webhooks import WEBHOOKS
from perkwire.primitives.ids import EventId
from perkwire.primitives.strict_json import Json, parse
from tests.builders import a_payload, an_event
from tests.unit.formats.voucherify_bodies import AT, BODIES, MEMBER, ON
from tests.unit.hostile import hostile
from tests.unit.strategies import FEW, JSON, SCALARS

FORMAT = Voucherify()
TYPES = sorted(
    {one for event in product_events("voucherify") for one in event.types} - {"custom.*"}
)
DISTRIBUTION: dict[str, Json] = {"event_name": "x"}
# The members of `data` that Voucherify's OpenAPI description lists, in its order.
DOCUMENTED = {
    "redemption.succeeded": (
        "customer order campaign voucher holder promotion_tier promotion_stack "
        "redemption created_at"
    ),
    "redemption.failed": (
        "customer order campaign voucher holder promotion_tier promotion_stack "
        "redemption created_at"
    ),
    "redemption.rollback.succeeded": (
        "customer order campaign voucher holder promotion_tier promotion_stack "
        "redemption redemption_rollback"
    ),
    "redemption.rollback.failed": (
        "customer order campaign voucher holder promotion_tier promotion_stack "
        "redemption redemption_rollback"
    ),
    "customer.created": "customer",
    "customer.updated": "customer",
    "customer.deleted": "customer",
    "customer.redemption.succeeded": (
        "customer order campaign voucher holder promotion_tier promotion_stack redemption"
    ),
    "customer.redemption.rollback.succeeded": (
        "customer order campaign voucher holder promotion_tier promotion_stack "
        "redemption redemption_rollback"
    ),
    "customer.rewarded": (
        "customer holder voucher campaign redemption reward referral_tier balance "
        "custom_event customer_event"
    ),
    "customer.rewarded.loyalty_points": (
        "customer holder voucher campaign loyalty_tier earning_rule balance order event publication"
    ),
    "customer.reward_redemptions.created": (
        "customer holder voucher campaign reward_redemption reward reward_assignment source balance"
    ),
    "customer.reward_redemptions.pending": (
        "customer holder voucher campaign reward_redemption reward reward_assignment source balance"
    ),
    "customer.reward_redemptions.completed": (
        "customer holder voucher campaign reward_redemption reward reward_assignment "
        "source balance publication"
    ),
    "customer.voucher.loyalty_card.pending_points.activated": (
        "customer campaign voucher balance order transaction pending_points"
    ),
    "customer.voucher.loyalty_card.pending_points.added": (
        "customer campaign voucher voucher_pending_points_balance order pending_points"
    ),
    "customer.voucher.loyalty_card.pending_points.canceled": (
        "customer campaign voucher voucher_pending_points_balance order pending_points"
    ),
    "customer.voucher.loyalty_card.pending_points.updated": (
        "customer campaign voucher voucher_pending_points_balance order pending_points"
    ),
    "customer.voucher.loyalty_card.points_added": "customer campaign voucher balance transaction",
    "customer.voucher.loyalty_card.points_expired": (
        "customer campaign voucher points buckets transaction"
    ),
    "customer.voucher.gift.balance_added": "customer campaign voucher balance transaction",
    "customer.segment.entered": "customer segment campaign voucher publication promotion_tier",
    "customer.segment.left": "customer segment campaign voucher publication promotion_tier",
    "customer.loyalty.tier.joined": "customer campaign loyalty_tier created_at",
    "customer.loyalty.tier.upgraded": (
        "customer campaign loyalty_tier_from loyalty_tier_to created_at"
    ),
    "customer.loyalty.tier.downgraded": (
        "customer campaign loyalty_tier_from loyalty_tier_to created_at"
    ),
    "customer.loyalty.tier.prolonged": "customer campaign loyalty_tier created_at",
    "customer.loyalty.tier.left": "customer campaign loyalty_tier created_at",
    "customer.order.created": (
        "customer referrer order redemption campaign voucher publication promotion_tier"
    ),
    "customer.order.paid": (
        "customer referrer order redemption campaign voucher publication promotion_tier"
    ),
    "customer.order.updated": (
        "customer referrer order redemption campaign voucher publication promotion_tier"
    ),
    "customer.order.canceled": (
        "customer referrer order redemption campaign voucher publication promotion_tier"
    ),
    "customer.publication.succeeded": "customer campaign publication voucher",
    "customer.custom_event": (
        "event event_schema customer referral loyalty campaign voucher publication promotion_tier"
    ),
    "publication.succeeded": "customer campaign publication voucher user",
    "voucher.loyalty_card.transaction.created": (
        "transaction voucher campaign holder holder_loyalty_tier balance order event "
        "earning_rule segment loyalty_tier redemption rollback reward custom_event "
        "source_voucher destination_voucher"
    ),
    "voucher.loyalty_card.pending_points.activated": (
        "customer campaign voucher balance order transaction pending_points"
    ),
    "voucher.loyalty_card.pending_points.added": (
        "customer campaign voucher voucher_pending_points_balance order pending_points"
    ),
    "voucher.loyalty_card.pending_points.canceled": (
        "customer campaign voucher voucher_pending_points_balance order pending_points"
    ),
    "voucher.loyalty_card.pending_points.updated": (
        "customer campaign voucher voucher_pending_points_balance order pending_points"
    ),
    "voucher.loyalty_card.points_added": "voucher balance campaign customer transaction",
    "voucher.loyalty_card.points_expired": "voucher points campaign customer buckets transaction",
    "voucher.gift.balance_added": "voucher balance campaign transaction",
    "campaign.loyalty_tier.created": "campaign loyalty_tier",
    "campaign.loyalty_tier.deleted": "campaign loyalty_tier",
    "campaign.loyalty_tier.updated": "campaign loyalty_tier",
    "manual_distribution_schedule": (
        "distribution campaign voucher publication promotion_tier customer"
    ),
}
DOCUMENTED["voucher.published"] = "customer campaign publication voucher created_at"
# Its pages name these two; its API for a customer's activities describes them.
DOCUMENTED |= {
    "customer.confirmed": "customer unconfirmed_customer",
    "customer.referred": "customer referrer campaign voucher custom_event redemption",
}

DOCUMENTED_ANYWHERE = {name for names in DOCUMENTED.values() for name in names.split()}

# What Voucherify has no member for: in no webhook …
NOWHERE = """
    member.type member.status member.gender member.anniversary member.opted_in member.activities
    member.x_handle member.instagram_handle member.avatar_url member.marketing_consent
    message.body tier.reason pending_points.reason transaction.message transaction.tags
    transaction.status transaction.balance_before transaction.available_on
    transaction.activity.url reward.product.price reward.product.quantity
    reward.product.category reward.product.url reward.product.image_url
"""
# … and in the webhooks of the types that begin so. A dot at the end stands for all that follows.
SHORT = "member.phone member.birthday member.enrolled_at member.address."
UNCARDED = f"{SHORT} member.membership_id member.points. member.redemptions member.tier."
CARDED = f"{SHORT} member.membership_id member.points.balance"
# What of orders and segments would be the distribution's own.
DISTRIBUTED = "campaign. voucher. publication."
DAYS = "member.tier.since member.tier.until"
NOT_IN = {
    "member.": "member.membership_id member.tier.name member.tier.since member.tier.until"
    " member.points.deducted member.points.earned member.points.expired member.points.expiries."
    " member.points.pending",
    "segment.": f"{DISTRIBUTED} member.membership_id member.tier.name member.tier.since"
    " member.tier.until member.points.deducted member.points.earned member.points.expired"
    " member.points.expiries. member.points.pending",
    "message.": UNCARDED,
    "order.": f"{UNCARDED} {DISTRIBUTED}",
    "order.cancelled": "order.paid_at",
    "points.": CARDED,
    "points.added": f"{DAYS} transaction.expires_on",
    "points.earned": f"{DAYS} transaction.expires_on transaction.activity.points order.status"
    " order.currency order.subtotal order.discount order.total order.coupons order.ordered_at"
    " order.paid_at order.items.",
    "points.expired": DAYS,
    "points.pending.": DAYS,
    "points.pending.activated": "transaction.expires_on transaction.activity.points",
    "points.pending.cancelled": "order.paid_at",
    "points.rewarded": "transaction.id transaction.at transaction.reason transaction.expires_on",
    "points.transaction.created": "transaction.expires_on",
    "referral.": UNCARDED,
    "referral.code_published": "referral.code",
    "referral.completed": "transaction.",
    "referral.rewarded": "reward.code reward.expires_at reward.points reward.redemption_id"
    " reward.value",
    "reward.": f"{CARDED} member.tier. transaction.points transaction.reason"
    " transaction.balance_after",
    "reward.redeemed": "order.",
    "tier.": UNCARDED,
    "tier.prolonged": "tier.previous.",
    "voucher.": UNCARDED,
    "voucher.gift_credits_added": "member.attributes. member.customer_id member.email"
    " member.first_name member.last_name",
    "voucher.redemption_": "order.paid_at",
}


def said(
    kind: str, data: dict[str, Json], settings: dict[str, Json] | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body(kind, data, settings))["data"]
    return found


def body(kind: str, data: dict[str, Json], settings: dict[str, Json] | None = None) -> bytes:
    event = an_event(id=EventId("evt_1"), type=kind, occurred_at=AT, program_id="gold", data=data)
    return FORMAT.render(a_payload(event, settings=settings or {}))


@pytest.mark.parametrize(("kind", "data", "expected"), BODIES, ids=[one[0] for one in BODIES])
def test_data_is_exactly_this_in_this_order(
    kind: str, data: dict[str, Json], expected: dict[str, Json]
) -> None:
    found = said(kind, data)

    assert json.dumps(without_fillers(found, expected), indent=1) == json.dumps(expected, indent=1)


# In place of what a schema requires and the event does not say; `voucherify/required.py` has which.
NOTHING: list[Json] = [None, 0, "", {}, [], ON]
WORDS = "API SUCCESS FIXED ACTIVE DISCOUNT_VOUCHER campaign customer voucher customer.order.paid"


def without_fillers(found: Json, expected: Json) -> Json:
    """What is found, without the members that are not expected and say nothing."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return {
            name: without_fillers(item, expected.get(name))
            for name, item in found.items()
            if name in expected or not says_nothing(item)
        }
    if isinstance(found, list) and isinstance(expected, list):
        return [without_fillers(*pair) for pair in zip(found, expected, strict=True)]
    return found


def says_nothing(value: Json) -> bool:
    if isinstance(value, dict):
        return all(map(says_nothing, value.values()))
    return value in NOTHING or value in WORDS.split()


@pytest.mark.parametrize("settings", [{}, DISTRIBUTION], ids=["project", "distribution"])
@pytest.mark.parametrize("kind", [*TYPES, "custom.quiz_done"])
def test_data_has_only_what_is_documented_and_in_that_order(
    kind: str, settings: dict[str, Json]
) -> None:
    example = event_types()[kind].example if kind in TYPES else {"member": {"id": "m"}}
    event = an_event(type=kind, data=example)
    found = json.loads(FORMAT.render(a_payload(event, settings=settings)))

    documented = DOCUMENTED[found["event"]["type"]].split()
    assert [*found["data"]] == [name for name in documented if name in found["data"]]


@pytest.mark.parametrize("event", product_events("voucherify"), ids=lambda event: event.label)
def test_what_is_documented_is_sent_or_said_to_be_never_sent(event: ProductEvent) -> None:
    webhooks = {event.name.name, event.name.in_distribution or event.name.name}
    unsent = [
        one
        for webhook in webhooks
        for one in DOCUMENTED[webhook].split()
        if one not in WEBHOOKS[webhook]
    ]
    assert [*event.never_sent] == [*dict.fromkeys(unsent)]


@pytest.mark.parametrize("event", product_events("voucherify"), ids=lambda event: event.label)
def test_what_no_event_can_fill_is_said_to_be_always_null(event: ProductEvent) -> None:
    null: dict[str, None] = {}
    for kind in event.types:
        name = "custom.x" if kind == "custom.*" else kind
        example: dict[str, Json] = {"member": {"id": "m"}}
        if kind in TYPES:
            example = event_types()[kind].example
        some: list[dict[str, Json]] = [{}, DISTRIBUTION, {"published_as": "voucher.published"}]
        for settings in some:
            found = said(name, example, settings)
            null |= {member: None for member in DOCUMENTED_ANYWHERE if found.get(member, 1) is None}

    assert {*event.always_null} <= {*null}


def leaves(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from leaves(inner, (*path, position))
    else:
        yield path


def other(value: Json) -> Json:
    """Another value of the same form."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        dated = value[:2] == "20" and value[4:5] == "-"
        return f"19{value[2:]}" if dated else f"1{value}"
    assert isinstance(value, int | float)
    return value + 1


def dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(step for step in path if isinstance(step, str))


def dropped(kind: str) -> set[str]:
    """The values of the catalogue's example that can change without the body changing."""
    example = event_types()[kind].example
    before = body(kind, example)
    found = set()
    for path in leaves(example):
        changed: Any = copy.deepcopy(example)
        place = changed
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = other(place[path[-1]])
        if body(kind, changed) == before:
            found.add(dotted(path))
    return found


@pytest.mark.parametrize("kind", TYPES)
def test_what_is_dropped_is_exactly_what_the_format_has_no_place_for(kind: str) -> None:
    places = " ".join(
        [NOWHERE, *(said for begin, said in NOT_IN.items() if kind.startswith(begin))]
    )
    nowhere = places.split()

    without_a_place = {
        path
        for path in map(dotted, leaves(event_types()[kind].example))
        if path in nowhere
        or any(path.startswith(place) for place in nowhere if place.endswith("."))
    }

    assert dropped(kind) == without_a_place


@pytest.mark.parametrize(
    ("total", "amount"),
    [
        (117.9, 11790),
        ("117.90", 11790),
        (0, 0),
        (0.29, 29),
        ("1.005", 101),
        ("-1.005", -101),
        ("999999999999.999999", 100000000000000),
        ("1.004", 100),
        (1e14, 10**16),
        (1e15, 10**17),
        ("92233720368547758.07", 2**63 - 1),
        ("-92233720368547758.07", 1 - 2**63),
        ("92233720368547758.08", None),
        (2**64 - 1, None),
        ("twelve", None),
        (True, None),
        (None, None),
    ],
)
def test_money_is_whole_hundredths(total: Json, amount: int | None) -> None:
    order = said("order.paid", {"member": MEMBER, "order": {"id": "o", "total": total}})["order"]

    assert order.get("total_amount") == order.get("amount") == amount


def test_an_order_amounts_to_its_total_before_the_discount() -> None:
    order: dict[str, Json] = {"id": "o", "total": "90.00", "discount": "10.01"}

    assert said("order.created", {"member": MEMBER, "order": order})["order"]["amount"] == 10001


@pytest.mark.parametrize(
    ("kind", "given", "status", "kept"),
    [
        ("order.created", "created", "CREATED", None),
        ("order.paid", None, "PAID", None),
        ("order.cancelled", "cancelled", "CANCELED", None),
        ("order.updated", "Fulfilled", "FULFILLED", None),
        ("order.updated", "returned", None, "returned"),
        ("order.paid", "shipped", "PAID", "shipped"),
    ],
)
def test_a_status_of_another_name_is_metadata(
    kind: str, given: str | None, status: str | None, kept: str | None
) -> None:
    order = said(kind, {"member": MEMBER, "order": {"id": "o", "status": given}})["order"]

    assert order.get("status") == status
    assert order.get("metadata", {}).get("status") == kept


@pytest.mark.parametrize(
    ("given", "kind", "kept"),
    [
        ("referral_programme", "REFERRAL_PROGRAM", {}),
        ("GIFT_VOUCHERS", "GIFT_VOUCHERS", {}),
        ("sweepstake", None, {"type": "sweepstake"}),
    ],
)
def test_a_campaign_of_another_kind_says_so_in_metadata(
    given: str, kind: str | None, kept: dict[str, Json]
) -> None:
    data: dict[str, Json] = {"member": MEMBER, "campaign": {"id": "c", "type": given}}
    campaign = said("points.added", data)["campaign"]

    assert campaign.get("campaign_type") == kind
    assert campaign.get("metadata", {}) == kept


def test_a_reason_that_is_no_code_is_a_message_only() -> None:
    failed: dict[str, Json] = {"id": "r", "reason": "The voucher has expired."}
    redemption = said("voucher.redemption_failed", {"member": MEMBER, "redemption": failed})

    assert redemption["redemption"]["failure_message"] == "The voucher has expired."
    assert "failure_code" not in redemption["redemption"]


def test_a_loyalty_card_is_redeemed_in_points() -> None:
    data: dict[str, Json] = {
        "member": MEMBER,
        "voucher": {"code": "C", "type": "loyalty_card", "balance": "12.5"},
        "redemption": {"id": "r", "amount": "120"},
    }
    found = said("voucher.redeemed", data)

    assert found["redemption"]["amount"] == 120
    assert found["voucher"]["loyalty_card"]["balance"] == 12.5
    assert found["voucher"]["holder_id"] == "mbr_1"


def test_what_a_friend_bought_is_the_friends() -> None:
    data: dict[str, Json] = {
        "member": MEMBER,
        "referral": {"code": "ADA", "friend": {"id": "mbr_2"}},
        "order": {"id": "ord_1"},
    }
    order = said("referral.completed", data)["redemption"]["order"]

    assert (order["customer_id"], order["referrer_id"]) == ("mbr_2", "mbr_1")


def test_an_order_that_is_not_paid_any_more_was_not_updated_when_it_was_paid() -> None:
    order: dict[str, Json] = {"id": "o", "paid_at": "2026-09-21T14:12:47Z"}

    assert "updated_at" in said("order.paid", {"order": order})["order"]
    assert "updated_at" not in said("order.cancelled", {"order": order})["order"]


def test_promised_points_name_the_order_that_they_are_for() -> None:
    data: dict[str, Json] = {"pending_points": {"id": "p"}, "order": {"id": "o"}}
    pending = said("points.pending.added", data)["pending_points"]

    assert pending["order_id"] == "o"
    assert pending["details"]["order"] == {"id": "o", "source_id": "o"}


def test_what_is_computed_is_left_out_where_it_needs_more_than_64_bits() -> None:
    item: Json = {"id": "p", "price": "0.02", "quantity": 2**63 - 1}
    order = said("order.paid", {"order": {"id": "o", "items": [item]}})["order"]
    pending: Json = {"id": "p", "points": 2**64 - 1}

    assert "amount" not in order["items"][0]
    found = said("points.pending.cancelled", {"pending_points": pending})
    assert found["voucher_pending_points_balance"] is None


def test_counts_and_points_are_whole_however_large_they_are() -> None:
    member: dict[str, Json] = {"id": "m", "redemptions": 1e16}
    card: Json = {"code": "c", "type": "loyalty_card", "balance": "1000000000000000"}
    data: dict[str, Json] = {"member": member, "voucher": card, "redemption": {"id": "r"}}

    voucher = said("voucher.redeemed", data)["voucher"]

    assert voucher["redemption"] == {"redeemed_quantity": 10**16, "quantity": None}
    assert voucher["loyalty_card"] == {"balance": 10**15, "points": 0}


def test_an_order_whose_sum_needs_more_than_64_bits_has_no_amount() -> None:
    order: dict[str, Json] = {"id": "o", "total": "92233720368547758.07", "discount": 1}

    found = said("order.paid", {"order": order})["order"]

    assert found["total_amount"] == 2**63 - 1
    assert "amount" not in found


def deformed(value: Json) -> st.SearchStrategy[Json]:
    """The like of a value, in which anything may be of another type."""
    like: st.SearchStrategy[Json] = st.just(value)
    if isinstance(value, dict):
        inner = {name: deformed(item) for name, item in value.items()}
        like = st.fixed_dictionaries({}, optional=inner)
    elif isinstance(value, list):
        like = st.tuples(*map(deformed, value)).map(list)
    return like | SCALARS | st.sampled_from([[], [1], {}, {"id": {}}])


@FEW
@given(st.data(), st.sampled_from(TYPES), st.sampled_from([{}, DISTRIBUTION]))
def test_hostile_values_render_to_json_that_parses_and_is_the_same_each_time(
    data: st.DataObject, kind: str, settings: dict[str, Json]
) -> None:
    drawn = data.draw(hostile(event_types()[kind].example))
    assert isinstance(drawn, dict)
    rendered = body(kind, drawn, settings)

    assert parse(rendered)
    assert rendered == body(kind, copy.deepcopy(drawn), settings)


@FEW
@given(st.data(), st.sampled_from(TYPES))
def test_data_that_does_not_fit_the_catalogue_is_said_as_far_as_it_does(
    data: st.DataObject, kind: str
) -> None:
    members = {name: deformed(value) for name, value in event_types()[kind].example.items()}
    drawn = data.draw(st.fixed_dictionaries({}, optional=members))

    assert isinstance(json.loads(body(kind, drawn))["data"], dict)


@FEW
@given(st.dictionaries(st.sampled_from(["member", "voucher", "campaign", "a"]), JSON, max_size=4))
def test_an_event_of_the_platforms_own_is_said_whole(data: dict[str, Json]) -> None:
    found = json.loads(body("custom.x", data), parse_int=float)["data"]["event"]["metadata"]

    assert found == json.loads(json.dumps(data), parse_int=float)
