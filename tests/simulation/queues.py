"""A standard queue of SQS: at least once, in any order, with visibility and a redrive policy."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from perkwire.dispatching.next_receive import NextReceive
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.queueing import Outgoing
from perkwire.primitives.timestamps import MICROSECONDS
from tests.simulation.world import World

_LARGEST_BATCH = 10
_DAYS = 4  # MessageRetentionPeriod, of the queues and of their dead-letter queues
_DAYS_DEAD = 14
_LONGEST_HIDDEN_SECONDS = 43_200


@dataclass(slots=True, eq=False)
class Message:
    """A message; `receives` is what SQS has counted."""

    id: str
    body: str
    put_at: int
    visible_at: int
    receives: int = 0
    received_at: int = 0

    @property
    def handle(self) -> str:
        """That of the latest receive."""
        return f"{self.id}/{self.receives}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message as handed over; the count told is approximate and may be one too low.

    `handle` is good until the message is received again.
    """

    message: Message
    receive_count: int
    handle: str


@dataclass(eq=False)
class SimulatedQueue:
    """A queue and its dead-letter queue. `max_receives` is the redrive policy's.

    Besides what the seed has drawn, messages are given out twice at this rate: `doubled`.
    """

    world: World
    name: str
    visibility_seconds: int
    max_receives: int
    largest_batch: int = _LARGEST_BATCH
    doubled: float = 0.0
    messages: dict[str, Message] = field(default_factory=dict)
    dead: dict[str, Message] = field(default_factory=dict)
    _numbered: int = 0

    def put(self, body: str, delay_seconds: int = 0) -> None:
        self._numbered += 1
        message_id = f"{self.name}-{self._numbered}"
        self.messages[message_id] = Message(
            message_id, body, self.world.now, self.world.now + delay_seconds * MICROSECONDS
        )

    def has_visible(self) -> bool:
        return any(one.visible_at <= self.world.now for one in self.messages.values())

    def next_visible_at(self) -> int | None:
        """When the next message can be received."""
        return min((one.visible_at for one in self.messages.values()), default=None)

    def receive(self, most: int | None = None) -> list[Receipt]:
        """Up to a batch, any of those visible. Spent ones go to the dead-letter queue."""
        world = self.world
        visible = [one for one in self.messages.values() if one.visible_at <= world.now]
        world.random.shuffle(visible)
        receipts = []
        for message in visible[: most or world.random.randint(1, self.largest_batch)]:
            if message.receives >= self.max_receives:
                world.say(f"{message.id} is dead")
                self.dead[message.id] = self.messages.pop(message.id)
                continue
            message.receives += 1
            message.received_at = world.now
            told = message.receives
            if told > 1 and world.chance(world.faults.miscounted_receive):
                told -= 1
            if not world.chance(max(world.faults.doubled_receive, self.doubled)):
                message.visible_at = world.now + self.visibility_seconds * MICROSECONDS
            receipts.append(Receipt(message, told, message.handle))
        return receipts

    def hide(self, handle: str, seconds: int) -> bool:
        """Whether SQS takes it: the message is in flight by this handle, and not for too long."""
        message = next((one for one in self.messages.values() if one.handle == handle), None)
        if message is None or message.visible_at <= self.world.now:
            return False
        until = self.world.now + seconds * MICROSECONDS
        if until > message.received_at + _LONGEST_HIDDEN_SECONDS * MICROSECONDS:
            return False
        message.visible_at = until
        return True

    def delete(self, message: Message) -> None:
        """Delete it, or have a replica of SQS forget to."""
        if not self.world.chance(self.world.faults.lost_delete):
            self.messages.pop(message.id, None)

    def redrive(self) -> None:
        """Each dead letter becomes a new message, whose receives count from the start."""
        self.world.say(f"redrive of {len(self.dead)} in {self.name}")
        dead, self.dead = self.dead, {}
        for message in dead.values():
            self.put(message.body)

    def expire(self) -> list[str]:
        """Forget what has been there for too long, dead letters too; the bodies."""
        expired = []
        for messages, days in ((self.messages, _DAYS), (self.dead, _DAYS_DEAD)):
            ended = self.world.now - days * 86_400 * MICROSECONDS
            expired += [one for one in messages.values() if one.put_at <= ended]
            for message in expired:
                messages.pop(message.id, None)
        return [one.body for one in expired]

    def bodies(self) -> list[str]:
        return [one.body for one in (*self.messages.values(), *self.dead.values())]


class QueuePort:
    """accepting.Queue on a simulated queue. `sent` hears of each message before it is there."""

    def __init__(
        self, world: World, queue: SimulatedQueue, sent: Callable[[Outgoing], None]
    ) -> None:
        self._world = world
        self._queue = queue
        self._sent = sent

    def send(self, messages: Sequence[Outgoing]) -> list[bool]:
        """Whether it says to hold each; what it denies to hold may be there, and be there twice."""
        return self._world.ask("send", (messages,), lambda: self._send(messages))

    def _send(self, messages: Sequence[Outgoing]) -> list[bool]:
        held: list[bool] = []
        while len(held) < len(messages):
            size = self._world.random.randint(1, _LARGEST_BATCH)
            batch = messages[len(held) : len(held) + size]
            try:
                held += self._world.call(
                    f"send {len(batch)} to {self._queue.name}", partial(self._put, batch)
                )
            except Unavailable:
                held += [False] * len(batch)
        return held

    def _put(self, batch: Sequence[Outgoing]) -> list[bool]:
        held = []
        for message in batch:
            refused = self._world.chance(self._world.faults.refused_message)
            held.append(not refused)
            copies = 2 if self._world.chance(self._world.faults.doubled_send) else 1
            for _ in range(0 if refused else copies):
                self._sent(message)
                self._queue.put(message.body, message.delay_seconds)
        return held


class VisibilityPort:
    """dispatching.Visibility on simulated queues."""

    def __init__(self, world: World, queues: Sequence[SimulatedQueue], journal: Journal) -> None:
        self._world = world
        self._queues = {queue.name: queue for queue in queues}
        self._journal = journal

    def hide(self, receives: Sequence[NextReceive]) -> None:
        """What is not taken, or not known to be, is a fault."""
        self._world.ask("hide", (receives,), lambda: self._hide(receives))

    def _hide(self, receives: Sequence[NextReceive]) -> None:
        by_queue: defaultdict[str, list[NextReceive]] = defaultdict(list)
        for receive in receives:
            by_queue[receive.received.queue_arn.rpartition(":")[2]].append(receive)
        for name, own in by_queue.items():
            try:
                taken = self._world.call(
                    f"hide {len(own)} of {name}", partial(self._each, self._queues[name], own)
                )
            except Unavailable as error:
                self._journal.fault("delay_not_set", detail=str(error))
                continue
            for _ in range(taken.count(False)):
                self._journal.fault("delay_not_set", detail="refused")

    def _each(self, queue: SimulatedQueue, receives: Sequence[NextReceive]) -> list[bool]:
        return [
            not self._world.chance(self._world.faults.refused_message)
            and queue.hide(receive.received.receipt, receive.seconds)
            for receive in receives
        ]
