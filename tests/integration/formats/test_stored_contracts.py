"""Contracts that are stored: whose they are, who may use them, and what becomes of deliveries."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from perkwire.adapters.dynamodb.config_items import (
    ContractCountItem,
    ContractItem,
    ContractTextItem,
    WebhookItem,
)
from perkwire.formats.registry import FORMATS
from perkwire.managing.contracts import MOST_CHECKS_PER_MINUTE, MOST_CONTRACTS
from tests.integration.system import Response, System, Tenant
from tests.receiver import Receiver

TILL: dict[str, Any] = {
    "name": "till",
    "version": "1",
    "title": "The till",
    "events": {"points.earned": "POINTS_IN", "tier.*": "LEVEL"},
    "body": {"kind": "=event.name", "customer": "=data.member.id"},
    "headers": {"x-till-kind": "=event.name"},
    "signature": {"header": "x-till-signature"},
}


def store(tenant: Tenant, contract: object = TILL) -> Response:
    return tenant.call("POST", "/v1/formats", contract)


def stored(tenant: Tenant, **members: object) -> dict[str, Any]:
    answer = store(tenant, TILL | members)
    assert answer.status == 201, answer
    found: dict[str, Any] = answer.json
    return found


def names(tenant: Tenant) -> list[str]:
    listed = tenant.get("/v1/formats", limit="100")["data"]
    return [one["format"] for one in listed if one["format"] not in FORMATS]


@pytest.fixture
def operators(system: System, operator_key: str) -> Callable[..., Response]:
    """A request with the operator's key."""

    def call(method: str, path: str, body: object = None, **headers: str) -> Response:
        return system.call(method, path, body, key=operator_key, headers=headers)

    return call


def test_one_is_stored_shown_listed_exported_and_imported(
    tenant: Tenant, another_tenant: Tenant
) -> None:
    made = stored(tenant)

    assert made["format"] == "till@1"
    assert made["contract"] == TILL
    assert tenant.get("/v1/formats/till@1") == tenant.get("/v1/formats/till") == made
    heading = {name: value for name, value in made.items() if name != "contract"}
    assert tenant.get("/v1/formats", limit="100")["data"][-1] == heading
    assert "points.earned" in made["event_types"]
    assert "points.added" not in made["event_types"]
    assert store(another_tenant, made["contract"]).json == made


def test_the_catalogue_has_its_names_for_those_who_can_use_it(
    system: System,
    tenant: Tenant,
    another_tenant: Tenant,
    operators: Callable[..., Response],
    operator_key: str,
) -> None:
    stored(tenant)
    stored(tenant, version="2", events={"tier.*": "{type}!", "custom.*": "OWN"})
    one = "/v1/event-types/tier.upgraded"
    name = {"name": "LEVEL", "inferred": False, "body_inferred": False}

    shown = tenant.get(one)["names"]
    assert (shown["till@1"], shown["till@2"]) == (name, name | {"name": "tier.upgraded!"})
    assert {*shown} - {"till@1", "till@2"} <= {*FORMATS}
    listed: dict[str, Any] = {}
    cursor: dict[str, str] = {}
    while True:
        page = tenant.get("/v1/event-types", limit="100", **cursor)
        listed |= {found["type"]: found["names"] for found in page["data"]}
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert listed["tier.upgraded"] == shown
    assert listed["points.earned"]["till@1"]["name"] == "POINTS_IN"
    assert "till@2" not in listed["points.earned"]
    custom = tenant.get("/v1/event-types/custom.badge")["names"]
    assert custom["till@2"]["name"] == "OWN"
    assert "till@1" not in custom

    assert {*another_tenant.get(one)["names"]} <= {*FORMATS}
    unscoped = system.call("GET", one, key=tenant.new_key("events"))
    assert {*unscoped.json["names"]} <= {*FORMATS}
    named = {"perkwire-account": tenant.id}
    assert operators("GET", one, **named).json["names"] == shown
    assert "till@1" not in operators("GET", one).json["names"]
    assert another_tenant.call("GET", one, headers=named).status == 403
    assert tenant.call("GET", "/v1/event-types/tier.made_up").status == 404


def test_a_version_never_changes_and_a_name_without_one_is_the_newest(tenant: Tenant) -> None:
    for version in ("1", "2", "10"):
        stored(tenant, version=version)

    refused = store(tenant, TILL | {"version": "2", "title": "Another"})

    assert (refused.status, refused.json["errors"][0]["pointer"]) == (409, "/version")
    assert tenant.get("/v1/formats/till@2")["contract"]["title"] == "The till"
    assert tenant.get("/v1/formats/till")["format"] == "till@10"
    assert names(tenant) == ["till@1", "till@2", "till@10"]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"body": {"a": "=data.["}}, "/body/a"),
        ({"body": {"a": {"$value": "data.gone", "absent": "refuse"}}}, "/body/a/$value"),
        ({"headers": {"x-a": "=data.member"}}, "/headers/x-a"),
        ({"events": {"points.eaten": "x"}}, "/events/points.eaten"),
        ({"name": "okendo"}, "/name"),
    ],
)
def test_what_is_wrong_is_named_by_its_place_and_nothing_is_stored(
    tenant: Tenant, wrong: dict[str, Any], pointer: str
) -> None:
    answer = store(tenant, TILL | wrong)

    assert answer.status == 422, answer
    assert pointer in [one["pointer"] for one in answer.json["errors"]]
    assert names(tenant) == []


