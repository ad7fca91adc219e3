"""How an account's admins come in without an operator: keys that sign in, and mailed links.

The last of these is not taken away by accident: who means it says so.
"""

from collections.abc import Collection
from typing import Protocol

from perkwire.model.account import Account, ApiKey, Scope, same_address
from perkwire.primitives.ids import AccountId, KeyId
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, Problem

_PAGE = 100


class LastWayIn(Problem):
    """409: nobody could come in without an operator any more, and nobody said that it may be."""

    def __init__(self, what: str) -> None:
        super().__init__(
            409,
            "last-way-in",
            "Nobody could come in without an operator any more.",
            detail=f"{what}. Nothing was changed.",
            errors=[FieldError("even_if_last", "must be true for this")],
        )


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


class WaysIn:
    """Who could still come in after a change."""

    def __init__(self, api_keys: ApiKeys, topics: NoticeTopics, *, mails_links: bool) -> None:
        self._api_keys = api_keys
        self._topics = topics
        self._mails_links = mails_links

    def check_key(self, account: Account, removed: KeyId) -> None:
        """Raise the 409 problem if without this key nobody could come in; and Unavailable."""
        going = self._api_keys.find(account.id, removed)
        if going is None or Scope.WEBHOOKS not in going.scopes:
            return
        if not self._has_key(account, without=removed) and not self._confirmed(account):
            raise LastWayIn("It is the last API key that signs in to the console")

    def check_addresses(self, account: Account, wanted: Collection[str]) -> None:
        """Raise the 409 problem if with these addresses alone nobody could; and Unavailable."""
        before = self._confirmed(account)
        if not before or before & {same_address(one) for one in wanted}:
            return
        if not self._has_key(account):
            raise LastWayIn(
                "It is the last confirmed address, and there is no API key that signs in"
            )

    def _confirmed(self, account: Account) -> set[str]:
        """The addresses that links are mailed to."""
        if not self._mails_links or account.notice_topic is None:
            return set()
        own = {same_address(one) for one in account.notify_emails}
        return own & self._topics.confirmed(account.notice_topic)

    def _has_key(self, account: Account, without: KeyId | None = None) -> bool:
        cursor: str | None = None
        while True:
            page = self._api_keys.page(account.id, _PAGE, cursor)
            if any(Scope.WEBHOOKS in one.scopes and one.id != without for one in page.items):
                return True
            cursor = page.next_cursor
            if cursor is None:
                return False
