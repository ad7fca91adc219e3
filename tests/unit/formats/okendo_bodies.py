"""Okendo's format rendered, and what its tests put in."""

import json
from typing import Any

from perkwire.formats.format import Format
from perkwire.formats.okendo.envelope import Okendo
from perkwire.model.event import Event
from perkwire.primitives.ids import AccountId
from perkwire.primitives.strict_json import Json
from tests.builders import a_payload, an_event

FORMAT: Format = Okendo()

# The uuid that every printed sample has in every place.
ID = "123e4567-e89b-12d3-a456-426614174000"
ACCOUNT = AccountId(ID)


def render(event: Event) -> bytes:
    return FORMAT.render(a_payload(event, account_id=ACCOUNT))


def said(event_type: str, data: dict[str, Json], **overrides: object) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(render(an_event(type=event_type, data=data, **overrides)))
    return body


def resource(event_type: str, data: dict[str, Json], **overrides: object) -> dict[str, Any]:
    found: dict[str, Any] = said(event_type, data, **overrides)["resource"]
    return found


def ordered(value: Json) -> str:
    """The value as text, so that the order of keys counts."""
    return json.dumps(value)


MEMBER: dict[str, Json] = {"id": ID, "customer_id": ID, "email": "tim@example.com"}
CUSTOMER: dict[str, Json] = {"email": "tim@example.com", "customerId": ID}

REWARD: dict[str, Json] = {
    "id": "rwd_1",
    "name": "Mug",
    "type": "product",
    "value": "10.00",
    "currency": "EUR",
    "code": "MUG-1",
    "status": "issued",
    "expires_at": "2026-12-31T23:59:59Z",
}
SAID_REWARD: dict[str, Json] = {
    "rewardId": "rwd_1",
    "description": "Mug",
    "type": "product",
    "code": "MUG-1",
    "value": "10.00",
    "currency": "EUR",
    "status": "issued",
    "dateExpires": "2026-12-31T23:59:59.000Z",
}
