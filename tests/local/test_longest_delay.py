"""What the SQS API Reference says of DelaySeconds."""

import uuid

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_sqs import SQSClient


@pytest.fixture
def queue(sqs: SQSClient) -> str:
    return sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]


@pytest.mark.parametrize("seconds", [-1, 901, 43_200])
def test_a_message_delayed_for_longer_is_refused(sqs: SQSClient, queue: str, seconds: int) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        sqs.send_message(QueueUrl=queue, MessageBody="hello", DelaySeconds=seconds)


def test_of_a_batch_the_one_message_is_refused(sqs: SQSClient, queue: str) -> None:
    answer = sqs.send_message_batch(
        QueueUrl=queue,
        Entries=[
            {"Id": "longest", "MessageBody": "hello", "DelaySeconds": 900},
            {"Id": "longer", "MessageBody": "hello", "DelaySeconds": 901},
        ],
    )

    assert [sent["Id"] for sent in answer["Successful"]] == ["longest"]
    (failed,) = answer["Failed"]
    assert (failed["Id"], failed["Code"]) == ("longer", "InvalidParameterValue")
    assert failed["SenderFault"]
