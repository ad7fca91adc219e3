"""Schedules of webhooks' own, by the real queue: what SQS is told, takes, refuses and counts."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dispatcher.app
from tests.aws_events import Context, sqs_event_of
from tests.iam.calls import queue_arn
from tests.integration.system import Polled, System, Tenant, matched, until
from tests.invariant import check
from tests.receiver import Answer, Receiver


def routed(system: System, tenant: Tenant) -> list[str]:
    """An event whose delivery is queued."""
    event_ids = tenant.post(tenant.an_event())
    system.route()
    return event_ids


def comes_again(system: System) -> Polled:
    """The next invocation, once SQS brings the message again."""
    found: list[Polled] = []

    def polled() -> bool:
        found.append(system.dispatch())
        return bool(found[-1].messages)

    until(polled, "the message comes again")
    return found[-1]


def the_delivery(tenant: Tenant) -> Any:  # noqa: ANN401 - whatever JSON was answered
    (listed,) = tenant.deliveries()
    return tenant.delivery(listed["id"])


@contextmanager
def receives(system: System, most: int) -> Iterator[None]:
    """DeliveryQueue dead-letters after so many."""
    url = system.queue("DeliveryQueue")
    policy = system.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    before = policy["Attributes"]["RedrivePolicy"]
    changed = json.dumps({**json.loads(before), "maxReceiveCount": str(most)})
    system.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": changed})
    try:
        yield
    finally:
        system.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": before})


def test_a_message_comes_again_after_its_webhooks_own_delay_and_is_then_dead(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url, retry_delays_seconds=[1])
    event_ids = routed(system, tenant)

    with receives(system, 4):
        system.restart(MAX_ATTEMPTS="4")
        assert len(system.dispatch().left) == 1
        before = time.monotonic()
        assert the_delivery(tenant)["status"] == "retrying"
        assert len(comes_again(system).left) == 1
        assert 0.8 <= time.monotonic() - before < 10
        assert the_delivery(tenant)["status"] == "failed"
        for _ in range(2):
            assert len(system.dispatch().left) == 1
        assert system.dispatch().messages == []

    assert [one["number"] for one in the_delivery(tenant)["attempts"]] == [1, 2]
    assert len(endpoint.requests) == 2
    assert len(system.messages("DeadLetterQueue")) == 1
    assert "delay_not_set" not in system.output.getvalue()
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_a_header_of_the_endpoint_moves_the_next_attempt(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(Answer(429, headers=(("Retry-After", "3600"),)))
    tenant.webhook(endpoint.url, retry_delays_seconds=[1])
    routed(system, tenant)

    system.dispatch()

    delivery = the_delivery(tenant)
    at, due = (one[11:13] for one in (delivery["created_at"], delivery["next_attempt_at"]))
    assert int(due) in ((int(at) + 1) % 24, (int(at) + 2) % 24)
    time.sleep(1.2)
    assert system.dispatch().messages == []


def test_a_delay_that_sqs_refuses_leaves_the_stacks_interval(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500, 200)
    webhook = tenant.webhook(endpoint.url, retry_delays_seconds=[3600])
    event_ids = routed(system, tenant)
    messages = system.receive("DeliveryQueue", for_seconds=1)
    late = [{**message, "ReceiptHandle": "of-another-receive"} for message in messages]
    event = sqs_event_of(late, queue_arn(system.queue("DeliveryQueue")))  # type: ignore[arg-type]

    answer = dispatcher.app.handler(event, Context())

    assert len(answer["batchItemFailures"]) == 1
    assert "delay_not_set" in system.output.getvalue()
    check(tenant, matched(event_ids, webhook), endpoint.requests)
    assert comes_again(system).left == []
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_fewer_attempts_of_the_stack_under_a_schedule_lose_nothing(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url, retry_delays_seconds=[3600, 3600])
    event_ids = routed(system, tenant)
    system.dispatch().return_at_once()

    with receives(system, 2):
        system.restart(MAX_ATTEMPTS="2")
        assert len(system.dispatch().left) == 1
        assert the_delivery(tenant)["status"] == "failed"
        assert system.dispatch().messages == []

    assert len(system.messages("DeadLetterQueue")) == 1
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_a_shorter_schedule_ends_what_has_had_as_many_attempts(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url, retry_delays_seconds=[3600, 3600])
    event_ids = routed(system, tenant)
    system.dispatch().return_at_once()
    changed = tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", {"retry_delays_seconds": []})
    assert changed.status == 200, changed

    assert len(system.dispatch().left) == 1
    assert the_delivery(tenant)["status"] == "failed"
    assert len(system.dispatch().left) == 1
    assert system.dispatch().messages == []

    assert len(endpoint.requests) == 1
    assert len(system.messages("DeadLetterQueue")) == 1
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_a_redrive_begins_the_schedule_anew(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500, 500, 200)
    webhook = tenant.webhook(endpoint.url, retry_delays_seconds=[])
    event_ids = routed(system, tenant)
    for _ in range(3):
        assert len(system.dispatch().left) == 1
    assert system.dispatch().messages == []
    dead = system.sqs.get_queue_attributes(
        QueueUrl=system.queue("DeadLetterQueue"), AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]

    system.sqs.start_message_move_task(SourceArn=dead)
    assert len(comes_again(system).left) == 1

    assert [one["number"] for one in the_delivery(tenant)["attempts"]] == [1, 2]
    check(tenant, matched(event_ids, webhook), endpoint.requests)
