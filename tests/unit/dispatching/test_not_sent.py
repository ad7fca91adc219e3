"""Rows 3 to 6 of the outcome table: a delivery that is settled, or cannot be rendered."""

import pytest

from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.model.webhook import SealedSecrets, WebhookStatus
from tests.builders import NOW, an_attempt
from tests.unit.dispatching.harness import (
    MAX_ATTEMPTS,
    UNSENT,
    DispatcherHarness,
    Wordless,
    received,
)

# Row 3: already succeeded, or the message's run is older than the delivery's.


def test_a_delivery_that_has_succeeded_is_not_sent_again(dispatcher: DispatcherHarness) -> None:
    before = dispatcher.log_an_entry()

    assert dispatcher.dispatch(received(receive_count=2)) == []

    assert not dispatcher.sender.requests
    assert dispatcher.entry() == before
    assert dispatcher.log.calls["write"] == 0


@pytest.mark.parametrize(
    "status", [DeliveryStatus.RETRYING, DeliveryStatus.FAILED, DeliveryStatus.CANCELLED]
)
def test_a_message_of_an_older_run_is_deleted_and_nothing_changes(
    dispatcher: DispatcherHarness, status: DeliveryStatus
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
    dispatcher: DispatcherHarness, status: WebhookStatus, entry: dict[str, object]
) -> None:
    dispatcher.change_webhook(status=status)
    before = dispatcher.log_an_entry(**entry)

    assert dispatcher.dispatch(received()) == []

    assert dispatcher.entry() == before


def test_a_settled_message_needs_no_secret(dispatcher: DispatcherHarness) -> None:
    dispatcher.vault.fail("open")
    dispatcher.log_an_entry()

    assert dispatcher.dispatch(received()) == []


def test_an_absent_webhook_goes_before_being_settled(dispatcher: DispatcherHarness) -> None:
    dispatcher.log_an_entry()
    dispatcher.config.webhooks.clear()
    one = received()

    assert dispatcher.dispatch(one) == [one.message_id]


# Rows 4 and 5: webhook deleted, disabled, paused.


@pytest.mark.parametrize("status", UNSENT)
def test_a_webhook_that_is_not_enabled_settles_the_delivery_unsent(
    dispatcher: DispatcherHarness, status: WebhookStatus
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
    dispatcher: DispatcherHarness, status: WebhookStatus
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
    dispatcher: DispatcherHarness, status: WebhookStatus
) -> None:
    dispatcher.change_webhook(status=status)
    dispatcher.log.fail("write")
    one = received(receive_count=MAX_ATTEMPTS)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.journal.kinds == ["delivery_not_logged"]


def test_a_deleted_webhooks_tombstone_has_no_secret_and_needs_none(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.change_webhook(
        status=WebhookStatus.DELETED, sealed=SealedSecrets(secret=b"", headers=None)
    )

    assert dispatcher.dispatch(received()) == []

    assert dispatcher.journal.faults == []


def test_a_cancelled_delivery_is_sent_if_its_message_comes_and_the_webhook_is_enabled(
    dispatcher: DispatcherHarness,
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
    dispatcher: DispatcherHarness,
    monkeypatch: pytest.MonkeyPatch,
    receive_count: int,
    status: DeliveryStatus,
) -> None:
    monkeypatch.setattr("perkwire.formats.registry.FORMATS", {"standard": Wordless()})
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
    dispatcher: DispatcherHarness, receive_count: int, status: DeliveryStatus
) -> None:
    dispatcher.change_webhook(format="zinrelo@2031-01-01")
    one = received(receive_count)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.entry().status is status
    assert dispatcher.entry().reason is Reason.FORMAT
    assert dispatcher.journal.kinds == ["delivery_unrenderable"]
    assert "does not know" in str(dispatcher.journal.faults)
    assert not dispatcher.sender.requests
