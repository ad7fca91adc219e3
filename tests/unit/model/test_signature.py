import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from perkwire.model.secret import new_secret, signing_key
from perkwire.model.signature import standard_webhooks
from perkwire.primitives.timestamps import MICROSECONDS, now


@pytest.mark.parametrize(
    ("secret", "message_id", "timestamp", "body", "signature"),
    [
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            "whsec_plJ3nmyCDGBKInavdOK15jsl",
            "msg_loFOjxBNrRLzqYUf",
            1731705121,
            b'{"event_type":"ping","data":{"success":true}}',
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        ),
    ],
)
def test_the_specifications_vectors(
    secret: str, message_id: str, timestamp: int, body: bytes, signature: str
) -> None:
    # The second key is of 18 bytes, fewer than we let a webhook have.
    key = base64.b64decode(secret.removeprefix("whsec_"))

    assert standard_webhooks([key], message_id, timestamp, body) == signature


def signed(secrets: list[str], body: bytes, timestamp: int) -> dict[str, str]:
    keys = [signing_key(secret) for secret in secrets]
    return {
        "webhook-id": "dlv_1",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": standard_webhooks(keys, "dlv_1", timestamp, body),
    }


@given(st.text(max_size=50))
def test_the_reference_library_accepts_any_utf_8_body(text: str) -> None:
    secret, body = new_secret(), f'{{"t":{len(text)},"u":"{text.encode().hex()}"}}'.encode()

    Verifier(secret).verify(body, signed([secret], body, now() // MICROSECONDS))


def test_while_a_secret_is_rotated_either_is_enough() -> None:
    old, new = new_secret(), new_secret()
    headers = signed([new, old], b"{}", now() // MICROSECONDS)

    assert len(headers["webhook-signature"].split(" ")) == 2
    Verifier(old).verify(b"{}", headers)
    Verifier(new).verify(b"{}", headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(new_secret()).verify(b"{}", headers)


@pytest.mark.parametrize("changed", ["body", "webhook-id", "webhook-timestamp"])
def test_changing_anything_that_is_signed_breaks_it(changed: str) -> None:
    secret, moment = new_secret(), now() // MICROSECONDS
    headers, body = signed([secret], b"{}", moment), b"{}"
    if changed == "body":
        body = b"{} "
    elif changed == "webhook-id":
        headers[changed] = "dlv_2"
    else:
        headers[changed] = str(moment + 1)

    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(body, headers)
