"""Putting a few items at once, each only where none is: DynamoDB's INSERT, several in one call.

BatchWriteItem knows no conditions, and a transaction costs each item twice. This costs what as many
puts under a condition would, in one call.
"""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PutError
from pynamodb.models import Model

from perkwire.adapters.dynamodb.tables import failing_as_unavailable

IS_THERE = "DuplicateItem"
"""What DynamoDB says of an item whose key is taken."""

_STATEMENTS = 25  # BatchExecuteStatement takes at most 25


def insert_each(items: Sequence[Model]) -> list[str | None]:
    """What has been wrong with each, in their order; None: it is stored.

    The items are of one connection. One that is refused harms no other. Raises Unavailable, if it
    is not known what has been stored.
    """
    wrong: list[str | None] = []
    for start in range(0, len(items), _STATEMENTS):
        wrong += _insert_page(items[start : start + _STATEMENTS])
    return wrong


def _insert_page(items: Sequence[Model]) -> list[str | None]:
    connection = items[0]._get_connection().connection
    statements = [_statement(item) for item in items]
    with failing_as_unavailable():
        try:
            answer = connection.dispatch("BatchExecuteStatement", {"Statements": statements})
        except ClientError as error:  # the call as a whole: nothing of it has been done
            return [str(error.response["Error"]["Code"])] * len(items)
        except BotoCoreError as error:
            raise PutError(f"Failed to insert items: {error}", error) from error
        said = answer["Responses"]
        return [one["Error"]["Code"] if "Error" in one else None for one in said]


def _statement(item: Model) -> dict[str, Any]:
    content = item.serialize()
    members = ", ".join(f"'{name}': ?" for name in content)
    table = item._get_connection().table_name
    return {
        "Statement": f'INSERT INTO "{table}" VALUE {{{members}}}',
        "Parameters": list(content.values()),
    }
