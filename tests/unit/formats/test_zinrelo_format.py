import copy
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import ProductEvent, names_in, product_events
from perkwire.formats.format import Attempt, Format, Unrenderable
from perkwire.formats.zinrelo.envelope import Zinrelo
from perkwire.model.event import Event
from perkwire.model.secret import UnusableSecret
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import DeliveryId, EventId
from perkwire.primitives.strict_json import Json, compact, parse
from perkwire.primitives.timestamps import parse_rfc3339
from tests.builders import NOW, a_payload, an_event
from tests.unit.hostile import hostile

FORMAT: Format = Zinrelo()
SECRET = "a-secret-of-the-merchant"
OLD_SECRET = "the-secret-before-that-one"
TYPES = sorted(names_in("zinrelo"))
AWARDS = ["points.earned", "points.added", "points.rejected"]
DEBITS = {
    "points.redeemed": "redeem",
    "reward.redeemed": "redeem",
    "points.deducted": "deduct",
    "points.expired": "expire",
}
# Where the points of each kind of transaction stand.
INFO = {
    "award": "award_info",
    "redeem": "reward_info",
    "deduct": "deduct_info",
    "expire": "expire_info",
}
MEMBER_EVENTS = [
    "member.enrolled",
    "member.updated",
    "member.deleted",
    "tier.upgraded",
    "tier.downgraded",
]

# The member of the API reference, as the page prints it, and the event that is rendered to it.
MEMBER: dict[str, Json] = {
    "id": "7203332525",
    "membership_id": "507f1f77bcf86cd799439011",
    "first_name": "John",
    "last_name": "Doe",
    "email": "john@zinrelo.example",
    "phone": "+1-7203332525",
    "birthday": "1989-04-16",
    "anniversary": "2019-04-17",
    "x_handle": "johndoe",
    "instagram_handle": "johnd16",
    "gender": "male",
    "address": {
        "line1": "1000 S. McCaslin Blvd., Suite 301",
        "line2": "",
        "city": "Superior",
        "state": "CO",
        "postal_code": "80027",
        "country": "US",
    },
    "points": {
        "balance": 1000,
        "earned": 10000,
        "redeemed": 9000,
        "expired": 0,
        "deducted": 0,
        "expiries": [{"on": "2022-01-20", "at": "2022-01-20T19:50:40Z", "points": 500}],
    },
    "activities": 4,
    "redemptions": 1,
    "tier": {"id": "zrl_gold", "name": "Gold", "since": "2021-01-01", "until": "2021-12-31"},
}
PRINTED_MEMBER = """{
    "id": "507f1f77bcf86cd799439011", "member_id": "7203332525", "first_name": "John",
    "last_name": "Doe", "email_address": "john@zinrelo.example", "phone_number": "+1-7203332525",
    "birthdate": "04/16/1989", "anniversary_date": "04/17/2019", "twitter_handle": "johndoe",
    "instagram_handle": "johnd16", "gender": "male",
    "address": {"city": "Superior", "country": "US",
        "line1": "1000 S. McCaslin Blvd., Suite 301", "line2": "", "postal_code": "80027",
        "state": "CO"},
    "available_points": "1000", "lifetime_points_earned": "10000",
    "lifetime_points_redeemed": "9000", "lifetime_points_expired": "0",
    "lifetime_points_deducted": "0", "number_of_activities": "4", "number_of_redemptions": "1",
    "points_expiration_schedule": [
        {"expiration_date": "01/20/2022 19:50:40", "points_to_expire": 500}],
    "tier_info": {"current_tier": "Gold", "current_tier_ID": "zrl_gold",
        "current_period_start": "01/01/2021", "current_period_end": "12/31/2021"}}"""
