"""ConfigTable as erasures are kept in it, beside the jobs of their account.

| item | pk | sk |
|---|---|---|
| erasure | `<account>#jobs` | `<erasure>`, which sorts by when it was asked for |
"""

import re

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from perkwire.adapters.dynamodb.activity_log import COMMANDS, ActivityLog
from perkwire.adapters.dynamodb.config_items import ACCOUNT_SK, AccountItem, ConfigItem
from perkwire.adapters.dynamodb.job_store import jobs_pk
from perkwire.adapters.dynamodb.pages import page
from perkwire.adapters.dynamodb.tables import (
    failing_as_unavailable,
    failure,
    find,
    text_list,
    update_if,
    whole,
)
from perkwire.jobs.asking import ChangedMeanwhile
from perkwire.jobs.erasure import ERASURE_PREFIX, Erasure, ErasureStatus
from perkwire.model.account import Account
from perkwire.model.activity import Action as Deed
from perkwire.model.activity import Change
from perkwire.primitives.ids import AccountId, JobId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.page import Page
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS

_KEPT_SECONDS = 365 * DAY_SECONDS  # after its last change: who asked may have to show it
_ID = re.compile(rf"{ERASURE_PREFIX}[0-9a-z]{{16}}")


class ErasureItem(ConfigItem, discriminator="erasure"):
    """An erasure. Whom it is about only its keys say, and they go when it ends."""

    member_keys = text_list()
    since = NumberAttribute()
    asked_at = NumberAttribute()
    begins_at = NumberAttribute()
    status = UnicodeAttribute()
    cursor = UnicodeAttribute()
    events_read = NumberAttribute()
    events_erased = NumberAttribute()
    deliveries_read = NumberAttribute()
    deliveries_found = NumberAttribute()
    turn = NumberAttribute()
    version = NumberAttribute()
    updated_at = NumberAttribute()
    finished_at = NumberAttribute(null=True)
    expires_at = NumberAttribute()

    def to_erasure(self) -> Erasure:
        """The erasure of the domain."""
        return Erasure(
            id=JobId(self.sk),
            account_id=AccountId(self.pk.partition("#")[0]),
            member_keys=tuple(self.member_keys),
            since=int(self.since),
            asked_at=int(self.asked_at),
            begins_at=int(self.begins_at),
            status=ErasureStatus(self.status),
            cursor=self.cursor,
            events_read=int(self.events_read),
            events_erased=int(self.events_erased),
            deliveries_read=int(self.deliveries_read),
            deliveries_found=int(self.deliveries_found),
            turn=int(self.turn),
            version=int(self.version),
            updated_at=int(self.updated_at),
            finished_at=whole(self.finished_at),
        )


ERASURE_ITEMS: tuple[type[ConfigItem], ...] = (ErasureItem,)


class ErasureTable:
    """Fulfils erasing.Erasures."""

    def find(self, account_id: AccountId, erasure_id: JobId) -> Erasure | None:
        """One erasure, read consistently; raises Unavailable."""
        if not _ID.fullmatch(erasure_id):
            return None
        item = find(ErasureItem, jobs_pk(account_id), erasure_id)
        return None if item is None else item.to_erasure()

    def advance(self, before: Erasure, after: Erasure) -> bool:
        """Store progress; False if `before` is no longer its last version. Raises Unavailable."""
        item = ErasureItem(jobs_pk(after.account_id), after.id)
        actions: list[Action] = [
            ErasureItem.status.set(after.status),
            ErasureItem.cursor.set(after.cursor),
            ErasureItem.events_read.set(after.events_read),
            ErasureItem.events_erased.set(after.events_erased),
            ErasureItem.deliveries_read.set(after.deliveries_read),
            ErasureItem.deliveries_found.set(after.deliveries_found),
            ErasureItem.turn.set(after.turn),
            ErasureItem.version.set(after.version),
            ErasureItem.updated_at.set(after.updated_at),
            ErasureItem.expires_at.set(_expires_at(after)),
        ]
        if after.finished_at is not None:
            actions += [
                ErasureItem.finished_at.set(after.finished_at),
                ErasureItem.member_keys.set([]),
            ]
        with failing_as_unavailable():
            return update_if(item, actions, ErasureItem.version == before.version)


class ErasureStore(ErasureTable):
    """Fulfils asking.Erasures."""

    def __init__(self, connection: Connection, activity: ActivityLog = COMMANDS) -> None:
        self._connection = connection
        self._activity = activity

    def add(self, erasure: Erasure, before: Account, erased: bytes) -> None:
        """Store one, and what its account remembers; raises ChangedMeanwhile, Unavailable."""
        unchanged = (
            AccountItem.erased == before.erased
            if before.erased
            else AccountItem.erased.does_not_exist()
        )
        try:
            with TransactWrite(connection=self._connection) as transaction:
                transaction.save(_item(erasure), condition=ErasureItem.pk.does_not_exist())
                transaction.update(
                    AccountItem(before.id, ACCOUNT_SK),
                    [AccountItem.erased.set(erased)],
                    condition=unchanged & AccountItem.pk.exists(),
                )
                self._activity.add(
                    transaction,
                    Change(
                        owner=erasure.account_id,
                        action=Deed.ERASURE_ASKED,
                        subject=erasure.id,
                        name=None,
                    ),
                )
        except TransactWriteError as error:
            codes = {reason.code for reason in error.cancellation_reasons if reason is not None}
            if "ConditionalCheckFailed" in codes:
                raise ChangedMeanwhile from None
            raise Unavailable(f"DynamoDB: {failure(error)}") from error

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Erasure]:
        """An account's erasures, newest first; raises Problem for a bad cursor, and Unavailable."""
        listed = page(
            ErasureItem,
            jobs_pk(account_id),
            limit,
            cursor,
            prefix=ERASURE_PREFIX,
            forward=False,
        )
        return Page([item.to_erasure() for item in listed.items], listed.next_cursor)


def _item(erasure: Erasure) -> ErasureItem:
    return ErasureItem(
        jobs_pk(erasure.account_id),
        erasure.id,
        member_keys=list(erasure.member_keys),
        since=erasure.since,
        asked_at=erasure.asked_at,
        begins_at=erasure.begins_at,
        status=erasure.status,
        cursor=erasure.cursor,
        events_read=erasure.events_read,
        events_erased=erasure.events_erased,
        deliveries_read=erasure.deliveries_read,
        deliveries_found=erasure.deliveries_found,
        turn=erasure.turn,
        version=erasure.version,
        updated_at=erasure.updated_at,
        expires_at=_expires_at(erasure),
    )


def _expires_at(erasure: Erasure) -> int:
    return erasure.updated_at // MICROSECONDS + _KEPT_SECONDS
