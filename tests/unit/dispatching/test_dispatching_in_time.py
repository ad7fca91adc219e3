"""An invocation ends within its time-out, whatever of AWS hangs, and says what it does not know."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from perkwire.model.delivery import DeliveryStatus
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.ids import WebhookId
from tests.builders import a_delivery_message, a_received, a_webhook
from tests.unit.dispatching.harness import BROKEN, DispatcherHarness, received

LONG, SHORT = 30.0, 0.05

type Hang = Callable[[object, str], None]


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Until it is set, what hangs hangs."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def dispatcher() -> Iterator[DispatcherHarness]:
    # Its threads are not waited for: they hang.
    executor = ThreadPoolExecutor(12)
    yield DispatcherHarness(executor)
    executor.shutdown(wait=False)


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch, over: threading.Event) -> Hang:
    def hang(target: object, method: str) -> None:
        monkeypatch.setattr(target, method, lambda *_, **__: over.wait(LONG))

    return hang


@pytest.mark.parametrize("method", ["states", "find"])
def test_look_ups_that_hang_leave_all_messages(
    method: str, dispatcher: DispatcherHarness, hang: Hang
) -> None:
    hang(dispatcher.lookup if method == "states" else dispatcher.log, method)
    dispatcher.seconds_left_of_steps = [SHORT]
    batch = [received(), received()]

    assert dispatcher.dispatch(*batch) == [one.message_id for one in batch]

    assert dispatcher.sender.requests == []
    assert dispatcher.journal.kinds[0] == "dispatching_unavailable"


def test_a_key_that_hangs_leaves_its_message_unsent(
    dispatcher: DispatcherHarness, hang: Hang
) -> None:
    hang(dispatcher.vault, "open")
    dispatcher.seconds_left_of_steps = [LONG, SHORT]
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.sender.requests == []
    assert dispatcher.journal.kinds == ["no_time_left"]


def test_a_log_that_hangs_has_stored_nothing_for_all_that_is_known(
    dispatcher: DispatcherHarness,
    hang: Hang,
) -> None:
    ill = a_webhook(id=WebhookId("wh_ill"), url="https://ill.example/hook")
    paused = a_webhook(id=WebhookId("wh_paused"), status=WebhookStatus.PAUSED)
    dispatcher.config.put(ill, paused)
    dispatcher.sender.answer(ill.url, BROKEN)
    hang(dispatcher.log, "write")
    dispatcher.seconds_left_of_steps = [LONG, LONG, LONG, LONG, SHORT]
    well, failed, unsent = (
        a_received(a_delivery_message(webhook)) for webhook in (dispatcher.webhook, ill, paused)
    )

    assert dispatcher.dispatch(well, failed, unsent) == [failed.message_id, unsent.message_id]

    assert dispatcher.journal.count("delivery_not_logged") == 3


def test_health_that_hangs_changes_nothing_about_messages(
    dispatcher: DispatcherHarness, hang: Hang
) -> None:
    dispatcher.answer(BROKEN)
    hang(dispatcher.lookup, "add_failures")
    dispatcher.seconds_left_of_steps = [LONG, LONG, LONG, LONG, SHORT]
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.entry().status is DeliveryStatus.RETRYING
    assert dispatcher.journal.kinds[-1] == "health_not_kept"