# The award of the API reference; the page cuts it off after `transaction_attributes`.
AWARD: dict[str, Json] = {
    "member": MEMBER,
    "transaction": {
        "id": "5677ffaabbccyffc6775f",
        "points": 360,
        "status": "approved",
        "reason": "Purchase",
        "tags": ["Instore", "Superior"],
        "activity": {"id": "made_a_purchase", "name": "Made a purchase"},
    },
    "order": {
        "id": "772345",
        "total": "45.00",
        "subtotal": "36.00",
        "coupons": ["$5OFFVYZ"],
        "currency": "USD",
        "items": [
            {
                "id": "98011",
                "category": "Essentials",
                "price": "36.00",
                "name": "Relaxed Fit Sweatshirt - Mint green",
                "image_url": "https://lp2.hm.com/hmgoepprod?set=quality",
            }
        ],
    },
}
PRINTED_AWARD = """{
    "id": "5677ffaabbccyffc6775f", "transaction_type": "award", "member_id": "7203332525",
    "award_info": {"activity_id": "made_a_purchase", "activity_name": "Made a purchase",
        "points_status": "Approved", "points": "360"},
    "transaction_attributes": {"tags": "Instore, Superior", "reason": "Purchase",
        "order_id": "772345", "order_total": "45.00", "order_subtotal": "36.00",
        "coupons": "$5OFFVYZ", "currency": "USD",
        "products": [{"product_id": "98011", "product_category": "Essentials",
            "product_price": "36.00", "product_title": "Relaxed Fit Sweatshirt - Mint green",
            "product_image_url": "https://lp2.hm.com/hmgoepprod?set=quality"}]}}"""


def example(name: str) -> dict[str, Json]:
    return event_types()[name].example


def said(event_type: str, data: dict[str, Json], **more: object) -> dict[str, Any]:
    """The `data` of the one event."""
    body = json.loads(FORMAT.render(a_payload(an_event(type=event_type, data=data, **more))))
    data_said: dict[str, Any] = body["events"][0]["data"]
    return data_said


def signed(secrets: list[str], body: bytes, at: int = NOW) -> dict[str, str]:
    attempt = Attempt(delivery_id=DeliveryId("dlv_1"), at=at, body=body, settings={})
    return FORMAT.sign(secrets, attempt)


def receives(secret: str, headers: dict[str, str], raw: bytes) -> bool:
    """A receiver as the page tells one to check what it got."""
    message = "{}:{}".format(str(raw, "utf-8"), headers["nonce"])
    computed = hmac.new(secret.encode("utf-8"), message.encode("utf-8"), hashlib.sha512)
    return hmac.compare_digest(computed.hexdigest(), headers["x-zinrelo-signature"])


def test_the_printed_batch_is_rendered_exactly() -> None:
    accepted_at = parse_rfc3339("2021-12-29T16:47:41.999999Z")
    events = [
        an_event(id=EventId(id_), type="points.earned", data=AWARD, accepted_at=accepted_at)
        for id_ in ("61f1dfbd0c709aac1851b526", "507f1f77bcf86cd799439011")
    ]

    body = FORMAT.render(a_payload(*events, delivery_id=DeliveryId("61f11851bdfb9aac526d0c70")))

    data = f'{{"member_info": {PRINTED_MEMBER}, "transaction_info": {PRINTED_AWARD}}}'
    assert body == compact(
        json.loads(
            f"""{{"request_id": "61f11851bdfb9aac526d0c70", "total_count": "2",
            "created_date": "12/29/2021 16:47:41", "events": [
            {{"id": "61f1dfbd0c709aac1851b526", "event_type": "event_points_earned",
                "data": {data}}},
            {{"id": "507f1f77bcf86cd799439011", "event_type": "event_points_earned",
                "data": {data}}}]}}"""
        )
    )


@pytest.mark.parametrize("batched", [False, True])
def test_one_event_is_a_batch_too(batched: bool) -> None:
    body = json.loads(FORMAT.render(a_payload(an_event(), batched=batched)))

    assert list(body) == ["request_id", "total_count", "created_date", "events"]
    assert body["total_count"] == "1"
    assert len(body["events"]) == 1


def test_the_batch_is_dated_by_the_acceptance_of_its_first_event() -> None:
    events = [
        an_event(accepted_at=NOW + second * 1_000_000, occurred_at=0) for second in range(100)
    ]

    body = json.loads(FORMAT.render(a_payload(*events)))

    assert body["created_date"] == "09/21/2026 14:13:20"
    assert body["total_count"] == "100"
    assert [event["id"] for event in body["events"]] == [event.id for event in events]


