"""Which signals an invocation of the dispatcher sends, and that nothing depends on them."""

from dataclasses import replace

import pytest

from perkwire.model.delivery import DeliveryStatus
from perkwire.model.sending import Response
from perkwire.model.signals import SignalKind
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import NOW, a_delivery_message, a_received
from tests.fakes import FakeSignalCounts, FakeSignals
from tests.signals import check
from tests.unit.dispatching.harness import BROKEN, MAX_ATTEMPTS, OK, DispatcherHarness, received

HOUR = 3_600 * MICROSECONDS
GONE = Response(410, "", 5)


@pytest.fixture
def signals(dispatcher: DispatcherHarness) -> FakeSignals:
    dispatcher.signals = FakeSignals()
    return dispatcher.signals


def fail_another(dispatcher: DispatcherHarness, receive: int = MAX_ATTEMPTS) -> list[str]:
    """One delivery more, at its last attempt unless said otherwise."""
    return dispatcher.dispatch(a_received(a_delivery_message(), receive))


def kinds(signals: FakeSignals) -> list[SignalKind]:
    for one in signals.sent:
        check(one.kind, one.to_json())
    return [one.kind for one in signals.sent]


def test_a_success_and_a_failure_that_is_tried_again_are_none(
    dispatcher: DispatcherHarness, signals: FakeSignals
) -> None:
    dispatcher.answer(OK, BROKEN)
    fail_another(dispatcher, 1)
    fail_another(dispatcher, 1)

    assert kinds(signals) == []
    assert dispatcher.signal_counts.calls.total() == 0


def test_of_failures_one_in_an_interval_tells_and_none_is_forgotten(
    dispatcher: DispatcherHarness, signals: FakeSignals
) -> None:
    dispatcher.answer(*[BROKEN] * 3, OK)
    for _ in range(3):
        fail_another(dispatcher)
    assert kinds(signals) == ["deliveries.failed"]
    assert signals.sent[0].about["count"] == 1

    dispatcher.clock.now = NOW + HOUR
    fail_another(dispatcher)  # which arrives

    assert kinds(signals) == ["deliveries.failed"] * 2
    assert signals.sent[1].about["count"] == 2


def test_a_pause_is_told_of_once_in_an_interval(
    dispatcher: DispatcherHarness, signals: FakeSignals
) -> None:
    dispatcher.answer(*[GONE] * 3)
    for moment in (NOW, NOW + HOUR // 2, NOW + HOUR):
        dispatcher.clock.now = moment
        dispatcher.change_webhook(status=WebhookStatus.ENABLED, pause=None)
        fail_another(dispatcher, 1)

    assert kinds(signals) == ["webhook.paused"] * 2
    assert [one.at for one in signals.sent] == [NOW, NOW + HOUR]
    assert {one.about["reason"] for one in signals.sent} == {"gone"}


def test_strain_and_its_end_are_told(dispatcher: DispatcherHarness, signals: FakeSignals) -> None:
    dispatcher.answer(*[BROKEN] * 5, *[OK] * 10)
    for _ in range(15):
        fail_another(dispatcher, 1)

    assert kinds(signals) == ["webhook.strained", "webhook.recovered"]


def test_a_signal_that_cannot_be_sent_changes_nothing_and_is_not_tried_again(
    dispatcher: DispatcherHarness, signals: FakeSignals
) -> None:
    signals.fail("send", 1)
    dispatcher.answer(BROKEN, OK)

    last = received(MAX_ATTEMPTS)
    assert dispatcher.dispatch(last) == [last.message_id]
    assert dispatcher.entry().status is DeliveryStatus.FAILED
    fail_another(dispatcher, 1)

    assert signals.calls["send"] == 1
    assert kinds(signals) == []


@pytest.mark.parametrize("call", ["count_failed", "take_failed"])
def test_what_cannot_be_counted_is_one_fault_and_changes_nothing(
    dispatcher: DispatcherHarness, signals: FakeSignals, call: str
) -> None:
    dispatcher.signal_counts.fail(call)
    dispatcher.answer(BROKEN)

    last = received(MAX_ATTEMPTS)
    assert dispatcher.dispatch(last) == [last.message_id]

    assert dispatcher.entry().status is DeliveryStatus.FAILED
    assert [what for what, _ in dispatcher.journal.faults] == ["signal_not_sent"]
    assert kinds(signals) == []


def test_without_a_bus_nothing_is_counted(dispatcher: DispatcherHarness) -> None:
    dispatcher.answer(BROKEN)
    fail_another(dispatcher)

    assert dispatcher.signal_counts.calls.total() == 0


def test_counts_are_of_each_webhook(dispatcher: DispatcherHarness) -> None:
    counts = FakeSignalCounts(dispatcher.config)
    one = dispatcher.webhook
    other = replace(one, id="wh_other")  # type: ignore[arg-type]

    assert counts.take_pause(one, NOW, NOW - 1)
    assert counts.take_pause(other, NOW, NOW - 1)
