import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import ProductEvent, names_in, product_events
from perkwire.formats.format import Attempt, Format, Settings, Unrenderable
from perkwire.formats.qualifio import Qualifio
from perkwire.model.event import Event
from perkwire.model.secret import UnusableSecret
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import DeliveryId, EventId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import parse_rfc3339
from tests.builders import NOW, a_payload, an_event

FORMAT: Format = Qualifio()
SECRET = "123456ots-and-some-more"
OLD_SECRET = "the-one-before-the-rotation"
DEFAULTS: Settings = {
    "signature_header": "x-hub-signature",
    "signature_algorithm": "sha256",
    "signature_encoding": "hex",
}
# The page's table, in its order.
LABELS = [
    "Profile creation",
    "Member portal visit",
    "Change in level",
    "Earning",
    "Burning",
    "Point correction +",
    "Point correction -",
    "Free Gift",
]
TYPES = sorted(names_in("qualifio"))
HOSTILE = st.one_of(
    st.sampled_from(
        ['"\\/', "\x00\x1f\x7f", "\u202egolo\u2066", "\u2028\u2029", "😀🏳️‍🌈", "</a>", ""]
    ),
    st.text(max_size=12),
)
NUMBERS = st.sampled_from([0, -1, 2**63 - 1, -(2**63), 2**64 - 1, 0.1, 1e300, -2.5])


def hostile(value: Json) -> st.SearchStrategy[Json]:
    """The like of a value, with other strings and numbers in it."""
    match value:
        case str():
            return HOSTILE
        case dict():
            return st.fixed_dictionaries({key: hostile(inner) for key, inner in value.items()})
        case list():
            return st.tuples(*map(hostile, value)).map(list)
        case bool() | None:
            return st.just(value)
        case _:
            return NUMBERS


def rendered(*events: Event) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = json.loads(FORMAT.render(a_payload(*events)))
    return said


def read(given: dict[str, Json]) -> tuple[Settings, list[tuple[str, str]]]:
    """The settings, and what is wrong with them."""
    fields = Fields(given, "format_settings.")
    settings = FORMAT.read_settings(fields)
    return settings, [(error.field, error.detail) for error in fields.finish()]


def sign(secrets: list[str], body: bytes, settings: Settings = DEFAULTS) -> dict[str, str]:
    attempt = Attempt(delivery_id=DeliveryId("dlv_1"), at=NOW, body=body, settings=settings)
    return FORMAT.sign(secrets, attempt)


