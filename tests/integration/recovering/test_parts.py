"""A batch that is too large for its endpoint, until the webhook is told so."""

from tests.integration.recovering.test_sending_again import retry
from tests.integration.system import System, Tenant, matched
from tests.invariant import check
from tests.receiver import Receiver


def test_a_retry_of_what_was_too_large_arrives_in_parts(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(413)
    webhook = tenant.webhook(endpoint.url, batch_size=10)
    event_ids = tenant.post(*tenant.some_events(5))
    system.route()
    system.dispatch_all()
    (whole,) = tenant.deliveries()
    assert whole["status"] == "failed"
    refused = len(endpoint.requests)

    endpoint.answer(200)
    tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", {"batch_size": 2})
    (result,) = retry(tenant, whole["id"])
    system.dispatch_all()

    assert result["status"] == 202
    arrived = endpoint.requests[refused:]
    assert sorted(len(request.event_ids) for request in arrived) == [1, 2, 2]
    shown = tenant.delivery(whole["id"])
    assert shown is not None
    assert (shown["status"], shown["reason"]) == ("cancelled", "split")
    assert sorted(shown["parts"]) == sorted(request.webhook_id for request in arrived)
    statuses = {one["id"]: one["status"] for one in tenant.deliveries()}
    assert [statuses[part] for part in shown["parts"]] == ["succeeded"] * 3
    check(tenant, matched(event_ids, webhook), arrived)
    assert retry(tenant, whole["id"])[0]["status"] == 409
