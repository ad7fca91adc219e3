"""CloudEvents that POST /v1/events takes, made by the `cloudevents` package."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import (
    HTTPMessage,
    to_binary_event,
    to_structured_event,
)
from cloudevents.core.v1.event import CloudEvent

from perkwire.model.account import Caller
from perkwire.model.event import MAX_EVENT_BYTES, MAX_REQUEST_BYTES
from perkwire.primitives.problem import Problem
from tests.builders import ACCOUNT, OTHER_ACCOUNT, an_operator
from tests.unit.accepting.test_accepting import Ingest

STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json; charset=utf-8"}
DATA = {"member": {"id": "m-1"}, "note": "Grüße 🎁"}
TIME = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
MICROSECONDS = 1_795_253_400_000_000


def attributes(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Those of a CloudEvent of ours; a change to None leaves one out."""
    whole = {
        "specversion": "1.0",
        "id": "order-1001",
        "source": "/tills/7",
        "type": "points.earned",
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def lower(message: HTTPMessage) -> dict[str, str]:
    """Its headers as API Gateway hands them over."""
    return {name.lower(): value for name, value in message.headers.items()}


def send(body: Any, headers: dict[str, str], caller: Caller | None = None) -> tuple[Ingest, Any]:  # noqa: ANN401
    ingest = Ingest()
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ingest, ingest.send(raw, headers, caller)


def refused(body: Any, headers: dict[str, str], caller: Caller | None = None) -> dict[str, Any]:  # noqa: ANN401
    with pytest.raises(Problem) as raised:
        send(body, headers, caller)
    return raised.value.document()


def wrong_fields(document: dict[str, Any]) -> list[str]:
    return [error["field"] for error in document["errors"]]


@pytest.mark.parametrize("encoded", [to_structured_event, to_binary_event])
def test_what_the_package_sends_is_the_event_that_it_says(encoded: Any) -> None:  # noqa: ANN401
    event = CloudEvent(
        attributes(
            time=TIME,
            subject="m-1 é",
            datacontenttype="application/json",
            programid="Gold & Café",
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        DATA,
    )
    message = encoded(event)

    ingest, answer = send(message.body, lower(message))

    assert answer == {"id": "order-1001", "duplicate": False}
    ((account_id, queued),) = ingest.queued()
    assert account_id == ACCOUNT
    assert (queued.id, queued.type, queued.program_id) == (
        "order-1001",
        "points.earned",
        "Gold & Café",
    )
    assert queued.occurred_at == MICROSECONDS
    assert queued.data == DATA


def test_a_batch_is_answered_in_its_order() -> None:
    batch = [attributes(id=f"b-{number}", data=DATA) for number in range(3)]

    ingest, answer = send(batch, BATCH)

    assert answer == {"events": [{"id": f"b-{n}", "duplicate": False} for n in range(3)]}
    assert ingest.queued_ids() == ["b-0", "b-1", "b-2"]


def test_an_attribute_that_is_null_is_unset() -> None:
    ingest, _ = send(attributes(data=DATA) | {"time": None, "subject": None}, STRUCTURED)

    ((_, queued),) = ingest.queued()
    assert queued.occurred_at is None


def test_an_operator_names_the_account_in_an_extension() -> None:
    body = attributes(accountid=OTHER_ACCOUNT, data=DATA)

    ingest, _ = send(body, STRUCTURED, an_operator())

    assert [account for account, _ in ingest.queued()] == [OTHER_ACCOUNT]


@pytest.mark.parametrize(
    ("headers", "field"), [(STRUCTURED, "accountid"), (BATCH, "[0].accountid")]
)
def test_what_is_wrong_with_the_account_names_the_extension(
    headers: dict[str, str], field: str
) -> None:
    missing = attributes(data=DATA)
    refused_one = attributes(accountid=ACCOUNT, data=DATA)
    several = headers is BATCH

    assert wrong_fields(refused([missing] if several else missing, headers, an_operator())) == [
        field
    ]
    assert wrong_fields(refused([refused_one] if several else refused_one, headers)) == [field]


def test_a_repeat_is_known_and_the_same_id_of_another_source_is_refused() -> None:
    ingest = Ingest()
    body = json.dumps(attributes(data=DATA)).encode()
    elsewhere = json.dumps(attributes(source="/tills/8", data=DATA)).encode()

    ingest.send(body, STRUCTURED)
    again = ingest.send(body, STRUCTURED)
    with pytest.raises(Problem) as raised:
        ingest.send(elsewhere, STRUCTURED)

    assert again == {"id": "order-1001", "duplicate": True}
    assert raised.value.document()["errors"] == [
        {"field": "id", "detail": "was used before with another body"}
    ]
    assert ingest.queued_ids() == ["order-1001"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"specversion": None}, "specversion"),
        ({"specversion": "0.3"}, "specversion"),
        ({"id": None}, "id"),
        ({"id": "a b"}, "id"),
        ({"id": ""}, "id"),
        ({"source": None}, "source"),
        ({"source": ""}, "source"),
        ({"source": 7}, "source"),
        ({"source": "s" * 1025}, "source"),
        ({"type": None}, "type"),
        ({"type": "com.zylker.points"}, "type"),
        ({"time": "yesterday"}, "time"),
        ({"time": 5}, "time"),
        ({"programid": ""}, "programid"),
        ({"datacontenttype": "text/xml"}, "datacontenttype"),
        ({"data": None}, "data"),
        ({"data": "text"}, "data"),
        ({"data": None, "data_base64": "e30="}, "data_base64"),
        ({"accountId": "acct_1"}, "accountId"),
        ({"account_id": "acct_1"}, "account_id"),
        ({"extension": {"a": 1}}, "extension"),
        ({"extension": 1.5}, "extension"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("headers", [STRUCTURED, BATCH], ids=["structured", "batch"])
def test_what_is_wrong_is_named_as_it_stands_in_the_request(
    headers: dict[str, str], change: dict[str, Any], field: str
) -> None:
    good, bad = attributes(id="good", data=DATA), attributes(**({"data": DATA} | change))

    if headers is BATCH:
        assert f"[1].{field}" in wrong_fields(refused([good, bad], headers))
    else:
        assert field in wrong_fields(refused(bad, headers))


def test_every_error_of_a_request_is_named_at_once() -> None:
    body = attributes(specversion="2", time="x", type="none", data=DATA)

    assert wrong_fields(refused(body, STRUCTURED)) == ["specversion", "type", "time"]


def test_headers_of_a_binary_event_are_named_by_their_own_names() -> None:
    headers = {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-type": "points.earned",
        "ce-id": "a b",
        "ce-source": "%ff",
        "ce-time": "soon",
        "ce-programid": "",
    }

    assert sorted(set(wrong_fields(refused(DATA, headers)))) == [
        "ce-id",
        "ce-programid",
        "ce-source",
        "ce-time",
    ]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"[]", BATCH, 400),
        (b"{}", BATCH, 400),
        (b"{", BATCH, 400),
        (b"[]", STRUCTURED, 400),
        (b"nothing", STRUCTURED, 400),
        (b"[]", {"ce-specversion": "1.0"}, 400),
        ([attributes(data=DATA)] * 101, BATCH, 400),
        ([7], BATCH, 422),
        (b" " * (MAX_REQUEST_BYTES + 1), BATCH, 413),
        (b" " * (MAX_REQUEST_BYTES + 1), STRUCTURED, 413),
        (b" " * (MAX_REQUEST_BYTES + 1), {"ce-specversion": "1.0"}, 413),
        (attributes(data={"n": "x" * MAX_EVENT_BYTES}), STRUCTURED, 413),
        (b"<e/>", {"content-type": "application/cloudevents+xml"}, 415),
        (b"<e/>", {"content-type": "application/cloudevents"}, 415),
    ],
)
def test_a_body_that_is_no_cloud_event_is_refused(
    body: object, headers: dict[str, str], status: int
) -> None:
    assert refused(body, headers)["status"] == status


def test_what_is_wrong_in_the_data_of_a_binary_event_is_pointed_to_in_the_body() -> None:
    from perkwire.accepting.envelopes import read_request
    from perkwire.adapters.data_schemas import DataSchemas

    headers = {f"ce-{name}": value for name, value in attributes().items()}
    body = json.dumps({"member": {"id": 7}}).encode()

    with pytest.raises(Problem) as raised:
        read_request(body, headers, DataSchemas())

    errors: Any = raised.value.document()["errors"]
    assert "/member/id" in [error.get("pointer") for error in errors]
