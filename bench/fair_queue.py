"""A model of DeliveryQueue and its dispatchers: who waits for whom while a webhook times out.

What it takes over from AWS's documentation of fair queues and of event source mappings:

* A group is noisy with more than a tenth of what is in flight and at least 30 of its own, or with
  more than a tenth of the consumers' recent processing time. It is given out only after all quiet
  ones that wait; the rest of a batch is filled with it.
* A poller whose invocation has ended takes what waits at once, up to a batch. An invocation lasts
  as long as its slowest request.
* A message that failed stays in flight for the visibility time-out, and then waits again.

Times are seconds. Cold starts, the ramp-up of pollers and pauses are left out: a webhook that times
out is paused after ten minutes at the earliest.
"""

import heapq
import random
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from infra.parameters import load_template

NOISY_SHARE = 0.1
NOISY_IN_FLIGHT = 30
RECENT_SECONDS = 60.0
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
            batch=int(events["Messages"]["Properties"]["BatchSize"]),
            timeout=float(defaults["EndpointTimeoutSeconds"]),
            visibility=float(defaults["RetryIntervalSeconds"]),
            attempts=int(defaults["MaxAttempts"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Deliveries for some webhooks, of which the first may time out; `share` is its part of all."""

    webhooks: int
    per_second: float
    share: float
    seconds: float
    times_out: bool


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
    """How long the deliveries of healthy webhooks waited for their requests, sorted."""

    seconds: list[float]
    most_in_flight: int

    def percentile(self, share: float) -> float:
        """So long, or less, waited this share of them."""
        return self.seconds[int(share * (len(self.seconds) - 1))]


_ARRIVES, _RETURNS, _ENDS, _LANDS = range(4)


def simulate(stack: Stack, load: Load, seed: int) -> Waits:
    """The same for the same seed."""
    draw = random.Random(seed)  # noqa: S311 - a model's
    queue = FairQueue()
    waits: list[float] = []
    idle = stack.slots
    most = 0
    numbered = 0
    agenda: list[tuple[float, int, int, Message | None]] = [(0.0, 0, _ARRIVES, None)]

    def plan(at: float, kind: int, message: Message | None = None) -> None:
        nonlocal numbered
        numbered += 1
        heapq.heappush(agenda, (at, numbered, kind, message))

    while agenda:
        now, _, kind, message = heapq.heappop(agenda)
        if now > load.seconds:
            break
        if kind == _ARRIVES:
            slow = draw.random() < load.share
            queue.put(Message(SLOW if slow else draw.randrange(1, load.webhooks), now))
            plan(now + draw.expovariate(load.per_second), _ARRIVES)
        elif kind == _ENDS:
            idle += 1
        elif message is not None:
            queue.landed(message)
            if kind == _RETURNS:
                message.since = now
                queue.put(message)
        while idle and (batch := queue.receive(now, stack.batch)):
            idle -= 1
            lasts = 0.0
            for one in batch:
                one.receives += 1
                fails = one.group == SLOW and load.times_out
                answer = draw.lognormvariate(0, _SIGMA) * _MEDIAN_SECONDS
                took = stack.timeout if fails else min(answer, stack.timeout)
                lasts = max(lasts, took)
                queue.processed(one, took)
                if one.group != SLOW:
                    waits.append(now - one.since)
                if fails:
                    spent = one.receives >= stack.attempts
                    plan(now + stack.visibility, _LANDS if spent else _RETURNS, one)
            for one in batch:
                if one.group != SLOW or not load.times_out:
                    plan(now + lasts + _OVERHEAD_SECONDS, _LANDS, one)
            plan(now + lasts + _OVERHEAD_SECONDS, _ENDS)
            most = max(most, queue.in_flight())
    return Waits(sorted(waits), most)
