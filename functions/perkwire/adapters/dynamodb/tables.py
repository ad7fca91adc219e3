"""DynamoDB through pynamodb: one client for all tables of a function, and bounded batch reads."""

import random
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist, GetError, PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from perkwire import VERSION
from perkwire.adapters.initialising import rehearse
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.journal import Unavailable

_RETRIES = 3
_COLLISIONS = 4  # with transactions, before a write is given up
_PAGE = 100  # BatchGetItem takes at most 100 keys
_PUTS = 25  # BatchWriteItem takes at most 25 items
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call is waited for, and how often it is repeated."""

    connect_seconds: float
    read_seconds: float
    retries: int

    @property
    def most_seconds(self) -> float:
        """What a call takes that never gets an answer: botocore waits up to 1, 2, 4 … s between."""
        tries = (1 + self.retries) * (self.connect_seconds + self.read_seconds)
        return tries + sum(2.0**retry for retry in range(self.retries))


PATIENCE = Patience(0.5, 1.0, 2)
"""Little: a function must be able to say that DynamoDB is away within its own time-out."""


# botocore composes its own name anew for each request, at a seventh of a call's CPU, and compares
# what we ask with its model of the service, at as much of one that sends to SQS.
_EVERY_CLIENT = Config(user_agent=f"Perkwire/{VERSION}", parameter_validation=False)

_KEY = {"pk": {"S": "pk"}, "sk": {"S": "sk"}}
# An operation's first call takes some milliseconds more than its second.
_REHEARSED: Mapping[str, Mapping[str, Any]] = {
    "batch_get_item": {"RequestItems": {"table": {"Keys": [_KEY]}}},
    "batch_write_item": {"RequestItems": {"table": [{"PutRequest": {"Item": _KEY}}]}},
    "batch_execute_statement": {"Statements": [{"Statement": "-", "Parameters": [{"S": "pk"}]}]},
    "put_item": {"TableName": "table", "Item": _KEY},
    "query": {
        "TableName": "table",
        "KeyConditionExpression": "#0 = :0",
        "ExpressionAttributeNames": {"#0": "pk"},
        "ExpressionAttributeValues": {":0": {"S": "pk"}},
    },
}


class NoAnswer(Unavailable):
    """DynamoDB cannot be reached: what else is asked of it now would fail as slowly."""


class TransactionalConnection(Connection):
    """A connection that repeats, a few times, what collides with a transaction on the same item.

    DynamoDB lets neither a single write wait for a transaction nor one transaction for another: it
    refuses what comes second, and nothing of it has been done.
    """

    def _make_api_call(self, operation_name: str, operation_kwargs: dict[str, Any]) -> Any:  # noqa: ANN401 - as pynamodb's
        for retry in range(1, _COLLISIONS):
            try:
                return super()._make_api_call(operation_name, operation_kwargs)
            except ClientError as error:
                if not _has_collided(error):
                    raise
            _pause(retry)
        return super()._make_api_call(operation_name, operation_kwargs)


def _has_collided(error: ClientError) -> bool:
    """Whether a transaction in progress is all that was wrong."""
    if error.response["Error"]["Code"] == "TransactionConflictException":
        return True
    # pynamodb's own error lists the reasons once only.
    answered = error.__cause__.response if isinstance(error.__cause__, ClientError) else {}
    codes = {reason["Code"] for reason in answered.get("CancellationReasons", ())}
    return "TransactionConflict" in codes and codes <= {"TransactionConflict", "None"}


class TableItem(Model):
    """What the items of every table have. Each table's own model has a `Meta`, for `bind`."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


def whole(number: float | None) -> int | None:
    """A whole number that may be absent; pynamodb has each as a float."""
    return None if number is None else int(number)


def text_list(*, null: bool = False) -> "ListAttribute[str]":
    """A list of strings, typed as what it holds rather than as its attribute."""
    return cast("ListAttribute[str]", ListAttribute(of=UnicodeAttribute, null=null))


