"""Row 1 of the outcome table, and what crashes over a message: the other nine are sent."""

from collections.abc import Collection, Mapping, Sequence

import pytest

from perkwire.dispatching.follow_up import FollowUp
from perkwire.dispatching.rendering import OpenedSecrets
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.delivery import Change, Delivery, DeliveryStatus, Reason
from perkwire.model.sending import NoResponse, Request, Response
from perkwire.model.webhook import DeletedWebhook, Webhook
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId
from tests.builders import SECRET, a_delivery_message, a_received, a_webhook, an_event
from tests.fakes import FakeDeliveryTable, FakeOpener, FakeSender, FakeWebhookLookup
from tests.unit.dispatching.harness import BROKEN, MAX_ATTEMPTS, DispatcherHarness


@pytest.mark.parametrize("body", ["", "no JSON", "[]", "{}", '{"v":2}', '{"v":1,"run":0}'])
def test_a_message_that_cannot_be_read_is_left_with_one_clear_fault(
    dispatcher: DispatcherHarness, body: str
) -> None:
    one = a_received(body)

    assert dispatcher.dispatch(one) == [one.message_id]

    assert dispatcher.journal.kinds == ["message_unreadable"]
    assert dispatcher.journal.faults[0][1]["message_id"] == one.message_id
    assert dispatcher.lookup.calls.total() == 0


def test_an_unreadable_message_does_not_disturb_the_nine_others(
    dispatcher: DispatcherHarness,
) -> None:
    batch = [a_received(a_delivery_message()) for _ in range(9)]
    batch.insert(4, a_received("{"))

    assert dispatcher.dispatch(*batch) == [batch[4].message_id]

    assert len(dispatcher.sender.requests) == 9
    assert len(dispatcher.deliveries.entries) == 9


# An algorithm that this release does not know, and that nobody may read in a log.
ODD = a_webhook(
    id=WebhookId("wh_2"),
    url="https://other.example/",
    format="qualifio",
    format_settings={
        "signature_header": "x-s",
        "signature_algorithm": "Zoe",
        "signature_encoding": "hex",
    },
)
POISON = {
    "a time outside the calendar": lambda: a_delivery_message(None, an_event(occurred_at=2**60)),
    "settings that its format does not know": lambda: a_delivery_message(ODD),
}


@pytest.mark.parametrize("kind", POISON)
def test_a_message_that_crashes_the_format_does_not_disturb_the_nine_others(
    dispatcher: DispatcherHarness, kind: str
) -> None:
    batch = [a_received(a_delivery_message()) for _ in range(9)]
    dispatcher.config.put(ODD)
    batch.append(a_received(POISON[kind]()))

    assert dispatcher.dispatch(*batch) == [batch[9].message_id]

    assert len(dispatcher.sender.requests) == 9


