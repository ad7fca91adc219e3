"""Rows 7 and 8 of the outcome table, and how attempts and runs are counted."""

from dataclasses import replace

import pytest

from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.model.sending import (
    ErrorDetail,
    NoResponse,
    Request,
    Response,
    TransportError,
)
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import NOW, a_received, a_webhook, an_account, an_attempt
from tests.fakes import FakeSender
from tests.unit.dispatching.harness import (
    BROKEN,
    INTERVAL,
    MAX_ATTEMPTS,
    MESSAGE,
    OK,
    DispatcherHarness,
    received,
)

# Row 7: success.


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_success_is_logged_and_its_message_deleted(
    dispatcher: DispatcherHarness, status: int
) -> None:
    dispatcher.answer(Response(status, "the answer's text", 5))

    assert dispatcher.dispatch(received()) == []

    entry = dispatcher.entry()
    assert entry.status is DeliveryStatus.SUCCEEDED
    assert entry.reason is None
    assert entry.due_at is None
    (attempt,) = entry.attempts
    assert (attempt.number, attempt.at, attempt.duration_ms) == (1, NOW, 5)
    assert attempt.status_code == status
    assert attempt.response is None


def test_a_success_deletes_the_message_even_if_the_log_fails(dispatcher: DispatcherHarness) -> None:
    dispatcher.log.fail("write")

    assert dispatcher.dispatch(received()) == []

    assert len(dispatcher.sender.requests) == 1
    assert dispatcher.journal.kinds == ["delivery_not_logged"]


def test_a_success_after_failures_clears_what_was_due(dispatcher: DispatcherHarness) -> None:
    dispatcher.log_an_entry(
        status=DeliveryStatus.RETRYING,
        reason=Reason.FORMAT,
        attempts=(an_attempt(),),
        due_at=NOW + 1,
    )

    assert dispatcher.dispatch(received(receive_count=2)) == []

    entry = dispatcher.entry()
    assert entry.status is DeliveryStatus.SUCCEEDED
    assert [attempt.number for attempt in entry.attempts] == [1, 2]
    assert (entry.reason, entry.due_at) == (None, None)


# Row 8: any other answer, or none.


@pytest.mark.parametrize(
    "answer",
    [Response(status, "no", 7) for status in (199, 301, 302, 304, 400, 404, 410, 429, 500, 503)]
    + [NoResponse(error, 7) for error in TransportError],
    ids=str,
)
def test_any_other_answer_leaves_the_message_and_says_when_the_next_attempt_is_due(
    dispatcher: DispatcherHarness, answer: Response | NoResponse
) -> None:
    dispatcher.answer(answer)
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    entry = dispatcher.entry()
    assert entry.status is DeliveryStatus.RETRYING
    assert entry.due_at == NOW + INTERVAL * MICROSECONDS
    (attempt,) = entry.attempts
    match answer:
        case Response(status, snippet):
            shown = (attempt.status_code, attempt.response, attempt.error)
            assert shown == (status, snippet, None)
        case NoResponse(error):
            shown = (attempt.status_code, attempt.response, attempt.error)
            assert shown == (None, None, error)


def test_the_log_says_which_of_the_reasons_an_error_has(dispatcher: DispatcherHarness) -> None:
    dispatcher.answer(NoResponse(TransportError.TLS, 7, ErrorDetail.EXPIRED))

    dispatcher.dispatch(received())

    (attempt,) = dispatcher.entry().attempts
    assert (attempt.error, attempt.error_detail) == ("tls", "expired")
    assert attempt.to_json()["error_detail"] == "expired"
    (line,) = [fields for kind, fields in dispatcher.journal.notes if kind == "delivery.attempted"]
    assert line["error_detail"] == "expired"


def test_the_log_says_where_a_redirect_points(dispatcher: DispatcherHarness) -> None:
    dispatcher.config.put(
        an_account(), a_webhook(headers={"Authorization": "Bearer of-the-receiver"})
    )
    location = "https://new.example/of-the-receiver/" + "x" * 2000
    dispatcher.answer(Response(301, "moved", 7, location))

    dispatcher.dispatch(received())

    (attempt,) = dispatcher.entry().attempts
    assert attempt.location == ("https://new.example/…/" + "x" * 2000)[:512]
    assert attempt.to_json()["location"] == attempt.location


