"""ConfigTable as the data path reads it: accounts, webhooks, health; and pausing."""

from collections.abc import Collection, Mapping, Sequence

from pynamodb.exceptions import UpdateError

from perkwire.adapters.config_items import (
    ACCOUNT_SK,
    AccountItem,
    ConfigItem,
    HealthItem,
    WebhookItem,
    health_pk,
    webhook_sk,
)
from perkwire.adapters.tables import failing_as_unavailable, find_all, is_condition_failure
from perkwire.dispatching import WebhookState
from perkwire.ids import AccountId, WebhookId
from perkwire.pausing import Streak
from perkwire.webhook import Pause, Webhook, WebhookStatus


class WebhookLookup:
    """Fulfils routing.AccountWebhooks, dispatching.Webhooks, accepting.Accounts, HealthStore."""

    def existing(self, account_ids: Collection[AccountId]) -> set[AccountId]:
        """Those of the accounts that exist; raises Unavailable."""
        found = find_all(AccountItem, {(account_id, ACCOUNT_SK) for account_id in account_ids})
        return {AccountId(item.pk) for item in found}

    def of_account(self, account_id: AccountId) -> Sequence[Webhook] | None:
        """All webhooks of an account, tombstones too, in one consistent query.

        None if there is no such account; raises Unavailable.
        """
        with failing_as_unavailable():
            items = list(ConfigItem.query(account_id, consistent_read=True))
        if not any(isinstance(item, AccountItem) for item in items):
            return None
        return [item.to_webhook() for item in items if isinstance(item, WebhookItem)]

    def states(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> Mapping[WebhookId, WebhookState]:
        """Webhooks with their accounts and health, in one consistent batch; raises Unavailable."""
        wanted: set[tuple[str, str]] = {(account_id, ACCOUNT_SK) for account_id, _ in keys}
        for account_id, webhook_id in keys:
            wanted.add((account_id, webhook_sk(webhook_id)))
            wanted.add((health_pk(account_id), webhook_id))
        items = find_all(ConfigItem, wanted)
        accounts = {item.pk for item in items if isinstance(item, AccountItem)}
        failing = {
            item.sk for item in items if isinstance(item, HealthItem) and item.failures is not None
        }
        webhooks = [item.to_webhook() for item in items if isinstance(item, WebhookItem)]
        return {
            webhook.id: WebhookState(webhook, failing=webhook.id in failing)
            for webhook in webhooks
            if webhook.account_id in accounts
        }

    def add_failures(self, webhook: Webhook, count: int, now: int) -> Streak:
        """Lengthen the streak, beginning it at `now` if there is none; raises Unavailable."""
        item = _health_item(webhook)
        with failing_as_unavailable():
            item.update(
                actions=[
                    HealthItem.kind.set(HealthItem),
                    HealthItem.failures.add(count),
                    HealthItem.since.set(HealthItem.since | now),
                ]
            )
        return Streak(int(item.failures or count), int(item.since or now))

    def end_streak(self, webhook: Webhook) -> None:
        """Forget the streak; raises Unavailable."""
        with failing_as_unavailable():
            _health_item(webhook).update(
                actions=[
                    HealthItem.kind.set(HealthItem),
                    HealthItem.failures.remove(),
                    HealthItem.since.remove(),
                ]
            )

    def pause(self, webhook: Webhook, pause: Pause) -> bool:
        """Enabled to paused, by a condition on the status: one caller wins; raises Unavailable."""
        item = WebhookItem(webhook.account_id, webhook_sk(webhook.id))
        try:
            item.update(
                actions=[
                    WebhookItem.status.set(WebhookStatus.PAUSED),
                    WebhookItem.paused_at.set(pause.at),
                    WebhookItem.pause_reason.set(pause.reason),
                    WebhookItem.updated_at.set(pause.at),
                    WebhookItem.version.add(1),
                ],
                condition=WebhookItem.status == WebhookStatus.ENABLED,
            )
        except UpdateError as error:
            if is_condition_failure(error):
                return False
            with failing_as_unavailable():
                raise
        return True


def _health_item(webhook: Webhook) -> HealthItem:
    return HealthItem(health_pk(webhook.account_id), webhook.id)
