"""A write that collides with a transaction on its item is repeated, whichever write it is."""

import json

import pytest

from perkwire.adapters.dynamodb import tables
from perkwire.model.delivery import Change
from perkwire.primitives.journal import Unavailable
from tests.builders import an_attempt
from tests.fakes import FakeTelemetry
from tests.hostile_endpoints import Connection, Endpoint, answer
from tests.integration.contracts.test_services_away import (
    ENTRY,
    TABLE_CALLS,
    _models_of_its_own,
    connection_to,
    log,
)

__all__ = ["_models_of_its_own"]

PATIENT = tables.Patience(5, 5, 0)
JSON = b"Content-Type: application/x-amz-json-1.0\r\n"
TAKEN = b'{"Attributes": {"untold": {"N": "1"}}}'
SINGLE = [
    *("claims.take one", "health.add_failures", "health.end_streak", "health.pause"),
    *("health.add_slow", "health.end_streak fast", "health.move"),
    *("counts.count_failed", "counts.take_untold", "counts.give_back", "accounts.replace"),
    *("links.add", "sessions.add", "sessions.act_for", "sessions.remove", "trials.take"),
]
TRANSACTIONS = [
    "log.add",
    "jobs.add",
    "claims.take two",
    "accounts.add",
    "keys.add",
    "webhooks.add",
]
TRANSACTIONS += ["webhooks.replace", "webhooks.bury"]


class Table:
    """Collides so many times, then takes the write."""

    def __init__(self, collisions: int) -> None:
        self.left = collisions
        self.writes: list[str] = []

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            head, _, body = request.partition(b"\r\n\r\n")
            operation = head.partition(b"DynamoDB_20120810.")[2].partition(b"\r\n")[0].decode()
            asked = json.loads(body)
            if operation in ("GetItem", "Query", "BatchGetItem"):
                connection.send(answer(b"{}", extra=JSON))
                continue
            self.writes.append(operation)
            self.left -= 1
            if self.left < 0:
                connection.send(answer(TAKEN, extra=JSON))
            elif operation == "TransactWriteItems":
                others = [{"Code": "None"} for _ in asked["TransactItems"][1:]]
                refusal = {
                    "__type": "com.amazonaws#TransactionCanceledException",
                    "CancellationReasons": [*others, {"Code": "TransactionConflict"}],
                }
                connection.send(answer(json.dumps(refusal).encode(), b"400 Bad Request", JSON))
            else:
                refusal = {"__type": "com.amazonaws#TransactionConflictException"}
                connection.send(answer(json.dumps(refusal).encode(), b"400 Bad Request", JSON))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_pause", lambda _: None)


@pytest.mark.parametrize("name", [*SINGLE, *TRANSACTIONS])
def test_it_is_repeated_until_it_is_taken(name: str) -> None:
    table = Table(2)
    with Endpoint(table) as endpoint:
        TABLE_CALLS[name](connection_to(endpoint, PATIENT), FakeTelemetry())

    assert len(table.writes) == 3


@pytest.mark.parametrize("name", [*SINGLE, *TRANSACTIONS])
def test_it_is_given_up_after_a_few_times(name: str) -> None:
    table = Table(99)
    with Endpoint(table) as endpoint:
        connection = connection_to(endpoint, PATIENT)
        if name == "claims.take two":  # that another has just taken them is what it looks for
            assert TABLE_CALLS[name](connection, FakeTelemetry()) is False
        else:
            with pytest.raises(Unavailable, match="Transaction"):
                TABLE_CALLS[name](connection, FakeTelemetry())

    assert len(table.writes) == 4


def test_a_log_entry_that_meets_a_transaction_is_updated() -> None:
    table, journal = Table(2), FakeTelemetry()
    with Endpoint(table) as endpoint:
        unstored = log(connection_to(endpoint, PATIENT), journal).write(
            [Change(None, ENTRY, an_attempt())]
        )

    assert (unstored, journal.kinds) == (set(), [])
    assert table.writes == ["UpdateItem"] * 3
