"""Dispatchers and routers die in both lanes, under a schedule and on the way to a slot.

Nothing is lost or doubled, and each scenario is worth its time: bugs planted in the code that dies,
and in that which goes on, make it fail.
"""

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from perkwire.primitives.timestamps import now
from tests.integration.crashing import planted
from tests.integration.dispatching.test_schedules import receives
from tests.integration.system import System, Tenant, matched
from tests.integration.test_crash import crash, wait_for_messages
from tests.invariant import check
from tests.receiver import Endpoint, Receiver

type Scenario = Callable[[System, Tenant, Receiver, str | None], None]


def at_once(system: System, queue: str, messages: list[Any]) -> None:
    """Let the time-out of what a dead process has received be over."""
    for message in messages:
        system.sqs.change_message_visibility(
            QueueUrl=system.queue(queue),
            ReceiptHandle=message["ReceiptHandle"],
            VisibilityTimeout=0,
        )
    wait_for_messages(system, queue, len(messages))


def strained(system: System, tenant: Tenant, endpoint: Endpoint) -> tuple[Any, list[str]]:
    """A webhook in the slow lane, and events of which the deliveries are still in the prompt."""
    endpoint.answer(500)
    webhook = tenant.webhook(endpoint.url)
    event_ids = tenant.post(*tenant.some_events(5))
    system.route()
    system.dispatch().return_at_once()
    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["lane"] == "slow"
    endpoint.answer(200)
    return webhook, event_ids


def both_lanes(
    point: str, system: System, tenant: Tenant, receiver: Receiver, bug: str | None
) -> None:
    """A dispatcher of the slow lane dies, then one of the prompt lane."""
    slow, well = receiver.endpoint(), receiver.endpoint()
    webhook, event_ids = strained(system, tenant, slow)
    other = tenant.webhook(well.url)
    later = tenant.post(*tenant.some_events(2))
    system.route()

    for queue, count in (("SlowDeliveryQueue", 2), ("DeliveryQueue", 7)):
        messages = system.receive(queue)
        assert len(messages) == count
        crash(system, "dispatcher", point, messages, queue=queue, bug=bug)
        at_once(system, queue, messages)
    system.dispatch_all()

    requests = slow.requests + well.requests
    check(tenant, matched(event_ids, webhook), requests)
    check(tenant, matched(later, webhook, other), requests)
    assert {one["status"] for one in tenant.deliveries()} == {"succeeded"}


def a_last_receive(
    point: str, system: System, tenant: Tenant, receiver: Receiver, bug: str | None
) -> None:
    """The last receive of a webhook's own schedule is burnt; the stack has one more."""
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url, retry_delays_seconds=[3600])
    event_ids = tenant.post(tenant.an_event())
    system.route()
    system.dispatch().return_at_once()

    messages = system.receive("DeliveryQueue")
    crash(system, "dispatcher", point, messages, bug=bug)
    at_once(system, "DeliveryQueue", messages)
    assert len(system.dispatch().left) == 1
    assert system.dispatch().messages == []

    (delivery,) = tenant.deliveries()
    assert (delivery["status"], delivery.get("reason")) == ("failed", None)
    assert len(endpoint.requests) == 2
    assert len(system.messages("DeadLetterQueue")) == 1
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def fewer_attempts(system: System, tenant: Tenant, receiver: Receiver, bug: str | None) -> None:
    """MaxAttempts is lowered under a schedule, and the dispatcher dies with what has no more."""
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url, retry_delays_seconds=[3600, 3600])
    event_ids = tenant.post(tenant.an_event())
    system.route()
    system.dispatch().return_at_once()

    with receives(system, 2):
        messages = system.receive("DeliveryQueue")
        crash(system, "dispatcher", "after the log", messages, bug=bug, MAX_ATTEMPTS="2")
        at_once(system, "DeliveryQueue", messages)
        assert system.dispatch().messages == []

    assert len(system.messages("DeadLetterQueue")) == 1
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def a_slot(
    point: str, copies: int, system: System, tenant: Tenant, receiver: Receiver, bug: str | None
) -> None:
    """A router dies as it hands on; by the next time the webhook is in the other lane."""
    endpoint = receiver.endpoint()
    webhook, _ = strained(system, tenant, endpoint)
    system.sqs.purge_queue(QueueUrl=system.queue("DeliveryQueue"))
    path = f"/v1/webhooks/{webhook['id']}"
    tenant.call("PATCH", path, {"max_per_second": 0.1})
    event_ids = tenant.post(*tenant.some_events(93))
    system.route()
    waiting = [{**json.loads(one), "slot_at": now()} for one in system.bodies("PacingQueue")]
    assert len(waiting) == 2
    for queue in ("PacingQueue", "SlowDeliveryQueue"):
        system.sqs.purge_queue(QueueUrl=system.queue(queue))
    for message in waiting:
        system.sqs.send_message(
            QueueUrl=system.queue("PacingQueue"), MessageBody=json.dumps(message)
        )

    messages = system.receive("PacingQueue")
    crash(system, "router", point, messages, queue="PacingQueue", bug=bug)
    tenant.call("POST", f"{path}/disable")
    tenant.call("POST", f"{path}/enable")
    at_once(system, "PacingQueue", messages)
    assert system.poll("PacingQueue", "router").left == []
    assert len(system.messages("DeliveryQueue")) == 2
    assert len(system.messages("SlowDeliveryQueue")) == copies
    while (polled := system.dispatch(most=1)).messages:
        polled.return_at_once()

    late = [message["events"][0]["id"] for message in waiting]
    assert set(late) <= set(event_ids)
    arrived = Counter(one for each in endpoint.requests for one in each.event_ids)
    assert [arrived[one] for one in late] == [1, 1]
    check(tenant, matched(late, webhook), endpoint.requests)


@pytest.mark.parametrize("point", ["before sending", "before the log"])
def test_a_dispatcher_of_either_lane_that_dies_loses_nothing(
    point: str, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    both_lanes(point, system, tenant, receiver, None)


@pytest.mark.parametrize("point", ["before the log", "after the log"])
def test_a_schedule_ends_as_it_should_though_its_last_receive_was_burnt(
    point: str, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    a_last_receive(point, system, tenant, receiver, None)


def test_fewer_attempts_under_a_schedule_and_a_crash_lose_nothing(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    fewer_attempts(system, tenant, receiver, None)


@pytest.mark.parametrize(("point", "copies"), [("before queueing", 0), ("after queueing", 2)])
def test_a_router_that_dies_as_it_hands_on_doubles_nothing_whatever_the_lane_by_then(
    point: str, copies: int, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    a_slot(point, copies, system, tenant, receiver, None)


BUGS: dict[str, Scenario] = {
    "a delivery is marked as succeeded before it is sent": partial(both_lanes, "before sending"),
    "what is received after the webhook's last attempt is sent": partial(
        a_last_receive, "before the log"
    ),
    "what is used up is deleted": partial(a_last_receive, "before the log"),
    "fewer attempts of the stack do not shorten a schedule": fewer_attempts,
    "what is handed on is another delivery": partial(a_slot, "after queueing", 2),
    "the log is not read before sending": partial(a_slot, "after queueing", 2),
}


@pytest.mark.parametrize(("bug", "scenario"), BUGS.items(), ids=[*BUGS])
def test_a_planted_bug_is_found(
    bug: str, scenario: Scenario, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    with planted(bug), pytest.raises(AssertionError) as found:
        scenario(system, tenant, receiver, bug)
    # By what the scenario asserts, not by a crash that failed or a time-out.
    assert not {"crash", "until"} & {one.name for one in found.traceback}

    system.empty_queues()
