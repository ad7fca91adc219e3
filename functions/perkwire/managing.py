"""Managing accounts, API keys and webhooks: the rules, once, for every entrance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from perkwire.account import (
    Account,
    ApiKey,
    Caller,
    Scope,
    key_hash,
    new_api_key,
    parse_account,
    parse_key,
)
from perkwire.ids import AccountId, KeyId, WebhookId, new_account_id, new_key_id, new_webhook_id
from perkwire.problem import FieldError, conflict, not_found
from perkwire.strict_json import Json
from perkwire.webhook import (
    EndpointRules,
    SealedSecrets,
    Webhook,
    WebhookChange,
    WebhookStatus,
    parse_webhook,
    parse_webhook_change,
)


@dataclass(frozen=True, slots=True)
class Page[T]:
    """A part of a list; `next_cursor` None says that it is the last."""

    items: list[T]
    next_cursor: str | None


class Accounts(Protocol):
    """Where accounts are kept."""

    def add(self, account: Account) -> None:
        """Store a new account; raises Unavailable."""
        ...

    def find(self, account_id: AccountId) -> Account | None:
        """An account, read consistently; raises Unavailable."""
        ...

    def rename(self, account_id: AccountId, name: str, now: int) -> Account | None:
        """Change its name; None if there is no such account. Raises Unavailable."""
        ...

    def page(self, limit: int, cursor: str | None) -> Page[Account]:
        """All accounts, a page at a time; raises Problem for a bad cursor, and Unavailable."""
        ...


class ApiKeys(Protocol):
    """Where API keys are kept, as hashes."""

    def add(self, api_key: ApiKey, key_hash: str) -> None:
        """Store a new API key; raises Unavailable."""
        ...

    def find(self, account_id: AccountId, key_id: KeyId) -> ApiKey | None:
        """One API key of an account; raises Unavailable."""
        ...

    def remove(self, account_id: AccountId, key_id: KeyId) -> bool:
        """Make a key useless; False if there is none such. Raises Unavailable."""
        ...

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[ApiKey]:
        """An account's API keys; raises Problem for a bad cursor, and Unavailable."""
        ...


class UrlTaken(Exception):
    """Another webhook of the account has this URL."""


class TooManyWebhooks(Exception):
    """The account has as many webhooks as it may."""


class ChangedMeanwhile(Exception):
    """The webhook is no longer the version that the change was made from."""


class Webhooks(Protocol):
    """Where webhooks are kept: each URL once per account, and a bounded number, under any race."""

    def add(self, webhook: Webhook, most: int) -> None:
        """Store a new one; raises UrlTaken, TooManyWebhooks, Unavailable."""
        ...

    def find(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook | None:
        """One that is not deleted, read consistently; raises Unavailable."""
        ...

    def replace(self, before: Webhook, after: Webhook) -> None:
        """Store a change; raises ChangedMeanwhile, UrlTaken, Unavailable."""
        ...

    def bury(self, webhook: Webhook, now: int) -> None:
        """Leave a tombstone and free the URL; raises ChangedMeanwhile, Unavailable."""
        ...

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Webhook]:
        """An account's webhooks that are not deleted; raises Problem and Unavailable."""
        ...


class Sealer(Protocol):
    """Encrypts secrets for one webhook."""

    def seal_secret(self, account_id: AccountId, webhook_id: WebhookId, secret: str) -> bytes:
        """The secret's ciphertext; raises Unavailable."""
        ...

    def seal_headers(
        self, account_id: AccountId, webhook_id: WebhookId, headers: Mapping[str, str]
    ) -> bytes | None:
        """The headers' ciphertext, None for no headers; raises Unavailable."""
        ...


class AccountManagement:
    """Accounts and their API keys: an operator's work."""

    def __init__(self, *, accounts: Accounts, api_keys: ApiKeys, clock: Callable[[], int]) -> None:
        self._accounts = accounts
        self._api_keys = api_keys
        self._clock = clock

    def create(self, caller: Caller, value: dict[str, Json]) -> Account:
        """A new account; raises Problem and Unavailable."""
        caller.require(Scope.OPERATOR)
        name = parse_account(value)
        now = self._clock()
        account = Account(id=new_account_id(), name=name, created_at=now, updated_at=now)
        self._accounts.add(account)
        return account

    def get(self, caller: Caller, account_id: AccountId) -> Account:
        """One account; raises Problem and Unavailable."""
        caller.require(Scope.OPERATOR)
        account = self._accounts.find(account_id)
        if account is None:
            raise not_found("account")
        return account

    def rename(self, caller: Caller, account_id: AccountId, value: dict[str, Json]) -> Account:
        """Change an account; raises Problem and Unavailable."""
        caller.require(Scope.OPERATOR)
        account = self._accounts.rename(account_id, parse_account(value), self._clock())
        if account is None:
            raise not_found("account")
        return account

    def list(self, caller: Caller, limit: int, cursor: str | None) -> Page[Account]:
        """All accounts; raises Problem and Unavailable."""
        caller.require(Scope.OPERATOR)
        return self._accounts.page(limit, cursor)

    def create_key(
        self, caller: Caller, account_id: AccountId, value: dict[str, Json]
    ) -> tuple[ApiKey, str]:
        """A new API key and, this once, the key itself; raises Problem and Unavailable."""
        self.get(caller, account_id)
        draft = parse_key(value)
        key = new_api_key()
        api_key = ApiKey(
            id=new_key_id(),
            account_id=account_id,
            name=draft.name,
            scopes=draft.scopes,
            created_at=self._clock(),
        )
        self._api_keys.add(api_key, key_hash(key))
        return api_key, key

    def get_key(self, caller: Caller, account_id: AccountId, key_id: KeyId) -> ApiKey:
        """One API key; raises Problem and Unavailable."""
        caller.require(Scope.OPERATOR)
        api_key = self._api_keys.find(account_id, key_id)
        if api_key is None:
            raise not_found("API key")
        return api_key

    def remove_key(self, caller: Caller, account_id: AccountId, key_id: KeyId) -> None:
        """Revoke an API key; raises Problem and Unavailable."""
        caller.require(Scope.OPERATOR)
        if not self._api_keys.remove(account_id, key_id):
            raise not_found("API key")

    def list_keys(
        self, caller: Caller, account_id: AccountId, limit: int, cursor: str | None
    ) -> Page[ApiKey]:
        """An account's API keys; raises Problem and Unavailable."""
        self.get(caller, account_id)
        return self._api_keys.page(account_id, limit, cursor)


