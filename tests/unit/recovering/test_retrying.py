from dataclasses import replace
from http import HTTPStatus

import pytest

from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.event import Event
from perkwire.model.lanes import Lane
from perkwire.model.messages import read_delivery_message
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.ids import DeliveryId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS
from perkwire.recovering.retrying import Retrying, RetryResult, parse_ids
from tests.builders import (
    ACCOUNT,
    NOW,
    OTHER_ACCOUNT,
    a_delivery,
    a_delivery_message,
    a_hand_over,
    a_webhook,
    an_account,
    an_event,
)
from tests.fakes import (
    FakeClock,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeEventItems,
    FakeEventReader,
    FakeQueue,
    FakeRetryableDeliveries,
    FakeSlotCounter,
    FakeWebhookLookup,
)

INTERVAL = 300
FAILED = DeliveryStatus.FAILED


class Retries:
    """Retrying with fakes around it, and one enabled webhook."""

    def __init__(self) -> None:
        self.config = FakeConfigItems()
        self.config.put(an_account(), a_webhook())
        self.items = FakeDeliveryItems()
        self.log = FakeRetryableDeliveries(self.items)
        self.events = FakeEventItems()
        self.queue = FakeQueue()
        self.slow_queue = FakeQueue()
        self.slots = FakeSlotCounter()
        self.clock = FakeClock(NOW)
        self.retrying = Retrying(
            deliveries=self.log,
            events=FakeEventReader(self.events),
            webhooks=FakeWebhookLookup(self.config),
            hand_over=a_hand_over(self.queue, self.slow_queue, slots=self.slots, clock=self.clock),
            retry_interval_seconds=INTERVAL,
            clock=self.clock,
        )

    def has(self, *events: Event, **members: object) -> Delivery:
        """A log entry, and its events."""
        events = events or (an_event(),)
        entry = a_delivery(a_delivery_message(None, *events), **members)
        self.items.put(entry)
        for event in events:
            self.events.events[(ACCOUNT, event.id)] = RoutedEvent(
                account_id=ACCOUNT, event=event, deliveries={}
            )
        return entry

    def retry(self, *entries: Delivery) -> list[RetryResult]:
        return self.retrying.retry(ACCOUNT, [entry.id for entry in entries])

    def statuses(self, *entries: Delivery) -> list[HTTPStatus]:
        return [result.status for result in self.retry(*entries)]


@pytest.fixture
def retries() -> Retries:
    return Retries()


def test_a_retry_of_a_strained_webhook_goes_into_the_slow_lane(retries: Retries) -> None:
    entry = retries.has(an_event(), status=FAILED)
    retries.config.put(a_webhook(lane=Lane.SLOW))

    (result,) = retries.retry(entry)

    assert result.status == 202
    assert retries.queue.messages == []
    assert [message.group for message in retries.slow_queue.messages] == [entry.webhook_id]


@pytest.mark.parametrize("status", [FAILED, DeliveryStatus.CANCELLED])
def test_a_retry_is_the_next_run_of_the_same_delivery(
    retries: Retries, status: DeliveryStatus
) -> None:
    events = (an_event(), an_event())
    entry = retries.has(*events, status=status, reason=Reason.PAUSED, run=2)

    (result,) = retries.retry(entry)

    assert result.to_json() == {"id": entry.id, "status": 202}
    (message,) = retries.queue.messages
    assert read_delivery_message(message.body) == a_delivery_message(None, *events, run=3)
    assert message.group == entry.webhook_id
    after = retries.items.entries[entry.id]
    assert (after.run, after.status, after.reason) == (3, DeliveryStatus.RETRYING, None)
    assert after.due_at == NOW + INTERVAL * MICROSECONDS


class TestResending:
    SUCCEEDED = DeliveryStatus.SUCCEEDED

    def resend(self, retries: Retries, *entries: Delivery) -> list[RetryResult]:
        return retries.retrying.retry(ACCOUNT, [entry.id for entry in entries], resend=True)

    def test_what_has_succeeded_is_sent_as_the_next_run_of_the_same_delivery(
        self, retries: Retries
    ) -> None:
        event = an_event()
        entry = retries.has(event, status=self.SUCCEEDED)

        (result,) = self.resend(retries, entry)

        assert result.to_json() == {"id": entry.id, "status": 202}
        (message,) = retries.queue.messages
        assert read_delivery_message(message.body) == a_delivery_message(None, event, run=1)
        after = retries.items.entries[entry.id]
        assert (after.run, after.status) == (1, DeliveryStatus.RETRYING)
        assert after.due_at == NOW + INTERVAL * MICROSECONDS

    def test_it_is_asked_for_and_covers_what_a_retry_does(self, retries: Retries) -> None:
        failed, succeeded, retrying = (
            retries.has(an_event(), status=status)
            for status in (FAILED, self.SUCCEEDED, DeliveryStatus.RETRYING)
        )

        assert retries.statuses(succeeded) == [409]
        again = self.resend(retries, failed, succeeded, retrying)
        assert [one.status for one in again] == [202, 202, 409]

    def test_it_is_noted_before_it_is_sent_and_taken_back_if_sqs_refuses(
        self, retries: Retries
    ) -> None:
        entry = retries.has(an_event(), status=self.SUCCEEDED)
        retries.queue.refuse(1)

        (result,) = self.resend(retries, entry)

        assert result.status == 503
        after = retries.items.entries[entry.id]
        assert (after.run, after.status, after.due_at) == (0, self.SUCCEEDED, None)
        assert [one.status for one in self.resend(retries, entry)] == [202]

    def test_nothing_is_sent_if_it_cannot_be_noted(self, retries: Retries) -> None:
        entry = retries.has(an_event(), status=self.SUCCEEDED)
        retries.log.fail("reopen", 1)

        assert [one.status for one in self.resend(retries, entry)] == [503]
        assert retries.queue.messages == []
        assert retries.items.entries[entry.id] == entry

    def test_one_whose_events_are_gone_stays_as_it_is(self, retries: Retries) -> None:
        entry = retries.has(an_event(), status=self.SUCCEEDED)
        retries.events.events.clear()

        assert [one.status for one in self.resend(retries, entry)] == [409]
        assert retries.items.entries[entry.id] == entry


