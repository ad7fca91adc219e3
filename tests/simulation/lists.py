"""One list with its writers and readers, by themselves: more at once than a system has.

Writers have deliveries wait, also those that others have in hand or have had wait. Readers pull,
and say with each cursor that they have got all before it.
"""

from collections.abc import Sequence
from functools import partial

from perkwire.dispatching.pulling import Pull, Pulling
from perkwire.dispatching.signing import PullSigner, SignedAs
from perkwire.formats.lookup import FormatLookup
from perkwire.model.messages import DeliveryMessage
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.waiting import WaitingList
from perkwire.model.webhook import pull_url
from perkwire.primitives.ids import EventId, WebhookId
from perkwire.primitives.journal import Unavailable
from tests.builders import ACCOUNT, a_delivery_message, a_webhook, an_account, an_event
from tests.fakes import (
    FakeConfigItems,
    FakeDeliveryItems,
    FakeDeliveryReader,
    FakeEventItems,
    FakeEventReader,
    FakeOpener,
    FakeTelemetry,
    FakeWaits,
    FakeWebhookLookup,
)
from tests.simulation.pulls import Lists, Pulls, WaitingTable
from tests.simulation.queues import QueuePort, SimulatedQueue
from tests.simulation.simulation import Outcome
from tests.simulation.stores import in_steps
from tests.simulation.world import World

JOB_VISIBILITY_SECONDS, MOST_JOB_RECEIVES = 120, 5  # as template.yaml has it
_STEPS = (60, 150, 300)
_SECONDS = 30
_ANSWER_BYTES = 2_000
PULLED = a_webhook(
    id=WebhookId("wh_pulled0000000000"), url=pull_url(WebhookId("wh_pulled")), is_pulled=True
)


def simulate_lists(seed: int, *, traced: bool = False) -> Outcome:
    """Run one seed to its end, or to its first violation. Always the same for the same seed."""
    return outcome_of(ListRun, seed, traced=traced)


def outcome_of(run: "type[ListRun]", seed: int, *, traced: bool) -> Outcome:
    """What a seed leads to in one kind of run."""
    world = World(seed)
    try:
        run(world).go()
    finally:
        world.stop()
    trace = tuple(map(str, world.trace)) if traced or world.violations else ()
    return Outcome(seed, tuple(world.violations), trace)


class BriefSigner(PullSigner):
    """Whose answers have room for three requests."""

    def sign(
        self,
        messages: Sequence[DeliveryMessage],
        most_bytes: int | None = None,
    ) -> list[SignedAs]:
        return super().sign(messages, _ANSWER_BYTES)


class ListRun:
    def __init__(self, world: World) -> None:
        self.world = world
        self.items, self.events = FakeDeliveryItems(), FakeEventItems()
        self.config = FakeConfigItems()
        self.config.put(an_account(), PULLED)
        self.pulls = Pulls(world, self.items)
        self.under_way = Lists(world, self.items)
        table = WaitingTable(self.under_way, self.pulls.adds, lambda *_: None, self.pulls.is_asked)
        self.lists = table
        self.queue = SimulatedQueue(
            world, "jobs", JOB_VISIBILITY_SECONDS, MOST_JOB_RECEIVES, largest_batch=1
        )
        self.port = QueuePort(world, self.queue, lambda _: None)
        self.waiting = WaitingList(table, self.port)
        self.pulling = Pulling(
            lists=table,
            log=in_steps(world, FakeDeliveryReader(self.items)),
            events=FakeEventReader(self.events),
            signer=BriefSigner(
                webhooks=FakeWebhookLookup(self.config),
                vault=FakeOpener(),
                formats=FormatLookup(),
                journal=FakeTelemetry(),
                clock=world.clock,
            ),
            waits=FakeWaits(),
            sleep=lambda _: None,
            clock=world.clock,
        )
        self.cursors: dict[str, int | None] = {"till": None, "laptop": None}
        self.messages: list[DeliveryMessage] = []
        self.waits: set[str] = set()

    def go(self) -> None:
        draw = self.world.random
        bustle = draw.choice((0.6, 0.8, 0.9))
        for _ in range(draw.choice(_STEPS)):
            if self.world.violations:
                return
            if len(self.world.running) > 3 and draw.random() < bustle:
                self.world.resume(draw.choice(self.world.running))
            elif draw.random() < 0.6:
                some = self.some()
                self.world.start("router", partial(self.write, some), _SECONDS)
            else:
                self.read(draw.choice(sorted(self.cursors)), draw.choice((1, 2, 100)))
        self._end()

    def some(self) -> list[DeliveryMessage]:
        """A few deliveries, some of them for the second time."""
        draw = self.world.random
        some = [draw.choice(self.messages) for _ in range(draw.choice((0, 0, 1))) if self.messages]
        for _ in range(draw.choice((1, 1, 2, 3))):
            event = an_event(id=EventId(f"e{len(self.messages)}"), accepted_at=self.world.now)
            routed = RoutedEvent(account_id=ACCOUNT, event=event, deliveries={})
            self.events.events[routed.key] = routed
            some.append(a_delivery_message(PULLED, event))
            self.messages.append(some[-1])
        return some

    def write(self, some: list[DeliveryMessage]) -> None:
        try:
            self.waiting.append(PULLED, [(one, None) for one in some], self.world.clock())
        except (Unavailable, RuntimeError) as error:
            self.world.say(f"fails: {error}")
        else:
            self.waits |= {one.delivery_id for one in some}

    def read(self, reader: str, limit: int) -> None:
        asked = Pull(self.cursors[reader], limit)
        self.world.start("management", partial(self._pull, reader, asked), _SECONDS)

    def _pull(self, reader: str, asked: Pull) -> None:
        try:
            pulled = self.pulling.pull(PULLED, asked)
        except (Unavailable, RuntimeError) as error:
            self.world.say(f"fails: {error}")
            return
        self.world.say(f"{reader} gets {[one for one, *_ in pulled.given]}")
        self.pulls.gives(PULLED.id, asked.after, pulled)
        self.cursors[reader] = pulled.through

    def _end(self) -> None:
        """No more faults: all that was said to wait is given, and nothing was passed over."""
        self.world.hostile = False
        self.world.finish_all()
        while not self.world.violations:
            before = self.cursors["till"]
            self.read("till", 100)
            self.world.finish_all()
            if self.cursors["till"] == before:
                break
        for delivery_id in sorted(self.waits):
            entry = self.items.entries.get(delivery_id)  # type: ignore[call-overload]
            if entry is None:
                self.world.violate(f"{delivery_id} is said to wait, and is not in the log")
            elif not self.pulls.has_given(entry):
                self.world.violate(f"{delivery_id} waits, and is not given")
        for entry in self.items.entries.values():
            if trouble := self.pulls.trouble(entry):
                self.world.violate(f"{entry.id} {trouble}")
