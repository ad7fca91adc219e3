"""Jobs with the real handlers: retry what failed, replay, watch, cancel, and a worker that dies."""

from collections import Counter
from typing import Any

import pytest

from perkwire.primitives.timestamps import MICROSECONDS, now, to_rfc3339
from tests.integration.system import Response, System, Tenant, matched, until
from tests.integration.test_crash import crash
from tests.invariant import check
from tests.receiver import Receiver

LONG_AGO = to_rfc3339(now() - 3_600 * MICROSECONDS)


def queued_deliveries(system: System) -> list[dict[str, Any]]:
    """What waits in both lanes: a webhook of which much has failed is strained."""
    return system.messages("DeliveryQueue") + system.messages("SlowDeliveryQueue")


def ask(tenant: Tenant, webhook: dict[str, Any], kind: str, **members: object) -> Response:
    path = f"/v1/webhooks/{webhook['id']}/{kind}"
    return tenant.call("POST", path, {"since": LONG_AGO, **members})


def start(tenant: Tenant, webhook: dict[str, Any], kind: str, **members: object) -> str:
    answer = ask(tenant, webhook, kind, **members)
    assert answer.status == 202, answer
    assert answer.json["status"] == "queued"
    job_id: str = answer.json["id"]
    return job_id


def run(tenant: Tenant, job_id: str) -> dict[str, Any]:
    """Invoke the function for each turn until the job has ended; the job."""

    def has_ended() -> bool:
        assert tenant.system.poll("JobQueue", "jobs", most=1).left == []
        return tenant.get(f"/v1/jobs/{job_id}")["status"] not in ("queued", "running")

    until(has_ended, "the job has ended", 30)
    ended: dict[str, Any] = tenant.get(f"/v1/jobs/{job_id}")
    return ended


def counts(job: dict[str, Any]) -> tuple[str, int | None, int, int]:
    return job["status"], job["total"], job["sent"], job["skipped"]


def some_that_failed(system: System, tenant: Tenant, count: int) -> list[str]:
    event_ids = tenant.post(*tenant.some_events(count))
    system.route()
    system.dispatch_all()
    return event_ids