def test_the_examples_of_all_types_that_it_names_are_said_before_it_is_stored(
    tenant: Tenant,
) -> None:
    answer = store(tenant, TILL | {"body": {"a": "=abs(data.transaction.points)"}})

    (error,) = answer.json["errors"]
    assert (answer.status, error["pointer"], error["field"]) == (422, "/body/a", "body.a")
    assert "tier." in error["detail"]


def test_a_webhook_has_it_and_its_receiver_gets_what_it_says(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    stored(tenant)
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url, format="till")
    assert webhook["format"] == "till@1"

    earned, added = tenant.post(tenant.an_event("points.earned"), tenant.an_event("points.added"))
    system.route()
    system.dispatch_all()

    (request,) = endpoint.requests
    assert json.loads(request.body) == {"kind": "POINTS_IN", "customer": "mbr_1"}
    assert request.headers["x-till-kind"] == "POINTS_IN"
    became = tenant.get(f"/v1/events/{added}")["deliveries"]
    assert [one["status"] for one in became] == ["not_in_format"]
    (entry,) = tenant.deliveries()
    assert (entry["status"], entry["event_ids"]) == ("succeeded", [earned])


def test_one_in_use_is_not_deleted_and_who_uses_it_is_said(
    tenant: Tenant, receiver: Receiver
) -> None:
    stored(tenant)
    webhook = tenant.webhook(receiver.endpoint().url, format="till@1")

    refused = tenant.call("DELETE", "/v1/formats/till@1")

    assert refused.status == 409
    assert webhook["id"] in refused.json["detail"]
    assert tenant.call("DELETE", f"/v1/webhooks/{webhook['id']}").status == 204
    assert tenant.call("DELETE", "/v1/formats/till@1").status == 204
    assert names(tenant) == []
    assert tenant.call("DELETE", "/v1/formats/till@1").status == 404
    assert stored(tenant)["format"] == "till@1"


def test_an_account_neither_reads_nor_uses_nor_sees_the_contracts_of_another(
    tenant: Tenant, another_tenant: Tenant, receiver: Receiver
) -> None:
    stored(tenant, name="secret-till")

    assert names(another_tenant) == []
    for path in ("secret-till", "secret-till@1"):
        assert another_tenant.call("GET", f"/v1/formats/{path}").status == 404
        assert another_tenant.call("DELETE", f"/v1/formats/{path}").status == 404
    asked = {"name": "x", "url": receiver.endpoint().url, "event_types": ["*"]}
    for format_ in ("secret-till", "secret-till@1"):
        for call in ("/v1/webhooks", "/v1/webhooks/test"):
            refused = another_tenant.call("POST", call, asked | {"format": format_})
            assert (refused.status, refused.json["errors"][0]["field"]) == (422, "format")
            assert "secret-till" not in json.dumps(refused.json)
    assert stored(another_tenant, name="secret-till")["format"] == "secret-till@1"


def test_the_operators_are_for_all_accounts(
    operators: Callable[..., Response], tenant: Tenant, another_tenant: Tenant, receiver: Receiver
) -> None:
    assert operators("POST", "/v1/formats", TILL | {"name": "shared"}).status == 201
    webhooks = [
        one.webhook(receiver.endpoint().url, format="shared@1") for one in (tenant, another_tenant)
    ]

    assert "shared@1" in names(tenant)
    assert tenant.call("DELETE", "/v1/formats/shared@1").status == 404
    assert store(tenant, TILL | {"name": "shared"}).status == 409
    refused = operators("DELETE", "/v1/formats/shared@1")
    assert refused.status == 409
    for one, webhook in zip((tenant, another_tenant), webhooks, strict=True):
        assert f"{webhook['id']} of {one.id}" in refused.json["detail"]
        one.call("DELETE", f"/v1/webhooks/{webhook['id']}")
    assert operators("DELETE", "/v1/formats/shared@1").status == 204


def test_an_operator_keeps_contracts_of_an_account_that_they_name(
    operators: Callable[..., Response], tenant: Tenant
) -> None:
    account = {"Perkwire-Account": tenant.id}

    assert operators("POST", "/v1/formats", TILL, **account).status == 201

    assert names(tenant) == ["till@1"]
    assert operators("GET", "/v1/formats/till@1").status == 404
    assert operators("GET", "/v1/formats/till@1", **account).status == 200
    nobody = {"Perkwire-Account": "acct_0000000000000000"}
    assert operators("POST", "/v1/formats", TILL, **nobody).status == 404


