"""What holds for an invocation as a whole, and for two copies of a message."""

import threading
from dataclasses import replace

import pytest

from perkwire.model.delivery import DeliveryStatus
from perkwire.model.sending import NoResponse, Request, Response
from perkwire.model.webhook import WebhookStatus
from tests.builders import a_delivery_message, a_received, webhooks
from tests.fakes import FakeSender
from tests.unit.dispatching.harness import (
    BROKEN,
    MAX_ATTEMPTS,
    MESSAGE,
    OK,
    UNSENT,
    DispatcherHarness,
    received,
)


def test_nothing_received_is_nothing_done(dispatcher: DispatcherHarness) -> None:
    assert dispatcher.dispatch() == []
    assert dispatcher.lookup.calls.total() + dispatcher.log.calls.total() == 0


def test_if_every_message_fails_all_ids_come_back_and_nothing_is_raised(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.answer(BROKEN)
    batch = [a_received(a_delivery_message()) for _ in range(10)]

    assert dispatcher.dispatch(*batch) == [one.message_id for one in batch]


def test_only_the_failed_ones_come_back_in_their_order(dispatcher: DispatcherHarness) -> None:
    dispatcher.config.put(*webhooks(10))
    batch = []
    for position, webhook in enumerate(webhooks(10)):
        dispatcher.sender.answer(webhook.url, BROKEN if position % 3 == 0 else OK)
        batch.append(a_received(a_delivery_message(webhook)))

    assert dispatcher.dispatch(*batch) == [one.message_id for one in batch[::3]]


def test_two_copies_in_one_batch_are_sent_once(dispatcher: DispatcherHarness) -> None:
    assert dispatcher.dispatch(received(), received(), received()) == []

    assert len(dispatcher.sender.requests) == 1
    assert len(dispatcher.entry().attempts) == 1
    assert dispatcher.journal.faults == []
    assert [what for what, _ in dispatcher.journal.notes].count("delivery.doubled") == 2


def test_the_second_copy_of_a_success_that_is_not_logged_is_deleted_too(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.log.fail("write")

    assert dispatcher.dispatch(received(), received()) == []

    assert len(dispatcher.sender.requests) == 1


@pytest.mark.parametrize("receive_count", [1, MAX_ATTEMPTS])
def test_both_copies_of_a_failed_attempt_are_left_and_it_counts_once(
    dispatcher: DispatcherHarness, receive_count: int
) -> None:
    dispatcher.answer(BROKEN)
    copies = [received(receive_count), received()]

    assert dispatcher.dispatch(*copies) == [one.message_id for one in copies]

    assert len(dispatcher.sender.requests) == 1
    assert len(dispatcher.entry().attempts) == 1
    assert dispatcher.config.streaks[dispatcher.webhook.id].failures == 1


@pytest.mark.parametrize("status", UNSENT)
@pytest.mark.parametrize("logged", [True, False])
def test_both_copies_of_what_is_settled_unsent_go_once_it_is_logged(
    dispatcher: DispatcherHarness, status: WebhookStatus, logged: bool
) -> None:
    dispatcher.change_webhook(status=status)
    if not logged:
        dispatcher.log.fail("write")
    copies = [received(), received()]

    left = [] if logged else [one.message_id for one in copies]
    assert dispatcher.dispatch(*copies) == left


def test_both_copies_of_what_has_succeeded_go(dispatcher: DispatcherHarness) -> None:
    dispatcher.log_an_entry()

    assert dispatcher.dispatch(received(), received()) == []

    assert not dispatcher.sender.requests


def test_both_copies_of_what_cannot_be_rendered_or_opened_are_left(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.vault.fail("open")
    copies = [received(), received()]

    assert dispatcher.dispatch(*copies) == [one.message_id for one in copies]


@pytest.mark.parametrize("newer_first", [True, False])
def test_the_message_of_a_newer_run_is_sent_beside_one_of_an_older(
    dispatcher: DispatcherHarness, newer_first: bool
) -> None:
    dispatcher.log_an_entry(run=1, status=DeliveryStatus.RETRYING)
    older, newer = received(MAX_ATTEMPTS), a_received(replace(MESSAGE, run=1))

    dispatcher.dispatch(*([newer, older] if newer_first else [older, newer]))

    assert dispatcher.entry().status is DeliveryStatus.SUCCEEDED
    assert len(dispatcher.sender.requests) == 1


@pytest.mark.parametrize("run", [0, 1])
def test_beside_a_newer_run_that_fails_the_older_stays_until_it_is_settled(
    dispatcher: DispatcherHarness, run: int
) -> None:
    dispatcher.answer(BROKEN)
    dispatcher.log_an_entry(run=run, status=DeliveryStatus.FAILED)
    older, newer = received(), a_received(replace(MESSAGE, run=1))

    assert dispatcher.dispatch(older, newer) == [older.message_id, newer.message_id]

    assert (dispatcher.entry().run, dispatcher.entry().status) == (1, DeliveryStatus.RETRYING)
    assert dispatcher.dispatch(replace(older, receive_count=2)) == []
    assert len(dispatcher.sender.requests) == 1


def test_requests_run_side_by_side(dispatcher: DispatcherHarness) -> None:
    together = threading.Barrier(10)

    class Meeting(FakeSender):
        def send(self, request: Request) -> Response | NoResponse:
            together.wait(timeout=5)
            return super().send(request)

    dispatcher.sender = Meeting()
    batch = [a_received(a_delivery_message()) for _ in range(10)]

    assert dispatcher.dispatch(*batch) == []


def test_an_invocation_reads_each_table_once_and_writes_the_log_once(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.dispatch(*[a_received(a_delivery_message()) for _ in range(10)])

    assert dispatcher.lookup.calls == {"states": 1}
    assert dispatcher.log.calls == {"find": 1, "write": 1}


def test_a_log_that_fails_for_a_batch_loses_no_message_and_repeats_only_failures(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.config.put(*webhooks(2))
    well, ill = webhooks(2)
    dispatcher.sender.answer(ill.url, BROKEN)
    dispatcher.log.fail("write")
    batch = [a_received(a_delivery_message(webhook)) for webhook in (well, ill)]

    assert dispatcher.dispatch(*batch) == [batch[1].message_id]

    assert dispatcher.journal.count("delivery_not_logged") == 2
