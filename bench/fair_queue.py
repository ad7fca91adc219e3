"""A model of the delivery queues and their dispatchers: who waits for whom while a webhook fails.

What it takes over from AWS's documentation of fair queues and of event source mappings:

* A group is noisy with more than a tenth of what is in flight and at least 30 of its own, or with
  more than a tenth of the consumers' recent processing time. It is given out only after all quiet
  ones that wait; the rest of a batch is filled with it.
* A poller whose invocation has ended takes what waits at once, up to a batch. An invocation lasts
  as long as its slowest request.
* A message that failed stays in flight for the visibility time-out, and then waits again.

And what it takes over from the dispatcher: once so many attempts of the webhook have failed, its
new deliveries go to the queue of the slow lane; what is queued stays where it is, and comes back
later by up to a tenth of the time-out, the same for what one invocation brings back.

Times are seconds. Cold starts, the ramp-up of pollers and pauses are left out: a webhook that times
out is paused after ten minutes at the earliest.
"""

import heapq
import random
from collections import Counter, deque
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Self

from infra.parameters import load_template
from perkwire.dispatching.strain import STRAINED_AFTER

NOISY_SHARE = 0.1
NOISY_IN_FLIGHT = 30
RECENT_SECONDS = 60.0
SPREAD = 0.1  # of the visibility time-out, for what an invocation brings back of a strained webhook
_LOOK_SECONDS = 0.1
_OVERHEAD_SECONDS = 0.02  # reads before the requests and the log after them
_MEDIAN_SECONDS = 0.09  # a healthy answer: log-normal, 0.1 s on average
_SIGMA = 0.5

