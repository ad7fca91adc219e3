"""EventTable and DeliveryTable as an erasure takes data out of them."""

import json
import zlib
from collections.abc import Callable, Collection, Sequence, Set
from functools import partial

from pynamodb.expressions.update import Action

from perkwire.accepting.rejected_event import RejectedHeading
from perkwire.adapters.dynamodb.config_items import (
    ACCOUNT_SK,
    AccountItem,
    ConfigItem,
    TombstoneItem,
    WebhookItem,
    tombstones_pk,
)
from perkwire.adapters.dynamodb.delivery_items import (
    DeliveryItem,
    attempt_map,
    delivery_key,
)
from perkwire.adapters.dynamodb.event_table import (
    EVENT_SK,
    ErasedItem,
    EventItem,
    erased_pk,
    event_pk,
    mention_sk,
    mentions_pk,
)
from perkwire.adapters.dynamodb.pulled_entries import as_they_read
from perkwire.adapters.dynamodb.rejected_events import (
    HEADINGS_PK,
    RejectedHeadingItem,
    RejectedPartItem,
    part_keys,
    whole_of,
)
from perkwire.adapters.dynamodb.tables import (
    delete_all,
    failing_as_unavailable,
    find_all,
    put_all,
    update_if,
)
from perkwire.jobs.erasure import Erasure
from perkwire.model.account import Account
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives.ids import AccountId, EventId, WebhookId, is_account_id
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.strict_json import compact
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS

_NOTED_SECONDS = 32 * DAY_SECONDS  # longer than its message lives in a queue, redriven too


class ErasedAccounts:
    """Fulfils erasing.Accounts."""

    def account(self, account_id: AccountId) -> Account | None:
        """One account; raises Unavailable."""
        found = self._partition(account_id)
        accounts = (item for item in found if isinstance(item, AccountItem))
        return next((item.to_account() for item in accounts), None)

    def existing(self, account_ids: Collection[AccountId]) -> Set[AccountId]:
        """Those of them that exist; raises Unavailable."""
        found = find_all(AccountItem, {(one, ACCOUNT_SK) for one in account_ids})
        return {item.to_account().id for item in found}

    def ever(self, account_id: AccountId) -> Sequence[WebhookId]:
        """The webhooks of an account, deleted ones too, in the order of their ids.

        Raises Unavailable.
        """
        live = [
            WebhookId(item.sk.partition("#")[2])
            for item in self._partition(account_id)
            if isinstance(item, WebhookItem)
        ]
        with failing_as_unavailable():
            buried = [
                WebhookId(item.sk)
                for item in TombstoneItem.query(
                    tombstones_pk(account_id), TombstoneItem.sk.startswith("wh_")
                )
            ]
        return sorted({*live, *buried})

    def _partition(self, account_id: AccountId) -> list[ConfigItem]:
        if not is_account_id(account_id):
            return []
        with failing_as_unavailable():
            return list(ConfigItem.query(account_id, consistent_read=True))


class EventErasing:
    """Fulfils erasing.ErasableEvents."""

    def erase(self, erasure: Erasure, events: Sequence[RoutedEvent], now: int) -> None:
        """Take away their data and `member_keys`, and note their ids; raises Unavailable.

        The data last: what it tells of the keys is needed by whoever does this again.
        """
        expires_at = now // MICROSECONDS + _NOTED_SECONDS
        noted = [
            ErasedItem(
                erased_pk(erasure.account_id, erasure.id),
                routed.event.id,
                accepted_at=routed.event.accepted_at,
                expires_at=expires_at,
            )
            for routed in events
        ]
        mentions = [
            (mentions_pk(routed.account_id, key), mention_sk(event.accepted_at, event.id))
            for routed in events
            for event in (routed.event,)
            for key in routed.member_keys
        ]
        if put_all(ErasedItem, noted) or delete_all(EventItem, mentions):
            raise Unavailable("DynamoDB: items left unprocessed")
        for routed in events:
            if routed.event.erased_at is not None:
                continue
            item = EventItem(event_pk(*routed.key), EVENT_SK)
            actions: list[Action] = [
                EventItem.data.set(zlib.compress(compact({}))),
                EventItem.erased_at.set(now),
            ]
            with failing_as_unavailable():
                # Once it has expired, another event may have its id.
                update_if(item, actions, EventItem.accepted_at == routed.event.accepted_at)

    def erased_by(self, erasure: Erasure) -> Set[EventId]:
        """The ids that are noted; raises Unavailable."""
        pk = erased_pk(erasure.account_id, erasure.id)
        with failing_as_unavailable():
            return {EventId(item.sk) for item in ErasedItem.query(pk, consistent_read=True)}