def number_list(*, null: bool = False) -> "ListAttribute[float]":
    """A list of numbers, typed as what it holds rather than as its attribute."""
    return cast("ListAttribute[float]", ListAttribute(of=NumberAttribute, null=null))


def connect(*operations: str) -> Connection:
    """A connection for `bind`, with its client, which has rehearsed these operations."""
    connection = TransactionalConnection(
        connect_timeout_seconds=PATIENCE.connect_seconds,
        read_timeout_seconds=PATIENCE.read_seconds,
        max_retry_attempts=PATIENCE.retries,
    )
    connection.session.set_default_client_config(_EVERY_CLIENT)
    # pynamodb keeps a session for each thread, and makes the client in whichever calls first.
    client = connection.client
    for operation in ("batch_get_item", *operations):
        rehearse(client, operation, **_REHEARSED[operation])
    return connection


def bind(connection: Connection, table_name: str, *models: type[Model]) -> None:
    """Point models at a table, all through one connection.

    pynamodb gives each model a client of its own, and a client costs as much CPU to make as the
    package to import; so the models' own connections, which have made none yet, are replaced.
    """
    models[0].Meta.table_name = table_name
    # The models of a table share its keys, so the first one's description serves all.
    connection.add_meta_table(models[0]._get_connection().get_meta_table())
    bind_beside(connection, table_name, *models)


def bind_beside(connection: Connection, table_name: str, *models: type[Model]) -> None:
    """Point more models at a table that others are bound to."""
    for model in models:
        model.Meta.table_name = table_name
        model._get_connection().connection = connection


@contextmanager
def failing_as_unavailable() -> Iterator[None]:
    """Turn DynamoDB's failures into Unavailable, with the error's code and nothing else of it."""
    try:
        yield
    except PynamoDBException as error:
        kind = Unavailable if isinstance(error.cause, ClientError) else NoAnswer
        raise kind(f"DynamoDB: {failure(error)}") from error
    except KeyError as error:  # an answer without what every answer has
        raise Unavailable("DynamoDB: not an answer of its own") from error


def failure(error: PynamoDBException) -> str:
    """The error code that DynamoDB answered, or the class of what went wrong before that."""
    return _code(error) or type(error.cause or error).__name__


def is_condition_failure(error: PynamoDBException) -> bool:
    """Whether a write failed because its condition did not hold."""
    return _code(error) == "ConditionalCheckFailedException"


def _code(error: PynamoDBException) -> str | None:
    """pynamodb's own property raises for a time-out or a closed connection: they have no answer."""
    cause = error.cause
    return str(cause.response["Error"]["Code"]) if isinstance(cause, ClientError) else None


def update_if(item: Model, actions: list[Action], condition: Condition) -> bool:
    """Update an item if the condition holds; False if not. Raises pynamodb's other exceptions."""
    try:
        item.update(actions=actions, condition=condition)
    except PynamoDBException as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def find[M: Model](model: type[M], pk: str, sk: str) -> M | None:
    """One item, read consistently; raises Unavailable."""
    with failing_as_unavailable():
        try:
            return model.get(pk, sk, consistent_read=True)
        except DoesNotExist:
            return None


def find_all[M: Model](model: type[M], keys: Collection[tuple[str, str]]) -> list[M]:
    """Those of the items that exist, read consistently; raises Unavailable.

    What DynamoDB leaves unprocessed is asked for again, a bounded number of times in vain.
    """
    found: list[M] = find_together({model: keys})[model]
    return found


def find_together(
    wanted: Mapping[type[Model], Collection[tuple[str, str]]],
) -> dict[type[Model], list[Any]]:
    """Those of the items of several tables that exist, as `find_all` of one; raises Unavailable.

    The models are of one connection, and of different tables.
    """
    found: dict[type[Model], list[Any]] = {model: [] for model in wanted}
    ordered = [(model, key) for model, keys in wanted.items() for key in sorted(keys)]
    for start in range(0, len(ordered), _PAGE):
        _find_page(ordered[start : start + _PAGE], found)
    return found


