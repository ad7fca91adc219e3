"""An invocation that has no time left, and requests that take more than they have."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from perkwire.model.delivery import Change, DeliveryStatus
from perkwire.model.messages import Received
from perkwire.model.sending import TransportError
from perkwire.primitives.ids import DeliveryId, WebhookId
from tests.builders import a_delivery_message, a_received, a_webhook
from tests.unit.dispatching.harness import REQUEST_SECONDS, DispatcherHarness, received


def test_without_time_left_messages_are_left_as_they_are(dispatcher: DispatcherHarness) -> None:
    dispatcher.seconds_left = REQUEST_SECONDS
    batch = [a_received(a_delivery_message()) for _ in range(3)]

    assert dispatcher.dispatch(*batch) == [one.message_id for one in batch]

    assert dispatcher.journal.kinds == ["no_time_left"] * 3
    assert not dispatcher.sender.requests
    assert not dispatcher.deliveries.entries


class Overrunning:
    """A step that ends only once the log has been written, or much too late."""

    def __init__(
        self, dispatcher: DispatcherHarness, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.ended = False
        self._dispatcher = dispatcher
        self._url = url
        self._logged = threading.Event()
        self._write = dispatcher.log.write
        monkeypatch.setattr(dispatcher.log, "write", self._note)
        dispatcher.seconds_left = REQUEST_SECONDS + 0.3

    def hold[T, R](self, step: Callable[[T], R], url_of: Callable[[T], str]) -> Callable[[T], R]:
        def held(subject: T) -> R:
            if url_of(subject) == self._url:
                self._logged.wait(REQUEST_SECONDS + 5)
                self.ended = True
            return step(subject)

        return held

    def _note(self, changes: Sequence[Change]) -> set[DeliveryId]:
        assert not self.ended
        unstored = self._write(changes)
        self._dispatcher.seconds_left = REQUEST_SECONDS
        self._logged.set()
        return unstored


def a_batch_with_one_other(dispatcher: DispatcherHarness) -> tuple[str, list[Received]]:
    """Nine messages for the webhook, and the last for another."""
    other = a_webhook(id=WebhookId("wh_2"), url="https://other.example/")
    dispatcher.config.put(other)
    batch = [a_received(a_delivery_message()) for _ in range(9)]
    return other.url, [*batch, a_received(a_delivery_message(other))]


def test_a_request_that_overruns_leaves_the_log_of_its_batch_whole(
    dispatcher: DispatcherHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, batch = a_batch_with_one_other(dispatcher)
    overrunning = Overrunning(dispatcher, url, monkeypatch)
    held = overrunning.hold(dispatcher.sender.send, lambda request: request.url)
    monkeypatch.setattr(dispatcher.sender, "send", held)

    assert dispatcher.dispatch(*batch) == [batch[9].message_id]

    # It has ended nevertheless: nothing of an invocation runs on in the next.
    assert overrunning.ended
    assert dispatcher.journal.kinds == ["request_overdue"]
    entries = dispatcher.deliveries.entries.values()
    assert [entry.status for entry in entries].count(DeliveryStatus.SUCCEEDED) == 9
    [overdue] = [entry for entry in entries if entry.status is not DeliveryStatus.SUCCEEDED]
    assert overdue.status is DeliveryStatus.RETRYING
    assert [attempt.error for attempt in overdue.attempts] == [TransportError.TIMEOUT]


def test_a_secret_that_overruns_is_no_failure_of_the_webhook(
    dispatcher: DispatcherHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, batch = a_batch_with_one_other(dispatcher)
    overrunning = Overrunning(dispatcher, url, monkeypatch)
    held = overrunning.hold(dispatcher.vault.open, lambda webhook: webhook.url)
    monkeypatch.setattr(dispatcher.vault, "open", held)

    assert dispatcher.dispatch(*batch) == [batch[9].message_id]

    until_idle(dispatcher.executor)
    assert {request.url for request in dispatcher.sender.requests} == {dispatcher.webhook.url}
    assert dispatcher.journal.kinds == ["no_time_left", "no_time_left"]
    assert len(dispatcher.deliveries.entries) == 9


def until_idle(executor: ThreadPoolExecutor) -> None:
    """Wait for what is left of an invocation: each thread meets the others only once it is free."""
    threads = 10
    together = threading.Barrier(threads)
    assert len([*executor.map(lambda _: together.wait(10), range(threads))]) == threads


def test_without_time_left_what_needs_no_request_is_settled_all_the_same(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.seconds_left = REQUEST_SECONDS
    dispatcher.log_an_entry()

    assert dispatcher.dispatch(received()) == []
