import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Verifier

from perkwire.catalogue.event_types import event_type, event_types
from perkwire.catalogue.names import ProductEvent, names_in, product_events
from perkwire.formats.format import Attempt, Format, Unrenderable
from perkwire.formats.zoho_thrive import ZohoThrive
from perkwire.model.event import Event
from perkwire.model.secret import UnusableSecret
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import DeliveryId
from perkwire.primitives.strict_json import Json, compact, parse
from perkwire.primitives.timestamps import now
from tests.builders import NOW, SECRET, a_payload, an_event
from tests.unit.hostile import hostile

FORMAT: Format = ZohoThrive()
TYPES = sorted(names_in("zoho-thrive"))
ACTIVITIES = [
    "goal.purchase_count.reached",
    "goal.purchase_value.reached",
    "referral.completed",
    "referral.created",
    "social.facebook.liked",
    "social.facebook.shared",
    "social.instagram.followed",
    "social.linkedin.followed",
    "social.x.followed",
    "social.x.shared",
    "social.youtube.subscribed",
]
REVIEWS = [name for name in TYPES if name.startswith("review.")]
INFERRED_ACTIVITIES = ["points.added", "points.deducted", "survey_response.created"]


def a_member(email: str, contact_id: str, program_id: str, **more: Json) -> dict[str, Json]:
    return {"id": contact_id, "membership_id": program_id, "email": email, **more}


def rendered(event_type: str, data: dict[str, Json], **more: object) -> bytes:
    return FORMAT.render(a_payload(an_event(type=event_type, data=data, **more)))


def message(event_type: str, data: dict[str, Json], **more: object) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(rendered(event_type, data, **more))
    assert said.keys() == {"code", "message"}
    said_message: dict[str, Any] = said["message"]
    return said_message


def example(name: str) -> dict[str, Json]:
    return event_types()[name].example


# What the page prints, and an event that is rendered to it. The first has no quotes on the page.
SAMPLES: list[tuple[str, dict[str, Json], str]] = [
    (
        "tier.upgraded",
        {
            "member": a_member(
                "michael@zylker.com", "826000000272053", "826000000272057", points={"balance": 100}
            ),
            "tier": {"previous": {"name": "silver"}, "current": {"name": "gold"}},
        },
        """{"code": 200, "message": {"email_id": "michael@zylker.com",
            "previous_tier": "silver", "current_tier": "gold", "total_points": 100,
            "user_program_id": 826000000272057, "contact_id": 826000000272053,
            "event": "tier_upgrade"}}""",
    ),
    (
        "member.opted_in",
        {
            "member": a_member(
                "nikil@zylker.com",
                "5534000000070003",
                "5534000000070007",
                type="customer",
                enrolled_at="2025-09-30T07:47:50.551Z",
                opted_in=True,
                first_name="nikil",
                last_name="value",
            )
        },
        """{"code": 200, "message": {"email_id": "nikil@zylker.com", "user_type": "customer",
            "joined_date": 1759218470551, "is_loyalty_optin": true, "last_name": "value",
            "contact_id": 5534000000070003, "user_program_id": 5534000000070007,
            "event": "opt_in", "first_name": "nikil"}}""",
    ),
    (
        "purchase.created",
        {
            "member": a_member("john@zylker.com", "826000000360171", "826000000360175"),
            "order": {
                "id": "sdfvegbr",
                "tracking_id": "826000000360225",
                "total": "2345",
                "ordered_at": "2025-10-06T05:56:31.692Z",
            },
        },
        """{"code": 200, "message": {"email_id": "john@zylker.com", "amount": 2345,
            "contact_id": 826000000360171, "user_program_id": 826000000360175,
            "purchase_time": 1759730191692, "event": "new_purchase", "order_id": "sdfvegbr",
            "purchase_order_track_id": 826000000360225}}""",
    ),
    (
        "reward.redeemed",
        {
            "member": a_member("jacob@zylker.com", "2000000859027", "2000000859031"),
            "reward": {"name": "Custom Reward"},
            "transaction": {"id": "t", "points": -100, "balance_after": 3340},
        },
        """{"code": 200, "message": {"email_id": "jacob@zylker.com",
            "reward_name": "Custom Reward", "total_points": 3340, "redeemed_points": 100,
            "user_program_id": 2000000859031, "contact_id": 2000000859027,
            "event": "redeem_rewards"}}""",
    ),
    (
        "social.instagram.followed",
        {
            "member": a_member(
                "sherin@zylker.com", "826000000297001", "826000000297005", points={"earned": 470}
            ),
            "transaction": {"id": "t", "points": 100},
        },
        """{"code": 200, "message": {"email_id": "sherin@zylker.com", "points_details": 100,
            "earned_points": 470, "contact_id": 826000000297001,
            "user_program_id": 826000000297005, "event": "follow_instagram"}}""",
    ),
    (
        "review.google.created",
        {
            "member": a_member(
                "enzo@zylker.com", "826000000348001", "826000000348005", points={"earned": 110}
            ),
            "transaction": {"id": "t", "points": 10},
            "review": {"url": "https://ennie.com"},
        },
        """{"code": 200, "message": {"email_id": "enzo@zylker.com", "points_details": 10,
            "earned_points": 110, "contact_id": 826000000348001,
            "user_program_id": 826000000348005, "event": "google_review_activity",
            "review_details": "https://ennie.com"}}""",
    ),
    (
        "testimonial.created",
        {
            "member": a_member(
                "bonnie@zylker.com", "2000000870001", "2000000870005", points={"earned": 55}
            ),
            "transaction": {"id": "t", "points": 45},
            "testimonial": {"body": "The product is so good"},
        },
        """{"code": 200, "message": {"email_id": "bonnie@zylker.com", "points_details": 45,
            "earned_points": 55, "contact_id": 2000000870001, "user_program_id": 2000000870005,
            "event": "testimonial_activity", "review_details": "The product is so good"}}""",
    ),
    (
        "task.completed",
        {
            "member": a_member(
                "dustin@zylker.com", "2000000858001", "2000000858005", points={"earned": 75}
            ),
            "transaction": {"id": "t", "points": 12},
            "task": {"id": "customreward"},
        },
        """{"code": 200, "message": {"email_id": "dustin@zylker.com", "points_details": 12,
            "earned_points": 75, "unique_identifier": "customreward",
            "contact_id": 2000000858001, "user_program_id": 2000000858005,
            "event": "custom_activity_tracker"}}""",
    ),
]


