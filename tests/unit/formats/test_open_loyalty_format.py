"""Open Loyalty: a receiver written after what is public of its webhooks."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import ProductEvent, product_events
from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.contracts.built_in import built_in
from perkwire.primitives.fields import Fields
from tests.builders import NOW, a_delivery_message, a_webhook, an_event

NAME = "open-loyalty@1"
FORMAT = built_in(NAME)
SECRET = "whsec_of-open-loyalty"


def delivery(event_type: str, **settings: str) -> tuple[dict[str, Any], dict[str, str], bytes]:
    """What a receiver gets: the body, the headers, the bytes."""
    webhook = a_webhook(
        format=NAME,
        format_settings=FORMAT.read_settings(Fields(dict(settings))),
        url="https://receiver.example/hook",
    )
    event = an_event(type=event_type, data=event_types()[event_type].example, program_id="7")
    request = render(a_delivery_message(webhook, event), webhook, OpenedSecrets(SECRET, {}), NOW)
    body: dict[str, Any] = json.loads(request.body)
    return body, dict(request.headers), request.body


@pytest.mark.parametrize("event", product_events("open-loyalty"), ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    for event_type in event.types:
        said = FORMAT.contract.said(event_type)
        assert said is not None
        assert said.name == event.name.name
        if event.name.topic is not None:
            assert event.name.topic in said.words.values()
        assert event.name.name in json.dumps(delivery(event_type)[0])


def test_no_type_is_said_that_no_line_of_the_page_has() -> None:
    of_lines = {one for event in product_events("open-loyalty") for one in event.types}

    assert {one for one in event_types() if FORMAT.name_of(one)} == of_lines


@pytest.mark.parametrize("event_type", [one for one in event_types() if FORMAT.name_of(one)])
def test_a_delivery_satisfies_a_receiver_written_after_the_pages(event_type: str) -> None:
    """Of the headers, which are public; what is signed and the body are inferred."""
    body, headers, raw = delivery(event_type, key_version="2")

    timestamp = headers["x-webhook-timestamp"]
    signed = f"{timestamp}.{raw.decode()}".encode()
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["x-webhook-signature"] == expected
    assert int(timestamp) == NOW // 10**6
    assert headers["x-webhook-signature-algorithm"] == "hmac-sha256"
    assert headers["x-webhook-signature-version"] == "2"
    assert len(headers["x-webhook-request-id"]) == 36
    assert body["eventName"] == FORMAT.name_of(event_type)
