"""A webhook's own schedule: when its attempts are, which is the last, and what follows that one."""

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.dispatching.next_receive import spread
from perkwire.dispatching.schedule import retry_after_seconds
from perkwire.dispatching.strain import STRAINED_AFTER
from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.schedule import LONGEST_DELAY_SECONDS
from perkwire.model.sending import Response
from perkwire.model.webhook import PauseReason, WebhookStatus
from perkwire.primitives.ids import DeliveryId
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import NOW, a_delivery_message, a_received, an_attempt
from tests.unit.dispatching.harness import (
    BROKEN,
    INTERVAL,
    MAX_ATTEMPTS,
    MESSAGE,
    OK,
    DispatcherHarness,
    Wordless,
    received,
)

DELAYS = (60, 600, 7_200)
OWN_ATTEMPTS = len(DELAYS) + 1
FAILED, RETRYING = DeliveryStatus.FAILED, DeliveryStatus.RETRYING
DAY = 86_400


def spread_over(seconds: int) -> int:
    return spread(seconds, MESSAGE.delivery_id)


@pytest.fixture
def scheduled(dispatcher: DispatcherHarness) -> DispatcherHarness:
    """Its webhook has delays of its own, and fewer attempts than SQS has receives."""
    assert OWN_ATTEMPTS < MAX_ATTEMPTS
    dispatcher.change_webhook(retry_delays_seconds=DELAYS)
    dispatcher.answer(BROKEN)
    return dispatcher


def hidden(dispatcher: DispatcherHarness, receive_count: int) -> int | None:
    """After how many seconds SQS is to bring the message of this receive again."""
    one = received(receive_count)
    assert dispatcher.dispatch(one) == [one.message_id]
    return dispatcher.visibility.hidden.get(one.message_id)


def numbers(entry: Delivery) -> list[int]:
    return [attempt.number for attempt in entry.attempts]


# Delays.


@pytest.mark.parametrize(("receive_count", "delay"), [*enumerate(DELAYS, start=1)])
def test_each_attempt_is_followed_by_its_own_delay(
    scheduled: DispatcherHarness, receive_count: int, delay: int
) -> None:
    assert hidden(scheduled, receive_count) == spread_over(delay)

    entry = scheduled.entry()
    assert entry.status is RETRYING
    assert entry.due_at == NOW + spread_over(delay) * MICROSECONDS


def test_a_success_asks_nothing_of_sqs(scheduled: DispatcherHarness) -> None:
    scheduled.answer(OK)

    assert scheduled.dispatch(received()) == []

    assert scheduled.visibility.calls["hide"] == 0


def test_without_a_schedule_a_failure_asks_nothing_either(dispatcher: DispatcherHarness) -> None:
    dispatcher.answer(Response(429, "", 1, retry_after="3600"))

    for receive_count in range(1, STRAINED_AFTER):
        dispatcher.dispatch(received(receive_count))

    assert dispatcher.visibility.calls["hide"] == 0


def test_a_batch_is_one_call(scheduled: DispatcherHarness) -> None:
    batch = [a_received(a_delivery_message()) for _ in range(3)]

    scheduled.dispatch(*batch)

    assert scheduled.visibility.calls["hide"] == 1
    assert set(scheduled.visibility.hidden) == {one.message_id for one in batch}