def test_all_that_failed_is_sent_again_and_arrives(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    event_ids = some_that_failed(system, tenant, 25)
    assert len(system.messages("DeadLetterQueue")) == 25
    endpoint.answer(200)
    arrived = tenant.post(tenant.an_event())
    system.route()
    system.dispatch_all()

    dry = ask(tenant, webhook, "retry-failed", dry_run=True)
    assert (dry.status, dry.json["total"], dry.json["complete"]) == (202, 25, True)
    job = run(tenant, start(tenant, webhook, "retry-failed"))

    assert counts(job) == ("done", 25, 25, 0)
    assert {message["run"] for message in queued_deliveries(system)} == {1}
    assert len(tenant.deliveries(status="retrying")) == 25
    check(tenant, matched([*event_ids, *arrived], webhook), endpoint.requests)
    system.dispatch_all()
    assert len(tenant.deliveries(status="succeeded")) == 26
    check(tenant, matched([*event_ids, *arrived], webhook), endpoint.requests)
    assert ask(tenant, webhook, "retry-failed", dry_run=True).json["total"] == 0


def test_a_replay_fills_a_new_webhook_with_events_from_before_it(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    earned = tenant.post(*tenant.some_events(9))
    tenant.post(tenant.an_event("tier.upgraded"))
    system.route()
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url, batch_size=4)

    assert ask(tenant, webhook, "replay", dry_run=True).json["total"] == 10
    asked = {"event_types": ["points.earned"]}
    assert ask(tenant, webhook, "replay", dry_run=True, **asked).json["total"] == 9
    job = run(tenant, start(tenant, webhook, "replay", **asked))
    system.dispatch_all()

    assert counts(job) == ("done", 9, 9, 0)
    # Side by side, so in any order.
    assert sorted(len(request.event_ids) for request in endpoint.requests) == [1, 4, 4]
    assert sorted(one for request in endpoint.requests for one in request.event_ids) == sorted(
        earned
    )
    for request in endpoint.requests:
        request.verified(webhook["secret"])
    assert len(tenant.deliveries(status="succeeded")) == 3


def test_a_replay_does_not_touch_what_events_became(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    event_ids = tenant.post(*tenant.some_events(3))
    system.route()
    system.dispatch_all()

    run(tenant, start(tenant, webhook, "replay"))
    system.dispatch_all()

    ids = [request.webhook_id for request in endpoint.requests]
    assert len(set(ids)) == 6
    assert Counter(
        one for request in endpoint.requests for one in request.event_ids
    ) == dict.fromkeys(event_ids, 2)
    became = [tenant.get(f"/v1/events/{one}")["deliveries"][0]["id"] for one in event_ids]
    assert sorted(became) == sorted(ids[:3])


def test_a_job_takes_many_turns_at_its_rate(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    event_ids = tenant.post(*tenant.some_events(30))
    system.route()
    system.sqs.purge_queue(QueueUrl=system.queue("DeliveryQueue"))

    begun = now()
    job = run(tenant, start(tenant, webhook, "replay", per_second=10))
    took = (now() - begun) / MICROSECONDS

    assert counts(job) == ("done", 30, 30, 0)
    sent = [event["id"] for one in queued_deliveries(system) for event in one["events"]]
    assert sorted(sent) == sorted(event_ids)
    assert took > 1.5, "30 at 10 a second, of which the first ten go at once"


def test_a_job_can_be_cancelled(system: System, tenant: Tenant, receiver: Receiver) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    tenant.post(*tenant.some_events(20))
    system.route()
    system.sqs.purge_queue(QueueUrl=system.queue("DeliveryQueue"))
    job_id = start(tenant, webhook, "replay", per_second=5)
    assert system.poll("JobQueue", "jobs", most=1).left == []

    taken = ask(tenant, webhook, "replay")
    assert taken.status == 409
    assert job_id in taken.json["detail"]
    cancelled = tenant.call("DELETE", f"/v1/jobs/{job_id}")
    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    assert counts(run(tenant, job_id)) == ("cancelled", 20, 5, 0)
    until(lambda: bool(system.poll("JobQueue", "jobs").messages), "the next turn comes")

    assert len(queued_deliveries(system)) == 5
    assert system.messages("JobQueue") == []
    assert tenant.call("DELETE", f"/v1/jobs/{job_id}").status == 409
    again = start(tenant, webhook, "replay")
    assert counts(run(tenant, again)) == ("done", 20, 20, 0)


@pytest.mark.parametrize("kind", ["replay", "retry-failed"])
@pytest.mark.parametrize("point", ["before queueing", "after queueing"])
def test_a_worker_that_dies_loses_nothing(
    kind: str, point: str, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    event_ids = some_that_failed(system, tenant, 7)
    endpoint.answer(200)
    job_id = start(tenant, webhook, kind)
    messages = system.receive("JobQueue", 1)

    crash(system, "jobs", point, messages)

    first = [one["delivery_id"] for one in queued_deliveries(system)]
    assert len(first) == (7 if point == "after queueing" else 0)
    assert counts(tenant.get(f"/v1/jobs/{job_id}")) == ("running", 7, 0, 0)
    for message in messages:  # its time-out is two minutes
        system.sqs.change_message_visibility(
            QueueUrl=system.queue("JobQueue"),
            ReceiptHandle=message["ReceiptHandle"],
            VisibilityTimeout=0,
        )
    assert counts(run(tenant, job_id)) == ("done", 7, 7, 0)
    queued = Counter(one["delivery_id"] for one in queued_deliveries(system))
    assert set(first) <= queued.keys()
    assert len(queued) == 7
    system.dispatch_all()

    arrived = [request for request in endpoint.requests if request.succeeded]
    assert sorted({one for request in arrived for one in request.event_ids}) == sorted(event_ids)
    assert len({request.webhook_id for request in arrived}) == 7
    if kind == "retry-failed":
        check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_a_dead_letter_redriven_after_the_retry_sends_nothing(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    event_ids = some_that_failed(system, tenant, 2)
    dead = system.bodies("DeadLetterQueue")
    endpoint.answer(200)
    run(tenant, start(tenant, webhook, "retry-failed"))
    system.dispatch_all()
    before = len(endpoint.requests)

    for body in dead:
        system.sqs.send_message(QueueUrl=system.queue("DeliveryQueue"), MessageBody=body)
    system.dispatch_all()

    assert len(endpoint.requests) == before
    check(tenant, matched(event_ids, webhook), endpoint.requests)


@pytest.mark.parametrize("change", ["disable", "delete"])
def test_a_webhook_that_goes_away_ends_its_job(
    change: str, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    tenant.post(*tenant.some_events(5))
    system.route()
    job_id = start(tenant, webhook, "replay", per_second=2)
    path = f"/v1/webhooks/{webhook['id']}"
    if change == "delete":
        assert tenant.call("DELETE", path).status == 204
    else:
        assert tenant.call("PATCH", path, {"enabled": False}).status == 200

    job = run(tenant, job_id)

    assert (job["status"], job["reason"], job["sent"]) == ("failed", f"{change}d", 0)
    assert "finished_at" in job
    refused = ask(tenant, webhook, "replay")
    assert refused.status == (404 if change == "delete" else 409)


def test_jobs_are_of_the_account_and_the_scope(
    system: System, tenant: Tenant, another_tenant: Tenant, operator_key: str, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    job_id = start(tenant, webhook, "replay")

    for method in ("GET", "DELETE"):
        assert another_tenant.call(method, f"/v1/jobs/{job_id}").status == 404
    for kind in ("replay", "retry-failed"):
        assert ask(another_tenant, webhook, kind).status == 404
    key = tenant.new_key("events")
    assert system.call("GET", f"/v1/jobs/{job_id}", key=key).status == 403
    acting = {"Perkwire-Account": tenant.id}
    seen = system.call("GET", f"/v1/jobs/{job_id}", key=operator_key, headers=acting)
    assert seen.json["status"] == "queued"
    for odd in ("job_0", f"latest%23{webhook['id']}%23replay", "x" * 1_500):
        assert tenant.call("GET", f"/v1/jobs/{odd}").status == 404


def test_a_job_whose_id_is_lost_is_found_again(tenant: Tenant, receiver: Receiver) -> None:
    webhooks = [tenant.webhook(receiver.endpoint().url) for _ in range(2)]
    asked = [(webhook, kind) for webhook in webhooks for kind in ("replay", "retry-failed")]
    ids = [start(tenant, webhook, kind) for webhook, kind in asked]
    assert tenant.call("DELETE", f"/v1/jobs/{ids[0]}").status == 200

    def listed(**query: str) -> list[str]:
        return [job["id"] for job in tenant.get("/v1/jobs", **query)["data"]]

    assert listed() == ids[::-1]
    assert listed(status="queued", webhook_id=webhooks[0]["id"]) == [ids[1]]
    assert listed(status="cancelled") == [ids[0]]
    page = tenant.get("/v1/jobs", limit="3")
    assert [job["id"] for job in page["data"]] == ids[:0:-1]
    assert page["data"][0] == tenant.get(f"/v1/jobs/{ids[-1]}")
    assert listed(limit="3", cursor=page["next_cursor"]) == [ids[0]]


def test_an_unreadable_message_is_left(system: System) -> None:
    system.sqs.send_message(QueueUrl=system.queue("JobQueue"), MessageBody='{"v": 1}')

    assert len(system.poll("JobQueue", "jobs", most=1).left) == 1
    lines = [line for line in system.output.lines() if line.get("level") == "ERROR"]
    assert [line["message"] for line in lines] == ["message_unreadable"]


def test_wrong_fields_are_all_named(tenant: Tenant, receiver: Receiver) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    answer = tenant.call(
        "POST",
        f"/v1/webhooks/{webhook['id']}/replay",
        {"since": "x", "until": 1, "per_second": 0, "dry_run": 1, "rate": 2},
    )

    assert (answer.status, answer.content_type) == (422, "application/problem+json")
    fields = [error["field"] for error in answer.json["errors"]]
    assert fields == ["since", "until", "per_second", "dry_run", "rate"]
