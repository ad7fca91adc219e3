"""The dispatcher: signed requests out, outcomes in the log."""

import json
import time

import pytest
from standardwebhooks import WebhookVerificationError

from tests.integration.dispatching.deliveries import attempts_of, route
from tests.integration.system import System, Tenant, matched
from tests.invariant import check
from tests.receiver import DROP, Answer, Receiver


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
        "numbers": [0, 1e-7, 0.1, 1.5e300, 2**63, -(2**63)],
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
    assert {**delivery, "attempts": []} == {**listed, "attempts": []}
    assert attempts_of(listed) == attempts_of(delivery)
    assert [one for one in listed["attempts"] if "response" in one] == []
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
        (Answer(200, after_seconds=60), "timeout"),
        (DROP, "reset"),
    ],
)
def test_anything_but_2xx_is_retried(
    answer: Answer, said: object, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    if said == "timeout":
        system.restart(ENDPOINT_TIMEOUT_SECONDS="1")
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
