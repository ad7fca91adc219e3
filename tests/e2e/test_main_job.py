"""The main job on the running local system: from POST /v1/events to the receiver, to the
dead-letter queue and back."""

import os
import signal
import sys
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_types
from tests.e2e.system import MAX_ATTEMPTS, Account, LocalSystem, until
from tests.invariant import check
from tests.receiver import Answer, Receiver

# The first test also builds and starts the system.
pytestmark = pytest.mark.timeout(400)

EVENT = {
    "type": "tier.upgraded",
    "data": {"member": {"id": "mbr_7"}, "tier": {"current": {"name": "Gold"}}},
}


def samples() -> list[dict[str, Any]]:
    """The catalogue's example of each type."""
    return [{"type": name, "data": found.example} for name, found in event_types().items()]


def said(event: dict[str, Any]) -> tuple[str, str | None, object]:
    return event["type"], event.get("program_id"), event["data"]


def test_an_event_of_every_type_arrives_signed_and_unchanged(
    account: Account, receiver: Receiver
) -> None:
    singly, batched = receiver.endpoint(), receiver.endpoint()
    webhooks = [account.webhook(singly.url), account.webhook(batched.url, batch_size=50)]
    events = samples()

    event_ids = account.post(*events)

    posted = {one: said(event) for one, event in zip(event_ids, events, strict=True)}
    for webhook, endpoint in zip(webhooks, (singly, batched), strict=True):
        endpoint.wait_for_events(event_ids)
        for request in endpoint.requests:
            request.verified(webhook["secret"])
        arrived = [event for request in endpoint.requests for event in request.events]
        assert {event["id"]: said(event) for event in arrived} == posted
    assert all(len(request.event_ids) <= 50 for request in batched.requests)

    # A slow machine may have had some of them twice.
    requests = [*singly.requests, *batched.requests]
    assert len({request.webhook_id for request in singly.requests}) == len(events)
    deliveries = len({request.webhook_id for request in requests})
    until(lambda: account.statuses() == ["succeeded"] * deliveries, "all in the log as succeeded")
    matched = {event_id: [webhook["id"] for webhook in webhooks] for event_id in event_ids}
    check(account, matched, requests)


def test_a_dead_endpoint_is_tried_so_often_then_redriven_and_reached_once_it_is_well(
    system: LocalSystem, account: Account, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = account.webhook(endpoint.url)
    source = system.local["DeadLetterQueueArn"]

    (event_id,) = account.post(EVENT)
    until(lambda: len(account.dead()) == 1, "the message is a dead letter")
    (dead,) = account.dead()
    first = endpoint.requests
    assert len(first) == MAX_ATTEMPTS
    check(account, {event_id: [webhook["id"]]}, first)

    # What the console's "Start DLQ redrive" calls: no destination.
    system.sqs.start_message_move_task(SourceArn=source)
    until(lambda: len(endpoint.requests) == 2 * MAX_ATTEMPTS, "as many attempts again")
    until(lambda: account.dead() == [dead], "the message is a dead letter again")
    assert len(endpoint.requests) == 2 * MAX_ATTEMPTS

    endpoint.answer(200)
    system.sqs.start_message_move_task(SourceArn=source)
    until(lambda: account.statuses() == ["succeeded"], "the delivery has succeeded")

    requests = endpoint.requests
    assert len(requests) == 2 * MAX_ATTEMPTS + 1
    (delivery_id,) = {request.webhook_id for request in requests}
    for request in requests:
        request.verified(webhook["secret"])
    delivery = account.get(f"/v1/deliveries/{delivery_id}")
    assert [attempt["number"] for attempt in delivery["attempts"]] == [*range(1, len(requests) + 1)]
    check(account, {event_id: [webhook["id"]]}, requests)

    # A message of a delivery that has succeeded sends nothing, however it comes back.
    system.sqs.send_message(QueueUrl=system.local["DeliveryQueueUrl"], MessageBody=dead)
    until(lambda: dead not in account.waiting(), "the second copy is taken from the queue")
    assert len(endpoint.requests) == len(requests)
    assert account.dead() == []


@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes of functions in /proc")
def test_dispatchers_killed_in_the_middle_of_their_batches_lose_nothing(
    system: LocalSystem, account: Account, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(Answer(200, after_seconds=0.6))
    webhook = account.webhook(endpoint.url)

    event_ids = account.post(*[EVENT] * 30)
    endpoint.wait_for(5)
    workers = system.workers("DispatcherFunction")
    assert workers
    for worker in workers:
        os.kill(worker, signal.SIGKILL)

    endpoint.answer(200)
    endpoint.wait_for_events(event_ids)
    until(lambda: account.statuses() == ["succeeded"] * 30, "all in the log as succeeded")
    requests = endpoint.requests
    assert len(requests) > 30
    for request in requests:
        request.verified(webhook["secret"])
    check(account, {event_id: [webhook["id"]] for event_id in event_ids}, requests)


def test_a_second_start_goes_on_where_the_first_has_stopped(
    system: LocalSystem, account: Account, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(Answer(503))
    webhook = account.webhook(endpoint.url, headers={"x-shop": "7"})
    (event_id,) = account.post(EVENT)
    endpoint.wait_for(1)
    before = dict(system.local)

    system.stop()
    endpoint.answer(200)
    system.start()

    assert system.local == before
    until(lambda: account.statuses() == ["succeeded"], "the delivery has succeeded")
    requests = endpoint.requests
    assert requests[-1].headers["x-shop"] == "7"
    requests[-1].verified(webhook["secret"])
    check(account, {event_id: [webhook["id"]]}, requests)
