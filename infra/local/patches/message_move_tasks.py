"""Dead letters go back to their queue: the calls behind the console's *Start DLQ redrive*.

StartMessageMoveTask, ListMessageMoveTasks and CancelMessageMoveTask
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html)
are not in the emulator. As on AWS, a moved message is a new message: new id, new SentTimestamp,
received 0 times, with the body, attributes and group it had; without a destination each goes back
to the queue it came from; one task at a time per queue. The list of tasks does not survive a
restart of the emulator.
"""

import base64
import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from infra.local.patches import upstream

_MAX_PER_SECOND = 500
_MAX_LISTED = 10


@dataclass
class _Task:
    source_arn: str
    destination_arn: str | None
    max_per_second: int | None
    to_move: int
    moved: int = 0
    status: str = "RUNNING"
    failure: str | None = None
    started: int = field(default_factory=lambda: int(time.time() * 1000))
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def handle(self) -> str:
        content = {"taskId": self.id, "sourceArn": self.source_arn}
        return base64.b64encode(json.dumps(content).encode()).decode()

    def described(self) -> dict[str, Any]:
        optional = {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "DestinationArn": self.destination_arn,
            "MaxNumberOfMessagesPerSecond": self.max_per_second,
            "FailureReason": self.failure,
        }
        return {
            "Status": self.status,
            "SourceArn": self.source_arn,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "StartedTimestamp": self.started,
            **{name: value for name, value in optional.items() if value is not None},
        }


class _MessageMover:
    """The message move tasks of one emulator."""

    def __init__(self) -> None:
        from ministack.core.concurrency import esm_wake
        from ministack.services import sqs

        self._sqs = sqs
        self._queues = upstream.lookup(sqs, "_queues")
        self._queue_by_arn = upstream.lookup(sqs, "_queue_by_arn")
        self._error = upstream.lookup(sqs, "_Err")
        self._wake_pollers = esm_wake.set
        self._tasks: list[_Task] = []

    def start(self, request: dict[str, Any], _queue_url: str) -> dict[str, Any]:
        source_arn, destination_arn = request.get("SourceArn", ""), request.get("DestinationArn")
        source = self._queue("SourceArn", source_arn)
        if destination_arn:
            self._queue("DestinationArn", destination_arn)
        if not any(self._feeds(queue, source_arn) for queue in self._all_queues()):
            raise self._error(
                "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue."
            )
        rate = request.get("MaxNumberOfMessagesPerSecond")
        if rate is not None and not 1 <= int(rate) <= _MAX_PER_SECOND:
            raise self._error(
                "InvalidParameterValue",
                f"Value for parameter MaxNumberOfMessagesPerSecond must be 1 to {_MAX_PER_SECOND}.",
            )
        if any(task.source_arn == source_arn and _active(task) for task in self._tasks):
            raise self._error(
                "InvalidParameterValue",
                "There is already a task running. Only one active task is allowed for a source "
                "queue arn at a given time.",
            )
        waiting = sum(message["visible_at"] <= time.time() for message in source["messages"])
        task = _Task(source_arn, destination_arn, int(rate) if rate else None, waiting)
        self._tasks.insert(0, task)
        threading.Thread(target=self._move, args=(task, source), daemon=True).start()
        return {"TaskHandle": task.handle}

    def list(self, request: dict[str, Any], _queue_url: str) -> dict[str, Any]:
        source_arn = request.get("SourceArn", "")
        self._queue("SourceArn", source_arn)
        limit = min(int(request.get("MaxResults") or 1), _MAX_LISTED)
        tasks = [task for task in self._tasks if task.source_arn == source_arn]
        return {"Results": [task.described() for task in tasks[:limit]]}

    def cancel(self, request: dict[str, Any], _queue_url: str) -> dict[str, Any]:
        for task in self._tasks:
            if task.handle == request.get("TaskHandle"):
                if task.status != "RUNNING":
                    raise self._error(
                        "InvalidParameterValue", "Only active tasks can be cancelled."
                    )
                task.status = "CANCELLING"
                return {"ApproximateNumberOfMessagesMoved": task.moved}
        raise self._error("ResourceNotFoundException", "Task does not exist.", 404)

    def _move(self, task: _Task, source: dict[str, Any]) -> None:
        while task.status == "RUNNING" and task.moved < task.to_move:
            with self._sqs._queues_lock:
                message = self._first_visible(source)
                if message is None:
                    break
                origin = message.get("sys", {}).get("DeadLetterQueueSourceArn", "")
                target = self._queue_by_arn(task.destination_arn or origin)
                if target is None:
                    task.status, task.failure = "FAILED", "CouldNotDetermineMessageSource"
                    return
                source["messages"] = [m for m in source["messages"] if m is not message]
                target["messages"].append(_as_new(message))
                task.moved += 1
            self._wake_pollers()
            if task.max_per_second:
                time.sleep(1 / task.max_per_second)
        task.status = "CANCELLED" if task.status == "CANCELLING" else "COMPLETED"

    @staticmethod
    def _first_visible(queue: dict[str, Any]) -> dict[str, Any] | None:
        now = time.time()
        return next((m for m in queue["messages"] if m["visible_at"] <= now), None)

    def _queue(self, parameter: str, arn: str) -> dict[str, Any]:
        queue: dict[str, Any] | None = self._queue_by_arn(arn)
        if queue is None:
            raise self._error(
                "ResourceNotFoundException",
                f"The resource that you specified for the {parameter} parameter doesn't exist.",
                404,
            )
        return queue

    def _all_queues(self) -> Iterator[dict[str, Any]]:
        return iter(list(self._queues.values()))

    @staticmethod
    def _feeds(queue: dict[str, Any], dead_letter_arn: str) -> bool:
        policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
        return bool(policy.get("deadLetterTargetArn") == dead_letter_arn)


def _active(task: _Task) -> bool:
    return task.status in ("RUNNING", "CANCELLING")


def _as_new(message: dict[str, Any]) -> dict[str, Any]:
    now = time.time()
    system = {k: v for k, v in message["sys"].items() if k != "DeadLetterQueueSourceArn"}
    return {
        **{name: value for name, value in message.items() if name != "enqueued_at"},
        "id": str(uuid.uuid4()),
        "receipt_handle": None,
        "receive_count": 0,
        "first_receive_at": None,
        "sent_at": now,
        "visible_at": now,
        "sys": {**system, "SentTimestamp": str(int(now * 1000))},
    }


def apply() -> None:
    """Add the three actions to the emulator's SQS."""
    mover = _MessageMover()
    actions = upstream.queue_actions()
    actions["StartMessageMoveTask"] = mover.start
    actions["ListMessageMoveTasks"] = mover.list
    actions["CancelMessageMoveTask"] = mover.cancel
