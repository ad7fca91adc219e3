"""ConfigTable as activity is kept in it: in the transaction of the change that it tells of.

| item | pk | sk |
|---|---|---|
| record of a change | `<account>#activity`, or `operator#activity` | its id, which sorts by time |
"""

from collections.abc import Callable, Sequence

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Setting
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from perkwire.adapters.dynamodb.config_items import ActivityItem, activity_pk
from perkwire.adapters.dynamodb.pages import page
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, failure
from perkwire.model.activity import Acting, Activity, Change
from perkwire.primitives.ids import AccountId, new_activity_id
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.page import Page
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS, now

KEPT_DAYS = 365


class ActivityLog:
    """Where stores record what they change. Without an `acting`, a command does it."""

    def __init__(self, acting: Acting | None = None, clock: Callable[[], int] = now) -> None:
        self._acting = acting or Acting()
        self._clock = clock

    def add(self, transaction: TransactWrite, change: Change) -> None:
        """Put the record of the change last into its transaction.

        As an update, which pynamodb sends after deletes and puts: `conditions` counts on it.
        """
        item, settings = self._item(change)
        transaction.update(item, actions=settings)

    def record(self, change: Change) -> None:
        """Keep the record of what no item of ours tells of; raises Unavailable."""
        item, settings = self._item(change)
        with failing_as_unavailable():
            item.update(actions=settings)

    def _item(self, change: Change) -> tuple[ActivityItem, list[Setting]]:
        by, moment = self._acting.actor, self._clock()
        settings: list[Setting] = [
            ActivityItem.kind.set(ActivityItem),
            ActivityItem.action.set(change.action),
            ActivityItem.subject.set(change.subject),
            ActivityItem.by_kind.set(by.kind),
            ActivityItem.by_operator.set(by.is_operator),
            ActivityItem.at.set(moment),
            ActivityItem.expires_at.set(moment // MICROSECONDS + KEPT_DAYS * DAY_SECONDS),
        ]
        if change.name is not None:
            settings.append(ActivityItem.name.set(change.name))
        if change.fields:
            settings.append(ActivityItem.fields.set([*change.fields]))
        if by.key_id is not None:
            settings.append(ActivityItem.by_key.set(by.key_id))
        if by.link_id is not None:
            settings.append(ActivityItem.by_link.set(by.link_id))
        return ActivityItem(activity_pk(change.owner), new_activity_id(moment)), settings

    def update_if(
        self, item: Model, actions: list[Setting], condition: Condition, change: Change
    ) -> bool:
        """Update an item and record it if the condition holds; False if not. Raises Unavailable."""
        connection = item._get_connection().connection
        try:
            with TransactWrite(connection=connection) as transaction:
                transaction.update(item, actions=actions, condition=condition)
                self.add(transaction, change)
        except TransactWriteError as error:
            if not conditions(error, 1)[0]:
                return False
            raise unavailable(error) from error
        return True


COMMANDS = ActivityLog()
"""The log of what is changed past API and console."""


class ActivityReader:
    """Fulfils reading.ActivityStore."""

    def page(self, owner: AccountId | None, limit: int, cursor: str | None) -> Page[Activity]:
        """What was changed, newest first; raises Problem for a bad cursor, and Unavailable."""
        listed = page(ActivityItem, activity_pk(owner), limit, cursor, forward=False)
        return Page([item.to_activity() for item in listed.items], listed.next_cursor)


def conditions(
    error: TransactWriteError, items: int, *, is_recorded: bool = True
) -> Sequence[bool]:
    """Whether the condition of each item held, of those before the record of activity.

    pynamodb sends deletes, then puts, then updates, and the reasons come back in that order.
    """
    reasons = [*error.cancellation_reasons]
    if len(reasons) != items + is_recorded:
        return [True] * items
    return [reason is None or reason.code != "ConditionalCheckFailed" for reason in reasons[:items]]


def unavailable(error: TransactWriteError) -> Unavailable:
    """What a transaction comes to that DynamoDB did not carry out."""
    return Unavailable(f"DynamoDB: {failure(error)}")
