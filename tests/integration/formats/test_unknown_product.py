"""A webhook that the project knew nothing of, as a contract written from docs/contracts.md alone.

Podium's, of its public page "Verify Webhook Signatures": a body of `data` and `metadata`, and an
HMAC-SHA256 in hex of the header `podium-timestamp` (milliseconds), a dot and the body. The receiver
is written after that page. The contract is stored as any tenant stores one, and what the receiver
gets has come through the queues.
"""

import hashlib
import hmac
import json
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.primitives.strict_json import Json
from tests.integration.system import System, Tenant
from tests.receiver import Receiver

SECRET = "the-secret-that-was-typed-into-podium"
PODIUM: dict[str, Json] = {
    "name": "podium",
    "version": "2021.04.01",
    "source": "Podium's developer pages, Verify Webhook Signatures",
    "events": {"review.created": "review.created", "member.enrolled": "contact.created"},
    "bodies": [
        {
            "for": ["review.created"],
            "body": {
                "data": {
                    "uid": "=uuid(data.review.id)",
                    "rating": "=data.review.rating",
                    "body": "=data.review.body",
                    "contact": {"email": "=data.member.email", "name": "=data.member.first_name"},
                    "createdAt": "=iso_s(event.timestamp)",
                },
                "metadata": {"event_type": "=event.name", "version": "2021.04.01"},
            },
        }
    ],
    "body": {
        "data": {
            "uid": "=uuid(data.member.id)",
            "name": "=concat(data.member.first_name, ' ', data.member.last_name)",
            "emails": ["=data.member.email"],
            "phoneNumbers": ["=data.member.phone"],
        },
        "metadata": {"event_type": "=event.name", "version": "2021.04.01"},
    },
    "headers": {"podium-timestamp": "=attempt.timestamp_ms"},
    "signature": {"header": "podium-signature", "signed": "{timestamp_ms}.{body}"},
}


def accepts(headers: dict[str, str], raw: bytes) -> dict[str, Any]:
    """What a receiver written after the page does; raises for what is not genuine."""
    signed_payload = headers["podium-timestamp"] + "." + raw.decode()
    expected = hmac.new(SECRET.encode(), signed_payload.encode(), hashlib.sha256).hexdigest()
    assert hmac.compare_digest(expected, headers["podium-signature"])
    body: dict[str, Any] = json.loads(raw)
    assert {*body} == {"data", "metadata"}
    assert body["metadata"]["version"] == "2021.04.01"
    return body


@pytest.mark.parametrize(
    ("event_type", "name"),
    [("review.created", "review.created"), ("member.enrolled", "contact.created")],
)
def test_its_receiver_accepts_what_comes_through_the_queues(
    system: System, tenant: Tenant, receiver: Receiver, event_type: str, name: str
) -> None:
    stored = tenant.call("POST", "/v1/formats", PODIUM)
    assert stored.status == 201, stored
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url, format="podium", secret=SECRET)

    tenant.post({"type": event_type, "data": event_types()[event_type].example})
    system.route()
    system.dispatch_all()

    (request,) = endpoint.requests
    assert accepts(request.headers, request.body)["metadata"]["event_type"] == name
    with pytest.raises(AssertionError):
        accepts(request.headers, request.body.replace(b"2021", b"2022"))
    assert [one["status"] for one in tenant.deliveries()] == ["succeeded"]
