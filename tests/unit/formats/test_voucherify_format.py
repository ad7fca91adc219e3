"""The envelope, the names, the settings and the signature; `data` has a file of its own."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.catalogue.event_types import event_type, event_types
from perkwire.catalogue.names import ProductEvent, product_events
from perkwire.formats.format import Attempt, Format, Unrenderable
from perkwire.formats.voucherify.envelope import Voucherify
from perkwire.model.event import Event
from perkwire.model.secret import UnusableSecret
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId, delivery_id
from perkwire.primitives.strict_json import Json, compact, parse
from perkwire.primitives.stringify import stringify
from perkwire.primitives.timestamps import parse_rfc3339
from tests.builders import ACCOUNT, NOW, a_payload, an_event
from tests.unit.hostile import hostile
from tests.unit.strategies import FEW, MOMENTS, OBJECTS

FORMAT: Format = Voucherify()
DELIVERY = DeliveryId("dlv_0000000000000001_01k5bqxk80abcdefghjkmnpqrs")
SECRET = "a-secret-of-24-characters"
DISTRIBUTION: dict[str, Json] = {"event_name": "Points-gained"}
SAID = [one for one in product_events("voucherify") if one.types != ("custom.*",)]
TYPES = sorted({one for event in SAID for one in event.types})


def happening(kind: str, **overrides: object) -> Event:
    """The catalogue's example of a type."""
    found = event_type(kind)
    assert found is not None
    return an_event(**{"type": kind, "data": found.example} | overrides)


def render(event: Event, **overrides: object) -> bytes:
    return FORMAT.render(a_payload(event, **overrides))


def said(event: Event, **overrides: object) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(render(event, **overrides))
    return body


def sign(body: bytes, *secrets: str, at: int = NOW) -> str:
    attempt = Attempt(delivery_id=DELIVERY, at=at, body=body, settings={})
    headers = FORMAT.sign(secrets, attempt)
    assert headers.keys() == {"x-voucherify-signature"}
    return headers["x-voucherify-signature"]


def without_white_space(text: str) -> str:
    """What Voucherify's recipe for Java signs: the body without insignificant white space."""
    kept: list[str] = []
    inside = escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif character == '"':
            inside = not inside
        elif character == "\\":
            escaped = True
        if inside or not character.isspace():
            kept.append(character)
    return "".join(kept)