def test_a_format_that_crashes_says_nothing_of_the_event_and_is_tried_to_the_end(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.config.put(ODD)
    message = a_delivery_message(ODD)

    for count, status in ((1, DeliveryStatus.RETRYING), (MAX_ATTEMPTS, DeliveryStatus.FAILED)):
        one = a_received(message, count)
        assert dispatcher.dispatch(one) == [one.message_id]
        assert (dispatcher.entry().status, dispatcher.entry().reason) == (status, Reason.FORMAT)

    assert dispatcher.journal.kinds == ["delivery_unrenderable"] * 2
    assert dispatcher.journal.faults[0][1]["detail"] == "ValueError"
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
    dispatcher: DispatcherHarness, broken: str
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
    dispatcher: DispatcherHarness,
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


# What nobody foresaw, over one webhook or one delivery of ten.

ILL = a_webhook(id=WebhookId("wh_2"), url="https://other.example/")


class IllLookup(FakeWebhookLookup):
    """Crashes over the item of one webhook."""

    def states(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> Mapping[WebhookId, WebhookState | DeletedWebhook]:
        if ILL.id in {webhook_id for _, webhook_id in keys}:
            raise KeyError(ILL.id)
        return super().states(keys)


class IllLog(FakeDeliveryTable):
    """Crashes over the entry of one delivery: when it is read, or when it is written."""

    reads: DeliveryId | None = None
    writes: DeliveryId | None = None

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        if self.reads in {delivery_id for _, delivery_id in keys}:
            raise TypeError(self.reads)
        return super().find(keys)

    def write(self, changes: Sequence[Change]) -> set[DeliveryId]:
        if self.writes in {change.after.id for change in changes}:
            raise TypeError(self.writes)
        return super().write(changes)


def test_an_item_of_a_webhook_that_crashes_does_not_disturb_the_nine_others(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.config.put(ILL)
    dispatcher.lookup = IllLookup(dispatcher.config)
    batch = [a_received(a_delivery_message()) for _ in range(9)]
    batch.insert(4, a_received(a_delivery_message(ILL)))

    assert dispatcher.dispatch(*batch) == [batch[4].message_id]

    assert len(dispatcher.sender.requests) == len(dispatcher.deliveries.entries) == 9
    ((what, line),) = dispatcher.journal.faults
    assert (what, line["message_id"]) == ("dispatching_unavailable", batch[4].message_id)
    assert line["detail"] == "KeyError"


def test_an_entry_that_crashes_when_read_disturbs_its_own_copies_alone(
    dispatcher: DispatcherHarness,
) -> None:
    log = dispatcher.log = IllLog(dispatcher.deliveries)
    message, other = a_delivery_message(), a_delivery_message()
    log.reads = message.delivery_id
    batch = [a_received(one) for one in (message, other, message, other)]

    assert dispatcher.dispatch(*batch) == [batch[0].message_id, batch[2].message_id]

    assert len(dispatcher.sender.requests) == 1
    assert dispatcher.journal.kinds == ["dispatching_unavailable"] * 2


def test_an_entry_that_crashes_when_written_does_not_disturb_the_nine_others(
    dispatcher: DispatcherHarness,
) -> None:
    log = dispatcher.log = IllLog(dispatcher.deliveries)
    dispatcher.answer(*[BROKEN] * 10)
    messages = [a_delivery_message() for _ in range(10)]
    log.writes = messages[3].delivery_id
    batch = [a_received(one) for one in messages]

    assert dispatcher.dispatch(*batch) == [one.message_id for one in batch]

    assert len(dispatcher.deliveries.entries) == 9
    assert dispatcher.journal.kinds == ["delivery_table_failing", "delivery_not_logged"]


def test_a_success_whose_entry_crashes_is_deleted_like_the_nine_others(
    dispatcher: DispatcherHarness,
) -> None:
    log = dispatcher.log = IllLog(dispatcher.deliveries)
    messages = [a_delivery_message() for _ in range(10)]
    log.writes = messages[3].delivery_id

    assert dispatcher.dispatch(*[a_received(one) for one in messages]) == []

    assert len(dispatcher.deliveries.entries) == 9


def test_an_answer_that_crashes_what_reads_it_does_not_disturb_the_nine_others(
    dispatcher: DispatcherHarness,
) -> None:
    class Crashing(OpenedSecrets):
        def masked(self, snippet: str) -> str:
            raise RecursionError(snippet)

    class Opener(FakeOpener):
        def open(self, webhook: Webhook) -> OpenedSecrets:
            return Crashing(SECRET, {}) if webhook == ILL else super().open(webhook)

    dispatcher.config.put(ILL)
    dispatcher.vault = Opener()
    dispatcher.sender.answer(ILL.url, BROKEN)
    batch = [a_received(a_delivery_message()) for _ in range(9)]
    batch.insert(0, a_received(a_delivery_message(ILL)))

    assert dispatcher.dispatch(*batch) == [batch[0].message_id]

    assert len(dispatcher.deliveries.entries) == 9
    assert dispatcher.journal.kinds == ["attempt_crashed"]


def test_a_follow_up_that_crashes_leaves_no_message_and_no_other_webhooks_health(
    dispatcher: DispatcherHarness,
) -> None:
    class Crashing(FakeWebhookLookup):
        def end_streak(self, webhook: Webhook, now: int, *, fast: int = 0) -> int:
            if webhook.id == ILL.id:
                raise ValueError(webhook.id)
            return super().end_streak(webhook, now, fast=fast)

    dispatcher.config.put(ILL)
    for webhook in (ILL, dispatcher.webhook):
        dispatcher.lookup.add_failures(webhook, 1, 0, failing=False)
    dispatcher.lookup = Crashing(dispatcher.config)

    batch = [a_received(a_delivery_message(ILL)), a_received(a_delivery_message())]
    assert dispatcher.dispatch(*batch) == []

    assert dispatcher.config.streaks.keys() == {ILL.id}
    ((what, line),) = dispatcher.journal.faults
    assert (what, line["webhook_id"], line["detail"]) == ("health_not_kept", ILL.id, "ValueError")


def test_a_follow_up_that_crashes_altogether_leaves_no_message(
    dispatcher: DispatcherHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise ValueError("of nobody's making")

    monkeypatch.setattr(FollowUp, "follow_up", crash)

    assert dispatcher.dispatch(a_received(a_delivery_message())) == []

    assert dispatcher.entry().status is DeliveryStatus.SUCCEEDED
    assert dispatcher.journal.kinds == ["health_not_kept"]
