"""What rests in the dead-letter queues: their depth from SQS, the oldest one's age from CloudWatch.

No attribute of a queue tells the age, and to receive messages in order to see it would be felt:
from its third receive on, SQS leaves a message out of the very metric that the alarms watch.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from perkwire.adapters.aws import FAILURES, failing_as_unavailable
from perkwire.primitives.journal import Journal
from perkwire.primitives.timestamps import MICROSECONDS
from perkwire.recovering.redriving import DeadLetters, RedriveQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from perkwire.adapters.aws import MetricsClient

_PERIOD_SECONDS = 60
_LOOK_BACK = timedelta(minutes=15)  # SQS measures once a minute, and tells a few minutes later


class DeadLetterQueues:
    """The dead-letter queues of these URLs. CloudWatch's client is made when it is needed."""

    def __init__(
        self,
        sqs: "SQSClient",
        make_cloudwatch: "Callable[[], MetricsClient]",
        urls: Mapping[RedriveQueue, str],
        journal: Journal,
        clock: Callable[[], int],
    ) -> None:
        self._sqs = sqs
        self._make_cloudwatch = make_cloudwatch
        self._urls = urls
        self._journal = journal
        self._clock = clock

    def of(self, queue: RedriveQueue) -> DeadLetters:
        """What rests in one of them now; raises Unavailable if SQS does not answer."""
        url = self._urls[queue]
        name = url.rpartition("/")[2]
        with failing_as_unavailable("SQS"):
            answer = self._sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )
            count = int(answer["Attributes"]["ApproximateNumberOfMessages"])
        return DeadLetters(
            name=name, count=count, oldest_seconds=self._oldest_seconds(name) if count else None
        )

    def _oldest_seconds(self, name: str) -> int | None:
        """The last that was measured; None too if CloudWatch fails: the rest is worth showing."""
        until = datetime.fromtimestamp(self._clock() / MICROSECONDS, UTC)
        try:
            answer = self._make_cloudwatch().get_metric_data(
                MetricDataQueries=[
                    {
                        "Id": "age",
                        "MetricStat": {
                            "Metric": {
                                "Namespace": "AWS/SQS",
                                "MetricName": "ApproximateAgeOfOldestMessage",
                                "Dimensions": [{"Name": "QueueName", "Value": name}],
                            },
                            "Period": _PERIOD_SECONDS,
                            "Stat": "Maximum",
                        },
                    }
                ],
                StartTime=until - _LOOK_BACK,
                EndTime=until,
                ScanBy="TimestampDescending",
            )
            values = [value for one in answer["MetricDataResults"] for value in one["Values"]]
        except (*FAILURES, KeyError) as error:
            self._journal.fault("queue_age_unknown", detail=type(error).__name__)
            return None
        return int(values[0]) if values else None
