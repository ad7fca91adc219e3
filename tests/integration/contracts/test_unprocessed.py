"""DynamoDB answers 200 and leaves a part of a batch: only that part is asked for or put again."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pynamodb.connection import Connection

from perkwire.accepting.acceptance import Claim
from perkwire.adapters.dynamodb import tables
from perkwire.model.delivery import Change, DeliveryStatus
from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives.ids import EventId, new_account_id, new_webhook_id
from perkwire.primitives.journal import Unavailable
from perkwire.reading.event_listing import ListPosition
from tests.builders import NOW, a_delivery, a_delivery_message, a_webhook, an_event
from tests.integration.contracts.conftest import Adapters

ACCOUNT = new_account_id()


@dataclass
class Throttle:
    """Takes what `holds_back` says out of each batch before DynamoDB sees it."""

    holds_back: Callable[[list[Any]], list[Any]] = lambda items: []
    calls: list[int] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def apply(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """What is left unprocessed, after the request has lost it."""
        ((table, content),) = request["RequestItems"].items()
        items = content if operation == "BatchWriteItem" else content["Keys"]
        self.calls.append(len(items))
        held = self.holds_back(items)
        kept = [item for item in items if item not in held]
        if not held:
            return {}
        if operation == "BatchWriteItem":
            request["RequestItems"][table] = kept
            return {"UnprocessedItems": {table: held}}
        content["Keys"] = kept
        return {"UnprocessedKeys": {table: {"Keys": held}}}


@pytest.fixture
def throttle(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Throttle:
    throttle = Throttle()
    make = Connection._make_api_call

    def throttled(own: Connection, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation not in ("BatchWriteItem", "BatchGetItem"):
            return make(own, operation, request)
        left = throttle.apply(operation, request)
        if any(
            content if operation == "BatchWriteItem" else content["Keys"]
            for content in request["RequestItems"].values()
        ):
            return {**make(own, operation, request), **left}
        return {"Responses": {table: [] for table in request["RequestItems"]}, **left}

    monkeypatch.setattr(Connection, "_make_api_call", throttled)
    monkeypatch.setattr(tables.time, "sleep", throttle.pauses.append)  # type: ignore[attr-defined]
    return throttle


def last(items: list[Any]) -> list[Any]:
    return items[-1:]


def all_but_first(items: list[Any]) -> list[Any]:
    return items[1:]


def successes(count: int) -> list[Change]:
    webhook = a_webhook(id=new_webhook_id(), account_id=ACCOUNT)
    entries = [a_delivery(a_delivery_message(webhook, an_event())) for _ in range(count)]
    return [Change(None, entry, None) for entry in entries]


def claims(count: int) -> list[Claim]:
    return [
        Claim(account_id=ACCOUNT, event_id=EventId(f"claim-{n}"), digest="x", accepted_at=NOW)
        for n in range(count)
    ]


def test_what_is_left_of_a_log_write_is_put_again_alone(throttle: Throttle, real: Adapters) -> None:
    throttle.holds_back = all_but_first
    changes = successes(4)

    assert real.deliveries.write(changes) == set()

    assert throttle.calls == [4, 3, 2, 1]
    throttle.holds_back = lambda _: []
    assert len(real.deliveries.find({(ACCOUNT, one.after.id) for one in changes})) == 4


def test_only_what_is_never_taken_is_not_stored(throttle: Throttle, real: Adapters) -> None:
    throttle.holds_back = last
    changes = successes(10)

    assert real.deliveries.write(changes) == {changes[-1].after.id}

    assert throttle.calls == [10, 1, 1, 1]
    # Each time about twice as long: at once it would be left once more.
    for pause, middle in zip(throttle.pauses, (0.1, 0.2, 0.4), strict=True):
        assert middle * 0.5 <= pause <= middle * 1.5
    throttle.holds_back = lambda _: []
    assert len(real.deliveries.find({(ACCOUNT, one.after.id) for one in changes})) == 9


def test_only_the_events_that_are_left_are_not_kept(throttle: Throttle, real: Adapters) -> None:
    events = [RoutedEvent(account_id=ACCOUNT, event=an_event(), deliveries={}) for _ in range(26)]
    throttle.holds_back = lambda items: items[-1:] if "PutRequest" in items[0] else []

    kept = real.events.keep(events)

    assert kept == [True] * 24 + [False] * 2


def insert_answers(monkeypatch: pytest.MonkeyPatch, *codes: str | None) -> list[str]:
    """What INSERTs are answered, one by one, without being done; all that is called."""
    calls: list[str] = []
    make = Connection._make_api_call

    def answered(own: Connection, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        calls.append(operation)
        if operation != "BatchExecuteStatement":
            return make(own, operation, request)
        done = [(one, code) for one, code in zip(request["Statements"], codes, strict=True)]
        for statement in (one for one, code in done if code is None):
            make(own, operation, {"Statements": [statement]})
        return {"Responses": [{"Error": {"Code": code}} if code else {} for _, code in done]}

    monkeypatch.setattr(Connection, "_make_api_call", answered)
    return calls


@pytest.mark.parametrize("code", ["ThrottlingError", "InternalServerError", "AccessDenied"])
def test_an_event_by_itself_that_is_not_inserted_goes_the_long_way(
    code: str, real: Adapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, event = new_account_id(), an_event()
    calls = insert_answers(monkeypatch, code, None)
    routed = RoutedEvent(account_id=account, event=event, deliveries={}, member_keys=("0" * 32,))

    assert real.events.keep([routed]) == [True]

    assert calls == ["BatchExecuteStatement", "BatchGetItem", "BatchWriteItem"]
    assert real.event_reader.find(account, event.id) == replace(routed, member_keys=())


@pytest.mark.parametrize(
    ("code", "puts"), [("ThrottlingError", ["BatchWriteItem"]), ("DuplicateItem", [])]
)
def test_only_a_name_that_is_not_inserted_is_put_again(
    code: str, puts: list[str], real: Adapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = insert_answers(monkeypatch, None, code, None)
    keys = ("0" * 32, "f" * 32)
    routed = RoutedEvent(
        account_id=new_account_id(), event=an_event(), deliveries={}, member_keys=keys
    )

    assert real.events.keep([routed]) == [True]

    assert calls == ["BatchExecuteStatement", *puts]
    place = ListPosition(routed.event.accepted_at + 1)
    found = [real.mentions.newest(routed.account_id, key, 0, place, 9)[0] for key in keys]
    assert [len(positions) for positions in found] == [len(puts), 1]


def test_claims_that_are_left_are_unavailable(throttle: Throttle, real: Adapters) -> None:
    throttle.holds_back = last
    with pytest.raises(Unavailable, match="unprocessed"):
        real.claims.mark_sent([replace(claim, sent=True) for claim in claims(3)])


def test_keys_that_are_left_are_asked_for_again(throttle: Throttle, real: Adapters) -> None:
    changes = successes(4)
    real.deliveries.write(changes)
    throttle.calls.clear()
    throttle.holds_back = all_but_first

    found = real.deliveries.find({(ACCOUNT, one.after.id) for one in changes})

    assert found == {one.after.id: one.after for one in changes}
    assert throttle.calls == [4, 3, 2, 1]


def test_keys_that_are_never_answered_are_unavailable(throttle: Throttle, real: Adapters) -> None:
    throttle.holds_back = lambda items: items
    with pytest.raises(Unavailable, match="unprocessed"):
        real.deliveries.find({(ACCOUNT, a_delivery().id)})

    assert len(throttle.calls) == 4


def test_a_failure_beside_them_is_stored(throttle: Throttle, real: Adapters) -> None:
    throttle.holds_back = lambda items: items
    (success,) = successes(1)
    failure = replace(successes(1)[0].after, status=DeliveryStatus.FAILED)

    unstored = real.deliveries.write([success, Change(None, failure, None)])

    assert unstored == {success.after.id}
    throttle.holds_back = lambda _: []
    assert set(real.deliveries.find({(ACCOUNT, failure.id)})) == {failure.id}
