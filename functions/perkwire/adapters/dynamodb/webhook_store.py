"""ConfigTable as management keeps webhooks in it: every change in one transaction."""

from collections.abc import Callable

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from perkwire.adapters.dynamodb.activity_log import (
    COMMANDS,
    ActivityLog,
    conditions,
    unavailable,
)
from perkwire.adapters.dynamodb.config_items import (
    ACCOUNT_SK,
    WEBHOOK_SK_PREFIX,
    AccountItem,
    ContractItem,
    ContractUseItem,
    HealthItem,
    TombstoneItem,
    TombstoneListItem,
    UrlItem,
    WebhookItem,
    contract_use_sk,
    contract_uses_pk,
    contracts_pk,
    health_pk,
    tombstone_list_sk,
    tombstones_pk,
    url_sk,
    urls_pk,
    webhook_sk,
)
from perkwire.adapters.dynamodb.delivery_items import TAKEN_SK, TakenItem, pull_pk
from perkwire.adapters.dynamodb.pages import page
from perkwire.adapters.dynamodb.tables import find
from perkwire.managing.stores import ChangedMeanwhile
from perkwire.managing.webhooks import ContractGone, TooManyWebhooks, UrlTaken
from perkwire.model.activity import Action, Change, webhook_change, webhook_made
from perkwire.model.webhook import ContractUse, Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.page import Page
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS

_MOST_READS = 10


class WebhookStore:
    """Fulfils managing.Webhooks. A tombstone stays for `tombstone_days`."""

    def __init__(
        self, connection: Connection, *, tombstone_days: int, activity: ActivityLog = COMMANDS
    ) -> None:
        self._connection = connection
        self._activity = activity
        self._tombstone_seconds = tombstone_days * DAY_SECONDS

    def add(self, webhook: Webhook, most: int) -> None:
        """Store a new one; raises UrlTaken, TooManyWebhooks, ContractGone, Unavailable."""

        use = webhook.contract

        def write(transaction: TransactWrite) -> None:
            transaction.save(_url_item(webhook), condition=UrlItem.pk.does_not_exist())
            transaction.save(WebhookItem.of(webhook), condition=WebhookItem.pk.does_not_exist())
            transaction.update(
                AccountItem(webhook.account_id, ACCOUNT_SK),
                actions=[AccountItem.webhooks.add(1)],
                condition=AccountItem.webhooks < most,
            )
            if use is not None:
                transaction.save(_use_item(webhook, use))
                transaction.update(
                    _contract_item(webhook, use),
                    actions=[ContractItem.uses.add(1)],
                    condition=ContractItem.digest == use.digest,
                )

        try:
            self._transact(write, webhook_made(webhook, Action.WEBHOOK_CREATED))
        except TransactWriteError as error:
            held = conditions(error, 3 if use is None else 5)
            url_free, room = held[0], held[2 if use is None else 3]
            if not url_free:
                raise UrlTaken from None
            if not room:
                raise TooManyWebhooks from None
            if not held[-1]:
                raise ContractGone from None
            raise unavailable(error) from error

    def find(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook | None:
        """One that is not deleted, read consistently; raises Unavailable."""
        item = find(WebhookItem, account_id, webhook_sk(webhook_id))
        if item is None or item.status == WebhookStatus.DELETED:
            return None
        return item.to_webhook()

    def is_deleted(self, account_id: AccountId, webhook_id: WebhookId) -> bool:
        """Whether there was one, while its tombstone is there; raises Unavailable."""
        return find(TombstoneItem, tombstones_pk(account_id), webhook_id) is not None

    def replace(self, before: Webhook, after: Webhook) -> None:
        """Store a change; raises ChangedMeanwhile, UrlTaken, Unavailable."""
        moved = after.url != before.url

        def write(transaction: TransactWrite) -> None:
            transaction.save(WebhookItem.of(after), condition=WebhookItem.version == before.version)
            if moved:
                transaction.delete(_url_item(before))
                transaction.save(_url_item(after), condition=UrlItem.pk.does_not_exist())

        try:
            self._transact(write, webhook_change(before, after))
        except TransactWriteError as error:
            held = conditions(error, 3 if moved else 1)
            if not held[1 if moved else 0]:
                raise ChangedMeanwhile from None
            if moved and not held[2]:
                raise UrlTaken from None
            raise unavailable(error) from error

    def bury(self, webhook: Webhook, now: int) -> None:
        """Leave a tombstone, and free the URL; raises ChangedMeanwhile, Unavailable."""
        expires_at = now // MICROSECONDS + self._tombstone_seconds
        pk = tombstones_pk(webhook.account_id)
        use = webhook.contract

        def write(transaction: TransactWrite) -> None:
            transaction.delete(_url_item(webhook))
            transaction.delete(
                WebhookItem(webhook.account_id, webhook_sk(webhook.id)),
                condition=WebhookItem.version == webhook.version,
            )
            transaction.delete(HealthItem(health_pk(webhook.account_id), webhook.id))
            transaction.save(TombstoneItem(pk, webhook.id, expires_at=expires_at))
            transaction.save(
                TombstoneListItem(pk, tombstone_list_sk(webhook.id, now), expires_at=expires_at)
            )
            transaction.update(
                AccountItem(webhook.account_id, ACCOUNT_SK),
                actions=[AccountItem.webhooks.add(-1)],
            )
            if use is not None:
                transaction.delete(_use_item(webhook, use))
                transaction.update(
                    _contract_item(webhook, use),
                    actions=[ContractItem.uses.add(-1)],
                    condition=ContractItem.pk.exists(),
                )
            if webhook.is_pulled:
                transaction.update(
                    TakenItem(pull_pk(webhook.account_id, webhook.id), TAKEN_SK),
                    actions=[TakenItem.deleted.set(now)],
                )

        try:
            self._transact(write, webhook_made(webhook, Action.WEBHOOK_DELETED))
        except TransactWriteError as error:
            if not conditions(error, (6 if use is None else 8) + webhook.is_pulled)[1]:
                raise ChangedMeanwhile from None
            raise unavailable(error) from error

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Webhook]:
        """An account's webhooks that are not deleted; raises Problem and Unavailable.

        Tombstones of a former release are passed over, a bounded number of reads long: then the
        page is short.
        """
        webhooks: list[Webhook] = []
        for _ in range(_MOST_READS):
            room = limit - len(webhooks)
            listed = page(WebhookItem, account_id, room, cursor, prefix=WEBHOOK_SK_PREFIX)
            webhooks += [
                item.to_webhook() for item in listed.items if item.status != WebhookStatus.DELETED
            ]
            cursor = listed.next_cursor
            if cursor is None or len(webhooks) == limit:
                break
        return Page(webhooks, cursor)

    def _transact(self, write: Callable[[TransactWrite], None], change: Change) -> None:
        with TransactWrite(connection=self._connection) as transaction:
            write(transaction)
            self._activity.add(transaction, change)


def _url_item(webhook: Webhook) -> UrlItem:
    return UrlItem(urls_pk(webhook.account_id), url_sk(webhook.url), webhook_id=webhook.id)


def _use_item(webhook: Webhook, use: ContractUse) -> ContractUseItem:
    sk = contract_use_sk(webhook.format, webhook.account_id, webhook.id)
    return ContractUseItem(contract_uses_pk(use.owner), sk)


def _contract_item(webhook: Webhook, use: ContractUse) -> ContractItem:
    return ContractItem(contracts_pk(use.owner), webhook.format)
