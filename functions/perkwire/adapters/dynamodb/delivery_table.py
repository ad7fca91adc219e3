"""DeliveryTable as the data path and the log use it; `delivery_items` has its items."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from perkwire.adapters.dynamodb.delivery_items import (
    UNSETTLED,
    DeliveryItem,
    attempt_map,
    delivery_item,
    delivery_key,
    id_of,
    raw_item,
)
from perkwire.adapters.dynamodb.pulled_entries import as_they_read
from perkwire.adapters.dynamodb.tables import (
    NoAnswer,
    failing_as_unavailable,
    failure,
    find_all,
    put_raw,
    update_if,
)
from perkwire.model.delivery import Change, Delivery, DeliveryStatus, Reason
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS

MOST_ATTEMPTS = 100
_TRANSACTION = 100  # TransactWriteItems takes at most 100 items


def entries_of(items: Iterable[DeliveryItem]) -> Mapping[DeliveryId, Delivery]:
    """The entries by their ids."""
    return {delivery.id: delivery for delivery in as_they_read(items)}


class DeliveryReader:
    """Fulfils reading.Deliveries and selecting.FailedDeliveries."""

    def unsettled(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[DeliveryId]:
        """Up to `limit` that have failed or are being retried, oldest first; raises Unavailable.

        `after` and `before` bound the sort key, both exclusively. The index may lag by a moment.
        """
        with failing_as_unavailable():
            items = list(
                DeliveryItem.failed.query(
                    f"{account_id}#{webhook_id}",
                    DeliveryItem.sk > after,
                    limit=limit,
                    page_size=limit,
                )
            )
        return [id_of(item) for item in items if item.sk < before]

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        """The entries that exist, in one consistent batch; raises Unavailable."""
        return entries_of(find_all(DeliveryItem, {delivery_key(*key) for key in keys}))

    def newest(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[Delivery]:
        """Up to `limit` of a webhook's entries, newest first; raises Unavailable.

        `after` and `before` bound the sort key, `before` exclusively.
        """
        with failing_as_unavailable():
            items = [
                item
                for item in DeliveryItem.query(
                    f"{account_id}#{webhook_id}",
                    DeliveryItem.sk < before,
                    limit=limit,
                    page_size=limit,
                    scan_index_forward=False,
                )
                if item.sk >= after
            ]
        return as_they_read(items)

    def of_moment(
        self, account_id: AccountId, webhook_id: WebhookId, moment: str, limit: int
    ) -> list[Delivery]:
        """Up to `limit` of a webhook's entries whose sort key begins so; raises Unavailable."""
        with failing_as_unavailable():
            items = list(
                DeliveryItem.query(
                    f"{account_id}#{webhook_id}",
                    DeliveryItem.sk.startswith(moment),
                    limit=limit,
                    page_size=limit,
                )
            )
        return as_they_read(items)

    def oldest(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[Delivery]:
        """Up to `limit` of a webhook's entries, oldest first; raises Unavailable.

        `after` and `before` bound the sort key, both exclusively. Fewer than `limit` are all there
        are.
        """
        with failing_as_unavailable():
            items = list(
                DeliveryItem.query(
                    f"{account_id}#{webhook_id}",
                    DeliveryItem.sk > after,
                    limit=limit,
                    page_size=limit,
                )
            )
        return as_they_read(item for item in items if item.sk < before)

    def newest_unsettled(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[DeliveryId]:
        """Up to `limit` that have failed or are being retried, newest first; raises Unavailable.

        `after` and `before` bound the sort key, `before` exclusively. The index may lag by a
        moment.
        """
        with failing_as_unavailable():
            return [
                id_of(item)
                for item in DeliveryItem.failed.query(
                    f"{account_id}#{webhook_id}",
                    DeliveryItem.sk < before,
                    limit=limit,
                    page_size=limit,
                    scan_index_forward=False,
                )
                if item.sk >= after
            ]


class RetryableDeliveries(DeliveryReader):
    """Fulfils retrying.Deliveries."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def hand_over(self, entry: Delivery, now: int, due_at: int) -> None:
        """Note that the entry's next run is with SQS, unless it or a later one is noted.

        Never raises: a dispatcher that gets the message notes the run itself.
        """
        item = DeliveryItem(*delivery_key(entry.account_id, entry.id))
        actions: list[Action] = [
            DeliveryItem.run.set(entry.run + 1),
            DeliveryItem.status.set(DeliveryStatus.RETRYING),
            DeliveryItem.updated_at.set(now),
            DeliveryItem.due_at.set(due_at),
            DeliveryItem.reason.remove(),
            DeliveryItem.failed_key.set(item.pk),
        ]
        self._note(item, entry, actions)

    def reopen(self, entry: Delivery, now: int, due_at: int) -> bool:
        """Note that a delivery that has succeeded is to be sent again; raises Unavailable.

        False: it is no longer as it was read. Its run is the next one's to note.
        """
        item = DeliveryItem(*delivery_key(entry.account_id, entry.id))
        actions: list[Action] = [
            DeliveryItem.status.set(DeliveryStatus.RETRYING),
            DeliveryItem.updated_at.set(now),
            DeliveryItem.due_at.set(due_at),
            DeliveryItem.failed_key.set(item.pk),
        ]
        # AWS's client repeats a call whose answer was lost: then it is this one's own change.
        as_read = DeliveryItem.status == DeliveryStatus.SUCCEEDED
        still = (DeliveryItem.run == entry.run) & (as_read | (DeliveryItem.updated_at == now))
        with failing_as_unavailable():
            return update_if(item, actions, still)

    def close(self, entry: Delivery, now: int) -> None:
        """Take `reopen` back, unless the next run is noted; never raises: it is overdue one day."""
        item = DeliveryItem(*delivery_key(entry.account_id, entry.id))
        actions: list[Action] = [
            DeliveryItem.status.set(DeliveryStatus.SUCCEEDED),
            DeliveryItem.updated_at.set(now),
            DeliveryItem.due_at.remove(),
            DeliveryItem.failed_key.remove(),
        ]
        self._note(item, entry, actions)

    def split(self, entry: Delivery, parts: Sequence[DeliveryId], now: int) -> None:
        """Note that the entry's events are with SQS in parts, unless a later run is noted.

        Its next run is none that is sent: a message of a run before sends nothing any more. Never
        raises: it can be sent again, in the same parts.
        """
        item = DeliveryItem(*delivery_key(entry.account_id, entry.id))
        actions: list[Action] = [
            DeliveryItem.run.set(entry.run + 1),
            DeliveryItem.status.set(DeliveryStatus.CANCELLED),
            DeliveryItem.reason.set(Reason.SPLIT),
            DeliveryItem.parts.set(list(parts)),
            DeliveryItem.updated_at.set(now),
            DeliveryItem.due_at.remove(),
            DeliveryItem.failed_key.remove(),
        ]
        self._note(item, entry, actions)

    def _note(self, item: DeliveryItem, entry: Delivery, actions: list[Action]) -> None:
        still = (DeliveryItem.run == entry.run) & (DeliveryItem.status != DeliveryStatus.SUCCEEDED)
        try:
            with failing_as_unavailable():
                update_if(item, actions, still)
        except Unavailable as error:
            self._journal.fault("delivery_table_failing", detail=str(error))


class DeliveryTable(DeliveryReader):
    """Fulfils dispatching.LogWriter and routing.PausedDeliveries."""

    def __init__(
        self, connection: Connection, journal: Journal, *, log_retention_days: int
    ) -> None:
        self._connection = connection
        self._journal = journal
        self._retention_seconds = log_retention_days * DAY_SECONDS

    def write(self, changes: Sequence[Change]) -> set[DeliveryId]:
        """Store them; the ids of those not stored.

        Deliveries that succeed at their first attempt, nearly all, go in one batch; any other
        entry is updated under a condition, so that a success and a newer run always stay. Once
        DynamoDB does not answer at all, nothing more is tried: the others would wait as long.
        """
        fresh = [change for change in changes if change.is_first_success]
        updates = [change for change in changes if not change.is_first_success]
        unstored = {change.after.id for change in changes}
        try:
            unstored -= self._put(fresh)
            for change in updates:
                if self._written(partial(self._update, change)):
                    unstored.discard(change.after.id)
        except NoAnswer as error:
            self._journal.fault("delivery_table_failing", detail=str(error))
        return unstored

    def add(self, deliveries: Sequence[Delivery]) -> None:
        """Store those that are not in the log yet; raises Unavailable."""
        for start in range(0, len(deliveries), _TRANSACTION):
            self._add_page(deliveries[start : start + _TRANSACTION])

    def _add_page(self, deliveries: Sequence[Delivery]) -> None:
        left = list(deliveries)
        while left:
            try:
                with TransactWrite(connection=self._connection) as transaction:
                    for delivery in left:
                        item = delivery_item(delivery, self._expires_at(delivery))
                        transaction.save(item, condition=DeliveryItem.pk.does_not_exist())
            except TransactWriteError as error:
                there = [
                    reason is not None and reason.code == "ConditionalCheckFailed"
                    for reason in error.cancellation_reasons
                ]
                if not any(there):
                    raise Unavailable(f"DynamoDB: {failure(error)}") from error
                left = [one for one, is_there in zip(left, there, strict=True) if not is_there]
            else:
                return

    def _put(self, changes: Sequence[Change]) -> set[DeliveryId]:
        """Store these; the ids of those stored. Raises NoAnswer."""
        by_key = {
            delivery_key(change.after.account_id, change.after.id): change for change in changes
        }
        left = set(by_key)

        def put() -> None:
            nonlocal left
            entries = [change.after for change in changes]
            raw = [raw_item(entry, self._expires_at(entry)) for entry in entries]
            left = put_raw(DeliveryItem, raw)
            if left:
                raise Unavailable("DynamoDB: items left unprocessed")

        if changes:
            self._written(put)
        return {change.after.id for key, change in by_key.items() if key not in left}

    def _written(self, write: Callable[[], None]) -> bool:
        """Whether DynamoDB has not refused it; raises NoAnswer."""
        try:
            with failing_as_unavailable():
                write()
        except NoAnswer:
            raise
        except Unavailable as error:
            self._journal.fault("delivery_table_failing", detail=str(error))
        except Exception as error:  # one entry must not take those beside it along
            self._journal.fault("delivery_table_failing", detail=type(error).__name__)
        else:
            return True
        return False

    def _update(self, change: Change) -> None:
        after = change.after
        item = DeliveryItem(*delivery_key(after.account_id, after.id))
        # AWS's client repeats a call whose answer was lost: an attempt must not be added twice.
        not_yet = DeliveryItem.updated_at != after.updated_at
        actions = self._actions(change)
        if update_if(
            item, actions, DeliveryItem.pk.does_not_exist() | (_may_change(change) & not_yet)
        ):
            return
        if after.status is DeliveryStatus.SUCCEEDED:
            # A person has sent it again meanwhile; that it has arrived is true all the same.
            update_if(item, actions[1:], DeliveryItem.pk.exists() & not_yet)
        elif change.attempt is not None:
            added = [*_attempts_actions(change), DeliveryItem.updated_at.set(after.updated_at)]
            update_if(item, added, DeliveryItem.pk.exists() & not_yet)

    def _actions(self, change: Change) -> list[Action]:
        """The update of an entry; the first action sets the run."""
        after = change.after
        erased = [DeliveryItem.erased.set(list(after.erased))] if after.erased else []
        return [
            DeliveryItem.run.set(after.run),
            DeliveryItem.status.set(after.status),
            DeliveryItem.updated_at.set(after.updated_at),
            DeliveryItem.created_at.set(DeliveryItem.created_at | after.created_at),
            DeliveryItem.event_ids.set(DeliveryItem.event_ids | list(after.event_ids)),
            DeliveryItem.event_types.set(DeliveryItem.event_types | list(after.event_types)),
            DeliveryItem.expires_at.set(DeliveryItem.expires_at | self._expires_at(after)),
            *_attempts_actions(change),
            DeliveryItem.reason.set(after.reason)
            if after.reason is not None
            else DeliveryItem.reason.remove(),
            DeliveryItem.due_at.set(after.due_at)
            if after.due_at is not None
            else DeliveryItem.due_at.remove(),
            DeliveryItem.spent_after.set(after.spent_after)
            if after.spent_after is not None
            else DeliveryItem.spent_after.remove(),
            DeliveryItem.failed_key.set(delivery_key(after.account_id, after.id)[0])
            if after.status in UNSETTLED
            else DeliveryItem.failed_key.remove(),
            *erased,
        ]

    def _expires_at(self, delivery: Delivery) -> int:
        return delivery.created_at // MICROSECONDS + self._retention_seconds


def _may_change(change: Change) -> Condition:
    """What must hold of an entry that is there."""
    before, after = change.before, change.after
    not_newer: Condition = DeliveryItem.run <= after.run
    if after.status is DeliveryStatus.SUCCEEDED:
        return not_newer
    not_newer &= DeliveryItem.status != DeliveryStatus.SUCCEEDED
    if after.status is not DeliveryStatus.RETRYING:
        return not_newer
    unsettled = DeliveryItem.status == DeliveryStatus.RETRYING
    if before is not None and before.run == after.run:
        unsettled |= DeliveryItem.status == before.status  # settled, but as it was read
    not_newer &= (DeliveryItem.run < after.run) | unsettled
    return not_newer


def _attempts_actions(change: Change) -> list[Action]:
    """Appended rather than set: two copies of a message, or an erasure, may be at it at once."""
    new = [attempt_map(change.attempt)] if change.attempt is not None else []
    many = min(MOST_ATTEMPTS, len(change.before.attempts)) if change.before is not None else 0
    if many + len(new) > MOST_ATTEMPTS:
        # Behind the last one, wherever that is by now.
        added = [DeliveryItem.attempts[many + place].set(one) for place, one in enumerate(new)]
        gone = range(many + len(new) - MOST_ATTEMPTS)
        return [*added, *(DeliveryItem.attempts[place].remove() for place in gone)]
    return [DeliveryItem.attempts.set((DeliveryItem.attempts | []).append(new))]