class RejectedErasing:
    """Fulfils erasing.ErasableRejectedEvents."""

    def oldest(
        self, *, after: str, limit: int
    ) -> Sequence[tuple[RejectedHeading, Callable[[], tuple[str, str]]]]:
        """Up to `limit` of them behind an id, each with how it is read: its text, and its problem.

        Oldest first.

        Raises Unavailable, and so does what reads.
        """
        with failing_as_unavailable():
            items = list(
                RejectedHeadingItem.query(
                    HEADINGS_PK,
                    RejectedHeadingItem.sk > (after or "rej_"),
                    limit=limit,
                    page_size=limit,
                    consistent_read=True,
                )
            )
        return [(item.to_heading(), partial(_texts_of, item)) for item in items]

    def erase(self, heading: RejectedHeading, now: int) -> None:
        """Take away what it was and why it was rejected; raises Unavailable.

        The heading last: it says that nothing is left to do.
        """
        found = find_all(RejectedHeadingItem, {(HEADINGS_PK, heading.id)})
        for item in found:
            gone = (RejectedPartItem.data.set(b""), RejectedPartItem.erased_at.set(now))
            is_as_it_was = RejectedPartItem.accepted_at == heading.received_at
            with failing_as_unavailable():
                for key in part_keys(item):
                    update_if(RejectedPartItem(*key), [*gone], is_as_it_was)
                update_if(item, [RejectedHeadingItem.erased_at.set(now)], is_as_it_was)


def _texts_of(item: RejectedHeadingItem) -> tuple[str, str]:
    whole = whole_of(item)
    return whole.text, json.dumps(dict(whole.problem))


class LogErasing:
    """Fulfils erasing.ErasableLog."""

    def oldest(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, limit: int
    ) -> Sequence[tuple[str, Delivery]]:
        """Up to `limit` entries of a webhook behind a place, each with its own; oldest first.

        Raises Unavailable.
        """
        with failing_as_unavailable():
            items = list(
                DeliveryItem.query(
                    f"{account_id}#{webhook_id}",
                    DeliveryItem.sk > (after or "!"),
                    limit=limit,
                    page_size=limit,
                    consistent_read=True,
                )
            )
        entries = as_they_read(items)
        return [(item.sk, entry) for item, entry in zip(items, entries, strict=True)]

    def erase(self, before: Delivery, after: Delivery) -> Delivery | None:
        """Store a change of an entry, None; or the entry as it is, if it has changed meanwhile.

        Raises Unavailable.
        """
        key = delivery_key(after.account_id, after.id)
        actions: list[Action] = [
            DeliveryItem.attempts.set([attempt_map(one) for one in after.attempts]),
            DeliveryItem.updated_at.set(after.updated_at),
        ]
        if after.erased:
            actions.append(DeliveryItem.erased.set(list(after.erased)))
        if after.status is DeliveryStatus.CANCELLED and after.reason is not None:
            actions += [
                DeliveryItem.status.set(after.status),
                DeliveryItem.reason.set(after.reason),
                DeliveryItem.due_at.remove(),
                DeliveryItem.spent_after.remove(),
                DeliveryItem.failed_key.remove(),
            ]
        with failing_as_unavailable():
            if update_if(DeliveryItem(*key), actions, DeliveryItem.updated_at == before.updated_at):
                return None
        found = find_all(DeliveryItem, {key})
        return as_they_read(found)[0] if found else before
