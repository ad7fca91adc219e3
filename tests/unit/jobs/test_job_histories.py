"""Jobs whose workers get into each other's way: whatever happens, one that runs has a message.

Workers are the real ones, each a thread that stands still before each of its calls, so that a
history is a list of steps and comes out the same every time.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count, product
from random import Random
from typing import Any

import pytest

from perkwire.jobs.job import Job, JobKind, JobStatus
from perkwire.model.messages import JobMessage, read_job_message
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem
from perkwire.primitives.queueing import Outgoing
from tests.builders import ACCOUNT, a_received
from tests.unit.jobs.world import Died, World, some_events

type Call = Callable[..., Any]

EVENTS = 12
FEW_PAGES, MANY_PAGES = 1, 3
MOST_STEPS = 10  # more than a worker has in a turn of so many pages
MOST_TURNS = 99
MOST_WORKERS = 3


class Worker(threading.Thread):
    """An invocation with one message, up to its next call whenever it is told to go on."""

    def __init__(self, world: World, message_id: str, body: str, pages: int) -> None:
        super().__init__(daemon=True)
        self.message_id = message_id
        self.left: list[str] | None = None
        self.has_returned = False
        self._work = world.work
        self._pages = pages
        self._received = a_received(body, message_id=message_id)
        self._order = ""
        self._told = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)
        self.start()
        self._stands.acquire()

    def run(self) -> None:
        """The thread's own."""
        with suppress(Died):
            self.left = self._work.work([self._received], self._may_go_on)
        self.has_returned = True
        self._stands.release()

    def go_on(self, order: str = "call") -> None:
        """Do the next call: `call`, or have it `fail`, be `lost` once it is done, or `die`."""
        self._order = order
        self._told.release()
        self._stands.acquire()

    def obey(self, call: Call, failed: Call, arguments: Any) -> Any:  # noqa: ANN401
        """What the worker's next call comes to."""
        order = self._obey()
        if order == "fail":
            return failed(*arguments)
        result = call(*arguments)
        return failed(*arguments) if order == "lost" else result

    def _may_go_on(self) -> bool:
        self._pages -= 1
        return self._pages > 0

    def _obey(self) -> str:
        self._stands.release()
        self._told.acquire()
        if self._order == "die":
            raise Died
        return self._order


def unavailable(*_arguments: object) -> None:
    raise Unavailable("told")


def not_held(messages: Sequence[Outgoing]) -> list[bool]:
    return [False] * len(messages)


class History:
    """A job, its queue and its workers."""

    def __init__(self, kind: JobKind) -> None:
        self.world = World()
        events = some_events(EVENTS)
        self.world.has_events(*events)
        if kind is JobKind.RETRY_FAILED:
            for event in events:
                self.world.has_failed(event)
        self.workers: list[Worker] = []
        self.messages: dict[str, str] = {}
        self.turns: dict[str, int] = {}
        self._numbers = count(1)
        for owner, name, failed in (
            (self.world.store, "find", unavailable),
            (self.world.store, "advance", unavailable),
            (self.world.delivery_queue, "send", not_held),
            (self.world.job_queue, "send", not_held),
        ):
            setattr(owner, name, self._in_steps(getattr(owner, name), failed))
        self.asked = self.world.start(kind, per_second=3)
        self._take_queued()

    @property
    def job(self) -> Job:
        """As it is stored."""
        return self.world.job(self.asked)

    @property
    def newest(self) -> str:
        """The message that came to SQS last."""
        return [*self.messages][-1]

    def receive(self, message_id: str, pages: int = MANY_PAGES) -> Worker:
        """SQS gives the message to one more worker, which has time for so many pages."""
        worker = Worker(self.world, message_id, self.messages[message_id], pages)
        self.workers.append(worker)
        return worker

    def step(self, worker: Worker, order: str = "call") -> None:
        """The worker's next call, or, after its last one, the deletion of its message."""
        if worker.has_returned:
            self.workers.remove(worker)
            if worker.left == [] and order != "die":
                self.messages.pop(worker.message_id, None)
        else:
            worker.go_on(order)
        self._take_queued()
        self.check()

    def steps(self, worker: Worker, number: int) -> None:
        """So many steps of the worker, if it has them left."""
        for _ in range(number):
            if worker in self.workers:
                self.step(worker)

    def finish(self, worker: Worker, order: str = "call") -> None:
        """All steps that the worker has left; with `die`, none of them."""
        while worker in self.workers:
            self.step(worker, order)

    def check(self) -> None:
        """The job has ended, or a message will bring it on."""
        job = self.job
        alive = [one for one in self.messages if self.turns[one] >= job.turn]
        assert job.has_ended or alive, f"{job.status}, turn {job.turn}, {self.turns}"

    def drain(self) -> None:
        """What SQS still has is worked on, one message after the other, without a fault."""
        for worker in [*self.workers]:
            self.finish(worker, "die")
        for _ in range(MOST_TURNS):
            if not self.messages:
                break
            self.finish(self.receive(min(self.messages, key=self.turns.__getitem__)))
        assert not self.messages
        assert self.job.has_ended
        if self.job.status is JobStatus.DONE:
            assert len(set(self.world.sent_events())) == EVENTS
            assert self.job.sent == EVENTS

    def _in_steps(self, call: Call, failed: Call) -> Call:
        def stepped(*arguments: Any) -> Any:  # noqa: ANN401
            self.world.clock.pass_seconds(1)  # so that no turn is ahead of its rate
            worker = threading.current_thread()
            if not isinstance(worker, Worker):
                return call(*arguments)
            return worker.obey(call, failed, arguments)

        return stepped

    def _take_queued(self) -> None:
        for message in self.world.job_queue.messages:
            message_id = f"m-{next(self._numbers)}"
            self.messages[message_id] = message.body
            read = read_job_message(message.body)
            assert isinstance(read, JobMessage)
            self.turns[message_id] = read.turn
        self.world.job_queue.messages.clear()


