"""The outcome table, row by row, and what holds for a whole invocation."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from perkwire.dispatching.dispatcher import Dispatcher
from perkwire.dispatching.follow_up import FollowUp
from perkwire.dispatching.noticing import Noticing
from perkwire.dispatching.pausing import QUIET_SECONDS, PauseRule
from perkwire.dispatching.rendering import OpenedSecrets
from perkwire.dispatching.timing import DispatchRule
from perkwire.formats import Unrenderable
from perkwire.model.delivery import Change, Delivery, DeliveryStatus, Reason
from perkwire.model.messages import Received
from perkwire.model.sending import NoResponse, Request, Response, TransportError
from perkwire.model.webhook import (
    Pause,
    PauseReason,
    RetiredSecret,
    SealedSecrets,
    Webhook,
    WebhookStatus,
)
from perkwire.primitives.ids import DeliveryId, WebhookId
from perkwire.primitives.timestamps import MICROSECONDS, now
from tests.builders import (
    NOW,
    SECRET,
    a_delivery,
    a_delivery_message,
    a_received,
    a_webhook,
    an_account,
    an_attempt,
    an_event,
    webhooks,
)
from tests.fakes import (
    FakeClock,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeDeliveryTable,
    FakeOpener,
    FakeSender,
    FakeTelemetry,
    FakeTopics,
    FakeWebhookLookup,
)

MAX_ATTEMPTS = 6
INTERVAL = 300
REQUEST_SECONDS = 1.0
OK = Response(200, "thanks", 5)
BROKEN = Response(500, "oh no", 7)


class DispatcherBench:
    """A dispatcher with fakes all around it, and one enabled webhook."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self.config = FakeConfigItems()
        self.webhook = a_webhook()
        self.config.put(an_account(), self.webhook)
        self.lookup = FakeWebhookLookup(self.config)
        self.deliveries = FakeDeliveryItems()
        self.log = FakeDeliveryTable(self.deliveries)
        self.vault = FakeOpener()
        self.sender = FakeSender()
        self.journal = FakeTelemetry()
        self.topics = FakeTopics()
        self.clock = FakeClock(NOW)
        self.executor = executor
        self.seconds_left = 3 * REQUEST_SECONDS
        self.seconds_left_of_steps: list[float] = []

    def dispatch(
        self, *received: Received, after_failures: int = 20, when_exhausted: bool = False
    ) -> list[str]:
        dispatching = Dispatcher(
            webhooks=self.lookup,
            log=self.log,
            vault=self.vault,
            sender=self.sender,
            follow_up=FollowUp(
                health=self.lookup,
                noticing=Noticing(
                    counts=self.lookup,
                    publisher=self.topics,
                    journal=self.journal,
                    interval_minutes=60,
                ),
                journal=self.journal,
                rule=PauseRule(after_failures, when_exhausted),
                max_attempts=MAX_ATTEMPTS,
                clock=self.clock,
            ),
            journal=self.journal,
            rule=DispatchRule(
                max_attempts=MAX_ATTEMPTS,
                retry_interval_seconds=INTERVAL,
                request_seconds=REQUEST_SECONDS,
            ),
            executor=self.executor,
            clock=self.clock,
        )
        return dispatching.dispatch(received, self._seconds_left)

    def _seconds_left(self) -> float:
        steps = self.seconds_left_of_steps
        return steps.pop(0) if steps else self.seconds_left

    def change_webhook(self, **changes: object) -> Webhook:
        self.webhook = replace(self.webhook, **changes)  # type: ignore[arg-type]
        self.config.put(self.webhook)
        return self.webhook

    def answer(self, *answers: Response | NoResponse) -> None:
        self.sender.answer(self.webhook.url, *answers)

    def entry(self) -> Delivery:
        """The only log entry."""
        (entry,) = self.deliveries.entries.values()
        return entry

    def log_an_entry(self, **members: object) -> Delivery:
        entry = a_delivery(MESSAGE, **members)
        self.deliveries.put(entry)
        return entry


MESSAGE = a_delivery_message()


@pytest.fixture(scope="module")
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(10) as pool:
        yield pool


@pytest.fixture
def dispatcher(executor: ThreadPoolExecutor) -> DispatcherBench:
    return DispatcherBench(executor)


def received(receive_count: int = 1) -> Received:
    return a_received(MESSAGE, receive_count)


# Row 1: the message cannot be read.


@pytest.mark.parametrize("body", ["", "no JSON", "[]", "{}", '{"v":2}', '{"v":1,"run":0}'])
def test_a_message_that_cannot_be_read_is_left_with_one_clear_fault(
    dispatcher: DispatcherBench, body: str
) -> None:
    one = a_received(body)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.journal.kinds == ["message_unreadable"]
    assert dispatcher.journal.faults[0][1]["message_id"] == one.message_id
    assert dispatcher.lookup.calls.total() == 0


def test_an_unreadable_message_does_not_disturb_the_nine_others(
    dispatcher: DispatcherBench,
) -> None:
    batch = [a_received(a_delivery_message()) for _ in range(9)]
    batch.insert(4, a_received("{"))

    assert dispatcher.dispatch(*batch) == [batch[4].message_id]

    assert len(dispatcher.sender.requests) == 9
    assert len(dispatcher.deliveries.entries) == 9


POISON = {
    "a lone surrogate in data": lambda webhook: a_delivery_message(
        webhook, an_event(data={"name": "\ud800"})
    ),
    "a time outside the calendar": lambda webhook: a_delivery_message(
        webhook, an_event(occurred_at=2**60)
    ),
}


@pytest.mark.parametrize("kind", POISON)
def test_a_message_that_crashes_the_format_does_not_disturb_the_nine_others(
    dispatcher: DispatcherBench, kind: str
) -> None:
    batch = [a_received(a_delivery_message()) for _ in range(9)]
    batch.append(a_received(POISON[kind](dispatcher.webhook)))

    assert dispatcher.dispatch(*batch) == [batch[9].message_id]

    assert len(dispatcher.sender.requests) == 9


def test_a_format_that_crashes_says_nothing_of_the_event_and_is_tried_to_the_end(
    dispatcher: DispatcherBench,
) -> None:
    message = a_delivery_message(dispatcher.webhook, an_event(data={"name": "Zoe\ud800"}))

    for count, status in ((1, DeliveryStatus.RETRYING), (MAX_ATTEMPTS, DeliveryStatus.FAILED)):
        one = a_received(message, count)
        assert dispatcher.dispatch(one) == [one.message_id]
        assert (dispatcher.entry().status, dispatcher.entry().reason) == (status, Reason.FORMAT)

    assert dispatcher.journal.kinds == ["delivery_unrenderable"] * 2
    assert dispatcher.journal.faults[0][1]["detail"] == "UnicodeEncodeError"
    assert "Zoe" not in str(dispatcher.journal.faults)


