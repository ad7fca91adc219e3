"""DeliveryTable as the lists of what waits to be pulled are kept in it.

A page, the end of its list and the log entries of its deliveries are one transaction. DynamoDB
makes its parts visible one by one, each for good: so whoever reads may see a page before the one
that was written ahead of it. What of the places before is missing is then asked for by another
transaction, which DynamoDB refuses while one of them is under way.
"""

import random
import time
from collections.abc import Sequence

from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist, TransactGetError, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactGet, TransactWrite

from perkwire.adapters.dynamodb.delivery_items import (
    END_SK,
    TAKEN_SK,
    DeliveryItem,
    ListEndItem,
    TakenItem,
    WaitingMap,
    WaitingPageItem,
    delivery_item,
    delivery_key,
    place_sk,
    pull_pk,
    to_delivery,
)
from perkwire.adapters.dynamodb.tables import (
    TableItem,
    failing_as_unavailable,
    failure,
    find,
    update_if,
    whole,
)
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
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS

_PAUSE_SECONDS = 0.03  # at most, before what another has beaten is tried again
_HELD, _REFUSED, _COLLIDED = "None", "ConditionalCheckFailed", "TransactionConflict"


class WaitingTable:
    """Fulfils waiting.WaitingPages, pulling.Lists and watching.Lists."""

    def __init__(self, connection: Connection, *, log_retention_days: int) -> None:
        self._connection = connection
        self._retention_seconds = log_retention_days * DAY_SECONDS

    def end(self, account_id: AccountId, webhook_id: WebhookId) -> ListEnd:
        """Where the list ends, read consistently; raises Unavailable."""
        item = find(ListEndItem, pull_pk(account_id, webhook_id), END_SK)
        if item is None:
            return ListEnd()
        return ListEnd(int(item.last), whole(item.watch))

    def add(
        self, before: ListEnd, page: WaitingPage, entries: Sequence[Delivery], watch: int
    ) -> NotAdded | None:
        """Write a page and the entries of its deliveries, all of it or nothing; None: it is.

        Raises Unavailable, and may have been written even so.
        """
        pk = pull_pk(page.account_id, page.webhook_id)
        # As a transaction lists them: what is put, then what is updated.
        entries = sorted(entries, key=lambda entry: entry.run > 0)
        after = ListEndItem(pk, END_SK, last=page.last, watch=watch)
        try:
            with TransactWrite(connection=self._connection) as transaction:
                transaction.save(after, condition=_ends_as(before))
                transaction.save(
                    self._page_item(page), condition=WaitingPageItem.pk.does_not_exist()
                )
                for entry in entries:
                    self._save(transaction, entry)
        except TransactWriteError as error:
            codes = [_HELD if one is None else one.code for one in error.cancellation_reasons]
            if not codes or not {*codes} <= {_HELD, _REFUSED, _COLLIDED}:
                raise Unavailable(f"DynamoDB: {failure(error)}") from error
            known = (
                entry.id
                for entry, code in zip(entries, codes[2:], strict=False)
                if code == _REFUSED
            )
            time.sleep(random.uniform(0, _PAUSE_SECONDS))  # noqa: S311
            return NotAdded(was_beaten=codes[0] != _HELD, known=frozenset(known))
        return None

    def pages(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: int, limit: int
    ) -> list[WaitingPage]:
        """Up to `limit` pages that end behind a place, in their order, read consistently.

        One may be missing that is being written; raises Unavailable.
        """
        with failing_as_unavailable():
            items = list(
                WaitingPageItem.query(
                    pull_pk(account_id, webhook_id),
                    WaitingPageItem.sk.between(place_sk(after + 1), "9" * len(place_sk(0))),
                    consistent_read=True,
                    limit=limit,
                    page_size=limit,
                )
            )
        return [_page(item) for item in items]

    def page_at(
        self, account_id: AccountId, webhook_id: WebhookId, last: int
    ) -> WaitingPage | None:
        """The page that ends at a place; None: there is none, and none is being written.

        Raises BeingWritten, Unavailable.
        """
        item = self._settled(WaitingPageItem, pull_pk(account_id, webhook_id), place_sk(last))
        return None if item is None else _page(item)

    def entry(self, account_id: AccountId, delivery_id: DeliveryId) -> Delivery | None:
        """A log entry; None: there is none, and none is being written.

        Raises BeingWritten, Unavailable.
        """
        item = self._settled(DeliveryItem, *delivery_key(account_id, delivery_id))
        return None if item is None else to_delivery(item)

    def _settled[M: TableItem](self, model: type[M], pk: str, sk: str) -> M | None:
        """An item that no transaction has to do with; raises BeingWritten, Unavailable."""
        try:
            with TransactGet(connection=self._connection) as transaction:
                future = transaction.get(model, pk, sk)
            return future.get()
        except DoesNotExist:
            return None
        except TransactGetError as error:
            codes = {one.code for one in error.cancellation_reasons if one is not None}
            if codes == {_COLLIDED}:
                raise BeingWritten from error
            raise Unavailable(f"DynamoDB: {failure(error)}") from error

    def taken(self, account_id: AccountId, webhook_id: WebhookId) -> Taken:
        """How far a webhook has been pulled; raises Unavailable."""
        item = find(TakenItem, pull_pk(account_id, webhook_id), TAKEN_SK)
        if item is None:
            return Taken(0, None)
        return Taken(int(item.through), None if item.at is None else int(item.at))

    def take(self, account_id: AccountId, webhook_id: WebhookId, through: int, now: int) -> None:
        """Note that all up to a place have been taken, unless more have; raises Unavailable."""
        item = TakenItem(pull_pk(account_id, webhook_id), TAKEN_SK)
        further = TakenItem.through.does_not_exist() | (TakenItem.through < through)
        with failing_as_unavailable():
            update_if(item, [TakenItem.through.set(through), TakenItem.at.set(now)], further)

    def move_watch(
        self, account_id: AccountId, webhook_id: WebhookId, before: int, after: int
    ) -> bool:
        """Have the watch look at `after`; False if it is not to look at `before`.

        Raises Unavailable.
        """
        return self._update_end(
            account_id, webhook_id, ListEndItem.watch.set(after), ListEndItem.watch == before
        )

    def end_watch(self, account_id: AccountId, webhook_id: WebhookId, end: ListEnd) -> bool:
        """Have no watch any more; False if the list ends otherwise by now. Raises Unavailable."""
        nothing = ListEndItem.watch.remove()
        return self._update_end(account_id, webhook_id, nothing, _ends_as(end))

    def _update_end(
        self,
        account_id: AccountId,
        webhook_id: WebhookId,
        action: Action,
        condition: Condition,
    ) -> bool:
        item = ListEndItem(pull_pk(account_id, webhook_id), END_SK)
        with failing_as_unavailable():
            return update_if(item, [action], condition)

    def settle(
        self,
        entry: Delivery,
        status: DeliveryStatus,
        reason: Reason | None,
        erased: Sequence[EventId],
        now: int,
    ) -> None:
        """Note what became of an entry at its turn, unless it waits elsewhere by now.

        Raises Unavailable.
        """
        pk, sk = delivery_key(entry.account_id, entry.id)
        actions: list[Action] = [
            DeliveryItem.status.set(status),
            DeliveryItem.updated_at.set(now),
            DeliveryItem.reason.set(reason) if reason else DeliveryItem.reason.remove(),
        ]
        if erased:
            actions.append(DeliveryItem.erased.set(list(erased)))
        if status is DeliveryStatus.FAILED:
            actions.append(DeliveryItem.failed_key.set(pk))
        still: Condition = (DeliveryItem.status == DeliveryStatus.WAITING) & (
            DeliveryItem.place == entry.place
        )
        with failing_as_unavailable():
            update_if(DeliveryItem(pk, sk), actions, still)

    def _page_item(self, page: WaitingPage) -> WaitingPageItem:
        return WaitingPageItem(
            pull_pk(page.account_id, page.webhook_id),
            place_sk(page.last),
            deliveries=[
                WaitingMap(  # type: ignore[no-untyped-call]
                    id=one.id,
                    run=one.run,
                    event_ids=list(one.event_ids),
                    not_before=one.not_before,
                )
                for one in page.deliveries
            ],
            written_at=page.written_at,
            expires_at=page.written_at // MICROSECONDS + self._retention_seconds,
        )

    def _save(self, transaction: TransactWrite, entry: Delivery) -> None:
        if entry.run == 0:
            expires_at = entry.created_at // MICROSECONDS + self._retention_seconds
            item = delivery_item(entry, expires_at)
            transaction.save(item, condition=DeliveryItem.pk.does_not_exist())
            return
        transaction.update(
            DeliveryItem(*delivery_key(entry.account_id, entry.id)),
            actions=[
                DeliveryItem.run.set(entry.run),
                DeliveryItem.status.set(entry.status),
                DeliveryItem.place.set(entry.place or 0),
                DeliveryItem.updated_at.set(entry.updated_at),
                DeliveryItem.reason.remove(),
                DeliveryItem.due_at.remove(),
                DeliveryItem.failed_key.remove(),
            ],
            condition=DeliveryItem.run < entry.run,
        )


def _ends_as(end: ListEnd) -> Condition:
    """That the list still ends so, and has the same watch."""
    if not end.last:
        return ListEndItem.pk.does_not_exist()
    watch = ListEndItem.watch
    has_watch: Condition = watch.does_not_exist() if end.watch is None else watch == end.watch
    return (ListEndItem.last == end.last) & has_watch  # type: ignore[no-any-return]


def _page(item: WaitingPageItem) -> WaitingPage:
    account_id, webhook_id, _ = item.pk.split("#")
    return WaitingPage(
        AccountId(account_id),
        WebhookId(webhook_id),
        int(item.sk),
        int(item.written_at),
        tuple(
            WaitingDelivery(
                DeliveryId(one.id),
                int(one.run),
                tuple(EventId(event_id) for event_id in one.event_ids),
                None if one.not_before is None else int(one.not_before),
            )
            for one in item.deliveries
        ),
    )
