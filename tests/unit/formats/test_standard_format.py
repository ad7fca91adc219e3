import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Verifier

from perkwire.formats.format import Attempt
from perkwire.formats.registry import FORMATS
from perkwire.formats.standard import Standard
from perkwire.model.event import Event
from perkwire.model.secret import UnusableSecret
from perkwire.primitives.ids import DeliveryId, EventId
from perkwire.primitives.strict_json import Json, parse
from perkwire.primitives.timestamps import MICROSECONDS, now, parse_rfc3339
from tests.builders import NOW, SECRET, a_payload, an_event
from tests.unit.strategies import EVENTS, FEW

DELIVERY = DeliveryId("dlv_1")
FORMAT = Standard()


def render(*events: Event, batched: bool = False) -> bytes:
    return FORMAT.render(a_payload(*events, delivery_id=DELIVERY, batched=batched))


def signed(secrets: list[str], body: bytes, at: int = NOW) -> dict[str, str]:
    return FORMAT.sign(secrets, Attempt(delivery_id=DELIVERY, at=at, body=body, settings={}))


def rendered(*events: Event, batched: bool = False) -> Json:
    return parse(render(*events, batched=batched))


def test_it_is_known_by_its_name() -> None:
    assert isinstance(FORMATS["standard"], Standard)
    assert all(name == format_.name for name, format_ in FORMATS.items())


def test_one_event_is_an_object_of_five_members_in_this_order() -> None:
    event = an_event(id=EventId("e"), program_id="gold", data={"b": 1, "a": "é"})

    assert render(event) == (
        b'{"id":"e","type":"points.earned","timestamp":"2026-09-21T14:13:20.000000Z",'
        b'"program_id":"gold","data":{"b":1,"a":"\xc3\xa9"}}'
    )


def test_the_timestamp_is_when_it_happened_or_else_when_it_was_accepted() -> None:
    happened = parse_rfc3339("2020-01-01T00:00:00Z")

    assert b'"2020-01-01T00:00:00.000000Z"' in render(an_event(occurred_at=happened))
    assert b'"1970-01-01T00:00:00.000000Z"' in render(an_event(occurred_at=0))
    assert b'"2026-09-21T14:13:20.000000Z"' in render(an_event())


@pytest.mark.parametrize("number", [1, 2, 100])
def test_a_batch_is_an_envelope_around_its_events_in_their_order(number: int) -> None:
    events = [an_event(accepted_at=NOW + position) for position in range(number)]

    assert rendered(*events, batched=True) == {
        "type": "batch",
        "timestamp": "2026-09-21T14:13:20.000000Z",
        "data": {"events": [rendered(event) for event in events]},
    }


def test_several_events_of_a_webhook_that_no_longer_wants_batches_are_a_batch_still() -> None:
    assert b'"type":"batch"' in render(an_event(), an_event(), batched=False)


def as_doubles(text: str | bytes) -> Any:  # noqa: ANN401
    """JSON whose numbers are read alike, however they are written."""
    return json.loads(text, parse_int=float)


@FEW
@given(st.lists(EVENTS, min_size=1, max_size=4), st.booleans())
def test_any_events_are_said_whole_and_the_same_each_time(
    events: list[Event], batched: bool
) -> None:
    body = render(*events, batched=batched)

    said = as_doubles(body)
    said = said["data"]["events"] if batched or len(events) > 1 else [said]
    assert body == render(*events, batched=batched)
    for one, event in zip(said, events, strict=True):
        moment = event.accepted_at if event.occurred_at is None else event.occurred_at
        assert parse_rfc3339(one.pop("timestamp")) == moment
        assert one == {
            "id": event.id,
            "type": event.type,
            "program_id": event.program_id,
            "data": as_doubles(json.dumps(event.data)),
        }


@FEW
@given(st.binary(min_size=24, max_size=64), EVENTS)
def test_any_secret_verifies_with_the_reference_library(key: bytes, event: Event) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    body = render(event)

    headers = signed([secret], body, now())

    assert Verifier(secret).verify(body, headers)["id"] == event.id


def test_the_signature_is_of_the_delivery_and_the_second_of_the_attempt() -> None:
    headers = signed([SECRET], b"{}", NOW + 999_999)

    assert headers.keys() == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert headers["webhook-id"] == DELIVERY
    assert headers["webhook-timestamp"] == str(NOW // MICROSECONDS)


def test_every_secret_signs() -> None:
    headers = signed([SECRET, FORMAT.new_secret()], b"{}")

    assert len(headers["webhook-signature"].split()) == 2


def test_nothing_is_signed_with_a_secret_of_another_form() -> None:
    with pytest.raises(UnusableSecret, match="form") as raised:
        signed([SECRET, "hush-hush-hush-hush"], b"{}")

    assert "hush" not in str(raised.value)


def test_a_new_secret_is_one_that_it_takes() -> None:
    assert FORMAT.check_secret(FORMAT.new_secret()) is None
    assert FORMAT.check_secret("x" * 32) is not None


def test_success_is_2xx() -> None:
    assert [status for status in range(100, 600) if FORMAT.is_success(status)] == [*range(200, 300)]


@given(st.from_regex(r"[a-z]{1,5}(\.[a-z]{1,5}){1,3}", fullmatch=True))
def test_it_says_every_type_by_its_own_name(event_type: str) -> None:
    assert FORMAT.name_of(event_type) == event_type
