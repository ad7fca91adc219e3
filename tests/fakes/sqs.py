"""SQS: its queues and its message move tasks."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from perkwire.dispatching.next_receive import NextReceive
from perkwire.model.activity import Change
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.queueing import Outgoing
from perkwire.recovering.redriving import AlreadyRunning, Redrive, RedriveQueue
from tests.fakes.failing import Failing


class FakeQueue(Failing):
    """For SqsQueue: queueing.Queue. `refuse(n)` has SQS refuse the n-th message of all, from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Outgoing] = []
        self._offered = 0
        self._refused: set[int] = set()

    def refuse(self, *messages: int) -> None:
        self._refused |= set(messages)

    def send(self, messages: Sequence[Outgoing]) -> list[bool]:
        if self._fails("send"):
            return [False] * len(messages)
        return [self._offer(message) for message in messages]

    def _offer(self, message: Outgoing) -> bool:
        self._offered += 1
        if self._offered in self._refused:
            return False
        self.messages.append(message)
        return True


class FakeVisibility(Failing):
    """For SqsVisibility: dispatching.Visibility. `hidden` says how long, by message id."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self.hidden: dict[str, int] = {}
        self._journal = journal

    def hide(self, receives: Sequence[NextReceive]) -> None:
        if self._fails("hide"):
            self._journal.fault("delay_not_set", detail="Told")
            return
        for receive in receives:
            self.hidden[receive.received.message_id] = receive.seconds


class FakeActivity(Failing):
    """For ActivityLog: redriving.Records."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[Change] = []

    def record(self, change: Change) -> None:
        self._called("record")
        self.changes.append(change)


class FakeMoveTasks(Failing):
    """For SqsMoveTasks: redriving.MoveTasks. A task runs until it is cancelled or `finish`ed."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__()
        self._clock = clock
        self._tasks: list[Redrive] = []
        self.depth = 265

    def start(self, queue: RedriveQueue, max_per_second: int | None) -> None:
        self._called("start")
        if any(task.handle for task in self._of(queue)):
            raise AlreadyRunning
        task = Redrive(
            queue=queue,
            status="running",
            moved=0,
            to_move=None,
            max_per_second=max_per_second,
            started_at=self._clock(),
            failure=None,
            handle=f"task-{len(self._tasks)}",
        )
        self._tasks.insert(0, task)

    def resting(self, queue: RedriveQueue) -> int:
        self._called("resting")
        return self.depth

    def recent(self, queue: RedriveQueue) -> Sequence[Redrive]:
        self._called("recent")
        return self._of(queue)[:10]

    def cancel(self, redrive: Redrive) -> None:
        self._called("cancel")
        self._end(redrive.handle, "cancelled")

    def finish(self) -> None:
        """Have every running task end well."""
        for task in [task for task in self._tasks if task.handle]:
            self._end(task.handle, "completed")

    def _end(self, handle: str | None, status: str) -> None:
        if not any(task.handle == handle for task in self._tasks if handle):
            raise Unavailable("SQS: ResourceNotFoundException")
        self._tasks = [
            replace(task, status=status, handle=None) if task.handle == handle else task
            for task in self._tasks
        ]

    def _of(self, queue: RedriveQueue) -> list[Redrive]:
        return [task for task in self._tasks if task.queue is queue]
