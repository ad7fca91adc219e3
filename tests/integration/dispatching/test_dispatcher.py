"""The dispatcher: signed requests out, outcomes in the log."""

import json
import time
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

import dispatcher.app
from perkwire.primitives.timestamps import now
from tests.aws_events import Context, sqs_event, sqs_record
from tests.integration.system import System, Tenant, matched
from tests.invariant import check
from tests.receiver import DROP, Answer, Receiver

ELEVEN_MINUTES = 11 * 60 * 1_000_000


def route(system: System, tenant: Tenant, *events: dict[str, Any]) -> list[str]:
    """Post events, or one, and bring them as far as DeliveryQueue."""
    event_ids = tenant.post(*(events or (tenant.an_event(),)))
    system.route()
    return event_ids


def attempts_of(delivery: dict[str, Any]) -> list[tuple[int, int | str]]:
    return [
        (attempt["number"], attempt.get("status_code") or attempt["error"])
        for attempt in delivery["attempts"]
    ]


def test_an_event_reaches_its_webhook_signed(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    event = tenant.an_event(program_id="gold", occurred_at="2026-11-21T09:30:00Z")
    (event_id,) = route(system, tenant, event)

    polled = system.dispatch()

    assert polled.left == []
    (request,) = endpoint.requests
    assert request.verified(webhook["secret"]) == {
        "id": event_id,
        "type": "points.earned",
        "timestamp": "2026-11-21T09:30:00.000000Z",
        "program_id": "gold",
        "data": event["data"],
    }
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 30
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Perkwire/")
    with pytest.raises(WebhookVerificationError):
        request.verified("whsec_" + "A" * 43 + "=")


def test_a_batch_is_signed_as_a_whole(system: System, tenant: Tenant, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url, batch_size=3)
    events = tenant.some_events(4)
    event_ids = route(system, tenant, *events)

    system.dispatch()

    requests = sorted(endpoint.requests, key=lambda request: len(request.body), reverse=True)
    bodies = [request.verified(webhook["secret"]) for request in requests]
    assert [body["type"] for body in bodies] == ["batch", "batch"]
    sent = [[(event["id"], event["data"]) for event in body["data"]["events"]] for body in bodies]
    posted = [(one, event["data"]) for one, event in zip(event_ids, events, strict=True)]
    assert sent == [posted[:3], posted[3:]]


def test_a_secret_of_the_accounts_own_choice_signs(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    endpoint = receiver.endpoint()
    assert tenant.webhook(endpoint.url, secret=secret)["secret"] == secret
    route(system, tenant)

    system.dispatch()

    endpoint.requests[0].verified(secret)


def test_custom_headers_arrive(system: System, tenant: Tenant, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    headers = {"X-Shop": "shop-7-token", "authorization": "Bearer of-the-receiver"}
    webhook = tenant.webhook(endpoint.url, headers=headers)
    route(system, tenant)

    system.dispatch()

    (request,) = endpoint.requests
    assert request.headers["x-shop"] == "shop-7-token"
    assert request.headers["authorization"] == "Bearer of-the-receiver"
    request.verified(webhook["secret"])


def test_data_arrives_as_it_was_posted(system: System, tenant: Tenant, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    data = {
        "text": "naïve \u2028 \x00 \U0001f600 </script>",
        "numbers": [0, -0.0, 1e-7, 0.1, 1.5e300, 2**63, -(2**63)],
        "nothing": None,
        "": {"": [[], {}, True]},
    }
    tenant.call("POST", "/v1/events", {"type": "custom.odd", "data": data})
    system.route()

    system.dispatch()

    body = endpoint.requests[0].verified(webhook["secret"])
    assert json.dumps(body["data"]) == json.dumps(data)


def test_every_attempt_is_in_the_log_of_the_delivery(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(Answer(500, b"out of order\n" + b"x" * 2000), DROP, 204)
    webhook = tenant.webhook(endpoint.url)
    (event_id,) = route(system, tenant)

    statuses = []
    for _ in range(3):
        polled = system.dispatch()
        (shown,) = tenant.get(f"/v1/events/{event_id}")["deliveries"]
        statuses.append((shown["status"], len(polled.left)))
        polled.return_at_once()

    assert statuses == [("retrying", 1), ("retrying", 1), ("succeeded", 0)]
    (listed,) = tenant.deliveries()
    delivery = tenant.get(f"/v1/deliveries/{listed['id']}")
    assert delivery == listed
    assert attempts_of(delivery) == [(1, 500), (2, "reset"), (3, 204)]
    first, _, last = delivery["attempts"]
    assert first["response"].startswith("out of order xxx")
    assert len(first["response"]) == 512
    assert "response" not in last
    assert (delivery["status"], delivery["webhook_id"]) == ("succeeded", webhook["id"])
    assert (delivery["event_ids"], delivery["event_types"]) == ([event_id], ["points.earned"])
    requests = endpoint.requests
    assert {request.webhook_id for request in requests} == {delivery["id"]}
    for request in requests:
        request.verified(webhook["secret"])
    check(tenant, matched([event_id], webhook), requests)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(301, headers=(("Location", "http://127.0.0.1:1/elsewhere"),)), 301),
        (Answer(404), 404),
        (Answer(200, after_seconds=3), "timeout"),
        (DROP, "reset"),
    ],
)
def test_anything_but_2xx_is_retried(
    answer: Answer, said: object, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(answer)
    webhook = tenant.webhook(endpoint.url)
    event_ids = route(system, tenant)

    polled = system.dispatch()

    assert len(polled.left) == 1
    assert len(endpoint.requests) == 1
    (delivery,) = tenant.deliveries(status="retrying")
    assert attempts_of(delivery) == [(1, said)]
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_used_up_attempts_leave_a_dead_letter_and_a_failure_in_the_log(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    event_ids = route(system, tenant)

    system.dispatch_all()

    assert len(endpoint.requests) == 3
    (delivery,) = tenant.deliveries(status="failed")
    assert "reason" not in delivery
    assert attempts_of(delivery) == [(1, 500), (2, 500), (3, 500)]
    (dead,) = system.messages("DeadLetterQueue")
    assert dead["delivery_id"] == delivery["id"]
    assert tenant.waiting() == []
    check(tenant, matched(event_ids, webhook), endpoint.requests)


def test_one_dead_endpoint_leaves_the_others_of_its_batch_alone(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    dead, well = receiver.endpoint(500), receiver.endpoint()
    webhooks = tenant.webhook(dead.url), tenant.webhook(well.url)
    event_ids = route(system, tenant, *tenant.some_events(5))

    polled = system.dispatch()

    assert (len(polled.messages), len(polled.left)) == (10, 5)
    assert len(well.requests) == 5
    check(tenant, matched(event_ids, *webhooks), [*dead.requests, *well.requests])


def test_a_second_copy_of_what_has_succeeded_sends_nothing(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    route(system, tenant)
    (body,) = system.bodies("DeliveryQueue")
    system.dispatch()

    system.sqs.send_message(QueueUrl=system.queue("DeliveryQueue"), MessageBody=body)
    polled = system.dispatch()

    assert (len(polled.messages), polled.left) == (1, [])
    assert len(endpoint.requests) == 1


def test_two_copies_in_one_batch_send_once(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    route(system, tenant)
    (body,) = system.bodies("DeliveryQueue")
    system.sqs.send_message(QueueUrl=system.queue("DeliveryQueue"), MessageBody=body)

    polled = system.dispatch()

    assert (len(polled.messages), polled.left) == (2, [])
    assert len(endpoint.requests) == 1


def test_two_copies_in_one_batch_are_both_left_by_a_failure(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    event_ids = route(system, tenant)
    (body,) = system.bodies("DeliveryQueue")
    system.sqs.send_message(QueueUrl=system.queue("DeliveryQueue"), MessageBody=body)

    polled = system.dispatch()

    assert (len(polled.messages), len(polled.left)) == (2, 2)
    assert len(endpoint.requests) == 1
    check(tenant, matched(event_ids, webhook), endpoint.requests)


@pytest.mark.parametrize(("change", "reason"), [("disable", "disabled"), ("delete", "deleted")])
def test_what_is_queued_for_a_webhook_that_is_gone_is_cancelled(
    change: str, reason: str, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    event_ids = route(system, tenant)
    path = f"/v1/webhooks/{webhook['id']}"
    if change == "disable":
        assert tenant.call("PATCH", path, {"enabled": False}).status == 200
    else:
        assert tenant.call("DELETE", path).status == 204

    polled = system.dispatch()

    assert (len(polled.messages), polled.left) == (1, [])
    assert endpoint.requests == []
    (delivery,) = tenant.deliveries(status="cancelled")
    assert (delivery["reason"], delivery["attempts"]) == (reason, [])
    check(tenant, matched(event_ids, webhook))


def test_a_change_acts_on_what_is_queued(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    old, new = receiver.endpoint(500), receiver.endpoint()
    webhook = tenant.webhook(old.url, headers={"x-shop": "the-old-token"})
    (event_id,) = route(system, tenant)
    system.dispatch().return_at_once()
    change = {"url": new.url, "headers": {"x-till": "the-new-token"}, "batch_size": 5}

    assert tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", change).status == 200
    system.dispatch()

    (first,), (second,) = old.requests, new.requests
    assert second.webhook_id == first.webhook_id
    assert second.event_ids == (event_id,)
    assert "x-shop" not in second.headers
    assert second.headers["x-till"] == "the-new-token"
    assert second.verified(webhook["secret"])["type"] == "batch"
    system.secrets.add("the-new-token")


def test_a_410_pauses_at_once_and_what_is_queued_fails(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(410, 200)
    webhook = tenant.webhook(endpoint.url)
    (first,) = route(system, tenant)
    system.dispatch().return_at_once()

    shown = tenant.get(f"/v1/webhooks/{webhook['id']}")
    assert (shown["status"], shown["paused"]["reason"]) == ("paused", "gone")
    polled = system.dispatch()

    assert (len(polled.messages), polled.left) == (1, [])
    assert len(endpoint.requests) == 1
    (delivery,) = tenant.deliveries(status="failed")
    assert (delivery["reason"], attempts_of(delivery)) == ("paused", [(1, 410)])
    check(tenant, matched([first], webhook), endpoint.requests)


def test_an_enabled_webhook_is_sent_to_again(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(410, 200)
    webhook = tenant.webhook(endpoint.url)
    route(system, tenant)
    system.dispatch()
    system.empty_queues()

    shown = tenant.call("PATCH", f"/v1/webhooks/{webhook['id']}", {"enabled": True})
    (event_id,) = route(system, tenant)
    system.dispatch()

    assert (shown.json["status"], shown.json["paused"]) == ("enabled", None)
    assert endpoint.requests[-1].event_ids == (event_id,)


def test_failures_in_a_row_pause_only_after_ten_minutes_without_success(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url)
    path = f"/v1/webhooks/{webhook['id']}"

    def at(later: int) -> None:
        monkeypatch.setattr(dispatcher.app, "now", lambda: now() + later)
        system.cold_start("dispatcher")

    system.restart(PAUSE_AFTER_FAILURES="4")
    at(-ELEVEN_MINUTES)
    route(system, tenant, *tenant.some_events(5))
    system.dispatch()
    assert tenant.get(path)["status"] == "enabled"

    at(0)
    system.empty_queues()
    route(system, tenant)
    system.dispatch()
    shown = tenant.get(path)
    monkeypatch.undo()
    assert (shown["status"], shown["paused"]["reason"]) == ("paused", "failures")


def test_a_success_ends_the_row_of_failures(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500, 500, 200, 500)
    webhook = tenant.webhook(endpoint.url)
    route(system, tenant)

    def health() -> list[dict[str, Any]]:
        items = system.items("ConfigTable")
        return [item for item in items if item["pk"]["S"] == f"health#{tenant.id}"]

    system.dispatch().return_at_once()
    system.dispatch().return_at_once()
    (failing,) = health()
    system.dispatch()
    (well,) = health()

    assert failing["failures"] == {"N": "2"}
    assert "failures" not in well
    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["status"] == "enabled"


def test_the_first_used_up_delivery_pauses_if_so_asked(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    system.restart(PAUSE_WHEN_EXHAUSTED="true")
    webhook = tenant.webhook(receiver.endpoint(500).url)
    route(system, tenant)

    system.dispatch_all()

    shown = tenant.get(f"/v1/webhooks/{webhook['id']}")
    assert (shown["status"], shown["paused"]["reason"]) == ("paused", "exhausted")


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


def test_the_log_of_an_attempt_is_one_line_with_ids_and_numbers(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url, headers={"x-shop": "shop-7-token"})
    route(system, tenant)

    system.dispatch()

    (attempted,) = [
        line for line in system.output.lines() if line["message"] == "delivery.attempted"
    ]
    (delivery,) = tenant.deliveries()
    assert (
        attempted.items()
        >= {
            "account_id": tenant.id,
            "webhook_id": webhook["id"],
            "delivery_id": delivery["id"],
            "status": "retrying",
            "status_code": 500,
            "attempt": 1,
            "run": 0,
            "events": 1,
        }.items()
    )
    assert set(attempted) <= {
        "level", "message", "timestamp", "service", "request_id", "account_id", "webhook_id",
        "delivery_id", "run", "events", "status", "status_code", "attempt", "duration_ms",
    }  # fmt: skip
    assert endpoint.url not in system.output.getvalue()
