"""Who changed what: one record for each change, in its transaction, and none without one."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from perkwire.adapters.dynamodb import activity_log
from perkwire.adapters.dynamodb.activity_log import KEPT_DAYS
from perkwire.primitives.ids import AccountId
from tests.integration.browsing import Browser
from tests.integration.console.sign_in import enter
from tests.integration.system import System, Tenant
from tests.receiver import Receiver


def activity(tenant: Tenant, **query: str) -> list[dict[str, Any]]:
    """What the account's own admin is told, the oldest first."""
    found: list[dict[str, Any]] = tenant.get("/v1/activity", **query)["data"]
    return found[::-1]


def done(tenant: Tenant, **query: str) -> list[tuple[str, str]]:
    return [(one["action"], one["subject"]) for one in activity(tenant, **query)]


def key_id(system: System, tenant: Tenant, operator_key: str, name: str) -> str:
    path = f"/v1/accounts/{tenant.id}/api-keys"
    keys = system.call("GET", path, key=operator_key).json["data"]
    (found,) = [one["id"] for one in keys if one["name"] == name]
    return str(found)


def test_each_change_is_one_record_with_its_fields_and_who_made_it(
    system: System, tenant: Tenant, receiver: Receiver, operator_key: str
) -> None:
    begun = len(activity(tenant))
    webhook = tenant.webhook(receiver.endpoint().url, headers={"X-Shop": "shop-7-token"})
    path = f"/v1/webhooks/{webhook['id']}"
    new_url = receiver.endpoint().url

    assert tenant.call("PATCH", path, {"url": new_url, "headers": {}}).status == 200
    assert tenant.call("POST", f"{path}/disable").status == 200
    assert tenant.call("POST", f"{path}/enable").status == 200
    assert tenant.call("POST", f"{path}/rotate-secret").status == 200
    job = tenant.call("POST", f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}).json["id"]
    assert tenant.call("DELETE", f"/v1/jobs/{job}").status == 200
    assert tenant.call("DELETE", path).status == 204

    records = activity(tenant)[begun:]
    assert [(one["action"], one["subject"], one["fields"]) for one in records] == [
        ("webhook.created", webhook["id"], []),
        ("webhook.changed", webhook["id"], ["headers", "url"]),
        ("webhook.disabled", webhook["id"], ["status"]),
        ("webhook.enabled", webhook["id"], ["status"]),
        ("webhook.secret_rotated", webhook["id"], ["secret"]),
        ("job.started", job, []),
        ("job.cancelled", job, []),
        ("webhook.deleted", webhook["id"], []),
    ]
    assert {one["name"] for one in records} == {webhook["name"], f"replay of {webhook['id']}"}
    by = {"kind": "api_key", "operator": False}
    assert all(by.items() <= one["by"].items() for one in records)
    (maker,) = {one["by"]["api_key_id"] for one in records}
    keys = system.call("GET", f"/v1/accounts/{tenant.id}/api-keys", key=operator_key).json["data"]
    assert maker in {one["id"] for one in keys}
    assert done(tenant, subject=job) == [("job.started", job), ("job.cancelled", job)]
    assert "shop-7-token" not in str(records)
    assert new_url not in str(records)


