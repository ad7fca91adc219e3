"""The watch of one list, over days: writers, readers that come or stay away, and the real watcher.

Admins are told of every whole day on which nothing was pulled though something waited, and of no
other; a list from which all has been pulled has no watch for long.
"""

from dataclasses import replace
from functools import partial

from perkwire.jobs.watching import Watcher
from perkwire.model.messages import DeliveryMessage, WatchMessage, read_job_message
from perkwire.model.notices import Notice, NoticeSender
from perkwire.model.waiting import WATCH_MICROSECONDS, ListEnd, Taken
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS
from tests.fakes import FakeErasedAccounts, FakeTelemetry, FakeWebhookLookup
from tests.simulation.lists import PULLED, ListRun, outcome_of
from tests.simulation.queues import Receipt
from tests.simulation.simulation import Outcome
from tests.simulation.stores import in_steps
from tests.simulation.world import Invocation, World

_HOUR = HOUR_SECONDS * MICROSECONDS
_DAYS = (2, 3, 5)
_ROUTER_SECONDS, _JOBS_SECONDS = 30, 20
_LATE = 3 * _HOUR
"""A notice may come later than a day by as much: hops, faults of SNS, clocks ten minutes apart."""

_EARLY = _HOUR // 2
_SELDOM = 7 * _HOUR
_CLOCKS_APART = _HOUR // 3
_MOST_MESSAGES = 1_000
_KEY = (PULLED.account_id, PULLED.id)


def simulate_watches(seed: int, *, traced: bool = False) -> Outcome:
    """Run one seed to its end, or to its first violation. Always the same for the same seed."""
    return outcome_of(_Run, seed, traced=traced)


class _Run(ListRun):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        account = self.config.accounts[PULLED.account_id]
        self.config.put(replace(account, notice_topic="arn:aws:sns:us-east-1:0:notices"))
        self.told: list[int] = []
        self.was_idle: dict[Invocation, bool] = {}
        lookup = FakeWebhookLookup(self.config)
        self.watcher = Watcher(
            lists=self.lists,
            webhooks=in_steps(world, lookup),
            accounts=in_steps(world, FakeErasedAccounts(self.config)),
            notices=NoticeSender(
                bound=in_steps(world, lookup), publisher=self, journal=FakeTelemetry()
            ),
            queue=self.port,
            journal=FakeTelemetry(),
            kept_days=30,
            console_url="",
            clock=world.clock,
        )

    def publish(self, topic: str, notice: Notice) -> None:
        """notices.Publisher."""
        self.world.call(f"publish to {topic}: {notice.subject}", self._is_told)

    def _is_told(self) -> None:
        current = self.world.current
        self.told.append(self.world.now)
        if not self._is_idle() and not (current is not None and self.was_idle[current]):
            self.world.violate("a notice tells of a list that was pulled")

    def _is_idle(self) -> bool:
        """Whether something waits of which nothing has been pulled for about a day."""
        taken = self.items.taken.get(_KEY, Taken(0, None))
        pages = self.items.pages.get(_KEY, {})
        written = [page.written_at for last, page in sorted(pages.items()) if last > taken.through]
        if not written:
            return False
        return self.world.now - max(written[0], taken.at or 0) > WATCH_MICROSECONDS - _EARLY

    def go(self) -> None:
        world, draw = self.world, self.world.random
        until = world.now + draw.choice(_DAYS) * WATCH_MICROSECONDS
        comes_at, is_here = world.now, False
        while world.now < until and not world.violations:
            if world.now >= comes_at:
                is_here = not is_here
                comes_at = world.now + draw.randrange(_HOUR, 40 * _HOUR)
            if world.running and draw.random() < 0.8:
                world.resume(draw.choice(world.running))
                self._check_watch()
            elif draw.random() < 0.1:
                self._start_writer()
            elif is_here and draw.random() < 0.2:
                self.read("till", 100)
            elif self.queue.has_visible() and draw.random() < 0.7:
                self._work()
            elif not world.running or draw.random() < 0.02:
                # Of a transaction all is visible long before the next hop of a watch.
                self.under_way.finish()
                world.pass_seconds(draw.uniform(1, 1_800))
        self._peace()

    def write(self, some: list[DeliveryMessage]) -> None:
        super().write(some)
        watch = self.under_way.ends.get(_KEY, ListEnd()).watch
        if watch is not None and not any(
            f'"watch":{watch}}}' in one for one in self.queue.bodies()
        ):
            self.world.violate("something waits whose watch is no more")

    def _check_watch(self) -> None:
        """What waits is watched at every moment, but for those of a transaction."""
        end = self.under_way.ends.get(_KEY, ListEnd())
        taken = self.items.taken.get(_KEY, Taken(0, None))
        if end.watch is None and end.last > taken.through and not self.under_way.under_way:
            self.world.violate("something waits that is not watched")

    def _work(self) -> None:
        if len(self.queue.messages) > _MOST_MESSAGES:
            self.world.violate("watches multiply")
            return
        for receipt in self.queue.receive():
            work = partial(self._turn, receipt)
            invocation = self.world.start("jobs", work, _JOBS_SECONDS)
            message = read_job_message(receipt.message.body)
            assert isinstance(message, WatchMessage)
            may_look = message.watch <= self.world.now + _CLOCKS_APART
            self.was_idle[invocation] = may_look and self._is_idle()
            looks = message.watch <= self.world.now
            if looks and self.world.hostile and self.world.random.random() < 0.5:
                # Most of what can go wrong does as something comes while it looks.
                self._start_writer()

    def _turn(self, receipt: Receipt) -> None:
        message = read_job_message(receipt.message.body)
        assert isinstance(message, WatchMessage)
        try:
            is_done = self.watcher.turn(message)
        except (Unavailable, RuntimeError) as error:
            self.world.say(f"fails: {error}")
            return
        if is_done:
            self.queue.delete(receipt.message)

    def _peace(self) -> None:
        """No more faults: those who stay away are told of once a day, those who pull never."""
        world = self.world
        world.hostile = False
        world.finish_all()
        self.queue.redrive()
        self._run_for(_HOUR)
        self._something_comes()
        self._run_for(WATCH_MICROSECONDS + _LATE, comes=True)
        begun = len(self.told)
        self._run_for(2 * WATCH_MICROSECONDS, comes=True)
        if not begun:
            world.violate("something waits for a day, and nobody is told")
        elif len(self.told) - begun not in (1, 2):
            world.violate(f"{len(self.told) - begun} notices in two days")
        for _ in range(len(self.messages)):
            self.read("till", 100)
            world.finish_all()
        begun = len(self.told)
        self._run_for(WATCH_MICROSECONDS + _LATE)
        if len(self.told) != begun:
            world.violate("a notice tells of a list from which all has been pulled")
        if self.queue.messages or self.lists.end(*_KEY).watch is not None:
            world.violate("nothing waits, and the list is watched")

    def _start_writer(self) -> None:
        self.world.start("router", partial(self.write, self.some()), _ROUTER_SECONDS)

    def _something_comes(self) -> None:
        self._start_writer()
        self.world.finish_all()

    def _run_for(self, microseconds: int, *, comes: bool = False) -> None:
        """Have the time pass, and the queue be read; whether something comes now and then."""
        world = self.world
        until = world.now + microseconds
        comes_at = world.now + _SELDOM if comes else until
        while not world.violations:
            due = min(self.queue.next_visible_at() or until, comes_at)
            if due >= until:
                break
            world.now = max(world.now, due)
            if due == comes_at:
                self._something_comes()
                comes_at += _SELDOM
            self._work()
            world.finish_all()
        world.now = until
