"""The stores: the fakes of the suite, which keep the adapters' contracts, with faults at each step.

What the adapters do in several steps is several steps here as well.
"""

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, cast

from perkwire.dispatching.health import Streak
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model import routed_event
from perkwire.model.delivery import Change, Delivery
from perkwire.model.lanes import Lane
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.webhook import DeletedWebhook, Webhook
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId
from perkwire.primitives.journal import Unavailable
from tests.fakes import (
    FakeDeliveryItems,
    FakeDeliveryTable,
    FakeEventItems,
    FakeRetryableDeliveries,
    FakeWebhookLookup,
)
from tests.simulation.erasures import States
from tests.simulation.oracle import Oracle
from tests.simulation.world import StillRunning, World


class _Steps:
    """Passes every call of a method on, as a step of the world."""

    def __init__(self, world: World, target: object) -> None:
        self._world = world
        self._target = target

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._target, name)

        def step(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the method's
            what = f"{type(self._target).__name__.removeprefix('Fake')}.{name}"
            return self._world.ask(
                name,
                arguments,
                lambda: self._world.call(what, lambda: method(*arguments, **named)),
            )

        return step


def in_steps[T](world: World, target: T) -> T:
    """The same thing, each of whose calls may fail, crash or take effect without an answer."""
    return cast(T, _Steps(world, target))


class Lookup(FakeWebhookLookup):
    """An item may be absent for a moment, as from a table that is being restored.

    The oracle hears of what is read and kept.
    """

    def __init__(
        self,
        world: World,
        items: Any,  # noqa: ANN401 - as the fake's
        oracle: Oracle,
    ) -> None:
        super().__init__(items)
        self._world = world
        self._oracle = oracle

    def of_account(self, account_id: AccountId) -> Sequence[Webhook] | None:
        if self._world.chance(self._world.faults.absent_item):
            self._world.say(f"{account_id} is absent")
            return None
        self._oracle.webhooks_read(account_id)
        return super().of_account(account_id)

    def states(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> Mapping[WebhookId, WebhookState | DeletedWebhook]:
        states = super().states(sorted(keys))
        found = States(
            (webhook_id, state)
            for webhook_id, state in states.items()
            if not self._world.chance(self._world.faults.absent_item)
        )
        found.asked = len(self._oracle.erasures.asked)
        return found

    def look_again(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> Mapping[WebhookId, WebhookState]:
        return super().look_again(sorted(keys))

    def pause(self, webhook: Webhook, pause: Any) -> bool:  # noqa: ANN401 - as the fake's
        paused = super().pause(webhook, pause)
        self._oracle.webhooks_changed()
        return paused

    def add_failures(self, webhook: Webhook, count: int, now: int, *, failing: bool) -> Streak:
        if notes := self._oracle.noted():
            self._oracle.pauses.fails(notes, webhook, count, now)
        return super().add_failures(webhook, count, now, failing=failing)

    def add_slow(self, webhook: Webhook, count: int, now: int) -> int:
        self._oracle.pauses.recovers(webhook)
        return super().add_slow(webhook, count, now)

    def end_streak(self, webhook: Webhook, now: int, *, fast: int = 0) -> int:
        self._oracle.pauses.recovers(webhook)
        return super().end_streak(webhook, now, fast=fast)

    def move(self, webhook: Webhook, lane: Lane) -> bool:
        moved = super().move(webhook, lane)
        self._oracle.webhooks_changed()
        return moved

    def find(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook | DeletedWebhook | None:
        if self._world.chance(self._world.faults.absent_item):
            self._world.say(f"{webhook_id} is absent")
            return None
        return super().find(account_id, webhook_id)


class EventTable:
    """routing.Events, as the adapter does it: one by itself is put as new, if nothing is there.

    Else all that is there is read, then all is put.
    """

    def __init__(self, world: World, items: FakeEventItems) -> None:
        self._world = world
        self._items = items

    def keep(self, events: Sequence[RoutedEvent]) -> list[bool]:
        stored = self._items.events
        try:
            if len(events) == 1 and self._world.call(
                "EventTable.keep puts one as new",
                lambda: stored.setdefault(events[0].key, events[0]) is events[0],
            ):
                return [True]
            kept = self._world.call(
                "EventTable.keep reads",
                lambda: {one.key: stored[one.key] for one in events if one.key in stored},
            )
            merged, taken = routed_event.merge(kept, events)
            puts = list(merged.items())
            while puts:
                size = self._world.random.randint(1, 25)
                page, puts = puts[:size], puts[size:]
                self._world.call(f"EventTable.keep puts {len(page)}", partial(stored.update, page))
        except Unavailable:
            return [False] * len(events)
        return taken


class DeliveryTable:
    """dispatching.DeliveryLog and routing.PausedDeliveries.

    `logged` hears of each entry before and after a write, `told` of what a write has answered.
    """

    def __init__(
        self,
        world: World,
        items: FakeDeliveryItems,
        logged: Callable[[Delivery | None, Delivery | None], None],
        told: Callable[[Delivery, bool], None],
    ) -> None:
        self._world = world
        self._items = items
        self._table = FakeDeliveryTable(items)
        self._logged = logged
        self._told = told

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        return self._world.ask(
            "find",
            (keys,),
            lambda: self._world.call("DeliveryTable.find", lambda: self._table.find(sorted(keys))),
        )

    def write(self, changes: Sequence[Change]) -> set[DeliveryId]:
        try:
            return self._world.ask("write", (changes,), lambda: self._write_all(changes))
        except (StillRunning, RuntimeError):  # what nobody foresaw says of none that it is stored
            for change in changes:
                self._told(change.after, False)
            raise

    def _write_all(self, changes: Sequence[Change]) -> set[DeliveryId]:
        unstored = set()
        for change in changes:
            after = change.after
            what = f"DeliveryTable.write {after.id} run {after.run}: {after.status} {after.reason}"
            try:
                self._world.call(what, partial(self._write, change))
            except Unavailable:
                unstored.add(after.id)
            self._told(after, after.id not in unstored)
        return unstored

    def add(self, deliveries: Sequence[Delivery]) -> None:
        self._world.call("DeliveryTable.add", lambda: self._add(deliveries))

    def _write(self, change: Change) -> None:
        before = self._items.entries.get(change.after.id)
        self._table.write([change])
        self._logged(before, self._items.entries.get(change.after.id))

    def _add(self, deliveries: Sequence[Delivery]) -> None:
        before = {one.id: self._items.entries.get(one.id) for one in deliveries}
        self._table.add(deliveries)
        for delivery_id, entry in before.items():
            self._logged(entry, self._items.entries.get(delivery_id))


class RetryableDeliveries:
    """retrying.Deliveries."""

    def __init__(
        self,
        world: World,
        items: FakeDeliveryItems,
        logged: Callable[[Delivery | None, Delivery | None], None],
    ) -> None:
        self._world = world
        self._items = items
        self._table = FakeRetryableDeliveries(items)
        self._logged = logged

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        return self._world.ask(
            "find",
            (keys,),
            lambda: self._world.call(
                "RetryableDeliveries.find", lambda: self._table.find(sorted(keys))
            ),
        )

    def unsettled(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> Sequence[DeliveryId]:
        return self._world.call(
            "RetryableDeliveries.unsettled",
            lambda: self._table.unsettled(
                account_id, webhook_id, after=after, before=before, limit=limit
            ),
        )

    def oldest(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> Sequence[Delivery]:
        return self._world.call(
            "RetryableDeliveries.oldest",
            lambda: self._table.oldest(
                account_id, webhook_id, after=after, before=before, limit=limit
            ),
        )

    def hand_over(self, entry: Delivery, now: int, due_at: int) -> None:
        self._note("hand_over", entry, now, due_at)

    def reopen(self, entry: Delivery, now: int, due_at: int) -> bool:
        def effect() -> bool:
            before = self._items.entries.get(entry.id)
            is_reopened = self._table.reopen(entry, now, due_at)
            self._logged(before, self._items.entries.get(entry.id))
            return is_reopened

        return self._world.call(f"RetryableDeliveries.reopen {entry.id}", effect)

    def close(self, entry: Delivery, now: int) -> None:
        self._note("close", entry, now)

    def split(self, entry: Delivery, parts: Sequence[DeliveryId], now: int) -> None:
        self._note("split", entry, parts, now)

    def _note(self, name: str, entry: Delivery, *arguments: object) -> None:
        def effect() -> None:
            before = self._items.entries.get(entry.id)
            getattr(self._table, name)(entry, *arguments)
            self._logged(before, self._items.entries.get(entry.id))

        def note() -> None:
            with contextlib.suppress(Unavailable):
                self._world.call(f"RetryableDeliveries.{name} {entry.id}", effect)

        self._world.ask(name, (entry, *arguments), note)