def _find_page(
    keys: Sequence[tuple[type[Model], tuple[str, str]]], found: dict[type[Model], list[Any]]
) -> None:
    models = {model._get_connection().table_name: model for model, _ in keys}
    connection = keys[0][0]._get_connection().connection
    left: dict[str, list[Any]] = {table: [] for table in models}
    for model, (pk, sk) in keys:
        left[model._get_connection().table_name].append({"pk": {"S": pk}, "sk": {"S": sk}})
    fruitless = 0
    while left:
        asked = sum(map(len, left.values()))
        with failing_as_unavailable():
            answer = _batch_get(connection, left)
            unprocessed = answer.get("UnprocessedKeys", {})
            responses = answer["Responses"]
            items = {
                table: responses.get(table, []) if table in unprocessed else responses[table]
                for table in left
            }
        for table, raw_items in items.items():
            found[models[table]] += [models[table].from_raw_data(raw) for raw in raw_items]
        left = {table: keys_left["Keys"] for table, keys_left in unprocessed.items()}
        # An answer has at most 16 MB, so a long page comes in parts; none at all means throttling.
        fruitless = fruitless + 1 if sum(map(len, left.values())) == asked else 0
        if fruitless > _RETRIES:
            raise Unavailable("DynamoDB: keys left unprocessed")
        if fruitless:
            _pause(fruitless)


def _batch_get(connection: Connection, keys: Mapping[str, list[Any]]) -> dict[str, Any]:
    """BatchGetItem as pynamodb makes it, which asks of one table only."""
    asked = {table: {"ConsistentRead": True, "Keys": some} for table, some in keys.items()}
    try:
        return connection.dispatch("BatchGetItem", {"RequestItems": asked})
    except (BotoCoreError, ClientError) as error:
        raise GetError(f"Failed to batch get items: {error}", error) from error


def put_all(model: type[Model], items: Sequence[Model]) -> set[tuple[str, str]]:
    """Put items of different keys in batches; the keys of those that were left. Raises Unavailable.

    What DynamoDB leaves unprocessed is put again, each time after a longer pause, a bounded number
    of times: it leaves what a throttled partition would not take. It refuses a batch whole for one
    item that it will not have, of 400 kB and more for instance: then each is put by itself, and
    what is refused is left.
    """
    return put_raw(model, [item.serialize() for item in items])


def put_raw(model: type[Model], items: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """`put_all` of items as DynamoDB is sent them."""
    left: set[tuple[str, str]] = set()
    for start in range(0, len(items), _PUTS):
        left |= _put_page(model, items[start : start + _PUTS])
    return left


def delete_all(model: type[Model], keys: Collection[tuple[str, str]]) -> bool:
    """Delete items in batches, as `put_all` puts; whether any were left. Raises Unavailable."""
    table = model._get_connection()
    distinct = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in dict.fromkeys(keys)]
    for start in range(0, len(distinct), _PUTS):
        left = distinct[start : start + _PUTS]
        for retry in range(_RETRIES + 1):
            if retry:
                _pause(retry)
            with failing_as_unavailable():
                answer = table.batch_write_item(delete_items=left)
            unprocessed = answer.get("UnprocessedItems", {}).get(table.table_name, [])
            left = [one["DeleteRequest"]["Key"] for one in unprocessed]
            if not left:
                break
        else:
            return True
    return False


def _put_page(model: type[Model], items: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    table = model._get_connection()
    left = list(items)
    for retry in range(_RETRIES + 1):
        if retry:
            _pause(retry)
        with failing_as_unavailable():
            try:
                answer = table.batch_write_item(put_items=left)
            except PynamoDBException as error:
                if _code(error) != "ValidationException":
                    raise
                if len(left) == 1:
                    break
                return {key for item in left for key in _put_page(model, [item])}
        unprocessed = answer.get("UnprocessedItems", {}).get(table.table_name, [])
        left = [one["PutRequest"]["Item"] for one in unprocessed]
        if not left:
            break
    return {(item["pk"]["S"], item["sk"]["S"]) for item in left}


def _pause(retry: int) -> None:
    time.sleep(_PAUSE_SECONDS * 2**retry * (0.5 + random.random()))  # noqa: S311
