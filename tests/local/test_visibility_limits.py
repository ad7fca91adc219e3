"""What the SQS API Reference says of changing how long a message that was received is hidden."""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_sqs import SQSClient

MOST = 43_200


@dataclass(frozen=True)
class Taken:
    """A message that has just been received."""

    sqs: SQSClient
    url: str
    receipt: str

    def hide(self, seconds: int) -> str | None:
        """Alone; the error's text, if it is refused."""
        try:
            self.sqs.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=self.receipt, VisibilityTimeout=seconds
            )
        except ClientError as error:
            said = error.response["Error"]
            return f"{said['Code']}: {said['Message']}"
        return None

    def hide_in_a_batch(self, *seconds: int) -> Any:  # noqa: ANN401
        return self.sqs.change_message_visibility_batch(
            QueueUrl=self.url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": self.receipt, "VisibilityTimeout": one}
                for place, one in enumerate(seconds)
            ],
        )


@pytest.fixture
def taken(sqs: SQSClient) -> Taken:
    url = sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    (message,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]
    return Taken(sqs, url, message["ReceiptHandle"])


@pytest.mark.parametrize("seconds", [-1, MOST + 1])
def test_only_nought_to_twelve_hours_are_taken(taken: Taken, seconds: int) -> None:
    said = taken.hide(seconds) or ""

    assert said.startswith("InvalidParameterValue: ")
    assert f"Must be between 0 and {MOST}" in said


def test_twelve_hours_count_from_the_receive(taken: Taken) -> None:
    assert "beyond the limit [43200 seconds]" in (taken.hide(MOST) or "")
    assert taken.hide(MOST - 60) is None


def test_each_entry_of_a_batch_is_judged_alone(taken: Taken) -> None:
    answer = taken.hide_in_a_batch(MOST, 300, MOST + 1)

    assert [done["Id"] for done in answer["Successful"]] == ["1"]
    assert [(one["Id"], one["Code"]) for one in answer["Failed"]] == [
        ("0", "InvalidParameterValue"),
        ("2", "InvalidParameterValue"),
    ]


def test_a_batch_of_which_nothing_is_taken_is_answered(taken: Taken) -> None:
    assert len(taken.hide_in_a_batch(MOST)["Failed"]) == 1


def test_a_message_that_can_be_received_again_is_not_changed(taken: Taken) -> None:
    assert taken.hide(0) is None

    assert "not available for visibility timeout change" in (taken.hide(300) or "")
    assert len(taken.hide_in_a_batch(300)["Failed"]) == 1
    assert taken.sqs.receive_message(QueueUrl=taken.url)["Messages"]
