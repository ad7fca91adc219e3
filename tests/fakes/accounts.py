"""ConfigTable as accounts and API keys are kept in it."""

from dataclasses import replace

from perkwire.managing.stores import ChangedMeanwhile
from perkwire.model.account import Account, ApiKey, Caller
from perkwire.primitives.ids import AccountId, KeyId
from perkwire.primitives.page import Page
from tests.fakes.config_items import FakeConfigItems
from tests.fakes.failing import Failing
from tests.fakes.pages import page_of


class FakeAccountStore(Failing):
    """For AccountStore: managing.Accounts."""

    def __init__(self, items: FakeConfigItems) -> None:
        super().__init__()
        self._items = items

    def add(self, account: Account) -> None:
        self._called("add")
        self._items.put(replace(account, is_found_by_address=True))

    def find(self, account_id: AccountId) -> Account | None:
        self._called("find")
        return self._items.accounts.get(account_id)

    def replace(self, before: Account, after: Account) -> None:
        self._called("replace")
        with self._items.lock:
            current = self._items.accounts.get(before.id)
            if current is None or current.updated_at != before.updated_at:
                raise ChangedMeanwhile
            self._items.put(replace(after, is_found_by_address=True))

    def end_links(self, account_id: AccountId, now: int) -> bool:
        self._called("end_links")
        account = self._items.accounts.get(account_id)
        if account is not None:
            self._items.put(replace(account, links_ended_at=now))
        return account is not None

    def list_addresses(self, account: Account) -> None:
        self._called("list_addresses")
        with self._items.lock:
            if self._items.accounts.get(account.id) == account:
                self._items.put(replace(account, is_found_by_address=True))

    def accounts_of(self, digest: str, most: int) -> list[AccountId]:
        self._called("accounts_of")
        found = [
            account.id
            for account in self._items.accounts.values()
            if account.is_found_by_address and account.has_address(digest)
        ]
        return sorted(found)[:most]

    def page(self, limit: int, cursor: str | None) -> Page[Account]:
        self._called("page")
        return page_of(self._items.accounts.items(), limit, cursor)


class FakeKeyStore(Failing):
    """For KeyStore: managing.ApiKeys."""

    def __init__(self, items: FakeConfigItems) -> None:
        super().__init__()
        self._items = items

    def add(self, api_key: ApiKey, key_hash: str) -> None:
        self._called("add")
        self._items.keys[api_key.id] = (api_key, key_hash)

    def find(self, account_id: AccountId, key_id: KeyId) -> ApiKey | None:
        self._called("find")
        return dict(self._of_account(account_id)).get(key_id)

    def remove(self, account_id: AccountId, key_id: KeyId) -> bool:
        self._called("remove")
        if key_id not in dict(self._of_account(account_id)):
            return False
        del self._items.keys[key_id]
        return True

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[ApiKey]:
        self._called("page")
        return page_of(self._of_account(account_id), limit, cursor)

    def _of_account(self, account_id: AccountId) -> list[tuple[KeyId, ApiKey]]:
        return [
            (key_id, api_key)
            for key_id, (api_key, _) in self._items.keys.items()
            if api_key.account_id == account_id
        ]


class FakeKeyLookup(Failing):
    """For KeyLookup: what the authorizer knows."""

    def __init__(self, items: FakeConfigItems) -> None:
        super().__init__()
        self._items = items

    def caller(self, key_hash: str) -> Caller | None:
        self._called("caller")
        for api_key, own_hash in self._items.keys.values():
            if own_hash == key_hash:
                return Caller(api_key.account_id, api_key.scopes)
        return None
