"""dispatching.Records: webhooks and log entries of two tables, looked up together."""

from typing import Any

import pytest
from pynamodb.connection import Connection

from perkwire.adapters.dynamodb import tables
from perkwire.adapters.dynamodb.delivery_records import DeliveryRecords
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.delivery import Change, Delivery
from perkwire.model.webhook import DeletedWebhook, Webhook
from perkwire.primitives.ids import AccountId, WebhookId, new_account_id, new_webhook_id
from perkwire.primitives.journal import Unavailable
from tests.builders import NOW, a_delivery, a_delivery_message, a_webhook, an_account, an_event
from tests.integration.contracts.conftest import Adapters

RECORDS = DeliveryRecords()


@pytest.fixture
def webhooks(real: Adapters) -> list[Webhook]:
    account = an_account(id=new_account_id())
    real.accounts.add(account)
    found = [
        a_webhook(id=new_webhook_id(), account_id=account.id, url=f"https://shop.example/{n}")
        for n in range(3)
    ]
    for webhook in found:
        real.webhooks.add(webhook, most=10)
    return found


@pytest.fixture
def entries(real: Adapters, webhooks: list[Webhook]) -> list[Delivery]:
    found = [a_delivery(a_delivery_message(webhook, an_event())) for webhook in webhooks]
    assert real.deliveries.write([Change(None, one, None) for one in found]) == set()
    return found


def keys(webhooks: list[Webhook], entries: list[Delivery]) -> tuple[Any, Any]:
    return (
        {(one.account_id, one.id) for one in webhooks},
        {(one.account_id, one.id) for one in entries},
    )


def test_both_are_found_in_one_call(
    webhooks: list[Webhook], entries: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = Connection._make_api_call

    def noted(own: Connection, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        made.append(operation)
        answer: dict[str, Any] = make(own, operation, request)
        return answer

    monkeypatch.setattr(Connection, "_make_api_call", noted)

    states, found = RECORDS.look_up(*keys(webhooks, entries))

    assert {id_: one.webhook for id_, one in states.items() if isinstance(one, WebhookState)} == {
        webhook.id: webhook for webhook in webhooks
    }
    assert found == {entry.id: entry for entry in entries}
    assert made == ["BatchGetItem"]


def test_what_is_absent_is_not_found_and_a_tombstone_is(
    real: Adapters, webhooks: list[Webhook], entries: list[Delivery]
) -> None:
    gone, *others = webhooks
    real.webhooks.bury(gone, NOW)
    unknown = a_webhook(id=new_webhook_id(), account_id=gone.account_id)
    stranger = a_webhook(id=new_webhook_id(), account_id=new_account_id())
    unlogged = a_delivery(a_delivery_message(gone, an_event()))

    states, found = RECORDS.look_up(
        *keys([gone, others[0], unknown, stranger], [entries[0], unlogged])
    )

    assert states.keys() == {gone.id, others[0].id}
    assert isinstance(states[gone.id], DeletedWebhook)
    assert found == {entries[0].id: entries[0]}


def test_what_can_be_no_accounts_id_takes_nothing_along(
    webhooks: list[Webhook], entries: list[Delivery]
) -> None:
    asked, logged = keys(webhooks, entries)

    states, found = RECORDS.look_up(asked | {(AccountId("key#1"), WebhookId("wh_1"))}, logged)

    assert states.keys() == {one.id for one in webhooks}
    assert len(found) == 3


def test_what_dynamodb_leaves_of_either_table_is_asked_for_again(
    webhooks: list[Webhook], entries: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Connection._make_api_call
    asked: list[int] = []

    def partly(own: Connection, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        left = {
            table: {**content, "Keys": content["Keys"][1:]}
            for table, content in request["RequestItems"].items()
            if len(content["Keys"]) > 1
        }
        asked.append(sum(len(one["Keys"]) for one in request["RequestItems"].values()))
        for content in request["RequestItems"].values():
            content["Keys"] = content["Keys"][:1]
        return {**make(own, operation, request), "UnprocessedKeys": left}

    monkeypatch.setattr(Connection, "_make_api_call", partly)

    states, found = RECORDS.look_up(*keys(webhooks, entries))

    assert states.keys() == {one.id for one in webhooks}
    assert len(found) == 3
    assert asked == [10, 8, 6, 4, 3, 2, 1]


def test_a_table_that_leaves_all_of_its_keys_is_unavailable(
    webhooks: list[Webhook], entries: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(_own: Connection, _operation: str, request: dict[str, Any]) -> dict[str, Any]:
        return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}

    monkeypatch.setattr(Connection, "_make_api_call", throttled)
    monkeypatch.setattr(tables.time, "sleep", lambda _: None)  # type: ignore[attr-defined]

    with pytest.raises(Unavailable, match="keys left unprocessed"):
        RECORDS.look_up(*keys(webhooks, entries))
