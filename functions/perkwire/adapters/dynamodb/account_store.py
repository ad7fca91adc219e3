"""ConfigTable as management keeps accounts and API keys in it, and as the authorizer reads it."""

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from perkwire.adapters.dynamodb.activity_log import (
    COMMANDS,
    ActivityLog,
    conditions,
    unavailable,
)
from perkwire.adapters.dynamodb.config_items import (
    ACCOUNT_SK,
    ACCOUNTS_PK,
    KEY_SK,
    AccountItem,
    AccountListItem,
    AddressItem,
    KeyItem,
    KeyListItem,
    address_pk,
    key_pk,
    keys_pk,
)
from perkwire.adapters.dynamodb.pages import page
from perkwire.adapters.dynamodb.tables import (
    failing_as_unavailable,
    find,
    find_all,
)
from perkwire.managing.stores import ChangedMeanwhile
from perkwire.model.account import Account, ApiKey, address_hash
from perkwire.model.activity import Action as Deed
from perkwire.model.activity import Change, account_change, account_made, key_made
from perkwire.primitives.ids import AccountId, KeyId, is_account_id
from perkwire.primitives.page import Page
from perkwire.primitives.timestamps import MICROSECONDS

_ACCOUNT_PREFIX = "acct_"


class AccountStore:
    """Fulfils managing.Accounts, signing_in.Accounts and mailing_links.Addresses."""

    def __init__(self, connection: Connection, activity: ActivityLog = COMMANDS) -> None:
        self._connection = connection
        self._activity = activity

    def add(self, account: Account) -> None:
        """Store a new account; raises Unavailable."""
        with failing_as_unavailable(), TransactWrite(connection=self._connection) as transaction:
            transaction.save(
                AccountItem(
                    account.id,
                    ACCOUNT_SK,
                    name=account.name,
                    notify_emails=list(account.notify_emails) or None,
                    notice_topic=account.notice_topic,
                    member_secret=account.member_secret,
                    is_found_by_address=True,
                    created_at=account.created_at,
                    updated_at=account.updated_at,
                ),
                condition=AccountItem.pk.does_not_exist(),
            )
            transaction.save(AccountListItem(ACCOUNTS_PK, account.id))
            for item in _address_items(account):
                transaction.save(item)
            self._activity.add(transaction, account_made(account, Deed.ACCOUNT_CREATED))

    def find(self, account_id: AccountId) -> Account | None:
        """An account, read consistently; raises Unavailable."""
        item = find(AccountItem, account_id, ACCOUNT_SK) if is_account_id(account_id) else None
        return item.to_account() if item else None

    def replace(self, before: Account, after: Account) -> None:
        """Store a change; raises ChangedMeanwhile, Unavailable."""
        topic, emails = after.notice_topic, [*after.notify_emails]
        held = self._updated(
            before,
            after,
            [
                AccountItem.name.set(after.name),
                AccountItem.notify_emails.set(emails)
                if emails
                else AccountItem.notify_emails.remove(),
                AccountItem.notice_topic.set(topic) if topic else AccountItem.notice_topic.remove(),
                AccountItem.updated_at.set(after.updated_at),
            ],
            account_change(before, after),
        )
        if not held:
            raise ChangedMeanwhile

    def list_addresses(self, account: Account) -> None:
        """Have it found by its addresses, unless it has changed meanwhile; raises Unavailable."""
        self._updated(account, account, [], None)

    def accounts_of(self, digest: str, most: int) -> list[AccountId]:
        """The first accounts whose notices an address gets, by its hash; raises Unavailable."""
        listed = page(AddressItem, address_pk(digest), most, None, prefix=_ACCOUNT_PREFIX)
        return [AccountId(item.sk) for item in listed.items]

    def _updated(
        self, before: Account, after: Account, actions: list[Action], change: Change | None
    ) -> bool:
        """Change an account and what finds it by its addresses; False if it has changed."""
        old, new = _address_items(before), _address_items(after)
        gone = [item for item in old if item.pk not in {one.pk for one in new}]
        try:
            with TransactWrite(connection=self._connection) as transaction:
                for item in gone:
                    transaction.delete(item)
                for item in new:
                    transaction.save(item)
                transaction.update(
                    AccountItem(before.id, ACCOUNT_SK),
                    actions=[*actions, AccountItem.is_found_by_address.set(True)],
                    condition=AccountItem.updated_at == before.updated_at,
                )
                if change is not None:
                    self._activity.add(transaction, change)
        except TransactWriteError as error:
            if not all(conditions(error, len(gone) + len(new) + 1, is_recorded=change is not None)):
                return False
            raise unavailable(error) from error
        return True

    def end_links(self, account_id: AccountId, now: int) -> bool:
        """Note that older links and sessions are over; False: no such account.

        Raises Unavailable.
        """
        return self._activity.update_if(
            AccountItem(account_id, ACCOUNT_SK),
            [AccountItem.links_ended_at.set(now)],
            AccountItem.pk.exists(),
            Change(owner=account_id, action=Deed.LINKS_ENDED, subject=account_id),
        )

    def page(self, limit: int, cursor: str | None) -> Page[Account]:
        """All accounts, a page at a time; raises Problem for a bad cursor, and Unavailable."""
        listed = page(AccountListItem, ACCOUNTS_PK, limit, cursor)
        found = find_all(AccountItem, {(item.sk, ACCOUNT_SK) for item in listed.items})
        accounts = sorted((item.to_account() for item in found), key=lambda account: account.id)
        return Page(accounts, listed.next_cursor)


