"""Poison and floods: what is broken stands alone, and everyone else is served."""

import json
from collections import Counter

import pytest

import dispatcher.app
from perkwire.primitives.timestamps import now
from tests.integration.system import System, Tenant, matched
from tests.invariant import check
from tests.receiver import Answer, Receiver

ELEVEN_MINUTES = 660_000_000  # in microseconds
POISON = ["not JSON", '{"v": 99, "events": []}', "[" * 1_000, "\ufffd" * 100]


@pytest.mark.parametrize(
    ("queue", "app", "grave"),
    [
        ("EventQueue", "router", "EventDeadLetterQueue"),
        ("DeliveryQueue", "dispatcher", "DeadLetterQueue"),
    ],
)
@pytest.mark.parametrize("poison", POISON, ids=["text", "later version", "deep", "not ASCII"])
def test_a_poison_message_is_buried_alone_with_one_line_for_each_receive(
    poison: str,
    queue: str,
    app: str,
    grave: str,
    system: System,
    tenant: Tenant,
    receiver: Receiver,
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    event_ids = tenant.post(*tenant.some_events(3))
    if queue == "DeliveryQueue":
        system.route()
    system.sqs.send_message(QueueUrl=system.queue(queue), MessageBody=poison)
    system.output.forget()

    receives = 0
    while (polled := system.poll(queue, app)).messages:
        receives += len(polled.left)
        assert {message["Body"] for message in polled.left} <= {poison}
        polled.return_at_once()

    assert system.bodies(grave) == [poison]
    lines = [line for line in system.output.lines() if line.get("level") == "ERROR"]
    assert [line["message"] for line in lines] == ["message_unreadable"] * receives
    assert all("message_id" in line and "detail" in line for line in lines)
    system.sqs.purge_queue(QueueUrl=system.queue(grave))
    system.dispatch_all()
    check(tenant, matched(event_ids, webhook), endpoint.requests)


@pytest.mark.parametrize("account_id", ["shop-42", "acct_0000000000000000#keys", "key#0"])
def test_a_message_of_what_can_be_no_account_is_left_alone(
    account_id: str, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    """IAM would refuse the look at all of its batch: the roles let functions look for accounts."""
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)

    event_ids = tenant.post(tenant.an_event())
    (message,) = system.messages("EventQueue")
    poison = json.dumps(message | {"account_id": account_id})
    system.sqs.send_message(QueueUrl=system.queue("EventQueue"), MessageBody=poison)
    polled = system.poll("EventQueue", "router")
    assert [one["Body"] for one in polled.left] == [poison]

    (message,) = system.messages("DeliveryQueue")
    webhook_id, moment = "wh_" + "0" * 16, message["delivery_id"].rpartition("_")[2]
    of_nobody = {"webhook_id": webhook_id, "delivery_id": f"dlv_{'0' * 16}_{moment}"}
    poison = json.dumps(message | of_nobody | {"account_id": account_id})
    system.sqs.send_message(QueueUrl=system.queue("DeliveryQueue"), MessageBody=poison)
    polled = system.dispatch()
    assert [one["Body"] for one in polled.left] == [poison]
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_healthy_webhooks_have_all_of_their_own_while_a_dead_and_a_slow_one_still_wait(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    """By the order of things: the first round of batches serves them, whatever the others do."""
    system.restart(ENDPOINT_TIMEOUT_SECONDS="4")
    dead = receiver.endpoint(500)
    slow = receiver.endpoint(Answer(after_seconds=60))
    well = [receiver.endpoint() for _ in range(4)]
    webhooks = [tenant.webhook(endpoint.url) for endpoint in (dead, slow, *well)]
    event_ids = tenant.post(*tenant.some_events(10))
    system.route()  # 10 for each of six webhooks

    polls = []
    while (polled := system.dispatch()).messages:
        polls.append(polled)

    assert [len(endpoint.requests) for endpoint in well] == [10] * 4
    left = Counter(json.loads(one["Body"])["webhook_id"] for polled in polls for one in polled.left)
    assert left == {webhooks[0]["id"]: 10, webhooks[1]["id"]: 10}
    check(tenant, matched(event_ids, *webhooks), [one for each in well for one in each.requests])

    slow.answer(200)
    dead.answer(200)
    for polled in polls:
        polled.return_at_once()
    system.dispatch_all()

    assert [len({one.webhook_id for one in each.requests}) for each in (dead, slow)] == [10, 10]
    requests = [request for endpoint in (dead, slow, *well) for request in endpoint.requests]
    check(tenant, matched(event_ids, *webhooks), requests)
    assert system.bodies("DeliveryQueue") == system.bodies("DeadLetterQueue") == []


def test_a_dead_webhook_that_floods_failures_is_paused_and_no_one_waits_for_it(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty failures in a row, and ten minutes since the first: the eleventh batch pauses."""

    def at(later: int) -> None:
        monkeypatch.setattr(dispatcher.app, "now", lambda: now() + later)
        system.cold_start("dispatcher")

    dead = receiver.endpoint(500)
    well = [receiver.endpoint() for _ in range(4)]
    webhooks = [tenant.webhook(endpoint.url) for endpoint in (dead, *well)]
    event_ids = tenant.post(*tenant.some_events(20))
    system.route()  # 20 for each of five webhooks

    at(-ELEVEN_MINUTES)
    polls = [system.dispatch() for _ in range(10)]

    # In ten batches, in the queue's order, each of the others has had all of its own, once.
    left = Counter(message["Body"] for polled in polls for message in polled.left)
    assert [len(endpoint.requests) for endpoint in (dead, *well)] == [20, 20, 20, 20, 20]
    assert len(left) == 20
    assert tenant.get(f"/v1/webhooks/{webhooks[0]['id']}")["status"] == "enabled"

    at(0)
    for polled in polls:
        polled.return_at_once()
    more = tenant.post(*tenant.some_events(10))
    system.route()
    system.dispatch_all()
    monkeypatch.undo()
    system.cold_start("dispatcher")

    shown = tenant.get(f"/v1/webhooks/{webhooks[0]['id']}")
    assert (shown["status"], shown["paused"]["reason"]) == ("paused", "failures")
    # One batch at most was under way when it was paused.
    assert len(dead.requests) <= 30
    assert [len(endpoint.requests) for endpoint in well] == [30] * 4
    assert system.bodies("DeliveryQueue") == system.bodies("DeadLetterQueue") == []
    requests = [request for endpoint in (dead, *well) for request in endpoint.requests]
    check(tenant, matched([*event_ids, *more], *webhooks), requests)
