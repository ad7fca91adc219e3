"""GET /v1/webhooks/{id}/pull, from the router's write to the answer."""

import json
import time
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from tests.integration.dispatching.deliveries import route
from tests.integration.pulling.conftest import Lambda, Puller
from tests.integration.system import System, Tenant, matched
from tests.invariant import check

pytestmark = pytest.mark.usefixtures("client")


def ids(pulled: list[dict[str, Any]]) -> list[str]:
    """Of the events of requests with one each."""
    return [json.loads(one["body"])["id"] for one in pulled]


def statuses(tenant: Tenant) -> list[str]:
    return sorted(one["status"] for one in tenant.deliveries())


def test_what_waits_is_pulled_signed_in_the_order_of_routing(
    system: System, tenant: Tenant
) -> None:
    puller = Puller(tenant, headers={"X-Shop": "shop-7-token"})
    first = route(system, tenant, *tenant.some_events(3))
    second = route(system, tenant)
    assert system.bodies("DeliveryQueue") == []
    assert statuses(tenant) == ["waiting"] * 4
    check(tenant, matched([*first, *second], puller.webhook))

    pulled = puller.pull()

    assert sorted(ids(pulled)[:3]) == sorted(first)
    assert ids(pulled)[3:] == second
    for one in pulled:
        body = one["body"].encode()
        Verifier(puller.webhook["secret"]).verify(body, one["headers"])
        assert one["headers"]["webhook-id"] == one["delivery_id"]
        assert one["headers"]["X-Shop"] == "shop-7-token"
        assert one["headers"]["content-type"] == "application/json"
        assert abs(int(one["headers"]["webhook-timestamp"]) - time.time()) < 60


def test_asking_behind_a_place_says_that_all_before_has_been_taken(
    system: System, tenant: Tenant
) -> None:
    puller = Puller(tenant)
    route(system, tenant, *tenant.some_events(3))
    given = puller.pull(limit="2")
    assert len(given) == 2
    assert statuses(tenant) == ["waiting"] * 3

    assert len(puller.pull(limit="2")) == 1

    assert statuses(tenant) == ["pulled", "pulled", "waiting"]
    assert puller.pull() == []
    assert statuses(tenant) == ["pulled"] * 3
    assert [one["status"] for one in tenant.deliveries(status="pulled")] == ["pulled"] * 3
    event = tenant.event(json.loads(given[0]["body"])["id"])
    assert event is not None
    assert [one["status"] for one in event["deliveries"]] == ["pulled"]


def test_whoever_has_lost_his_place_gets_what_has_not_been_taken(
    system: System, tenant: Tenant
) -> None:
    puller = Puller(tenant)
    route(system, tenant, *tenant.some_events(3))
    first = puller.pull(limit="1")
    second = puller.pull(limit="2")
    puller.cursor = None

    again = puller.pull()

    assert [one["delivery_id"] for one in again] == [one["delivery_id"] for one in second]
    assert [one["body"] for one in again] == [one["body"] for one in second]
    puller.cursor = "0"
    assert [one["delivery_id"] for one in puller.pull(limit="1")] == [first[0]["delivery_id"]]
    assert statuses(tenant) == ["pulled", "waiting", "waiting"]


def test_a_repeat_of_a_message_waits_once(system: System, tenant: Tenant) -> None:
    puller = Puller(tenant, batch_size=2)
    tenant.post(*tenant.some_events(3))
    (message,) = system.bodies("EventQueue")
    system.route()
    system.sqs.send_message(QueueUrl=system.queue("EventQueue"), MessageBody=message)

    system.route()

    assert [len(json.loads(one["body"])["data"].get("events", [1])) for one in puller.pull()] == [
        2,
        1,
    ]
    assert puller.pull() == []


def test_more_than_a_transaction_takes_waits_in_several_pages(
    system: System, tenant: Tenant
) -> None:
    puller = Puller(tenant)
    posted = tenant.post(*tenant.some_events(100))
    system.route()

    pulled = puller.pull(limit="60")
    pulled += puller.pull(limit="60")

    assert sorted(ids(pulled)) == sorted(posted)


def test_a_cursor_that_nobody_has_given_takes_nothing(system: System, tenant: Tenant) -> None:
    puller = Puller(tenant)
    route(system, tenant)

    for query in ({"after": "2"}, {"after": "-1"}, {"after": "x"}, {"after": "9" * 40}):
        answer = tenant.call("GET", puller.path, query=query)
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, "after")
    for query in ({"wait_seconds": "21"}, {"limit": "0"}, {"cursor": "1"}, {"before": "1"}):
        answer = tenant.call("GET", puller.path, query=query)
        assert (answer.status, [one["field"] for one in answer.json["errors"]]) == (422, [*query])
    assert statuses(tenant) == ["waiting"]


def test_it_cannot_be_pulled_while_it_is_disabled_and_goes_on_afterwards(
    system: System, tenant: Tenant
) -> None:
    puller = Puller(tenant)
    before = route(system, tenant)
    path = f"/v1/webhooks/{puller.webhook['id']}"
    tenant.call("POST", f"{path}/disable")
    route(system, tenant)

    assert tenant.call("GET", puller.path).status == 409
    assert tenant.call("POST", f"{path}/enable").status == 200

    assert ids(puller.pull()) == before


