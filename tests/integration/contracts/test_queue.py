"""queueing.Queue: what is said to be held is held, within the limits of SQS."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from perkwire.adapters.sqs.queues import SqsQueue
from perkwire.primitives.queueing import LONGEST_DELAY_SECONDS, Outgoing
from tests.fakes import FakeQueue, FakeTelemetry
from tests.integration.system import Stack


class Stub:
    """In place of a client for SQS: `answers` say for each call which entries fail, or raise."""

    def __init__(self, *answers: Sequence[int] | Exception) -> None:
        self._answers = list(answers)
        self.calls: list[list[str]] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: ANN401, N803
        self.calls.append([entry["MessageBody"] for entry in Entries])
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        failing = self._answers.pop(0) if self._answers else ()
        if isinstance(failing, Exception):
            raise failing
        ids = [entry["Id"] for entry in Entries]
        failed = [ids[position] for position in failing]
        return {
            "Successful": [{"Id": one} for one in ids if one not in failed],
            "Failed": [
                {"Id": one, "Code": "InternalError", "SenderFault": False} for one in failed
            ],
        }


def outgoing(count: int, size: int = 10) -> list[Outgoing]:
    return [Outgoing(f"{number:04}".ljust(size, "x"), "group") for number in range(count)]


def queue(stub: Stub) -> tuple[SqsQueue, FakeTelemetry]:
    journal = FakeTelemetry()
    return SqsQueue(stub, "https://queue.example", journal), journal  # type: ignore[arg-type]


@pytest.fixture
def delivery_queue(stack: Stack) -> Iterator[str]:
    """A queue of the test's own: SQS empties one no oftener than once a minute."""
    sqs = stack.client("sqs")
    url = sqs.create_queue(QueueName=f"contract-{uuid.uuid4().hex}")["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


def received(stack: Stack, queue_url: str) -> list[str]:
    """The bodies of all messages in a queue, in the order in which they come."""
    bodies: list[str] = []
    while True:
        answer = stack.client("sqs").receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=60
        )
        if not answer.get("Messages"):
            return bodies
        bodies += [message["Body"] for message in answer["Messages"]]


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_all_messages_are_held_in_their_order(
    count: int, stack: Stack, delivery_queue: str
) -> None:
    fake, real = FakeQueue(), SqsQueue(
        stack.client("sqs"), delivery_queue, FakeTelemetry()
    )  # fmt: skip
    messages = outgoing(count)

    assert fake.send(messages) == real.send(messages) == [True] * count

    assert [message.body for message in fake.messages] == received(stack, delivery_queue)


def test_messages_that_fill_a_batch_alone_go_in_batches_of_their_own(
    stack: Stack, delivery_queue: str
) -> None:
    # SQS refuses a batch of more than 1 MiB, and so does the emulator.
    real = SqsQueue(stack.client("sqs"), delivery_queue, FakeTelemetry())

    assert real.send(outgoing(3, size=900_000)) == [True] * 3
    assert real.send(outgoing(4, size=262_144)) == [True] * 4

    assert len(received(stack, delivery_queue)) == 7


def test_a_batch_may_have_exactly_one_mebibyte() -> None:
    stub = Stub()

    assert queue(stub)[0].send(outgoing(5, size=262_144)) == [True] * 5

    assert [len(call) for call in stub.calls] == [4, 1]


def test_the_group_of_a_message_goes_with_it(stack: Stack, delivery_queue: str) -> None:
    sqs = stack.client("sqs")

    SqsQueue(sqs, delivery_queue, FakeTelemetry()).send([Outgoing("body", "wh_7")])

    (message,) = sqs.receive_message(
        QueueUrl=delivery_queue, MessageSystemAttributeNames=["MessageGroupId"]
    )["Messages"]
    assert message["Attributes"] == {"MessageGroupId": "wh_7"}


def test_what_sqs_refuses_is_tried_once_more_alone() -> None:
    stub = Stub([1, 3], [1])

    held = queue(stub)[0].send(outgoing(5))

    assert held == [True, True, True, False, True]
    assert [len(call) for call in stub.calls] == [5, 2]
    assert [body[:4] for body in stub.calls[1]] == ["0001", "0003"]


def test_the_fake_refuses_as_sqs_does() -> None:
    fake = FakeQueue()
    fake.refuse(4)

    assert fake.send(outgoing(5)) == [True, True, True, False, True]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "RequestThrottled", "Message": "slow"}}, "SendMessageBatch"),
        EndpointConnectionError(endpoint_url="https://queue.example"),
    ],
)
def test_a_failing_call_fails_its_batch_alone_and_is_tried_once_more(error: Exception) -> None:
    once, twice = Stub(error), Stub(error, (), error)

    assert queue(once)[0].send(outgoing(12)) == [True] * 12
    real, journal = queue(twice)
    assert real.send(outgoing(12)) == [False] * 10 + [True] * 2

    assert journal.kinds == ["sqs_failing", "sqs_failing"]
    assert [len(call) for call in twice.calls] == [10, 2, 10]


def test_a_queue_that_is_gone_holds_nothing(stack: Stack, delivery_queue: str) -> None:
    gone = SqsQueue(stack.client("sqs"), f"{delivery_queue}-gone", FakeTelemetry())

    assert gone.send(outgoing(2)) == [False, False]


def test_sqs_delays_a_message_by_fifteen_minutes_at_most(stack: Stack, delivery_queue: str) -> None:
    """What has a later slot has to be handed on."""
    sqs, journal = stack.client("sqs"), FakeTelemetry()
    longest = Outgoing("longest", "group", LONGEST_DELAY_SECONDS)
    longer = Outgoing("longer", "group", LONGEST_DELAY_SECONDS + 1)

    assert SqsQueue(sqs, delivery_queue, journal).send([longest, longer]) == [True, False]

    assert journal.kinds == ["sqs_refused_message"] * 2
    assert received(stack, delivery_queue) == []
    counts = sqs.get_queue_attributes(
        QueueUrl=delivery_queue, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )["Attributes"]
    assert counts == {"ApproximateNumberOfMessagesDelayed": "1"}
