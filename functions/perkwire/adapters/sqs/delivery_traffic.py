"""Where deliveries are on their way: what each lane's queue holds, and PacingQueue."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from perkwire.adapters.aws import failing_as_unavailable
from perkwire.adapters.sqs.queue_age import QueueAge
from perkwire.model.lanes import Lane, Traffic
from perkwire.model.pace import Backlog

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_VISIBLE: "QueueAttributeNameType" = "ApproximateNumberOfMessages"
_DELAYED: "QueueAttributeNameType" = "ApproximateNumberOfMessagesDelayed"
_IN_FLIGHT: "QueueAttributeNameType" = "ApproximateNumberOfMessagesNotVisible"


class DeliveryTraffic:
    """The queues of these URLs. The numbers are SQS's, which are approximate."""

    def __init__(
        self, client: "SQSClient", urls: Mapping[Lane, str], pacing_url: str, age: QueueAge
    ) -> None:
        self._client = client
        self._urls = urls
        self._pacing_url = pacing_url
        self._age = age

    def of(self, lane: Lane) -> Traffic:
        """What its queue holds now; raises Unavailable."""
        found = self._counts(self._urls[lane])
        return Traffic(waiting=found[_VISIBLE] + found[_DELAYED], in_flight=found[_IN_FLIGHT])

    def backlog(self) -> Backlog:
        """What waits in PacingQueue now; raises Unavailable if SQS does not answer."""
        count = sum(self._counts(self._pacing_url).values())
        name = self._pacing_url.rpartition("/")[2]
        return Backlog(
            count=count, oldest_seconds=self._age.oldest_seconds(name) if count else None
        )

    def _counts(self, url: str) -> Mapping[str, int]:
        with failing_as_unavailable("SQS"):
            found = self._client.get_queue_attributes(
                QueueUrl=url, AttributeNames=[_VISIBLE, _DELAYED, _IN_FLIGHT]
            )["Attributes"]
            return {name: int(found[name]) for name in (_VISIBLE, _DELAYED, _IN_FLIGHT)}
