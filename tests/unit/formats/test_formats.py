"""What holds for every format and every event."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perkwire.catalogue.event_types import event_types
from perkwire.formats.format import Attempt, Payload, Unrenderable
from perkwire.formats.registry import FORMATS
from perkwire.model.endpoint import check_headers
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import DeliveryId, EventId
from perkwire.primitives.strict_json import Json, parse
from tests.builders import NOW, a_payload, an_event
from tests.unit.hostile import hostile
from tests.unit.strategies import JSON

SAID = [(name, one) for name in FORMATS for one in event_types() if FORMATS[name].name_of(one)]


def payload_of(name: str, *types: str, data: dict[str, Json] | None = None) -> Payload:
    events = [
        an_event(
            id=EventId(f"evt_{position}"),
            type=one,
            accepted_at=NOW + position,
            data=event_types()[one].example if data is None else data,
        )
        for position, one in enumerate(types)
    ]
    return a_payload(*events, settings=FORMATS[name].read_settings(Fields({})))


# Rivo tells of points and their redemption only.
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "rivo@1"])
def test_every_format_says_a_tier_upgrade(name: str) -> None:
    assert json.loads(FORMATS[name].render(payload_of(name, "tier.upgraded")))


@pytest.mark.parametrize(("name", "event_type"), SAID)
def test_every_example_is_said_and_carries_the_events_own_words(name: str, event_type: str) -> None:
    body = FORMATS[name].render(payload_of(name, event_type))
    member = event_types()[event_type].example.get("member")

    assert parse(body) is not None
    if isinstance(member, dict) and not event_type.endswith(".deleted"):
        own = [str(member[name]).encode() for name in ("id", "membership_id", "email")]
        assert any(word in body for word in own)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SAID), st.data())
def test_hostile_data_stays_json_and_the_same_at_every_attempt(
    said: tuple[str, str], draw: st.DataObject
) -> None:
    name, event_type = said
    data = draw.draw(hostile(copy.deepcopy(event_types()[event_type].example)))
    assert isinstance(data, dict)
    payload = payload_of(name, event_type, data=data)

    body = FORMATS[name].render(payload)

    assert body == FORMATS[name].render(payload)
    json.loads(body, parse_constant=lambda constant: pytest.fail(constant))


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(SAID), JSON)
def test_data_from_before_a_change_of_the_catalogue_breaks_no_format(
    said: tuple[str, str], anything: Json
) -> None:
    name, event_type = said
    data: dict[str, Json] = dict.fromkeys(event_types()[event_type].example, anything)

    json.loads(FORMATS[name].render(payload_of(name, event_type, data=data)))


@pytest.mark.parametrize("name", FORMATS)
def test_a_signed_attempt_has_headers_that_can_be_sent(name: str) -> None:
    format_ = FORMATS[name]
    payload = payload_of(name, next(one for one in event_types() if format_.name_of(one)))
    attempt = Attempt(
        delivery_id=DeliveryId("dlv_1"),
        at=NOW,
        body=format_.render(payload),
        settings=payload.settings,
        payload=payload,
    )

    headers = format_.sign([format_.new_secret()], attempt)

    assert headers
    assert all(key == key.lower() for key in headers)
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert isinstance(
        check_headers({f"x-{n}": one for n, one in enumerate(headers.values())}), dict
    )


@pytest.mark.parametrize("name", FORMATS)
def test_one_changed_byte_changes_the_signature(name: str) -> None:
    format_ = FORMATS[name]
    secret = format_.new_secret()
    settings_ = format_.read_settings(Fields({}))

    def signed(body: bytes) -> dict[str, str]:
        attempt = Attempt(delivery_id=DeliveryId("dlv_1"), at=NOW, body=body, settings=settings_)
        return format_.sign([secret], attempt)

    assert signed(b'{"a":1}') == signed(b'{"a":1}') != signed(b'{"a":2}')


@pytest.mark.parametrize(
    "name", [name for name in FORMATS if FORMATS[name].name_of("custom.x") is None]
)
def test_a_type_that_the_format_has_no_word_for_is_not_said(name: str) -> None:
    unsaid = next(one for one in event_types() if FORMATS[name].name_of(one) is None)

    with pytest.raises(Unrenderable) as raised:
        FORMATS[name].render(payload_of(name, unsaid))

    assert "@example.com" not in str(raised.value)


@pytest.mark.parametrize(
    "name", [name for name, each in FORMATS.items() if each.largest_batch == 1]
)
def test_more_events_than_the_format_carries_are_not_said(name: str) -> None:
    said = next(one for one in event_types() if FORMATS[name].name_of(one))

    with pytest.raises(Unrenderable):
        FORMATS[name].render(payload_of(name, said, said))
