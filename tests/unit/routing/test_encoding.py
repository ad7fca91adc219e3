"""An event is encoded once, however many messages it goes into."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.model import messages
from perkwire.model.event import Event
from perkwire.model.messages import (
    DeliveryMessage,
    EventEncoder,
    EventMessage,
    write_delivery_message,
    write_event_message,
)
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.strict_json import Json, compact_ascii
from tests.builders import (
    ACCOUNT,
    a_delivery_message,
    a_received,
    a_webhook,
    an_event,
    an_event_message,
)
from tests.unit.routing.harness import RouterHarness
from tests.unit.strategies import FEW

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[Json]:
    """Every event that is encoded from now on, alone or within a message."""
    found: list[Json] = []

    def noting(value: Json) -> str:
        assert isinstance(value, dict)
        events = value.get("events", [value] if "data" in value else [])
        assert isinstance(events, list)
        found.extend(events)
        return compact_ascii(value)

    monkeypatch.setattr(messages, "compact_ascii", noting)
    return found


def test_an_event_for_many_webhooks_is_encoded_once(
    router: RouterHarness, encoded: list[Json]
) -> None:
    for place, batch_size in enumerate([1, 1, 1, 2, 5, 100, 100]):
        webhook_id = WebhookId(f"wh_{place:016}")
        router.config.put(a_webhook(id=webhook_id, batch_size=batch_size))
    received = [a_received(an_event_message(*(an_event() for _ in range(10)))) for _ in range(2)]
    encoded.clear()

    assert router.route(*received) == []

    assert len(router.sent()) == 2 * (3 * 10 + 5 + 2 + 1 + 1)
    assert len(encoded) == 2 * 10


def test_an_event_that_goes_nowhere_is_not_encoded(
    router: RouterHarness, encoded: list[Json]
) -> None:
    router.config.put(a_webhook(status=WebhookStatus.DISABLED))
    received = a_received(an_event_message())
    encoded.clear()

    assert router.route(received) == []

    assert encoded == []


def test_two_events_of_one_id_are_each_written_as_they_are() -> None:
    one, other = an_event(data={"a": 1}), an_event(data={"a": 2})
    encode = EventEncoder()

    assert [encode(one), encode(other)] == [
        messages.encode_event(one),
        messages.encode_event(other),
    ]
    assert encode(one) == messages.encode_event(one)


def as_json(event: Event) -> Json:
    return {
        "id": event.id,
        "type": event.type,
        "accepted_at": event.accepted_at,
        "occurred_at": event.occurred_at,
        "program_id": event.program_id,
        "data": event.data,
    }


@FEW
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_messages_are_byte_for_byte_those_that_are_encoded_whole(texts: list[str]) -> None:
    events = tuple(an_event(data={text: text}, program_id=text) for text in texts)
    carried = a_delivery_message(None, *events)
    delivery = DeliveryMessage(
        delivery_id=carried.delivery_id,
        account_id=ACCOUNT,
        webhook_id=carried.webhook_id,
        run=3,
        events=events,
    )
    event_message = EventMessage(account_id=ACCOUNT, events=events)

    assert write_delivery_message(delivery, EventEncoder()) == compact_ascii(
        {
            "v": 1,
            "delivery_id": delivery.delivery_id,
            "account_id": ACCOUNT,
            "webhook_id": delivery.webhook_id,
            "run": 3,
            "events": [as_json(event) for event in events],
        }
    )
    assert write_event_message(event_message) == compact_ascii(
        {"v": 1, "account_id": ACCOUNT, "events": [as_json(event) for event in events]}
    )
