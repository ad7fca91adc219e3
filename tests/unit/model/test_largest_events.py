"""Whatever is accepted fits each hop that follows, measured in the bytes of that hop."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pynamodb.models import Model

from perkwire.adapters.dynamodb.event_table import EventItem
from perkwire.model.event import MAX_EVENT_BYTES, MAX_REQUEST_BYTES, Event, parse_events
from perkwire.model.messages import (
    EventMessage,
    chunks,
    read_delivery_message,
    write_delivery_message,
    write_event_message,
)
from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives.ids import EventId, delivery_id, new_event_id
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json, compact
from tests.builders import ACCOUNT, NOW, a_delivery_message, any_data, webhooks

FEWER = settings(max_examples=10, deadline=None)

SQS_BYTES = 1024 * 1024
ITEM_BYTES = 400 * 1024
MOST_WEBHOOKS = 100  # MaxWebhooksPerAccount may be no more
BECAME = {
    webhook.id: delivery_id(webhook.id, [EventId("e")], NOW) for webhook in webhooks(MOST_WEBHOOKS)
}

# One of each way in which a character may be written: as it is, escaped, in one to four bytes.
CHARACTERS = [
    "x",
    '"',
    "\\",
    "/",
    "\x00",
    "\n",
    "\x7f",
    "é",
    "\u2028",
    "\uffff",
    "中",
    "\U0001f600",
]


def body_of(fill: str, event_id: str | None, *, total: int = MAX_EVENT_BYTES) -> bytes:
    """An event of `total` bytes as compact JSON, or just less."""
    value: dict[str, Json] = {"type": "custom.s", "data": {"x": "", "y": ""}}
    if event_id is not None:
        value["id"] = event_id
    room = total - len(compact(value))
    width = len(compact(fill)) - 2
    value["data"] = {"x": fill * (room // width), "y": "y" * (room % width)}
    return compact(value)


def item_bytes(item: Model) -> int:
    """What DynamoDB counts of an item: names and values, a number as text at most."""
    return sum(
        len(name) + len(value if isinstance(value, bytes) else str(value).encode())
        for name, attribute in item.serialize().items()
        for value in attribute.values()
    )


def accepted(body: bytes) -> Iterator[Event]:
    for position, draft in enumerate(parse_events(body, any_data).drafts):
        yield Event(
            id=draft.id or new_event_id(NOW),
            type=draft.type,
            accepted_at=NOW + position,
            occurred_at=draft.occurred_at,
            program_id=draft.program_id,
            data=draft.data,
        )


fills = st.text(
    st.sampled_from(CHARACTERS) | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12
)
event_ids = st.none() | st.integers(1, 128).map(lambda length: "i" * length)


@FEWER
@given(fills, event_ids)
@example("\x7f", None)
@example("\x7f" * 11 + "é", "i" * 128)
def test_the_largest_event_fits_every_hop_alone(fill: str, event_id: str | None) -> None:
    body = body_of(fill, event_id)
    assert len(body) == MAX_EVENT_BYTES

    (event,) = accepted(body)

    assert len(write_event_message(EventMessage(account_id=ACCOUNT, events=(event,)))) < SQS_BYTES
    carried = write_delivery_message(a_delivery_message(None, event))
    assert len(carried) < SQS_BYTES
    assert carried.isascii()
    assert read_delivery_message(carried).events == (event,)
    routed = RoutedEvent(account_id=ACCOUNT, event=event, deliveries=BECAME)
    assert item_bytes(EventItem.of(routed, retention_seconds=1)) < ITEM_BYTES


@FEWER
@given(fills, event_ids)
@example("\x7f", None)
def test_a_byte_more_is_refused_for_good_with_the_limit(fill: str, event_id: str | None) -> None:
    value = json.loads(body_of(fill, event_id))
    value["data"]["y"] += "y"

    with pytest.raises(Problem) as raised:
        parse_events(compact(value), any_data)

    assert raised.value.status == 413
    assert str(MAX_EVENT_BYTES) in str(raised.value.document()["detail"])


@FEWER
@given(st.lists(st.tuples(fills, event_ids), min_size=1, max_size=5), st.integers(1, 100))
@example([("\x7f", None)] * 4, 100)
@example([("\U0001f600", "i" * 128)] * 4, 100)
def test_the_largest_requests_fit_every_hop_in_batches(
    parts: list[tuple[str, str | None]], batch_size: int
) -> None:
    total = min(MAX_EVENT_BYTES, MAX_REQUEST_BYTES // len(parts) - 20)
    inner = [json.loads(body_of(fill, event_id, total=total)) for fill, event_id in parts]
    body = compact({"events": inner})
    assert len(body) <= MAX_REQUEST_BYTES
    events = [*accepted(body)]

    for chunk in chunks(events):
        assert len(write_event_message(EventMessage(account_id=ACCOUNT, events=chunk))) < SQS_BYTES
    for chunk in chunks(events, batch_size):
        assert len(write_delivery_message(a_delivery_message(None, *chunk))) < SQS_BYTES


def test_many_small_events_fit_with_the_longest_of_everything_else() -> None:
    events = [
        Event(
            id=EventId(f"{position:0128}"),
            type="custom." + "t" * 121,
            accepted_at=NOW,
            occurred_at=-30_610_224_000_000_000,
            program_id="\U0001f600" * 128,
            data={},
        )
        for position in range(100)
    ]

    for chunk in chunks(events):
        assert len(write_delivery_message(a_delivery_message(None, *chunk))) < SQS_BYTES
