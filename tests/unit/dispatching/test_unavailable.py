"""Row 2 of the outcome table: what a request needs is absent, or cannot be read."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from perkwire.formats.lookup import ContractKey, FormatLookup, NoContracts
from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.sending import NoResponse, Request, Response
from perkwire.model.webhook import ContractUse, RetiredSecret, WebhookStatus
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import (
    NOW,
    SECRET,
    a_delivery_message,
    a_received,
    a_webhook,
    an_account,
    an_attempt,
    webhooks,
)
from tests.fakes import FakeSender
from tests.unit.dispatching.harness import (
    BROKEN,
    INTERVAL,
    MAX_ATTEMPTS,
    MESSAGE,
    OK,
    REQUEST_SECONDS,
    DispatcherHarness,
    received,
)


def test_without_its_webhook_a_message_is_left_and_nothing_changes(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.config.webhooks.clear()
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.journal.kinds == ["webhook_absent"]
    assert not dispatcher.sender.requests
    assert not dispatcher.deliveries.entries


def test_without_its_account_a_message_is_left_even_if_the_webhook_is_there(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.config.accounts.clear()
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert not dispatcher.sender.requests


def test_a_webhook_of_another_account_is_not_sent_to(dispatcher: DispatcherHarness) -> None:
    one = a_received(replace(MESSAGE, account_id=an_account(id="acct_other").id))
    dispatcher.config.put(an_account(id="acct_other"))

    assert dispatcher.dispatch(one) == [one.message_id]

    assert not dispatcher.sender.requests


@pytest.mark.parametrize("failing", ["webhooks", "log"])
def test_if_the_tables_cannot_be_read_every_message_is_left(
    dispatcher: DispatcherHarness, failing: str
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
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.change_webhook(status=WebhookStatus.DELETED)
    dispatcher.log.fail("find")
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]


def test_a_secret_that_kms_does_not_open_means_nothing_is_sent(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.vault.fail("open", 2)
    batch = [a_received(a_delivery_message()) for _ in range(3)]

    (left,) = dispatcher.dispatch(*batch)

    assert left in [one.message_id for one in batch]
    assert dispatcher.journal.kinds == ["secret_unreadable"]
    assert len(dispatcher.sender.requests) == 2
    assert len(dispatcher.deliveries.entries) == 2


class NoAnswer(NoContracts):
    """A table that does not answer."""

    def texts(self, _keys: object) -> Mapping[ContractKey, str]:
        raise Unavailable("DynamoDB: ConnectTimeoutError")


def test_a_contract_that_cannot_be_read_now_means_that_its_delivery_alone_waits(
    dispatcher: DispatcherHarness,
) -> None:
    healthy, waiting = webhooks(2)
    use = ContractUse(waiting.account_id, "0" * 32, ("*",))
    dispatcher.formats = FormatLookup(NoAnswer())
    dispatcher.config.put(healthy, replace(waiting, format="ours@1", contract=use))
    dispatcher.sender.answer(healthy.url, OK)
    batch = [a_received(a_delivery_message(one)) for one in (healthy, waiting)]

    assert dispatcher.dispatch(*batch) == [batch[1].message_id]

    assert dispatcher.journal.kinds == ["contract_unreadable"]
    assert [entry.webhook_id for entry in dispatcher.deliveries.entries.values()] == [healthy.id]


@pytest.mark.parametrize("secret", ["", "hush-hush-hush-hush", SECRET[:20]])
def test_a_secret_that_cannot_sign_means_nothing_is_sent_and_nothing_changes(
    dispatcher: DispatcherHarness, secret: str
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
    dispatcher: DispatcherHarness,
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
    dispatcher: DispatcherHarness,
) -> None:
    retired = RetiredSecret(a_webhook(secret="hush-hush").sealed.secret, NOW + 1)
    dispatcher.change_webhook(sealed=replace(dispatcher.webhook.sealed, retired=(retired,)))
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.journal.kinds == ["secret_unreadable"]
    assert not dispatcher.sender.requests


def test_the_secret_of_another_webhook_is_not_used(dispatcher: DispatcherHarness) -> None:
    foreign = a_webhook(id=WebhookId("wh_foreign")).sealed
    dispatcher.change_webhook(sealed=foreign)
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]

    assert not dispatcher.sender.requests


@pytest.mark.parametrize("receive_count", [1, MAX_ATTEMPTS])
def test_what_a_later_release_logged_is_left_alone_and_harms_no_other(
    receive_count: int, dispatcher: DispatcherHarness
) -> None:
    theirs = dispatcher.log_an_entry(status=DeliveryStatus.UNKNOWN)
    one, other = received(receive_count), a_received(a_delivery_message())

    assert dispatcher.dispatch(one, other) == [one.message_id]

    assert dispatcher.journal.count("delivery_of_later_release") == 1
    assert dispatcher.deliveries.entries[theirs.id] == theirs
    assert len(dispatcher.sender.requests) == 1


def test_receives_without_a_secret_do_not_make_a_live_delivery_read_as_lost(
    dispatcher: DispatcherHarness,
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
    dispatcher: DispatcherHarness,
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
    status: DeliveryStatus, dispatcher: DispatcherHarness
) -> None:
    entry = dispatcher.log_an_entry(status=status)
    dispatcher.vault.fail("open")

    dispatcher.dispatch(received(2))

    assert dispatcher.entry() == entry


def test_with_one_attempt_in_all_its_only_receive_is_in_the_log_before_it_is_sent(
    dispatcher: DispatcherHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.dispatching.harness.MAX_ATTEMPTS", 1)
    logged: list[Delivery] = []

    def look(_request: Request) -> Response | NoResponse:
        logged.append(dispatcher.entry())
        return OK

    monkeypatch.setattr(dispatcher.sender, "send", look)
    dispatcher.dispatch(received(1))

    assert [entry.status for entry in logged] == [DeliveryStatus.RETRYING]
    assert dispatcher.entry().status is DeliveryStatus.SUCCEEDED


def _lose_the_webhook(dispatcher: DispatcherHarness) -> None:
    dispatcher.config.webhooks.clear()


def _lose_the_account(dispatcher: DispatcherHarness) -> None:
    dispatcher.config.accounts.clear()


def _fail_reading_webhooks(dispatcher: DispatcherHarness) -> None:
    dispatcher.lookup.fail("states")


def _fail_reading_the_log(dispatcher: DispatcherHarness) -> None:
    dispatcher.log.fail("find")


def _close_the_vault(dispatcher: DispatcherHarness) -> None:
    dispatcher.vault.fail("open")


def _spoil_the_secret(dispatcher: DispatcherHarness) -> None:
    dispatcher.config.put(a_webhook(secret="hush-hush-hush-hush"))


def _run_out_of_time(dispatcher: DispatcherHarness) -> None:
    dispatcher.seconds_left = REQUEST_SECONDS


def _crash_the_sender(dispatcher: DispatcherHarness) -> None:
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
    dispatcher: DispatcherHarness, fault: Callable[[DispatcherHarness], None]
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
    dispatcher: DispatcherHarness, fault: Callable[[DispatcherHarness], None]
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
    dispatcher: DispatcherHarness,
    fault: Callable[[DispatcherHarness], None],
    entry: dict[str, object],
) -> None:
    before = dispatcher.log_an_entry(**entry)
    fault(dispatcher)
    one = received(MAX_ATTEMPTS)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.entry() == before