def hmac_of(key: bytes, message: bytes, algorithm: str) -> bytes:
    """HMAC as RFC 2104 writes it, of nothing but the hash."""
    size = hashlib.new(algorithm).block_size
    padded = (hashlib.new(algorithm, key).digest() if len(key) > size else key).ljust(size, b"\0")
    inner = hashlib.new(algorithm, bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.new(algorithm, bytes(byte ^ 0x5C for byte in padded) + inner).digest()


def test_the_body_is_an_array_of_objects_of_six_members_in_this_order() -> None:
    event = an_event(
        id=EventId("evt_1"),
        type="points.earned",
        program_id="gold",
        occurred_at=parse_rfc3339("2026-11-21T09:30:00.5Z"),
        data={"transaction": {"points": 1}, "member": {"id": "m", "email": "é"}, "order": {}},
    )

    assert (
        FORMAT.render(a_payload(event))
        == (
            '[{"eventId":"evt_1","eventType":"earning","date":"2026-11-21T09:30:00.500000Z",'
            '"programId":"gold","member":{"id":"m","email":"é"},'
            '"data":{"transaction":{"points":1},"order":{}}}]'
        ).encode()
    )


def test_several_events_are_one_array_in_their_order() -> None:
    events = [an_event(accepted_at=NOW + position) for position in range(100)]

    assert [one["eventId"] for one in rendered(*events)] == [event.id for event in events]
    assert FORMAT.largest_batch == 100


def test_what_an_event_does_not_have_is_left_out() -> None:
    (said,) = rendered(an_event(program_id=None, data={"visit": {"url": "/"}}))

    assert list(said) == ["eventId", "eventType", "date", "data"]
    assert said["data"] == {"visit": {"url": "/"}}


@pytest.mark.parametrize("member", ["m-1", None, [{"id": "m-1"}]])
def test_a_member_that_is_no_object_is_not_lost(member: Json) -> None:
    (said,) = rendered(an_event(data={"member": member}))

    assert "member" not in said
    assert said["data"] == {"member": member}


def test_the_event_itself_is_not_changed() -> None:
    event = an_event(data={"member": {"id": "m-1"}})

    assert rendered(event) == rendered(event)
    assert event.data == {"member": {"id": "m-1"}}


def test_the_events_are_those_of_the_page() -> None:
    assert [event.label for event in product_events("qualifio")] == LABELS


@pytest.mark.parametrize("event", product_events("qualifio"), ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    words = event.label.lower().replace("+", "plus").replace("-", "minus")

    assert event.name.inferred
    assert event.types
    for event_type in event.types:
        example = event_types()[event_type].example
        (said,) = rendered(an_event(type=event_type, data=example))
        assert said["eventType"] == FORMAT.name_of(event_type) == words.replace(" ", "_")
        assert {"member": said["member"], **said["data"]} == example


@pytest.mark.parametrize("event_type", ["review.created", "custom.anything"])
def test_no_other_event_is_said(event_type: str) -> None:
    event = an_event(type=event_type, data={"secret": "hush"})

    assert FORMAT.name_of(event_type) is None
    with pytest.raises(Unrenderable, match=event.id) as raised:
        FORMAT.render(a_payload(an_event(), event))
    assert "hush" not in str(raised.value)


@given(st.data(), st.sampled_from(TYPES), st.none() | HOSTILE)
def test_hostile_values_are_said_whole_and_the_same_each_time(
    draw: st.DataObject, event_type: str, program_id: str | None
) -> None:
    data = draw.draw(hostile(event_types()[event_type].example))
    assert isinstance(data, dict)
    payload = a_payload(an_event(type=event_type, data=data, program_id=program_id))

    body = FORMAT.render(payload)

    (said,) = json.loads(body)
    assert body == FORMAT.render(payload)
    assert {"member": said["member"], **said["data"]} == data
    assert said.get("programId") == program_id


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("secret", [SECRET, "s" * 256])
def test_the_signature_is_the_hmac_of_the_body(algorithm: str, encoding: str, secret: str) -> None:
    body = FORMAT.render(a_payload(an_event(data={"member": {"id": "é"}})))
    settings, _ = read({"signature_algorithm": algorithm, "signature_encoding": encoding})

    headers = sign([secret], body, settings)

    decode = bytes.fromhex if encoding == "hex" else base64.b64decode
    assert headers.keys() == {"x-hub-signature"}
    signature = headers["x-hub-signature"]
    assert signature == signature.strip()
    assert decode(signature) == hmac_of(secret.encode(), body, algorithm)


def test_a_signature_in_hex_is_in_lower_case() -> None:
    # By OpenSSL: printf '[]' | openssl dgst -sha256 -hmac 123456ots-and-some-more
    assert sign([SECRET], b"[]") == {
        "x-hub-signature": "5e85d779466b8e200b921a530c32c248cc0dcc32768c384cadbef1a2d5720a1c"
    }


def test_the_header_is_the_one_of_the_settings() -> None:
    settings, errors = read({"signature_header": "X-Test-Signature"})

    assert errors == []
    assert sign([SECRET], b"[]", settings).keys() == {"x-test-signature"}


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_receiver_written_by_the_convention_of_the_header_accepts_it(algorithm: str) -> None:
    """As PubSubHubbub and its heirs have it: the hash's name, an equals sign, hex."""
    given: dict[str, Json] = {"signature_algorithm": algorithm, "signature_prefix": f"{algorithm}="}
    settings, _ = read(given)

    (header,) = sign(["mysecret"], b'[{"a":1}]', settings).values()

    hash_name, _, signature = header.partition("=")
    expected = hmac.new(b"mysecret", b'[{"a":1}]', getattr(hashlib, hash_name))
    assert hmac.compare_digest(signature, expected.hexdigest())


def test_a_webhook_that_was_made_with_the_former_default_keeps_its_header() -> None:
    stored: Settings = {**DEFAULTS, "signature_header": "x-qualifio-signature"}

    kept = FORMAT.read_settings(Fields({"signature_algorithm": "sha512"}), stored)
    moved = FORMAT.read_settings(Fields({"signature_header": "x-hub-signature"}), stored)

    assert sign([SECRET], b"[]", stored).keys() == {"x-qualifio-signature"}
    assert kept == {**stored, "signature_algorithm": "sha512"}
    assert moved == DEFAULTS


@pytest.mark.parametrize(
    ("prefix", "algorithm", "is_doubted"),
    [
        ("sha1=", "sha256", True),
        ("SHA256:", "sha1", True),
        ("sha1=", "sha1", False),
        ("sha256=", None, False),
        ("v1,", "sha512", False),
        (None, "sha1", False),
    ],
)
def test_a_prefix_that_names_another_hash_is_warned_of(
    prefix: str | None, algorithm: str | None, is_doubted: bool
) -> None:
    given_: dict[str, Json] = {"signature_prefix": prefix, "signature_algorithm": algorithm}
    fields = Fields({name: value for name, value in given_.items() if value is not None})

    FORMAT.read_settings(fields)

    assert fields.finish() == []
    assert [one.field for one in fields.warnings] == ["signature_prefix"] * is_doubted


def test_while_a_rotation_overlaps_the_old_secret_signs() -> None:
    assert sign([SECRET, OLD_SECRET], b"[]") == sign([OLD_SECRET], b"[]")
    assert sign([SECRET], b"[]") != sign([OLD_SECRET], b"[]")


def test_nothing_is_signed_with_a_secret_of_another_form() -> None:
    with pytest.raises(UnusableSecret) as raised:
        sign(["hush\nhush"], b"[]")

    assert "hush" not in str(raised.value)


def test_a_secret_is_1_to_256_characters_of_one_line() -> None:
    assert FORMAT.check_secret(FORMAT.new_secret()) is None
    assert FORMAT.new_secret() != FORMAT.new_secret()
    assert FORMAT.check_secret("x") is None
    assert FORMAT.check_secret("x\ny") == "must have 1 to 256 characters of one line"


def test_the_settings_are_complete_also_if_none_is_given() -> None:
    assert read({}) == (DEFAULTS, [])


@pytest.mark.parametrize(
    "given",
    [
        {"signature_header": "x-test-authorization-header"},
        {"signature_algorithm": "sha384"},
        {"signature_algorithm": "sha512", "signature_encoding": "base64"},
        {"signature_header": "Authorization", "signature_encoding": "base64"},
        {"signature_algorithm": "sha1", "signature_prefix": "sha1="},
    ],
)
def test_a_setting_that_is_given_is_kept_and_the_others_are_filled_in(
    given: Mapping[str, str],
) -> None:
    lowered = {name: value.lower() for name, value in given.items()}

    assert read(dict(given)) == ({**DEFAULTS, **lowered}, [])


NOT_A_NAME = "is not a valid header name"
RESERVED = "is set by Perkwire or by the connection"


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        ("signature_header", "x qualifio", NOT_A_NAME),
        ("signature_header", "x-signature:", NOT_A_NAME),
        ("signature_header", "x-signaturé", NOT_A_NAME),
        ("signature_header", "x-signature\r\nx-more", NOT_A_NAME),
        ("signature_header", "Webhook-Id", RESERVED),
        ("signature_header", "svix-signature", RESERVED),
        ("signature_header", "content-type", RESERVED),
        ("signature_header", "Host", RESERVED),
        ("signature_header", "Transfer-Encoding", RESERVED),
        ("signature_header", "", "must have 1 to 128 characters"),
        ("signature_header", "x" * 129, "must have 1 to 128 characters"),
        ("signature_header", 5, "must be a string"),
        ("signature_header", None, "must not be null"),
        ("signature_algorithm", "md5", "must be sha256, sha1, sha384 or sha512"),
        ("signature_algorithm", "SHA256", "must be sha256, sha1, sha384 or sha512"),
        ("signature_prefix", "", "must have 1 to 32 characters"),
        ("signature_prefix", "x" * 33, "must have 1 to 32 characters"),
        ("signature_prefix", "sha1 =", "must be visible ASCII characters"),
        ("signature_prefix", "sha1=\r\n", "must be visible ASCII characters"),
        ("signature_algorithm", ["sha256"], "must be a string"),
        ("signature_encoding", "base64url", "must be hex or base64"),
        ("signature_encoding", None, "must not be null"),
        ("signature_key", "x", "is not a known field"),
    ],
)
def test_a_wrong_setting_is_refused_and_reads_as_the_default(
    name: str, value: Json, detail: str
) -> None:
    assert read({name: value}) == (DEFAULTS, [(f"format_settings.{name}", detail)])


def test_success_is_2xx() -> None:
    assert [status for status in range(100, 600) if FORMAT.is_success(status)] == [*range(200, 300)]


def test_it_has_one_name() -> None:
    assert FORMAT.name == "qualifio"
