"""Redriving: SQS's own message move task, what the console's *Start DLQ redrive* starts."""

import enum
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from perkwire.model.account import Caller, Scope
from perkwire.model.activity import Action, Change
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields, one_of
from perkwire.primitives.problem import FieldError, Problem, conflict, invalid, not_found
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import to_rfc3339

HIGHEST_RATE = 500  # messages per second that SQS moves at most


class RedriveQueue(enum.StrEnum):
    """The dead-letter queues that an operator may redrive, by what rests in them.

    A stack without an inbox has no INBOX.
    """

    DELIVERIES = "deliveries"
    EVENTS = "events"
    INBOX = "inbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    """One redrive of a queue. `status` is SQS's, in lower case; `handle` only while it runs.

    `started_at` is in microseconds since the epoch. SQS's numbers are approximate.
    """

    queue: RedriveQueue
    status: str
    moved: int
    to_move: int | None
    max_per_second: int | None
    started_at: int
    failure: str | None
    handle: str | None

    def to_json(self) -> dict[str, Json]:
        """The redrive as the API answers it."""
        optional = {
            "to_move": self.to_move,
            "max_per_second": self.max_per_second,
            "failure": self.failure,
        }
        return {
            "queue": self.queue,
            "status": self.status,
            "moved": self.moved,
            "started_at": to_rfc3339(self.started_at),
            **{name: value for name, value in optional.items() if value is not None},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    """What rests in a dead-letter queue. SQS's numbers are approximate.

    `name` is the queue's own. `oldest_seconds` is how long the oldest message has been in it; None
    if that has not been measured, as in the first minutes, and on one machine.
    """

    name: str
    count: int
    oldest_seconds: int | None


class AlreadyRunning(Exception):
    """SQS runs one redrive of a queue at a time."""


class MoveTasks(Protocol):
    """SQS's message move tasks of one dead-letter queue each."""

    def start(self, queue: RedriveQueue, max_per_second: int | None) -> None:
        """Start moving messages back where they came from; raises AlreadyRunning, Unavailable."""
        ...

    def resting(self, queue: RedriveQueue) -> int:
        """About how many messages would move; raises Unavailable."""
        ...

    def recent(self, queue: RedriveQueue) -> Sequence[Redrive]:
        """The last ten, newest first; raises Unavailable."""
        ...

    def cancel(self, redrive: Redrive) -> None:
        """Stop a running one; what has moved stays moved. Raises Unavailable."""
        ...


class Records(Protocol):
    """The operators' activity."""

    def record(self, change: Change) -> None:
        """Keep the record of a change that is no item's; raises Unavailable."""
        ...


class Redriving:
    """/v1/redrives: an operator's work, of the dead-letter queues that the stack has.

    No transaction takes SQS in. So the record is written before SQS is asked: what cannot be
    recorded is not done, and what SQS refuses at that moment is recorded though it has not begun.
    """

    def __init__(
        self,
        tasks: MoveTasks,
        records: Records,
        clock: Callable[[], int],
        *,
        queues: Sequence[RedriveQueue],
    ) -> None:
        self.queues = queues
        self._tasks = tasks
        self._records = records
        self._clock = clock

    def start(self, caller: Caller, value: dict[str, Json]) -> Redrive:
        """Start a redrive; raises Problem (409 while one runs) and Unavailable."""
        caller.require(Scope.OPERATOR)
        fields = Fields(value)
        name = fields.required_text("queue")
        if name and name not in self.queues:
            fields.wrong("queue", f"must be {one_of(self.queues)}")
        rate = fields.integer("max_per_second", 1, HIGHEST_RATE)
        fields.raise_if_wrong()
        queue = RedriveQueue(name)
        if self._running(queue):
            raise _is_running(queue)
        resting = self._tasks.resting(queue)
        pace = "as fast as SQS can" if rate is None else f"at most {rate} a second"
        self._record(Action.REDRIVE_STARTED, queue, f"about {resting} of {queue}, {pace}")
        try:
            self._tasks.start(queue, rate)
        except AlreadyRunning:
            raise _is_running(queue) from None
        return Redrive(
            queue=queue,
            status="running",
            moved=0,
            to_move=None,
            max_per_second=rate,
            started_at=self._clock(),
            failure=None,
            handle=None,
        )

    def list(self, caller: Caller) -> Sequence[Redrive]:
        """The last ten of each queue, newest first; raises Problem and Unavailable."""
        caller.require(Scope.OPERATOR)
        redrives = [redrive for queue in self.queues for redrive in self._tasks.recent(queue)]
        return sorted(redrives, key=lambda redrive: redrive.started_at, reverse=True)

    def cancel(self, caller: Caller, name: str | None) -> Redrive:
        """Stop the running redrive of a queue, a moment after this.

        Raises Problem (404: none runs) and Unavailable.
        """
        caller.require(Scope.OPERATOR)
        if name is None or name not in self.queues:
            raise invalid([FieldError("queue", f"must be {one_of(self.queues)}")])
        queue = RedriveQueue(name)
        running = self._running(queue)
        if running is None:
            raise not_found("running redrive")
        self._record(Action.REDRIVE_CANCELLED, queue, f"about {running.moved} of {queue} had moved")
        self._tasks.cancel(running)
        return replace(running, status="cancelling")

    def _running(self, queue: RedriveQueue) -> Redrive | None:
        return next((one for one in self._tasks.recent(queue) if one.handle), None)

    def _record(self, action: Action, queue: RedriveQueue, name: str) -> None:
        self._records.record(Change(owner=None, action=action, subject=queue, name=name))


def _is_running(queue: RedriveQueue) -> Problem:
    return conflict(f"A redrive of {queue} is running; cancel it or wait for its end.")
