"""Row 1 of the outcome table, and what crashes over a message: the other nine are sent."""

import pytest

from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.model.sending import NoResponse, Request, Response
from perkwire.primitives.ids import WebhookId
from tests.builders import SECRET, a_delivery_message, a_received, a_webhook, an_event
from tests.fakes import FakeSender
from tests.unit.dispatching.harness import MAX_ATTEMPTS, DispatcherHarness


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