class WebhookManagement:
    """The webhooks of one account."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        webhooks: Webhooks,
        sealer: Sealer,
        rules: EndpointRules,
        most_webhooks: int,
        clock: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._webhooks = webhooks
        self._sealer = sealer
        self._rules = rules
        self._most_webhooks = most_webhooks
        self._clock = clock

    def account(self, caller: Caller, named: str | None) -> AccountId:
        """The account that a request is about; an operator's must exist. Raises Problem."""
        caller.require(Scope.WEBHOOKS)
        account_id = caller.acting_for(named, "Perkwire-Account")
        if caller.is_operator and self._accounts.find(account_id) is None:
            raise not_found("account")
        return account_id

    def create(self, account_id: AccountId, value: dict[str, Json]) -> tuple[Webhook, str]:
        """A new webhook and, this once, its secret; raises Problem and Unavailable."""
        draft = parse_webhook(value, self._rules)
        webhook_id = new_webhook_id()
        now = self._clock()
        webhook = Webhook(
            id=webhook_id,
            account_id=account_id,
            name=draft.name,
            description=draft.description,
            url=draft.url,
            event_types=draft.event_types,
            program_ids=draft.program_ids,
            header_names=tuple(draft.headers),
            batch_size=draft.batch_size,
            format=draft.format,
            status=WebhookStatus.ENABLED if draft.enabled else WebhookStatus.DISABLED,
            pause=None,
            sealed=self._sealed(account_id, webhook_id, draft.secret, draft.headers),
            version=1,
            created_at=now,
            updated_at=now,
        )
        try:
            self._webhooks.add(webhook, self._most_webhooks)
        except UrlTaken:
            raise _url_taken() from None
        except TooManyWebhooks:
            raise conflict(f"An account has at most {self._most_webhooks} webhooks.") from None
        return webhook, draft.secret

    def get(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook:
        """One webhook; raises Problem and Unavailable."""
        webhook = self._webhooks.find(account_id, webhook_id)
        if webhook is None:
            raise not_found("webhook")
        return webhook

    def change(
        self, account_id: AccountId, webhook_id: WebhookId, value: dict[str, Json]
    ) -> Webhook:
        """Change what the request names, at once also for queued deliveries.

        Raises Problem and Unavailable.
        """
        before = self.get(account_id, webhook_id)
        after = self._changed(before, parse_webhook_change(value, self._rules, before))
        try:
            self._webhooks.replace(before, after)
        except UrlTaken:
            raise _url_taken() from None
        except ChangedMeanwhile:
            raise conflict("The webhook was changed at the same time; try again.") from None
        return after

    def delete(self, account_id: AccountId, webhook_id: WebhookId) -> None:
        """Delete a webhook; queued deliveries become cancelled. Raises as `change`."""
        webhook = self.get(account_id, webhook_id)
        try:
            self._webhooks.bury(webhook, self._clock())
        except ChangedMeanwhile:
            raise conflict("The webhook was changed at the same time; try again.") from None

    def list(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Webhook]:
        """An account's webhooks; raises Problem and Unavailable."""
        return self._webhooks.page(account_id, limit, cursor)

    def _changed(self, before: Webhook, change: WebhookChange) -> Webhook:
        status, pause = before.status, before.pause
        if change.enabled is not None:
            status = WebhookStatus.ENABLED if change.enabled else WebhookStatus.DISABLED
            pause = None
        sealed = before.sealed
        header_names = before.header_names
        if change.headers is not None:
            headers = self._sealer.seal_headers(before.account_id, before.id, change.headers)
            sealed = replace(sealed, headers=headers)
            header_names = tuple(change.headers)
        return replace(
            before,
            name=change.name or before.name,
            description=None if change.no_description else change.description or before.description,
            url=change.url or before.url,
            event_types=change.event_types or before.event_types,
            program_ids=None if change.any_program else change.program_ids or before.program_ids,
            header_names=header_names,
            batch_size=change.batch_size or before.batch_size,
            status=status,
            pause=pause,
            sealed=sealed,
            version=before.version + 1,
            updated_at=self._clock(),
        )

    def _sealed(
        self,
        account_id: AccountId,
        webhook_id: WebhookId,
        secret: str,
        headers: Mapping[str, str],
    ) -> SealedSecrets:
        return SealedSecrets(
            secret=self._sealer.seal_secret(account_id, webhook_id, secret),
            headers=self._sealer.seal_headers(account_id, webhook_id, headers),
        )


def _url_taken() -> Exception:
    detail = "is the URL of another webhook of the account"
    return conflict("Each URL is once per account.", [FieldError("url", detail)])
