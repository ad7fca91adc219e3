"""The webhooks of an account as the router reads them, and the lanes that they are in."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from perkwire.model.account import Account
from perkwire.model.lanes import Lane
from perkwire.model.messages import DeliveryMessage
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.journal import Journal, Unavailable


class AccountWebhooks(Protocol):
    """The webhooks to match against."""

    def of_account(self, account_id: AccountId) -> Sequence[Webhook] | None:
        """All webhooks of an account, read consistently; None: no such account.

        Raises Unavailable.
        """
        ...

    def account_with_webhooks(
        self, account_id: AccountId
    ) -> tuple[Account, Sequence[Webhook]] | None:
        """As `of_account`, with the account; raises Unavailable."""
        ...


class LanesNow:
    """The lanes of webhooks as they are now, of each account in one query, if it is asked for."""

    def __init__(self, webhooks: AccountWebhooks, journal: Journal) -> None:
        self._webhooks = webhooks
        self._journal = journal
        self._found: dict[AccountId, Mapping[WebhookId, Lane]] = {}

    def of(self, message: DeliveryMessage) -> Lane:
        """The prompt one if it cannot be read, so that nothing misses its slot. Never raises."""
        account_id = message.account_id
        if account_id not in self._found:
            self._found[account_id] = self._read(account_id)
        return self._found[account_id].get(message.webhook_id, Lane.PROMPT)

    def _read(self, account_id: AccountId) -> Mapping[WebhookId, Lane]:
        try:
            return {one.id: one.lane for one in self._webhooks.of_account(account_id) or ()}
        except Exception as error:  # a lane is no reason to keep anything from its slot
            self._journal.fault(
                "lane_unknown",
                account_id=account_id,
                detail=str(error) if isinstance(error, Unavailable) else type(error).__name__,
            )
            return {}
