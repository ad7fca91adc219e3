"""Time, chance and concurrency of a simulated run: all from one seed.

Every invocation is a coroutine of its own, a greenlet, because the code that it runs knows nothing
of being interrupted: at each step (each call of a port) it hands over to the scheduler, which draws
who goes on. So invocations interleave as they do in Lambda, and the same seed gives the same
interleaving.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from greenlet import greenlet

from perkwire.primitives.journal import Unavailable
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import NOW
from tests.simulation.faults import Fault, Faults

FUNCTIONS = ("ingest", "router", "dispatcher", "retry", "management", "jobs")
_CLOCKS_APART = 0.2  # of the runs
_SKEW = 600 * MICROSECONDS
_SLOW_SECONDS = (1, 12, 26, 40)


class StillRunning(BaseException):
    """The step takes longer than the one who waits for it has time: it hears no more of it."""


class Died(BaseException):
    """The invocation ends here, without a word: a crash, or its time-out."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call of a port, or a line for the journal: what it answered or raised.

    `began` and `ended` are by the clock of the function.
    """

    name: str
    arguments: tuple[Any, ...]
    began: int
    ended: int
    answer: Any = None
    error: BaseException | None = None


class Invocation:
    """One run of a function: `work` until it ends, dies, or is past its time-out.

    `skew` is by how many microseconds its clock is wrong.
    """

    def __init__(
        self, world: "World", name: str, work: Callable[[], None], seconds: float, skew: int
    ) -> None:
        self.name = name
        self.kind = name.partition("-")[0]
        self.skew = skew
        self.calls: list[Call] = []
        self.started_at = world.now
        self.deadline = world.now + int(seconds * MICROSECONDS)
        self.wakes_at = world.now
        self.ended = False
        self.died = False
        self.error: BaseException | None = None
        self.side_by_side = False
        self.spent = 0.0
        self.patience: float | None = None
        self._world = world
        self._work = work
        self._coroutine = greenlet(self._run)

    def resume(self) -> None:
        """Go on to the next step."""
        self._coroutine.switch()

    def pause(self) -> None:
        """Hand over to the scheduler, from inside the work."""
        self._coroutine.parent.switch()

    def spend(self, seconds: float) -> None:
        """Take this long. What runs side by side counts its own time, and is waited for so long."""
        if self.side_by_side:
            self.spent += seconds
            if self.patience is not None and self.spent > self.patience:
                raise StillRunning
        else:
            self.wakes_at = self._world.now + int(seconds * MICROSECONDS)

    def called(self, name: str) -> list[Call]:
        """The calls of this name that have come back, in their order."""
        return [call for call in self.calls if call.name == name]

    def answer(self, name: str) -> Any:  # noqa: ANN401 - as the port's
        """What the first such call that did not raise has answered, or None."""
        return next((call.answer for call in self.called(name) if call.error is None), None)

    def answers(self, name: str) -> dict[Any, Any]:
        """What all such calls that did not raise have found, together."""
        return {
            key: found
            for call in self.called(name)
            if call.error is None
            for key, found in call.answer.items()
        }

    def _run(self) -> None:
        try:
            self._work()
        except Died:
            self.died = True
        except BaseException as error:
            self.error = error
        self.ended = True


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    at: int
    who: str
    what: str

    def __str__(self) -> str:
        return f"{(self.at - NOW) / MICROSECONDS:12.6f}  {self.who:<14} {self.what}"


@dataclass(eq=False)
class World:
    """The scheduler. `now` is in microseconds since the epoch."""

    seed: int
    random: Random = field(init=False)
    faults: Faults = field(init=False)
    skews: dict[str, int] = field(init=False)
    now: int = NOW
    trace: list[Line] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    running: list[Invocation] = field(default_factory=list)
    current: Invocation | None = None
    hostile: bool = True
    stopping: bool = False
    _started: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.faults = Faults.drawn(self.random)
        wrong = self.random.random() < _CLOCKS_APART
        skews = (-_SKEW, 0, _SKEW) if wrong else (0,)
        self.skews = {kind: self.random.choice(skews) for kind in FUNCTIONS}
        if wrong:
            self.say(f"clocks apart: {self.skews}")

    def clock(self) -> int:
        """The clock of the function that runs."""
        return self.time() + (self.current.skew if self.current is not None else 0)

    def time(self) -> int:
        """The true time, in what runs side by side too."""
        spent = self.current.spent if self.current is not None else 0.0
        return self.now + int(spent * MICROSECONDS)

    def elapse(self) -> None:
        """Have the time pass that the invocation has spent."""
        invocation = self.current
        if invocation is None:
            return
        invocation.pause()
        if self.stopping or self.now >= invocation.deadline:
            raise Died

    def chance(self, probability: float) -> bool:
        """Whether something bad happens; nothing does once the world is at peace."""
        return self.hostile and self.random.random() < probability

    def say(self, what: str) -> None:
        who = self.current.name if self.current is not None else "-"
        self.trace.append(Line(self.now, who, what))

    def violate(self, what: str) -> None:
        """The oracle has found something that must not be."""
        self.say(f"VIOLATION: {what}")
        self.violations.append(what)

    def start(self, kind: str, work: Callable[[], None], seconds: float) -> Invocation:
        """Begin an invocation that may take this long."""
        self._started += 1
        name = f"{kind}-{self._started}"
        invocation = Invocation(self, name, work, seconds, self.skews[kind])
        self.running.append(invocation)
        return invocation

    def resume(self, invocation: Invocation) -> None:
        """One step of an invocation, at the earliest when it wakes."""
        self.now = max(self.now, invocation.wakes_at)
        self.current = invocation
        invocation.resume()
        if invocation.died:
            self.say("died")
        self.current = None
        if invocation.ended:
            self.running.remove(invocation)
            if invocation.error is not None and not self.stopping:
                trace = "".join(traceback.format_exception(invocation.error))
                self.violate(f"{invocation.name} raised {invocation.error!r}\n{trace}")

    def finish_all(self) -> None:
        """Run all that runs to its end, in a drawn order."""
        while self.running:
            self.resume(self.random.choice(self.running))

    def stop(self) -> None:
        """End every invocation at its next step."""
        self.stopping = True
        self.finish_all()

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * MICROSECONDS)

    def ask[T](self, name: str, arguments: tuple[Any, ...], call: Callable[[], T]) -> T:
        """Call a port, and keep with the invocation what it answered or raised."""
        invocation, began = self.current, self.clock()
        try:
            answer = call()
        except (Exception, StillRunning) as error:
            if invocation is not None:
                invocation.calls.append(Call(name, arguments, began, self.clock(), error=error))
            raise
        if invocation is not None:
            invocation.calls.append(Call(name, arguments, began, self.clock(), answer))
        return answer

    def call[T](self, what: str, effect: Callable[[], T]) -> T:
        """One step: hand over, then do it, or suffer a fault before or after.

        Raises Unavailable for what a port may raise, Died for a crash or a time-out, RuntimeError
        for what nobody has thought of.
        """
        invocation = self.current
        if invocation is None:
            return effect()
        if self.hostile:
            invocation.pause()
            if self.stopping:
                raise Died
            self.now += self.random.randrange(100, 20_000)
        if self.time() >= invocation.deadline:
            self.say(f"{what}: out of time")
            raise Died
        fault = self.faults.drawn_for(self.random) if self.hostile else Fault.NONE
        self.say(what if fault is Fault.NONE else f"{what}: {fault}")
        match fault:
            case Fault.CRASH_BEFORE:
                raise Died
            case Fault.THROTTLED:
                raise Unavailable("simulated: throttled")
            case Fault.SURPRISE:
                raise RuntimeError("simulated: surprise")
        result = effect()
        match fault:
            case Fault.CRASH_AFTER:
                raise Died
            case Fault.ANSWER_LOST:
                raise Unavailable("simulated: answer lost")
            case Fault.SLOW:
                invocation.spend(self.random.choice(_SLOW_SECONDS))
        return result
