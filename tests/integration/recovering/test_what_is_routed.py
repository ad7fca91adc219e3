"""What is routed is delivered: retries and jobs keep to it, whatever the webhook wants now."""

from typing import Any

import pytest

from tests.integration.jobs.test_jobs import run, start
from tests.integration.system import System, Tenant
from tests.receiver import Receiver

LESS: list[dict[str, Any]] = [
    {"event_types": ["tier.upgraded"]},
    {"program_ids": ["gold"]},
    {"batch_size": 1},
]


@pytest.mark.parametrize("change", LESS)
@pytest.mark.parametrize("way", ["queued", "retry", "retry-failed"])
def test_a_change_of_what_is_wanted_acts_on_what_is_routed_after_it(
    system: System, tenant: Tenant, receiver: Receiver, change: dict[str, Any], way: str
) -> None:
    endpoint = receiver.endpoint(*([] if way == "queued" else [500]))
    webhook = tenant.webhook(endpoint.url, event_types=["points.earned"], batch_size=3)
    event_ids = tenant.post(*(tenant.an_event("points.earned") for _ in range(2)))
    system.route()
    if way != "queued":
        system.dispatch_all()
        endpoint.answer(200)
    before = len(endpoint.requests)
    assert tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", change).status == 200

    if way == "retry":
        (failed,) = tenant.deliveries()
        assert tenant.call("POST", "/v1/deliveries/retry", {"ids": [failed["id"]]}).status == 200
    elif way == "retry-failed":
        run(tenant, start(tenant, webhook, "retry-failed"))
    system.dispatch()

    (request,) = endpoint.requests[before:]
    assert request.event_ids == tuple(event_ids)
    assert [one["status"] for one in tenant.deliveries()] == ["succeeded"]
    if "batch_size" not in change:
        tenant.post(tenant.an_event("points.earned"))
        system.route()
        assert system.messages("DeliveryQueue") == []
