"""managing.Accounts, managing.ApiKeys, and what the authorizer looks up."""

import secrets
from dataclasses import replace

import pytest

from perkwire.managing.stores import ChangedMeanwhile
from perkwire.model.account import Account, ApiKey, Caller, Scope, address_hash
from perkwire.primitives.ids import AccountId, KeyId, new_account_id, new_key_id, new_webhook_id
from perkwire.primitives.problem import Problem
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS
from tests.builders import NOW, an_account
from tests.integration.contracts.conftest import Adapters


def a_key(account_id: AccountId | None, *scopes: Scope) -> tuple[ApiKey, str]:
    api_key = ApiKey(
        id=new_key_id(),
        account_id=account_id,
        name="till",
        scopes=frozenset(scopes or (Scope.EVENTS, Scope.WEBHOOKS)),
        created_at=NOW,
    )
    return api_key, secrets.token_hex(32)


@pytest.mark.parametrize("is_for_listening", [False, True])
def test_a_key_is_found_as_it_was_added(adapters: Adapters, is_for_listening: bool) -> None:
    account = an_account(id=new_account_id())
    adapters.accounts.add(account)
    made, key_hash = a_key(account.id, Scope.PULL)
    key = replace(
        made,
        webhook_id=new_webhook_id(),
        expires_at=NOW + HOUR_SECONDS * MICROSECONDS,
        is_for_listening=is_for_listening,
    )

    adapters.keys.add(key, key_hash)

    assert adapters.keys.find(account.id, key.id) == key
    assert adapters.keys.page(account.id, 10, None).items == [key]


def test_an_account_is_found_as_it_was_added(adapters: Adapters) -> None:
    account = an_account(id=new_account_id(), name="Kölner Straße", member_secret="of its own")
    adapters.accounts.add(account)

    assert adapters.accounts.find(account.id) == account
    assert adapters.accounts.find(new_account_id()) is None


def test_a_change_is_stored_once(adapters: Adapters) -> None:
    account = an_account(id=new_account_id())
    adapters.accounts.add(account)
    renamed = replace(account, name="Kölner Straße", updated_at=NOW + 5)

    adapters.accounts.replace(account, renamed)

    assert adapters.accounts.find(account.id) == renamed
    with pytest.raises(ChangedMeanwhile):
        adapters.accounts.replace(account, replace(account, name="Other", updated_at=NOW + 6))
    assert adapters.accounts.find(account.id) == renamed


def test_addresses_and_their_topic_come_and_go(adapters: Adapters) -> None:
    emails, topic = ("a@x.example", "b@x.example"), "arn:aws:sns:us-east-1:0:topic"
    account = an_account(id=new_account_id(), notify_emails=emails, notice_topic=topic)
    adapters.accounts.add(account)
    assert adapters.accounts.find(account.id) == account

    without = replace(account, notify_emails=(), notice_topic=None, updated_at=NOW + 5)
    adapters.accounts.replace(account, without)
    assert adapters.accounts.find(account.id) == without

    again = replace(account, updated_at=NOW + 6)
    adapters.accounts.replace(without, again)
    assert adapters.accounts.find(account.id) == again


def test_accounts_are_found_by_their_addresses_as_long_as_they_have_them(
    adapters: Adapters,
) -> None:
    first, second = (f"{new_account_id()}@x.example" for _ in range(2))
    account = an_account(id=new_account_id(), notify_emails=(first, second))
    other = an_account(id=new_account_id(), notify_emails=(second.upper(),))
    for one in (account, other):
        adapters.accounts.add(one)

    def found(address: str) -> list[AccountId]:
        return adapters.accounts.accounts_of(address_hash(address), 5)

    assert found(first) == [account.id]
    assert found(second) == sorted([account.id, other.id])
    assert adapters.accounts.accounts_of(address_hash(second), 1) == [min(account.id, other.id)]
    without = replace(account, notify_emails=(second,), updated_at=NOW + 5)
    adapters.accounts.replace(account, without)
    assert found(first) == []
    with pytest.raises(ChangedMeanwhile):
        adapters.accounts.replace(account, replace(account, updated_at=NOW + 6))
    assert found(first) == []


def test_an_account_that_is_not_there_is_not_changed_into_being(adapters: Adapters) -> None:
    absent = an_account(id=new_account_id())

    with pytest.raises(ChangedMeanwhile):
        adapters.accounts.replace(absent, replace(absent, updated_at=NOW + 5))
    assert adapters.accounts.find(absent.id) is None


def test_pages_hold_every_account_once(adapters: Adapters) -> None:
    accounts = [an_account(id=new_account_id()) for _ in range(5)]
    for account in accounts:
        adapters.accounts.add(account)

    listed: list[Account] = []
    cursor = None
    while True:
        page = adapters.accounts.page(2, cursor)
        assert len(page.items) <= 2
        listed += page.items
        if (cursor := page.next_cursor) is None:
            break

    own = [account for account in listed if account in accounts]
    assert own == sorted(accounts, key=lambda account: account.id)


def test_a_key_is_known_by_its_hash_alone(adapters: Adapters, account_id: AccountId) -> None:
    api_key, key_hash = a_key(account_id)
    adapters.keys.add(api_key, key_hash)

    assert adapters.key_lookup.caller(key_hash) == Caller(account_id, api_key.scopes)
    assert adapters.key_lookup.caller("0" * 64) is None
    assert adapters.keys.find(account_id, api_key.id) == api_key
    assert adapters.keys.find(new_account_id(), api_key.id) is None


def test_an_operators_key_is_of_no_account(adapters: Adapters) -> None:
    api_key, key_hash = a_key(None, Scope.OPERATOR)
    adapters.keys.add(api_key, key_hash)

    caller = adapters.key_lookup.caller(key_hash)

    assert caller == Caller(None, frozenset({Scope.OPERATOR}))


def test_a_removed_key_is_useless_at_once(adapters: Adapters, account_id: AccountId) -> None:
    kept, removed = a_key(account_id), a_key(account_id)
    for api_key, key_hash in (kept, removed):
        adapters.keys.add(api_key, key_hash)

    assert not adapters.keys.remove(new_account_id(), removed[0].id)
    assert adapters.key_lookup.caller(removed[1]) is not None
    assert adapters.keys.remove(account_id, removed[0].id)

    assert adapters.key_lookup.caller(removed[1]) is None
    assert adapters.key_lookup.caller(kept[1]) is not None
    assert adapters.keys.page(account_id, 10, None).items == [kept[0]]
    assert not adapters.keys.remove(account_id, removed[0].id)
    assert not adapters.keys.remove(account_id, KeyId("key_0"))


def test_keys_are_listed_page_by_page(adapters: Adapters, account_id: AccountId) -> None:
    keys = sorted((a_key(account_id) for _ in range(3)), key=lambda one: one[0].id)
    for api_key, key_hash in [*keys, a_key(new_account_id())]:
        adapters.keys.add(api_key, key_hash)

    first = adapters.keys.page(account_id, 2, None)
    second = adapters.keys.page(account_id, 2, first.next_cursor)

    assert [*first.items, *second.items] == [api_key for api_key, _ in keys]
    assert second.next_cursor is None
    with pytest.raises(Problem):
        adapters.keys.page(account_id, 2, "a b")