def _address_items(account: Account) -> list[AddressItem]:
    digests = sorted({address_hash(address) for address in account.notify_emails})
    return [AddressItem(address_pk(digest), account.id) for digest in digests]


def _seconds(moment: int | None) -> int | None:
    """As DynamoDB's time to live has it."""
    return None if moment is None else moment // MICROSECONDS


class KeyStore:
    """Fulfils managing.ApiKeys."""

    def __init__(self, connection: Connection, activity: ActivityLog = COMMANDS) -> None:
        self._connection = connection
        self._activity = activity

    def add(self, api_key: ApiKey, key_hash: str) -> None:
        """Store a new API key; raises Unavailable."""
        with failing_as_unavailable(), TransactWrite(connection=self._connection) as transaction:
            transaction.save(
                KeyItem(
                    key_pk(key_hash),
                    KEY_SK,
                    key_id=api_key.id,
                    account_id=api_key.account_id,
                    scopes=sorted(api_key.scopes),
                    webhook_id=api_key.webhook_id,
                    expires_at=_seconds(api_key.expires_at),
                )
            )
            transaction.save(
                KeyListItem(
                    keys_pk(api_key.account_id),
                    api_key.id,
                    key_hash=key_hash,
                    account_id=api_key.account_id,
                    name=api_key.name,
                    scopes=sorted(api_key.scopes),
                    webhook_id=api_key.webhook_id,
                    is_for_listening=api_key.is_for_listening or None,
                    created_at=api_key.created_at,
                    expires_at=_seconds(api_key.expires_at),
                )
            )
            self._activity.add(transaction, key_made(api_key, Deed.KEY_CREATED))

    def find(self, account_id: AccountId | None, key_id: KeyId) -> ApiKey | None:
        """One API key of an account, or None: of the operators; raises Unavailable."""
        item = find(KeyListItem, keys_pk(account_id), key_id)
        return item.to_api_key() if item else None

    def remove(self, account_id: AccountId | None, key_id: KeyId) -> bool:
        """Make a key useless; False if there is none such. Raises Unavailable."""
        item = find(KeyListItem, keys_pk(account_id), key_id)
        if item is None:
            return False
        with failing_as_unavailable(), TransactWrite(connection=self._connection) as transaction:
            transaction.delete(KeyItem(key_pk(item.key_hash), KEY_SK))
            transaction.delete(item)
            self._activity.add(transaction, key_made(item.to_api_key(), Deed.KEY_REVOKED))
        return True

    def page(self, account_id: AccountId | None, limit: int, cursor: str | None) -> Page[ApiKey]:
        """The API keys of an account, or the operators'; raises Problem and Unavailable."""
        listed = page(KeyListItem, keys_pk(account_id), limit, cursor)
        return Page([item.to_api_key() for item in listed.items], listed.next_cursor)