def test_what_operators_do_to_an_account_its_admin_sees(
    system: System, tenant: Tenant, operator_key: str
) -> None:
    begun, account = len(activity(tenant)), f"/v1/accounts/{tenant.id}"

    def ask(method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
        return system.call(method, account + path, body, key=operator_key).json

    ask("PATCH", "", {"name": "Zylker"})
    key = ask("POST", "/api-keys", {"name": "till", "scopes": ["events"]})["id"]
    ask("DELETE", f"/api-keys/{key}")
    link = ask("POST", "/console-links")["id"]
    ask("DELETE", f"/console-links/{link}")
    ask("DELETE", "/console-links")

    records = activity(tenant)[begun:]
    assert [(one["action"], one["subject"], one["fields"]) for one in records] == [
        ("account.changed", tenant.id, ["name"]),
        ("api_key.created", key, []),
        ("api_key.revoked", key, []),
        ("console_link.created", link, []),
        ("console_link.ended", link, []),
        ("console_links.ended", tenant.id, []),
    ]
    assert all(one["by"]["operator"] for one in records)
    acting = {"Perkwire-Account": tenant.id}
    theirs = system.call("GET", "/v1/activity", key=operator_key, headers=acting)
    assert theirs.json["data"][: len(records)] == records[::-1]


def test_an_operator_who_names_no_account_sees_what_is_the_operators_own(
    system: System, tenant: Tenant, operator_key: str
) -> None:
    records: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = system.call("GET", "/v1/activity", key=operator_key, query=cursor).json
        records += page["data"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert {one["subject"].partition("_")[0] for one in records} <= {
        "key",
        "brand",
        "deliveries",
        "events",
        "inbox",
        "rej",
    } | {one["subject"] for one in records if one["action"].startswith("contract.")}
    keys = [one for one in records if one["action"] == "api_key.created"]
    assert keys
    assert all(one["by"] == {"kind": "command", "operator": True} for one in keys)
    assert tenant.id not in str(records)


def test_what_is_refused_leaves_no_record(tenant: Tenant, receiver: Receiver) -> None:
    url = receiver.endpoint().url
    tenant.webhook(url)
    other = tenant.webhook(receiver.endpoint().url)
    before = activity(tenant)

    taken = {"name": "second", "url": url, "event_types": ["*"]}
    assert tenant.call("POST", "/v1/webhooks", taken).status == 409
    assert tenant.call("PATCH", f"/v1/webhooks/{other['id']}", {"url": url}).status == 409
    stale = {"name": "late", "version": 99}
    assert tenant.call("PATCH", f"/v1/webhooks/{other['id']}", stale).status == 412

    assert activity(tenant) == before


def test_a_change_whose_record_cannot_be_kept_is_not_made(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    before = system.items("ConfigTable")

    # An item that DynamoDB will not have, as its partition has no name.
    monkeypatch.setattr(activity_log, "activity_pk", lambda _: "")
    path = f"/v1/webhooks/{webhook['id']}"
    answers = [
        tenant.call("PATCH", path, {"name": "other"}),
        tenant.call("DELETE", path),
        tenant.call("POST", f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}),
    ]

    assert [one.status for one in answers] == [503, 503, 503]
    kept = [one for one in system.items("ConfigTable") if one["pk"]["S"].startswith(tenant.id)]
    assert kept == [one for one in before if one["pk"]["S"].startswith(tenant.id)]


def test_a_session_is_told_by_what_it_came_from(
    system: System, tenant: Tenant, browser: Browser, receiver: Receiver, operator_key: str
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    page = f"/console/webhooks/{webhook['id']}"
    path = f"/v1/accounts/{tenant.id}/console-links"
    link = system.call("POST", path, key=operator_key).json
    tenant_key = tenant.new_key("webhooks")

    def switched(action: str) -> Mapping[str, Any]:
        browser.submit(browser.get(page).form(f"{page}/{action}"))
        by: Mapping[str, Any] = activity(tenant)[-1]["by"]
        return by

    browser.sign_in(tenant_key)
    by_key = switched("disable")
    browser.sign_in(operator_key)
    enter(browser, tenant)
    by_operator = switched("enable")
    entering = browser.get(urlsplit(link["url"])._replace(scheme="", netloc="").geturl())
    browser.submit(entering.form("/console/enter"))
    by_link = switched("disable")

    assert (by_key["kind"], by_key["operator"]) == ("session", False)
    assert by_key["api_key_id"].startswith("key_")
    assert (by_operator["kind"], by_operator["operator"]) == ("session", True)
    assert by_operator["api_key_id"] != by_key["api_key_id"]
    assert by_link == {"kind": "session", "console_link_id": link["id"], "operator": False}


def test_it_is_kept_for_a_year_and_read_a_page_at_a_time(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    tenant.webhook(receiver.endpoint().url)
    for name in ("b", "c"):
        tenant.webhook(receiver.endpoint().url, name=name)

    first = tenant.get("/v1/activity", limit="2")
    second = tenant.get("/v1/activity", limit="2", cursor=first["next_cursor"])

    assert [one["name"] for one in first["data"]] == ["c", "b"]
    assert not {one["id"] for one in first["data"]} & {one["id"] for one in second["data"]}
    pk = f"{AccountId(tenant.id)}#activity"
    items = [item for item in system.items("ConfigTable") if item["pk"]["S"] == pk]
    for item in items:
        lives = int(item["expires_at"]["N"]) - int(item["at"]["N"]) // 1_000_000
        assert lives == KEPT_DAYS * 86_400


def test_the_page_says_it_in_words(
    system: System, tenant: Tenant, browser: Browser, receiver: Receiver, operator_key: str
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url, name="<b>CRM</b>")
    tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", {"batch_size": 10})
    browser.sign_in(tenant.key)

    page = browser.get("/console/activity")
    assert "Webhook changed" in page.text
    assert "<b>CRM</b>" in page.text
    assert "batch_size" in page.text
    only = browser.get(f"/console/activity?subject={webhook['id']}")
    assert "Account created" in page.text
    assert "Account created" not in only.text

    tenant_page = browser.get(f"/console/webhooks/{webhook['id']}")
    assert f"/console/activity?subject={webhook['id']}" in tenant_page.html
    path = f"/v1/accounts/{tenant.id}"
    system.call("PATCH", path, {"name": "Zylker"}, key=operator_key)
    assert "An operator, an operator's API key" in browser.get("/console/activity").text

    browser.sign_in(operator_key)
    enter(browser, tenant)
    assert "An operator, API key " in browser.get("/console/activity").text
    assert "API key key_" not in browser.get("/console/activity").text
    browser.submit(browser.get("/console/queues").form("/console/leave"))
    assert "An operator" not in browser.get("/console/activity").text.partition("Who")[0]
