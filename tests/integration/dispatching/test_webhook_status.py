"""Webhooks that are gone, changed, paused and enabled again, and what is queued for them."""

from typing import Any

import pytest

import dispatcher.app
from perkwire.primitives.timestamps import now
from tests.integration.dispatching.deliveries import attempts_of, route
from tests.integration.system import System, Tenant, matched
from tests.invariant import check
from tests.receiver import Receiver

ELEVEN_MINUTES = 11 * 60 * 1_000_000


@pytest.mark.parametrize(("change", "reason"), [("disable", "disabled"), ("delete", "deleted")])
def test_what_is_queued_for_a_webhook_that_is_gone_is_cancelled(
    change: str, reason: str, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    event_ids = route(system, tenant)
    path = f"/v1/webhooks/{webhook['id']}"
    if change == "disable":
        assert tenant.call("PATCH", path, {"enabled": False}).status == 200
    else:
        assert tenant.call("DELETE", path).status == 204

    polled = system.dispatch()

    assert (len(polled.messages), polled.left) == (1, [])
    assert endpoint.requests == []
    (delivery,) = tenant.deliveries(status="cancelled")
    assert (delivery["reason"], delivery["attempts"]) == (reason, [])
    check(tenant, matched(event_ids, webhook))


def test_a_change_acts_on_what_is_queued(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    old, new = receiver.endpoint(500), receiver.endpoint()
    webhook = tenant.webhook(old.url, headers={"x-shop": "the-old-token"})
    (event_id,) = route(system, tenant)
    system.dispatch().return_at_once()
    change = {"url": new.url, "headers": {"x-till": "the-new-token"}, "batch_size": 5}

    assert tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", change).status == 200
    system.dispatch()

    (first,), (second,) = old.requests, new.requests
    assert second.webhook_id == first.webhook_id
    assert second.event_ids == (event_id,)
    assert "x-shop" not in second.headers
    assert second.headers["x-till"] == "the-new-token"
    assert second.verified(webhook["secret"])["type"] == "batch"
    system.secrets.add("the-new-token")


def test_a_410_pauses_at_once_and_what_is_queued_fails(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(410, 200)
    webhook = tenant.webhook(endpoint.url)
    (first,) = route(system, tenant)
    system.dispatch().return_at_once()

    shown = tenant.get(f"/v1/webhooks/{webhook['id']}")
    assert (shown["status"], shown["paused"]["reason"]) == ("paused", "gone")
    polled = system.dispatch()

    assert (len(polled.messages), polled.left) == (1, [])
    assert len(endpoint.requests) == 1
    (delivery,) = tenant.deliveries(status="failed")
    assert (delivery["reason"], attempts_of(delivery)) == ("paused", [(1, 410)])
    check(tenant, matched([first], webhook), endpoint.requests)


def test_an_enabled_webhook_is_sent_to_again(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(410, 200)
    webhook = tenant.webhook(endpoint.url)
    route(system, tenant)
    system.dispatch()
    system.empty_queues()

    shown = tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", {"enabled": True})
    (event_id,) = route(system, tenant)
    system.dispatch()

    assert (shown.json["status"], shown.json["paused"]) == ("enabled", None)
    assert endpoint.requests[-1].event_ids == (event_id,)


def test_failures_in_a_row_pause_only_after_ten_minutes_without_success(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    path = f"/v1/webhooks/{webhook['id']}"

    def at(later: int) -> None:
        monkeypatch.setattr(dispatcher.app, "now", lambda: now() + later)
        system.cold_start("dispatcher")

    system.restart(PAUSE_AFTER_FAILURES="4")
    at(-ELEVEN_MINUTES)
    route(system, tenant, *tenant.some_events(5))
    system.dispatch()
    assert tenant.get(path)["status"] == "enabled"

    at(0)
    system.empty_queues()
    route(system, tenant)
    system.dispatch()
    shown = tenant.get(path)
    monkeypatch.undo()
    assert (shown["status"], shown["paused"]["reason"]) == ("paused", "failures")


def test_a_success_ends_the_row_of_failures(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500, 500, 200, 500)
    webhook = tenant.webhook(endpoint.url)
    route(system, tenant)

    def health() -> list[dict[str, Any]]:
        items = system.items("ConfigTable")
        return [item for item in items if item["pk"]["S"] == f"health#{tenant.id}"]

    system.dispatch().return_at_once()
    system.dispatch().return_at_once()
    (failing,) = health()
    system.dispatch()
    (well,) = health()

    assert failing["failures"] == {"N": "2"}
    assert "failures" not in well
    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["status"] == "enabled"


def test_the_first_used_up_delivery_pauses_if_so_asked(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    system.restart(PAUSE_WHEN_EXHAUSTED="true")
    webhook = tenant.webhook(receiver.endpoint(500).url)
    route(system, tenant)

    system.dispatch_all()

    shown = tenant.get(f"/v1/webhooks/{webhook['id']}")
    assert (shown["status"], shown["paused"]["reason"]) == ("paused", "exhausted")