def test_an_id_that_was_free_again_brings_no_other_body(retries: Retries) -> None:
    entry = retries.has(an_event(id="order-1"), status=FAILED)
    month = 30 * 86_400 * MICROSECONDS
    other = an_event(id="order-1", accepted_at=NOW + month, data={"points": 10**6})
    retries.events.events[(ACCOUNT, other.id)] = RoutedEvent(
        account_id=ACCOUNT, event=other, deliveries={}
    )

    (result,) = retries.retry(entry)

    assert (result.status, result.detail) == (
        HTTPStatus.CONFLICT,
        "Its events are no longer kept.",
    )
    assert retries.queue.messages == []


def test_a_lost_delivery_may_be_retried(retries: Retries) -> None:
    entry = retries.has(status=DeliveryStatus.RETRYING, due_at=0)

    assert retries.statuses(entry) == [HTTPStatus.ACCEPTED]


@pytest.mark.parametrize("status", [DeliveryStatus.SUCCEEDED, DeliveryStatus.RETRYING])
def test_what_has_succeeded_or_is_on_its_way_is_not_retried(
    retries: Retries, status: DeliveryStatus
) -> None:
    entry = retries.has(status=status, due_at=NOW)

    assert retries.statuses(entry) == [HTTPStatus.CONFLICT]
    assert retries.queue.messages == []


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (WebhookStatus.PAUSED, "Its webhook is paused; enable it first."),
        (WebhookStatus.DISABLED, "Its webhook is disabled; enable it first."),
        (WebhookStatus.DELETED, "Its webhook is deleted and gets nothing any more."),
        (None, "Its webhook is deleted and gets nothing any more."),
    ],
)
def test_only_an_enabled_webhooks_deliveries_are_retried(
    retries: Retries, status: WebhookStatus | None, detail: str
) -> None:
    entry = retries.has(status=FAILED)
    retries.config.webhooks.clear()
    if status is not None:
        retries.config.put(a_webhook(status=status))

    (result,) = retries.retry(entry)
    assert (result.status, result.detail) == (HTTPStatus.CONFLICT, detail)
    assert retries.queue.messages == []


def test_what_is_not_in_the_accounts_log_is_not_found(retries: Retries) -> None:
    foreign = retries.has(status=FAILED, account_id=OTHER_ACCOUNT)
    absent = replace(foreign, id=DeliveryId("not a delivery"))

    assert retries.statuses(foreign, absent) == [HTTPStatus.NOT_FOUND] * 2


def test_without_its_events_a_delivery_is_not_retried(retries: Retries) -> None:
    whole, bare = retries.has(status=FAILED), retries.has(an_event(), an_event(), status=FAILED)
    del retries.events.events[(ACCOUNT, bare.event_ids[0])]

    assert retries.statuses(bare, whole) == [HTTPStatus.CONFLICT, HTTPStatus.ACCEPTED]


def test_an_id_that_is_given_twice_is_sent_and_answered_once(retries: Retries) -> None:
    one, other = (retries.has(status=FAILED) for _ in range(2))

    ids = parse_ids({"ids": [one.id, other.id, one.id]})
    results = retries.retrying.retry(ACCOUNT, ids)

    assert [result.delivery_id for result in results] == [one.id, other.id]
    assert len(retries.queue.messages) == 2


def test_each_id_has_its_answer_in_the_order_asked(retries: Retries) -> None:
    entries = [retries.has(status=FAILED) for _ in range(4)]
    entries[1] = retries.has(status=DeliveryStatus.SUCCEEDED)

    results = retries.retry(*entries)

    assert [result.delivery_id for result in results] == [entry.id for entry in entries]
    assert [result.status for result in results] == [202, 409, 202, 202]


def test_what_sqs_does_not_hold_stays_as_it_was_and_may_be_tried_again(retries: Retries) -> None:
    entries = [retries.has(status=FAILED) for _ in range(3)]
    retries.queue.refuse(2)

    assert retries.statuses(*entries) == [202, 503, 202]

    assert retries.items.entries[entries[1].id] == entries[1]
    assert retries.statuses(entries[1]) == [202]


def test_a_log_that_fails_after_the_send_means_a_repeat_of_the_same_run(retries: Retries) -> None:
    entry = retries.has(status=FAILED)
    retries.log.fail("hand_over", 1)

    assert retries.statuses(entry) + retries.statuses(entry) == [202, 202]

    first, second = retries.queue.messages
    assert first == second


def test_if_the_log_cannot_be_read_nothing_is_sent(retries: Retries) -> None:
    entry = retries.has(status=FAILED)
    retries.log.fail("find")

    with pytest.raises(Unavailable):
        retries.retry(entry)

    assert retries.queue.messages == []


@pytest.mark.parametrize(
    "ids", [None, [], "dlv_1", [""], [7], [str(number) for number in range(101)]]
)
def test_a_request_names_1_to_100_ids(ids: Json) -> None:
    assert parse_ids({"ids": ["a", "b"]}) == ("a", "b")
    with pytest.raises(Problem):
        parse_ids({"ids": ids})