@pytest.mark.parametrize(("event_type", "data", "printed"), SAMPLES, ids=[s[0] for s in SAMPLES])
def test_a_printed_sample_is_rendered_exactly(
    event_type: str, data: dict[str, Json], printed: str
) -> None:
    assert rendered(event_type, data) == compact(json.loads(printed))


def test_manual_referral_addition_has_the_sample_of_manual_opt_in() -> None:
    data = SAMPLES[1][1]

    assert rendered("referral.added", data) == rendered("member.opted_in", data)


@pytest.mark.parametrize("event", product_events("zoho-thrive"), ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    for name in event.types:
        assert message(name, example(name))["event"] == event.name.name
        assert FORMAT.name_of(name) == event.name.name


def test_the_page_has_26_events_and_leaves_the_name_of_17_open() -> None:
    events = product_events("zoho-thrive")

    assert len({event.label for event in events}) == 26
    assert sum(event.name.inferred for event in events) == 17


@pytest.mark.parametrize("name", ACTIVITIES + INFERRED_ACTIVITIES)
def test_an_activity_is_said_with_its_points_and_the_points_earned_in_all(name: str) -> None:
    said = message(name, example(name))

    assert list(said) == [
        "email_id",
        "points_details",
        "earned_points",
        "contact_id",
        "user_program_id",
        "event",
    ]


@pytest.mark.parametrize("name", [*REVIEWS, "testimonial.created"])
def test_a_review_is_an_activity_with_details(name: str) -> None:
    assert list(message(name, example(name)))[-2:] == ["event", "review_details"]


def test_joining_alone_is_said_as_an_opt_in_by_hand_is() -> None:
    data = example("member.enrolled")

    said = message("member.enrolled", data)

    assert said == message("member.opted_in", data) | {"event": "become_member"}


def test_points_deducted_by_hand_are_negative() -> None:
    data: dict[str, Json] = {"member": {"id": "m"}, "transaction": {"id": "t", "points": -30}}

    assert message("points.deducted", data)["points_details"] == -30


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("826000000272053", 826000000272053),
        ("0", 0),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", "9223372036854775808"),
        ("10000000000000000000", "10000000000000000000"),
        ("9" * 100, "9" * 100),
        ("007", "007"),
        ("-7", "-7"),
        ("+7", "+7"),
        ("7.0", "7.0"),
        ("1e3", "1e3"),
        ("1\u0667", "1\u0667"),
        ("1" * 5_000, "1" * 5_000),
        ("7\n", "7\n"),
        ("mbr_7", "mbr_7"),
    ],
)
def test_an_id_that_is_a_whole_number_of_64_bits_is_an_integer(given: str, said: int | str) -> None:
    data: dict[str, Json] = {
        "member": {"id": given, "membership_id": given},
        "order": {"id": "o", "tracking_id": given},
    }

    found = message("purchase.created", data)

    for name in ("contact_id", "user_program_id", "purchase_order_track_id"):
        assert found[name] == said
        assert type(found[name]) is type(said)


