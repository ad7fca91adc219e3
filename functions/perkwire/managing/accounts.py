"""Managing accounts and their API keys: an operator's work."""

import secrets
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Protocol

from perkwire.managing.stores import Accounts, ChangedMeanwhile
from perkwire.managing.versions import check_read_version
from perkwire.model.account import (
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
from perkwire.primitives.ids import AccountId, KeyId, new_account_id, new_key_id
from perkwire.primitives.page import Page
from perkwire.primitives.problem import conflict, not_found
from perkwire.primitives.strict_json import Json

_SECRET_BYTES = 16


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

        Doing it again finishes what a failure has cut off. Raises Unavailable, and Problem for more
        mails to new addresses than it may be.
        """
        ...

    def confirmed(self, topic: str) -> set[str]:
        """The addresses that get notices, as `same_address` has them; raises Unavailable."""
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
            member_secret=secrets.token_hex(_SECRET_BYTES),
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

    def change(
        self,
        caller: Caller,
        account_id: AccountId,
        value: dict[str, Json],
        read: Collection[int] | None = None,
    ) -> Account:
        """Change an account; raises Problem and Unavailable.

        `read` holds the versions that it may be made from, any if it is None; 412 for another. If
        the topic's service fails nothing is stored, and the same request again finishes it.
        """
        caller.require(Scope.OPERATOR)
        change = parse_account_change(value)
        before = self._read(caller, account_id, value, read)
        after = replace(before, name=change.name or before.name, updated_at=self._clock())
        if change.notify_emails is not None:
            topic = self._topic(account_id, before.notice_topic, change.notify_emails)
            after = replace(after, notify_emails=change.notify_emails, notice_topic=topic)
        try:
            self._accounts.replace(before, after)
        except ChangedMeanwhile:
            self._read(caller, account_id, value, read)
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

    def _read(
        self,
        caller: Caller,
        account_id: AccountId,
        sent: dict[str, Json],
        read: Collection[int] | None,
    ) -> Account:
        account = self.get(caller, account_id)
        current = account.to_json() | {"notify_emails": [*account.notify_emails]}
        check_read_version(read, account.version, current, sent)
        return account

    def _topic(
        self, account_id: AccountId, before: str | None, addresses: Collection[str]
    ) -> str | None:
        """Where the addresses are subscribed now; None for none, who need no topic to be made."""
        if not addresses and before is None:
            return None
        topic = self._topics.subscribe_only(account_id, addresses)
        return topic if addresses else None
