"""Brevo Loyalty: a receiver written after what is public of its webhooks."""

import json
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import ProductEvent, product_events
from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.contracts.built_in import built_in
from perkwire.primitives.fields import Fields
from tests.builders import NOW, a_delivery_message, a_webhook, an_event

NAME = "brevo-loyalty@1"
FORMAT = built_in(NAME)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


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


@pytest.mark.parametrize("event", product_events("brevo-loyalty"), ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    for event_type in event.types:
        said = FORMAT.contract.said(event_type)
        assert said is not None
        assert said.name == event.name.name
        if event.name.topic is not None:
            assert event.name.topic in said.words.values()
        assert event.name.name in json.dumps(delivery(event_type)[0])


def test_no_type_is_said_that_no_line_of_the_page_has() -> None:
    of_lines = {one for event in product_events("brevo-loyalty") for one in event.types}

    assert {one for one in event_types() if FORMAT.name_of(one)} == of_lines


COMMON = {
    "contact_id", "contact_properties", "event_date", "event_id", "event_name", "identifiers",
    "source",
}  # fmt: skip


@pytest.mark.parametrize("event_type", [one for one in event_types() if FORMAT.name_of(one)])
def test_a_delivery_satisfies_a_receiver_written_after_the_pages(event_type: str) -> None:
    body, headers, _ = delivery(event_type, program_name="Gold club")

    assert {*body} >= COMMON
    assert body["event_name"] == FORMAT.name_of(event_type)
    assert body["loyalty_program"] == {"id": "7", "name": "Gold club"}
    assert body["subscription"]["loyalty_subscription_id"]
    assert headers["webhook-signature"].startswith("v1,")
    if event_type.startswith("points."):
        assert body["balance_definition"]["name"] == "Points"


def test_a_batch_is_an_array() -> None:
    webhook = a_webhook(format=NAME, batch_size=10)
    example = event_types()["points.earned"].example
    events = [an_event(type="points.earned", data=example) for _ in range(3)]
    message = a_delivery_message(webhook, *events)
    request = render(message, webhook, OpenedSecrets(SECRET, {}), NOW)

    assert [one["event_name"] for one in json.loads(request.body)] == ["balance_value_updated"] * 3
