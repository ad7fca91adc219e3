"""What rests in the dead-letter queues: their depth from SQS, the oldest one's age."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from perkwire.adapters.aws import failing_as_unavailable
from perkwire.adapters.sqs.queue_age import QueueAge
from perkwire.recovering.redriving import DeadLetters, RedriveQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class DeadLetterQueues:
    """The dead-letter queues of these URLs."""

    def __init__(
        self, client: "SQSClient", urls: Mapping[RedriveQueue, str], age: QueueAge
    ) -> None:
        self._client = client
        self._urls = urls
        self._age = age

    def of(self, queue: RedriveQueue) -> DeadLetters:
        """What rests in one of them now; raises Unavailable if SQS does not answer."""
        url = self._urls[queue]
        name = url.rpartition("/")[2]
        count = depth(self._client, url)
        return DeadLetters(
            name=name,
            count=count,
            oldest_seconds=self._age.oldest_seconds(name) if count else None,
        )


def depth(client: "SQSClient", url: str) -> int:
    """About how many messages are in a queue; raises Unavailable if SQS does not answer."""
    with failing_as_unavailable("SQS"):
        answer = client.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])