@pytest.mark.parametrize("event", product_events("zinrelo"), ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    for name in event.types:
        body = json.loads(FORMAT.render(a_payload(an_event(type=name, data=example(name)))))
        assert body["events"][0]["event_type"] == event.name.name
        assert body["events"][0]["data"]["member_info"]["member_id"]
        assert FORMAT.name_of(name) == event.name.name


def test_the_page_has_20_events_and_prints_the_name_of_each() -> None:
    events = product_events("zinrelo")

    assert len({event.name.name for event in events}) == len(events) == 20
    assert not any(event.name.inferred for event in events)


@pytest.mark.parametrize("name", MEMBER_EVENTS)
def test_a_member_event_has_the_member_alone(name: str) -> None:
    assert list(said(name, example(name))) == ["member_info"]


@pytest.mark.parametrize("name", [*AWARDS, *DEBITS])
def test_a_transaction_event_has_the_member_and_the_transaction(name: str) -> None:
    assert list(said(name, example(name))) == ["member_info", "transaction_info"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("referral.shared", ["member_info", "referral_info"]),
        ("referral.completed", ["member_info", "transaction_info", "referral_info"]),
        ("referral.rewarded", ["member_info", "reward_info", "referral_info"]),
        ("campaign.entered", ["member_info", "campaign_info"]),
        ("campaign.exited", ["member_info", "campaign_info"]),
        ("member.winback_offered", ["member_info", "offer_info"]),
        ("member.otp_requested", ["member_info", "otp_info"]),
        ("reward.available", ["member_info", "reward_info"]),
        ("reward.within_reach", ["member_info", "reward_info"]),
        ("points.expiring", ["member_info"]),
    ],
)
def test_another_event_has_what_it_is_about_beside_the_member(name: str, parts: list[str]) -> None:
    found = list(said(name, example(name)))

    assert [part for part in found if part in parts] == parts
    assert set(found) - set(parts) <= {"campaign_info", "transaction_info"}


def test_a_change_of_tier_is_the_tier_entered_and_a_movement() -> None:
    data: dict[str, Json] = {
        "member": MEMBER,
        "tier": {
            "previous": {"id": "zrl_gold", "name": "Gold"},
            "current": {"id": "zrl_platinum", "name": "Platinum"},
            "since": "2021-05-21",
            "until": "2022-05-20",
        },
    }

    found = said("tier.upgraded", data, occurred_at=parse_rfc3339("2021-05-21T23:59:59Z"))

    assert list(found["member_info"]["tier_info"].items()) == [
        ("current_tier", "Platinum"),
        ("current_tier_ID", "zrl_platinum"),
        ("current_period_start", "05/21/2021"),
        ("current_period_end", "05/20/2022"),
        (
            "tier_movements",
            [{"date": "05/21/2021", "old_tier": "Gold", "new_tier": "Platinum"}],
        ),
    ]


def test_the_tier_entered_has_nothing_of_another_tier_that_the_member_was_in() -> None:
    member: dict[str, Json] = {"id": "m", "tier": MEMBER["tier"]}

    def tier_info(change: Json) -> dict[str, Any]:
        found = said("tier.upgraded", {"member": member, "tier": change})
        tier: dict[str, Any] = found["member_info"]["tier_info"]
        return tier

    other = tier_info({"current": {"name": "Platinum"}})
    same = tier_info({"current": {"name": "Gold"}})
    none = tier_info({"since": "2021-05-21"})
    assert none["current_period_start"] == same["current_period_start"]
    assert other.keys() == {"current_tier", "tier_movements"}
    assert other["current_tier"] == "Platinum"
    assert (same["current_tier_ID"], same["current_period_start"], same["current_period_end"]) == (
        "zrl_gold",
        "01/01/2021",
        "12/31/2021",
    )


def test_a_later_print_of_the_member_has_three_more() -> None:
    attributes: Json = {"City_Name": "Paris", "Age_In_Years": "37", "nested": [1, None]}
    member: dict[str, Json] = {
        "id": "m",
        "status": "active",
        "enrolled_at": "2023-03-10T10:24:28.9+01:00",
        "attributes": attributes,
    }

    assert said("member.enrolled", {"member": member})["member_info"] == {
        "id": "m",
        "member_id": "m",
        "member_status": "active",
        "enrollment_date": "03/10/2023 09:24:28",
        "custom_attributes": attributes,
    }


