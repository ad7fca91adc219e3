"""One simulated run: a storm, drawn from the seed, then peace, then the judgement."""

from dataclasses import dataclass

from perkwire.model.webhook import WebhookStatus
from tests.simulation.actions import Actions
from tests.simulation.endpoints import Manner
from tests.simulation.model import RETRY_INTERVAL_SECONDS
from tests.simulation.pulls import is_of_seed
from tests.simulation.settlement import Settlement
from tests.simulation.system import System
from tests.simulation.world import World

_STEPS = (40, 120, 250)
_MOST_TURNS = 5_000
_MANY_AT_ONCE = 0.75
_LONG_AFTER_SECONDS = 43_200 + 10 * RETRY_INTERVAL_SECONDS  # any schedule's, by any clock


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a seed leads to. `trace` says all that happened, in order."""

    seed: int
    violations: tuple[str, ...]
    trace: tuple[str, ...]


def simulate(seed: int, *, traced: bool = False) -> Outcome:
    """Run one seed to its end, or to its first violation. Always the same for the same seed."""
    world = World(seed)
    run = _Run(world)
    with run.system.installed():
        try:
            run.go()
        finally:
            world.stop()
    trace = tuple(map(str, world.trace)) if traced or world.violations else ()
    return Outcome(seed, tuple(world.violations), trace)


class _Run:
    def __init__(self, world: World) -> None:
        self.world = world
        self.system = System(world)
        self.actions = Actions(self.system)

    def go(self) -> None:
        self.actions.set_up()
        self._storm()
        self._peace()

    def _storm(self) -> None:
        world = self.world
        bustle = world.random.choice((0.6, 0.8, 0.9))
        if is_of_seed(world.seed):
            bustle *= _MANY_AT_ONCE
        for _ in range(world.random.choice(_STEPS)):
            if world.violations:
                return
            if world.running and world.random.random() < bustle:
                world.resume(world.random.choice(world.running))
            else:
                self.actions.act()

    def _peace(self) -> None:
        """No more faults; then one redrive, and then people send again whatever has failed."""
        self.world.hostile = False
        self.world.finish_all()
        self.actions.mend()
        self.system.endpoints.change_manners()
        self._drain()
        self._judge(burnt=True)
        self._redrive()
        self._drain()
        self._judge()
        self._send_again()
        self._drain()
        settlement = self._judge()
        if not self.world.violations:
            settlement.check_sent_again(
                lambda url: self.system.endpoints.manner(url) is Manner.OK,
            )

    def _redrive(self) -> None:
        self.system.event_queue.redrive()
        self.system.pacing_queue.redrive()
        self.system.delivery_queue.redrive()
        self.system.slow_queue.redrive()
        self.system.job_queue.redrive()

    def _send_again(self) -> None:
        webhooks = self.system.config.webhooks
        for webhook in [webhooks[one] for one in sorted(webhooks)]:
            if webhook.status is WebhookStatus.PAUSED:
                self.actions.enable(webhook)
        for account_id in sorted(self.system.config.accounts):
            entries = self.system.deliveries.entries.values()
            ids = sorted(one.id for one in entries if one.account_id == account_id)
            self.actions.retry(ids, account_id)
        self.world.finish_all()

    def _drain(self) -> None:
        """Until nothing waits: all is done or dead. Then nothing is overdue any more."""
        queues = (
            self.system.event_queue,
            self.system.pacing_queue,
            self.system.delivery_queue,
            self.system.slow_queue,
            self.system.job_queue,
        )
        for _ in range(_MOST_TURNS):
            if self.world.violations:
                return
            due = [at for queue in queues if (at := queue.next_visible_at()) is not None]
            if not due:
                self.world.pass_seconds(_LONG_AFTER_SECONDS)
                self.actions.pull_all()
                return
            self.world.now = max(self.world.now, min(due))
            for queue in queues:
                self.system.poll(queue)
                self.world.finish_all()
        self.world.violate("the queues do not drain")

    def _judge(self, *, burnt: bool = False) -> Settlement:
        queues = (self.system.delivery_queue, self.system.slow_queue, self.system.pacing_queue)
        dead = [one.body for queue in queues for one in queue.dead.values()]
        settlement = Settlement(self.system.oracle, dead, RETRY_INTERVAL_SECONDS, burnt=burnt)
        if not self.world.violations:
            settlement.check()
        return settlement
