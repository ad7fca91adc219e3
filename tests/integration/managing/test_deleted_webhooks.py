"""Webhooks that are deleted by the hundred are nobody's burden."""

from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from pynamodb.connection import Connection

from perkwire.adapters.dynamodb.config_items import health_pk, tombstones_pk
from perkwire.primitives.ids import AccountId
from perkwire.reading.log import MOST_DELETED
from tests.integration.system import System, Tenant
from tests.receiver import Receiver

LARGEST = {
    "name": "n" * 128,
    "description": "d" * 1000,
    "program_ids": [f"{number:0>128}" for number in range(100)],
    "headers": {"x-shop": "s" * 2000},
}
DELETED = 60


@pytest.fixture
def churned(tenant: Tenant, receiver: Receiver) -> list[str]:
    """Webhooks of full size that are made and deleted again."""
    url = receiver.endpoint().url
    deleted = []
    for _ in range(DELETED):
        deleted.append(tenant.webhook(url, **LARGEST)["id"])
        assert tenant.call("DELETE", f"/v1/webhooks/{deleted[-1]}").status == 204
    return deleted


def partition(system: System, pk: str) -> list[dict[str, Any]]:
    """The items of a partition of ConfigTable."""
    answer = system.stack.client("dynamodb").query(
        TableName=system.stack.resources["ConfigTable"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
    )
    read = TypeDeserializer().deserialize
    return [{name: read(value) for name, value in item.items()} for item in answer["Items"]]


def test_what_the_router_reads_does_not_grow_with_them(
    system: System, tenant: Tenant, receiver: Receiver, churned: list[str]
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)

    read = partition(system, tenant.id)

    assert {item["sk"] for item in read} == {"account", f"webhook#{webhook['id']}"}
    tenant.post(tenant.an_event())
    system.route()
    system.dispatch()
    assert len(endpoint.requests) == 1


def test_a_list_of_webhooks_does_not_pass_over_them(tenant: Tenant, churned: list[str]) -> None:
    assert tenant.get("/v1/webhooks", limit="1") == {"data": [], "next_cursor": None}


def test_the_log_reads_the_last_of_them(
    system: System, tenant: Tenant, churned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    make = Connection._make_api_call

    def counted(own: Connection, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = make(own, operation, request)
        if operation == "Query" and tombstones_pk(AccountId(tenant.id)) in str(request):
            read.append(answer["ScannedCount"])
        return answer

    monkeypatch.setattr(Connection, "_make_api_call", counted)

    assert tenant.deliveries() == []

    assert read == [MOST_DELETED]


def test_a_tombstone_is_what_is_needed_and_expires(
    system: System, tenant: Tenant, churned: list[str]
) -> None:
    tombstones = partition(system, tombstones_pk(AccountId(tenant.id)))

    assert len(tombstones) == 2 * DELETED
    for item in tombstones:
        assert item.keys() == {"pk", "sk", "kind", "expires_at"}
        assert item["expires_at"] > 0


def test_what_is_queued_for_one_is_cancelled(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    tenant.post(tenant.an_event())
    system.route()
    assert tenant.call("DELETE", f"/v1/webhooks/{webhook['id']}").status == 204

    assert system.dispatch().left == []

    (entry,) = tenant.deliveries()
    assert (entry["status"], entry["reason"]) == ("cancelled", "deleted")
    assert endpoint.requests == []


def test_its_health_goes_with_it_and_what_comes_late_expires(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint(500).url)
    tenant.post(tenant.an_event())
    system.route()
    system.dispatch()
    health = health_pk(AccountId(tenant.id))
    (item,) = partition(system, health)
    assert item["failures"] == 1
    assert item["expires_at"] > 0

    assert tenant.call("DELETE", f"/v1/webhooks/{webhook['id']}").status == 204

    assert partition(system, health) == []
