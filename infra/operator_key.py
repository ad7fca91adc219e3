"""Operators' API keys: `python -m infra.operator_key --table <ConfigTableName>` makes one.

`--list` shows them, `--revoke <id>` ends one, `--rotate <id>` makes another of its name and ends
it. The first key of a stack cannot come from its API, and an operator's key is to end no other's:
so this works with the AWS credentials of the one who runs it, who needs `dynamodb:PutItem`,
`GetItem`, `Query` and `DeleteItem` on ConfigTable. Of a key only the hash is stored.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))

from pynamodb.connection import Connection
from pynamodb.transactions import TransactWrite

from perkwire.adapters.dynamodb import tables
from perkwire.adapters.dynamodb.account_store import KeyStore
from perkwire.adapters.dynamodb.config_items import (
    CONFIG_ITEMS,
    KEY_SK,
    KeyItem,
    KeyListItem,
    key_pk,
    keys_pk,
)
from perkwire.model.account import ApiKey, Scope, key_hash, new_api_key
from perkwire.primitives.ids import KeyId, new_key_id
from perkwire.primitives.timestamps import now, to_rfc3339

_PAGE = 100


def create_operator_key(table_name: str, name: str, *, endpoint_url: str | None = None) -> str:
    """Store a new operator's key under a name and return it, the only time it is to be seen.

    `endpoint_url` is a local emulator's address. Raises perkwire.primitives.journal.Unavailable.
    """
    key, api_key = _new_key(name)
    KeyStore(_connection(table_name, endpoint_url)).add(api_key, key_hash(key))
    return key


def operator_keys(table_name: str, *, endpoint_url: str | None = None) -> list[ApiKey]:
    """The operators' keys, without the keys themselves; raises Unavailable."""
    store = KeyStore(_connection(table_name, endpoint_url))
    found: list[ApiKey] = []
    cursor = None
    while True:
        page = store.page(None, _PAGE, cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def revoke_operator_key(table_name: str, key_id: KeyId, *, endpoint_url: str | None = None) -> bool:
    """End an operator's key, and with it the sessions that it has signed in; False: there is none.

    Raises Unavailable. API Gateway may let calls with it pass for a minute more.
    """
    return KeyStore(_connection(table_name, endpoint_url)).remove(None, key_id)


def rotate_operator_key(
    table_name: str, key_id: KeyId, *, endpoint_url: str | None = None
) -> str | None:
    """A new operator's key in place of this one, which ends; None: there is none such.

    Raises Unavailable; then both may be there, and `--list` tells.
    """
    old = KeyStore(_connection(table_name, endpoint_url)).find(None, key_id)
    if old is None:
        return None
    key = create_operator_key(table_name, old.name, endpoint_url=endpoint_url)
    revoke_operator_key(table_name, key_id, endpoint_url=endpoint_url)
    return key


@contextmanager
def temporary_operator_key(
    table_name: str, name: str, *, endpoint_url: str | None = None
) -> Iterator[str]:
    """Store an operator's key as `create_operator_key` does, and take it back after the block."""
    key, api_key = _new_key(name)
    connection = _connection(table_name, endpoint_url)
    KeyStore(connection).add(api_key, key_hash(key))
    try:
        yield key
    finally:
        with TransactWrite(connection=connection) as transaction:
            transaction.delete(KeyItem(key_pk(key_hash(key)), KEY_SK))
            transaction.delete(KeyListItem(keys_pk(None), api_key.id))


def _connection(table_name: str, endpoint_url: str | None) -> Connection:
    connection = Connection()
    if endpoint_url:
        connection = Connection(
            "us-east-1",
            endpoint_url,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - an emulator checks none
        )
    tables.bind(connection, table_name, *CONFIG_ITEMS)
    return connection


def _new_key(name: str) -> tuple[str, ApiKey]:
    api_key = ApiKey(
        id=new_key_id(),
        account_id=None,
        name=name,
        scopes=frozenset({Scope.OPERATOR}),
        created_at=now(),
    )
    return new_api_key(), api_key


def main(arguments: Sequence[str] | None = None, *, endpoint_url: str | None = None) -> int:
    """Do as the command line says; the status to end with."""
    parser = argparse.ArgumentParser(description="Operators' API keys.")
    parser.add_argument("--table", required=True, help="the stack's output ConfigTableName")
    parser.add_argument("--name", default="operator", help="what to call a new key")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="show the keys that there are")
    what.add_argument("--revoke", metavar="ID", help="end a key")
    what.add_argument("--rotate", metavar="ID", help="make another key of its name, and end it")
    given = parser.parse_args(arguments)
    if given.list:
        for one in operator_keys(given.table, endpoint_url=endpoint_url):
            print(f"{one.id}  {to_rfc3339(one.created_at)}  {one.name}")
        return 0
    if given.revoke:
        if revoke_operator_key(given.table, given.revoke, endpoint_url=endpoint_url):
            return 0
        print(f"There is no operator's key {given.revoke}.", file=sys.stderr)
        return 1
    if given.rotate:
        key = rotate_operator_key(given.table, given.rotate, endpoint_url=endpoint_url)
        if key is None:
            print(f"There is no operator's key {given.rotate}.", file=sys.stderr)
            return 1
        print(key)
        return 0
    print(create_operator_key(given.table, given.name, endpoint_url=endpoint_url))
    return 0


if __name__ == "__main__":
    sys.exit(main())
