"""How receivers of each product verify a request, and what they read its events' names from.

Each is written as the product's users write it, after its own pages and with its own packages:
nothing of Perkwire's is used. Header names are in lower case.
"""

import hashlib
import hmac
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import standardwebhooks

type Headers = Mapping[str, str]

_SVIX = "svix.webhooks"


def prepare() -> None:
    """Import what takes long, so that no request has to wait for it."""
    importlib.import_module(_SVIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A kind of receiver.

    `is_genuine` takes the secret, the headers and the body's bytes; `event_names` the body, read,
    of a genuine request. `taken` is what the receiver answers when it has taken the events.
    """

    is_genuine: Callable[[str, Headers, bytes], bool]
    event_names: Callable[[Any], list[str]]
    taken: HTTPStatus


def _by_standard_webhooks(secret: str, headers: Headers, body: bytes) -> bool:
    try:
        standardwebhooks.Webhook(secret).verify(body, dict(headers))
    except (standardwebhooks.WebhookVerificationError, ValueError):  # ValueError: not even base64
        return False
    return True


def _by_svix(secret: str, headers: Headers, body: bytes) -> bool:
    # Here, because it brings a whole API client: seconds on a busy machine.
    from svix.webhooks import Webhook, WebhookVerificationError

    own = {name: value for name, value in headers.items() if name.startswith("svix-")}
    try:
        Webhook(secret).verify(body, own)
    except (WebhookVerificationError, ValueError):
        return False
    return True


def _by_zinrelo(secret: str, headers: Headers, body: bytes) -> bool:
    message = body + b":" + headers.get("nonce", "").encode()
    computed = hmac.new(secret.encode(), message, hashlib.sha512).hexdigest()
    return _equal(computed, headers.get("x-zinrelo-signature", ""))


def _by_qualifio(secret: str, headers: Headers, body: bytes) -> bool:
    return _equal(_sha256(secret, body), headers.get("x-hub-signature", ""))


def _by_voucherify(secret: str, headers: Headers, body: bytes) -> bool:
    return _equal(_sha256(secret, body), headers.get("x-voucherify-signature", ""))


def _sha256(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _equal(computed: str, given: str) -> bool:
    return hmac.compare_digest(computed.encode(), given.encode())


def _of_standard(body: Any) -> list[str]:  # noqa: ANN401 - as all below: whatever JSON arrived
    events = body["data"]["events"] if body["type"] == "batch" else [body]
    return [event["type"] for event in events]


def _of_zinrelo(body: Any) -> list[str]:  # noqa: ANN401
    return [event["event_type"] for event in body["events"]]


def _of_zoho_thrive(body: Any) -> list[str]:  # noqa: ANN401
    return [body["message"]["event"]]


def _of_qualifio(body: Any) -> list[str]:  # noqa: ANN401
    return [event["eventType"] for event in body]


def _of_okendo(body: Any) -> list[str]:  # noqa: ANN401
    return [f"{body['resourceType']} {body['topic']}"]


def _of_voucherify(body: Any) -> list[str]:  # noqa: ANN401
    return [body["type"]]


PRODUCTS: Mapping[str, Product] = {
    "standard": Product(
        is_genuine=_by_standard_webhooks,
        event_names=_of_standard,
        taken=HTTPStatus.NO_CONTENT,
    ),
    "zinrelo": Product(
        is_genuine=_by_zinrelo,
        event_names=_of_zinrelo,
        taken=HTTPStatus.OK,  # nothing else is a success to Zinrelo
    ),
    # Zoho signs nothing: its receivers know it by a header of their own. These signatures are ours.
    "zoho-thrive": Product(
        is_genuine=_by_standard_webhooks,
        event_names=_of_zoho_thrive,
        taken=HTTPStatus.OK,
    ),
    "qualifio": Product(
        is_genuine=_by_qualifio,
        event_names=_of_qualifio,
        taken=HTTPStatus.NO_CONTENT,
    ),
    "okendo": Product(
        is_genuine=_by_svix,
        event_names=_of_okendo,
        taken=HTTPStatus.NO_CONTENT,
    ),
    "voucherify": Product(
        is_genuine=_by_voucherify,
        event_names=_of_voucherify,
        taken=HTTPStatus.NO_CONTENT,
    ),
}