def test_what_the_format_cannot_say_waits_as_long(
    scheduled: DispatcherHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perkwire.dispatching.rendering.format_of", lambda _: Wordless())

    assert hidden(scheduled, 2) == spread_over(DELAYS[1])


def test_if_sqs_does_not_take_it_the_entry_says_what_was_asked(
    scheduled: DispatcherHarness,
) -> None:
    scheduled.visibility.fail("hide")

    assert hidden(scheduled, 1) is None

    assert scheduled.journal.kinds == ["delay_not_set"]
    assert scheduled.entry().due_at == NOW + spread_over(DELAYS[0]) * MICROSECONDS


@pytest.mark.parametrize(("receive_count", "delay"), [(1, None), (2, 600)])
def test_our_own_faults_are_not_tried_again_sooner_than_by_the_stacks_rule(
    scheduled: DispatcherHarness, receive_count: int, delay: int | None
) -> None:
    scheduled.vault.fail("open")

    assert hidden(scheduled, receive_count) == (None if delay is None else spread_over(delay))

    if receive_count > 1:
        wait = INTERVAL if delay is None else spread_over(delay)
        assert scheduled.entry().due_at == NOW + wait * MICROSECONDS


def test_a_second_copy_waits_as_the_first(scheduled: DispatcherHarness) -> None:
    scheduled.answer(Response(503, "", 1, retry_after="900"))
    first, second = received(), received()

    scheduled.dispatch(first, second)

    assert scheduled.visibility.hidden == {
        one.message_id: spread_over(900) for one in (first, second)
    }


def test_the_longest_delay_is_cut_to_what_sqs_takes(scheduled: DispatcherHarness) -> None:
    scheduled.change_webhook(retry_delays_seconds=(LONGEST_DELAY_SECONDS,))

    assert hidden(scheduled, 1) == LONGEST_DELAY_SECONDS - 60


# Retry-After.


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("said", "delay"),
    [
        ("900", 900),
        ("5", 60),
        ("0", 60),
        ("-900", 60),
        ("soon", 60),
        ("900, 901", 60),
        ("1e9", 60),
        ("999999999999999999999", LONGEST_DELAY_SECONDS),
        ("000000000900", 900),
        pytest.param("0" * 5_000 + "900", 900, id="more digits than Python reads"),
        (formatdate(NOW // MICROSECONDS + 900, usegmt=True), 900),
        (formatdate(NOW // MICROSECONDS - 900, usegmt=True), 60),
        (formatdate(NOW // MICROSECONDS + 9 * DAY, usegmt=True), LONGEST_DELAY_SECONDS),
    ],
)
def test_retry_after_moves_an_attempt_later_and_never_earlier(
    scheduled: DispatcherHarness, status: int, said: str, delay: int
) -> None:
    scheduled.answer(Response(status, "", 1, retry_after=said))

    assert hidden(scheduled, 1) == min(spread_over(delay), LONGEST_DELAY_SECONDS - 60)


@pytest.mark.parametrize(
    "form", ["%a, %d %b %Y %H:%M:{} GMT", "%A, %d-%b-%y %H:%M:{} GMT", "%a %b %e %H:%M:{} %Y"]
)
def test_a_date_of_every_form_counts_with_a_leap_second_too(form: str) -> None:
    """RFC 9110 §5.6.7: what HTTP has now, RFC 850's, and that of asctime."""
    minute = NOW // MICROSECONDS // 60 * 60 + 3_600
    for second, seconds in (("07", 7), ("60", 59)):
        said = datetime.fromtimestamp(minute, UTC).strftime(form).format(second)
        asked = retry_after_seconds(Response(429, "", 1, retry_after=said), NOW)

        assert asked == minute + seconds - NOW // MICROSECONDS, said


def test_other_answers_may_not_ask_to_wait(scheduled: DispatcherHarness) -> None:
    scheduled.answer(Response(500, "", 1, retry_after="900"))

    assert hidden(scheduled, 1) == spread_over(60)


@given(st.text(max_size=40))
def test_whatever_a_header_says_is_a_number_of_seconds(said: str) -> None:
    asked = retry_after_seconds(Response(429, "", 1, retry_after=said), NOW)

    assert 0 <= asked <= LONGEST_DELAY_SECONDS


# The last attempt, and the receives after it.


def test_the_webhooks_own_last_attempt_fails_and_lets_sqs_go_on_at_once(
    scheduled: DispatcherHarness,
) -> None:
    assert hidden(scheduled, OWN_ATTEMPTS) == 0

    assert (scheduled.entry().status, scheduled.entry().reason) == (FAILED, None)
    assert scheduled.entry().spent_after == OWN_ATTEMPTS


def test_what_follows_is_spent_and_sends_logs_and_numbers_nothing(
    scheduled: DispatcherHarness,
) -> None:
    for receive_count in range(1, OWN_ATTEMPTS + 1):
        hidden(scheduled, receive_count)
    after_the_last = scheduled.entry()

    for receive_count in range(OWN_ATTEMPTS + 1, MAX_ATTEMPTS + 1):
        assert hidden(scheduled, receive_count) == 0

    assert scheduled.entry() == after_the_last
    assert numbers(after_the_last) == [*range(1, OWN_ATTEMPTS + 1)]
    assert len(scheduled.sender.requests) == OWN_ATTEMPTS
    assert scheduled.journal.kinds == []


def test_no_delays_are_one_attempt(scheduled: DispatcherHarness) -> None:
    scheduled.change_webhook(retry_delays_seconds=())

    assert hidden(scheduled, 1) == 0

    assert scheduled.entry().status is FAILED


def test_a_redriven_message_starts_anew(scheduled: DispatcherHarness) -> None:
    for receive_count in range(1, MAX_ATTEMPTS + 1):
        hidden(scheduled, receive_count)

    assert hidden(scheduled, 1) == spread_over(DELAYS[0])

    assert scheduled.entry().status is RETRYING
    assert numbers(scheduled.entry()) == [*range(1, OWN_ATTEMPTS + 2)]


def test_so_it_does_if_its_first_receives_are_lost(scheduled: DispatcherHarness) -> None:
    for receive_count in range(1, MAX_ATTEMPTS + 1):
        hidden(scheduled, receive_count)

    assert hidden(scheduled, OWN_ATTEMPTS) == 0

    assert len(scheduled.sender.requests) == OWN_ATTEMPTS + 1
    assert numbers(scheduled.entry())[-1] == OWN_ATTEMPTS + 1


def test_a_persons_retry_starts_anew(scheduled: DispatcherHarness) -> None:
    hidden(scheduled, OWN_ATTEMPTS)
    retried = a_received(replace(MESSAGE, run=1))

    scheduled.dispatch(retried)

    assert scheduled.visibility.hidden[retried.message_id] == spread_over(DELAYS[0])
    assert scheduled.entry().status is RETRYING
    assert scheduled.dispatch(received(OWN_ATTEMPTS + 1)) == []


def test_the_stacks_receives_are_the_ceiling(scheduled: DispatcherHarness) -> None:
    scheduled.change_webhook(retry_delays_seconds=(60,) * (2 * MAX_ATTEMPTS))

    assert hidden(scheduled, MAX_ATTEMPTS) == 0

    assert scheduled.entry().status is FAILED
    assert scheduled.entry().spent_after is None


# What a change of the schedule does to what is queued.


def test_fewer_attempts_end_what_has_had_as_many(scheduled: DispatcherHarness) -> None:
    for receive_count in (1, 2, 3):
        hidden(scheduled, receive_count)
    scheduled.change_webhook(retry_delays_seconds=(60,))

    assert hidden(scheduled, 4) == 0

    assert (scheduled.entry().status, scheduled.entry().reason) == (FAILED, None)
    assert numbers(scheduled.entry()) == [1, 2, 3]
    assert len(scheduled.sender.requests) == 3


def test_more_attempts_go_to_what_has_some_left(scheduled: DispatcherHarness) -> None:
    scheduled.change_webhook(retry_delays_seconds=(60, 600))
    hidden(scheduled, 2)
    scheduled.change_webhook(retry_delays_seconds=DELAYS)

    assert hidden(scheduled, 3) == spread_over(DELAYS[2])


@pytest.mark.parametrize("delays", [(60,) * (MAX_ATTEMPTS - 1), None])
def test_what_has_failed_stays_so_whatever_the_schedule_becomes(
    scheduled: DispatcherHarness, delays: tuple[int, ...] | None
) -> None:
    for receive_count in range(1, OWN_ATTEMPTS + 1):
        hidden(scheduled, receive_count)
    scheduled.change_webhook(retry_delays_seconds=delays)

    for receive_count in range(OWN_ATTEMPTS + 1, MAX_ATTEMPTS + 1):
        assert hidden(scheduled, receive_count) == 0

    assert scheduled.entry().status is FAILED
    assert len(scheduled.sender.requests) == OWN_ATTEMPTS


def test_a_schedule_taken_away_leaves_the_stacks_rule(scheduled: DispatcherHarness) -> None:
    hidden(scheduled, 3)
    scheduled.change_webhook(retry_delays_seconds=None)

    assert hidden(scheduled, 5) is None

    assert scheduled.entry().due_at == NOW + INTERVAL * MICROSECONDS


# Receives that were lost.


def test_a_last_attempt_that_never_was_is_a_failure_that_says_so(
    scheduled: DispatcherHarness,
) -> None:
    assert hidden(scheduled, OWN_ATTEMPTS + 1) == 0

    entry = scheduled.entry()
    assert (entry.status, entry.reason, entry.attempts) == (FAILED, Reason.UNAVAILABLE, ())
    assert not scheduled.sender.requests


def test_one_that_the_format_could_not_say_says_that(scheduled: DispatcherHarness) -> None:
    scheduled.log_an_entry(status=RETRYING, reason=Reason.FORMAT, attempts=(), run=0)

    assert hidden(scheduled, OWN_ATTEMPTS + 1) == 0

    assert (scheduled.entry().status, scheduled.entry().reason) == (FAILED, Reason.FORMAT)


def test_a_failure_that_was_not_logged_is_logged_by_the_next_receive(
    scheduled: DispatcherHarness,
) -> None:
    scheduled.log_an_entry(status=RETRYING, attempts=(an_attempt(number=3),), run=0)
    scheduled.log.fail("write", 1)
    assert hidden(scheduled, OWN_ATTEMPTS) == 0

    assert hidden(scheduled, OWN_ATTEMPTS + 1) == 0

    assert scheduled.entry().status is FAILED


def test_while_the_tables_are_away_the_stacks_interval_applies(
    scheduled: DispatcherHarness,
) -> None:
    scheduled.lookup.fail("states")

    assert hidden(scheduled, OWN_ATTEMPTS + 1) is None


# Pauses.


@pytest.mark.parametrize(
    ("own", "stack", "is_paused"),
    [(None, False, False), (None, True, True), (True, False, True), (False, True, False)],
)
def test_a_webhook_says_itself_whether_a_used_up_delivery_pauses_it(
    scheduled: DispatcherHarness, own: bool | None, stack: bool, is_paused: bool
) -> None:
    scheduled.change_webhook(pause_when_exhausted=own)

    scheduled.dispatch(received(OWN_ATTEMPTS - 1), when_exhausted=stack)
    assert scheduled.config.webhooks[scheduled.webhook.id].status is WebhookStatus.ENABLED
    scheduled.dispatch(received(OWN_ATTEMPTS), when_exhausted=stack)

    webhook = scheduled.config.webhooks[scheduled.webhook.id]
    reason = webhook.pause and webhook.pause.reason
    assert reason is (PauseReason.EXHAUSTED if is_paused else None)


def test_what_has_failed_is_spent_while_the_webhook_is_paused(
    scheduled: DispatcherHarness,
) -> None:
    hidden(scheduled, OWN_ATTEMPTS)
    failed = scheduled.entry()
    scheduled.change_webhook(status=WebhookStatus.PAUSED)

    assert hidden(scheduled, OWN_ATTEMPTS + 1) == 0

    assert scheduled.entry() == failed


def test_what_is_still_retried_then_fails_as_paused(scheduled: DispatcherHarness) -> None:
    hidden(scheduled, 1)
    scheduled.change_webhook(status=WebhookStatus.PAUSED)

    assert scheduled.dispatch(received(OWN_ATTEMPTS + 1)) == []

    assert scheduled.entry().reason is Reason.PAUSED


def test_two_deliveries_that_fail_together_come_back_apart(scheduled: DispatcherHarness) -> None:
    ids = [DeliveryId(f"dlv_{number}") for number in range(200)]

    assert len({spread(DELAYS[2], one) for one in ids}) > 100
