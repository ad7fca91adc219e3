"""Webhooks with a pace: their deliveries take slots, wait for them, and make nobody else wait."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import router.app
from perkwire.primitives.timestamps import MICROSECONDS, now, to_rfc3339
from tests.aws_events import Context, sqs_event, sqs_record
from tests.fakes import FakeClock
from tests.integration.system import System, Tenant, matched, until
from tests.integration.test_crash import crash
from tests.invariant import check
from tests.receiver import Receiver

FAR = 0.01 * 10  # a slot every ten seconds: a hundred of them are more than fifteen minutes


@pytest.fixture
def clock(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeClock]:
    """The router's clock, which stands still."""
    clock = FakeClock(now())
    monkeypatch.setattr(router.app, "now", clock)
    system.cold_start("router")
    yield clock
    monkeypatch.undo()
    system.cold_start("router")


def delayed(system: System, queue: str) -> int:
    """Messages that are not to be had yet: the first slots come while a test looks."""
    answer = system.sqs.get_queue_attributes(
        QueueUrl=system.queue(queue), AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessagesDelayed"])


def take(system: System, queue: str) -> list[str]:
    """What waits in a queue, as if its delay were over; it is no longer there."""
    bodies = system.bodies(queue)
    system.sqs.purge_queue(QueueUrl=system.queue(queue))
    return bodies


def hand_on(*bodies: str) -> list[str]:
    """Invoke the router with what PacingQueue has held; the ids of what it leaves."""
    event = sqs_event(*[sqs_record(body, message_id=f"m-{n}") for n, body in enumerate(bodies)])
    answer = router.app.handler(event, Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_twenty_at_five_a_second_arrive_over_four_seconds_and_evenly(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    paced, free = receiver.endpoint(), receiver.endpoint()
    other = tenant.webhook(free.url)
    first = tenant.post(tenant.an_event())
    system.route()
    system.dispatch_all()  # what begins cold takes its time
    webhook = tenant.webhook(paced.url, max_per_second=5)
    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["slots_taken_until"] is None
    event_ids = tenant.post(*tenant.some_events(20))
    system.route()

    def all_have_come() -> bool:
        system.dispatch()
        return len(paced.requests) == 20

    until(all_have_come, "all twenty are there", seconds=60)

    (counter,) = slots(system, tenant)
    last = int(counter["last_at"]["N"]) / MICROSECONDS
    for place, request in enumerate(paced.requests):
        slot = last - (19 - place) / 5
        # SQS delays by whole seconds; what is later is the machine's.
        assert int(slot) <= request.at <= slot + 30, place
    assert free.requests[-1].at < paced.requests[-1].at
    requests = paced.requests + free.requests
    check(tenant, matched(event_ids, webhook, other), requests)
    check(tenant, matched(first, other), requests)


def test_a_later_slot_waits_in_pacing_queue_and_is_handed_on_when_it_is_near(
    system: System, tenant: Tenant, receiver: Receiver, clock: FakeClock
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url, max_per_second=FAR)
    event_ids = tenant.post(*tenant.some_events(100))
    system.route()

    waiting = system.messages("PacingQueue")
    slots = sorted(message["slot_at"] for message in waiting)
    assert slots == [clock.now + n * 10 * MICROSECONDS for n in range(91, 100)]
    assert delayed(system, "PacingQueue") == 9
    assert 80 <= delayed(system, "DeliveryQueue") <= 90
    shown = tenant.get(f"/v1/webhooks/{webhook['id']}")
    assert shown["slots_taken_until"] == to_rfc3339(slots[-1])
    assert [one["id"] for one in tenant.get("/v1/webhooks")["data"]] == [webhook["id"]]
    check(tenant, matched(event_ids, webhook))
    took = take(system, "PacingQueue")

    clock.pass_seconds(455)
    assert hand_on(*took) == []

    assert system.messages("PacingQueue") == []
    assert 89 <= delayed(system, "DeliveryQueue") <= 99
    assert len(system.messages("DeliveryQueue")) == 100
    check(tenant, matched(event_ids, webhook))


def test_a_copy_that_comes_twice_or_is_handed_on_twice_is_the_same_delivery(
    system: System, tenant: Tenant, receiver: Receiver, clock: FakeClock
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url, max_per_second=FAR)
    event_ids = tenant.post(*tenant.some_events(100))
    system.route()
    took = take(system, "PacingQueue")
    system.sqs.purge_queue(QueueUrl=system.queue("DeliveryQueue"))

    clock.pass_seconds(5)
    assert hand_on(*took, *took) == []  # too early
    again = take(system, "PacingQueue")
    assert Counter(again) == Counter([*took, *took])
    clock.pass_seconds(2_000)
    assert hand_on(*again) == []
    assert hand_on(*took) == []
    system.dispatch_all()

    requests = endpoint.requests
    assert len(requests) == 9
    late = {message["events"][0]["id"] for message in map(json.loads, took)}
    assert {request.event_ids[0] for request in requests} == late
    check(tenant, matched([one for one in event_ids if one in late], webhook), requests)


def test_what_has_waited_takes_the_lane_that_its_webhook_is_in_by_then(
    system: System, tenant: Tenant, receiver: Receiver, clock: FakeClock
) -> None:
    endpoint = receiver.endpoint(*[500] * 5)
    webhook = tenant.webhook(endpoint.url, max_per_second=FAR)
    path = f"/v1/webhooks/{webhook['id']}"
    event_ids = tenant.post(*tenant.some_events(93))
    system.route()
    waiting = take(system, "PacingQueue")[:2]
    system.sqs.purge_queue(QueueUrl=system.queue("DeliveryQueue"))
    clock.pass_seconds(2_000)
    tenant.call("PATCH", path, {"max_per_second": None})

    tenant.post(*tenant.some_events(5))
    system.route()
    system.dispatch()
    assert tenant.get(path)["lane"] == "slow"
    system.sqs.purge_queue(QueueUrl=system.queue("DeliveryQueue"))
    assert hand_on(waiting[0]) == []
    assert system.bodies("DeliveryQueue") == []
    assert len(system.bodies("SlowDeliveryQueue")) == 1

    endpoint.answer(200)
    tenant.post(*tenant.some_events(10))
    system.route()
    system.dispatch_all()
    assert tenant.get(path)["lane"] == "prompt"
    assert hand_on(waiting[1]) == []
    assert system.bodies("SlowDeliveryQueue") == []
    system.dispatch_all()

    late = [json.loads(one)["events"][0]["id"] for one in waiting]
    assert set(late) <= set(event_ids)
    check(tenant, matched(late, webhook), endpoint.requests)


def test_what_sqs_does_not_take_is_left(
    system: System, tenant: Tenant, receiver: Receiver, clock: FakeClock
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url, max_per_second=FAR)
    event_ids = tenant.post(*tenant.some_events(100))
    system.route()
    bodies = system.bodies("PacingQueue")
    system.restart(PACING_QUEUE_URL=f"{system.queue('PacingQueue')}-gone")

    assert hand_on(*bodies) == [f"m-{n}" for n in range(9)]

    assert "delivery_not_handed_on" in system.output.getvalue()
    check(tenant, matched(event_ids, webhook))


@pytest.mark.parametrize(("point", "queued"), [("before queueing", 0), ("after queueing", 3)])
def test_a_router_that_dies_after_it_has_taken_slots_loses_nothing(
    point: str, queued: int, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url, max_per_second=1000)
    event_ids = tenant.post(*tenant.some_events(3))
    messages = system.receive("EventQueue")

    crash(system, "router", point, messages)
    (counter,) = slots(system, tenant)
    assert len(system.messages("DeliveryQueue")) == queued
    check(tenant, matched(event_ids, webhook))

    system.sqs.change_message_visibility(
        QueueUrl=system.queue("EventQueue"),
        ReceiptHandle=messages[0]["ReceiptHandle"],
        VisibilityTimeout=0,
    )
    system.route()
    (again,) = slots(system, tenant)
    assert int(again["last_at"]["N"]) > int(counter["last_at"]["N"])
    system.dispatch_all()

    assert Counter(request.event_ids[0] for request in endpoint.requests) == Counter(event_ids)
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def slots(system: System, tenant: Tenant) -> list[dict[str, Any]]:
    partition = f"slots#{tenant.id}"
    return [item for item in system.items("ConfigTable") if item["pk"]["S"] == partition]


def test_while_no_slot_can_be_had_the_paced_wait_and_no_one_else(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    paced, free = receiver.endpoint(), receiver.endpoint()
    webhook = tenant.webhook(paced.url, max_per_second=10)
    other = tenant.webhook(free.url)
    event_ids = tenant.post(*tenant.some_events(2))
    key = {"pk": {"S": f"slots#{tenant.id}"}, "sk": {"S": webhook["id"]}}
    # To the one that is taken nothing can be added: DynamoDB refuses it.
    last_at = {"N": str(now() + 600 * MICROSECONDS)}
    spoilt = {**key, "kind": {"S": "slots"}, "last_at": last_at, "expires_at": {"S": "spoilt"}}
    table = system.stack.resources["ConfigTable"]
    system.stack.client("dynamodb").put_item(TableName=table, Item=spoilt)

    polled = system.poll("EventQueue", "router")

    assert len(polled.left) == 1
    assert "slots_not_taken" in system.output.getvalue()
    system.dispatch_all()
    assert (len(paced.requests), len(free.requests)) == (0, 2)
    check(tenant, matched(event_ids, webhook, other), free.requests)

    system.stack.client("dynamodb").delete_item(TableName=table, Key=key)
    polled.return_at_once()
    system.route()

    def both_have_come() -> bool:  # the second slot may be in the next second of the clock
        system.dispatch_all()
        return len(paced.requests) == 2

    until(both_have_come, "both are there", seconds=60)
    assert len(free.requests) == 2
    check(tenant, matched(event_ids, webhook, other), paced.requests + free.requests)


@pytest.mark.parametrize(
    ("change", "status", "requests"),
    [
        (("PATCH", "", {"url": "another"}), "succeeded", 1),
        (("PATCH", "", {"max_per_second": None}), "succeeded", 1),
        (("POST", "/disable", None), "cancelled", 0),
        (("DELETE", "", None), "cancelled", 0),
    ],
)
def test_what_waits_is_carried_on_whatever_becomes_of_its_webhook(
    change: tuple[str, str, dict[str, Any] | None],
    status: str,
    requests: int,
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    clock: FakeClock,
) -> None:
    before, after = receiver.endpoint(), receiver.endpoint()
    webhook = tenant.webhook(before.url, max_per_second=FAR)
    event_ids = tenant.post(*tenant.some_events(92))
    system.route()
    (waiting,) = take(system, "PacingQueue")
    system.sqs.purge_queue(QueueUrl=system.queue("DeliveryQueue"))
    method, path, body = change
    if body == {"url": "another"}:
        body = {"url": after.url}
    changed = tenant.call(method, f"/v1/webhooks/{webhook['id']}{path}", body)
    assert changed.status in (200, 204)

    clock.pass_seconds(2_000)
    assert hand_on(waiting) == []
    system.dispatch_all()

    (shown,) = tenant.event(event_ids[-1])["deliveries"]  # type: ignore[index]
    assert shown["status"] == status
    assert len(before.requests) + len(after.requests) == requests
    check(tenant, matched(event_ids[-1:], webhook), before.requests + after.requests)


def test_a_paused_webhook_takes_no_slots(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint(410).url, max_per_second=1000)
    tenant.post(tenant.an_event())
    system.route()
    system.dispatch()
    before = slots(system, tenant)
    event_ids = tenant.post(*tenant.some_events(3))

    system.route()

    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["status"] == "paused"
    assert slots(system, tenant) == before
    check(tenant, matched(event_ids, webhook))


def test_a_poison_message_of_pacing_queue_is_left_alone(
    system: System, tenant: Tenant, receiver: Receiver, clock: FakeClock
) -> None:
    tenant.webhook(receiver.endpoint().url, max_per_second=FAR)
    tenant.post(*tenant.some_events(92))
    system.route()
    (good,) = take(system, "PacingQueue")
    poison = [json.dumps({**json.loads(good), "slot_at": at}) for at in (10**30, -1e9, "now", True)]

    assert hand_on(*poison, good) == ["m-0", "m-1", "m-2", "m-3"]

    assert system.bodies("PacingQueue") == [good]


def test_retries_by_a_person_and_by_a_job_keep_to_the_pace(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    event_ids = tenant.post(*tenant.some_events(20))
    system.route()
    for _ in range(3):
        for _ in range(2):
            system.dispatch().return_at_once()
    system.empty_queues()
    tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", {"max_per_second": FAR})
    failed = [one["id"] for one in tenant.deliveries(status="failed")]
    assert len(failed) == 20

    before = now()
    answer = tenant.call("POST", "/v1/deliveries/retry", {"ids": failed})

    assert [one["status"] for one in answer.json["data"]] == [202] * 20
    # So many failures have strained it.
    assert 10 <= delayed(system, "SlowDeliveryQueue") <= 19
    assert len(system.messages("SlowDeliveryQueue")) == 20
    due = sorted(one["next_attempt_at"] for one in tenant.deliveries())
    assert due[-1] > due[0]
    (counter,) = slots(system, tenant)
    assert 190 * MICROSECONDS <= int(counter["last_at"]["N"]) - before <= 250 * MICROSECONDS

    started = tenant.call(
        "POST", f"/v1/webhooks/{webhook['id']}/replay", {"since": "2026-01-01T00:00:00Z"}
    )
    assert started.status == 202
    while system.poll("JobQueue", "jobs", most=1).messages:
        pass
    (counter,) = slots(system, tenant)
    assert 390 * MICROSECONDS <= int(counter["last_at"]["N"]) - before <= 450 * MICROSECONDS
    check(tenant, matched(event_ids, webhook), endpoint.requests)
