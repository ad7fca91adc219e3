"""Signatures, verified by code that knows nothing of ours, and the vectors that products print."""

import base64
import hashlib
import hmac
import time
from typing import Any

import pytest
from standardwebhooks import Webhook as StandardWebhook
from svix.webhooks import Webhook as SvixWebhook

from perkwire.formats.format import Unrenderable
from perkwire.model.secret import UnusableSecret
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import NOW, SECRET, a_payload, an_event
from tests.unit.formats.contracts.making import contract, headers, wrong

KEY = "a-key-of-the-merchant"
OLD = "the-key-before-that-one"
BODY = '{"a":"ü"}'.encode()
URL = "https://till.example/hook"


def signature(recipe: dict[str, Json], *secrets: str, body: bytes = BODY, at: int = NOW) -> str:
    format_ = contract(signature={"header": "x-signature", **recipe})
    return headers(format_, [*(secrets or (KEY,))], body=body, at=at)["x-signature"]


@pytest.mark.parametrize("hash_name", ["sha1", "sha256", "sha384", "sha512"])
def test_each_hash_and_encoding(hash_name: str) -> None:
    digest = hmac.new(KEY.encode(), BODY, hash_name).digest()

    assert signature({"hash": hash_name}) == digest.hex()
    assert signature({"hash": hash_name, "encoding": "base64"}) == base64.b64encode(digest).decode()
    found = signature({"hash": hash_name, "encoding": "base64url"})
    assert base64.urlsafe_b64decode(found + "=" * (-len(found) % 4)) == digest
    assert not set(found) & set("+/=")