@pytest.mark.parametrize("ends", [*product(["call", "die"], repeat=2)])
@pytest.mark.parametrize("pages", [*product([FEW_PAGES, MANY_PAGES], repeat=2)])
def test_two_workers_wherever_the_one_comes_between_the_steps_of_the_other(
    pages: tuple[int, int], ends: tuple[str, str]
) -> None:
    for first, second, place in product(range(MOST_STEPS), range(MOST_STEPS), (0, -1)):
        history = History(JobKind.REPLAY)
        history.finish(history.receive(history.newest, FEW_PAGES))
        one = history.receive(history.newest, pages[0])
        history.steps(one, first)
        if one.has_returned:
            break
        other = history.receive([*history.messages][place], pages[1])
        history.steps(other, second)
        history.finish(one, ends[0])
        history.finish(other, ends[1])
        history.drain()
    assert one.has_returned, "not all steps were tried"


def after_its_hand_over() -> tuple[History, Worker, str]:
    """A worker that has sent the next turn's message and not yet stored its turn."""
    history = History(JobKind.REPLAY)
    worker = history.receive(history.newest, FEW_PAGES)
    while len(history.messages) == 1:
        history.step(worker)
    return history, worker, history.newest


def test_a_message_that_comes_before_its_turn_goes_on_once_that_has_come() -> None:
    history, worker, early = after_its_hand_over()
    other = history.receive(early, MOST_TURNS)
    history.steps(other, 1)
    history.finish(worker)

    history.finish(other)

    assert history.job.status is JobStatus.DONE
    assert not history.messages


def test_a_message_whose_turn_was_not_stored_hands_on_to_a_turn_of_its_own() -> None:
    history, worker, early = after_its_hand_over()
    history.finish(worker, "die")

    history.finish(history.receive(early, FEW_PAGES))

    assert early not in history.messages
    assert history.job.turn == max(history.turns.values()) == 2
    history.drain()


def anything(history: History, dice: Random, *, may_change: bool) -> None:
    """One thing that may happen to a job, its messages, its workers or its webhook."""
    if may_change and dice.random() < 0.05:
        status = dice.choice([WebhookStatus.PAUSED, WebhookStatus.ENABLED])
        history.world.change_webhook(status=status)
    elif may_change and dice.random() < 0.02:
        with suppress(Problem):
            history.world.management.cancel(ACCOUNT, history.asked.id)
    elif history.workers and (len(history.workers) == MOST_WORKERS or dice.random() < 0.8):
        order = dice.choices(["call", "fail", "lost", "die"], [20, 1, 1, 1])[0]
        history.step(dice.choice(history.workers), order)
    elif history.messages:
        # Any of them, also one that a worker has, or that was in the dead-letter queue.
        pages = dice.randint(FEW_PAGES, MANY_PAGES)
        history.receive(dice.choice([*history.messages]), pages)


@pytest.mark.parametrize("may_change", [False, True])
@pytest.mark.parametrize("kind", JobKind)
def test_a_job_that_has_not_ended_has_a_message_through_any_history(
    kind: JobKind, may_change: bool
) -> None:
    for seed in range(100):
        history = History(kind)
        dice = Random(seed)
        try:
            for _ in range(80):
                anything(history, dice, may_change=may_change)
                history.check()
            history.drain()
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise
