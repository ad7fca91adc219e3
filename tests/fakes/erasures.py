"""ConfigTable as erasures are kept in it, and the other tables as they take data away."""

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, field, replace

from perkwire.jobs.asking import ChangedMeanwhile
from perkwire.jobs.erasure import Erasure
from perkwire.model.account import Account
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.erasures import without_data
from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives.ids import AccountId, EventId, JobId, WebhookId, webhook_of
from perkwire.primitives.page import Page
from tests.fakes.config_items import FakeConfigItems
from tests.fakes.deliveries import FakeDeliveryItems
from tests.fakes.events import FakeEventItems
from tests.fakes.failing import Failing
from tests.fakes.pages import page_of


@dataclass
class FakeErasureItems:
    """The erasures that there are, and the ids of the events that each has erased."""

    erasures: dict[JobId, Erasure] = field(default_factory=dict)
    noted: dict[JobId, set[EventId]] = field(default_factory=dict)


class FakeErasureStore(Failing):
    """For ErasureStore: asking.Erasures and erasing.Erasures."""

    def __init__(self, items: FakeErasureItems, config: FakeConfigItems) -> None:
        super().__init__()
        self._items = items
        self._config = config

    def add(self, erasure: Erasure, before: Account, erased: bytes) -> None:
        self._called("add")
        with self._config.lock:
            current = self._config.accounts[before.id]
            if current.erased != before.erased:
                raise ChangedMeanwhile
            self._config.accounts[before.id] = replace(current, erased=erased)
            self._items.erasures[erasure.id] = erasure

    def find(self, account_id: AccountId, erasure_id: JobId) -> Erasure | None:
        self._called("find")
        erasure = self._items.erasures.get(erasure_id)
        return erasure if erasure is not None and erasure.account_id == account_id else None

    def advance(self, before: Erasure, after: Erasure) -> bool:
        self._called("advance")
        with self._config.lock:
            if self._items.erasures[after.id].version != before.version:
                return False
            self._items.erasures[after.id] = after
        return True

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Erasure]:
        self._called("page")
        own = [one for one in self._items.erasures.values() if one.account_id == account_id]
        return page_of([(one.id, one) for one in own], limit, cursor)


class FakeErasedAccounts(Failing):
    """For ErasedAccounts: erasing.Accounts."""

    def __init__(self, config: FakeConfigItems) -> None:
        super().__init__()
        self._config = config

    def account(self, account_id: AccountId) -> Account | None:
        self._called("account")
        return self._config.accounts.get(account_id)

    def existing(self, account_ids: Collection[AccountId]) -> Set[AccountId]:
        self._called("existing")
        return {one for one in account_ids if one in self._config.accounts}

    def ever(self, account_id: AccountId) -> Sequence[WebhookId]:
        self._called("ever")
        return sorted(one.id for one in self._config.of_account(account_id))


class FakeEventErasing(Failing):
    """For EventErasing: erasing.ErasableEvents."""

    def __init__(self, items: FakeErasureItems, events: FakeEventItems) -> None:
        super().__init__()
        self._items = items
        self._events = events

    def erase(self, erasure: Erasure, events: Sequence[RoutedEvent], now: int) -> None:
        self._called("erase")
        for routed in events:
            self._items.noted.setdefault(erasure.id, set()).add(routed.event.id)
            self._events.mentions = {
                one for one in self._events.mentions if one[3] != routed.event.id
            }
            kept = self._events.events.get(routed.key)
            if kept is not None and kept.event.accepted_at == routed.event.accepted_at:
                self._events.events[routed.key] = replace(kept, event=without_data(kept.event, now))

    def erased_by(self, erasure: Erasure) -> Set[EventId]:
        self._called("erased_by")
        return {*self._items.noted.get(erasure.id, ())}


class FakeLogErasing(Failing):
    """For LogErasing: erasing.ErasableLog."""

    def __init__(self, deliveries: FakeDeliveryItems) -> None:
        super().__init__()
        self._deliveries = deliveries

    def oldest(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, limit: int
    ) -> Sequence[tuple[str, Delivery]]:
        self._called("oldest")
        own = sorted(
            (entry.id.rpartition("_")[2], entry.id)
            for entry in self._deliveries.entries.values()
            if entry.account_id == account_id and webhook_of(entry.id) == webhook_id
        )
        found = [one for one in own if one[0] > after][:limit]
        entries = self._deliveries.entries
        return [(place, self._deliveries.as_it_reads(entries[one])) for place, one in found]

    def erase(self, before: Delivery, after: Delivery) -> Delivery | None:
        self._called("erase")
        stored = self._deliveries.entries.get(after.id)
        if stored is None or stored.updated_at != before.updated_at:
            return stored or before
        if after.status is DeliveryStatus.PULLED:
            after = replace(after, status=stored.status)
        self._deliveries.entries[after.id] = after
        return None
