"""Webhooks that are pulled: their lists as DynamoDB keeps them, and what must hold of readers.

A transaction is decided at once, and then its items become visible one by one, each at any time
later and whatever becomes of who has asked for it. Until an item is visible, any other transaction
that has to do with it collides, and a query that comes by may see an item without another of the
same transaction, or of one before.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any

from perkwire.dispatching.pulling import Pulled
from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.waiting import (
    BeingWritten,
    ListEnd,
    NotAdded,
    Taken,
    WaitingDelivery,
    WaitingPage,
)
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId
from perkwire.primitives.journal import Unavailable
from tests.fakes import FakeDeliveryItems, FakeWaitingTable
from tests.simulation.world import Invocation, World

_VISIBLE = 0.15
"""Whether a part of a transaction becomes visible at a step."""

type ListKey = tuple[AccountId, WebhookId]
type Effect = tuple[object, Callable[[], None]]


@dataclass(eq=False)
class Lists:
    """What is stored. `under_way` are the decided transactions, with what is not visible yet."""

    world: World
    items: FakeDeliveryItems
    ends: dict[ListKey, ListEnd] = field(default_factory=dict)
    under_way: list[list[Effect]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._draw = Random(f"{self.world.seed} transactions")

    def is_locked(self, *keys: object) -> bool:
        """Whether one of the items belongs to a transaction that is under way."""
        return any(key in keys for effects in self.under_way for key, _ in effects)

    def go_on(self) -> None:
        """Some of what is under way becomes visible; all of it once the world is at peace."""
        if not self.world.hostile:
            self.finish()
        for effects in self.under_way:
            if effects and self._draw.random() < _VISIBLE:
                effects.pop()[1]()
        self.under_way = [effects for effects in self.under_way if effects]

    def finish(self) -> None:
        """All that is under way becomes visible."""
        for effects in self.under_way:
            while effects:
                effects.pop()[1]()
        self.under_way = []

    def decide(self, effects: list[Effect]) -> list[Effect]:
        """A transaction is carried out from now on; often the end of the list is there first."""
        end = effects.pop(0)
        self._draw.shuffle(effects)
        effects.insert(len(effects) if self._draw.random() < 0.7 else 0, end)
        self.under_way.append(effects)
        return effects


class WaitingTable:
    """waiting.WaitingPages, pulling.Lists and watching.Lists."""

    def __init__(
        self,
        lists: Lists,
        added: Callable[[WaitingPage, Sequence[Delivery]], None],
        logged: Callable[[Delivery | None, Delivery | None], None],
        asks: Callable[[ListKey, int], None],
    ) -> None:
        self._lists = lists
        self._items = lists.items
        self._world = lists.world
        self._table = FakeWaitingTable(lists.items)
        self._added = added
        self._logged = logged
        self._asks = asks

    def end(self, account_id: AccountId, webhook_id: WebhookId) -> ListEnd:
        return self._step("end", lambda: self._end((account_id, webhook_id)))

    def add(
        self, before: ListEnd, page: WaitingPage, entries: Sequence[Delivery], watch: int
    ) -> NotAdded | None:
        effects: list[Effect] = []
        refused = self._step(
            f"add {[one.id for one in entries]} up to {page.last}",
            lambda: self._decide(before, page, entries, watch, effects),
        )
        while refused is None and effects:
            self._step("a part becomes visible", lambda: None)
        return refused

    def pages(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: int, limit: int
    ) -> list[WaitingPage]:
        """In two looks, in their order: a query sees each item as it is when it comes by."""
        key = (account_id, webhook_id)
        first = self._step("pages", partial(self._table.pages, *key, after=after, limit=limit))
        half = first[: len(first) // 2]
        after = half[-1].last if half else after
        left = limit - len(half)
        more = partial(self._table.pages, *key, after=after, limit=left)
        return half + self._step("more pages", more) if left else half

    def page_at(
        self, account_id: AccountId, webhook_id: WebhookId, last: int
    ) -> WaitingPage | None:
        return self._step("page_at", lambda: self._page_at((account_id, webhook_id), last))

    def entry(self, account_id: AccountId, delivery_id: DeliveryId) -> Delivery | None:
        def look() -> Delivery | None:
            if self._lists.is_locked(delivery_id):
                raise BeingWritten
            return self._table.entry(account_id, delivery_id)

        return self._step(f"entry {delivery_id}", look)

    def taken(self, account_id: AccountId, webhook_id: WebhookId) -> Taken:
        return self._step("taken", lambda: self._table.taken(account_id, webhook_id))

    def take(self, account_id: AccountId, webhook_id: WebhookId, through: int, now: int) -> None:
        def effect() -> None:
            self._asks((account_id, webhook_id), through)
            self._table.take(account_id, webhook_id, through, now)

        self._step(f"take {through}", effect)

    def move_watch(
        self, account_id: AccountId, webhook_id: WebhookId, before: int, after: int
    ) -> bool:
        key = (account_id, webhook_id)

        def effect() -> bool:
            end = self._unlocked_end(key)
            if end.watch != before:
                return False
            self._lists.ends[key] = replace(end, watch=after)
            return True

        return self._step("move_watch", effect)

    def end_watch(self, account_id: AccountId, webhook_id: WebhookId, end: ListEnd) -> bool:
        key = (account_id, webhook_id)

        def effect() -> bool:
            if self._unlocked_end(key) != end:
                return False
            self._lists.ends[key] = ListEnd(end.last)
            return True

        return self._step("end_watch", effect)

    def _unlocked_end(self, key: ListKey) -> ListEnd:
        if self._lists.is_locked((key, "end")):
            raise Unavailable("simulated: collided")
        return self._end(key)

    def settle(
        self,
        entry: Delivery,
        status: DeliveryStatus,
        reason: Reason | None,
        erased: Sequence[EventId],
        now: int,
    ) -> None:
        def effect() -> None:
            if self._lists.is_locked(entry.id):
                raise Unavailable("simulated: collided")
            before = self._items.entries.get(entry.id)
            self._table.settle(entry, status, reason, erased, now)
            self._logged(before, self._items.entries.get(entry.id))

        self._step(f"settle {entry.id}: {status} {reason}", effect)

    def _step[T](self, name: str, effect: Callable[[], T]) -> T:
        def go_on() -> T:
            self._lists.go_on()
            return effect()

        return self._world.ask(
            f"lists.{name}", (), lambda: self._world.call(f"WaitingTable.{name}", go_on)
        )

    def _end(self, key: ListKey) -> ListEnd:
        return self._lists.ends.get(key, ListEnd())

    def _decide(
        self,
        before: ListEnd,
        page: WaitingPage,
        entries: Sequence[Delivery],
        watch: int,
        effects: list[Effect],
    ) -> NotAdded | None:
        key = (page.account_id, page.webhook_id)
        if self._lists.is_locked((key, "end")):
            return NotAdded(was_beaten=True)
        if self._lists.is_locked((key, page.last), *(entry.id for entry in entries)):
            return NotAdded(was_beaten=False)
        end = self._end(key)
        was_beaten = end != before
        known = frozenset(one.id for one in entries if self._table.is_known(one))
        if was_beaten or known:
            return NotAdded(was_beaten, known)
        self._added(page, entries)
        after = ListEnd(page.last, watch)
        effects += [
            ((key, "end"), lambda: self._lists.ends.update({key: after})),
            ((key, page.last), lambda: self._table.store(page)),
            *((entry.id, partial(self._store, entry)) for entry in entries),
        ]
        self._lists.decide(effects)
        return None

    def _store(self, entry: Delivery) -> None:
        before = self._items.entries.get(entry.id)
        self._table.store_entry(entry)
        self._logged(before, self._items.entries[entry.id])

    def _page_at(self, key: ListKey, last: int) -> WaitingPage | None:
        if self._lists.is_locked((key, last)):
            raise BeingWritten
        return self._table.page_at(*key, last)


@dataclass(eq=False)
class Pulls:
    """Judges lists and their readers. `given` are the runs that readers have got."""

    world: World
    items: FakeDeliveryItems
    ends: Counter[ListKey] = field(default_factory=Counter)
    places: dict[tuple[DeliveryId, int], int] = field(default_factory=dict)
    waiting: dict[tuple[WebhookId, int], WaitingDelivery] = field(default_factory=dict)
    given: set[tuple[WebhookId, int]] = field(default_factory=set)
    added: dict[Invocation, set[DeliveryId]] = field(default_factory=dict)

    def adds(self, page: WaitingPage, entries: Sequence[Delivery]) -> None:
        """A page is decided."""
        key = (page.account_id, page.webhook_id)
        if page.first != self.ends[key] + 1:
            self.world.violate(f"a page of {page.webhook_id} begins at {page.first}")
        self.ends[key] = page.last
        for place, one in enumerate(page.deliveries, page.first):
            if self.places.setdefault((one.id, one.run), place) != place:
                self.world.violate(f"{one.id}, run {one.run}, waits at two places")
            self.waiting[page.webhook_id, place] = one
        if [(one.id, one.run) for one in page.deliveries] != [(one.id, one.run) for one in entries]:
            self.world.violate(f"a page up to {page.last} has other deliveries than the log")
        if self.world.current is not None:
            added = self.added.setdefault(self.world.current, set())
            added |= {one.id for one in page.deliveries}

    def is_asked(self, key: ListKey, through: int) -> None:
        """A reader says that he has taken all up to a place."""
        if through > self.ends[key]:
            self.world.violate(f"{key[1]} is taken up to {through}, which is behind its end")

    def gives(self, webhook_id: WebhookId, after: int | None, pulled: Pulled) -> None:
        """A reader has got an answer."""
        places = [place for place, _, _ in pulled.given]
        begin = places[0] - 1 if after is None and places else after or 0
        if places != sorted({*places}) or any(not begin < place for place in places):
            self.world.violate(f"{webhook_id} gives {places} behind {after}")
        if places and pulled.through < places[-1]:
            self.world.violate(f"{webhook_id} gives {places} and goes on behind {pulled.through}")
        for place, delivery_id, _ in pulled.given:
            one = self.waiting.get((webhook_id, place))
            if one is None or one.id != delivery_id:
                self.world.violate(f"{delivery_id} is given at {place}, where {one} waits")
            elif one.not_before is not None and one.not_before > self.world.clock():
                self.world.violate(f"{delivery_id} is given before its slot")
            self.given.add((webhook_id, place))

    def trouble(self, entry: Delivery) -> str | None:
        """What is wrong with an entry that waits, or reads as pulled."""
        place = self.places.get((entry.id, entry.run))
        if place is None or place != entry.place:
            return f"waits at {entry.place}, and not at {place}"
        pages = self.items.pages.get((entry.account_id, entry.webhook_id), {})
        if not any(page.first <= place <= page.last for page in pages.values()):
            return "waits in no list"
        taken = self.items.taken.get((entry.account_id, entry.webhook_id), Taken(0, None))
        if place <= taken.through and (entry.webhook_id, place) not in self.given:
            return "reads as pulled, and nobody has got it"
        return None

    def has_given(self, entry: Delivery) -> bool:
        """Whether a reader has got it, as it waits now."""
        place = self.places.get((entry.id, entry.run))
        return place is not None and (entry.webhook_id, place) in self.given


def is_of_seed(seed: int) -> bool:
    """Some seeds: what all others lead to is what it was before there were pulled webhooks."""
    return seed % 9 == 8


def as_message(entry: Delivery, events: dict[Any, Any]) -> dict[str, Any]:
    """A delivery as its message would be, if it were posted, as far as its events are kept."""
    kept = [events.get((entry.account_id, one)) for one in entry.event_ids]
    return {
        "delivery_id": entry.id,
        "account_id": entry.account_id,
        "webhook_id": entry.webhook_id,
        "run": entry.run,
        "events": [
            {"id": one.event.id, "accepted_at": one.event.accepted_at, "data": one.event.data}
            for one in kept
            if one is not None
        ],
    }