@pytest.mark.parametrize("receive_count", [MAX_ATTEMPTS, MAX_ATTEMPTS + 1])
def test_the_last_attempt_fails_the_delivery_and_leaves_the_message_to_be_dead_lettered(
    dispatcher: DispatcherHarness, receive_count: int
) -> None:
    dispatcher.answer(BROKEN)
    one = received(receive_count)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.entry().status is DeliveryStatus.FAILED
    assert dispatcher.entry().due_at is None


def test_the_attempt_before_the_last_is_still_retrying(dispatcher: DispatcherHarness) -> None:
    dispatcher.answer(BROKEN)

    dispatcher.dispatch(received(MAX_ATTEMPTS - 1))

    assert dispatcher.entry().status is DeliveryStatus.RETRYING


def test_a_failure_that_is_not_logged_leaves_the_message_too(dispatcher: DispatcherHarness) -> None:
    dispatcher.answer(BROKEN)
    dispatcher.log.fail("write")
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.journal.kinds == ["delivery_not_logged"]


def test_a_late_failure_does_not_overwrite_a_success_that_came_meanwhile(
    dispatcher: DispatcherHarness,
) -> None:
    class Twin(FakeSender):
        def send(self, request: Request) -> Response | NoResponse:
            dispatcher.log_an_entry(attempts=(an_attempt(status_code=200),))
            return BROKEN

    dispatcher.sender = Twin()
    one = received(MAX_ATTEMPTS)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.entry().status is DeliveryStatus.SUCCEEDED


def test_a_late_failure_does_not_undo_a_newer_run(dispatcher: DispatcherHarness) -> None:
    class SentAgainMeanwhile(FakeSender):
        def send(self, request: Request) -> Response | NoResponse:
            dispatcher.log_an_entry(run=1, status=DeliveryStatus.RETRYING)
            return BROKEN

    dispatcher.sender = SentAgainMeanwhile()

    dispatcher.dispatch(received(MAX_ATTEMPTS))

    assert dispatcher.entry().run == 1
    assert dispatcher.entry().status is DeliveryStatus.RETRYING


# Attempts and runs.


def test_attempts_are_numbered_on_through_retries_redrive_and_a_persons_retry(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.answer(BROKEN)
    retried = replace(MESSAGE, run=1)

    for message, receive_count in (
        [(MESSAGE, count) for count in range(1, MAX_ATTEMPTS + 1)]
        + [(MESSAGE, 1), (MESSAGE, 2)]
        + [(retried, 1), (retried, 2)]
    ):
        dispatcher.dispatch(a_received(message, receive_count))

    assert [attempt.number for attempt in dispatcher.entry().attempts] == [*range(1, 11)]
    assert dispatcher.entry().run == 1


def test_a_newer_run_makes_a_failed_delivery_retry_and_the_older_run_stop(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.answer(BROKEN)
    dispatcher.log_an_entry(status=DeliveryStatus.FAILED, attempts=(an_attempt(number=6),))

    dispatcher.dispatch(a_received(replace(MESSAGE, run=1)))
    assert dispatcher.dispatch(received(3)) == []

    entry = dispatcher.entry()
    assert (entry.run, entry.status) == (1, DeliveryStatus.RETRYING)
    assert [attempt.number for attempt in entry.attempts] == [6, 7]


def test_an_attempt_that_was_not_logged_still_counts(dispatcher: DispatcherHarness) -> None:
    dispatcher.answer(BROKEN)
    dispatcher.log.fail("write", 1)

    dispatcher.dispatch(received(1))
    dispatcher.dispatch(received(2))

    assert [attempt.number for attempt in dispatcher.entry().attempts] == [2]


def test_a_dead_letter_brought_back_is_tried_again_under_the_same_id(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.answer(BROKEN, OK)

    dispatcher.dispatch(received(MAX_ATTEMPTS))
    assert dispatcher.entry().status is DeliveryStatus.FAILED
    dispatcher.dispatch(received(1))

    assert dispatcher.entry().status is DeliveryStatus.SUCCEEDED
    first, second = dispatcher.sender.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == MESSAGE.delivery_id
    assert first.body == second.body
