"""ConfigTable as events find their way by it: accounts and their webhooks."""

from collections.abc import Collection, Sequence

from perkwire.adapters.dynamodb.config_items import ACCOUNT_SK, AccountItem, ConfigItem, WebhookItem
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, find_all
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, is_account_id
from perkwire.primitives.journal import Unavailable


class WebhookLookup:
    """Fulfils accepting.Accounts and the protocols AccountWebhooks."""

    def existing(self, account_ids: Collection[AccountId]) -> set[AccountId]:
        """Those of the accounts that exist; raises Unavailable."""
        wanted = {(one, ACCOUNT_SK) for one in account_ids if is_account_id(one)}
        found = find_all(AccountItem, wanted)
        return {AccountId(item.pk) for item in found}

    def of_account(self, account_id: AccountId) -> Sequence[Webhook] | None:
        """All webhooks of an account, tombstones too, in one consistent query.

        None if there is no such account; raises Unavailable, also for a webhook that only a later
        version can read: its events must wait for that one.
        """
        if not is_account_id(account_id):
            return None
        with failing_as_unavailable():
            items = list(ConfigItem.query(account_id, consistent_read=True))
        if not any(isinstance(item, AccountItem) for item in items):
            return None
        try:
            return [item.to_webhook() for item in items if isinstance(item, WebhookItem)]
        except ValueError as error:
            raise Unavailable("a webhook of a later version") from error
