"""Accounts by a part of their name or id, a bounded number of them at a time."""

from dataclasses import replace

import pytest

from perkwire.primitives.ids import new_account_id
from perkwire.reading import account_search
from perkwire.reading.account_search import find_accounts
from tests.builders import an_account
from tests.fakes import FakeAccountStore, FakeConfigItems


@pytest.fixture
def store() -> FakeAccountStore:
    """Seven accounts, of which the last by its id is called Zwickau."""
    items = FakeConfigItems()
    ids = sorted(new_account_id() for _ in range(7))
    for number, account_id in enumerate(ids):
        name = "Straße, Zwickau" if number == 6 else f"Shop {number}"
        items.put(replace(an_account(), id=account_id, name=name))
    return FakeAccountStore(items)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_search, "_PAGE", 2)


def test_one_is_found_on_whatever_page_it_is_and_whatever_its_case(store: FakeAccountStore) -> None:
    found = find_accounts(store, "STRASSE, zw")

    assert [one.name for one in found.accounts] == ["Straße, Zwickau"]
    assert (found.looked_at, found.next_cursor) == (7, None)
    by_id = find_accounts(store, found.accounts[0].id)
    assert (by_id.accounts, by_id.looked_at) == (found.accounts, 1)
    assert (by_id.is_by_id, found.is_by_id) == (True, False)
    assert find_accounts(store, found.accounts[0].id[5:]).accounts == found.accounts
    assert find_accounts(store, new_account_id()).accounts == []


def test_it_looks_at_so_many_and_goes_on_from_there(
    store: FakeAccountStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_search, "MOST_LOOKED_AT", 4)

    first = find_accounts(store, "zwickau")
    second = find_accounts(store, "zwickau", first.next_cursor)

    assert (first.accounts, first.looked_at) == ([], 4)
    assert (len(second.accounts), second.looked_at, second.next_cursor) == (1, 3, None)


def test_it_ends_once_enough_are_found_or_the_time_is_up(
    store: FakeAccountStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_search, "MOST_FOUND", 3)

    assert len(find_accounts(store, "shop").accounts) == 4  # two pages
    assert find_accounts(store, "shop", most_seconds=-1).looked_at == 2
