"""What the dispatcher does without what it needs: nothing is sent, and messages are left."""

import dispatcher.app
from tests.aws_events import Context, sqs_event, sqs_record
from tests.integration.dispatching.deliveries import route
from tests.integration.system import System, Tenant, matched
from tests.invariant import check
from tests.receiver import Receiver


def test_a_message_that_cannot_be_read_is_left_alone(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    route(system, tenant)
    system.sqs.send_message(QueueUrl=system.queue("DeliveryQueue"), MessageBody="not JSON")

    polled = system.dispatch()

    assert [message["Body"] for message in polled.left] == ["not JSON"]
    assert len(endpoint.requests) == 1


def test_a_delivery_of_an_absent_webhook_is_left_unsent_and_unlogged(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    event_ids = route(system, tenant)
    table = system.stack.resources["ConfigTable"]
    key = {"pk": {"S": tenant.id}, "sk": {"S": f"webhook#{webhook['id']}"}}
    system.stack.client("dynamodb").delete_item(TableName=table, Key=key)

    polled = system.dispatch()

    assert len(polled.left) == 1
    assert endpoint.requests == []
    assert tenant.get("/v1/deliveries", webhook_id=webhook["id"])["data"] == []
    check(tenant, matched(event_ids, webhook))


def test_nothing_is_sent_unsigned_while_the_key_is_away(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    event_ids = route(system, tenant)
    system.restart(AWS_ENDPOINT_URL_KMS="http://127.0.0.1:9")

    polled = system.dispatch()

    assert len(polled.left) == 1
    assert endpoint.requests == []
    check(tenant, matched(event_ids, webhook))


def test_a_dead_letter_that_was_never_sent_reads_as_failed(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    event_ids = route(system, tenant)
    table = system.stack.resources["ConfigTable"]
    key = {"pk": {"S": tenant.id}, "sk": {"S": f"webhook#{webhook['id']}"}}
    system.stack.client("dynamodb").delete_item(TableName=table, Key=key)

    system.dispatch_all()

    assert len(system.messages("DeadLetterQueue")) == 1
    check(tenant, matched(event_ids, webhook))


def test_a_secret_copied_from_another_webhook_signs_nothing(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook, other = tenant.webhook(endpoint.url), tenant.webhook(receiver.endpoint().url)
    tenant.call("PATCH", f"/v1/webhooks/{other['id']}", {"enabled": False})
    route(system, tenant)
    dynamodb = system.stack.client("dynamodb")
    table = system.stack.resources["ConfigTable"]
    items = {item["sk"]["S"]: item for item in system.items("ConfigTable")}
    stolen = items[f"webhook#{other['id']}"]["sealed_secret"]
    dynamodb.put_item(
        TableName=table,
        Item=items[f"webhook#{webhook['id']}"] | {"sealed_secret": stolen},
    )

    polled = system.dispatch()

    assert len(polled.left) == 1
    assert endpoint.requests == []


def test_nothing_is_sent_while_the_log_cannot_be_read(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    event_ids = route(system, tenant)
    system.restart(DELIVERY_TABLE="no-such-table")

    polled = system.dispatch()
    system.restart()

    assert len(polled.left) == 1
    assert endpoint.requests == []
    check(tenant, matched(event_ids, webhook))


def test_without_time_for_a_request_all_messages_are_left(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    route(system, tenant)
    records = [sqs_record(body) for body in system.bodies("DeliveryQueue")]

    answer = dispatcher.app.handler(sqs_event(*records), Context(remaining_ms=900))

    assert len(answer["batchItemFailures"]) == 1
    assert endpoint.requests == []


def test_an_endpoint_on_the_emulators_port_is_not_called(system: System, tenant: Tenant) -> None:
    answer = tenant.call(
        "POST",
        "/v1/webhooks",
        {"name": "loop", "url": f"{system.stack.emulator.url}/x", "event_types": ["*"]},
    )

    assert answer.status == 422
    assert [error["field"] for error in answer.json["errors"]] == ["url"]
