"""Receivers of Qualifio Loyalty's webhooks, after its page and the convention of its header.

The page prints no member of the array's objects, so that a receiver of the product can read no more
than what is here.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import product_events
from perkwire.formats.format import Attempt
from perkwire.formats.registry import FORMATS
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import DeliveryId
from perkwire.primitives.strict_json import Json
from tests.builders import NOW, a_payload, an_event
from tests.javascript import JavaScript

FORMAT = FORMATS["qualifio"]
SECRET = "mysecret"
TYPES = sorted({one for event in product_events("qualifio") for one in event.types})


def arrived(event_type: str, given: dict[str, Json]) -> tuple[dict[str, str], bytes]:
    """Headers and body as they reach an endpoint."""
    settings = FORMAT.read_settings(Fields(given))
    event = an_event(type=event_type, data=event_types()[event_type].example)
    body = FORMAT.render(a_payload(event, settings=settings))
    attempt = Attempt(delivery_id=DeliveryId("dlv_1"), at=NOW, body=body, settings=settings)
    return FORMAT.sign([SECRET], attempt), body


def by_the_hubs_convention(headers: Mapping[str, str], raw: bytes) -> list[Any]:
    """`x-hub-signature: sha1=…`, as the page that Qualifio's refers to has it."""
    name, _, signature = headers["x-hub-signature"].partition("=")
    computed = hmac.new(SECRET.encode(), raw, getattr(hashlib, name)).hexdigest()
    assert hmac.compare_digest(signature, computed)
    events: list[Any] = json.loads(raw)
    return events


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("event_type", TYPES)
def test_a_receiver_by_the_hubs_convention_takes_an_array_of_events(
    event_type: str, algorithm: str
) -> None:
    given: dict[str, Json] = {"signature_algorithm": algorithm, "signature_prefix": f"{algorithm}="}

    events = by_the_hubs_convention(*arrived(event_type, given))

    assert [type(event) for event in events] == [dict]


@pytest.mark.parametrize("event_type", TYPES)
def test_one_that_only_has_what_it_has_parsed_verifies_too(event_type: str) -> None:
    headers, raw = arrived(event_type, {})

    with JavaScript() as node:
        again = node.restringified(raw)

    computed = hmac.new(SECRET.encode(), again, hashlib.sha256).hexdigest()
    assert headers["x-hub-signature"] == computed
