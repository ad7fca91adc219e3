"""A function dies in the middle of its work: nothing is lost, and what comes twice says so."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from mypy_boto3_sqs.type_defs import MessageTypeDef

from infra.local.emulator import ROOT
from tests.aws_events import sqs_event_of
from tests.iam.calls import queue_arn
from tests.integration.crashing import DIED
from tests.integration.system import System, Tenant, matched, until
from tests.invariant import check
from tests.receiver import Answer, Receiver


def start(
    system: System,
    app: str,
    point: str,
    messages: Sequence[MessageTypeDef],
    *,
    queue: str = "DeliveryQueue",
    bug: str | None = None,
    **variables: str,
) -> subprocess.Popen[bytes]:
    """A process that handles the messages, and dies at a point."""
    environment: Mapping[str, str] = {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "functions"), str(ROOT)]),
        **system.stack.aws_environment,
        **system.stack.environment(app),
        **variables,
    }
    planted = [] if bug is None else [bug]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.crashing", app, point, *planted],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    event = sqs_event_of(messages, queue_arn(system.queue(queue)))
    process.stdin.write(json.dumps(event).encode())
    process.stdin.close()
    return process


def crash(
    system: System,
    app: str,
    point: str,
    messages: Sequence[MessageTypeDef],
    *,
    queue: str = "DeliveryQueue",
    bug: str | None = None,
    **variables: str,
) -> None:
    process = start(system, app, point, messages, queue=queue, bug=bug, **variables)
    assert process.wait(30) == DIED


def ten_deliveries(system: System, tenant: Tenant) -> list[str]:
    event_ids = tenant.post(*tenant.some_events(10))
    system.route()
    return event_ids


def wait_for_messages(system: System, queue: str, count: int) -> None:
    """Wait until so many messages can be received, their time-outs over."""

    def visible() -> bool:
        attributes = system.sqs.get_queue_attributes(
            QueueUrl=system.queue(queue), AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"]) == count

    until(visible, f"{count} messages visible in {queue}")


@pytest.mark.parametrize(
    ("point", "first", "again"),
    [
        # Five have arrived and are not in the log: they come twice.
        ("while sending", 5, 10),
        ("before the log", 10, 10),
        ("after the log", 10, 0),
    ],
)
def test_a_dispatcher_that_dies_loses_nothing(
    point: str, first: int, again: int, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    event_ids = ten_deliveries(system, tenant)

    crash(system, "dispatcher", point, system.receive("DeliveryQueue", for_seconds=2))
    assert len(endpoint.requests) == first
    check(tenant, matched(event_ids, webhook), endpoint.requests)

    wait_for_messages(system, "DeliveryQueue", 10)
    polled = system.dispatch()

    assert (len(polled.messages), polled.left) == (10, [])
    requests = endpoint.requests
    assert len(requests) == first + again
    assert {request.event_ids[0] for request in requests} == set(event_ids)
    assert len({request.webhook_id for request in requests}) == 10
    for request in requests:
        request.verified(webhook["secret"])
    assert [one["status"] for one in tenant.deliveries()] == ["succeeded"] * 10
    check(tenant, matched(event_ids, webhook), requests)


def test_a_dispatcher_that_is_killed_loses_nothing(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(200, 200, 200, Answer(200, after_seconds=20))
    webhook = tenant.webhook(endpoint.url, batch_size=2)
    event_ids = tenant.post(*tenant.some_events(20))
    system.route()

    process = start(system, "dispatcher", "never", system.receive("DeliveryQueue", for_seconds=2))
    endpoint.wait_for(10)
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    check(tenant, matched(event_ids, webhook), endpoint.requests)

    endpoint.answer(200)
    wait_for_messages(system, "DeliveryQueue", 10)
    assert system.dispatch().left == []

    seen = Counter(request.webhook_id for request in endpoint.requests)
    assert sorted(seen.values()) == [2] * 10
    assert {one for request in endpoint.requests for one in request.event_ids} == set(event_ids)
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_a_delivery_whose_last_receive_was_burnt_reads_as_lost(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    system.restart(RETRY_INTERVAL_SECONDS="1")
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    event_ids = tenant.post(tenant.an_event())
    system.route()
    system.dispatch().return_at_once()
    system.dispatch().return_at_once()
    burnt = system.receive("DeliveryQueue")

    crash(system, "dispatcher", "before the log", burnt)
    system.sqs.change_message_visibility(
        QueueUrl=system.queue("DeliveryQueue"),
        ReceiptHandle=burnt[0]["ReceiptHandle"],
        VisibilityTimeout=0,
    )
    assert system.receive("DeliveryQueue") == []

    def lost() -> list[dict[str, Any]]:
        return [one for one in tenant.deliveries(status="failed") if one["reason"] == "lost"]

    assert len(system.messages("DeadLetterQueue")) == 1
    until(lambda: bool(lost()), "the delivery reads as lost")  # two intervals after it was due
    check(tenant, matched(event_ids, webhook), endpoint.requests)


@pytest.mark.parametrize(("point", "queued"), [("before queueing", 0), ("after queueing", 4)])
def test_a_router_that_dies_loses_nothing(
    point: str, queued: int, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoints = [receiver.endpoint(), receiver.endpoint()]
    webhooks = [tenant.webhook(endpoints[0].url), tenant.webhook(endpoints[1].url, batch_size=5)]
    event_ids = tenant.post(*tenant.some_events(3))
    messages = system.receive("EventQueue")

    crash(system, "router", point, messages)
    assert len(system.messages("DeliveryQueue")) == queued
    check(tenant, matched(event_ids, *webhooks))

    for message in messages:  # its time-out is three minutes
        system.sqs.change_message_visibility(
            QueueUrl=system.queue("EventQueue"),
            ReceiptHandle=message["ReceiptHandle"],
            VisibilityTimeout=0,
        )
    system.route()
    system.dispatch_all()

    requests = [request for endpoint in endpoints for request in endpoint.requests]
    assert [len(endpoint.requests) for endpoint in endpoints] == [3, 1]
    check(tenant, matched(event_ids, *webhooks), requests)
