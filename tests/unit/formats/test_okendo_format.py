"""Okendo's format: which events it has, what hostile data becomes, how it signs."""

import base64
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as StandardVerifier
from svix.webhooks import Webhook as Verifier
from svix.webhooks import WebhookVerificationError

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import ProductEvent, names_in, product_events
from perkwire.formats.format import Attempt, Unrenderable
from perkwire.model.secret import UnusableSecret
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import DeliveryId, EventId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS, now, parse_rfc3339
from tests.builders import NOW, SECRET, a_payload, an_event
from tests.unit.formats.okendo_bodies import FORMAT, ID, render, resource, said
from tests.unit.strategies import FEW, MOMENTS, SCALARS

DELIVERY = DeliveryId("dlv_1")

# The support page's headings and lines, in its order, and what the developer pages call them.
RESOURCES = {
    "Review": "review",
    "Loyalty Member": "loyalty_customer",
    "Loyalty Transaction Adjustment": "loyalty_adjustment_transaction",
    "Loyalty Earning Transaction": "loyalty_earning_transaction",
    "Loyalty Redemption Transaction": "loyalty_redemption_transaction",
    "Quiz Response": "quiz_response",
    "Survey Response": "survey_response",
    "Referral": "referral",
}
TOPICS = {"Created": "create", "Updated": "update", "Deleted": "delete"}
TYPES = sorted(names_in("okendo"))
HOSTILE = st.one_of(
    st.sampled_from(
        ['"\\/', "\x00\x1f\x7f", "\u202egolo\u2066", "\u2028\u2029", "😀🏳️‍🌈", "</a>", "_", ""]
    ),
    st.text(max_size=12),
)
WRONG: st.SearchStrategy[Json] = st.sampled_from([[], [1], [{}], {}, {"id": {}}])


def deformed(value: Json) -> st.SearchStrategy[Json]:
    """The like of a value, in which anything may be of another type."""
    match value:
        case dict():
            like: st.SearchStrategy[Json] = st.fixed_dictionaries(
                {key: deformed(item) for key, item in value.items()}
            )
        case list():
            like = st.tuples(*map(deformed, value)).map(list)
        case _:
            like = st.just(value)
    return like | SCALARS | WRONG


def sign(secrets: list[str], body: bytes, at: int = NOW) -> dict[str, str]:
    return FORMAT.sign(secrets, Attempt(delivery_id=DELIVERY, at=at, body=body, settings={}))


@pytest.mark.parametrize(
    ("event_type", "name"),
    [
        ("points.added", "date"),
        ("points.earned", "date"),
        ("reward.redeemed", "date"),
        ("member.enrolled", "dateEnrolled"),
        ("review.created", "dateCreated"),
        ("survey_response.created", "dateCreated"),
    ],
)
def test_a_creation_without_a_time_was_when_it_happened(event_type: str, name: str) -> None:
    happened = parse_rfc3339("2026-01-02T03:04:05.678901Z")

    assert resource(event_type, {}, occurred_at=happened)[name] == "2026-01-02T03:04:05.678Z"


@pytest.mark.parametrize(
    "event_type", ["points.earning.updated", "member.deleted", "review.updated"]
)
def test_the_time_of_another_event_is_not_taken_for_the_creation(event_type: str) -> None:
    assert resource(event_type, {}) == {"subscriberId": ID}


@pytest.mark.parametrize("event_type", [one for one in TYPES if one.endswith(".deleted")])
def test_a_delete_has_no_customer(event_type: str) -> None:
    created = event_type.replace(".deleted", ".updated")
    if created not in TYPES:
        created = event_type.replace(".deleted", ".completed")
    data = event_types()[event_type].example
    before, after = resource(created, data), resource(event_type, data)

    assert isinstance(data["member"], dict)
    assert data["member"]["email"]
    assert ("customer" in before) == (not event_type.startswith("review."))
    assert before.pop("customer", None) != {}
    assert (before.pop("recipient", None) is None) == (not event_type.startswith("referral."))
    assert after == before


def test_the_events_are_those_of_the_page() -> None:
    labels = [f"{name} {topic}" for name in RESOURCES for topic in TOPICS]

    assert [event.label for event in product_events("okendo")] == labels
    assert len(labels) == 24


