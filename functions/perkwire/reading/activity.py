"""Who changed what: of an account, for its admins and operators, or of what is the operators'."""

from collections.abc import Mapping
from typing import Protocol

from perkwire.model.account import Account, ApiKey, Caller, Scope
from perkwire.model.activity import Activity
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, invalid, not_found

LONGEST_SUBJECT = 128
_MOST_KEYS = 100


class ActivityStore(Protocol):
    """Where the records are."""

    def page(self, owner: AccountId | None, limit: int, cursor: str | None) -> Page[Activity]:
        """Newest first; raises Problem for a bad cursor, and Unavailable."""
        ...


class Keys(Protocol):
    """The API keys that there are."""

    def page(self, account_id: AccountId | None, limit: int, cursor: str | None) -> Page[ApiKey]:
        """Those of an account, or the operators'; raises Problem and Unavailable."""
        ...


class Accounts(Protocol):
    """The accounts that there are."""

    def find(self, account_id: AccountId) -> Account | None:
        """An account; raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """Which records are wanted; what a page holds beside them makes it short."""

    subject: str | None = None

    def takes(self, one: Activity) -> bool:
        """Whether it is wanted."""
        return self.subject in (None, one.subject)


def parse_activity_filter(query: Mapping[str, str]) -> ActivityFilter:
    """The filter that a URL asks for; raises the 422 problem."""
    subject = query.get("subject")
    if subject is not None and not 1 <= len(subject) <= LONGEST_SUBJECT:
        raise invalid([FieldError("subject", f"must have 1 to {LONGEST_SUBJECT} characters")])
    return ActivityFilter(subject)


class ActivityListing:
    """The records of changes."""

    def __init__(self, store: ActivityStore, keys: Keys, accounts: Accounts) -> None:
        self._store = store
        self._keys = keys
        self._accounts = accounts

    def owner(self, caller: Caller, named: str | None) -> AccountId | None:
        """Whose records a request is about; an operator who names no account means their own.

        Raises Problem and Unavailable.
        """
        caller.require(Scope.WEBHOOKS)
        if caller.is_operator and named is None:
            return None
        account_id = caller.acting_for(named, "Perkwire-Account")
        if caller.is_operator and self._accounts.find(account_id) is None:
            raise not_found("account")
        return account_id

    def list(
        self, owner: AccountId | None, wanted: ActivityFilter, limit: int, cursor: str | None
    ) -> Page[Activity]:
        """Newest first, in one query; raises Problem and Unavailable."""
        page = self._store.page(owner, limit, cursor)
        return Page([one for one in page.items if wanted.takes(one)], page.next_cursor)

    def key_names(self, owner: AccountId | None) -> dict[str, str]:
        """What its API keys are called, of the first hundred, by their ids; raises Unavailable."""
        return {key.id: key.name for key in self._keys.page(owner, _MOST_KEYS, None).items}