@pytest.mark.parametrize(
    "broken",
    [
        "secret of another form",
        "format of a later version",
        "headers that may no longer be sent",
    ],
)
def test_a_webhook_that_cannot_be_sent_to_does_not_disturb_the_nine_others(
    dispatcher: DispatcherBench, broken: str
) -> None:
    other = a_webhook(
        id=WebhookId("wh_2"),
        url="https://other.example/",
        secret="x" * 20 if broken.startswith("secret") else SECRET,
        headers={"te": "trailers"} if broken.startswith("headers") else {},
        format="later" if broken.startswith("format") else "standard",
    )
    dispatcher.config.put(other)
    batch = [a_received(a_delivery_message()) for _ in range(9)]
    batch.append(a_received(a_delivery_message(other)))

    assert dispatcher.dispatch(*batch) == [batch[9].message_id]

    assert {request.url for request in dispatcher.sender.requests} == {dispatcher.webhook.url}
    # An unreadable secret changes nothing: the delivery is not the format's failure.
    assert len(dispatcher.deliveries.entries) == (9 if broken.startswith("secret") else 10)
    assert dispatcher.journal.kinds == [
        "secret_unreadable" if broken.startswith("secret") else "delivery_unrenderable"
    ]


def test_a_sender_that_crashes_does_not_disturb_the_nine_others(
    dispatcher: DispatcherBench,
) -> None:
    class Crashing(FakeSender):
        def send(self, request: Request) -> Response | NoResponse:
            if request.url == crashing.url:
                raise RuntimeError(request.url)
            return super().send(request)

    crashing = a_webhook(id=WebhookId("wh_2"), url="https://other.example/")
    dispatcher.config.put(crashing)
    dispatcher.sender = Crashing()
    batch = [a_received(a_delivery_message()) for _ in range(9)]
    batch.append(a_received(a_delivery_message(crashing)))

    assert dispatcher.dispatch(*batch) == [batch[9].message_id]

    assert len(dispatcher.deliveries.entries) == 9
    assert dispatcher.journal.kinds == ["attempt_crashed"]
    assert crashing.url not in str(dispatcher.journal.faults)


# Row 2: account or webhook absent, secret unreadable, DynamoDB or KMS failing, no time left.


