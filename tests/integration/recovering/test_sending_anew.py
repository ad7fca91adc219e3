"""What has arrived is sent again, and what one webhook got goes to another."""

from typing import Any

import pytest

from tests.integration.system import System, Tenant
from tests.receiver import Endpoint, Receiver

RETRY = "/v1/deliveries/retry"


@pytest.fixture
def endpoint(receiver: Receiver) -> Endpoint:
    return receiver.endpoint(200)


def delivered(system: System, tenant: Tenant) -> str:
    """The id of the delivery of one event, to the only webhook, that has succeeded."""
    tenant.post(*tenant.some_events(1))
    system.route()
    system.dispatch_all()
    (delivery,) = tenant.deliveries(status="succeeded")
    return str(delivery["id"])


def again(tenant: Tenant, delivery_id: str, **members: object) -> dict[str, Any]:
    answer = tenant.call("POST", RETRY, {"ids": [delivery_id], **members})
    assert answer.status == 200, answer
    (result,) = answer.json["data"]
    return dict(result)


def test_what_has_succeeded_is_sent_again_under_its_own_id(
    system: System, tenant: Tenant, endpoint: Endpoint
) -> None:
    webhook = tenant.webhook(endpoint.url)
    delivery_id = delivered(system, tenant)
    assert again(tenant, delivery_id)["status"] == 409

    result = again(tenant, delivery_id, resend=True)
    waiting = tenant.get(f"/v1/deliveries/{delivery_id}")
    system.dispatch_all()

    assert result == {"id": delivery_id, "status": 202}
    assert waiting["status"] == "retrying"
    first, second = endpoint.requests
    second.verified(webhook["secret"])
    assert second.headers["webhook-id"] == first.headers["webhook-id"] == delivery_id
    assert second.body == first.body
    shown = tenant.get(f"/v1/deliveries/{delivery_id}")
    assert (shown["status"], [one.get("run") for one in shown["attempts"]]) == (
        "succeeded",
        [None, 1],
    )


def test_sent_again_in_vain_it_has_failed_and_can_be_retried(
    system: System, tenant: Tenant, endpoint: Endpoint
) -> None:
    tenant.webhook(endpoint.url)
    delivery_id = delivered(system, tenant)
    endpoint.answer(500)

    again(tenant, delivery_id, resend=True)
    system.dispatch_all()
    assert tenant.get(f"/v1/deliveries/{delivery_id}")["status"] == "failed"

    endpoint.answer(200)
    assert again(tenant, delivery_id)["status"] == 202
    system.dispatch_all()
    assert tenant.get(f"/v1/deliveries/{delivery_id}")["status"] == "succeeded"


def test_the_same_event_goes_to_another_webhook_once(
    system: System, tenant: Tenant, endpoint: Endpoint, receiver: Receiver
) -> None:
    tenant.webhook(endpoint.url)
    delivery_id = delivered(system, tenant)
    other_endpoint = receiver.endpoint(200)
    other = tenant.webhook(other_endpoint.url, format="zinrelo")

    result = again(tenant, delivery_id, webhook_id=other["id"])
    system.dispatch_all()
    repeated = again(tenant, delivery_id, webhook_id=other["id"])
    system.dispatch_all()

    (sent_as,) = result["sent_as"]
    assert repeated == result == {"id": delivery_id, "status": 202, "sent_as": [sent_as]}
    (request,) = other_endpoint.requests
    assert "x-zinrelo-signature" in request.headers
    shown = tenant.get(f"/v1/deliveries/{sent_as}")
    assert (shown["status"], shown["webhook_id"]) == ("succeeded", other["id"])
    assert shown["event_ids"] == tenant.get(f"/v1/deliveries/{delivery_id}")["event_ids"]
    assert len(endpoint.requests) == 1
    (event_id,) = shown["event_ids"]
    became = tenant.get(f"/v1/events/{event_id}")["deliveries"]
    assert [(one["id"], one["status"]) for one in became] == [
        (delivery_id, "succeeded"),
        (sent_as, "succeeded"),
    ]


def test_a_webhook_gets_nothing_that_it_does_not_want(
    system: System, tenant: Tenant, endpoint: Endpoint
) -> None:
    own = tenant.webhook(endpoint.url)
    delivery_id = delivered(system, tenant)
    unwanted = tenant.webhook("https://a.example/", event_types=["reward.redeemed"])
    disabled = tenant.webhook("https://b.example/", enabled=False)
    filtered = tenant.webhook(
        "https://c.example/", filter={"data": {"no-such": [{"exists": True}]}}
    )

    told = {
        one["id"]: again(tenant, delivery_id, webhook_id=one["id"])
        for one in (own, unwanted, disabled, filtered)
    }

    assert {one["status"] for one in told.values()} == {409}
    assert "wants none of its events" in told[unwanted["id"]]["detail"]
    assert "wants none of its events" in told[filtered["id"]]["detail"]
    assert "enable it first" in told[disabled["id"]]["detail"]
    assert "send it again instead" in told[own["id"]]["detail"]
    system.dispatch_all()
    assert len(endpoint.requests) == 1
