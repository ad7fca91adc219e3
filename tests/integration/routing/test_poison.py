"""Messages that nothing can be done with: each is left by itself, and those beside it go on."""

import base64
import json
import random
from typing import Any

import pytest

from tests.integration.system import System, Tenant
from tests.receiver import Receiver

NOISE = base64.b64encode(random.Random(1).randbytes(500_000)).decode()
POISON: dict[str, dict[str, Any]] = {
    "a time beyond the calendar": {"accepted_at": 10**30},
    "a time before it": {"accepted_at": -(10**30)},
    "a time that is no number": {"accepted_at": True},
    "a time of the caller's beyond it": {"occurred_at": 10**17 * 9},
    "an id longer than a key": {"id": "i" * 3000},
    "an id that is none": {"id": "a#b"},
    "an item above 400 kB": {"data": {"x": NOISE}},
    "text that is not UTF-8": {"data": {"x": "\ud800"}},
    "a programme that is not UTF-8": {"program_id": "\ud800"},
    "a type that is not UTF-8": {"type": "custom.\ud800"},
    "a programme longer than any": {"program_id": "p" * 400_000},
}


def put(system: System, queue: str, body: dict[str, Any], group: str) -> None:
    system.sqs.send_message(
        QueueUrl=system.queue(queue), MessageBody=json.dumps(body), MessageGroupId=group
    )


@pytest.mark.parametrize("wrong", POISON.values(), ids=POISON)
def test_a_poison_message_is_left_alone(
    system: System, tenant: Tenant, receiver: Receiver, wrong: dict[str, Any]
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url, batch_size=10)
    posted = [tenant.post(tenant.an_event())[0] for _ in range(2)]
    (first, *_) = system.messages("EventQueue")
    event = first["events"][0] | {"id": "poison"} | wrong
    put(system, "EventQueue", first | {"events": [event]}, tenant.id)

    polled = system.poll("EventQueue", "router")

    assert [json.loads(one["Body"])["events"][0] for one in polled.left] == [event]
    system.dispatch()
    delivered = [one for request in endpoint.requests for one in request.event_ids]
    assert sorted(delivered) == sorted(posted)
    assert all(tenant.event(one) for one in posted)


def test_another_body_under_the_id_of_a_kept_event_is_left_alone(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500, 200)
    tenant.webhook(endpoint.url)
    (event_id,) = tenant.post(tenant.an_event())
    (sent,) = system.messages("EventQueue")
    system.route()
    system.dispatch().return_at_once()
    forged = sent["events"][0] | {"data": {"points": 10**6}, "accepted_at": 1}
    put(system, "EventQueue", sent | {"events": [forged]}, tenant.id)
    (good,) = tenant.post(tenant.an_event())

    polled = system.poll("EventQueue", "router")

    assert len(polled.left) == 1
    system.dispatch()
    bodies = {request.event_ids[0]: request.json["data"] for request in endpoint.requests}
    assert bodies.keys() == {event_id, good}
    assert bodies[event_id] == sent["events"][0]["data"]
    shown = tenant.event(event_id)
    assert shown is not None
    assert shown["data"] == sent["events"][0]["data"]


WRONG_DELIVERIES: dict[str, dict[str, Any]] = {
    "a run beyond any number": {"run": 10**40},
    "a delivery longer than a key": {"delivery_id": "dlv_" + "d" * 3000},
    "a webhook longer than a key": {"webhook_id": "wh_" + "w" * 3000},
    "an account longer than a key": {"account_id": "acct_" + "a" * 3000},
    "an account that is not UTF-8": {"account_id": "\ud800"},
}


@pytest.mark.parametrize("wrong", WRONG_DELIVERIES.values(), ids=WRONG_DELIVERIES)
def test_a_poison_delivery_is_left_alone(
    system: System, tenant: Tenant, receiver: Receiver, wrong: dict[str, Any]
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    posted = tenant.post(*tenant.some_events(3))
    system.route()
    (message, *_) = system.messages("DeliveryQueue")
    put(system, "DeliveryQueue", message | wrong, tenant.id)

    polled = system.dispatch()

    assert [json.loads(one["Body"]) for one in polled.left] == [message | wrong]
    assert sorted(one for request in endpoint.requests for one in request.event_ids) == sorted(
        posted
    )
    assert [one["status"] for one in tenant.deliveries()] == ["succeeded"] * 3
