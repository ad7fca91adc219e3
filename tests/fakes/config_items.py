"""What ConfigTable holds of accounts, their keys and their webhooks."""

import threading
from collections import Counter
from dataclasses import dataclass, field

from perkwire.dispatching.noticing import UnreportedFailures, UnreportedPauses
from perkwire.dispatching.pausing import Streak
from perkwire.model.account import Account, ApiKey
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, KeyId, WebhookId


@dataclass
class FakeConfigItems:
    """What ConfigTable holds."""

    accounts: dict[AccountId, Account] = field(default_factory=dict)
    webhooks: dict[WebhookId, Webhook] = field(default_factory=dict)
    streaks: dict[WebhookId, Streak] = field(default_factory=dict)
    failing_versions: dict[WebhookId, int] = field(default_factory=dict)
    untold: dict[WebhookId, UnreportedFailures] = field(default_factory=dict)
    pauses: dict[WebhookId, UnreportedPauses] = field(default_factory=dict)
    pauses_noticed_at: dict[WebhookId, int] = field(default_factory=dict)
    notices: Counter[tuple[AccountId, int]] = field(default_factory=Counter)
    keys: dict[KeyId, tuple[ApiKey, str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, *items: Account | Webhook) -> None:
        """Have them, whatever was there before."""
        for item in items:
            if isinstance(item, Account):
                self.accounts[item.id] = item
            else:
                self.webhooks[item.id] = item

    def of_account(self, account_id: AccountId) -> list[Webhook]:
        own = [webhook for webhook in self.webhooks.values() if webhook.account_id == account_id]
        return sorted(own, key=lambda webhook: webhook.id)

    def streak_of(self, webhook: Webhook) -> Streak | None:
        """Its streak, if it is this version of its endpoint that has failed."""
        if self.failing_versions.get(webhook.id, 1) != webhook.endpoint_version:
            return None
        return self.streaks.get(webhook.id)

    def holds_url(self, webhook: Webhook) -> bool:
        """Whether another webhook of the account has this one's URL."""
        return any(
            other.url == webhook.url and other.id != webhook.id
            for other in self.of_account(webhook.account_id)
            if other.status is not WebhookStatus.DELETED
        )
