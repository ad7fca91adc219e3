"""The inbox, by the ways that messages take into it on AWS, as far as the emulator has them."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

import ingest.app
from tests.aws_events import Context, sqs_event_of
from tests.integration.system import Polled, System, Tenant, until
from tests.receiver import Receiver

DATA = {"member": {"id": "m-1"}}


def arn_of(system: System) -> str:
    url = system.queue("InboxQueue")
    answer = system.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return answer["Attributes"]["QueueArn"]


@pytest.fixture
def rule(system: System) -> Iterator[str]:
    """The source whose events a rule of the default bus brings into the inbox."""
    events, name = system.stack.client("events"), f"inbox-{uuid.uuid4().hex}"
    source = f"com.example.{name}"
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule=name, Targets=[{"Id": "inbox", "Arn": arn_of(system)}])
    yield source
    events.remove_targets(Rule=name, Ids=["inbox"])
    events.delete_rule(Name=name)


def take(system: System) -> Polled:
    """Have ingest take what is in the inbox, once something is."""
    until(lambda: bool(system.bodies("InboxQueue")), "a message in the inbox", 60)
    polled = system.poll("InboxQueue", "ingest")
    assert polled.left == []
    return polled


def rejected(system: System, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The headings of the rejected events that are new."""
    new = system.new_items("EventTable", before)
    return [item for item in new if item["pk"]["S"] == "rejected" and "status" in item]


def test_an_event_of_the_bus_is_delivered(
    system: System, tenant: Tenant, receiver: Receiver, rule: str
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    detail = {"account_id": tenant.id, "id": "visit-1", "data": DATA}
    answer = system.stack.client("events").put_events(
        Entries=[{"Source": rule, "DetailType": "custom.visit", "Detail": json.dumps(detail)}]
    )
    assert answer["FailedEntryCount"] == 0

    take(system)
    system.route()
    system.dispatch_all()

    (request,) = endpoint.requests
    assert json.loads(request.body)["data"] == DATA
    assert tenant.event("visit-1") is not None


@pytest.mark.parametrize("raw", ["true", "false"])
def test_what_is_published_to_a_topic_is_accepted(system: System, tenant: Tenant, raw: str) -> None:
    sns = system.stack.client("sns")
    topic = sns.create_topic(Name=f"loyalty-{uuid.uuid4().hex}")["TopicArn"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn_of(system),
        Attributes={"RawMessageDelivery": raw},
    )
    event = {"account_id": tenant.id, "id": "visit-1", "type": "custom.visit", "data": DATA}
    sns.publish(TopicArn=topic, Message=json.dumps(event))

    take(system)

    (message,) = system.messages("EventQueue")
    assert message["account_id"] == tenant.id
    assert [one["id"] for one in message["events"]] == ["visit-1"]
    sns.delete_topic(TopicArn=topic)


def test_a_bad_event_is_kept_and_told_of_and_the_others_are_accepted(
    system: System, tenant: Tenant
) -> None:
    before = system.items("EventTable")
    good = {"account_id": tenant.id, "type": "custom.visit", "data": DATA}
    body = [good, good | {"type": "points.earnt"}, good | {"account_id": "acct_0000000000000000"}]
    sent = system.sqs.send_message(
        QueueUrl=system.queue("InboxQueue"), MessageBody=json.dumps(body)
    )

    take(system)

    (message,) = system.messages("EventQueue")
    assert len(message["events"]) == 1
    found = rejected(system, before)
    assert sorted(item["place"]["N"] for item in found) == ["1", "2"]
    assert {item["message_id"]["S"] for item in found} == {sent["MessageId"]}
    lines = [one for one in system.output.lines() if one.get("message") == "event_rejected"]
    assert {line["rejected_event_id"] for line in lines} == {item["sk"]["S"] for item in found}


def test_a_message_that_comes_twice_is_accepted_once(system: System, tenant: Tenant) -> None:
    event = {"account_id": tenant.id, "type": "custom.visit", "data": DATA}
    url = system.queue("InboxQueue")
    system.sqs.send_message(QueueUrl=url, MessageBody=json.dumps([event, event]))
    messages = system.receive("InboxQueue")
    for _ in range(2):
        answer = ingest.app.handler(sqs_event_of(messages), Context())
        assert answer == {"batchItemFailures": []}

    (message,) = system.messages("EventQueue")
    assert len({one["id"] for one in message["events"]}) == 2


def test_while_the_table_is_away_messages_are_left(system: System, tenant: Tenant) -> None:
    event = {"account_id": tenant.id, "type": "custom.visit", "data": DATA}
    url = system.queue("InboxQueue")
    system.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
    system.restart(EVENT_TABLE="nowhere")
    polled = system.poll("InboxQueue", "ingest")
    assert len(polled.left) == len(polled.messages) == 1
    assert system.bodies("EventQueue") == []
    polled.return_at_once()

    system.restart()
    take(system)
    assert len(system.messages("EventQueue")) == 1


def reject(system: System, *events: dict[str, Any]) -> None:
    """Have the inbox take a message of these."""
    url = system.queue("InboxQueue")
    system.sqs.send_message(QueueUrl=url, MessageBody=json.dumps([*events]))
    take(system)


def own_rejected(system: System, operator_key: str, tenant: Tenant) -> list[dict[str, Any]]:
    """The account's rejected events, as the API lists them."""
    answer = system.call("GET", "/v1/rejected-events", key=operator_key, query={"limit": "100"})
    assert answer.status == 200, answer
    return [one for one in answer.json["data"] if one["account_id"] == tenant.id]


def test_an_operator_mends_one_by_the_api(
    system: System, tenant: Tenant, operator_key: str
) -> None:
    event = {"account_id": tenant.id, "id": "visit-1", "data": DATA}
    reject(system, event | {"type": "points.earnt"})
    (listed,) = own_rejected(system, operator_key, tenant)
    path = f"/v1/rejected-events/{listed['id']}"

    shown = system.call("GET", path, key=operator_key).json
    assert json.loads(shown["text"]) == [event | {"type": "points.earnt"}]
    assert shown["problem"]["errors"][0]["field"] == "[0].type"
    wrong = system.call("POST", f"{path}/send", key=operator_key)
    assert (wrong.status, system.bodies("EventQueue")) == (422, [])

    text = json.dumps(event | {"type": "custom.visit"})
    sent = system.call("POST", f"{path}/send", {"text": text}, key=operator_key)

    assert (sent.status, sent.json) == (202, {"events": [{"id": "visit-1", "duplicate": False}]})
    system.route()
    assert tenant.get("/v1/events/visit-1")["data"] == DATA
    assert system.call("GET", path, key=operator_key).status == 404
    activity = system.call("GET", "/v1/activity", key=operator_key).json["data"]
    assert [one["action"] for one in activity if one["subject"] == listed["id"]] == [
        "rejected_event.sent"
    ]


def test_an_operator_dismisses_one_and_an_account_sees_none(
    system: System, tenant: Tenant, operator_key: str
) -> None:
    reject(system, {"account_id": tenant.id, "type": "nothing", "data": {}})
    (listed,) = own_rejected(system, operator_key, tenant)
    path = f"/v1/rejected-events/{listed['id']}"
    assert tenant.call("GET", path).status == 403
    assert tenant.call("DELETE", path).status == 403

    assert system.call("DELETE", path, key=operator_key).status == 204
    assert own_rejected(system, operator_key, tenant) == []
    assert system.call("DELETE", path, key=operator_key).status == 404
