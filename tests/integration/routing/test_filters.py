"""Filters: what a webhook wants of events of its types, from the API to its endpoint."""

from typing import Any

from tests.integration.system import System, Tenant, matched
from tests.invariant import check
from tests.receiver import Receiver

MANY = {"data": {"transaction": {"points": [{"numeric": [">=", 1000]}]}}}


def with_points(tenant: Tenant, points: int, event_type: str = "points.earned") -> dict[str, Any]:
    event = tenant.an_event(event_type)
    event["data"]["transaction"]["points"] = points
    return event


def test_only_what_fits_arrives_and_the_rest_reads_filtered(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint, everything = receiver.endpoint(), receiver.endpoint()
    webhook = tenant.webhook(endpoint.url, event_types=["points.*"], filter=MANY)
    other = tenant.webhook(everything.url)
    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["filter"] == MANY
    few, many, tier = tenant.post(
        with_points(tenant, 999),
        with_points(tenant, 1000),
        with_points(tenant, 5000, "tier.upgraded"),
    )

    system.route()
    system.dispatch()

    assert [one.event_ids for one in endpoint.requests] == [(many,)]
    became = {
        one["webhook_id"]: one["status"] for one in tenant.get(f"/v1/events/{few}")["deliveries"]
    }
    assert became == {webhook["id"]: "filtered", other["id"]: "succeeded"}
    assert len(tenant.get(f"/v1/events/{tier}")["deliveries"]) == 1
    requests = [*endpoint.requests, *everything.requests]
    check(tenant, {**matched([few, tier], other), **matched([many], webhook, other)}, requests)


def test_a_change_acts_on_what_is_routed_after_it(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    path = f"/v1/webhooks/{webhook['id']}"
    (sent,) = tenant.post(with_points(tenant, 1))
    system.route()
    assert tenant.call("PATCH", path, {"filter": MANY}).status == 200
    (kept_out,) = tenant.post(with_points(tenant, 2))
    system.route()
    assert tenant.call("PATCH", path, {"name": "Till"}).json["filter"] == MANY
    assert tenant.call("PATCH", path, {"filter": None}).json["filter"] is None
    (sent_again,) = tenant.post(with_points(tenant, 3))
    system.route()
    system.dispatch_all()

    arrived = {event_id for one in endpoint.requests for event_id in one.event_ids}
    assert arrived == {sent, sent_again}
    assert tenant.get(f"/v1/events/{kept_out}")["deliveries"] == [
        {"webhook_id": webhook["id"], "status": "filtered"}
    ]


def test_a_filter_is_tried_on_what_the_account_really_had(system: System, tenant: Tenant) -> None:
    posted = [tenant.post(with_points(tenant, points))[0] for points in (1000, 2000, 5)]
    tenant.post(tenant.an_event("tier.upgraded"))
    system.route()

    answer = tenant.call(
        "POST", "/v1/webhooks/filter-preview", {"event_types": ["points.*"], "filter": MANY}
    )

    assert answer.status == 200
    seen = answer.json
    assert (seen["events"], seen["matched"], seen["complete"]) == (3, 2, True)
    assert [one["id"] for one in seen["first"]] == [posted[1], posted[0]]
    assert (seen["unmatched"]["id"], seen["unmatched"]["found"]) == (posted[2], ["5"])