type Group = int
SLOW: Group = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The numbers of the template on which waiting depends."""

    slots: int
    slow_slots: int  # 0: there is one lane
    batch: int
    timeout: float
    visibility: float
    attempts: int

    @classmethod
    def of_template(cls, path: Path) -> Self:
        """The parameters' defaults."""
        template = load_template(path)
        defaults = {name: one["Default"] for name, one in template["Parameters"].items()}
        events = template["Resources"]["DispatcherFunction"]["Properties"]["Events"]
        return cls(
            slots=int(defaults["DispatcherMaxConcurrency"]),
            slow_slots=int(defaults["SlowLaneMaxConcurrency"]),
            batch=int(events["Messages"]["Properties"]["BatchSize"]),
            timeout=float(defaults["EndpointTimeoutSeconds"]),
            visibility=float(defaults["RetryIntervalSeconds"]),
            attempts=int(defaults["MaxAttempts"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Deliveries for some webhooks, of which the first may fail; `share` is its part of all.

    It fails by time-outs, or as fast as the others succeed.
    """

    webhooks: int
    per_second: float
    share: float
    seconds: float
    fails: bool = True
    times_out: bool = True


@dataclass(slots=True)
class Message:
    """A delivery, and when it began to wait."""

    group: Group
    since: float
    receives: int = 0


def is_noisy(in_flight: int, of_all: int, busy: float, of_all_busy: float) -> bool:
    """Whether a group with so many messages in flight, and so much processing time, is noisy."""
    many = in_flight >= NOISY_IN_FLIGHT and in_flight > NOISY_SHARE * of_all
    return many or busy > NOISY_SHARE * of_all_busy


class FairQueue:
    """Messages that wait or are in flight; quiet groups first, each in the order of arrival."""

    def __init__(self) -> None:
        self._quiet: deque[Message] = deque()
        self._noisy: deque[Message] = deque()
        self._noisy_groups: set[Group] = set()
        self._in_flight: Counter[Group] = Counter()
        self._busy: dict[Group, float] = {}
        self._looked_at = 0.0

    def put(self, message: Message) -> None:
        """One more waits."""
        (self._noisy if message.group in self._noisy_groups else self._quiet).append(message)

    def receive(self, now: float, most: int) -> list[Message]:
        """What a poller takes; it is in flight until it has landed."""
        self._look(now)
        batch: list[Message] = []
        while len(batch) < most and (self._quiet or self._noisy):
            message = (self._quiet or self._noisy).popleft()
            self._in_flight[message.group] += 1
            batch.append(message)
        return batch

    def processed(self, message: Message, seconds: float) -> None:
        """A consumer has spent this long on it."""
        self._busy[message.group] = self._busy.get(message.group, 0.0) + seconds

    def landed(self, message: Message) -> None:
        """It is deleted, or its visibility time-out has passed."""
        self._in_flight[message.group] -= 1

    def in_flight(self) -> int:
        """How many are received and neither deleted nor visible again."""
        return self._in_flight.total()

    def _look(self, now: float) -> None:
        """Tell noisy from quiet, every now and then."""
        if now - self._looked_at < _LOOK_SECONDS:
            return
        faded = 0.5 ** ((now - self._looked_at) / RECENT_SECONDS)
        self._looked_at = now
        self._busy = {group: seconds * faded for group, seconds in self._busy.items()}
        flying, busy = self._in_flight.total(), sum(self._busy.values())
        noisy = {
            group
            for group in self._busy
            if is_noisy(self._in_flight[group], flying, self._busy[group], busy)
        }
        if noisy != self._noisy_groups:
            waiting = sorted((*self._quiet, *self._noisy), key=lambda message: message.since)
            self._noisy_groups = noisy
            self._quiet = deque(one for one in waiting if one.group not in noisy)
            self._noisy = deque(one for one in waiting if one.group in noisy)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long the deliveries of healthy webhooks waited, each with when its request began.

    `most_in_flight` is of the prompt lane's queue and of the slow one's.
    """

    begun: list[tuple[float, float]]
    most_in_flight: tuple[int, int]
    strained_at: float | None

    def percentile(self, share: float, *, since: float = 0.0, until: float = inf) -> float:
        """So long, or less, waited this share of those whose request began within this time."""
        seconds = sorted(waited for at, waited in self.begun if since <= at < until)
        return seconds[int(share * (len(seconds) - 1))]


_ARRIVES, _RETURNS, _ENDS, _LANDS = range(4)


@dataclass(slots=True)
class _Lane:
    """A queue and its idle pollers."""

    idle: int
    queue: FairQueue = field(default_factory=FairQueue)
    most_in_flight: int = 0


@dataclass(frozen=True, slots=True)
class _Invocation:
    """When it has begun, and what has failed in it."""

    begun: float
    failed: list[Message]


class _Run:
    """One simulation."""

    def __init__(self, stack: Stack, load: Load, seed: int) -> None:
        self._stack = stack
        self._load = load
        self._draw = random.Random(seed)  # noqa: S311 - a model's
        self._lanes = (_Lane(stack.slots), _Lane(stack.slow_slots))
        self._spread = random.Random(seed)  # noqa: S311 - a model's
        self._begun: list[tuple[float, float]] = []
        self._failed = 0
        self._strained_at: float | None = None
        self._numbered = 0
        self._agenda: list[tuple[float, int, int, _Lane, object]] = []

    def run(self) -> Waits:
        """From the first arrival to the end of the load."""
        prompt, slow = self._lanes
        self._plan(0.0, _ARRIVES, prompt, None)
        while self._agenda:
            now, _, kind, lane, subject = heapq.heappop(self._agenda)
            if now > self._load.seconds:
                break
            if kind == _ARRIVES:
                self._arrive(now)
            elif kind == _ENDS and isinstance(subject, _Invocation):
                self._end(now, lane, subject)
            elif isinstance(subject, Message):
                lane.queue.landed(subject)
                if kind == _RETURNS:
                    subject.since = now
                    lane.queue.put(subject)
            for one in self._lanes:
                self._poll(now, one)
        return Waits(self._begun, (prompt.most_in_flight, slow.most_in_flight), self._strained_at)

    def _plan(self, at: float, kind: int, lane: _Lane, subject: object) -> None:
        self._numbered += 1
        heapq.heappush(self._agenda, (at, self._numbered, kind, lane, subject))

    def _arrive(self, now: float) -> None:
        prompt, slow = self._lanes
        draw, load = self._draw, self._load
        is_slow = draw.random() < load.share
        message = Message(SLOW if is_slow else draw.randrange(1, load.webhooks), now)
        strained = is_slow and self._strained_at is not None
        (slow if strained else prompt).queue.put(message)
        self._plan(now + draw.expovariate(load.per_second), _ARRIVES, prompt, None)

    def _end(self, now: float, lane: _Lane, ended: _Invocation) -> None:
        """What has failed is noted, and strain with it; it waits for its next attempt."""
        lane.idle += 1
        stack = self._stack
        self._failed += len(ended.failed)
        if self._strained_at is None and stack.slow_slots and self._failed >= STRAINED_AFTER:
            self._strained_at = now
        spread = self._spread.random() * SPREAD if self._strained_at is not None else 0.0
        for message in ended.failed:
            is_over = message.receives >= stack.attempts
            hidden = stack.visibility * (1.0 if is_over else 1.0 + spread)
            self._plan(ended.begun + hidden, _LANDS if is_over else _RETURNS, lane, message)

    def _poll(self, now: float, lane: _Lane) -> None:
        while lane.idle and (batch := lane.queue.receive(now, self._stack.batch)):
            lane.idle -= 1
            self._invoke(now, lane, batch)
            lane.most_in_flight = max(lane.most_in_flight, lane.queue.in_flight())

    def _invoke(self, now: float, lane: _Lane, batch: list[Message]) -> None:
        stack, load, draw = self._stack, self._load, self._draw
        lasts = 0.0
        failed: list[Message] = []
        for one in batch:
            one.receives += 1
            answer = draw.lognormvariate(0, _SIGMA) * _MEDIAN_SECONDS
            took = min(answer, stack.timeout)
            if one.group != SLOW:
                self._begun.append((now, now - one.since))
            elif load.fails:
                failed.append(one)
                took = stack.timeout if load.times_out else took
            lasts = max(lasts, took)
            lane.queue.processed(one, took)
        for one in batch:
            if one.group != SLOW or not load.fails:
                self._plan(now + lasts + _OVERHEAD_SECONDS, _LANDS, lane, one)
        self._plan(now + lasts + _OVERHEAD_SECONDS, _ENDS, lane, _Invocation(now, failed))


def simulate(stack: Stack, load: Load, seed: int) -> Waits:
    """The same for the same seed."""
    return _Run(stack, load, seed).run()