def digest(text: str, secret: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def test_an_event_of_a_project_is_all_of_this_in_this_order() -> None:
    event = an_event(
        id=EventId("evt_7"),
        type="member.confirmed",
        accepted_at=parse_rfc3339("2026-11-21T08:00:01.999999Z"),
        occurred_at=parse_rfc3339("2026-11-21T09:00:00.25+01:00"),
        data={"member": {"id": "mbr_1", "first_name": "Zoë"}},
    )

    body = render(
        event,
        delivery_id=DELIVERY,
        account_id=AccountId("acct_1"),
        webhook_id=WebhookId("wh_1"),
        url="https://shop.example/hook",
    )

    assert (
        body
        == (
            '{"id":"whs_0000000000000001_01k5bqxk80abcdefghjkmnpqrs",'
            '"project_id":"acct_1",'
            '"created_at":"2026-11-21T08:00:01.999Z",'
            '"type":"customer.confirmed",'
            '"data":{"customer":{"id":"mbr_1","name":"Zoë","object":"customer",'
            '"summary":null,"loyalty":null,"referrals":null,"metadata":{}},'
            '"unconfirmed_customer":null},'
            '"source":{"id":"wh_1","object":"webhook","target_url":"https://shop.example/hook"},'
            '"event":{"id":"evt_7","type":"customer.confirmed",'
            '"created_at":"2026-11-21T08:00:00.250Z","entity_id":"mbr_1","group_id":"evt_7",'
            '"event_source":{"channel":"API"}}}'
        ).encode()
    )


def test_a_distribution_has_its_typed_in_name_and_says_the_event_beside_it() -> None:
    body = said(happening("points.earned"), settings=DISTRIBUTION)

    assert body["type"] == "Points-gained"
    assert body["source"]["object"] == "distribution"
    assert body["event"]["type"] == "customer.voucher.loyalty_card.points_added"
    assert [*body["data"]] == ["customer", "campaign", "voucher", "balance", "transaction"]


def test_the_project_is_the_account_unless_the_webhook_says_which() -> None:
    event = happening("tier.upgraded")

    assert said(event, account_id=AccountId("acct_7"))["project_id"] == "acct_7"
    assert said(event, settings={"project_id": "proj_5T"})["project_id"] == "proj_5T"


@pytest.mark.parametrize("product_event", product_events("voucherify"), ids=lambda one: one.label)
def test_every_event_of_the_page_is_said(product_event: ProductEvent) -> None:
    assert product_event.types
    name = product_event.name
    for kind in product_event.types:
        event = happening(kind.replace("*", "quiz_done"))
        in_project = said(event, settings=FORMAT.read_settings(Fields({})))
        in_distribution = said(event, settings=DISTRIBUTION)

        assert FORMAT.name_of(event.type) == name.name
        assert in_project["type"] == in_project["event"]["type"] == name.name
        assert in_distribution["type"] == "Points-gained"
        assert in_distribution["event"]["type"] == (name.in_distribution or name.name)
        assert in_project["data"]
        assert in_distribution["data"]


@pytest.mark.parametrize("kind", sorted(set(event_types()) - set(TYPES)))
def test_what_the_product_does_not_have_is_not_said(kind: str) -> None:
    assert FORMAT.name_of(kind) is None
    with pytest.raises(Unrenderable, match="evt_7"):
        render(happening(kind, id=EventId("evt_7")))


def test_one_request_carries_one_event() -> None:
    events = [happening("tier.upgraded"), happening("tier.upgraded")]

    assert FORMAT.largest_batch == 1
    for wrong in (events, []):
        with pytest.raises(Unrenderable, match="dlv_1"):
            FORMAT.render(a_payload(*wrong))


@pytest.mark.parametrize(
    ("kind", "entity_id"),
    [
        ("tier.upgraded", "mbr_20417"),
        ("points.earned", "vch_5520"),
        ("voucher.redeemed", "red_9001"),
        ("voucher.redemption_rolled_back", "rrb_120"),
        ("voucher.published", "pub_4410"),
        ("tier.definition.created", "cmp_autumn"),
        ("message.sent", "msg_61"),
        ("referral.completed", "mbr_55110"),
    ],
)
def test_the_entity_is_what_the_type_begins_with(kind: str, entity_id: str) -> None:
    assert said(happening(kind))["event"]["entity_id"] == entity_id


def test_an_entity_that_the_event_does_not_name_is_left_out() -> None:
    assert "entity_id" not in said(an_event(type="custom.fair", data={"stand": 7}))["event"]


def test_the_id_is_the_same_at_every_attempt_and_another_for_every_delivery() -> None:
    webhooks = [WebhookId(f"wh_{number:016}") for number in range(20)]
    event = happening("tier.upgraded")
    deliveries = [delivery_id(webhook, [event.id], event.accepted_at) for webhook in webhooks]
    ids = [said(event, delivery_id=one)["id"] for one in deliveries]

    assert ids == [said(event, delivery_id=one)["id"] for one in deliveries]
    assert len(set(ids)) == len(ids)
    assert all(one.startswith("whs_") for one in ids)


@FEW
@given(MOMENTS, st.none() | MOMENTS)
def test_times_have_three_digits_and_are_never_later_than_they_were(
    accepted_at: int, occurred_at: int | None
) -> None:
    body = said(happening("tier.upgraded", accepted_at=accepted_at, occurred_at=occurred_at))

    happened_at = accepted_at if occurred_at is None else occurred_at
    for text, moment in (
        (body["created_at"], accepted_at),
        (body["event"]["created_at"], happened_at),
        (body["data"]["created_at"], happened_at),
    ):
        assert len(text) == len("2024-01-01T11:11:11.111Z")
        assert parse_rfc3339(text) == moment // 1000 * 1000


@pytest.mark.parametrize(
    ("message", "signature"),
    [
        (b'{"a":1}', "a17d2ac229d1ebbb5f10e839c7985c4818e5986eab297f7e5979196d4d7d3ed2"),
        (b'{"a\\"b":1}', "f7cf97814a03146abedb9793f56e1dec34f618f82d10395310d053f749483ffb"),
        (b"  message  ", "53ff92957e1427ce23ad5bda9d0c5f2f4ff384d0806b83eeacb510c842d3a358"),
    ],
)
def test_the_signatures_that_the_product_prints_are_ours(
    message: bytes, signature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Theirs are made with a secret that is shorter than the ones we take.
    monkeypatch.setattr("perkwire.formats.voucherify.envelope.plain_key", str.encode)

    assert sign(message, "secretKey") == signature


@pytest.mark.parametrize("kind", TYPES)
def test_the_bytes_verify_as_they_are_and_without_white_space(kind: str) -> None:
    event = happening(kind)
    body = render(event)
    signature = sign(body, SECRET)

    assert signature == digest(body.decode(), SECRET)
    assert signature == digest(without_white_space(body.decode()), SECRET)
    assert signature == digest(without_white_space(json.dumps(parse(body), indent=2)), SECRET)


@FEW
@given(st.data(), st.sampled_from(TYPES))
def test_hostile_data_verifies_as_it_is_and_without_white_space(
    data: st.DataObject, kind: str
) -> None:
    example = event_types()[kind].example
    body = render(an_event(type=kind, data=data.draw(hostile(example))))

    assert without_white_space(body.decode()) == body.decode()


def test_while_a_secret_is_rotated_the_old_one_signs() -> None:
    old, new = "the-old-secret-of-today", "the-new-secret-of-today"

    assert sign(b"{}", new, old) == digest("{}", old)
    assert sign(b"{}", new) == digest("{}", new)


def test_the_signature_does_not_depend_on_the_moment() -> None:
    assert sign(b"{}", SECRET, at=NOW) == sign(b"{}", SECRET, at=NOW + 10**12)


def test_nothing_is_signed_with_a_secret_of_another_form() -> None:
    with pytest.raises(UnusableSecret) as raised:
        sign(b"{}", "too\nlong")

    assert "long" not in str(raised.value)


def test_a_new_secret_is_one_that_it_takes() -> None:
    assert FORMAT.check_secret(FORMAT.new_secret()) is None
    assert FORMAT.check_secret("x" * 257) is not None


def test_success_is_2xx() -> None:
    assert [status for status in range(100, 600) if FORMAT.is_success(status)] == [*range(200, 300)]


def test_settings_are_kept_as_far_as_they_are_given() -> None:
    given: dict[str, Json] = {"event_name": "Tier up, Zoë!", "project_id": "proj_5T-x"}

    some: list[dict[str, Json]] = [given, {}, {"project_id": "p"}]
    for settings in some:
        fields = Fields(settings)
        assert FORMAT.read_settings(fields) == {**settings, "published_as": "voucher.published"}
        assert fields.finish() == []


@pytest.mark.parametrize("kind", ["voucher.published", "referral.code_published"])
def test_a_publication_is_told_by_the_word_that_the_webhook_has_chosen(kind: str) -> None:
    event = happening(kind)

    for word in ("voucher.published", "publication.succeeded"):
        body = said(event, settings=FORMAT.read_settings(Fields({"published_as": word})))
        assert (body["type"], body["event"]["type"]) == (word, word)
        assert ("user" in body["data"]) == (word == "publication.succeeded")
        assert body["data"]["voucher"]["code"]


def test_a_webhook_from_before_there_was_a_choice_keeps_its_word() -> None:
    stored: dict[str, Json] = {"project_id": "p"}

    kept = FORMAT.read_settings(Fields({"project_id": "q"}), stored)

    assert said(happening("voucher.published"), settings=stored)["type"] == "publication.succeeded"
    assert kept == {"project_id": "q"}
    chosen = FORMAT.read_settings(Fields({"published_as": "voucher.published"}), stored)
    assert said(happening("voucher.published"), settings=chosen)["type"] == "voucher.published"
    assert FORMAT.read_settings(Fields({}), chosen) == chosen


@pytest.mark.parametrize(
    ("settings", "field", "detail"),
    [
        (
            {"published_as": "customer.created"},
            "published_as",
            "must be voucher.published or publication.succeeded",
        ),
        ({"event_name": ""}, "event_name", "must have 1 to 128 characters"),
        ({"event_name": "x" * 129}, "event_name", "must have 1 to 128 characters"),
        *(
            ({"event_name": name}, "event_name", "must be without control characters, not blank")
            for name in ("a\nb", "\x85", "a\u2028b", "\u2029", " ", "\u00a0\u3000")
        ),
        ({"event_name": 7}, "event_name", "must be a string"),
        ({"project_id": ""}, "project_id", "must have 1 to 128 characters"),
        ({"project_id": "a b"}, "project_id", "must be letters, digits, - and _"),
        ({"project_id": "é"}, "project_id", "must be letters, digits, - and _"),
        ({"secret_key": "x"}, "secret_key", "is not a known field"),
    ],
)
def test_settings_that_are_wrong_are_named(
    settings: dict[str, Json], field: str, detail: str
) -> None:
    fields = Fields(settings, "format_settings.")
    FORMAT.read_settings(fields)

    errors = [(error.field, error.detail) for error in fields.finish()]
    assert errors == [(f"format_settings.{field}", detail)]


@pytest.mark.parametrize("value", [None, 7, True, [], {"a": 1}])
def test_kept_settings_of_another_type_are_as_good_as_none(value: Json) -> None:
    body = said(happening("tier.upgraded"), settings={"event_name": value, "project_id": value})

    assert body["source"]["object"] == "webhook"
    assert body["project_id"] == ACCOUNT


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (39.0, "39"),
        (-0.0, "0"),
        (12.5, "12.5"),
        (-0.1, "-0.1"),
        (0.00001, "0.00001"),
        (0.000001, "0.000001"),
        (1e-7, "1e-7"),
        (-1.5e-9, "-1.5e-9"),
        (1e20, "100000000000000000000"),
        (1.2345678901234567e20, "123456789012345670000"),
        (1e21, "1e+21"),
        (1.25e300, "1.25e+300"),
        (5e-324, "5e-324"),
        (2**53, "9007199254740992"),
        (2**64 - 1, "18446744073709551615"),  # JavaScript would write 18446744073709552000
        ([True, False, None, ""], '[true,false,null,""]'),
        (
            '"\\/\b\f\n\r\t\x00\x1f\x7f\u2028😀',
            '"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\u2028😀"',
        ),
        ({"b": 1, "10": 2, "a": 3, "9": 4, "01": 5}, '{"9":4,"10":2,"b":1,"a":3,"01":5}'),
        (
            {"x": 1, "4294967295": 2, "4294967294": 3, "-1": 4, "٣": 5},
            '{"4294967294":3,"x":1,"4294967295":2,"-1":4,"٣":5}',
        ),
    ],
)
def test_json_is_written_as_javascript_writes_it(value: Json, written: str) -> None:
    assert stringify(value).decode() == written


@given(OBJECTS)
def test_json_says_the_same_however_it_is_written(value: dict[str, Json]) -> None:
    def read(text: bytes) -> object:
        return json.loads(text, parse_int=float)

    assert read(stringify(value)) == read(compact(value))
