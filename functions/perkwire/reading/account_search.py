"""Accounts by a part of their name or id, whatever page of the list they are on."""

import time
from typing import Protocol

from perkwire.model.account import Account
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, is_account_id
from perkwire.primitives.page import Page

MOST_LOOKED_AT = 2_000
MOST_FOUND = 50
MOST_SECONDS = 5.0
_PAGE = 100


class Accounts(Protocol):
    """The accounts that there are."""

    def find(self, account_id: AccountId) -> Account | None:
        """An account; raises Unavailable."""
        ...

    def page(self, limit: int, cursor: str | None) -> Page[Account]:
        """All accounts, a page at a time; raises Problem for a bad cursor, and Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class FoundAccounts:
    """Those of `looked_at` accounts that match; with a cursor there are others to be looked at."""

    accounts: list[Account]
    looked_at: int
    next_cursor: str | None
    is_by_id: bool = False


def find_accounts(
    accounts: Accounts, text: str, cursor: str | None = None, *, most_seconds: float = MOST_SECONDS
) -> FoundAccounts:
    """Those whose name or id has the text in it, whatever its case.

    An id is looked up. Else the list is read on from the cursor, MOST_LOOKED_AT accounts long,
    until MOST_FOUND have been found or the time is up. Raises Problem and Unavailable.
    """
    if is_account_id(text):
        found = accounts.find(AccountId(text))
        return FoundAccounts([] if found is None else [found], 1, None, is_by_id=True)
    wanted, deadline = text.casefold(), time.monotonic() + most_seconds
    matching: list[Account] = []
    looked_at = 0
    while looked_at < MOST_LOOKED_AT and len(matching) < MOST_FOUND:
        page = accounts.page(_PAGE, cursor)
        matching += [one for one in page.items if wanted in one.name.casefold() or wanted in one.id]
        looked_at, cursor = looked_at + len(page.items), page.next_cursor
        if cursor is None or time.monotonic() > deadline:
            break
    return FoundAccounts(matching, looked_at, cursor)
