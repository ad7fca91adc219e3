"""Erasures: what the oracle knows of them, and what must hold of the members who were erased."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from perkwire.jobs.erasure import Erasure
from perkwire.model.account import Account
from perkwire.model.delivery import Attempt, Delivery, DeliveryStatus, Reason
from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives.ids import AccountId, EventId, JobId
from perkwire.primitives.queueing import Outgoing
from tests.fakes import (
    FakeConfigItems,
    FakeDeliveryItems,
    FakeErasureItems,
    FakeErasureStore,
    FakeEventErasing,
    FakeEventItems,
    FakeLogErasing,
)
from tests.simulation.model import EventKey, members
from tests.simulation.queues import SimulatedQueue
from tests.simulation.world import Invocation, World


class States(dict[Any, Any]):
    """What a dispatcher reads of webhooks, and how many erasures had been asked for by then."""

    asked = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was erased, and until when."""

    account_id: AccountId
    member: str
    until: int


@dataclass(eq=False)
class Erasures:
    """`said` is whom an event names and when it was accepted, as its first message has it.

    `naming` is the member that a request under way is about, `answered` are the erasures that
    somebody has been told of.
    """

    world: World
    events: FakeEventItems
    deliveries: FakeDeliveryItems
    queue: SimulatedQueue
    forgotten: set[EventKey]
    items: FakeErasureItems = field(default_factory=FakeErasureItems)
    said: dict[EventKey, tuple[str, int]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    naming: dict[Invocation, str] = field(default_factory=dict)
    answered: set[JobId] = field(default_factory=set)
    _of: dict[JobId, Asked] = field(default_factory=dict)

    def hears(self, outgoing: Outgoing) -> None:
        """Events go into EventQueue."""
        message = members(outgoing.body)
        for event in message["events"] if message else ():
            named = event["data"]["member"]["id"], event["accepted_at"]
            self.said.setdefault((message["account_id"], event["id"]), named)  # type: ignore[index]

    def begins(self, erasure: Erasure) -> None:
        """One is stored, with what its account remembers."""
        if self.world.current is not None:
            named = self.naming[self.world.current]
            self._of[erasure.id] = Asked(erasure.account_id, named, erasure.asked_at)
            self.asked.append(self._of[erasure.id])

    def cover(self, key: EventKey, asked: int | None = None) -> bool:
        """Whether an event is of somebody who is erased, by the first so many erasures."""
        return any(self._covers(one, key) for one in self.asked[:asked])

    def _covers(self, one: Asked, key: EventKey) -> bool:
        member, accepted_at = self.said.get(key, ("", 0))
        same = (one.account_id, one.member) == (key[0], member)
        return same and accepted_at <= one.until

    def fits(self, account_id: AccountId, ids: Sequence[EventId], whole: Sequence[EventId]) -> bool:
        """Whether these are all of the whole but events that have been erased."""
        left = tuple(one for one in whole if one in ids)
        return left == tuple(ids) and all(
            self.cover((account_id, one)) for one in whole if one not in ids
        )

    def all_of(self, entry: Delivery) -> bool:
        """Whether an entry has nothing but what has been erased."""
        return all(self.cover((entry.account_id, one)) for one in entry.event_ids)

    def changes(self, before: Delivery, after: Delivery) -> None:
        """The worker has taken data out of an entry: nothing else of it is another."""
        same = [
            (one.id, one.event_ids, one.run, [*map(bare, one.attempts)]) for one in (before, after)
        ]
        if same[0] != same[1]:
            self.world.violate(f"{before.id} is changed by an erasure to {after}")
        if after.status is not before.status and not (
            after.reason is Reason.ERASED
            and before.status is not DeliveryStatus.SUCCEEDED
            and self.all_of(after)
        ):
            self.world.violate(f"{after.id} ({before.status}) is {after.status} by an erasure")
        if not all(self.cover((after.account_id, one)) for one in after.erased):
            self.world.violate(f"{after.id} leaves out {after.erased}")

    def is_done(self, message_id: str, message: dict[str, Any]) -> None:
        """A worker's message is about to be deleted."""
        erasure = self.items.erasures.get(message["job_id"])
        if erasure is None:
            self.world.violate(f"{message_id} is deleted, of an erasure that is absent")
        elif not erasure.has_ended and not self._waits(erasure, besides=message_id):
            self.world.violate(f"{message_id} is deleted, and {erasure.id} has no other")

    def _waits(self, erasure: Erasure, besides: str = "") -> bool:
        return any(
            one.id != besides
            and (message := members(one.body))
            and message["job_id"] == erasure.id
            and message["turn"] >= erasure.turn
            for one in (*self.queue.messages.values(), *self.queue.dead.values())
        )

    def check(self, *, ended: bool) -> None:
        """Nothing runs: what is done has left nothing, and nobody else's data is gone."""
        for erasure in self.items.erasures.values():
            if erasure.has_ended:
                if erasure.finished_at is not None and erasure.status == "done":
                    self.world.say(f"{erasure.id} is done, {erasure.events_erased} erased")
                    self._check_gone(self._of[erasure.id])
            elif erasure.id in self.answered and (ended or not self._waits(erasure)):
                self.world.violate(f"{erasure.id} (turn {erasure.turn}) has not ended")
        for key, routed in self.events.events.items():
            if routed.event.erased_at is not None and not self.cover(key):
                self.world.violate(f"{key[1]} has lost its data, and nobody asked for it")

    def _check_gone(self, one: Asked) -> None:
        own = {key for key in self.events.events if self._covers(one, key)}
        for key in own:
            if self.events.events[key].event.data:
                self.world.violate(f"{key[1]} is erased and kept")
        for entry in self.deliveries.entries.values():
            keys = {(entry.account_id, event_id) for event_id in entry.event_ids}
            if keys & own - self.forgotten and self._answered_before(one, entry):
                self.world.violate(f"{entry.id} still has answers to what is erased")

    def _answered_before(self, one: Asked, entry: Delivery) -> bool:
        """Whether it has answers of before. Later attempts sent what others are about alone."""
        is_whole = all(self._covers(one, (entry.account_id, event)) for event in entry.event_ids)
        apart = any(self.world.skews.values())
        return any(
            attempt.response and (is_whole or (attempt.at <= one.until and not apart))
            for attempt in entry.attempts
        )


def bare(attempt: Attempt) -> tuple[object, ...]:
    """An attempt without what an endpoint has said."""
    return attempt.number, attempt.at, attempt.status_code, attempt.error, attempt.run


class ErasureStore(FakeErasureStore):
    """The oracle hears of what is asked for."""

    def __init__(self, config: FakeConfigItems, erasures: Erasures) -> None:
        super().__init__(erasures.items, config)
        self._erasures = erasures

    def add(self, erasure: Erasure, before: Account, erased: bytes) -> None:
        super().add(erasure, before, erased)
        self._erasures.begins(erasure)


class EventErasing(FakeEventErasing):
    """As the adapter does it: the ids first, then the data of one event after the other."""

    def __init__(self, world: World, items: FakeErasureItems, events: FakeEventItems) -> None:
        super().__init__(items, events)
        self._world = world

    def erase(self, erasure: Erasure, events: Sequence[RoutedEvent], now: int) -> None:
        noted = self._items.noted.setdefault(erasure.id, set())
        ids = {routed.event.id for routed in events}
        self._world.call(f"EventErasing.erase notes {len(ids)}", lambda: noted.update(ids))
        for routed in events:
            one = partial(super().erase, erasure, [routed], now)
            self._world.call(f"EventErasing.erase {routed.event.id}", one)


class LogErasing(FakeLogErasing):
    """The oracle hears of what is changed."""

    def __init__(self, erasures: Erasures) -> None:
        super().__init__(erasures.deliveries)
        self._erasures = erasures

    def erase(self, before: Delivery, after: Delivery) -> Delivery | None:
        meanwhile = super().erase(before, after)
        if meanwhile is None:
            self._erasures.changes(before, after)
        return meanwhile


def gone(invocation: Invocation, entry: Delivery) -> set[EventId]:
    """Which of an entry's events a retry or a worker finds erased."""
    found = {
        event_id
        for call in invocation.called("find_all")
        if call.error is None
        for event_id, routed in call.answer.items()
        if routed.event.erased_at is not None
    }
    return {one for one in entry.event_ids if one in found or one in entry.erased}
