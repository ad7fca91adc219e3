"""What the delivery queues hold, each for its lane."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from perkwire.adapters.aws import failing_as_unavailable
from perkwire.model.lanes import Lane, Traffic

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class LaneTraffic:
    """The lanes whose queues have these URLs."""

    def __init__(self, client: "SQSClient", urls: Mapping[Lane, str]) -> None:
        self._client = client
        self._urls = urls

    def of(self, lane: Lane) -> Traffic:
        """What its queue holds now; raises Unavailable."""
        with failing_as_unavailable("SQS"):
            found = self._client.get_queue_attributes(
                QueueUrl=self._urls[lane],
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )["Attributes"]
            return Traffic(
                waiting=int(found["ApproximateNumberOfMessages"]),
                in_flight=int(found["ApproximateNumberOfMessagesNotVisible"]),
            )