def test_what_the_platform_names_itself_stays_a_string() -> None:
    member: Json = {"id": "1"}

    assert message("purchase.created", {"member": member, "order": {"id": "7"}})["order_id"] == "7"
    assert (
        message("task.completed", {"member": member, "task": {"id": "7"}})["unique_identifier"]
        == "7"
    )


def test_a_member_without_an_id_of_the_membership_has_one_id_for_both() -> None:
    said = message("social.x.shared", {"member": {"id": "7"}})

    assert (said["contact_id"], said["user_program_id"]) == (7, 7)


@pytest.mark.parametrize(
    ("total", "amount"),
    [
        (2345, b"2345"),
        (2345.0, b"2345"),
        ("2345", b"2345"),
        ("2345.00", b"2345"),
        ("39.90", b"39.9"),
        (39.9, b"39.9"),
        ("-0.01", b"-0.01"),
        ("999999999999.000000", b"999999999999"),
        ("123456789.123456", b"123456789.123456"),
        (2**64 - 1, b"18446744073709551615"),
        ("123456789012.123456", b"123456789012.123456"),
        ("-123456789012.123456", b"-123456789012.123456"),
        ("0." + "1" * 30, b"0." + b"1" * 30),
        ("9" * 30, b"9" * 30),
        (1e300, b"1e+300"),
        ("-0", b"0"),
    ],
)
def test_an_amount_is_a_number(total: Json, amount: bytes) -> None:
    data: dict[str, Json] = {"member": {"id": "1"}, "order": {"id": "o", "total": total}}

    assert b'"amount":' + amount + b"," in rendered("purchase.created", data)


@pytest.mark.parametrize(
    ("order", "milliseconds"),
    [
        ({"ordered_at": "2025-10-06T07:56:31.692+02:00"}, 1759730191692),
        ({"ordered_at": "1969-12-31T23:59:59.999Z"}, -1),
        (
            {"ordered_at": "2025-10-06T05:56:31.692999Z", "paid_at": "2025-10-07T00:00:00Z"},
            1759730191692,
        ),
        ({"paid_at": "2025-10-06T05:56:31.692Z"}, 1759730191692),
        ({}, 1_500),
    ],
)
def test_a_purchase_is_timed_by_the_order_or_else_by_the_event(
    order: dict[str, Json], milliseconds: int
) -> None:
    data: dict[str, Json] = {"member": {"id": "1"}, "order": {"id": "o", **order}}

    said = message("purchase.created", data, occurred_at=1_500_999)

    assert said["purchase_time"] == milliseconds


def test_the_moment_of_opting_in_is_the_event_unless_the_member_says_another() -> None:
    data: dict[str, Json] = {"member": {"id": "1"}}

    assert message("member.opted_in", data)["joined_date"] == NOW // 1000
    assert message("member.enrolled", data)["joined_date"] == NOW // 1000
    assert "joined_date" not in message("referral.added", data)


def test_points_are_those_of_the_transaction_or_else_of_the_activity() -> None:
    activity: Json = {"points": 20}

    assert message("social.x.shared", {"transaction": {"points": 10, "activity": activity}})[
        "points_details"
    ] == (10)
    assert message("social.x.shared", {"transaction": {"activity": activity}})[
        "points_details"
    ] == (20)


def test_redeemed_points_are_the_price_when_no_transaction_says_them() -> None:
    said = message("reward.redeemed", {"reward": {"name": "Mug", "points": 80}})

    assert said["redeemed_points"] == 80


@pytest.mark.parametrize(
    ("name", "part", "details"),
    [
        (
            "review.google.created",
            {"url": "https://a.example", "body": "Good"},
            "https://a.example",
        ),
        ("review.google.created", {"body": "Good"}, "Good"),
        ("testimonial.created", {"url": "https://a.example", "body": "Good"}, "Good"),
        ("testimonial.created", {"url": "https://a.example"}, "https://a.example"),
    ],
)
def test_a_review_is_told_by_its_address_and_a_testimonial_by_its_words(
    name: str, part: Json, details: str
) -> None:
    assert message(name, {name.split(".")[0]: part})["review_details"] == details


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize(
    "data",
    [
        {},
        {"member": None, "transaction": 1, "order": "o", "tier": [], "review": True},
        {"member": {"id": 7, "email": False, "points": {"earned": "many"}, "opted_in": "yes"}},
        {"order": {"total": "forty", "ordered_at": "yesterday"}, "transaction": {"points": True}},
    ],
)
def test_what_is_absent_or_of_another_type_is_left_out(name: str, data: dict[str, Json]) -> None:
    assert message(name, data).keys() <= {"event", "joined_date", "purchase_time"}


