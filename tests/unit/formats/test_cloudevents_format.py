"""CloudEvents 1.0 over HTTP, read by the `cloudevents` package and by the specification's rules."""

import json
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.contracts.built_in import built_in
from perkwire.model.event import Event
from perkwire.model.sending import Request
from perkwire.primitives.fields import Fields
from tests.builders import NOW, SECRET, a_delivery_message, a_webhook, an_event

NAME = "cloudevents@1.0"
FORMAT = built_in(NAME)


def request(*events: Event, batch_size: int = 1, **settings: str) -> Request:
    webhook = a_webhook(
        format=NAME,
        format_settings=FORMAT.read_settings(Fields(dict(settings))),
        batch_size=batch_size,
    )
    message = a_delivery_message(webhook, *events)
    return render(message, webhook, OpenedSecrets(SECRET, {}), NOW)


def of_type(event_type: str, **overrides: Any) -> Event:  # noqa: ANN401
    data = event_types()[event_type].example if event_type in event_types() else {"a": [1]}
    return an_event(type=event_type, data=data, **overrides)


@pytest.mark.parametrize("event_type", [*event_types(), "custom.quiz_done"])
def test_the_cloudevents_package_reads_each_type(event_type: str) -> None:
    http = pytest.importorskip("cloudevents.core.bindings.http", reason="make setup installs it")
    event = of_type(event_type, program_id="gold")
    sent = request(event, source="https://loyalty.example", type_prefix="com.example.")

    read = http.from_http_event(http.HTTPMessage(dict(sent.headers), sent.body))

    assert read.get_specversion() == "1.0"
    assert (read.get_id(), read.get_type()) == (event.id, f"com.example.{event_type}")
    assert read.get_source() == "https://loyalty.example"
    assert read.get_extension("programid") == "gold"
    assert read.get_data() == event.data


def test_a_structured_event_has_the_attributes_that_the_specification_requires() -> None:
    event = of_type("tier.upgraded")
    sent = request(event)
    body = json.loads(sent.body)

    assert sent.headers["content-type"] == "application/cloudevents+json"
    assert all(body[name] for name in ("specversion", "id", "source", "type"))
    assert body["source"] == "/accounts/acct_0000000000000001"
    assert body["time"].endswith("Z")
    assert body["datacontenttype"] == "application/json"
    assert all(name.isascii() and name.isalnum() and name.islower() for name in body)
    assert "programid" not in body
    assert body["data"] == event.data


def test_a_batch_is_an_array_of_structured_events() -> None:
    events = [of_type("points.earned") for _ in range(3)]
    sent = request(*events, batch_size=10)

    assert sent.headers["content-type"] == "application/cloudevents-batch+json"
    assert [one["id"] for one in json.loads(sent.body)] == [event.id for event in events]


def test_the_cloudevents_package_reads_each_event_of_a_batch() -> None:
    http = pytest.importorskip("cloudevents.core.bindings.http", reason="make setup installs it")
    events = [of_type("points.earned") for _ in range(3)]

    for event, one in zip(events, json.loads(request(*events, batch_size=10).body), strict=True):
        structured = {"content-type": "application/cloudevents+json"}
        read = http.from_http_event(http.HTTPMessage(structured, json.dumps(one).encode()))
        assert (read.get_id(), read.get_data()) == (event.id, event.data)


def test_a_webhook_for_batches_gets_one_of_one_event_too() -> None:
    sent = request(of_type("points.earned"), batch_size=10)

    assert sent.headers["content-type"] == "application/cloudevents-batch+json"
    assert len(json.loads(sent.body)) == 1
