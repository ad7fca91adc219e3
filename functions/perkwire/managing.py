"""Managing accounts, API keys and webhooks: the rules, once, for every entrance."""

from collections.abc import Callable, Collection, Mapping
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
    parse_account_change,
    parse_key,
)
from perkwire.ids import AccountId, KeyId, WebhookId, new_account_id, new_key_id, new_webhook_id
from perkwire.problem import FieldError, Problem, conflict, not_found
from perkwire.strict_json import Json
from perkwire.timestamps import HOUR_SECONDS, MICROSECONDS
from perkwire.webhook import (
    EndpointRules,
    RetiredSecret,
    SealedSecrets,
    Webhook,
    WebhookChange,
    WebhookDraft,
    WebhookStatus,
    parse_rotation,
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

    def replace(self, before: Account, after: Account) -> None:
        """Store a change; raises ChangedMeanwhile, Unavailable."""
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


class NoticeTopics(Protocol):
    """Who gets the notices of an account."""

    def subscribe_only(self, account_id: AccountId, addresses: Collection[str]) -> str:
        """Have these addresses and no others subscribed; the account's topic.

        Doing it again finishes what a failure has cut off. Raises Unavailable.
        """
        ...

    def confirmed(self, topic: str) -> set[str]:
        """The addresses that get notices, as `same_address` has them; raises Unavailable."""
        ...


class UrlTaken(Exception):
    """Another webhook of the account has this URL."""


class TooManyWebhooks(Exception):
    """The account has as many webhooks as it may."""


class ChangedMeanwhile(Exception):
    """It is no longer the version that the change was made from."""


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

    def __init__(
        self,
        *,
        accounts: Accounts,
        api_keys: ApiKeys,
        topics: NoticeTopics,
        clock: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._api_keys = api_keys
        self._topics = topics
        self._clock = clock

    def create(self, caller: Caller, value: dict[str, Json]) -> Account:
        """A new account; raises Problem and Unavailable."""
        caller.require(Scope.OPERATOR)
        draft = parse_account(value)
        now = self._clock()
        account_id = new_account_id()
        account = Account(
            id=account_id,
            name=draft.name,
            notify_emails=draft.notify_emails,
            # Before the account is stored: what is answered with 503 may be sent again.
            notice_topic=self._topic(account_id, None, draft.notify_emails),
            created_at=now,
            updated_at=now,
        )
        self._accounts.add(account)
        return account

    def get(self, caller: Caller, account_id: AccountId) -> Account:
        """One account; raises Problem and Unavailable."""
        caller.require(Scope.OPERATOR)
        account = self._accounts.find(account_id)
        if account is None:
            raise not_found("account")
        return account

    def confirmed(self, account: Account) -> set[str]:
        """Its addresses that get notices, as `same_address` has them; raises Unavailable."""
        return self._topics.confirmed(account.notice_topic) if account.notice_topic else set()

    def change(self, caller: Caller, account_id: AccountId, value: dict[str, Json]) -> Account:
        """Change an account; raises Problem and Unavailable.

        If the topic's service fails nothing is stored, and the same request again finishes it.
        """
        caller.require(Scope.OPERATOR)
        change = parse_account_change(value)
        before = self.get(caller, account_id)
        after = replace(before, name=change.name or before.name, updated_at=self._clock())
        if change.notify_emails is not None:
            topic = self._topic(account_id, before.notice_topic, change.notify_emails)
            after = replace(after, notify_emails=change.notify_emails, notice_topic=topic)
        try:
            self._accounts.replace(before, after)
        except ChangedMeanwhile:
            raise conflict("The account was changed at the same time; try again.") from None
        return after

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
        self.get(caller, account_id)
        api_key = self._api_keys.find(account_id, key_id)
        if api_key is None:
            raise not_found("API key")
        return api_key

    def remove_key(self, caller: Caller, account_id: AccountId, key_id: KeyId) -> None:
        """Revoke an API key; raises Problem and Unavailable."""
        self.get(caller, account_id)
        if not self._api_keys.remove(account_id, key_id):
            raise not_found("API key")

    def list_keys(
        self, caller: Caller, account_id: AccountId, limit: int, cursor: str | None
    ) -> Page[ApiKey]:
        """An account's API keys; raises Problem and Unavailable."""
        self.get(caller, account_id)
        return self._api_keys.page(account_id, limit, cursor)

    def _topic(
        self, account_id: AccountId, before: str | None, addresses: Collection[str]
    ) -> str | None:
        """Where the addresses are subscribed now; None for none, who need no topic to be made."""
        if not addresses and before is None:
            return None
        topic = self._topics.subscribe_only(account_id, addresses)
        return topic if addresses else None


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
        webhook = self.made_of(account_id, draft)
        try:
            self._webhooks.add(webhook, self._most_webhooks)
        except UrlTaken:
            raise _url_taken() from None
        except TooManyWebhooks:
            raise conflict(f"An account has at most {self._most_webhooks} webhooks.") from None
        return webhook, draft.secret

    def made_of(self, account_id: AccountId, draft: WebhookDraft) -> Webhook:
        """The webhook of a draft, sealed under an id of its own, not stored; raises Unavailable."""
        webhook_id = new_webhook_id()
        now = self._clock()
        return Webhook(
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
        self._store(before, after)
        return after

    def switch(self, account_id: AccountId, webhook_id: WebhookId, *, enabled: bool) -> Webhook:
        """Enable, which also ends a pause, or disable; raises Problem and Unavailable."""
        before = self.get(account_id, webhook_id)
        after = replace(
            before,
            status=WebhookStatus.ENABLED if enabled else WebhookStatus.DISABLED,
            pause=None,
            version=before.version + 1,
            updated_at=self._clock(),
        )
        self._store(before, after)
        return after

    def rotate_secret(
        self, account_id: AccountId, webhook_id: WebhookId, value: dict[str, Json]
    ) -> tuple[Webhook, str]:
        """A new secret, returned this once; the old one signs beside it for the overlap.

        Raises Problem and Unavailable.
        """
        before = self.get(account_id, webhook_id)
        rotation = parse_rotation(value, before)
        now = self._clock()
        retired = None
        if rotation.overlap_hours:
            until = now + rotation.overlap_hours * HOUR_SECONDS * MICROSECONDS
            retired = RetiredSecret(before.sealed.secret, until)
        secret = self._sealer.seal_secret(account_id, webhook_id, rotation.secret)
        after = replace(
            before,
            sealed=replace(before.sealed, secret=secret, retired=retired),
            version=before.version + 1,
            updated_at=now,
        )
        self._store(before, after)
        return after, rotation.secret

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

    def _store(self, before: Webhook, after: Webhook) -> None:
        try:
            self._webhooks.replace(before, after)
        except UrlTaken:
            raise _url_taken() from None
        except ChangedMeanwhile:
            raise conflict("The webhook was changed at the same time; try again.") from None

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


def _url_taken() -> Problem:
    detail = "is the URL of another webhook of the account"
    return conflict("Each URL is once per account.", [FieldError("url", detail)])
