"""Faults of the world around the functions that no other file is about.

docs/architecture.md lists all faults and the tests that show what comes of each.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dispatcher.app
import ingest.app
import jobs.app
import router.app
from perkwire.adapters.sender.http import HttpSender
from perkwire.adapters.sqs.queues import SqsQueue
from perkwire.model.sending import NoResponse, Request, Response
from tests.aws_events import Context, sqs_event, sqs_event_of, sqs_record
from tests.hostile_endpoints import Connection, answer
from tests.hostile_endpoints import Endpoint as HostileEndpoint
from tests.integration.system import System, Tenant, matched, until
from tests.invariant import check
from tests.receiver import Answer, ReceivedRequest, Receiver

TEN_MINUTES = 600_000_000  # in microseconds


def routed(system: System, tenant: Tenant, count: int = 1) -> list[str]:
    event_ids = tenant.post(*tenant.some_events(count))
    system.route()
    return event_ids


def test_ten_failures_in_one_batch_are_ten_ids_and_no_exception(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    event_ids = routed(system, tenant, 10)

    polled = system.dispatch()

    assert len(polled.messages) == len(polled.left) == 10
    check(tenant, matched(event_ids, webhook), endpoint.requests)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["v", "delivery_id", "events", "id", "account_id", "job_id", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=10,
)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(bodies=st.lists(st.text(max_size=20) | JSON.map(json.dumps), min_size=1, max_size=10))
@pytest.mark.parametrize(
    "app", [router.app, dispatcher.app, jobs.app], ids=lambda app: app.__name__
)
def test_whatever_is_in_a_batch_the_ids_that_come_back_are_those_of_its_unreadable_messages(
    app: ModuleType, bodies: list[str], system: System
) -> None:
    records = [sqs_record(body) for body in bodies]

    answer = app.handler(sqs_event(*records), Context())

    assert answer == {
        "batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in records]
    }


def test_two_dispatchers_that_hold_the_same_message_at_once_send_the_same_ids(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The failure is answered last: the success stays.
    endpoint = receiver.endpoint(200, Answer(500, after_seconds=0.5))
    webhook = tenant.webhook(endpoint.url)
    event_ids = routed(system, tenant)
    event = sqs_event_of(system.receive("DeliveryQueue"))
    both_have_read = threading.Barrier(2, timeout=20)
    send = HttpSender.send

    def together(self: HttpSender, request: Request) -> Response | NoResponse:
        both_have_read.wait()
        return send(self, request)

    monkeypatch.setattr(HttpSender, "send", together)
    with ThreadPoolExecutor(2) as invocations:
        running = [invocations.submit(dispatcher.app.handler, event, Context()) for _ in range(2)]
        left = [len(each.result()["batchItemFailures"]) for each in running]

    assert sorted(left) == [0, 1]
    first, second = endpoint.requests
    assert (first.webhook_id, first.body) == (second.webhook_id, second.body)
    assert [one["status"] for one in tenant.deliveries()] == ["succeeded"]
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_a_kept_connection_that_ends_under_a_request_costs_no_attempt(
    system: System, tenant: Tenant
) -> None:
    def one_answer_a_connection(peer: Connection) -> None:
        peer.read_request()
        peer.send(answer())
        peer.read_request()

    with HostileEndpoint(one_answer_a_connection) as endpoint:
        webhook = tenant.webhook(endpoint.url())
        event_ids = []
        for _ in range(3):
            event_ids += routed(system, tenant)
            assert system.dispatch().left == []
        requests = [as_received(request) for request in endpoint.requests]

    copies = Counter(request.webhook_id for request in requests)
    assert sorted(copies.values()) == [1, 2, 2]
    entries = tenant.deliveries()
    assert [one["status"] for one in entries] == ["succeeded"] * 3
    assert [len(one["attempts"]) for one in entries] == [1] * 3
    check(tenant, matched(event_ids, webhook), requests)


def as_received(request: bytes) -> ReceivedRequest:
    """What came over the wire, as a receiver would have it."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
    headers = {name.lower(): value for name, _, value in lines}
    return ReceivedRequest("/hook", headers, body, 200, json.loads(body))


