"""DeliveryTable: the log."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from perkwire.model.delivery import Change, Delivery, DeliveryStatus, Reason
from perkwire.model.waiting import Taken, WaitingPage
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId, webhook_of
from tests.fakes.failing import Failing

_MOST_ATTEMPTS = 100
PULLED = DeliveryStatus.PULLED


@dataclass
class FakeDeliveryItems:
    """What DeliveryTable holds."""

    entries: dict[DeliveryId, Delivery] = field(default_factory=dict)
    pages: dict[tuple[AccountId, WebhookId], dict[int, WaitingPage]] = field(default_factory=dict)
    taken: dict[tuple[AccountId, WebhookId], Taken] = field(default_factory=dict)
    watches: dict[tuple[AccountId, WebhookId], int] = field(default_factory=dict)

    def put(self, *deliveries: Delivery) -> None:
        """Have them, whatever was there before."""
        for delivery in deliveries:
            self.entries[delivery.id] = delivery

    def as_it_reads(self, entry: Delivery) -> Delivery:
        """One that waits has been pulled, if its webhook has been so far."""
        taken = self.taken.get((entry.account_id, entry.webhook_id))
        if entry.status is not DeliveryStatus.WAITING or taken is None or entry.place is None:
            return entry
        return replace(entry, status=PULLED) if entry.place <= taken.through else entry


class FakeDeliveryReader(Failing):
    """For DeliveryReader: reading.Deliveries and selecting.FailedDeliveries."""

    def __init__(self, items: FakeDeliveryItems) -> None:
        super().__init__()
        self._items = items

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        self._called("find")
        found = {}
        for account_id, delivery_id in keys:
            entry = self._items.entries.get(delivery_id)
            if entry is not None and entry.account_id == account_id:
                found[delivery_id] = self._items.as_it_reads(entry)
        return found

    def unsettled(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[DeliveryId]:
        self._called("unsettled")
        own = self._failed_index(account_id, webhook_id)
        places = sorted(place for place in own if place > after)[:limit]
        return [own[place] for place in places if place < before]

    def newest(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[Delivery]:
        self._called("newest")
        own = self._own(account_id, webhook_id)
        positions = sorted((place for place in own if after <= place < before), reverse=True)
        return [own[place] for place in positions[:limit]]

    def of_moment(
        self, account_id: AccountId, webhook_id: WebhookId, moment: str, limit: int
    ) -> list[Delivery]:
        self._called("of_moment")
        own = self._own(account_id, webhook_id)
        return [own[place] for place in sorted(own) if place.startswith(moment)][:limit]

    def oldest(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[Delivery]:
        self._called("oldest")
        own = self._own(account_id, webhook_id)
        places = sorted(place for place in own if place > after)[:limit]
        return [own[place] for place in places if place < before]

    def newest_unsettled(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[DeliveryId]:
        self._called("newest_unsettled")
        own = self._failed_index(account_id, webhook_id)
        places = sorted((place for place in own if after <= place < before), reverse=True)
        return [own[place] for place in places[:limit]]

    def _own(self, account_id: AccountId, webhook_id: WebhookId) -> Mapping[str, Delivery]:
        return {
            entry.id.rpartition("_")[2]: self._items.as_it_reads(entry)
            for entry in self._items.entries.values()
            if entry.account_id == account_id and webhook_of(entry.id) == webhook_id
        }

    def _failed_index(
        self, account_id: AccountId, webhook_id: WebhookId
    ) -> Mapping[str, DeliveryId]:
        return {
            entry.id.rpartition("_")[2]: entry.id
            for entry in self._items.entries.values()
            if entry.account_id == account_id
            and webhook_of(entry.id) == webhook_id
            and entry.status in (DeliveryStatus.RETRYING, DeliveryStatus.FAILED)
        }


class FakeRetryableDeliveries(FakeDeliveryReader):
    """For RetryableDeliveries: retrying.Deliveries."""

    def hand_over(self, entry: Delivery, now: int, due_at: int) -> None:
        current = self._items.entries.get(entry.id)
        if self._fails("hand_over") or current is None or current.run != entry.run:
            return
        if current.status is not DeliveryStatus.SUCCEEDED:
            self._items.put(
                replace(
                    current,
                    run=entry.run + 1,
                    status=DeliveryStatus.RETRYING,
                    reason=None,
                    due_at=due_at,
                    updated_at=now,
                )
            )

    def reopen(self, entry: Delivery, now: int, due_at: int) -> bool:
        current = self._items.entries.get(entry.id)
        self._called("reopen")
        if current is None or current.run != entry.run:
            return False
        if current.status is not DeliveryStatus.SUCCEEDED and current.updated_at != now:
            return False
        status = DeliveryStatus.RETRYING
        self._items.put(replace(current, status=status, due_at=due_at, updated_at=now))
        return True

    def close(self, entry: Delivery, now: int) -> None:
        current = self._items.entries.get(entry.id)
        if self._fails("close") or current is None or current.run != entry.run:
            return
        status = DeliveryStatus.SUCCEEDED
        self._items.put(replace(current, status=status, due_at=None, updated_at=now))

    def split(self, entry: Delivery, parts: Sequence[DeliveryId], now: int) -> None:
        current = self._items.entries.get(entry.id)
        if self._fails("split") or current is None or current.run != entry.run:
            return
        if current.status is not DeliveryStatus.SUCCEEDED:
            self._items.put(
                replace(
                    current,
                    run=entry.run + 1,
                    status=DeliveryStatus.CANCELLED,
                    reason=Reason.SPLIT,
                    parts=tuple(parts),
                    due_at=None,
                    updated_at=now,
                )
            )


class FakeDeliveryTable(FakeDeliveryReader):
    """For DeliveryTable: dispatching.LogWriter and routing.PausedDeliveries."""

    def write(self, changes: Sequence[Change]) -> set[DeliveryId]:
        if self._fails("write"):
            return {change.after.id for change in changes}
        for change in changes:
            self._write(change)
        return set()

    def add(self, deliveries: Sequence[Delivery]) -> None:
        self._called("add")
        for delivery in deliveries:
            self._items.entries.setdefault(delivery.id, delivery)

    def _write(self, change: Change) -> None:
        after = change.after
        new = () if change.attempt is None else (change.attempt,)
        current = self._items.entries.get(after.id)
        if current is None or change.is_first_success:
            self._items.put(replace(after, attempts=new))
        elif not _may_change(current, change):
            if new:
                attempts = (*current.attempts, *new)[-_MOST_ATTEMPTS:]
                self._items.put(replace(current, attempts=attempts, updated_at=after.updated_at))
        else:
            self._items.put(
                replace(
                    current,
                    run=max(current.run, after.run),
                    status=after.status,
                    reason=after.reason,
                    attempts=(*current.attempts, *new)[-_MOST_ATTEMPTS:],
                    due_at=after.due_at,
                    spent_after=after.spent_after,
                    updated_at=after.updated_at,
                    erased=after.erased or current.erased,
                )
            )


def _may_change(current: Delivery, change: Change) -> bool:
    before, after = change.before, change.after
    if after.status is DeliveryStatus.SUCCEEDED:
        return True
    if current.status is DeliveryStatus.SUCCEEDED or current.run > after.run:
        return False
    if after.status is not DeliveryStatus.RETRYING or current.run < after.run:
        return True
    read = before.status if before is not None and before.run == after.run else None
    return current.status in (DeliveryStatus.RETRYING, read)