def test_what_waits_for_a_webhook_that_is_deleted_is_cancelled(
    system: System, tenant: Tenant
) -> None:
    puller = Puller(tenant)
    route(system, tenant, *tenant.some_events(2))
    puller.pull(limit="1")
    puller.pull(limit="1")

    assert tenant.call("DELETE", f"/v1/webhooks/{puller.webhook['id']}").status == 204

    assert tenant.call("GET", puller.path).status == 404
    listed = tenant.deliveries(webhook_id=puller.webhook["id"])
    assert sorted((one["status"], one.get("reason")) for one in listed) == [
        ("cancelled", "deleted"),
        ("pulled", None),
    ]


def test_what_has_been_pulled_waits_again_if_that_is_asked_for(
    system: System, tenant: Tenant
) -> None:
    puller = Puller(tenant)
    route(system, tenant, *tenant.some_events(2))
    first, _ = puller.pull()
    assert puller.pull() == []
    asked = {"ids": [first["delivery_id"]]}
    refused = tenant.call("POST", "/v1/deliveries/retry", asked).json["data"]
    assert [one["status"] for one in refused] == [409]

    sent = tenant.call("POST", "/v1/deliveries/retry", {**asked, "resend": True}).json["data"]

    assert [one["status"] for one in sent] == [202]
    assert statuses(tenant) == ["pulled", "waiting"]
    (again,) = puller.pull()
    assert (again["delivery_id"], again["body"]) == (first["delivery_id"], first["body"])
    assert puller.pull() == []


def test_a_secret_that_cannot_be_opened_passes_nothing_over(
    system: System, tenant: Tenant, client: Lambda
) -> None:
    puller = Puller(tenant)
    posted = route(system, tenant)
    client.fault = {"failed": "unavailable"}
    assert tenant.call("GET", puller.path).status == 503
    client.fault = None

    assert ids(puller.pull()) == posted


def test_a_posted_webhook_cannot_be_pulled_nor_a_pulled_one_tested(
    system: System, tenant: Tenant
) -> None:
    webhook = tenant.webhook("https://till.example/hook")
    puller = Puller(tenant)

    assert tenant.call("GET", f"/v1/webhooks/{webhook['id']}/pull").status == 409
    assert tenant.call("POST", f"/v1/webhooks/{puller.webhook['id']}/test").status == 409


def test_which_of_the_two_a_webhook_is_made_as_it_stays(tenant: Tenant) -> None:
    puller = Puller(tenant)
    webhook = tenant.webhook("https://till.example/hook")
    assert (webhook["delivery"], puller.webhook["delivery"]) == ("post", "pull")
    assert puller.webhook["url"] is None
    path = f"/v1/webhooks/{puller.webhook['id']}"

    def wrong(method: str, path: str, **body: object) -> list[str]:
        answer = tenant.call(method, path, body)
        assert answer.status == 422, answer
        return [one["field"] for one in answer.json["errors"]]

    assert wrong("PATCH", path, delivery="post") == ["delivery"]
    assert wrong("PATCH", path, url="https://till.example/2") == ["url"]
    assert wrong("PATCH", f"/v1/webhooks/{webhook['id']}", delivery="pull") == ["delivery"]
    new = {"name": "till", "event_types": ["*"]}
    assert wrong("POST", "/v1/webhooks", **new, delivery="fetch", url="https://a.example/") == [
        "delivery"
    ]
    assert wrong("POST", "/v1/webhooks", **new, delivery="pull", url="https://a.example/") == [
        "url"
    ]
    kept = tenant.call("PATCH", path, {"name": "other", "delivery": "pull", "url": None})
    assert (kept.status, kept.json["name"], kept.json["delivery"]) == (200, "other", "pull")


def test_a_key_of_the_scope_pull_is_for_one_webhook_and_nothing_else(
    system: System, tenant: Tenant
) -> None:
    puller, other = Puller(tenant), Puller(tenant)
    posted = tenant.webhook("https://till.example/hook")
    keys = "/v1/account/api-keys"

    def made(**body: object) -> Any:  # noqa: ANN401 - whatever was answered
        return tenant.call("POST", keys, {"name": "till", "scopes": ["pull"], **body})

    assert made().status == 422
    assert made(webhook_id=posted["id"]).status == 422
    assert made(webhook_id="wh_0000000000000000").status == 422
    assert made(webhook_id=puller.webhook["id"], scopes=["pull", "events"]).status == 422
    answer = made(webhook_id=puller.webhook["id"], expires_in_hours=1)
    assert answer.status == 201, answer
    assert answer.json["webhook_id"] == puller.webhook["id"]
    assert answer.json["expires_at"] > answer.json["created_at"]
    key = answer.json["key"]
    system.secrets.add(key)

    assert system.call("GET", puller.path, key=key).status == 200
    assert system.call("GET", other.path, key=key).status == 403
    for method, path in (
        ("GET", "/v1/webhooks"),
        ("GET", f"/v1/webhooks/{puller.webhook['id']}"),
        ("GET", "/v1/deliveries"),
        ("POST", "/v1/events"),
        ("GET", keys),
    ):
        body = {"type": "points.earned", "data": {}} if method == "POST" else None
        assert system.call(method, path, body, key=key).status == 403, path
    listed = tenant.get(f"{keys}/{answer.json['id']}")
    assert (listed["scopes"], listed["webhook_id"]) == (["pull"], puller.webhook["id"])


def test_a_release_before_takes_it_for_paused(system: System, tenant: Tenant) -> None:
    """It sends nothing then, and logs what the webhook gets as failed, to be retried."""
    puller = Puller(tenant)

    (item,) = [
        one
        for one in system.items("ConfigTable")
        if one["sk"]["S"] == f"webhook#{puller.webhook['id']}"
    ]

    assert item["status"]["S"] == "paused"
    assert tenant.get(f"/v1/webhooks/{puller.webhook['id']}")["status"] == "enabled"