@pytest.mark.parametrize("event", product_events("okendo"), ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    name, _, topic = event.label.rpartition(" ")
    expected = RESOURCES[name], TOPICS[topic]

    assert event.types
    assert not event.name.inferred
    for event_type in event.types:
        body = said(event_type, event_types()[event_type].example)
        assert list(body) == ["resource", "resourceType", "sequenceNumber", "topic", "version"]
        assert (body["resourceType"], body["topic"]) == expected
        assert FORMAT.name_of(event_type) == ".".join(expected)
        assert len(body["resource"]) > 5


@pytest.mark.parametrize("event_type", ["points.expired", "custom.anything"])
def test_no_other_event_is_said(event_type: str) -> None:
    event = an_event(id=EventId("evt_1"), type=event_type, data={"secret": "hush"})

    assert FORMAT.name_of(event_type) is None
    with pytest.raises(Unrenderable, match="evt_1") as raised:
        render(event)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("number", [0, 2])
def test_a_delivery_is_of_one_event(number: int) -> None:
    assert FORMAT.largest_batch == 1
    with pytest.raises(Unrenderable, match="dlv_1"):
        FORMAT.render(a_payload(*[an_event() for _ in range(number)]))


@given(MOMENTS, MOMENTS)
def test_sequence_numbers_are_in_the_order_of_acceptance(one: int, other: int) -> None:
    first = said("review.created", {}, accepted_at=one, occurred_at=NOW)["sequenceNumber"]
    second = said("points.earned", {}, accepted_at=other)["sequenceNumber"]

    assert isinstance(first, str)
    assert first.isdecimal()
    assert (int(first) < int(second), int(first) == int(second)) == (one < other, one == other)


def with_strings(value: Json, new: Iterator[str]) -> Json:
    """The value with its strings replaced, one after the other."""
    match value:
        case str():
            return next(new)
        case dict():
            return {key: with_strings(item, new) for key, item in value.items()}
        case list():
            return [with_strings(item, new) for item in value]
        case _:
            return value


def strings(value: Json) -> list[str]:
    """All strings in a value."""
    match value:
        case str():
            return [value]
        case dict():
            return [found for item in value.values() for found in strings(item)]
        case list():
            return [found for item in value for found in strings(item)]
        case _:
            return []


def places(event_type: str, texts: list[str]) -> list[int]:
    """Which of these are said, if they are the strings of the type's example.

    Okendo's words for kinds of attributes have hyphens, so that an underscore may be said as one.
    """
    data = with_strings(event_types()[event_type].example, iter(texts))
    assert isinstance(data, dict)
    event = an_event(type=event_type, data=data)
    body = render(event)
    assert body == render(event)
    told = strings(json.loads(body)["resource"])
    return [
        place
        for place, one in enumerate(texts)
        if any(one in other or one.replace("_", "-") in other for other in told)
    ]


@given(st.data(), st.sampled_from(TYPES))
def test_a_hostile_string_is_said_wherever_another_is_and_the_same_each_time(
    draw: st.DataObject, event_type: str
) -> None:
    number = len(strings(event_types()[event_type].example))
    plain = [f"text-{place}." for place in range(number)]
    hostile = [draw.draw(HOSTILE) + one for one in plain]

    said_plainly = places(event_type, plain)

    assert len(said_plainly) >= 2
    assert places(event_type, hostile) == said_plainly


@given(st.data(), st.sampled_from(TYPES))
def test_data_of_another_form_is_said_as_far_as_it_goes(
    draw: st.DataObject, event_type: str
) -> None:
    data = draw.draw(deformed(event_types()[event_type].example))

    assert said(event_type, data if isinstance(data, dict) else {})["topic"]


@FEW
@given(st.binary(min_size=24, max_size=64), st.sampled_from(TYPES))
def test_any_secret_verifies_with_the_library_of_svix(key: bytes, event_type: str) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    body = render(an_event(type=event_type, data=event_types()[event_type].example))
    headers = sign([secret], body, at=now())

    for of in ("svix-", "webhook-"):
        own = {name: value for name, value in headers.items() if name.startswith(of)}
        assert len(own) == 3
        Verifier(secret).verify(body, own)

    StandardVerifier(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(body + b" ", headers)


def test_while_a_rotation_overlaps_either_secret_verifies() -> None:
    new = FORMAT.new_secret()
    headers = sign([new, SECRET], b"{}", at=now())

    Verifier(new).verify(b"{}", headers)
    Verifier(SECRET).verify(b"{}", headers)
    assert len(headers["svix-signature"].split(" ")) == 2


def test_the_signature_is_of_the_delivery_and_the_second_of_the_attempt() -> None:
    headers = sign([SECRET], b"{}", at=NOW + 999_999)

    assert headers.keys() == {
        f"{of}-{name}" for of in ("svix", "webhook") for name in ("id", "timestamp", "signature")
    }
    assert headers["svix-id"] == headers["webhook-id"] == DELIVERY
    assert headers["svix-timestamp"] == headers["webhook-timestamp"] == str(NOW // MICROSECONDS)
    assert headers["svix-signature"] == headers["webhook-signature"]


def test_nothing_is_signed_with_a_secret_of_another_form() -> None:
    with pytest.raises(UnusableSecret) as raised:
        sign(["hush-hush-hush-hush"], b"{}")

    assert "hush" not in str(raised.value)


def test_a_new_secret_is_one_that_it_takes() -> None:
    assert FORMAT.check_secret(FORMAT.new_secret()) is None
    assert FORMAT.check_secret("x" * 32) is not None


def test_it_has_no_settings() -> None:
    fields = Fields({"version": "2025-02-01"}, "format_settings.")

    assert FORMAT.read_settings(fields) == {}
    assert [error.field for error in fields.finish()] == ["format_settings.version"]


def test_its_version_is_part_of_its_name() -> None:
    assert FORMAT.name == "okendo@2025-02-01"


def test_success_is_2xx() -> None:
    assert [status for status in range(100, 600) if FORMAT.is_success(status)] == [*range(200, 300)]
