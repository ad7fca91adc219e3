"""What both kinds of management share: pages, accounts, and a change that came too late."""

from typing import Protocol

from perkwire.model.account import Account
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.page import Page


class ChangedMeanwhile(Exception):
    """It is no longer the version that the change was made from."""


class Webhooks(Protocol):
    """The webhooks that API keys name."""

    def find(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook | None:
        """One that is not deleted, read consistently; raises Unavailable."""
        ...


class Accounts(Protocol):
    """Where accounts are kept."""

    def add(self, account: Account) -> None:
        """Store a new account; raises Unavailable."""
        ...

    def find(self, account_id: AccountId) -> Account | None:
        """An account, read consistently; raises Unavailable."""
        ...

    def replace(self, before: Account, after: Account) -> None:
        """Store a change; raises ChangedMeanwhile, Unavailable."""
        ...

    def list_addresses(self, account: Account) -> None:
        """Have it found by its addresses, unless it has changed meanwhile; raises Unavailable."""
        ...

    def page(self, limit: int, cursor: str | None) -> Page[Account]:
        """All accounts, a page at a time; raises Problem for a bad cursor, and Unavailable."""
        ...
