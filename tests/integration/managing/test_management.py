"""/v1/accounts, /v1/webhooks and the logs: rules that hold in the tables, under any race."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from perkwire.model.account import key_hash
from tests.integration.system import Response, System, Tenant, strings_in
from tests.receiver import Receiver


def asked(url: str, **fields: object) -> dict[str, Any]:
    return {"name": "orders", "url": url, "event_types": ["*"], **fields}


def all_pages(tenant: Tenant, path: str, **query: str) -> list[list[dict[str, Any]]]:
    """The pages of a list, to its end."""
    pages = [tenant.get(path, **query)]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(tenant.get(path, **query, cursor=cursor))
    return [page["data"] for page in pages]


def test_a_webhook_is_as_it_was_asked_for(tenant: Tenant) -> None:
    answer = tenant.call(
        "POST",
        "/v1/webhooks",
        {
            "name": "Till, Kölner Straße",
            "description": "Points to the till.",
            "url": "http://127.0.0.1:8099/hook?shop=7",
            "event_types": ["points.earned", "custom.visit"],
            "program_ids": ["gold"],
            "headers": {"X-Shop": "shop-7-token"},
            "batch_size": 100,
            "enabled": False,
        },
    )

    assert answer.status == 201
    webhook = dict(answer.json)
    assert webhook.pop("secret").startswith("whsec_")
    assert webhook.pop("warnings") == []
    assert webhook.pop("created_at") == webhook.pop("updated_at")
    assert webhook.pop("id").startswith("wh_")
    assert webhook == {
        "name": "Till, Kölner Straße",
        "description": "Points to the till.",
        "delivery": "post",
        "url": "http://127.0.0.1:8099/hook?shop=7",
        "event_types": ["points.earned", "custom.visit"],
        "program_ids": ["gold"],
        "header_names": ["X-Shop"],
        "batch_size": 100,
        "batch_bytes": 65_536,
        "max_per_second": None,
        "retry_delays_seconds": None,
        "pause_when_exhausted": None,
        "format": "standard",
        "filter": None,
        "format_settings": {},
        "status": "disabled",
        "paused": None,
        "lane": "prompt",
        "ends_at": None,
        "version": 1,
        "retired_secrets": [],
    }


def test_every_wrong_field_is_named(system: System, tenant: Tenant) -> None:
    before = system.items("ConfigTable")

    answer = tenant.call(
        "POST",
        "/v1/webhooks",
        {
            "url": "ftp://example.com",
            "event_types": ["*", "points.earned"],
            "batch_size": 101,
            "format": "carrier-pigeon",
            "secret": "too short",
            "headers": {"host": "evil.example"},
            "colour": "green",
        },
    )

    assert answer.status == 422
    assert answer.content_type == "application/problem+json"
    assert {error["field"] for error in answer.json["errors"]} == {
        "name", "url", "event_types", "batch_size", "format", "secret", "headers.host", "colour",
    }  # fmt: skip
    assert "too short" not in str(answer.json)
    assert system.new_items("ConfigTable", before) == []


def test_secrets_and_header_values_are_shown_once_and_kept_sealed(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    headers = {"x-shop": "shop-7-token", "authorization": "Bearer of-the-receiver"}
    webhook = tenant.webhook(receiver.endpoint(500, 200).url, headers=headers)
    path = f"/v1/webhooks/{webhook['id']}"
    (event_id,) = tenant.post(tenant.an_event())
    system.route()
    system.dispatch_all()

    (delivery,) = tenant.deliveries()
    shown = [
        tenant.get(path),
        tenant.get("/v1/webhooks"),
        tenant.call("PATCH", path, {"name": "till", "headers": headers}).json,
        tenant.get(f"/v1/deliveries/{delivery['id']}"),
        tenant.get(f"/v1/events/{event_id}"),
    ]
    kept = [system.items(table) for table in ("ConfigTable", "EventTable", "DeliveryTable")]

    secrets = [webhook["secret"], webhook["secret"].removeprefix("whsec_"), *headers.values()]
    said = [*strings_in(shown), *strings_in(kept)]
    assert len(said) > 50
    assert [secret for secret in secrets if any(secret in text for text in said)] == []


def test_an_api_key_is_shown_once_and_kept_as_its_hash(
    system: System, tenant: Tenant, operator_key: str
) -> None:
    listed = system.call("GET", f"/v1/accounts/{tenant.id}/api-keys", key=operator_key)

    members = {"id", "name", "scopes", "webhook_id", "created_at", "expires_at"}
    assert [set(key) for key in listed.json["data"]] == [members]
    kept = [*strings_in(system.items("ConfigTable"))]
    assert any(key_hash(tenant.key) in text for text in kept)
    assert not any(tenant.key in text for text in kept)


def test_an_account_has_at_most_ten_webhooks_however_many_are_made_at_once(
    tenant: Tenant, receiver: Receiver
) -> None:
    def create(_: int) -> Response:
        return tenant.call("POST", "/v1/webhooks", asked(receiver.endpoint().url))

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(create, range(16)))

    assert sorted(answer.status for answer in answers) == [201] * 10 + [409] * 6
    assert len(tenant.get("/v1/webhooks")["data"]) == 10
    refused = [answer.json for answer in answers if answer.status == 409]
    assert {(one["status"], one["detail"]) for one in refused} == {
        (409, "An account has at most 10 webhooks.")
    }


def test_a_deleted_webhook_makes_room_and_frees_its_url(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    url = receiver.endpoint().url
    webhook = tenant.webhook(url)
    for _ in range(9):
        tenant.webhook(receiver.endpoint().url)
    assert tenant.call("POST", "/v1/webhooks", asked(f"{url}/other")).status == 409

    assert tenant.call("DELETE", f"/v1/webhooks/{webhook['id']}").status == 204

    assert tenant.call("POST", "/v1/webhooks", asked(url)).status == 201
    assert tenant.call("POST", "/v1/webhooks", asked(f"{url}/other")).status == 409


def test_a_url_is_once_per_account_however_often_it_is_tried_at_once(
    tenant: Tenant, another_tenant: Tenant, receiver: Receiver
) -> None:
    url = receiver.endpoint().url

    with ThreadPoolExecutor(6) as threads:
        answers = list(
            threads.map(lambda _: tenant.call("POST", "/v1/webhooks", asked(url)), range(6))
        )

    assert sorted(answer.status for answer in answers) == [201] + [409] * 5
    refused = next(answer for answer in answers if answer.status == 409)
    (made,) = (answer.json for answer in answers if answer.status == 201)
    told = f"is the URL of another webhook of the account: {made['name']}, {made['id']}"
    assert refused.json["errors"] == [{"field": "url", "detail": told}]
    assert another_tenant.call("POST", "/v1/webhooks", asked(url)).status == 201


def test_a_changed_url_is_taken_and_the_old_one_free(tenant: Tenant, receiver: Receiver) -> None:
    old, new, other = (receiver.endpoint().url for _ in range(3))
    webhook = tenant.webhook(old)
    tenant.webhook(other)
    path = f"/v1/webhooks/{webhook['id']}"

    assert tenant.call("PATCH", path, {"url": other}).status == 409
    assert tenant.call("PATCH", path, {"url": new}).status == 200

    assert tenant.get(path)["url"] == new
    assert tenant.call("POST", "/v1/webhooks", asked(new)).status == 409
    assert tenant.call("POST", "/v1/webhooks", asked(old)).status == 201


def test_changes_at_once_are_all_kept_or_refused(tenant: Tenant, receiver: Receiver) -> None:
    path = f"/v1/webhooks/{tenant.webhook(receiver.endpoint().url)['id']}"
    changes: list[dict[str, object]] = [
        {"name": "till"},
        {"description": "Points."},
        {"batch_size": 7},
        {"event_types": ["points.earned"]},
    ]

    def patch(change: dict[str, object]) -> Response:
        return tenant.call("PATCH", path, change)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(patch, changes))

    assert {answer.status for answer in answers} <= {200, 409}
    shown = tenant.get(path)
    for asked_for, answer in zip(changes, answers, strict=True):
        assert (shown.items() >= asked_for.items()) is (answer.status == 200)


def test_null_clears_what_may_be_absent(tenant: Tenant, receiver: Receiver) -> None:
    webhook = tenant.webhook(
        receiver.endpoint().url,
        description="Points.",
        program_ids=["gold"],
        headers={"x-shop": "shop-7-token"},
    )
    clearing: dict[str, object] = {"description": None, "program_ids": None, "headers": {}}

    shown = tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", clearing).json

    assert (shown["description"], shown["program_ids"], shown["header_names"]) == (None, None, [])


@pytest.mark.parametrize("field", ["format", "secret", "id", "status"])
def test_what_receivers_are_set_up_for_does_not_change(
    field: str, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    path = f"/v1/webhooks/{webhook['id']}"
    before = tenant.get(path)

    answer = tenant.call("PATCH", path, {field: "standard"})

    assert answer.status == 422
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert tenant.get(path) == before


def test_a_deleted_webhook_leaves_a_tombstone_without_secrets(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url, headers={"x-shop": "shop-7-token"})
    path = f"/v1/webhooks/{webhook['id']}"

    assert tenant.call("DELETE", path).status == 204

    assert [tenant.call(method, path, {}).status for method in ("GET", "DELETE")] == [404, 404]
    assert tenant.get("/v1/webhooks")["data"] == []
    left = [item for item in system.items("ConfigTable") if webhook["id"] in item["sk"]["S"]]
    assert len(left) == 2
    in_thirty_days = time.time() + 30 * 24 * 3600
    for tombstone in left:
        assert tombstone["pk"] == {"S": f"{tenant.id}#deleted"}
        assert tombstone.keys() == {"pk", "sk", "kind", "expires_at"}
        assert in_thirty_days - 60 <= int(tombstone["expires_at"]["N"]) <= in_thirty_days


def test_the_log_of_a_deleted_webhook_stays(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    tenant.post(tenant.an_event())
    system.route()
    system.dispatch()

    tenant.call("DELETE", f"/v1/webhooks/{webhook['id']}")

    assert [one["status"] for one in tenant.deliveries()] == ["succeeded"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_another_accounts_webhook_is_not_there(
    method: str, tenant: Tenant, another_tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)

    answer = another_tenant.call(method, f"/v1/webhooks/{webhook['id']}", {"name": "mine"})

    assert (answer.status, answer.json) == (
        404,
        {
            "type": "urn:perkwire:problem:not-found",
            "title": "There is no such webhook.",
            "status": 404,
        },
    )
    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["name"] == "orders"


def test_another_accounts_events_and_deliveries_are_not_there(
    system: System, tenant: Tenant, another_tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    (event_id,) = tenant.post(tenant.an_event())
    system.route()
    system.dispatch()
    (delivery,) = tenant.deliveries()

    assert another_tenant.event(event_id) is None
    assert another_tenant.delivery(delivery["id"]) is None
    assert another_tenant.deliveries() == []
    assert another_tenant.deliveries(webhook_id=webhook["id"]) == []


def test_scopes_divide_what_a_key_may_do(system: System, tenant: Tenant) -> None:
    only_events = tenant.new_key("events")

    for method, path in [
        ("GET", "/v1/webhooks"),
        ("POST", "/v1/webhooks"),
        ("GET", "/v1/webhooks/wh_0"),
        ("PATCH", "/v1/webhooks/wh_0"),
        ("DELETE", "/v1/webhooks/wh_0"),
        ("GET", "/v1/deliveries"),
        ("GET", "/v1/deliveries/dlv_0"),
        ("GET", "/v1/events/evt_0"),
    ]:
        answer = system.call(method, path, {"name": "x"}, key=only_events)
        assert (answer.status, answer.json["detail"]) == (403, "It needs the scope webhooks.")
    for method, path in [
        ("GET", "/v1/accounts"),
        ("POST", "/v1/accounts"),
        ("GET", f"/v1/accounts/{tenant.id}"),
        ("PATCH", f"/v1/accounts/{tenant.id}"),
        ("GET", f"/v1/accounts/{tenant.id}/api-keys"),
        ("POST", f"/v1/accounts/{tenant.id}/api-keys"),
        ("GET", f"/v1/accounts/{tenant.id}/api-keys/key_0"),
        ("DELETE", f"/v1/accounts/{tenant.id}/api-keys/key_0"),
    ]:
        answer = system.call(method, path, {"name": "x"}, key=tenant.key)
        assert (answer.status, answer.json["detail"]) == (403, "It needs the scope operator.")


def test_an_operator_acts_for_the_account_that_it_names(
    system: System, tenant: Tenant, operator_key: str, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)

    def listed(**headers: str) -> Response:
        return system.call("GET", "/v1/webhooks", key=operator_key, headers=headers)

    named = listed(**{"Perkwire-Account": tenant.id})
    assert [one["id"] for one in named.json["data"]] == [webhook["id"]]
    assert listed(**{"Perkwire-Account": "acct_0000000000000000"}).status == 404
    assert listed().status == 422
    assert tenant.call("GET", "/v1/webhooks", headers={"Perkwire-Account": tenant.id}).status == 403


def test_accounts_are_made_listed_and_renamed(system: System, operator_key: str) -> None:
    made = system.call("POST", "/v1/accounts", {"name": "Zylker"}, key=operator_key).json
    path = f"/v1/accounts/{made['id']}"

    renamed = system.call("PATCH", path, {"name": "Zylker Rewards"}, key=operator_key)

    assert renamed.status == 200
    assert renamed.json["name"] == "Zylker Rewards"
    assert system.call("GET", path, key=operator_key).json["name"] == "Zylker Rewards"
    listed = []
    query = {"limit": "2"}
    while True:
        page = system.call("GET", "/v1/accounts", key=operator_key, query=query).json
        listed += page["data"]
        if page["next_cursor"] is None:
            break
        query = {"limit": "2", "cursor": page["next_cursor"]}
    del renamed.json["notify_emails"]
    assert made["id"] in [account["id"] for account in listed]
    assert system.call("GET", "/v1/accounts/acct_0", key=operator_key).status == 404
    assert (
        system.call("PATCH", "/v1/accounts/acct_0", {"name": "x"}, key=operator_key).status == 404
    )


def test_webhooks_are_listed_page_by_page(tenant: Tenant, receiver: Receiver) -> None:
    made = {tenant.webhook(receiver.endpoint().url)["id"] for _ in range(5)}

    pages = all_pages(tenant, "/v1/webhooks", limit="2")

    assert all(len(page) <= 2 for page in pages)
    listed = [webhook["id"] for page in pages for webhook in page]
    assert (len(listed), set(listed)) == (5, made)


def test_the_log_is_listed_newest_first_page_by_page(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhooks = [tenant.webhook(receiver.endpoint().url), tenant.webhook(receiver.endpoint(500).url)]
    event_ids = []
    for _ in range(4):
        event_ids += tenant.post(tenant.an_event())
    system.route()
    system.dispatch()

    pages = all_pages(tenant, "/v1/deliveries", limit="3")

    listed = [delivery for page in pages for delivery in page]
    assert len({delivery["id"] for delivery in listed}) == len(listed) == 8
    assert [delivery["event_ids"][0] for delivery in listed] == [
        event_id for event_id in reversed(event_ids) for _ in webhooks
    ]
    failing = all_pages(tenant, "/v1/deliveries", limit="3", status="retrying")
    retrying = [delivery["webhook_id"] for page in failing for delivery in page]
    assert retrying == [webhooks[1]["id"]] * 4
    own = tenant.deliveries(webhook_id=webhooks[0]["id"])
    assert [one["status"] for one in own] == ["succeeded"] * 4
    assert tenant.deliveries(event_type="tier.upgraded") == []


def test_the_log_is_bounded_by_time(system: System, tenant: Tenant, receiver: Receiver) -> None:
    tenant.webhook(receiver.endpoint().url)
    event_ids = []
    for _ in range(3):
        event_ids += tenant.post(tenant.an_event())
    system.route()
    system.dispatch()
    middle = tenant.get(f"/v1/events/{event_ids[1]}")["accepted_at"]

    def events(**query: str) -> list[str]:
        return [one["event_ids"][0] for one in tenant.deliveries(**query)]

    assert events(since=middle) == [event_ids[2], event_ids[1]]
    assert events(until=middle) == [event_ids[0]]


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/v1/webhooks", {"limit": "101"}, "limit"),
        ("/v1/webhooks", {"limit": "0"}, "limit"),
        ("/v1/webhooks", {"cursor": "../.."}, "cursor"),
        ("/v1/webhooks", {"status": "enabled"}, "status"),
        ("/v1/deliveries", {"status": "lost"}, "status"),
        ("/v1/deliveries", {"since": "yesterday"}, "since"),
        ("/v1/deliveries", {"cursor": "zzz"}, "cursor"),
    ],
)
def test_a_wrong_query_is_refused(
    path: str, query: dict[str, str], field: str, tenant: Tenant
) -> None:
    answer = tenant.call("GET", path, query=query)

    assert answer.status == 422
    assert [error["field"] for error in answer.json["errors"]] == [field]


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/webhooks/wh_0", "webhook"),
        ("/v1/webhooks/%2e%2e", "webhook"),
        ("/v1/deliveries/dlv_0_0", "delivery"),
        ("/v1/deliveries/account", "delivery"),
        ("/v1/events/evt_0", "event"),
        ("/v1/nowhere", "call"),
    ],
)
def test_what_is_not_there_is_not_found(path: str, named: str, tenant: Tenant) -> None:
    answer = tenant.call("GET", path)

    assert (answer.status, answer.json["title"]) == (404, f"There is no such {named}.")


def test_a_failing_table_is_a_503_that_says_nothing_of_it(system: System, tenant: Tenant) -> None:
    key = tenant.key
    system.restart(EVENT_TABLE="no-such-table")

    answer = system.call("GET", "/v1/events/evt_0", key=key)

    assert answer.status == 503
    assert answer.json["detail"] == "A service that this one stands on does not answer."
    assert "no-such-table" not in str(answer.json)
