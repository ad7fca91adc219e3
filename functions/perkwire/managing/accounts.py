"""Managing accounts and their API keys: an operator's work, and of its own account an admin's."""

import secrets
from collections.abc import Callable, Collection
from dataclasses import replace

from perkwire.managing.stores import Accounts, ChangedMeanwhile, Webhooks
from perkwire.managing.versions import check_read_version
from perkwire.managing.ways_in import ApiKeys, NoticeTopics, WaysIn
from perkwire.model.account import (
    ACCOUNT_SCOPES,
    MOST_KEYS,
    Account,
    ApiKey,
    Caller,
    Scope,
    key_hash,
    new_api_key,
    parse_account,
    parse_account_change,
    parse_key,
    parse_own_account_change,
    same_address,
)
from perkwire.primitives.ids import AccountId, KeyId, WebhookId, new_account_id, new_key_id
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, conflict, forbidden, invalid, not_found
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS

_SECRET_BYTES = 16


class AccountManagement:
    """Accounts and their API keys: an operator's work, and of its own account an admin's.

    `mails_links`: whether a confirmed address is a way into the console.
    """

    def __init__(
        self,
        *,
        accounts: Accounts,
        api_keys: ApiKeys,
        topics: NoticeTopics,
        webhooks: Webhooks,
        clock: Callable[[], int],
        mails_links: bool = False,
    ) -> None:
        self._accounts = accounts
        self._api_keys = api_keys
        self._topics = topics
        self._webhooks = webhooks
        self._ways_in = WaysIn(api_keys, topics, mails_links=mails_links)
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
            is_found_by_address=True,
        )
        self._accounts.add(account)
        return account

    def own(self, caller: Caller, named: str | None) -> AccountId:
        """The account that a request is about: its own, or the one that an operator names.

        Raises Problem.
        """
        caller.require(Scope.WEBHOOKS)
        return caller.acting_for(named, "Perkwire-Account")

    def get(self, caller: Caller, account_id: AccountId) -> Account:
        """One account; raises Problem and Unavailable."""
        _require(caller, account_id)
        account = self._accounts.find(account_id)
        if account is None:
            raise not_found("account")
        return account

    def confirmed(self, account: Account) -> set[str]:
        """Its addresses that get notices, as `same_address` has them; raises Unavailable.

        An account of a release before this one is found by them from now on.
        """
        if account.notify_emails and not account.is_found_by_address:
            self._accounts.list_addresses(account)
        return self._topics.confirmed(account.notice_topic) if account.notice_topic else set()

    def change(
        self,
        caller: Caller,
        account_id: AccountId,
        value: dict[str, Json],
        read: Collection[int] | None = None,
        *,
        even_if_last: bool = False,
    ) -> Account:
        """Change an account; raises Problem and Unavailable.

        `read` holds the versions that it may be made from, any if it is None; 412 for another. If
        the topic's service fails nothing is stored, and the same request again finishes it.
        `even_if_last`: also if its admins then come in by an operator alone.
        """
        _require(caller, account_id)
        parse = parse_account_change if caller.is_operator else parse_own_account_change
        change = parse(value)
        before = self._read(caller, account_id, value, read)
        if change.notify_emails is not None and not caller.is_operator:
            _check_new_addresses(caller, before, change.notify_emails)
            if not even_if_last:
                self._ways_in.check_addresses(before, change.notify_emails)
        after = replace(before, name=change.name or before.name, updated_at=self._clock())
        if change.notify_emails is not None:
            topic = self._topic(account_id, before.notice_topic, change.notify_emails)
            after = replace(
                after,
                notify_emails=change.notify_emails,
                notice_topic=topic,
                is_found_by_address=True,
            )
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
        self,
        caller: Caller,
        account_id: AccountId,
        value: dict[str, Json],
        *,
        is_for_listening: bool = False,
    ) -> tuple[ApiKey, str]:
        """A new API key and, this once, the key itself; raises Problem and Unavailable.

        It can do no more than its maker.
        """
        self.get(caller, account_id)
        draft = parse_key(value)
        given = {*caller.scopes, *([Scope.PULL] if Scope.WEBHOOKS in caller.scopes else [])}
        more = draft.scopes - given
        if more and not caller.is_operator:
            wrong = FieldError("scopes", f"may not hold {' or '.join(sorted(more))}")
            raise forbidden("A key gives no more than it has.", [wrong])
        if len(self._api_keys.page(account_id, MOST_KEYS, None).items) >= MOST_KEYS:
            raise conflict(f"The account has {MOST_KEYS} API keys, and can have no more.")
        self._check_pulled(account_id, draft.webhook_id)
        key = new_api_key()
        now = self._clock()
        length = None if draft.hours is None else draft.hours * HOUR_SECONDS * MICROSECONDS
        api_key = ApiKey(
            id=new_key_id(),
            account_id=account_id,
            name=draft.name,
            scopes=draft.scopes,
            created_at=now,
            webhook_id=draft.webhook_id,
            expires_at=None if length is None else now + length,
            is_for_listening=is_for_listening,
        )
        self._api_keys.add(api_key, key_hash(key))
        return api_key, key

    def _check_pulled(self, account_id: AccountId, webhook_id: WebhookId | None) -> None:
        """Raise the 422 problem for a webhook that is not the account's, or is not pulled."""
        if webhook_id is None:
            return
        webhook = self._webhooks.find(account_id, webhook_id)
        if webhook is None:
            raise invalid([FieldError("webhook_id", "is no webhook of this account")])
        if not webhook.is_pulled:
            raise invalid([FieldError("webhook_id", "is a webhook that is not pulled")])

    def get_key(self, caller: Caller, account_id: AccountId, key_id: KeyId) -> ApiKey:
        """One API key; raises Problem and Unavailable."""
        self.get(caller, account_id)
        api_key = self._api_keys.find(account_id, key_id)
        if api_key is None:
            raise not_found("API key")
        return api_key

    def remove_key(
        self, caller: Caller, account_id: AccountId, key_id: KeyId, *, even_if_last: bool = False
    ) -> None:
        """Revoke an API key; raises Problem and Unavailable.

        `even_if_last`: also if the account's admins then come in by an operator alone.
        """
        account = self.get(caller, account_id)
        if not even_if_last and not caller.is_operator:
            self._ways_in.check_key(account, key_id)
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


def _require(caller: Caller, account_id: AccountId) -> None:
    """Raise the 403 problem unless it is the caller's own account, or an operator is calling."""
    is_own = account_id == caller.account_id
    caller.require(Scope.WEBHOOKS if is_own else Scope.OPERATOR)


def _check_new_addresses(caller: Caller, before: Account, wanted: Collection[str]) -> None:
    """Raise the 403 problem if a key that may not all would name somebody new.

    A confirmed address may be mailed console links, which are good for all that accounts may do.
    """
    known = {same_address(one) for one in before.notify_emails}
    if {same_address(one) for one in wanted} <= known or caller.scopes.issuperset(ACCOUNT_SCOPES):
        return
    needed = " and ".join(ACCOUNT_SCOPES)
    wrong = FieldError("notify_emails", f"can have new addresses by a key with {needed} only")
    raise forbidden("A key gives no more than it has.", [wrong])
