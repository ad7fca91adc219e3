"""Which attempts are lines of the function's log."""

import pytest

from tests.unit.dispatching.harness import BROKEN, OK, DispatcherHarness, received


def lines(dispatcher: DispatcherHarness) -> list[object]:
    return [
        fields["status"]
        for kind, fields in dispatcher.journal.notes
        if kind == "delivery.attempted"
    ]


def test_a_success_is_in_the_log_of_deliveries_alone(dispatcher: DispatcherHarness) -> None:
    dispatcher.answer(OK)

    assert dispatcher.dispatch(received()) == []

    assert lines(dispatcher) == []
    assert dispatcher.entry().status == "succeeded"


def test_a_success_is_a_line_where_that_is_asked_for(dispatcher: DispatcherHarness) -> None:
    dispatcher.answer(OK)
    dispatcher.log_successes = True

    dispatcher.dispatch(received())

    assert lines(dispatcher) == ["succeeded"]


@pytest.mark.parametrize("log_successes", [True, False])
def test_a_failure_is_always_a_line(dispatcher: DispatcherHarness, *, log_successes: bool) -> None:
    dispatcher.answer(BROKEN)
    dispatcher.log_successes = log_successes

    dispatcher.dispatch(received())

    assert lines(dispatcher) == ["retrying"]


def test_a_success_that_the_log_cannot_take_is_a_line(dispatcher: DispatcherHarness) -> None:
    dispatcher.answer(OK)
    dispatcher.log.fail("write")

    dispatcher.dispatch(received())

    assert lines(dispatcher) == ["succeeded"]
    assert "delivery_not_logged" in dispatcher.journal.kinds