def test_without_its_webhook_a_message_is_left_and_nothing_changes(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.config.webhooks.clear()
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.journal.kinds == ["webhook_absent"]
    assert not dispatcher.sender.requests
    assert not dispatcher.deliveries.entries


def test_without_its_account_a_message_is_left_even_if_the_webhook_is_there(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.config.accounts.clear()
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert not dispatcher.sender.requests


def test_a_webhook_of_another_account_is_not_sent_to(dispatcher: DispatcherBench) -> None:
    one = a_received(replace(MESSAGE, account_id=an_account(id="acct_other").id))
    dispatcher.config.put(an_account(id="acct_other"))

    assert dispatcher.dispatch(one) == [one.message_id]

    assert not dispatcher.sender.requests


@pytest.mark.parametrize("failing", ["webhooks", "log"])
def test_if_the_tables_cannot_be_read_every_message_is_left(
    dispatcher: DispatcherBench, failing: str
) -> None:
    if failing == "webhooks":
        dispatcher.lookup.fail("states")
    else:
        dispatcher.log.fail("find")
    batch = [a_received(a_delivery_message()) for _ in range(3)]

    assert dispatcher.dispatch(*batch) == [one.message_id for one in batch]

    assert dispatcher.journal.kinds == ["dispatching_unavailable"]
    assert not dispatcher.sender.requests
    assert not dispatcher.deliveries.entries


def test_a_table_that_fails_does_not_make_a_deleted_webhooks_message_go(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.change_webhook(status=WebhookStatus.DELETED)
    dispatcher.log.fail("find")
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]


def test_a_secret_that_kms_does_not_open_means_nothing_is_sent(dispatcher: DispatcherBench) -> None:
    dispatcher.vault.fail("open", 2)
    batch = [a_received(a_delivery_message()) for _ in range(3)]

    (left,) = dispatcher.dispatch(*batch)

    assert left in [one.message_id for one in batch]
    assert dispatcher.journal.kinds == ["secret_unreadable"]
    assert len(dispatcher.sender.requests) == 2
    assert len(dispatcher.deliveries.entries) == 2


@pytest.mark.parametrize("secret", ["", "hush-hush-hush-hush", SECRET[:20]])
def test_a_secret_that_cannot_sign_means_nothing_is_sent_and_nothing_changes(
    dispatcher: DispatcherBench, secret: str
) -> None:
    dispatcher.config.put(a_webhook(secret=secret))
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.journal.kinds == ["secret_unreadable"]
    assert "hush" not in str(dispatcher.journal.faults)
    assert SECRET[6:20] not in str(dispatcher.journal.faults)
    assert not dispatcher.sender.requests
    assert not dispatcher.deliveries.entries


def test_what_was_received_before_and_never_logged_is_logged_before_it_is_sent(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.vault.fail("open", 1)
    one = received(2)

    assert dispatcher.dispatch(one) == [one.message_id]

    (entry,) = dispatcher.deliveries.entries.values()
    assert (entry.status, entry.attempts) == (DeliveryStatus.RETRYING, ())
    assert entry.due_at is not None
    later = entry.due_at + 3 * INTERVAL * MICROSECONDS
    assert entry.standing(later, INTERVAL) == (DeliveryStatus.FAILED, Reason.LOST)


def test_a_retired_secret_that_cannot_sign_stops_the_attempt_too(
    dispatcher: DispatcherBench,
) -> None:
    retired = RetiredSecret(a_webhook(secret="hush-hush").sealed.secret, NOW + 1)
    dispatcher.change_webhook(sealed=replace(dispatcher.webhook.sealed, retired=retired))
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.journal.kinds == ["secret_unreadable"]
    assert not dispatcher.sender.requests


def test_the_secret_of_another_webhook_is_not_used(dispatcher: DispatcherBench) -> None:
    foreign = a_webhook(id=WebhookId("wh_foreign")).sealed
    dispatcher.change_webhook(sealed=foreign)
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert not dispatcher.sender.requests


@pytest.mark.parametrize("receive_count", [1, MAX_ATTEMPTS])
def test_what_a_later_release_logged_is_left_alone_and_harms_no_other(
    receive_count: int, dispatcher: DispatcherBench
) -> None:
    theirs = dispatcher.log_an_entry(status=DeliveryStatus.UNKNOWN)
    one, other = received(receive_count), a_received(a_delivery_message())

    assert dispatcher.dispatch(one, other) == [one.message_id]

    assert dispatcher.journal.count("delivery_of_later_release") == 1
    assert dispatcher.deliveries.entries[theirs.id] == theirs
    assert len(dispatcher.sender.requests) == 1


def test_receives_without_a_secret_do_not_make_a_live_delivery_read_as_lost(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.answer(BROKEN)
    dispatcher.dispatch(received(1))
    dispatcher.vault.fail("open")
    for receive_count in range(2, MAX_ATTEMPTS):
        dispatcher.clock.pass_seconds(INTERVAL)
        dispatcher.dispatch(received(receive_count))

        standing = dispatcher.entry().standing(dispatcher.clock.now + INTERVAL, INTERVAL)
        assert standing == (DeliveryStatus.RETRYING, None)

    assert [attempt.number for attempt in dispatcher.entry().attempts] == [1]
    # If the next one never comes, that still shows.
    late = dispatcher.clock.now + 4 * INTERVAL * MICROSECONDS
    assert dispatcher.entry().standing(late, INTERVAL) == (DeliveryStatus.FAILED, Reason.LOST)


def test_a_receive_that_finds_no_webhook_keeps_a_live_delivery_alive(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.answer(BROKEN)
    dispatcher.dispatch(received(1))
    due_at = dispatcher.entry().due_at
    dispatcher.config.webhooks.clear()
    dispatcher.clock.pass_seconds(INTERVAL)

    dispatcher.dispatch(received(2))

    assert dispatcher.entry().due_at == (due_at or 0) + INTERVAL * MICROSECONDS


@pytest.mark.parametrize("status", [DeliveryStatus.FAILED, DeliveryStatus.CANCELLED])
def test_a_receive_without_a_secret_changes_nothing_that_is_settled(
    status: DeliveryStatus, dispatcher: DispatcherBench
) -> None:
    entry = dispatcher.log_an_entry(status=status)
    dispatcher.vault.fail("open")

    dispatcher.dispatch(received(2))

    assert dispatcher.entry() == entry


def test_with_one_attempt_in_all_its_only_receive_is_in_the_log_before_it_is_sent(
    dispatcher: DispatcherBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.dispatching.test_dispatching.MAX_ATTEMPTS", 1)
    logged: list[Delivery] = []

    def look(_request: Request) -> Response | NoResponse:
        logged.append(dispatcher.entry())
        return OK

    monkeypatch.setattr(dispatcher.sender, "send", look)
    dispatcher.dispatch(received(1))

    assert [entry.status for entry in logged] == [DeliveryStatus.RETRYING]
    assert dispatcher.entry().status is DeliveryStatus.SUCCEEDED


def test_without_time_left_messages_are_left_as_they_are(dispatcher: DispatcherBench) -> None:
    dispatcher.seconds_left = REQUEST_SECONDS
    batch = [a_received(a_delivery_message()) for _ in range(3)]

    assert dispatcher.dispatch(*batch) == [one.message_id for one in batch]

    assert dispatcher.journal.kinds == ["no_time_left"] * 3
    assert not dispatcher.sender.requests
    assert not dispatcher.deliveries.entries


class Overrunning:
    """A step that ends only once the log has been written, or much too late."""

    def __init__(
        self, dispatcher: DispatcherBench, url: str, monkeypatch: pytest.MonkeyPatch
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


def a_batch_with_one_other(dispatcher: DispatcherBench) -> tuple[str, list[Received]]:
    """Nine messages for the webhook, and the last for another."""
    other = a_webhook(id=WebhookId("wh_2"), url="https://other.example/")
    dispatcher.config.put(other)
    batch = [a_received(a_delivery_message()) for _ in range(9)]
    return other.url, [*batch, a_received(a_delivery_message(other))]


def test_a_request_that_overruns_leaves_the_log_of_its_batch_whole(
    dispatcher: DispatcherBench, monkeypatch: pytest.MonkeyPatch
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
    dispatcher: DispatcherBench, monkeypatch: pytest.MonkeyPatch
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
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.seconds_left = REQUEST_SECONDS
    dispatcher.log_an_entry()

    assert dispatcher.dispatch(received()) == []


def _lose_the_webhook(dispatcher: DispatcherBench) -> None:
    dispatcher.config.webhooks.clear()


def _lose_the_account(dispatcher: DispatcherBench) -> None:
    dispatcher.config.accounts.clear()


def _fail_reading_webhooks(dispatcher: DispatcherBench) -> None:
    dispatcher.lookup.fail("states")


def _fail_reading_the_log(dispatcher: DispatcherBench) -> None:
    dispatcher.log.fail("find")


def _close_the_vault(dispatcher: DispatcherBench) -> None:
    dispatcher.vault.fail("open")


def _spoil_the_secret(dispatcher: DispatcherBench) -> None:
    dispatcher.config.put(a_webhook(secret="hush-hush-hush-hush"))


def _run_out_of_time(dispatcher: DispatcherBench) -> None:
    dispatcher.seconds_left = REQUEST_SECONDS


def _crash_the_sender(dispatcher: DispatcherBench) -> None:
    class Crashing(FakeSender):
        def send(self, request: Request) -> Response | NoResponse:
            raise RuntimeError

    dispatcher.sender = Crashing()


NEVER_TRIED = [
    _lose_the_webhook,
    _lose_the_account,
    _fail_reading_webhooks,
    _fail_reading_the_log,
    _close_the_vault,
    _spoil_the_secret,
    _run_out_of_time,
    _crash_the_sender,
]


@pytest.mark.parametrize("fault", NEVER_TRIED)
def test_what_is_left_untried_at_its_last_receive_is_logged_as_failed(
    dispatcher: DispatcherBench, fault: Callable[[DispatcherBench], None]
) -> None:
    before = dispatcher.log_an_entry(
        status=DeliveryStatus.RETRYING, attempts=(an_attempt(),), due_at=NOW + 1
    )
    fault(dispatcher)
    one = received(MAX_ATTEMPTS - 1)
    assert dispatcher.dispatch(one) == [one.message_id]
    assert replace(dispatcher.entry(), due_at=before.due_at) == before

    one = received(MAX_ATTEMPTS)
    assert dispatcher.dispatch(one) == [one.message_id]

    entry = dispatcher.entry()
    assert (entry.status, entry.reason) == (DeliveryStatus.FAILED, Reason.UNAVAILABLE)
    assert (entry.attempts, entry.due_at) == (before.attempts, None)
    assert not dispatcher.sender.requests
    assert dispatcher.config.streaks == {}


@pytest.mark.parametrize("fault", NEVER_TRIED)
def test_what_was_never_tried_at_all_is_in_the_log_after_its_last_receive(
    dispatcher: DispatcherBench, fault: Callable[[DispatcherBench], None]
) -> None:
    fault(dispatcher)

    dispatcher.dispatch(received(MAX_ATTEMPTS), received(MAX_ATTEMPTS))

    entry = dispatcher.entry()
    assert (entry.status, entry.reason) == (DeliveryStatus.FAILED, Reason.UNAVAILABLE)
    assert (entry.event_ids, entry.attempts) == ((MESSAGE.events[0].id,), ())


@pytest.mark.parametrize(
    "entry", [{}, {"run": 1, "status": DeliveryStatus.RETRYING}], ids=["succeeded", "newer run"]
)
@pytest.mark.parametrize("fault", [_lose_the_webhook, _fail_reading_the_log])
def test_a_last_receive_that_finds_nothing_overwrites_no_success_and_no_newer_run(
    dispatcher: DispatcherBench, fault: Callable[[DispatcherBench], None], entry: dict[str, object]
) -> None:
    before = dispatcher.log_an_entry(**entry)
    fault(dispatcher)
    one = received(MAX_ATTEMPTS)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.entry() == before


# Row 3: already succeeded, or the message's run is older than the delivery's.


def test_a_delivery_that_has_succeeded_is_not_sent_again(dispatcher: DispatcherBench) -> None:
    before = dispatcher.log_an_entry()

    assert dispatcher.dispatch(received(receive_count=2)) == []

    assert not dispatcher.sender.requests
    assert dispatcher.entry() == before
    assert dispatcher.log.calls["write"] == 0


@pytest.mark.parametrize(
    "status", [DeliveryStatus.RETRYING, DeliveryStatus.FAILED, DeliveryStatus.CANCELLED]
)
def test_a_message_of_an_older_run_is_deleted_and_nothing_changes(
    dispatcher: DispatcherBench, status: DeliveryStatus
) -> None:
    before = dispatcher.log_an_entry(run=1, status=status)

    assert dispatcher.dispatch(received()) == []

    assert not dispatcher.sender.requests
    assert dispatcher.entry() == before


@pytest.mark.parametrize(
    "status", [WebhookStatus.DELETED, WebhookStatus.DISABLED, WebhookStatus.PAUSED]
)
@pytest.mark.parametrize(
    "entry", [{}, {"run": 1, "status": DeliveryStatus.RETRYING}], ids=["succeeded", "older run"]
)
def test_being_settled_goes_before_the_webhooks_status(
    dispatcher: DispatcherBench, status: WebhookStatus, entry: dict[str, object]
) -> None:
    dispatcher.change_webhook(status=status)
    before = dispatcher.log_an_entry(**entry)

    assert dispatcher.dispatch(received()) == []

    assert dispatcher.entry() == before


def test_a_settled_message_needs_no_secret(dispatcher: DispatcherBench) -> None:
    dispatcher.vault.fail("open")
    dispatcher.log_an_entry()

    assert dispatcher.dispatch(received()) == []


def test_an_absent_webhook_goes_before_being_settled(dispatcher: DispatcherBench) -> None:
    dispatcher.log_an_entry()
    dispatcher.config.webhooks.clear()
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]


# Rows 4 and 5: webhook deleted, disabled, paused.

UNSENT = {
    WebhookStatus.DELETED: (DeliveryStatus.CANCELLED, Reason.DELETED),
    WebhookStatus.DISABLED: (DeliveryStatus.CANCELLED, Reason.DISABLED),
    WebhookStatus.PAUSED: (DeliveryStatus.FAILED, Reason.PAUSED),
}


@pytest.mark.parametrize("status", UNSENT)
def test_a_webhook_that_is_not_enabled_settles_the_delivery_unsent(
    dispatcher: DispatcherBench, status: WebhookStatus
) -> None:
    dispatcher.change_webhook(status=status)

    assert dispatcher.dispatch(received()) == []

    entry = dispatcher.entry()
    assert (entry.status, entry.reason) == UNSENT[status]
    assert entry.attempts == ()
    assert entry.due_at is None
    assert not dispatcher.sender.requests


@pytest.mark.parametrize("status", UNSENT)
def test_a_retrying_delivery_keeps_its_attempts_when_it_is_settled_unsent(
    dispatcher: DispatcherBench, status: WebhookStatus
) -> None:
    dispatcher.change_webhook(status=status)
    dispatcher.log_an_entry(
        status=DeliveryStatus.RETRYING, attempts=(an_attempt(),), due_at=NOW + 1
    )

    assert dispatcher.dispatch(received(receive_count=2)) == []

    entry = dispatcher.entry()
    assert (entry.status, entry.reason) == UNSENT[status]
    assert entry.attempts == (an_attempt(),)
    assert entry.due_at is None


@pytest.mark.parametrize("status", UNSENT)
def test_a_message_is_not_deleted_unsent_unless_the_log_has_stored_why(
    dispatcher: DispatcherBench, status: WebhookStatus
) -> None:
    dispatcher.change_webhook(status=status)
    dispatcher.log.fail("write")
    one = received(receive_count=MAX_ATTEMPTS)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.journal.kinds == ["delivery_not_logged"]


def test_a_deleted_webhooks_tombstone_has_no_secret_and_needs_none(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.change_webhook(
        status=WebhookStatus.DELETED, sealed=SealedSecrets(secret=b"", headers=None)
    )

    assert dispatcher.dispatch(received()) == []

    assert dispatcher.journal.faults == []


def test_a_cancelled_delivery_is_sent_if_its_message_comes_and_the_webhook_is_enabled(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.log_an_entry(status=DeliveryStatus.CANCELLED, reason=Reason.DISABLED)

    assert dispatcher.dispatch(received()) == []

    assert dispatcher.entry().status is DeliveryStatus.SUCCEEDED
    assert dispatcher.entry().reason is None


# Row 6: the format cannot render it.


@pytest.mark.parametrize(
    ("receive_count", "status"),
    [
        (1, DeliveryStatus.RETRYING),
        (MAX_ATTEMPTS - 1, DeliveryStatus.RETRYING),
        (MAX_ATTEMPTS, DeliveryStatus.FAILED),
    ],
)
def test_what_the_format_cannot_render_is_left_and_the_log_says_why(
    dispatcher: DispatcherBench,
    monkeypatch: pytest.MonkeyPatch,
    receive_count: int,
    status: DeliveryStatus,
) -> None:
    monkeypatch.setattr("perkwire.formats.FORMATS", {"standard": Wordless()})
    one = received(receive_count)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.entry().status is status
    assert dispatcher.entry().reason is Reason.FORMAT
    assert dispatcher.journal.kinds == ["delivery_unrenderable"]
    assert not dispatcher.sender.requests


@pytest.mark.parametrize(
    ("receive_count", "status"),
    [(1, DeliveryStatus.RETRYING), (MAX_ATTEMPTS, DeliveryStatus.FAILED)],
)
def test_so_is_what_is_in_a_format_that_this_release_does_not_know(
    dispatcher: DispatcherBench, receive_count: int, status: DeliveryStatus
) -> None:
    dispatcher.change_webhook(format="zinrelo@2031-01-01")
    one = received(receive_count)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.entry().status is status
    assert dispatcher.entry().reason is Reason.FORMAT
    assert dispatcher.journal.kinds == ["delivery_unrenderable"]
    assert "does not know" in str(dispatcher.journal.faults)
    assert not dispatcher.sender.requests


class Wordless:
    """A format that can say nothing."""

    def render(self, _payload: object) -> bytes:
        raise Unrenderable("evt_1")


# Row 7: success.


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_success_is_logged_and_its_message_deleted(
    dispatcher: DispatcherBench, status: int
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


def test_a_success_deletes_the_message_even_if_the_log_fails(dispatcher: DispatcherBench) -> None:
    dispatcher.log.fail("write")

    assert dispatcher.dispatch(received()) == []

    assert len(dispatcher.sender.requests) == 1
    assert dispatcher.journal.kinds == ["delivery_not_logged"]


def test_a_success_after_failures_clears_what_was_due(dispatcher: DispatcherBench) -> None:
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
    dispatcher: DispatcherBench, answer: Response | NoResponse
) -> None:
    dispatcher.answer(answer)
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    entry = dispatcher.entry()
    assert entry.status is DeliveryStatus.RETRYING
    assert entry.due_at == NOW + INTERVAL * MICROSECONDS
    (attempt,) = entry.attempts
    match answer:
        case Response(status, snippet, _):
            shown = (attempt.status_code, attempt.response, attempt.error)
            assert shown == (status, snippet, None)
        case NoResponse(error, _):
            shown = (attempt.status_code, attempt.response, attempt.error)
            assert shown == (None, None, error)


@pytest.mark.parametrize("receive_count", [MAX_ATTEMPTS, MAX_ATTEMPTS + 1])
def test_the_last_attempt_fails_the_delivery_and_leaves_the_message_to_be_dead_lettered(
    dispatcher: DispatcherBench, receive_count: int
) -> None:
    dispatcher.answer(BROKEN)
    one = received(receive_count)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.entry().status is DeliveryStatus.FAILED
    assert dispatcher.entry().due_at is None


def test_the_attempt_before_the_last_is_still_retrying(dispatcher: DispatcherBench) -> None:
    dispatcher.answer(BROKEN)

    dispatcher.dispatch(received(MAX_ATTEMPTS - 1))

    assert dispatcher.entry().status is DeliveryStatus.RETRYING


def test_a_failure_that_is_not_logged_leaves_the_message_too(dispatcher: DispatcherBench) -> None:
    dispatcher.answer(BROKEN)
    dispatcher.log.fail("write")
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.journal.kinds == ["delivery_not_logged"]


def test_a_late_failure_does_not_overwrite_a_success_that_came_meanwhile(
    dispatcher: DispatcherBench,
) -> None:
    class Twin(FakeSender):
        def send(self, request: Request) -> Response | NoResponse:
            dispatcher.log_an_entry(attempts=(an_attempt(status_code=200),))
            return BROKEN

    dispatcher.sender = Twin()
    one = received(MAX_ATTEMPTS)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.entry().status is DeliveryStatus.SUCCEEDED


def test_a_late_failure_does_not_undo_a_newer_run(dispatcher: DispatcherBench) -> None:
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
    dispatcher: DispatcherBench,
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
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.answer(BROKEN)
    dispatcher.log_an_entry(status=DeliveryStatus.FAILED, attempts=(an_attempt(number=6),))

    dispatcher.dispatch(a_received(replace(MESSAGE, run=1)))
    assert dispatcher.dispatch(received(3)) == []

    entry = dispatcher.entry()
    assert (entry.run, entry.status) == (1, DeliveryStatus.RETRYING)
    assert [attempt.number for attempt in entry.attempts] == [6, 7]


def test_an_attempt_that_was_not_logged_still_counts(dispatcher: DispatcherBench) -> None:
    dispatcher.answer(BROKEN)
    dispatcher.log.fail("write", 1)

    dispatcher.dispatch(received(1))
    dispatcher.dispatch(received(2))

    assert [attempt.number for attempt in dispatcher.entry().attempts] == [2]


def test_a_dead_letter_brought_back_is_tried_again_under_the_same_id(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.answer(BROKEN, OK)

    dispatcher.dispatch(received(MAX_ATTEMPTS))
    assert dispatcher.entry().status is DeliveryStatus.FAILED
    dispatcher.dispatch(received(1))

    assert dispatcher.entry().status is DeliveryStatus.SUCCEEDED
    first, second = dispatcher.sender.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == MESSAGE.delivery_id
    assert first.body == second.body


# A whole invocation.


def test_nothing_received_is_nothing_done(dispatcher: DispatcherBench) -> None:
    assert dispatcher.dispatch() == []
    assert dispatcher.lookup.calls.total() + dispatcher.log.calls.total() == 0


def test_if_every_message_fails_all_ids_come_back_and_nothing_is_raised(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.answer(BROKEN)
    batch = [a_received(a_delivery_message()) for _ in range(10)]

    assert dispatcher.dispatch(*batch) == [one.message_id for one in batch]


def test_only_the_failed_ones_come_back_in_their_order(dispatcher: DispatcherBench) -> None:
    dispatcher.config.put(*webhooks(10))
    batch = []
    for position, webhook in enumerate(webhooks(10)):
        dispatcher.sender.answer(webhook.url, BROKEN if position % 3 == 0 else OK)
        batch.append(a_received(a_delivery_message(webhook)))

    assert dispatcher.dispatch(*batch) == [one.message_id for one in batch[::3]]


def test_two_copies_in_one_batch_are_sent_once(dispatcher: DispatcherBench) -> None:
    assert dispatcher.dispatch(received(), received(), received()) == []

    assert len(dispatcher.sender.requests) == 1
    assert len(dispatcher.entry().attempts) == 1
    assert dispatcher.journal.faults == []
    assert [what for what, _ in dispatcher.journal.notes].count("delivery.doubled") == 2


def test_the_second_copy_of_a_success_that_is_not_logged_is_deleted_too(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.log.fail("write")

    assert dispatcher.dispatch(received(), received()) == []

    assert len(dispatcher.sender.requests) == 1


@pytest.mark.parametrize("receive_count", [1, MAX_ATTEMPTS])
def test_both_copies_of_a_failed_attempt_are_left_and_it_counts_once(
    dispatcher: DispatcherBench, receive_count: int
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
    dispatcher: DispatcherBench, status: WebhookStatus, logged: bool
) -> None:
    dispatcher.change_webhook(status=status)
    if not logged:
        dispatcher.log.fail("write")
    copies = [received(), received()]

    left = [] if logged else [one.message_id for one in copies]
    assert dispatcher.dispatch(*copies) == left


def test_both_copies_of_what_has_succeeded_go(dispatcher: DispatcherBench) -> None:
    dispatcher.log_an_entry()

    assert dispatcher.dispatch(received(), received()) == []

    assert not dispatcher.sender.requests


def test_both_copies_of_what_cannot_be_rendered_or_opened_are_left(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.vault.fail("open")
    copies = [received(), received()]

    assert dispatcher.dispatch(*copies) == [one.message_id for one in copies]


@pytest.mark.parametrize("newer_first", [True, False])
def test_the_message_of_a_newer_run_is_sent_beside_one_of_an_older(
    dispatcher: DispatcherBench, newer_first: bool
) -> None:
    dispatcher.log_an_entry(run=1, status=DeliveryStatus.RETRYING)
    older, newer = received(MAX_ATTEMPTS), a_received(replace(MESSAGE, run=1))

    dispatcher.dispatch(*([newer, older] if newer_first else [older, newer]))

    assert dispatcher.entry().status is DeliveryStatus.SUCCEEDED
    assert len(dispatcher.sender.requests) == 1


@pytest.mark.parametrize("run", [0, 1])
def test_beside_a_newer_run_that_fails_the_older_stays_until_it_is_settled(
    dispatcher: DispatcherBench, run: int
) -> None:
    dispatcher.answer(BROKEN)
    dispatcher.log_an_entry(run=run, status=DeliveryStatus.FAILED)
    older, newer = received(), a_received(replace(MESSAGE, run=1))

    assert dispatcher.dispatch(older, newer) == [older.message_id, newer.message_id]

    assert (dispatcher.entry().run, dispatcher.entry().status) == (1, DeliveryStatus.RETRYING)
    assert dispatcher.dispatch(replace(older, receive_count=2)) == []
    assert len(dispatcher.sender.requests) == 1


def test_requests_run_side_by_side(dispatcher: DispatcherBench) -> None:
    together = threading.Barrier(10)

    class Meeting(FakeSender):
        def send(self, request: Request) -> Response | NoResponse:
            together.wait(timeout=5)
            return super().send(request)

    dispatcher.sender = Meeting()
    batch = [a_received(a_delivery_message()) for _ in range(10)]

    assert dispatcher.dispatch(*batch) == []


def test_an_invocation_reads_each_table_once_and_writes_the_log_once(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.dispatch(*[a_received(a_delivery_message()) for _ in range(10)])

    assert dispatcher.lookup.calls == {"states": 1}
    assert dispatcher.log.calls == {"find": 1, "write": 1}


def test_a_log_that_fails_for_a_batch_loses_no_message_and_repeats_only_failures(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.config.put(*webhooks(2))
    well, ill = webhooks(2)
    dispatcher.sender.answer(ill.url, BROKEN)
    dispatcher.log.fail("write")
    batch = [a_received(a_delivery_message(webhook)) for webhook in (well, ill)]

    assert dispatcher.dispatch(*batch) == [batch[1].message_id]

    assert dispatcher.journal.count("delivery_not_logged") == 2


# What is sent.


def test_the_request_verifies_with_the_reference_library(dispatcher: DispatcherBench) -> None:
    dispatcher.clock.now = now()
    message = a_delivery_message(None, an_event(data={"name": "Zoë"}, program_id="p"))

    dispatcher.dispatch(a_received(message))

    (request,) = dispatcher.sender.requests
    said = Verifier(SECRET).verify(request.body, dict(request.headers))
    assert said["data"] == {"name": "Zoë"}
    assert said["program_id"] == "p"
    assert request.url == dispatcher.webhook.url


def test_each_attempt_is_signed_anew_and_carries_the_same_id_and_body(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.answer(BROKEN)

    dispatcher.dispatch(received(1))
    dispatcher.clock.pass_seconds(INTERVAL)
    dispatcher.dispatch(received(2))

    first, second = dispatcher.sender.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) == NOW // MICROSECONDS + INTERVAL
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_custom_headers_are_sent_and_ours_stay_ours(dispatcher: DispatcherBench) -> None:
    dispatcher.webhook = a_webhook(headers={"Authorization": "Bearer t", "x-shop": "7"})
    dispatcher.config.put(dispatcher.webhook)

    dispatcher.dispatch(received())

    (request,) = dispatcher.sender.requests
    assert request.headers["Authorization"] == "Bearer t"
    assert request.headers["x-shop"] == "7"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Perkwire/")
    assert request.headers["webhook-id"] == MESSAGE.delivery_id


@pytest.mark.parametrize("name", ["x-mine", "x_mine", "X_Mine"])
@pytest.mark.parametrize("signature_header", ["x-mine", "x_mine"])
def test_a_signature_header_is_never_sent_twice(
    dispatcher: DispatcherBench, signature_header: str, name: str
) -> None:
    """As a webhook may be stored since before a rule."""
    dispatcher.config.put(
        a_webhook(
            secret="a-secret-of-plain-characters",
            headers={name: "forged"},
            format="qualifio",
            format_settings={
                "signature_header": signature_header,
                "signature_algorithm": "sha256",
                "signature_encoding": "hex",
            },
        )
    )

    message = received(MAX_ATTEMPTS)

    assert dispatcher.dispatch(message) == [message.message_id]

    assert dispatcher.sender.requests == []
    assert (dispatcher.entry().status, dispatcher.entry().reason) == ("failed", Reason.FORMAT)


def test_an_answer_that_echoes_is_logged_without_secrets(dispatcher: DispatcherBench) -> None:
    dispatcher.webhook = a_webhook(headers={"Authorization": "Bearer of/the+receiver"})
    dispatcher.config.put(dispatcher.webhook)
    echo = f'{{"authorization": "Bearer of\\/the+receiver", "key": "{SECRET}", "why": "no"}}'
    dispatcher.answer(Response(500, echo, 7))

    dispatcher.dispatch(received())

    (attempt,) = dispatcher.entry().attempts
    assert attempt.response == '{"authorization": "Bearer …", "key": "…", "why": "no"}'


def test_so_it_is_without_the_secret_that_was_rotated(dispatcher: DispatcherBench) -> None:
    retired = "whsec_" + "B" * 40
    sealed = dispatcher.webhook.sealed
    until = NOW + MICROSECONDS
    dispatcher.change_webhook(
        sealed=replace(
            sealed, retired=RetiredSecret(a_webhook(secret=retired).sealed.secret, until)
        )
    )
    dispatcher.answer(Response(500, f"not signed with {retired}", 7))

    dispatcher.dispatch(received())

    assert dispatcher.entry().attempts[0].response == "not signed with …"


def test_a_changed_url_and_secret_act_on_queued_messages(dispatcher: DispatcherBench) -> None:
    secret = "whsec_" + "B" * 40
    dispatcher.clock.now = now()
    dispatcher.webhook = a_webhook(secret=secret, url="https://moved.example/")
    dispatcher.config.put(dispatcher.webhook)

    dispatcher.dispatch(received())

    (request,) = dispatcher.sender.requests
    assert request.url == "https://moved.example/"
    Verifier(secret).verify(request.body, dict(request.headers))


@pytest.mark.parametrize("after", [-1, 0, 1])
def test_until_the_overlap_of_a_rotation_ends_the_old_secret_signs_too(
    dispatcher: DispatcherBench, after: int
) -> None:
    dispatcher.clock.now = now()
    old, new = a_webhook(), a_webhook(secret="whsec_" + "B" * 40)
    retired = RetiredSecret(old.sealed.secret, dispatcher.clock.now - after)
    dispatcher.change_webhook(sealed=replace(new.sealed, retired=retired))

    dispatcher.dispatch(received())

    (request,) = dispatcher.sender.requests
    Verifier("whsec_" + "B" * 40).verify(request.body, dict(request.headers))
    if after < 0:
        Verifier(SECRET).verify(request.body, dict(request.headers))
    else:
        with pytest.raises(WebhookVerificationError):
            Verifier(SECRET).verify(request.body, dict(request.headers))


def test_a_webhook_for_batches_gets_the_envelope_even_around_one_event(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.change_webhook(batch_size=10)

    dispatcher.dispatch(received())

    assert dispatcher.sender.requests[0].body.startswith(b'{"type":"batch"')


def test_no_line_of_the_journal_holds_a_url_body_secret_or_header(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.webhook = a_webhook(headers={"Authorization": "Bearer t0ken"})
    dispatcher.config.put(dispatcher.webhook)
    dispatcher.answer(Response(500, "snippet", 1), OK)
    message = a_delivery_message(None, an_event(data={"name": "Zoë"}))
    dispatcher.dispatch(a_received(message))
    dispatcher.dispatch(a_received(message, 2))
    dispatcher.vault.fail("open")
    dispatcher.dispatch(received(), a_received('{"v":1,"delivery_id":"Zoë"}'))

    lines = str(dispatcher.journal.notes + dispatcher.journal.faults)

    assert len(dispatcher.journal.notes) == 2
    for secret in (SECRET, "t0ken", "Zo", "till.example", "snippet"):
        assert secret not in lines


def test_opened_secrets_do_not_show_themselves() -> None:
    opened = OpenedSecrets(SECRET, {"authorization": "Bearer t0ken"}, (SECRET, NOW))

    assert SECRET not in f"{opened!r} {opened}"
    assert "t0ken" not in f"{opened!r} {opened}"


def test_a_request_does_not_show_its_body_and_headers(dispatcher: DispatcherBench) -> None:
    dispatcher.webhook = a_webhook(headers={"Authorization": "Bearer t0ken"})
    dispatcher.config.put(dispatcher.webhook)
    dispatcher.dispatch(a_received(a_delivery_message(None, an_event(data={"name": "Zoe"}))))

    (request,) = dispatcher.sender.requests

    assert b"Zoe" in request.body
    for secret in ("Zoe", "t0ken", request.headers["webhook-signature"]):
        assert secret not in f"{request!r} {request}"


def test_each_attempt_makes_one_line_that_explains_it(dispatcher: DispatcherBench) -> None:
    dispatcher.answer(NoResponse(TransportError.TIMEOUT, 10_000))

    dispatcher.dispatch(received(2))

    ((what, line),) = dispatcher.journal.notes
    assert what == "delivery.attempted"
    assert line["delivery_id"] == MESSAGE.delivery_id
    assert (line["status"], line["attempt"], line["error"]) == ("retrying", 2, "timeout")


# Health.


def test_a_healthy_webhook_costs_no_write_of_health(dispatcher: DispatcherBench) -> None:
    dispatcher.dispatch(*[a_received(a_delivery_message()) for _ in range(10)])

    assert dispatcher.lookup.calls == {"states": 1}


def test_failures_of_one_invocation_lengthen_the_streak_at_once(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.answer(BROKEN)

    dispatcher.dispatch(*[a_received(a_delivery_message()) for _ in range(3)])

    assert dispatcher.config.streaks[dispatcher.webhook.id].failures == 3
    assert dispatcher.lookup.calls["add_failures"] == 1


def test_a_success_ends_a_streak(dispatcher: DispatcherBench) -> None:
    dispatcher.answer(BROKEN, OK)

    dispatcher.dispatch(received(1))
    dispatcher.dispatch(received(2))

    assert dispatcher.config.streaks == {}


def test_a_streak_long_enough_in_number_and_time_pauses_the_webhook(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.answer(BROKEN)
    for _ in range(2):
        dispatcher.dispatch(received(1), after_failures=3)
        assert dispatcher.config.webhooks[dispatcher.webhook.id].status is WebhookStatus.ENABLED
        dispatcher.clock.pass_seconds(QUIET_SECONDS)
    dispatcher.dispatch(received(2), after_failures=3)

    paused = dispatcher.config.webhooks[dispatcher.webhook.id]
    assert paused.status is WebhookStatus.PAUSED
    assert paused.pause == Pause(dispatcher.clock.now, PauseReason.FAILURES)
    assert [what for what, _ in dispatcher.journal.notes].count("webhook.paused") == 1


def test_a_410_pauses_at_once_and_is_logged_as_a_failed_attempt(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.answer(Response(410, "gone", 1))
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    paused = dispatcher.config.webhooks[dispatcher.webhook.id]
    assert paused.pause == Pause(NOW, PauseReason.GONE)
    assert dispatcher.entry().status is DeliveryStatus.RETRYING

    assert dispatcher.dispatch(replace(one, receive_count=2)) == []
    assert dispatcher.entry().reason is Reason.PAUSED


def test_a_410_pauses_even_if_another_request_of_the_invocation_succeeds(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.answer(OK, Response(410, "gone", 1))

    dispatcher.dispatch(received(), a_received(a_delivery_message()))

    paused = dispatcher.config.webhooks[dispatcher.webhook.id]
    assert paused.pause == Pause(NOW, PauseReason.GONE)


def test_a_410_of_a_url_that_was_changed_meanwhile_pauses_nothing(
    dispatcher: DispatcherBench,
) -> None:
    class ChangedMeanwhile(FakeSender):
        def send(self, request: Request) -> Response | NoResponse:
            dispatcher.change_webhook(url="https://moved.example/", version=2)
            return Response(410, "gone", 1)

    dispatcher.sender = ChangedMeanwhile()

    dispatcher.dispatch(received())

    assert dispatcher.config.webhooks[dispatcher.webhook.id].status is WebhookStatus.ENABLED
    assert "webhook.paused" not in [what for what, _ in dispatcher.journal.notes]


@pytest.mark.parametrize("when_exhausted", [True, False])
def test_the_first_exhausted_delivery_pauses_only_if_the_rule_is_set(
    dispatcher: DispatcherBench, when_exhausted: bool
) -> None:
    dispatcher.answer(BROKEN)

    dispatcher.dispatch(received(MAX_ATTEMPTS), when_exhausted=when_exhausted)

    paused = dispatcher.config.webhooks[dispatcher.webhook.id]
    assert (paused.status is WebhookStatus.PAUSED) is when_exhausted


def test_one_webhooks_health_is_not_anothers(dispatcher: DispatcherBench) -> None:
    well, ill = webhooks(2)
    dispatcher.config.put(well, ill)
    dispatcher.sender.answer(ill.url, Response(410, "", 1))

    dispatcher.dispatch(*[a_received(a_delivery_message(webhook)) for webhook in (well, ill)])

    assert dispatcher.config.webhooks[well.id].status is WebhookStatus.ENABLED
    assert dispatcher.config.webhooks[ill.id].status is WebhookStatus.PAUSED


def test_health_that_cannot_be_kept_changes_nothing_about_the_messages(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.answer(BROKEN)
    dispatcher.lookup.fail("add_failures")
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.entry().status is DeliveryStatus.RETRYING
    assert dispatcher.journal.kinds == ["health_not_kept"]


# Notices: a failed delivery and a pause, to accounts that want them.

TOPIC = "arn:aws:sns:us-east-1:0:topic"


@pytest.fixture
def noticed(dispatcher: DispatcherBench) -> DispatcherBench:
    """Its account wants notices."""
    dispatcher.config.put(an_account(notify_emails=("a@x.example",), notice_topic=TOPIC))
    return dispatcher


def subjects(dispatcher: DispatcherBench) -> list[str]:
    return [notice.subject for _, notice in dispatcher.topics.published]


def test_a_delivery_that_uses_up_its_attempts_is_told_of(noticed: DispatcherBench) -> None:
    noticed.answer(BROKEN)

    noticed.dispatch(received(MAX_ATTEMPTS - 1))
    assert subjects(noticed) == []
    noticed.dispatch(received(MAX_ATTEMPTS))

    assert subjects(noticed) == ['Webhook "Till": 1 delivery failed']
    assert noticed.topics.published[0][0] == TOPIC
    assert "status code 500" in noticed.topics.published[0][1].text


def test_what_cannot_be_rendered_to_the_end_is_told_of(
    noticed: DispatcherBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perkwire.formats.FORMATS", {"standard": Wordless()})

    noticed.dispatch(received(MAX_ATTEMPTS))

    assert subjects(noticed) == ['Webhook "Till": 1 delivery failed']
    assert "format of the webhook" in noticed.topics.published[0][1].text


def test_what_could_not_be_sent_to_the_end_is_told_of_and_not_blamed_on_the_endpoint(
    noticed: DispatcherBench,
) -> None:
    noticed.vault.fail("open")

    noticed.dispatch(received(MAX_ATTEMPTS - 1))
    assert subjects(noticed) == []
    noticed.dispatch(received(MAX_ATTEMPTS))

    assert subjects(noticed) == ['Webhook "Till": 1 delivery failed']
    assert "the endpoint was not asked" in noticed.topics.published[0][1].text


def test_the_failures_of_an_invocation_are_one_notice_for_each_webhook(
    noticed: DispatcherBench,
) -> None:
    other = a_webhook(id=WebhookId("wh_2"), name="Other", url="https://other.example/")
    noticed.config.put(other)
    noticed.answer(BROKEN)
    noticed.sender.answer(other.url, BROKEN)
    own = [a_received(a_delivery_message(), MAX_ATTEMPTS) for _ in range(3)]

    noticed.dispatch(*own, a_received(a_delivery_message(other), MAX_ATTEMPTS))

    assert sorted(subjects(noticed)) == [
        'Webhook "Other": 1 delivery failed',
        'Webhook "Till": 3 deliveries failed',
    ]


def test_what_failed_within_the_interval_is_told_with_the_first_delivery_after_it(
    noticed: DispatcherBench,
) -> None:
    noticed.answer(BROKEN, BROKEN, BROKEN)
    for _ in range(3):
        noticed.dispatch(a_received(a_delivery_message(noticed.webhook, an_event()), MAX_ATTEMPTS))
    assert subjects(noticed) == ['Webhook "Till": 1 delivery failed']

    noticed.answer(OK)
    for seconds in (1, 3600, 1):
        noticed.clock.pass_seconds(seconds)
        noticed.dispatch(a_received(a_delivery_message(noticed.webhook, an_event())))

    assert subjects(noticed)[1:] == ['Webhook "Till": 2 deliveries failed']


def test_a_pause_is_told_once_by_the_one_who_won_it(noticed: DispatcherBench) -> None:
    noticed.answer(Response(410, "", 5))
    stale = noticed.webhook

    noticed.dispatch(received())
    noticed.config.put(stale)  # as one sees it who has read it before the pause
    noticed.lookup.pause = lambda *_: False  # type: ignore[method-assign]
    noticed.dispatch(a_received(a_delivery_message()))

    assert subjects(noticed) == ['Webhook "Till": paused']


@pytest.mark.parametrize("status", [WebhookStatus.PAUSED, WebhookStatus.DISABLED])
def test_what_is_settled_unsent_is_not_told_of(
    noticed: DispatcherBench, status: WebhookStatus
) -> None:
    noticed.change_webhook(status=status)

    noticed.dispatch(received(MAX_ATTEMPTS))

    assert noticed.topics.calls.total() == noticed.lookup.calls["count_failed"] == 0


def test_success_costs_no_count_and_no_notice(noticed: DispatcherBench) -> None:
    noticed.dispatch(received(MAX_ATTEMPTS))

    assert noticed.lookup.calls == {"states": 1}
    assert noticed.topics.calls.total() == 0


def test_an_account_without_addresses_costs_no_count_and_no_notice(
    dispatcher: DispatcherBench,
) -> None:
    dispatcher.answer(BROKEN)

    dispatcher.dispatch(received(MAX_ATTEMPTS))

    assert dispatcher.lookup.calls == {"states": 1, "add_failures": 1}
    assert dispatcher.topics.calls.total() == 0


@pytest.mark.parametrize("what", ["publish", "count_failed"])
def test_notices_that_cannot_be_sent_change_nothing_about_the_messages(
    noticed: DispatcherBench, what: str
) -> None:
    other = a_webhook(id=WebhookId("wh_2"), url="https://other.example/")
    noticed.config.put(other)
    noticed.answer(BROKEN)
    noticed.topics.fail(what)
    noticed.lookup.fail(what)
    one, two = received(MAX_ATTEMPTS), a_received(a_delivery_message(other))

    assert noticed.dispatch(one, two) == [one.message_id]

    assert {entry.webhook_id: entry.status for entry in noticed.deliveries.entries.values()} == {
        noticed.webhook.id: DeliveryStatus.FAILED,
        other.id: DeliveryStatus.SUCCEEDED,
    }
    assert noticed.journal.kinds == ["notice_not_sent"]
