import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from perkwire.model.event import MAX_EVENT_BYTES
from perkwire.model.messages import (
    MAX_MESSAGE_BYTES,
    DeliveryMessage,
    EventMessage,
    UnreadableMessage,
    chunks,
    read_delivery_message,
    read_event_message,
    write_delivery_message,
    write_event_message,
)
from perkwire.primitives.strict_json import compact
from tests.builders import WEBHOOK, a_delivery_message, an_event, an_event_message
from tests.unit.strategies import DELIVERY_MESSAGES, EVENT_MESSAGES, FEW, JSON

SQS_BYTES = 1024 * 1024


@FEW
@given(EVENT_MESSAGES)
def test_an_event_message_is_read_as_it_was_written(message: EventMessage) -> None:
    body = write_event_message(message)

    assert read_event_message(body) == message
    assert body.isascii()


@FEW
@given(DELIVERY_MESSAGES)
def test_a_delivery_message_is_read_as_it_was_written(message: DeliveryMessage) -> None:
    body = write_delivery_message(message)

    assert read_delivery_message(body) == message
    assert body.isascii()


READERS: list[Callable[[str], object]] = [read_event_message, read_delivery_message]


@pytest.mark.parametrize("read", READERS)
@given(body=JSON.map(json.dumps) | st.text(max_size=50))
def test_any_text_is_read_or_said_to_be_unreadable(
    read: Callable[[str], object], body: str
) -> None:
    with pytest.raises(UnreadableMessage):
        read(body)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("body", ["[" * 100_000, '{"v":' * 100_000])
def test_deep_nesting_is_unreadable(read: Callable[[str], object], body: str) -> None:
    with pytest.raises(UnreadableMessage):
        read(body)


@pytest.mark.parametrize(
    "member", ["v", "delivery_id", "account_id", "webhook_id", "run", "events"]
)
@pytest.mark.parametrize("wrong", ["absent", None, "", [], {}, -1, [None], [{}], [[]], 2.5])
def test_a_delivery_message_without_a_member_is_unreadable(member: str, wrong: Any) -> None:  # noqa: ANN401
    value = json.loads(write_delivery_message(a_delivery_message()))
    if wrong == "absent":
        del value[member]
    else:
        value[member] = wrong

    with pytest.raises(UnreadableMessage):
        read_delivery_message(json.dumps(value))


@pytest.mark.parametrize(
    "member", ["id", "type", "accepted_at", "occurred_at", "program_id", "data"]
)
@pytest.mark.parametrize("wrong", ["absent", [], 2.5])
def test_an_event_without_a_member_is_unreadable(member: str, wrong: Any) -> None:  # noqa: ANN401
    value = json.loads(write_event_message(an_event_message()))
    if wrong == "absent":
        del value["events"][0][member]
    else:
        value["events"][0][member] = wrong

    with pytest.raises(UnreadableMessage):
        read_event_message(json.dumps(value))


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_a_message_of_another_version_is_unreadable(version: Any) -> None:  # noqa: ANN401
    value = json.loads(write_event_message(an_event_message())) | {"v": version}

    with pytest.raises(UnreadableMessage, match="another version"):
        read_event_message(json.dumps(value))


def test_members_of_a_later_release_are_passed_over() -> None:
    message = an_event_message()
    value = json.loads(write_event_message(message)) | {"trace": "x"}

    assert read_event_message(json.dumps(value)) == message


def test_an_event_message_may_be_for_some_webhooks_only() -> None:
    message = replace(an_event_message(), webhook_ids=(WEBHOOK,))

    assert read_event_message(write_event_message(message)) == message
    assert "webhook_ids" not in json.loads(write_event_message(an_event_message()))


@pytest.mark.parametrize("wrong", ["wh_1", [1], {}, 0])
def test_webhooks_that_are_none_make_a_message_unreadable(wrong: Any) -> None:  # noqa: ANN401
    body = json.loads(write_event_message(an_event_message())) | {"webhook_ids": wrong}

    with pytest.raises(UnreadableMessage):
        read_event_message(json.dumps(body))


def test_why_a_message_is_unreadable_tells_nothing_of_what_is_in_it() -> None:
    value = json.loads(write_event_message(an_event_message(an_event(data={"name": "Zoe"}))))
    value["events"][0]["id"] = 7

    with pytest.raises(UnreadableMessage) as raised:
        read_event_message(json.dumps(value))

    assert "Zoe" not in str(raised.value)


def test_no_url_header_or_secret_travels() -> None:
    members = json.loads(write_delivery_message(a_delivery_message()))

    assert members.keys() == {"v", "delivery_id", "account_id", "webhook_id", "run", "events"}


@given(st.integers(0, 12), st.integers(1, 5))
def test_chunks_keep_every_event_in_its_order_within_the_number(number: int, most: int) -> None:
    events = [an_event() for _ in range(number)]

    groups = [*chunks(events, most)]

    assert [event for group in groups for event in group] == events
    assert all(1 <= len(group) <= most for group in groups)
    assert len(groups) == -(-len(events) // most)


@FEW
@given(st.lists(st.integers(0, 260_000), min_size=1, max_size=12))
@example([260_000] * 7)
def test_a_chunk_is_a_message_that_sqs_takes(sizes: list[int]) -> None:
    events = [an_event(data={"text": "x" * size}) for size in sizes]

    groups = [*chunks(events)]

    assert [event for group in groups for event in group] == events
    for group in groups:
        body = write_delivery_message(a_delivery_message(None, *group))
        assert len(body) < MAX_MESSAGE_BYTES + 1000
    for group, following in pairwise(groups):
        together = write_delivery_message(a_delivery_message(None, *group, following[0]))
        assert len(together) > MAX_MESSAGE_BYTES


@pytest.mark.parametrize("character", ["é", "\u4e2d", "\N{GRINNING FACE}", '"', "\\"])
def test_the_largest_event_fits_a_message_whatever_is_in_it(character: str) -> None:
    width = len(compact(character)) - 2
    event = an_event(data={"text": character * ((MAX_EVENT_BYTES - 100) // width)})

    body = write_delivery_message(a_delivery_message(None, event))

    assert len(body) < SQS_BYTES
    assert len([*chunks([event, event])]) >= 1
