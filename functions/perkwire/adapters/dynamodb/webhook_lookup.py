"""ConfigTable as events find their way by it: accounts and their webhooks."""

from collections.abc import Collection, Iterator, Sequence

from perkwire.adapters.dynamodb.config_items import (
    ACCOUNT_SK,
    TOMBSTONE_LIST_PREFIX,
    AccountItem,
    ConfigItem,
    TombstoneItem,
    TombstoneListItem,
    WebhookItem,
    tombstones_pk,
    webhook_sk,
)
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, find_all
from perkwire.model.account import Account
from perkwire.model.webhook import DeletedWebhook, Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, WebhookId, is_account_id
from perkwire.primitives.journal import Unavailable


class WebhookLookup:
    """Fulfils accepting.Accounts, the protocols AccountWebhooks, jobs.Webhooks."""

    def existing(self, account_ids: Collection[AccountId]) -> set[AccountId]:
        """Those of the accounts that exist; raises Unavailable."""
        found = find_all(AccountItem, {(account_id, ACCOUNT_SK) for account_id in account_ids})
        return {AccountId(item.pk) for item in found}

    def of_account(self, account_id: AccountId) -> Sequence[Webhook] | None:
        """All webhooks of an account, in one consistent query.

        None if there is no such account; raises Unavailable, also for a webhook that only a later
        version can read: its events must wait for that one.
        """
        found = self.account_with_webhooks(account_id)
        return None if found is None else found[1]

    def account_with_webhooks(
        self, account_id: AccountId
    ) -> tuple[Account, Sequence[Webhook]] | None:
        """As `of_account`, with the account, which the same query has."""
        found = _partition(account_id)
        if found is None:
            return None
        account, items = found
        webhooks = [_readable(item) for item in items if item.status != WebhookStatus.DELETED]
        return account.to_account(), webhooks

    def find(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook | DeletedWebhook | None:
        """A webhook or its tombstone, in one consistent batch.

        None if there is neither, or no such account. Raises Unavailable, as `of_account` does.
        """
        keys = {
            (account_id, ACCOUNT_SK),
            (account_id, webhook_sk(webhook_id)),
            (tombstones_pk(account_id), webhook_id),
        }
        items = find_all(ConfigItem, keys)
        if not any(isinstance(item, AccountItem) for item in items):
            return None
        for item in items:
            if isinstance(item, TombstoneItem):
                return item.to_tombstone()
            if isinstance(item, WebhookItem):
                if item.status == WebhookStatus.DELETED:
                    return DeletedWebhook(account_id, webhook_id)
                return _readable(item)
        return None

    def logged(self, account_id: AccountId, most_deleted: int) -> Sequence[WebhookId]:
        """All webhooks of an account, and of those deleted the last ones; raises Unavailable."""
        found = _partition(account_id)
        items = [] if found is None else found[1]
        deleted = [
            (int(item.updated_at), _id_of(item))
            for item in items
            if item.status == WebhookStatus.DELETED
        ]
        deleted += _last_deleted(account_id, most_deleted)
        live = [_id_of(item) for item in items if item.status != WebhookStatus.DELETED]
        return [*live, *(one for _, one in sorted(deleted, reverse=True)[:most_deleted])]


def _partition(account_id: AccountId) -> tuple[AccountItem, list[WebhookItem]] | None:
    """An account and its webhooks, tombstones of a former release too; None: no such account."""
    if not is_account_id(account_id):
        return None
    with failing_as_unavailable():
        items = list(ConfigItem.query(account_id, consistent_read=True))
    account = next((item for item in items if isinstance(item, AccountItem)), None)
    if account is None:
        return None
    return account, [item for item in items if isinstance(item, WebhookItem)]


def _last_deleted(account_id: AccountId, most: int) -> Iterator[tuple[int, WebhookId]]:
    with failing_as_unavailable():
        items = list(
            TombstoneListItem.query(
                tombstones_pk(account_id),
                TombstoneListItem.sk.startswith(TOMBSTONE_LIST_PREFIX),
                limit=most,
                page_size=most,
                scan_index_forward=False,
            )
        )
    for item in items:
        _, deleted_at, webhook_id = item.sk.split("#")
        yield int(deleted_at), WebhookId(webhook_id)


def _id_of(item: WebhookItem) -> WebhookId:
    return WebhookId(item.sk.removeprefix(webhook_sk(WebhookId(""))))


def _readable(item: WebhookItem) -> Webhook:
    try:
        return item.to_webhook()
    except ValueError as error:
        raise Unavailable("a webhook of a later version") from error
