"""dispatching.Visibility: a message comes again when it is said to, within the limits of SQS."""

import time
import uuid
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from perkwire.adapters.sqs.visibility import SqsVisibility
from perkwire.dispatching.next_receive import LONGEST_SECONDS, NextReceive, within_limit
from perkwire.model.messages import Received
from tests.builders import a_received
from tests.fakes import FakeTelemetry, FakeVisibility
from tests.iam.calls import queue_arn
from tests.integration.system import Stack

FAR_AWAY = "arn:aws:sqs:us-east-1:000000000000:SlowDeliveryQueue"


class Stub:
    """In place of a client for SQS: an answer for each call, or what it raises."""

    meta = SimpleNamespace(endpoint_url="https://sqs.example")

    def __init__(self, *answers: Mapping[str, Any] | Exception) -> None:
        self._answers = list(answers)
        self.calls: list[tuple[str, list[tuple[str, int]]]] = []

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: ANN401, N803
        asked = [(entry["ReceiptHandle"], entry["VisibilityTimeout"]) for entry in Entries]
        self.calls.append((QueueUrl, asked))
        answer = self._answers.pop(0) if self._answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer


class Held:
    """A queue of the test's own, whose messages come again after a minute if nothing is said."""

    def __init__(self, stack: Stack) -> None:
        self._sqs = stack.client("sqs")
        self.url = self._sqs.create_queue(QueueName=f"contract-{uuid.uuid4().hex}")["QueueUrl"]
        self.journal = FakeTelemetry()
        self.visibility = SqsVisibility(lambda: self._sqs, self.journal)

    def taken(self, count: int) -> list[Received]:
        """So many messages, received."""
        for number in range(count):
            self._sqs.send_message(QueueUrl=self.url, MessageBody=str(number))
        return [found for _ in range(count) for found in self.again()]

    def again(self) -> list[Received]:
        """A message that can be received now, if there is one."""
        answer = self._sqs.receive_message(QueueUrl=self.url, VisibilityTimeout=60)
        return [
            Received(
                message_id=message["MessageId"],
                body=message["Body"],
                receive_count=1,
                receipt=message["ReceiptHandle"],
                queue_arn=queue_arn(self.url),
            )
            for message in answer.get("Messages", [])
        ]

    def delete(self) -> None:
        self._sqs.delete_queue(QueueUrl=self.url)


@pytest.fixture
def held(stack: Stack) -> Iterator[Held]:
    queue = Held(stack)
    yield queue
    queue.delete()


def test_messages_come_again_each_at_its_time(held: Held) -> None:
    messages = held.taken(12)

    held.visibility.hide([NextReceive(one, 600) for one in messages[1:]])
    assert held.again() == []

    held.visibility.hide([NextReceive(messages[0], 0), NextReceive(messages[11], 1)])
    (first,) = held.again()
    assert first.body == messages[0].body
    deadline = time.monotonic() + 10
    while not (second := held.again()):
        assert time.monotonic() < deadline
    assert second[0].body == messages[11].body
    assert held.journal.kinds == []


def test_the_longest_delay_is_one_that_sqs_takes(held: Held) -> None:
    (message,) = held.taken(1)

    held.visibility.hide([NextReceive(message, within_limit(LONGEST_SECONDS, 0))])

    assert held.journal.kinds == []


def test_what_sqs_refuses_is_a_fault_of_its_own(held: Held) -> None:
    long, short = held.taken(2)

    held.visibility.hide([NextReceive(long, LONGEST_SECONDS), NextReceive(short, 0)])

    assert held.journal.kinds == ["delay_not_set"]
    assert [one.body for one in held.again()] == [short.body]


def test_a_message_that_has_been_received_again_stays_as_it_is(held: Held) -> None:
    (message,) = held.taken(1)
    held.visibility.hide([NextReceive(message, 0)])
    assert held.again()

    held.visibility.hide([NextReceive(message, 0)])

    assert held.again() == []
    assert held.journal.kinds == ["delay_not_set"]


def test_a_call_has_ten_messages_of_one_queue() -> None:
    stub = Stub()
    here = [a_received(str(number)) for number in range(11)]
    there = [a_received(str(number), queue_arn=FAR_AWAY) for number in range(2)]

    visibility = SqsVisibility(lambda: stub, FakeTelemetry())  # type: ignore[arg-type, return-value]
    visibility.hide([NextReceive(one, 5) for one in [*here[:5], *there, *here[5:]]])

    own, slow = "DeliveryQueue", "SlowDeliveryQueue"
    assert [(url, len(asked)) for url, asked in stub.calls] == [
        (f"https://sqs.example/000000000000/{own}", 10),
        (f"https://sqs.example/000000000000/{own}", 1),
        (f"https://sqs.example/000000000000/{slow}", 2),
    ]
    assert stub.calls[2][1] == [(one.receipt, 5) for one in there]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "OverLimit", "Message": ""}}, "ChangeMessageVisibility"),
        EndpointConnectionError(endpoint_url="https://sqs.example"),
    ],
)
def test_a_call_that_fails_is_a_fault_and_leaves_the_others(error: Exception) -> None:
    stub, real, fake = Stub(error), FakeTelemetry(), FakeTelemetry()
    receives = [NextReceive(a_received(str(number)), 5) for number in range(11)]
    failing = FakeVisibility(fake)
    failing.fail("hide")

    SqsVisibility(lambda: stub, real).hide(receives)  # type: ignore[arg-type, return-value]
    failing.hide(receives)

    assert [len(asked) for _, asked in stub.calls] == [10, 1]
    assert real.kinds == fake.kinds == ["delay_not_set"]
    assert failing.hidden == {}
