"""What ConfigTable holds of accounts, their keys and their webhooks."""

import threading
from collections import Counter
from dataclasses import dataclass, field

from perkwire.dispatching.health import Streak
from perkwire.dispatching.noticing import UnreportedFailures, UnreportedPauses
from perkwire.model.account import Account, ApiKey
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, KeyId, WebhookId


@dataclass
class FakeConfigItems:
    """What ConfigTable holds."""

    accounts: dict[AccountId, Account] = field(default_factory=dict)
    webhooks: dict[WebhookId, Webhook] = field(default_factory=dict)
    streaks: dict[WebhookId, Streak] = field(default_factory=dict)
    strains: dict[WebhookId, int] = field(default_factory=dict)
    eases: dict[WebhookId, int] = field(default_factory=dict)
    failing_versions: dict[WebhookId, int] = field(default_factory=dict)
    untold: dict[WebhookId, UnreportedFailures] = field(default_factory=dict)
    pauses: dict[WebhookId, UnreportedPauses] = field(default_factory=dict)
    pauses_noticed_at: dict[WebhookId, int] = field(default_factory=dict)
    unsignalled: dict[WebhookId, UnreportedFailures] = field(default_factory=dict)
    pauses_signalled_at: dict[WebhookId, int] = field(default_factory=dict)
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
        return self.streaks.get(webhook.id) if self.has_rows_of(webhook) else None

    def strain_of(self, webhook: Webhook) -> int:
        return self.strains.get(webhook.id, 0) if self.has_rows_of(webhook) else 0

    def ease_of(self, webhook: Webhook) -> int:
        return self.eases.get(webhook.id, 0) if self.has_rows_of(webhook) else 0

    def has_rows_of(self, webhook: Webhook) -> bool:
        """Whether streak, strain and ease are of this version of its endpoint."""
        return self.failing_versions.get(webhook.id, 1) == webhook.endpoint_version

    def begin_rows_of(self, webhook: Webhook) -> None:
        """Have rows of this version of its endpoint: those of another one are over."""
        if not self.has_rows_of(webhook):
            self.end_rows_of(webhook.id)
        self.failing_versions[webhook.id] = webhook.endpoint_version

    def end_rows_of(self, webhook_id: WebhookId) -> None:
        for rows in (self.streaks, self.strains, self.eases):
            rows.pop(webhook_id, None)

    def holds_url(self, webhook: Webhook) -> bool:
        """Whether another webhook of the account has this one's URL."""
        return any(
            other.url == webhook.url and other.id != webhook.id
            for other in self.of_account(webhook.account_id)
            if other.status is not WebhookStatus.DELETED
        )
