"""Make an operator's API key: `python -m infra.operator_key --table <ConfigTableName>`.

The first key of a stack cannot come from its API. This writes it with the AWS credentials of the
one who runs it, who needs `dynamodb:PutItem` on ConfigTable; only the key's hash is stored.
"""

import argparse
import sys
from collections.abc import Iterator
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
from perkwire.primitives.ids import new_key_id
from perkwire.primitives.timestamps import now


def create_operator_key(table_name: str, name: str, *, endpoint_url: str | None = None) -> str:
    """Store a new operator's key under a name and return it, the only time it is to be seen.

    `endpoint_url` is a local emulator's address. Raises perkwire.primitives.journal.Unavailable.
    """
    key, api_key = _new_key(name)
    KeyStore(_connection(table_name, endpoint_url)).add(api_key, key_hash(key))
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


def main() -> None:
    """Print the new key."""
    parser = argparse.ArgumentParser(description="Make an operator's API key.")
    parser.add_argument("--table", required=True, help="the stack's output ConfigTableName")
    parser.add_argument("--name", default="operator", help="what to call the key")
    arguments = parser.parse_args()
    print(create_operator_key(arguments.table, arguments.name))


if __name__ == "__main__":
    main()
