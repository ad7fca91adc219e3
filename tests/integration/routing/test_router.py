"""The router: events to the deliveries of their account's webhooks."""

import json
from typing import Any

from tests.integration.system import System, Tenant, matched
from tests.invariant import check
from tests.receiver import Receiver


def said(event: dict[str, Any]) -> tuple[str, str]:
    return event["id"], event["type"]


def test_each_webhook_gets_the_events_that_it_wants(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    everything = tenant.webhook(receiver.endpoint().url)
    points = tenant.webhook(
        receiver.endpoint().url, event_types=["points.earned", "points.redeemed"]
    )
    gold = tenant.webhook(receiver.endpoint().url, program_ids=["gold"])
    tenant.webhook(receiver.endpoint().url, event_types=["tier.upgraded"], program_ids=["silver"])
    tenant.webhook(receiver.endpoint().url, enabled=False)
    earned, upgraded = tenant.post(
        tenant.an_event("points.earned"), tenant.an_event("tier.upgraded", program_id="gold")
    )

    system.route()

    assert sorted(
        (message["webhook_id"], *(event["id"] for event in message["events"]))
        for message in system.messages("DeliveryQueue")
    ) == sorted(
        [
            (everything["id"], earned),
            (everything["id"], upgraded),
            (points["id"], earned),
            (gold["id"], upgraded),
        ]
    )
    assert system.messages("EventQueue") == []


def test_a_message_says_the_events_and_never_url_or_secret(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    url = receiver.endpoint().url
    webhook = tenant.webhook(url, headers={"x-shop": "shop-7-token"})
    event = tenant.an_event(program_id="gold")
    (event_id,) = tenant.post(event)

    system.route()

    (body,) = system.bodies("DeliveryQueue")
    assert url not in body
    assert webhook["secret"] not in body
    assert "shop-7-token" not in body
    message = json.loads(body)
    assert message["account_id"] == tenant.id
    assert message["run"] == 0
    assert message["delivery_id"].startswith(f"dlv_{webhook['id'].removeprefix('wh_')}_")
    assert [(one["id"], one["data"]) for one in message["events"]] == [(event_id, event["data"])]


def test_events_of_one_message_are_batched_per_webhook(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url, batch_size=3)
    event_ids = tenant.post(*tenant.some_events(7))

    system.route()

    batches = [
        [event["id"] for event in message["events"]] for message in system.messages("DeliveryQueue")
    ]
    assert sorted(batches) == sorted([event_ids[:3], event_ids[3:6], event_ids[6:]])
    received = system.receive("DeliveryQueue")
    assert {message["Attributes"]["MessageGroupId"] for message in received} == {webhook["id"]}


def test_events_of_two_messages_are_never_batched_together(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    tenant.webhook(receiver.endpoint().url, batch_size=10)
    tenant.post(tenant.an_event())
    tenant.post(tenant.an_event())

    system.route()

    assert [len(message["events"]) for message in system.messages("DeliveryQueue")] == [1, 1]


def test_an_event_shows_what_it_became(system: System, tenant: Tenant, receiver: Receiver) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    event = tenant.an_event(program_id="gold", occurred_at="2026-11-21T09:30:00Z")
    (event_id,) = tenant.post(event)

    system.route()

    (message,) = system.messages("DeliveryQueue")
    shown = tenant.get(f"/v1/events/{event_id}")
    assert shown.pop("accepted_at").endswith("Z")
    assert shown == {
        "id": event_id,
        "type": "points.earned",
        "program_id": "gold",
        "occurred_at": "2026-11-21T09:30:00.000000Z",
        "data": event["data"],
        "deliveries": [
            {"webhook_id": webhook["id"], "id": message["delivery_id"], "status": "pending"}
        ],
    }


def test_an_event_that_no_one_wants_is_kept(system: System, tenant: Tenant) -> None:
    (event_id,) = tenant.post(tenant.an_event())

    system.route()

    assert tenant.get(f"/v1/events/{event_id}")["deliveries"] == []
    assert system.messages("DeliveryQueue") == []


def test_routing_twice_gives_the_same_deliveries(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    tenant.webhook(receiver.endpoint().url, batch_size=2)
    tenant.post(*tenant.some_events(3))
    (body,) = system.bodies("EventQueue")

    system.route()
    first = sorted(system.bodies("DeliveryQueue"))
    system.empty_queues()
    system.sqs.send_message(QueueUrl=system.queue("EventQueue"), MessageBody=body)
    system.route()

    assert sorted(system.bodies("DeliveryQueue")) == first


def test_two_messages_with_the_same_event_in_one_invocation_are_both_routed(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    # A caller repeats a request whose answer was lost before its events were marked as sent.
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    (event_id,) = tenant.post(tenant.an_event(id="order-5"))
    (body,) = system.bodies("EventQueue")
    system.sqs.send_message(QueueUrl=system.queue("EventQueue"), MessageBody=body)

    polled = system.poll("EventQueue", "router")
    system.dispatch_all()

    assert (len(polled.messages), polled.left) == (2, [])
    assert len(endpoint.requests) == 1
    check(tenant, matched([event_id], webhook), endpoint.requests)


def test_a_paused_webhooks_events_are_logged_as_failed_and_not_sent(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(410, 200)
    webhook = tenant.webhook(endpoint.url)
    tenant.post(tenant.an_event())
    system.route()
    system.dispatch()
    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["status"] == "paused"
    system.empty_queues()

    event_ids = tenant.post(*tenant.some_events(2))
    system.route()

    assert system.messages("DeliveryQueue") == []
    failed = tenant.deliveries(status="failed")
    assert sorted(one["event_ids"][0] for one in failed) == sorted(event_ids)
    assert [(one["reason"], one["attempts"]) for one in failed] == [("paused", []), ("paused", [])]
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_one_unreadable_message_does_not_hold_the_others_up(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    tenant.webhook(receiver.endpoint().url)
    unreadable = ["no JSON", '{"v": 2, "account_id": "acct_1", "events": []}']
    for body in unreadable:
        system.sqs.send_message(QueueUrl=system.queue("EventQueue"), MessageBody=body)
    tenant.post(tenant.an_event())

    polled = system.poll("EventQueue", "router")

    assert sorted(message["Body"] for message in polled.left) == sorted(unreadable)
    assert len(system.messages("DeliveryQueue")) == 1


def test_a_message_of_an_account_that_is_absent_is_left(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    event_ids = tenant.post(tenant.an_event())
    key = {"pk": {"S": tenant.id}, "sk": {"S": "account"}}
    dynamodb = system.stack.client("dynamodb")
    table = system.stack.resources["ConfigTable"]
    account = dynamodb.get_item(TableName=table, Key=key)["Item"]
    dynamodb.delete_item(TableName=table, Key=key)

    polled = system.poll("EventQueue", "router")
    dynamodb.put_item(TableName=table, Item=account)

    assert len(polled.left) == 1
    check(tenant, matched(event_ids, webhook))


def test_a_message_is_left_while_its_deliveries_cannot_be_queued(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    event_ids = tenant.post(tenant.an_event())
    system.restart(DELIVERY_QUEUE_URL=f"{system.queue('DeliveryQueue')}-gone")

    polled = system.poll("EventQueue", "router")

    assert len(polled.left) == 1
    check(tenant, matched(event_ids, webhook))
    system.restart()
    polled.return_at_once()
    system.route()
    assert len(system.messages("DeliveryQueue")) == 1


def test_a_message_is_left_while_its_events_cannot_be_kept(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    event_ids = tenant.post(tenant.an_event())
    system.restart(EVENT_TABLE="no-such-table")

    polled = system.poll("EventQueue", "router")
    system.restart()

    assert len(polled.left) == 1
    assert system.messages("DeliveryQueue") == []
    check(tenant, matched(event_ids, webhook))
