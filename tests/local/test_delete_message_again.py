"""What the SQS API Reference says of DeleteMessage with a handle that was valid once."""

import uuid

import pytest
from mypy_boto3_sqs import SQSClient


@pytest.fixture
def received(sqs: SQSClient) -> dict[str, str]:
    """A message that has been received: its queue and its receipt handle."""
    url = sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    return {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}


def test_second_deletion_succeeds(sqs: SQSClient, received: dict[str, str]) -> None:
    sqs.delete_message(**received)
    sqs.delete_message(**received)


def test_second_deletion_in_a_batch_succeeds(sqs: SQSClient, received: dict[str, str]) -> None:
    sqs.delete_message(**received)
    answer = sqs.delete_message_batch(
        QueueUrl=received["QueueUrl"],
        Entries=[{"Id": "1", "ReceiptHandle": received["ReceiptHandle"]}],
    )
    assert [success["Id"] for success in answer["Successful"]] == ["1"]
    assert not answer.get("Failed")


def test_handle_that_was_never_issued_is_refused(sqs: SQSClient, received: dict[str, str]) -> None:
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.delete_message(QueueUrl=received["QueueUrl"], ReceiptHandle="made-up")