def test_a_key_for_events_alone_reads_no_stored_contract_and_stores_none(
    system: System, tenant: Tenant
) -> None:
    stored(tenant)
    key = tenant.new_key("events")

    listed = system.call("GET", "/v1/formats", key=key, query={"limit": "100"})

    assert [one["format"] for one in listed.json["data"]] == [*FORMATS]
    assert system.call("GET", "/v1/formats/till@1", key=key).status == 404
    assert system.call("GET", "/v1/formats/rivo@1", key=key).status == 200
    for method, path in (("POST", "/v1/formats"), ("DELETE", "/v1/formats/till@1")):
        assert system.call(method, path, TILL, key=key).status == 403


def test_there_are_so_many_of_an_account_and_no_more(tenant: Tenant) -> None:
    stored(tenant)
    count = ContractCountItem(f"{tenant.id}#contract-texts", "count")
    count.update(actions=[ContractCountItem.total.set(MOST_CONTRACTS)])  # as if there were so many

    refused = store(tenant, TILL | {"version": "2"})

    assert (refused.status, str(MOST_CONTRACTS) in refused.json["detail"]) == (409, True)
    assert names(tenant) == ["till@1"]
    assert tenant.call("DELETE", "/v1/formats/till@1").status == 204
    assert store(tenant, TILL | {"version": "2"}).status == 201


def test_no_more_than_so_many_are_checked_in_a_minute(
    tenant: Tenant, another_tenant: Tenant
) -> None:
    answers = [
        store(tenant, {"name": "x"}) for _ in range(2 * MOST_CHECKS_PER_MINUTE + 1)
    ]  # a minute may end

    assert {one.status for one in answers[:MOST_CHECKS_PER_MINUTE]} == {422}
    assert 429 in {one.status for one in answers}
    assert store(another_tenant).status == 201


def test_one_that_is_too_large_is_refused(tenant: Tenant) -> None:
    answer = store(tenant, TILL | {"description": "x" * 70_000})

    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "")


def test_a_contract_that_is_gone_fails_its_deliveries_and_no_others(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    stored(tenant)
    endpoint, healthy = receiver.endpoint(), receiver.endpoint()
    webhook = tenant.webhook(endpoint.url, format="till@1")
    tenant.webhook(healthy.url)
    ContractTextItem(f"{tenant.id}#contract-texts", "till@1").delete()

    tenant.post(tenant.an_event("points.earned"))
    system.route()
    system.dispatch_all()

    assert endpoint.requests == []
    assert len(healthy.requests) == 1
    (entry,) = tenant.deliveries(webhook_id=webhook["id"])
    assert (entry["status"], entry["reason"]) == ("failed", "format")


def test_a_webhook_that_an_older_release_has_changed_keeps_its_contract(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    """It writes the items anew without whose the contract is; who reads then looks for it."""
    stored(tenant)
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url, format="till@1")
    item = WebhookItem.get(tenant.id, f"webhook#{webhook['id']}")
    item.contract_owner = item.contract_digest = item.contract_says = None
    item.save()

    tenant.post(tenant.an_event("points.earned"))
    system.route()
    system.dispatch_all()
    assert len(endpoint.requests) == 1

    changed = tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", {"name": "renamed"})
    assert changed.status == 200
    assert WebhookItem.get(tenant.id, f"webhook#{webhook['id']}").contract_owner == tenant.id
    assert tenant.call("DELETE", "/v1/formats/till@1").status == 409


def deleted_by_an_older_release(tenant: Tenant, receiver: Receiver) -> None:
    """A webhook with the contract: that it had it stays said."""
    webhook = tenant.webhook(receiver.endpoint().url, format="till@1")
    WebhookItem(tenant.id, f"webhook#{webhook['id']}").delete()


def test_a_webhook_that_an_older_release_has_deleted_does_not_keep_its_contract(
    tenant: Tenant, receiver: Receiver
) -> None:
    stored(tenant)
    deleted_by_an_older_release(tenant, receiver)

    assert ContractItem.get(f"{tenant.id}#contracts", "till@1").uses == 1
    assert tenant.call("DELETE", "/v1/formats/till@1").status == 204


def test_a_contract_stored_anew_has_none_of_the_webhooks_of_the_one_before(
    tenant: Tenant, receiver: Receiver
) -> None:
    """What an older release has left goes with the contract, and is not counted again."""
    stored(tenant)
    deleted_by_an_older_release(tenant, receiver)
    assert tenant.call("DELETE", "/v1/formats/till@1").status == 204

    stored(tenant)
    assert tenant.call("DELETE", "/v1/formats/till@1").status == 204
