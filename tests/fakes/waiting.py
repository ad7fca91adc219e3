"""DeliveryTable: the lists of what waits to be pulled."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.waiting import ListEnd, NotAdded, Taken, WaitingPage
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId
from tests.fakes.deliveries import FakeDeliveryItems
from tests.fakes.failing import Failing


class FakeWaitingTable(Failing):
    """For WaitingTable: waiting.WaitingPages, pulling.Lists and watching.Lists."""

    def __init__(self, items: FakeDeliveryItems) -> None:
        super().__init__()
        self._items = items

    def end(self, account_id: AccountId, webhook_id: WebhookId) -> ListEnd:
        self._called("end")
        last = max(self._pages(account_id, webhook_id), default=0)
        return ListEnd(last, self._watch(account_id, webhook_id))

    def add(
        self, before: ListEnd, page: WaitingPage, entries: Sequence[Delivery], watch: int
    ) -> NotAdded | None:
        self._called("add")
        pages = self._pages(page.account_id, page.webhook_id)
        own = self._watch(page.account_id, page.webhook_id)
        was_beaten = (max(pages, default=0), own) != (page.first - 1, before.watch)
        known = frozenset(entry.id for entry in entries if self.is_known(entry))
        if was_beaten or known:
            return NotAdded(was_beaten, known)
        self._items.watches[page.account_id, page.webhook_id] = watch
        self.store(page)
        for entry in entries:
            self.store_entry(entry)
        return None

    def store(self, page: WaitingPage) -> None:
        """Have the page, whatever is there."""
        self._pages(page.account_id, page.webhook_id)[page.last] = page

    def store_entry(self, entry: Delivery) -> None:
        """Have the entry of a delivery that waits."""
        before = self._items.entries.get(entry.id)
        self._items.put(
            entry
            if before is None
            else replace(
                before,
                run=entry.run,
                status=entry.status,
                reason=None,
                due_at=None,
                place=entry.place,
                updated_at=entry.updated_at,
            )
        )

    def pages(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: int, limit: int
    ) -> list[WaitingPage]:
        self._called("pages")
        own = self._pages(account_id, webhook_id)
        return [own[last] for last in sorted(own) if last > after][:limit]

    def page_at(
        self, account_id: AccountId, webhook_id: WebhookId, last: int
    ) -> WaitingPage | None:
        self._called("page_at")
        return self._pages(account_id, webhook_id).get(last)

    def entry(self, account_id: AccountId, delivery_id: DeliveryId) -> Delivery | None:
        self._called("entry")
        return self._items.entries.get(delivery_id)

    def taken(self, account_id: AccountId, webhook_id: WebhookId) -> Taken:
        self._called("taken")
        return self._items.taken.get((account_id, webhook_id), Taken(0, None))

    def take(self, account_id: AccountId, webhook_id: WebhookId, through: int, now: int) -> None:
        self._called("take")
        key = (account_id, webhook_id)
        if self._items.taken.get(key, Taken(0, None)).through < through:
            self._items.taken[key] = Taken(through, now)

    def move_watch(
        self, account_id: AccountId, webhook_id: WebhookId, before: int, after: int
    ) -> bool:
        self._called("move_watch")
        if self._watch(account_id, webhook_id) != before:
            return False
        self._items.watches[account_id, webhook_id] = after
        return True

    def end_watch(self, account_id: AccountId, webhook_id: WebhookId, end: ListEnd) -> bool:
        self._called("end_watch")
        last = max(self._pages(account_id, webhook_id), default=0)
        if ListEnd(last, self._watch(account_id, webhook_id)) != end:
            return False
        self._items.watches.pop((account_id, webhook_id), None)
        return True

    def _watch(self, account_id: AccountId, webhook_id: WebhookId) -> int | None:
        return self._items.watches.get((account_id, webhook_id))

    def settle(
        self,
        entry: Delivery,
        status: DeliveryStatus,
        reason: Reason | None,
        erased: Sequence[EventId],
        now: int,
    ) -> None:
        self._called("settle")
        current = self._items.entries.get(entry.id)
        if current is None or current.status is not DeliveryStatus.WAITING:
            return
        if current.place == entry.place:
            self._items.put(
                replace(
                    current,
                    status=status,
                    reason=reason,
                    erased=tuple(erased) or current.erased,
                    updated_at=now,
                )
            )

    def _pages(self, account_id: AccountId, webhook_id: WebhookId) -> dict[int, WaitingPage]:
        return self._items.pages.setdefault((account_id, webhook_id), {})

    def is_known(self, entry: Delivery) -> bool:
        """Whether it is in the log in this run, or was never."""
        before = self._items.entries.get(entry.id)
        if entry.run == 0:
            return before is not None
        return before is None or before.run >= entry.run


class FakeWaits:
    """For WaitPlaces: pulling.Waits. `most` wait at a time."""

    def __init__(self, most: int = 3) -> None:
        self.most = most
        self.waiting = 0
        self.begun = 0

    def begin(self, account_id: AccountId, now: int, until: int) -> Callable[[], None] | None:
        if self.waiting >= self.most:
            return None
        self.waiting += 1
        self.begun += 1

        def end() -> None:
            self.waiting -= 1

        return end
