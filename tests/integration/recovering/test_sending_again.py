"""A person's hand: enable, disable, rotate, retry, redrive; and the list of events."""

import time
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from tests.integration.system import System, Tenant, matched, until
from tests.invariant import check
from tests.receiver import Endpoint, Receiver


def deliver(system: System, tenant: Tenant, count: int = 1) -> list[str]:
    """Post events and give each delivery all its attempts."""
    event_ids = tenant.post(*tenant.some_events(count))
    system.route()
    system.dispatch_all()
    return event_ids


def retry(tenant: Tenant, *ids: str) -> list[dict[str, Any]]:
    answer = tenant.call("POST", "/v1/deliveries/retry", {"ids": [*ids]})
    assert answer.status == 200, answer
    results: list[dict[str, Any]] = answer.json["data"]
    return results


def test_a_disabled_webhook_gets_nothing_until_it_is_enabled(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    path = f"/v1/webhooks/{webhook['id']}"

    disabled = tenant.call("POST", f"{path}/disable")
    deliver(system, tenant)
    enabled = tenant.call("POST", f"{path}/enable")
    (event_id,) = deliver(system, tenant)

    assert (disabled.status, disabled.json["status"]) == (200, "disabled")
    assert (enabled.status, enabled.json["status"]) == (200, "enabled")
    assert [request.event_ids for request in endpoint.requests] == [(event_id,)]


def test_enable_ends_a_pause(system: System, tenant: Tenant, receiver: Receiver) -> None:
    endpoint = receiver.endpoint(410, 200)
    webhook = tenant.webhook(endpoint.url)
    deliver(system, tenant)
    path = f"/v1/webhooks/{webhook['id']}"
    assert tenant.get(path)["status"] == "paused"

    shown = tenant.call("POST", f"{path}/enable").json

    assert (shown["status"], shown["paused"]) == ("enabled", None)


def refused(endpoint: Endpoint, secret: str) -> bool:
    try:
        endpoint.requests[-1].verified(secret)
    except WebhookVerificationError:
        return True
    return False


def test_both_secrets_sign_after_a_rotation(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)

    rotated = tenant.call("POST", f"/v1/webhooks/{webhook['id']}/rotate-secret")
    system.secrets.add(rotated.json["secret"])
    deliver(system, tenant)

    assert rotated.status == 200
    assert rotated.json["secret"] != webhook["secret"]
    endpoint.requests[-1].verified(webhook["secret"])
    endpoint.requests[-1].verified(rotated.json["secret"])


def test_without_an_overlap_the_old_secret_is_gone_at_once(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)

    body = {"overlap_hours": 0}
    rotated = tenant.call("POST", f"/v1/webhooks/{webhook['id']}/rotate-secret", body)
    system.secrets.add(rotated.json["secret"])
    deliver(system, tenant)

    assert refused(endpoint, webhook["secret"])
    endpoint.requests[-1].verified(rotated.json["secret"])


def test_a_failed_delivery_is_retried_under_its_id(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    event_ids = deliver(system, tenant)
    (failed,) = tenant.deliveries(status="failed")
    endpoint.answer(200)

    results = retry(tenant, failed["id"])
    handed_over = tenant.delivery(failed["id"])
    again = retry(tenant, failed["id"])
    system.dispatch_all()

    assert [result["status"] for result in results] == [202]
    assert handed_over is not None
    assert handed_over["status"] == "retrying"
    assert [result["status"] for result in again] == [409]
    found = tenant.delivery(failed["id"])
    assert found is not None
    assert found["status"] == "succeeded"
    assert [one["number"] for one in found["attempts"]] == [1, 2, 3, 4]
    assert {request.webhook_id for request in endpoint.requests} == {failed["id"]}
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_each_id_of_a_retry_has_an_answer_of_its_own(
    system: System, tenant: Tenant, another_tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    tenant.webhook(endpoint.url)
    deliver(system, tenant)
    (failed,) = tenant.deliveries(status="failed")
    endpoint.answer(200)
    deliver(system, tenant)
    (succeeded,) = tenant.deliveries(status="succeeded")

    results = retry(tenant, succeeded["id"], "dlv_nothing", failed["id"])
    foreign = retry(another_tenant, failed["id"])

    assert [result["status"] for result in results] == [409, 404, 202]
    assert [result["status"] for result in foreign] == [404]


def test_a_delivery_of_a_paused_webhook_is_retried_once_it_is_enabled(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(410, 200)
    webhook = tenant.webhook(endpoint.url)
    event_ids = deliver(system, tenant)
    event_ids += deliver(system, tenant)
    paused = [one for one in tenant.deliveries() if one.get("reason") == "paused"]
    assert paused

    refused_now = retry(tenant, paused[0]["id"])
    tenant.call("POST", f"/v1/webhooks/{webhook['id']}/enable")
    results = retry(tenant, *(one["id"] for one in paused))
    system.dispatch_all()

    assert [result["status"] for result in refused_now] == [409]
    assert {result["status"] for result in results} == {202}
    assert len(tenant.deliveries(status="succeeded")) == len(paused)
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_a_redrive_brings_dead_letters_back(
    system: System, tenant: Tenant, operator_key: str, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    event_ids = deliver(system, tenant, 3)
    assert len(tenant.dead()) == 3
    endpoint.answer(200)

    body = {"queue": "deliveries", "max_per_second": 100}
    started = system.call("POST", "/v1/redrives", body, key=operator_key)
    until(lambda: not tenant.dead(), "the dead letters have moved")
    listed = system.call("GET", "/v1/redrives", key=operator_key)
    system.dispatch_all()

    assert (started.status, started.json["status"]) == (201, "running")
    assert [one["queue"] for one in listed.json["data"]][:1] == ["deliveries"]
    assert len(tenant.deliveries(status="succeeded")) == 3
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_one_redrive_of_a_queue_runs_until_it_is_cancelled(
    system: System, tenant: Tenant, operator_key: str, receiver: Receiver
) -> None:
    tenant.webhook(receiver.endpoint(500).url)
    deliver(system, tenant, 10)
    body = {"queue": "deliveries", "max_per_second": 1}
    assert system.call("POST", "/v1/redrives", body, key=operator_key).status == 201

    second = system.call("POST", "/v1/redrives", body, key=operator_key)
    query = {"queue": "deliveries"}
    cancelled = system.call("DELETE", "/v1/redrives", key=operator_key, query=query)

    assert second.status == 409
    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelling")

    def nothing_runs() -> bool:
        answer = system.call("DELETE", "/v1/redrives", key=operator_key, query=query)
        return answer.status == 404

    until(nothing_runs, "the redrive has stopped")


def test_a_redrive_is_no_accounts_business(tenant: Tenant) -> None:
    assert tenant.call("POST", "/v1/redrives", {"queue": "deliveries"}).status == 403
    assert tenant.call("GET", "/v1/redrives").status == 403


@pytest.mark.parametrize("limit", ["1", "2", "50"])
def test_events_are_listed_newest_first(system: System, tenant: Tenant, limit: str) -> None:
    event_ids = []
    for _ in range(3):
        event_ids += tenant.post(tenant.an_event())
        # Each in a microsecond of its own: the order of one moment is not promised.
        time.sleep(0.001)
    upgrade = tenant.post(tenant.an_event("tier.upgraded"))
    system.route()

    found = list_events(tenant, limit)
    upgrades = list_events(tenant, limit, type="tier.upgraded")

    assert found == [*upgrade, *reversed(event_ids)]
    assert upgrades == upgrade


def list_events(tenant: Tenant, limit: str, **query: str) -> list[str]:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = tenant.get("/v1/events", limit=limit, **query, **cursor)
        found += [event["id"] for event in page["data"]]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}