@pytest.mark.parametrize(
    ("signed", "message"),
    [
        ("{body}", BODY),
        ("{url}{body}", URL.encode() + BODY),
        ("{timestamp_s}.{body}", str(NOW // 10**6).encode() + b"." + BODY),
        ("{body}:{timestamp_ms}", BODY + b":" + str(NOW // 1000).encode()),
        (
            "{delivery_id}.{timestamp_s}.{body}",
            b"dlv_1." + str(NOW // 10**6).encode() + b"." + BODY,
        ),
        ("v0:{{{timestamp_s}}}:{body}", b"v0:{" + str(NOW // 10**6).encode() + b"}:" + BODY),
    ],
)
def test_each_part_that_can_be_signed(signed: str, message: bytes) -> None:
    assert signature({"signed": signed}) == hmac.new(KEY.encode(), message, "sha256").hexdigest()


def test_the_vector_that_voucherify_prints() -> None:
    found = signature({}, "secretKey", body=b'{"a":1}')

    assert found == "a17d2ac229d1ebbb5f10e839c7985c4818e5986eab297f7e5979196d4d7d3ed2"


def test_the_vector_that_zinrelo_prints() -> None:
    printed = (
        b'{"request_id":"61f11851bdfb9aac526d0c70","total_count":"2",'
        b'"created_date":"12/29/2021 16:47:41","events":[]}'
    )
    recipe: dict[str, Json] = {"hash": "sha512", "signed": "{body}:{timestamp_ms}"}
    found = signature(recipe, "secret", body=printed, at=1_640_796_461 * MICROSECONDS)

    assert found.startswith("81aaae2c943e8a56")


def test_the_vector_that_github_prints() -> None:
    """https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries"""
    found = signature(
        {"value": "sha256={signature}"}, "It's a Secret to Everybody", body=b"Hello, World!"
    )

    assert found == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def stripe_verifies(header: str, body: bytes, secret: str, at: int) -> bool:
    """As Stripe's page tells receivers to verify by hand."""
    pairs = [element.split("=", 1) for element in header.split(",")]
    (timestamp,) = [value for key, value in pairs if key == "t"]
    signed = f"{timestamp}.{body.decode()}".encode()
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert abs(at - int(timestamp)) < 300
    return any(hmac.compare_digest(value, expected) for key, value in pairs if key == "v1")


STRIPE: dict[str, Json] = {
    "signed": "{timestamp_s}.{body}",
    "value": "t={timestamp_s},{signature}",
    "each": "v1={signature}",
    "joined_by": ",",
    "rotation": "each",
}


def test_a_header_of_several_parts_with_one_for_each_live_secret() -> None:
    found = signature(STRIPE, KEY, OLD)

    assert found.count("v1=") == 2
    for secret in (KEY, OLD):
        assert stripe_verifies(found, BODY, secret, NOW // 10**6)
    assert not stripe_verifies(found, BODY, "another", NOW // 10**6)


@pytest.mark.parametrize(("rotation", "signs"), [("old", OLD), ("new", KEY)])
def test_one_signature_is_of_the_secret_that_the_contract_chooses(
    rotation: str, signs: str
) -> None:
    assert signature({"rotation": rotation}, KEY, OLD) == signature({}, signs)


def test_standard_webhooks_and_svix_as_contracts_satisfy_their_libraries() -> None:
    for prefix, library in (("webhook", StandardWebhook), ("svix", SvixWebhook)):
        own: dict[str, Any] = {f"{prefix}-timestamp": "=attempt.timestamp_s"}
        if prefix == "svix":
            own["svix-id"] = "=delivery.id"
        format_ = contract(
            headers=own,
            signature={
                "header": f"{prefix}-signature", "key": "base64", "key_prefix": "whsec_",
                "signed": "{delivery_id}.{timestamp_s}.{body}", "encoding": "base64",
                "each": "v1,{signature}", "rotation": "each",
            },
        )  # fmt: skip
        at = time.time_ns() // 1000
        sent = {"webhook-id": "dlv_1", **headers(format_, [SECRET], body=BODY, at=at)}

        library(SECRET).verify(BODY, sent)  # raises what is not so


def test_bearer_and_basic_send_the_secret_itself() -> None:
    bearer = contract(signature={"scheme": "bearer"})
    basic = contract(signature={"scheme": "basic"})

    assert headers(bearer, ["abc.def"])["authorization"] == "Bearer abc.def"
    assert headers(bearer, ["new", "old"])["authorization"] == "Bearer old"
    expected = base64.b64encode("user:päss".encode()).decode()
    assert headers(basic, ["user:päss"])["authorization"] == f"Basic {expected}"
    assert basic.check_secret("nocolon") == "must be a user name, a colon and a password"
    assert bearer.check_secret("two words") == "must be visible ASCII without blanks"
    for format_ in (bearer, basic):
        assert format_.check_secret(format_.new_secret()) is None


def test_without_a_signature_standard_webhooks_sign() -> None:
    format_ = contract()
    sent = headers(format_, [SECRET], body=BODY, at=time.time_ns() // 1000)

    StandardWebhook(SECRET).verify(BODY, sent)
    assert format_.check_secret("short") is not None


def test_a_secret_that_is_no_key_signs_nothing() -> None:
    recipe: dict[str, Json] = {"header": "x-s", "key": "base64", "key_prefix": "whsec_"}
    format_ = contract(signature=recipe)

    with pytest.raises(UnusableSecret):
        headers(format_, ["whsec_!"])
    assert format_.check_secret("whsec_!") == "must be whsec_ and the base64 of 16 to 64 bytes"
    assert format_.new_secret().startswith("whsec_")
    assert format_.check_secret(format_.new_secret()) is None


@pytest.mark.parametrize(
    ("recipe", "place", "detail"),
    [
        ({}, "/signature/header", "is required"),
        ({"header": "host"}, "/signature/header", "is set by Perkwire or by the connection"),
        ({"header": "webhook-id"}, "/signature/header", "is set by Perkwire or by the connection"),
        ({"header": "x-s", "hash": "md5"}, "/signature/hash", "must be sha256, sha1, sha384 or"),
        ({"header": "x-s", "signed": "{time}{body}"}, "/signature/signed", "has {time}, and knows"),
        ({"header": "x-s", "signed": "{timestamp_s}"}, "/signature/signed", "must have {body}"),
        ({"header": "x-s", "value": "v1="}, "/signature/value", "must have {signature}"),
        ({"header": "x-s", "signed": "{body"}, "/signature/signed", "has {, and knows"),
        ({"header": "x-s", "joined_by": ","}, "/signature/rotation", "must be each where"),
        ({"header": "x-s", "key_prefix": "k_"}, "/signature/key_prefix", "belongs to a key"),
        ({"scheme": "bearer", "header": "x"}, "/signature/header", "is not a known field"),
        ({"scheme": "digest", "header": "x"}, "/signature/scheme", "must be hmac, bearer or basic"),
    ],
)
def test_what_is_wrong_with_a_recipe(recipe: Json, place: str, detail: str) -> None:
    assert wrong(signature=recipe)[place].startswith(detail)


def test_headers_are_templates_over_event_and_attempt() -> None:
    format_ = contract(
        headers={
            "X-Event": "=event.type",
            "x-time": "=attempt.timestamp_ms",
            "x-day": "=date(attempt.timestamp)",
            "x-fixed": "v2",
            "x-gone": "=data.gone",
        }
    )
    sent = headers(format_, [SECRET])

    assert {name: value for name, value in sent.items() if name.startswith("x-")} == {
        "x-event": "points.earned",
        "x-time": str(NOW // 1000),
        "x-day": "2026-09-21",
        "x-fixed": "v2",
    }


@pytest.mark.parametrize("value", ["a\r\nb: c", "ü", " a", "x" * 1001, {"a": 1}, [1]])
def test_a_value_that_no_header_may_have_is_not_sent(value: Json) -> None:
    format_ = contract(headers={"x-value": "=data.value"})

    with pytest.raises(Unrenderable) as raised:
        headers(format_, [SECRET], payload=a_payload(an_event(data={"value": value})))

    assert str(raised.value) == "dlv_1 has no value that header x-value may have."


@pytest.mark.parametrize(
    ("given", "place", "detail"),
    [
        ({"host": "x"}, "/headers/host", "is set by Perkwire or by the connection"),
        ({"x-forwarded-for": "x"}, "/headers/x-forwarded-for", "says what a proxy has seen"),
        ({"webhook-id": "x"}, "/headers/webhook-id", "is set by Perkwire or by the connection"),
        ({"content-type": "x"}, "/headers/content-type", "is set by Perkwire or by the connection"),
        ({"bad name": "x"}, "/headers/bad name", "is not a valid header name"),
        ({"x-a": ["x"]}, "/headers/x-a", "must be a text or an expression"),
        ({"x-a": "1", "X_A": "2"}, "/headers", "has a name twice"),
    ],
)
def test_headers_obey_the_rule_of_custom_headers(given: Json, place: str, detail: str) -> None:
    assert wrong(headers=given)[place].startswith(detail)