@pytest.mark.parametrize(
    ("number", "digits"),
    [
        (1000, "1000"),
        (1000.0, "1000"),
        (0, "0"),
        (-0.0, "0"),
        (12.5, "12.5"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (2**64 - 1, "18446744073709551615"),
    ],
)
def test_numbers_are_strings_in_full(number: Json, digits: str) -> None:
    member: dict[str, Json] = {"id": "m", "points": {"balance": number}}

    assert said("member.updated", {"member": member})["member_info"]["available_points"] == digits


@pytest.mark.parametrize(
    ("total", "digits"),
    [
        *(("45.00", "45.00"), ("007.50", "7.50"), (45, "45"), (45.5, "45.5")),
        *(("-0", "0"), ("-0.00", "0.00"), ("-0.50", "-0.50")),
    ],
)
def test_an_amount_keeps_the_places_that_it_was_written_with(total: Json, digits: str) -> None:
    data = AWARD | {"order": {"id": "o", "total": total}}

    attributes = said("points.earned", data)["transaction_info"]["transaction_attributes"]

    assert attributes["order_total"] == digits


def test_a_day_without_an_hour_is_a_date() -> None:
    expiries: Json = [{"on": "2026-12-31", "points": 240}, {"on": "2027-01-31", "points": 0.5}]
    member: dict[str, Json] = {"id": "m", "points": {"expiries": expiries}}

    assert said("points.expiring", {"member": member})["member_info"][
        "points_expiration_schedule"
    ] == [
        {"expiration_date": "12/31/2026", "points_to_expire": 240},
        {"expiration_date": "01/31/2027", "points_to_expire": 0.5},
    ]


def test_a_date_has_four_digits_for_the_year() -> None:
    found = said("member.updated", {"member": {"id": "m", "birthday": "0889-04-16"}})

    assert found["member_info"]["birthdate"] == "04/16/0889"


def test_the_balance_after_the_transaction_is_what_is_available_when_the_member_does_not_say() -> (
    None
):
    transaction: Json = {"id": "t", "points": 1, "balance_after": 8}
    member: dict[str, Json] = {"id": "m", "points": {"balance": 9}}

    assert (
        said("points.earned", {"transaction": transaction})["member_info"]["available_points"]
        == "8"
    )
    assert (
        said("points.earned", {"transaction": transaction, "member": member})["member_info"][
            "available_points"
        ]
        == "9"
    )


def test_a_transaction_with_a_time_has_a_date() -> None:
    transaction: Json = {"id": "t", "points": 1, "at": "2019-10-05T23:10:55Z"}

    found = said("points.earned", {"transaction": transaction})["transaction_info"]

    assert found["transaction_date"] == "10/05/2019 23:10:55"


def test_a_member_without_an_id_of_the_membership_has_one_id_for_both() -> None:
    found = said("member.updated", {"member": {"id": "m"}})["member_info"]

    assert (found["id"], found["member_id"]) == ("m", "m")


@pytest.mark.parametrize(("name", "kind"), DEBITS.items())
def test_a_debit_has_its_own_kind_and_points_without_a_sign(name: str, kind: str) -> None:
    data: dict[str, Json] = {"member": {"id": "m"}, "transaction": {"id": "t", "points": -500}}

    assert said(name, data)["transaction_info"] == {
        "id": "t",
        "transaction_type": kind,
        "member_id": "m",
        INFO[kind]: {"points": "500"},
    }


@pytest.mark.parametrize(
    ("name", "status"),
    [("points.earned", "Approved"), ("points.added", "Approved")],
)
def test_an_award_has_the_status_that_the_event_says_unless_the_transaction_does(
    name: str, status: str
) -> None:
    transaction: dict[str, Json] = {"id": "t", "points": 5}
    held = transaction | {"status": "on hold"}

    for given_, expected in ((transaction, status), (held, "On hold")):
        info = said(name, {"transaction": given_})["transaction_info"]["award_info"]
        assert info == {"points_status": expected, "points": "5"}


@pytest.mark.parametrize("status", [None, "approved", "on hold", "rejected"])
def test_rejected_points_are_rejected_whatever_the_transaction_was_before(
    status: str | None,
) -> None:
    transaction: dict[str, Json] = {"id": "t", "points": 5, "status": status}

    info = said("points.rejected", {"transaction": transaction})["transaction_info"]["award_info"]
    assert info == {"points_status": "Rejected", "points": "5"}


def test_the_coupon_that_a_referrer_gets_is_said() -> None:
    referral: Json = {"id": "r"}
    voucher: Json = {"code": "GET10"}

    alone = said("referral.rewarded", {"referral": referral, "voucher": voucher})
    beside = said(
        "referral.rewarded",
        {"referral": referral, "voucher": voucher, "reward": {"name": "Ten", "code": "TEN"}},
    )

    assert alone["reward_info"] == {"coupon_code": "GET10"}
    assert beside["reward_info"] == {"reward_name": "Ten", "coupon_code": "TEN"}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize(
    "data",
    [
        {},
        {"member": None, "transaction": 1, "order": "o", "tier": [], "reward": True},
        {"member": {"id": 7, "address": "here", "birthday": "soon", "points": {"earned": "x"}}},
        {"member": {"points": {"expiries": [1, "x"], "balance": True}, "tier": {"since": "2021"}}},
        {"order": {"items": "all", "coupons": 3}, "referral": {"friend": []}, "offer": "x"},
    ],
)
def test_what_is_absent_or_of_another_type_is_left_out(name: str, data: dict[str, Json]) -> None:
    found = said(name, data)

    assert found["member_info"] == {}
    assert found.keys() <= {"member_info", "transaction_info"}
    if "transaction_info" in found:
        kind = found["transaction_info"]["transaction_type"]
        assert found["transaction_info"].keys() == {"transaction_type", INFO[kind]}


# What of the neutral objects has a place in this format, by the event whose example shows it.
SAID: dict[str, list[str]] = {
    "member.updated": [
        *("id", "membership_id", "email", "phone", "first_name", "last_name", "gender", "status"),
        *("x_handle", "instagram_handle", "activities", "redemptions"),
        *(f"address.{name}" for name in ("line1", "line2", "city", "state", "postal_code")),
        *("address.country", "tier.id", "tier.name", "attributes.favourite_store"),
        *(f"points.{name}" for name in ("balance", "earned", "redeemed", "expired", "deducted")),
    ],
    "points.earned": [
        *("/transaction.id", "/transaction.points", "/transaction.reason"),
        *("/transaction.activity.id", "/transaction.activity.name"),
        *("/order.id", "/order.total", "/order.subtotal", "/order.currency"),
    ],
    "reward.redeemed": [
        *("/reward.id", "/reward.redemption_id", "/reward.name", "/reward.type", "/reward.value"),
        *("/reward.points", "/reward.currency", "/reward.code", "/reward.status"),
    ],
    "reward.within_reach": ["/reward.name", "/reward.points", "/reward.points_missing"],
    "referral.completed": [
        *("/referral.id", "/referral.code", "/referral.link", "/referral.channel"),
        *("/referral.status", "/referral.friend.id", "/referral.friend.email"),
        *("/referral.friend.first_name", "/referral.friend.last_name"),
        *("/transaction.id", "/order.id", "/campaign.id", "/campaign.name", "/campaign.type"),
    ],
    "campaign.entered": ["/campaign.id", "/campaign.name", "/campaign.type"],
    "tier.upgraded": ["/tier.previous.name", "/tier.current.name", "/tier.current.id"],
    "member.winback_offered": [
        *("/offer.id", "/offer.name", "/offer.code", "/offer.points", "/offer.inactive_days")
    ],
    "member.otp_requested": ["/one_time_password.code", "/one_time_password.channel"],
}


def leaves(value: Json) -> set[str]:
    if isinstance(value, dict):
        return {leaf for inner in value.values() for leaf in leaves(inner)}
    if isinstance(value, list):
        return {leaf for inner in value for leaf in leaves(inner)}
    return {str(value)}


@pytest.mark.parametrize(("name", "path"), [(name, path) for name in SAID for path in SAID[name]])
def test_no_value_that_has_a_place_is_dropped(name: str, path: str) -> None:
    data = copy.deepcopy(example(name))
    *parents, last = path.removeprefix("/").split(".")
    held: Any = data if path.startswith("/") else data["member"]
    for parent in parents:
        held = held[parent]
    # Another value than any that the example has, so that it is found where it belongs.
    held[last] = "778899" if isinstance(held[last], str) else 778899

    assert "778899" in leaves(said(name, data))


@given(
    st.sampled_from(TYPES).flatmap(lambda name: st.tuples(st.just(name), hostile(example(name))))
)
def test_hostile_values_survive(drawn: tuple[str, dict[str, Json]]) -> None:
    name, data = drawn
    events = [an_event(type=name, data=data), an_event()]
    body = FORMAT.render(a_payload(*events))

    found: Any = parse(body)

    assert body == FORMAT.render(a_payload(*events))
    assert found["events"][0]["event_type"] == FORMAT.name_of(name)
    member: Any = data["member"]
    assert found["events"][0]["data"]["member_info"]["email_address"] == member["email"]
    assert receives(SECRET, signed([SECRET], body), body)


@pytest.mark.parametrize("name", ["custom.anything", "review.created", "no.such.type"])
def test_what_zinrelo_does_not_have_is_not_said(name: str) -> None:
    event: Event = an_event(type=name)

    assert FORMAT.name_of(name) is None
    with pytest.raises(Unrenderable, match=event.id):
        FORMAT.render(a_payload(an_event(), event))


def test_a_receiver_written_after_the_page_accepts_the_very_bytes() -> None:
    body = FORMAT.render(
        a_payload(an_event(data={"member": {"id": "m", "first_name": "Zoë 😀 \u202e\\"}}))
    )
    headers = signed([SECRET], body, NOW + 123_999)

    assert headers.keys() == {"x-zinrelo-signature", "nonce"}
    assert headers["nonce"] == "1790000000123"
    assert receives(SECRET, headers, body)
    assert not receives(SECRET, headers, body + b" ")
    assert not receives(SECRET, headers | {"nonce": "1790000000124"}, body)
    assert not receives(OLD_SECRET, headers, body)


def test_the_signature_is_the_one_that_openssl_computes() -> None:
    body = (
        b'{"request_id":"61f11851bdfb9aac526d0c70","total_count":"2",'
        b'"created_date":"12/29/2021 16:47:41","events":[]}'
    )
    # Of a secret that is shorter than those we take, to check the receiver of these tests.
    short = (
        "81aaae2c943e8a56789959d38188bf52ddcd12ac58b668ea2b659724accc7f64"
        "96ee51b8d30f4d48b331812aba93340b0493f8f6904ea0d39a18231940330423"
    )

    assert signed(["secret-of-16-or-more"], body, 1_640_796_461_000_000) == {
        "x-zinrelo-signature": (
            "4a45dd74634cf2fbb5c763de723ba63377984664a9db5ead76a900a5b684c266"
            "466c8c9a71c5476cfd91344158a8b6103dcbace316bfd4f669040644c213d516"
        ),
        "nonce": "1640796461000",
    }
    assert receives("secret", {"x-zinrelo-signature": short, "nonce": "1640796461000"}, body)


def test_while_a_secret_is_rotated_the_one_before_signs() -> None:
    body = b"{}"

    assert receives(OLD_SECRET, signed([SECRET, OLD_SECRET], body), body)
    assert receives(SECRET, signed([SECRET], body), body)


@pytest.mark.parametrize("secret", ["", "x" * 257, "two\nlines", "a\0zero", "a lone \ud800"])
def test_a_secret_has_1_to_256_characters_of_one_line(secret: str) -> None:
    assert FORMAT.check_secret(secret) is not None
    with pytest.raises(UnusableSecret):
        signed([secret], b"{}")


def test_a_new_secret_and_one_that_the_merchant_has_will_do() -> None:
    for secret in (FORMAT.new_secret(), SECRET, "x" * 16, "x" * 256):
        assert FORMAT.check_secret(secret) is None
        assert receives(secret, signed([secret], b"{}"), b"{}")


def test_success_is_200_and_nothing_else() -> None:
    assert [status for status in range(100, 600) if FORMAT.is_success(status)] == [200]


def test_it_carries_a_hundred_and_has_no_settings() -> None:
    fields = Fields({"header": "x"})

    assert FORMAT.largest_batch == 100
    assert FORMAT.read_settings(fields) == {}
    assert [error.field for error in fields.finish()] == ["header"]
