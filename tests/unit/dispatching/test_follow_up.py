"""What follows attempts: health, pauses, and notices to accounts that want them."""

from dataclasses import replace

import pytest

from perkwire.dispatching.pausing import QUIET_SECONDS
from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.model.sending import NoResponse, Request, Response
from perkwire.model.webhook import Pause, PauseReason, WebhookStatus
from perkwire.primitives.ids import WebhookId
from tests.builders import (
    NOW,
    a_delivery_message,
    a_received,
    a_webhook,
    an_account,
    an_event,
    webhooks,
)
from tests.fakes import FakeSender
from tests.unit.dispatching.harness import (
    BROKEN,
    MAX_ATTEMPTS,
    OK,
    DispatcherHarness,
    Wordless,
    received,
)

# Health.


def test_a_healthy_webhook_costs_no_write_of_health(dispatcher: DispatcherHarness) -> None:
    dispatcher.dispatch(*[a_received(a_delivery_message()) for _ in range(10)])

    assert dispatcher.lookup.calls == {"states": 1}


def test_failures_of_one_invocation_lengthen_the_streak_at_once(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.answer(BROKEN)

    dispatcher.dispatch(*[a_received(a_delivery_message()) for _ in range(3)])

    assert dispatcher.config.streaks[dispatcher.webhook.id].failures == 3
    assert dispatcher.lookup.calls["add_failures"] == 1


def test_a_success_ends_a_streak(dispatcher: DispatcherHarness) -> None:
    dispatcher.answer(BROKEN, OK)

    dispatcher.dispatch(received(1))
    dispatcher.dispatch(received(2))

    assert dispatcher.config.streaks == {}


def test_a_streak_long_enough_in_number_and_time_pauses_the_webhook(
    dispatcher: DispatcherHarness,
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
    dispatcher: DispatcherHarness,
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
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.answer(OK, Response(410, "gone", 1))

    dispatcher.dispatch(received(), a_received(a_delivery_message()))

    paused = dispatcher.config.webhooks[dispatcher.webhook.id]
    assert paused.pause == Pause(NOW, PauseReason.GONE)


def test_a_410_of_a_url_that_was_changed_meanwhile_pauses_nothing(
    dispatcher: DispatcherHarness,
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
    dispatcher: DispatcherHarness, when_exhausted: bool
) -> None:
    dispatcher.answer(BROKEN)

    dispatcher.dispatch(received(MAX_ATTEMPTS), when_exhausted=when_exhausted)

    paused = dispatcher.config.webhooks[dispatcher.webhook.id]
    assert (paused.status is WebhookStatus.PAUSED) is when_exhausted


def test_one_webhooks_health_is_not_anothers(dispatcher: DispatcherHarness) -> None:
    well, ill = webhooks(2)
    dispatcher.config.put(well, ill)
    dispatcher.sender.answer(ill.url, Response(410, "", 1))

    dispatcher.dispatch(*[a_received(a_delivery_message(webhook)) for webhook in (well, ill)])

    assert dispatcher.config.webhooks[well.id].status is WebhookStatus.ENABLED
    assert dispatcher.config.webhooks[ill.id].status is WebhookStatus.PAUSED


def test_health_that_cannot_be_kept_changes_nothing_about_the_messages(
    dispatcher: DispatcherHarness,
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
def noticed(dispatcher: DispatcherHarness) -> DispatcherHarness:
    """Its account wants notices."""
    dispatcher.config.put(an_account(notify_emails=("a@x.example",), notice_topic=TOPIC))
    return dispatcher


def subjects(dispatcher: DispatcherHarness) -> list[str]:
    return [notice.subject for _, notice in dispatcher.topics.published]


def test_a_delivery_that_uses_up_its_attempts_is_told_of(noticed: DispatcherHarness) -> None:
    noticed.answer(BROKEN)

    noticed.dispatch(received(MAX_ATTEMPTS - 1))
    assert subjects(noticed) == []
    noticed.dispatch(received(MAX_ATTEMPTS))

    assert subjects(noticed) == ['Webhook "Till": 1 delivery failed']
    assert noticed.topics.published[0][0] == TOPIC
    assert "status code 500" in noticed.topics.published[0][1].text


def test_what_cannot_be_rendered_to_the_end_is_told_of(
    noticed: DispatcherHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perkwire.formats.registry.FORMATS", {"standard": Wordless()})

    noticed.dispatch(received(MAX_ATTEMPTS))

    assert subjects(noticed) == ['Webhook "Till": 1 delivery failed']
    assert "format of the webhook" in noticed.topics.published[0][1].text


def test_what_could_not_be_sent_to_the_end_is_told_of_and_not_blamed_on_the_endpoint(
    noticed: DispatcherHarness,
) -> None:
    noticed.vault.fail("open")

    noticed.dispatch(received(MAX_ATTEMPTS - 1))
    assert subjects(noticed) == []
    noticed.dispatch(received(MAX_ATTEMPTS))

    assert subjects(noticed) == ['Webhook "Till": 1 delivery failed']
    assert "the endpoint was not asked" in noticed.topics.published[0][1].text


def test_what_could_not_be_looked_up_to_the_end_is_counted_like_all_else(
    noticed: DispatcherHarness,
) -> None:
    other = a_webhook(id=WebhookId("wh_2"), name="Other", url="https://other.example/")
    noticed.config.put(other)
    noticed.lookup.fail("states")
    last = a_received(a_delivery_message(other), MAX_ATTEMPTS)

    noticed.dispatch(received(MAX_ATTEMPTS - 1), last)

    assert subjects(noticed) == ['Webhook "Other": 1 delivery failed']
    assert noticed.lookup.calls["look_again"] == 1


def test_of_a_webhook_that_is_no_more_nobody_is_told(noticed: DispatcherHarness) -> None:
    noticed.change_webhook(status=WebhookStatus.DELETED)
    noticed.lookup.fail("states")

    noticed.dispatch(received(MAX_ATTEMPTS))

    assert subjects(noticed) == []
    assert noticed.journal.kinds == ["dispatching_unavailable"]


def test_what_cannot_be_counted_is_said_and_keeps_nobody_from_being_told_of_others(
    noticed: DispatcherHarness,
) -> None:
    absent = a_webhook(id=WebhookId("wh_2"), url="https://other.example/")
    noticed.answer(BROKEN)
    noticed.lookup.fail("look_again")
    last = a_received(a_delivery_message(absent), MAX_ATTEMPTS)

    noticed.dispatch(received(MAX_ATTEMPTS), last)

    assert subjects(noticed) == ['Webhook "Till": 1 delivery failed']
    assert noticed.journal.kinds == ["webhook_absent", "failures_not_counted"]


def test_the_failures_of_an_invocation_are_one_notice_for_each_webhook(
    noticed: DispatcherHarness,
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
    noticed: DispatcherHarness,
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


def test_a_pause_is_told_once_by_the_one_who_won_it(noticed: DispatcherHarness) -> None:
    noticed.answer(Response(410, "", 5))
    stale = noticed.webhook

    noticed.dispatch(received())
    noticed.config.put(stale)  # as one sees it who has read it before the pause
    noticed.lookup.pause = lambda *_: False  # type: ignore[method-assign]
    noticed.dispatch(a_received(a_delivery_message()))

    assert subjects(noticed) == ['Webhook "Till": paused']


@pytest.mark.parametrize("status", [WebhookStatus.PAUSED, WebhookStatus.DISABLED])
def test_what_is_settled_unsent_is_not_told_of(
    noticed: DispatcherHarness, status: WebhookStatus
) -> None:
    noticed.change_webhook(status=status)

    noticed.dispatch(received(MAX_ATTEMPTS))

    assert noticed.topics.calls.total() == noticed.lookup.calls["count_failed"] == 0


def test_success_costs_no_count_and_no_notice(noticed: DispatcherHarness) -> None:
    noticed.dispatch(received(MAX_ATTEMPTS))

    assert noticed.lookup.calls == {"states": 1}
    assert noticed.topics.calls.total() == 0


def test_an_account_without_addresses_costs_no_count_and_no_notice(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.answer(BROKEN)

    dispatcher.dispatch(received(MAX_ATTEMPTS))

    assert dispatcher.lookup.calls == {"states": 1, "add_failures": 1}
    assert dispatcher.topics.calls.total() == 0


@pytest.mark.parametrize("what", ["publish", "count_failed"])
def test_notices_that_cannot_be_sent_change_nothing_about_the_messages(
    noticed: DispatcherHarness, what: str
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