# Each neutral value that the format has a place for, by family, and where it is said.
PLACES: dict[str, dict[str, tuple[str, ...]]] = {
    "tier.upgraded": {
        "email_id": ("member", "email"),
        "previous_tier": ("tier", "previous", "name"),
        "current_tier": ("tier", "current", "name"),
        "total_points": ("member", "points", "balance"),
    },
    "member.opted_in": {
        "email_id": ("member", "email"),
        "user_type": ("member", "type"),
        "is_loyalty_optin": ("member", "opted_in"),
        "last_name": ("member", "last_name"),
        "first_name": ("member", "first_name"),
    },
    "purchase.created": {"amount": ("order", "total"), "order_id": ("order", "id")},
    "reward.redeemed": {
        "reward_name": ("reward", "name"),
        "total_points": ("transaction", "balance_after"),
    },
    "task.completed": {"unique_identifier": ("task", "id")},
    "testimonial.created": {"review_details": ("testimonial", "body")},
    **{name: {"review_details": ("review", "url")} for name in REVIEWS},
    **{
        name: {
            "email_id": ("member", "email"),
            "points_details": ("transaction", "points"),
            "earned_points": ("member", "points", "earned"),
        }
        for name in ACTIVITIES + INFERRED_ACTIVITIES
    },
}


def at(data: Json, path: tuple[str, ...]) -> Json:
    for name in path:
        assert isinstance(data, dict)
        data = data[name]
    return data


@pytest.mark.parametrize("name", sorted(PLACES))
def test_no_value_that_has_a_place_is_dropped(name: str) -> None:
    data = example(name)

    said = message(name, data)

    assert {place: said[place] for place in PLACES[name]} == {
        place: at(data, path) for place, path in PLACES[name].items()
    }


@given(
    st.sampled_from(TYPES).flatmap(lambda name: st.tuples(st.just(name), hostile(example(name))))
)
def test_hostile_values_survive(drawn: tuple[str, dict[str, Json]]) -> None:
    name, data = drawn
    event = an_event(type=name, data=data)
    body = FORMAT.render(a_payload(event))

    said = parse(body)

    assert body == FORMAT.render(a_payload(event))
    assert isinstance(said, dict)
    assert isinstance(said["message"], dict)
    assert said["message"]["event"] == FORMAT.name_of(name)
    if isinstance(data.get("member"), dict):
        assert said["message"]["email_id"] == at(data, ("member", "email"))


def test_several_events_cannot_be_said() -> None:
    events: list[Event] = [an_event(type="tier.upgraded") for _ in range(2)]

    assert FORMAT.largest_batch == 1
    with pytest.raises(Unrenderable, match="dlv_1"):
        FORMAT.render(a_payload(*events))


@pytest.mark.parametrize("name", ["custom.anything", "points.expired", "no.such.type"])
def test_what_zoho_does_not_have_is_not_said(name: str) -> None:
    event = an_event(type=name, data=event_type("custom.x").example)  # type: ignore[union-attr]

    assert FORMAT.name_of(name) is None
    with pytest.raises(Unrenderable, match=event.id):
        FORMAT.render(a_payload(event))


def signed(secrets: list[str], body: bytes, at: int) -> dict[str, str]:
    attempt = Attempt(delivery_id=DeliveryId("dlv_1"), at=at, body=body, settings={})
    return FORMAT.sign(secrets, attempt)


def test_either_secret_verifies_with_the_library_of_standard_webhooks() -> None:
    old, new = FORMAT.new_secret(), FORMAT.new_secret()
    body = rendered("tier.upgraded", example("tier.upgraded"))

    headers = signed([new, old], body, now())

    assert headers.keys() == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    for secret in (old, new):
        assert Verifier(secret).verify(body, headers) == json.loads(body)


def test_a_secret_is_whsec_and_base64() -> None:
    assert FORMAT.check_secret(SECRET) is None
    assert FORMAT.check_secret(FORMAT.new_secret()) is None
    assert FORMAT.check_secret("x" * 32) is not None
    with pytest.raises(UnusableSecret):
        signed(["x" * 32], b"{}", NOW)


def test_success_is_2xx() -> None:
    assert [status for status in range(100, 600) if FORMAT.is_success(status)] == [*range(200, 300)]


def test_it_has_no_settings() -> None:
    fields = Fields({"header": "x"})

    assert FORMAT.read_settings(fields) == {}
    assert [error.field for error in fields.finish()] == ["header"]
