"""Retries of deliveries that were too large for their endpoint."""

from http import HTTPStatus
from typing import Any

import pytest

from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.event import Event
from perkwire.model.messages import DeliveryMessage, read_delivery_message
from tests.builders import a_webhook, an_attempt, an_event
from tests.unit.recovering.test_retrying import FAILED, Retries

SIZE = 1_000


@pytest.fixture
def retries() -> Retries:
    return Retries()


def some_events(count: int) -> list[Event]:
    return [an_event(data={"text": "x" * SIZE}) for _ in range(count)]


def too_large(retries: Retries, *events: Event, status_code: int = 413) -> Delivery:
    attempts = (an_attempt(status_code=500), an_attempt(number=2, status_code=status_code))
    return retries.has(*events, status=FAILED, run=1, attempts=attempts)


def sent(retries: Retries) -> list[DeliveryMessage]:
    return [read_delivery_message(one.body) for one in retries.queue.messages]


def now_takes(retries: Retries, **members: Any) -> None:  # noqa: ANN401 - as a_webhook's
    retries.config.put(a_webhook(**members))


def test_it_goes_out_in_parts_that_fit_the_webhook_as_it_is_now(retries: Retries) -> None:
    events = some_events(5)
    entry = too_large(retries, *events)
    now_takes(retries, batch_size=10, batch_bytes=2 * SIZE + 600)

    (result,) = retries.retry(entry)

    assert (result.status, "3 parts" in str(result.detail)) == (HTTPStatus.ACCEPTED, True)
    parts = sent(retries)
    assert [len(part.events) for part in parts] == [2, 2, 1]
    assert [one for part in parts for one in part.events] == events
    assert [part.run for part in parts] == [0, 0, 0]
    ids = [part.delivery_id for part in parts]
    assert len({*ids, entry.id}) == 4
    after = retries.items.entries[entry.id]
    assert (after.status, after.reason, after.run) == (DeliveryStatus.CANCELLED, Reason.SPLIT, 2)
    assert [*after.parts] == ids
    assert after.to_json(0, 1)["parts"] == ids


def test_the_parts_are_the_same_if_they_are_sent_twice(retries: Retries) -> None:
    entry = too_large(retries, *some_events(4))
    now_takes(retries, batch_size=2)
    retries.log.fail("split", 1)

    retries.retry(entry)
    retries.retry(entry)

    once, again = sent(retries)[:2], sent(retries)[2:]
    assert once == again
    assert [*retries.items.entries[entry.id].parts] == [part.delivery_id for part in once]


def test_what_went_out_in_parts_is_not_sent_again_as_a_whole(retries: Retries) -> None:
    entry = too_large(retries, *some_events(4))
    now_takes(retries, batch_size=2)
    retries.retry(entry)
    held = len(retries.queue.messages)

    (result,) = retries.retry(entry)

    assert (result.status, "parts" in str(result.detail)) == (HTTPStatus.CONFLICT, True)
    assert len(retries.queue.messages) == held


def test_one_that_fits_now_goes_out_whole(retries: Retries) -> None:
    entry = too_large(retries, *some_events(4))
    now_takes(retries, batch_size=10, batch_bytes=60_000)

    assert retries.statuses(entry) == [HTTPStatus.ACCEPTED]

    (message,) = sent(retries)
    assert (message.delivery_id, message.run) == (entry.id, 2)
    assert retries.items.entries[entry.id].parts == ()


@pytest.mark.parametrize("status_code", [200, 400, 414, 500])
def test_one_that_failed_otherwise_goes_out_whole(retries: Retries, status_code: int) -> None:
    entry = too_large(retries, *some_events(4), status_code=status_code)
    now_takes(retries, batch_size=1)

    retries.retry(entry)

    (message,) = sent(retries)
    assert message.delivery_id == entry.id


def test_one_event_has_no_parts(retries: Retries) -> None:
    entry = too_large(retries, *some_events(1))
    now_takes(retries, batch_size=10, batch_bytes=1_024)

    retries.retry(entry)

    (message,) = sent(retries)
    assert message.delivery_id == entry.id


def test_a_part_that_could_not_be_queued_leaves_the_whole_as_it_is(retries: Retries) -> None:
    entry = too_large(retries, *some_events(4))
    now_takes(retries, batch_size=2)
    retries.queue.refuse(1)

    assert retries.statuses(entry) == [HTTPStatus.SERVICE_UNAVAILABLE]

    assert retries.items.entries[entry.id] == entry
