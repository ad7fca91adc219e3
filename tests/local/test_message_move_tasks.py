"""What the SQS API Reference says of StartMessageMoveTask, ListMessageMoveTasks and Cancel…."""

import json
import time
import uuid
from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_sqs import SQSClient
from mypy_boto3_sqs.type_defs import ListMessageMoveTasksResultEntryTypeDef, MessageTypeDef


@dataclass
class Queues:
    """A queue whose messages go to a dead-letter queue on their first failed receive."""

    sqs: SQSClient
    url: str
    dead_letter_url: str
    dead_letter_arn: str

    def dead_letters(self, *bodies: str) -> list[MessageTypeDef]:
        """Send messages, let them fail, and return them as the dead-letter queue shows them."""
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body, MessageGroupId=f"g-{body}")
        self.receive(self.url, visibility=0)
        assert self.receive(self.url) == []
        return self.receive(self.dead_letter_url, visibility=0)

    def receive(self, url: str, visibility: int = 30) -> list[MessageTypeDef]:
        return self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=visibility,
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])

    def task(self) -> ListMessageMoveTasksResultEntryTypeDef:
        (latest,) = self.sqs.list_message_move_tasks(SourceArn=self.dead_letter_arn)["Results"]
        return latest

    def wait_for(self, status: str) -> ListMessageMoveTasksResultEntryTypeDef:
        deadline = time.monotonic() + 10
        while (task := self.task())["Status"] != status:
            assert time.monotonic() < deadline, task
            time.sleep(0.02)
        return task


@pytest.fixture
def queues(sqs: SQSClient) -> Queues:
    name = uuid.uuid4().hex
    dead_letter_url = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = arn_of(sqs, dead_letter_url)
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})["QueueUrl"]
    return Queues(sqs, url, dead_letter_url, arn)


def arn_of(sqs: SQSClient, url: str) -> str:
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return str(attributes["QueueArn"])


def test_without_destination_messages_return_to_their_queue_as_new_ones(queues: Queues) -> None:
    (dead,) = queues.dead_letters("hello")

    queues.sqs.start_message_move_task(SourceArn=queues.dead_letter_arn)
    queues.wait_for("COMPLETED")

    (message,) = queues.receive(queues.url)
    attributes, before = message["Attributes"], dead["Attributes"]
    assert message["Body"] == "hello"
    assert attributes["MessageGroupId"] == "g-hello"
    assert message["MessageId"] != dead["MessageId"]
    assert attributes["ApproximateReceiveCount"] == "1"
    assert int(attributes["SentTimestamp"]) > int(before["SentTimestamp"])
    assert "DeadLetterQueueSourceArn" in before
    assert "DeadLetterQueueSourceArn" not in attributes
    assert queues.receive(queues.dead_letter_url) == []


def test_messages_go_to_the_destination_that_is_named(queues: Queues) -> None:
    queues.dead_letters("hello")
    other = queues.sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]

    queues.sqs.start_message_move_task(
        SourceArn=queues.dead_letter_arn, DestinationArn=arn_of(queues.sqs, other)
    )

    assert queues.wait_for("COMPLETED")["DestinationArn"] == arn_of(queues.sqs, other)
    assert [message["Body"] for message in queues.receive(other)] == ["hello"]
    assert queues.receive(queues.url) == []


def test_rate_is_kept_and_one_task_runs_at_a_time(queues: Queues) -> None:
    queues.dead_letters("a", "b", "c")

    started = time.monotonic()
    queues.sqs.start_message_move_task(
        SourceArn=queues.dead_letter_arn, MaxNumberOfMessagesPerSecond=1
    )
    with pytest.raises(ClientError, match="already a task running"):
        queues.sqs.start_message_move_task(SourceArn=queues.dead_letter_arn)
    done = queues.wait_for("COMPLETED")

    assert time.monotonic() - started >= 2
    assert done["ApproximateNumberOfMessagesMoved"] == 3
    assert done["ApproximateNumberOfMessagesToMove"] == 3
    assert done["MaxNumberOfMessagesPerSecond"] == 1
    assert "TaskHandle" not in done


def test_cancelled_task_leaves_the_rest_where_it_is(queues: Queues) -> None:
    queues.dead_letters("a", "b", "c")
    handle = queues.sqs.start_message_move_task(
        SourceArn=queues.dead_letter_arn, MaxNumberOfMessagesPerSecond=1
    )["TaskHandle"]
    while not queues.task()["ApproximateNumberOfMessagesMoved"]:
        time.sleep(0.01)
    assert queues.task()["TaskHandle"] == handle

    answer = queues.sqs.cancel_message_move_task(TaskHandle=handle)

    assert answer["ApproximateNumberOfMessagesMoved"] == 1
    queues.wait_for("CANCELLED")
    assert [message["Body"] for message in queues.receive(queues.url)] == ["a"]
    assert len(queues.receive(queues.dead_letter_url)) == 2
    with pytest.raises(ClientError, match="Only active tasks"):
        queues.sqs.cancel_message_move_task(TaskHandle=handle)


def test_source_must_be_a_dead_letter_queue(queues: Queues) -> None:
    with pytest.raises(ClientError, match="Dead Letter Queue"):
        queues.sqs.start_message_move_task(SourceArn=arn_of(queues.sqs, queues.url))


@pytest.mark.parametrize("rate", [0, 501])
def test_rate_has_bounds(queues: Queues, rate: int) -> None:
    with pytest.raises(ClientError, match="MaxNumberOfMessagesPerSecond"):
        queues.sqs.start_message_move_task(
            SourceArn=queues.dead_letter_arn, MaxNumberOfMessagesPerSecond=rate
        )


def test_unknown_queue_and_unknown_task_are_not_found(queues: Queues) -> None:
    missing = f"{queues.dead_letter_arn}-missing"
    with pytest.raises(queues.sqs.exceptions.ResourceNotFoundException):
        queues.sqs.start_message_move_task(SourceArn=missing)
    with pytest.raises(queues.sqs.exceptions.ResourceNotFoundException):
        queues.sqs.cancel_message_move_task(TaskHandle="bWlzc2luZw==")
