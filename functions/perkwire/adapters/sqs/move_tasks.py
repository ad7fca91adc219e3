"""SQS message move tasks: redrives, with a blank destination, back where each message came from."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from perkwire.adapters.aws import failing_as_unavailable
from perkwire.adapters.sqs.dead_letters import depth
from perkwire.primitives.journal import Unavailable
from perkwire.recovering.redriving import AlreadyRunning, Redrive, RedriveQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        ListMessageMoveTasksResultEntryTypeDef,
        StartMessageMoveTaskRequestTypeDef,
    )

_MOST_TASKS = 10  # SQS lists no more


class SqsMoveTasks:
    """Fulfils redriving.MoveTasks for the queues of these ARNs and URLs."""

    def __init__(
        self,
        client: "SQSClient",
        arns: Mapping[RedriveQueue, str],
        urls: Mapping[RedriveQueue, str],
    ) -> None:
        self._client = client
        self._urls = urls
        self._arns = arns

    def start(self, queue: RedriveQueue, max_per_second: int | None) -> None:
        """Start moving messages back; raises AlreadyRunning, Unavailable."""
        # SQS has no error of its own for a second task; so the list is asked if it is refused.
        request: StartMessageMoveTaskRequestTypeDef = {"SourceArn": self._arns[queue]}
        if max_per_second is not None:
            request["MaxNumberOfMessagesPerSecond"] = max_per_second
        try:
            with failing_as_unavailable("SQS"):
                self._client.start_message_move_task(**request)
        except Unavailable:
            if self._is_running(queue):
                raise AlreadyRunning from None
            raise

    def resting(self, queue: RedriveQueue) -> int:
        """About how many messages are in it; raises Unavailable."""
        return depth(self._client, self._urls[queue])

    def recent(self, queue: RedriveQueue) -> Sequence[Redrive]:
        """The last ten, newest first; raises Unavailable."""
        with failing_as_unavailable("SQS"):
            answer = self._client.list_message_move_tasks(
                SourceArn=self._arns[queue], MaxResults=_MOST_TASKS
            )
        return [_redrive(queue, task) for task in answer.get("Results", [])]

    def cancel(self, redrive: Redrive) -> None:
        """Stop a running one; raises Unavailable."""
        with failing_as_unavailable("SQS"):
            self._client.cancel_message_move_task(TaskHandle=redrive.handle or "")

    def _is_running(self, queue: RedriveQueue) -> bool:
        return any(redrive.handle for redrive in self.recent(queue))


def _redrive(queue: RedriveQueue, task: "ListMessageMoveTasksResultEntryTypeDef") -> Redrive:
    return Redrive(
        queue=queue,
        status=task["Status"].lower(),
        moved=task.get("ApproximateNumberOfMessagesMoved", 0),
        to_move=task.get("ApproximateNumberOfMessagesToMove"),
        max_per_second=task.get("MaxNumberOfMessagesPerSecond"),
        started_at=task["StartedTimestamp"] * 1000,
        failure=task.get("FailureReason"),
        handle=task.get("TaskHandle"),
    )