def test_an_answer_of_sqs_that_is_lost_is_503_and_the_repeat_is_the_same_event(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    event = tenant.an_event(id="order-1001")
    send = SqsQueue._send_batch

    def lost(self: SqsQueue, *arguments: Any) -> list[int]:  # noqa: ANN401 - as the method's
        send(self, *arguments)
        self._journal.fault("sqs_failing", detail=ReadTimeoutError.__name__)
        return []

    with monkeypatch.context() as patch:
        patch.setattr(SqsQueue, "_send_batch", lost)
        answer = tenant.call("POST", "/v1/events", event)
    assert answer.status == 503
    assert answer.json["events"] == [{"id": "order-1001", "duplicate": False, "accepted": False}]

    assert tenant.post(event) == ["order-1001"]
    assert len(system.messages("EventQueue")) == 3  # two tries, then the repeat
    system.route()
    system.dispatch_all()

    assert {request.event_ids for request in endpoint.requests} == {("order-1001",)}
    check(tenant, matched(["order-1001"], webhook), endpoint.requests)


@contextmanager
def clock_off_by(system: System, microseconds: int) -> Iterator[None]:
    """The functions' clocks, not those of the emulator and the receiver."""
    apps = [ingest.app, router.app, dispatcher.app]
    with pytest.MonkeyPatch.context() as patch:
        for app in apps:
            if hasattr(app, "now"):
                patch.setattr(app, "now", lambda: time.time_ns() // 1000 + microseconds)
        system.cold_start("ingest", "router", "dispatcher")
        yield
    system.cold_start("ingest", "router", "dispatcher")


@pytest.mark.parametrize("ahead", [TEN_MINUTES, -TEN_MINUTES])
def test_functions_whose_clocks_are_ten_minutes_apart_lose_nothing(
    ahead: int, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500, 200)
    webhook = tenant.webhook(endpoint.url)
    with clock_off_by(system, ahead):
        event_ids = routed(system, tenant)
        system.dispatch().return_at_once()

    system.dispatch_all()

    first, second = endpoint.requests
    assert first.webhook_id == second.webhook_id
    apart = int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"])
    assert abs(apart + ahead // 1_000_000) <= 5
    second.verified(webhook["secret"])
    assert [one["status"] for one in tenant.deliveries()] == ["succeeded"]
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_a_pause_with_many_in_the_queue_holds_each_of_them_and_loses_none(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(410)
    webhook = tenant.webhook(endpoint.url)
    event_ids = [one for _ in range(3) for one in routed(system, tenant, 40)]

    system.dispatch_all()

    assert len(endpoint.requests) <= 10  # the first batch finds out
    assert system.bodies("DeliveryQueue") == []
    check(tenant, matched(event_ids, webhook), endpoint.requests)

    endpoint.answer(200)
    tenant.call("POST", f"/v1/webhooks/{webhook['id']}/enable")
    assert retry_all(tenant, webhook, dry_run=True)["total"] == 120
    job = retry_all(tenant, webhook, per_second=100)

    def finished() -> bool:
        system.poll("JobQueue", "jobs", most=1)
        return bool(tenant.get(f"/v1/jobs/{job['id']}")["status"] == "done")

    until(finished, "the job is done", 30)
    system.dispatch_all()
    arrived = {one for each in endpoint.requests if each.succeeded for one in each.event_ids}
    assert arrived == set(event_ids)
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def retry_all(tenant: Tenant, webhook: Mapping[str, Any], **fields: object) -> dict[str, Any]:
    body = {"since": "2026-01-01T00:00:00Z", **fields}
    answer = tenant.call("POST", f"/v1/webhooks/{webhook['id']}/retry-failed", body)
    assert answer.status in (200, 202), answer
    found: dict[str, Any] = answer.json
    return found


def test_fewer_attempts_while_messages_wait_make_dead_letters_and_lose_nothing(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    system.restart(RETRY_INTERVAL_SECONDS="1")
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    event_ids = routed(system, tenant)
    system.dispatch().return_at_once()
    queue = system.queue("DeliveryQueue")
    policy = system.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])
    before = policy["Attributes"]["RedrivePolicy"]
    lowered = json.dumps({**json.loads(before), "maxReceiveCount": "1"})

    try:
        system.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": lowered})
        assert system.dispatch().messages == []
    finally:
        system.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": before})

    assert len(system.messages("DeadLetterQueue")) == 1
    until(lambda: len(tenant.deliveries(status="failed")) == 1, "it reads as failed")
    assert [one["reason"] for one in tenant.deliveries()] == ["lost"]
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_an_answer_of_a_megabyte_leaves_a_small_entry_in_the_log(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(Answer(500, body=b"\xff<no>" * 200_000))
    webhook = tenant.webhook(endpoint.url)
    event_ids = routed(system, tenant)

    polled = system.dispatch()

    assert len(polled.left) == 1
    (delivery,) = tenant.deliveries()
    assert delivery["status"] == "retrying"
    assert len(json.dumps(tenant.get(f"/v1/deliveries/{delivery['id']}"))) < 4_096
    check(tenant, matched(event_ids, webhook), endpoint.requests)
