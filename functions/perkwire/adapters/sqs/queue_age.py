"""The age of a queue's oldest message, from CloudWatch.

No attribute of a queue tells it, and to receive messages in order to see it would be felt: from its
third receive on, SQS leaves a message out of the very metric that the alarms watch.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from perkwire.adapters.aws import FAILURES
from perkwire.primitives.journal import Journal
from perkwire.primitives.timestamps import MICROSECONDS

if TYPE_CHECKING:
    from perkwire.adapters.aws import MetricsClient

_PERIOD_SECONDS = 60
_LOOK_BACK = timedelta(minutes=15)  # SQS measures once a minute, and tells a few minutes later


class QueueAge:
    """CloudWatch's client is made when it is needed."""

    def __init__(
        self,
        make_cloudwatch: "Callable[[], MetricsClient]",
        journal: Journal,
        clock: Callable[[], int],
    ) -> None:
        self._make_cloudwatch = make_cloudwatch
        self._journal = journal
        self._clock = clock

    def oldest_seconds(self, queue_name: str) -> int | None:
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
                                "Dimensions": [{"Name": "QueueName", "Value": queue_name}],
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
