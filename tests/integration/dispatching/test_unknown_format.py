"""A webhook of a format that this release does not know, as after a return to an older one."""

from typing import Any

import pytest

from tests.integration.browsing import Browser
from tests.integration.system import System, Tenant
from tests.receiver import Receiver

NEWER = "qualifio@2031-01-01"


@pytest.fixture
def webhook(system: System, tenant: Tenant, receiver: Receiver) -> dict[str, Any]:
    """One that a newer release has left behind."""
    webhook = tenant.webhook(receiver.endpoint().url, format="qualifio")
    (item,) = [one for one in system.items("ConfigTable") if webhook["id"] in str(one.get("sk"))]
    system.stack.client("dynamodb").update_item(
        TableName=system.stack.resources["ConfigTable"],
        Key={"pk": item["pk"], "sk": item["sk"]},
        UpdateExpression="SET #format = :newer",
        ExpressionAttributeNames={"#format": "format"},
        ExpressionAttributeValues={":newer": {"S": NEWER}},
    )
    return webhook


def test_the_other_webhooks_get_their_events_and_the_log_says_why_it_does_not(
    system: System, tenant: Tenant, receiver: Receiver, webhook: dict[str, Any]
) -> None:
    other = receiver.endpoint()
    tenant.webhook(other.url)

    tenant.post(tenant.an_event())
    system.route()
    system.dispatch()

    assert len(other.requests) == 1
    (entry,) = tenant.deliveries(webhook_id=webhook["id"])
    assert (entry["status"], entry["reason"]) == ("retrying", "format")


def test_the_api_still_shows_it_and_lets_it_be_switched_off(
    tenant: Tenant, webhook: dict[str, Any]
) -> None:
    path = f"/v1/webhooks/{webhook['id']}"

    assert [one["format"] for one in tenant.get("/v1/webhooks")["data"]] == [NEWER]
    assert tenant.call("PATCH", path, {"name": "Till"}).json["name"] == "Till"
    assert tenant.call("PATCH", path, {"batch_size": 2}).status == 422
    assert tenant.call("POST", f"{path}/rotate-secret", {}).status == 409
    assert tenant.call("POST", f"{path}/disable").status == 200
    assert tenant.call("DELETE", path).status == 204


def test_the_console_shows_it_on_every_page(
    system: System, tenant: Tenant, browser: Browser, webhook: dict[str, Any]
) -> None:
    browser.sign_in(tenant.key)
    tenant.post(tenant.an_event())
    system.route()
    system.dispatch()
    (entry,) = tenant.deliveries()
    path = f"/console/webhooks/{webhook['id']}"

    for page in ("/console/webhooks", path, f"{path}/edit", f"{path}/rotate", f"{path}/delete"):
        assert browser.get(page).status == 200
    assert "does not know the format" in browser.get(path).html
    assert browser.get(f"/console/log/{entry['id']}").status == 200
