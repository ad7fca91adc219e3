"""POST /v1/events: what is answered, and what SQS holds then."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import ingest.app
from tests.aws_events import Context, http_api_event
from tests.integration.system import System, Tenant
from tests.receiver import Receiver


def test_one_event_is_answered_once_sqs_holds_it(system: System, tenant: Tenant) -> None:
    event = tenant.an_event(program_id="gold", occurred_at="2026-11-21T09:30:00+02:00")

    answer = tenant.call("POST", "/v1/events", event)

    assert answer.status == 202
    assert answer.content_type == "application/json"
    (message,) = system.messages("EventQueue")
    (queued,) = message["events"]
    assert answer.json == {"id": queued["id"], "duplicate": False}
    assert message == {"v": 1, "account_id": tenant.id, "events": [queued]}
    assert queued["id"].startswith("evt_")
    assert queued["accepted_at"] > 0
    assert queued | {"id": "", "accepted_at": 0} == {
        "id": "",
        "type": "points.earned",
        "accepted_at": 0,
        "occurred_at": 1_795_246_200_000_000,
        "program_id": "gold",
        "data": event["data"],
    }


def test_events_of_a_list_travel_together_in_their_order(system: System, tenant: Tenant) -> None:
    event_ids = tenant.post(*tenant.some_events(100))

    (message,) = system.messages("EventQueue")
    assert [event["id"] for event in message["events"]] == event_ids
    assert len(set(event_ids)) == 100


def test_cloud_events_arrive_by_their_content_type(system: System, tenant: Tenant) -> None:
    batch = [
        {
            "specversion": "1.0",
            "id": f"visit-{number}",
            "source": "/tills/7",
            "type": "custom.visit",
            "data": {"shop": "Zylker Café", "number": number},
        }
        for number in range(2)
    ]

    answer = tenant.call(
        "POST",
        "/v1/events",
        batch,
        headers={"content-type": "application/cloudevents-batch+json"},
    )

    assert (answer.status, len(answer.json["events"])) == (202, 2)
    (message,) = system.messages("EventQueue")
    assert [event["data"] for event in message["events"]] == [one["data"] for one in batch]


def test_large_events_are_spread_over_messages_that_sqs_takes(
    system: System, tenant: Tenant
) -> None:
    # Characters that take more room in a message than in the request: a message is ASCII.
    events = [{"type": "custom.note", "data": {"note": "é" * 60_000}} for _ in range(8)]

    body = json.dumps({"events": events}, ensure_ascii=False).encode()

    answer = tenant.call("POST", "/v1/events", body)

    assert answer.status == 202
    event_ids = [event["id"] for event in answer.json["events"]]
    messages = system.messages("EventQueue")
    assert len(messages) > 1
    assert [event["id"] for message in messages for event in message["events"]] == event_ids
    sizes = [len(body) for body in system.bodies("EventQueue")]
    assert len(sizes) == len(messages)
    assert max(sizes) < 1_048_576


def test_a_body_may_come_in_base64(system: System, tenant: Tenant) -> None:
    caller = {"account_id": tenant.id, "scopes": "events"}
    event = http_api_event(
        "POST",
        "/v1/events",
        body=json.dumps(tenant.an_event()).encode(),
        authorizer=caller,
        base64_encoded=True,
    )

    assert ingest.app.handler(event, Context())["statusCode"] == 202


@pytest.mark.parametrize(
    ("body", "status", "document"),
    [
        (
            b'{"type": "points.earned", "data": {}',
            400,
            {
                "type": "urn:perkwire:problem:malformed",
                "title": "The request body is malformed.",
                "status": 400,
                "detail": "The body is not JSON from line 1, column 37 on.",
            },
        ),
        (
            b'{"events": [{"type": "points.earned", "data": {}}, {"type": "Points", "datum": 1}, '
            b'{"type": "tier.upgrade", "data": {}}]}',
            422,
            {
                "type": "urn:perkwire:problem:invalid",
                "title": "The request has invalid fields.",
                "status": 422,
                "errors": [
                    {
                        "field": "events[0].data.member",
                        "detail": "is required",
                        "pointer": "/events/0/data/member",
                    },
                    {
                        "field": "events[0].data.transaction",
                        "detail": "is required",
                        "pointer": "/events/0/data/transaction",
                    },
                    {
                        "field": "events[1].type",
                        "detail": "must be a dotted name such as points.earned or custom.anything; "
                        "the nearest are points.added, points.earned, points.expired",
                    },
                    {"field": "events[1].data", "detail": "is required"},
                    {"field": "events[1].datum", "detail": "is not a known field"},
                    {
                        "field": "events[2].type",
                        "detail": "is not an event type of the catalogue, nor begins with "
                        "custom. as your own types do; "
                        "the nearest are tier.upgraded, tier.downgraded, tier.prolonged",
                    },
                ],
            },
        ),
        (
            b'{"events": []}',
            422,
            {
                "type": "urn:perkwire:problem:invalid",
                "title": "The request has invalid fields.",
                "status": 422,
                "errors": [{"field": "events", "detail": "must be a list of 1 to 100 events"}],
            },
        ),
        (
            json.dumps({"type": "points.earned", "data": {"note": "x" * 262_144}}).encode(),
            413,
            {
                "type": "urn:perkwire:problem:too-large",
                "title": "The request is too large.",
                "status": 413,
                "detail": "The event has more than 262144 bytes.",
            },
        ),
    ],
)
def test_a_wrong_request_is_told_why_and_nothing_is_sent(
    body: bytes, status: int, document: object, system: System, tenant: Tenant
) -> None:
    answer = tenant.call("POST", "/v1/events", body)

    assert (answer.status, answer.json) == (status, document)
    assert answer.content_type == "application/problem+json"
    assert system.messages("EventQueue") == []


def test_a_repeat_under_the_same_id_is_known_and_not_sent_again(
    system: System, tenant: Tenant
) -> None:
    event = tenant.an_event(id="order-10045:earned")

    first = tenant.call("POST", "/v1/events", event)
    again = tenant.call("POST", "/v1/events", dict(reversed(event.items())))

    assert (first.status, again.status) == (202, 202)
    assert first.json == {"id": "order-10045:earned", "duplicate": False}
    assert again.json == {"id": "order-10045:earned", "duplicate": True}
    assert len(system.messages("EventQueue")) == 1


def test_the_same_id_for_another_body_is_refused(system: System, tenant: Tenant) -> None:
    tenant.post(tenant.an_event(id="order-1"))

    answer = tenant.call(
        "POST", "/v1/events", {"events": [tenant.an_event(), tenant.an_event(id="order-1")]}
    )

    assert answer.status == 422
    assert answer.json["errors"] == [
        {"field": "events[1].id", "detail": "was used before with another body"}
    ]
    assert len(system.messages("EventQueue")) == 1


def test_ids_belong_to_their_account(tenant: Tenant, another_tenant: Tenant) -> None:
    tenant.post(tenant.an_event(id="order-1"))

    answer = another_tenant.call("POST", "/v1/events", tenant.an_event(id="order-1"))

    assert answer.json == {"id": "order-1", "duplicate": False}


def test_a_repeat_under_the_same_key_gets_the_same_ids(system: System, tenant: Tenant) -> None:
    request = {"events": tenant.some_events(3)}
    key = {"Idempotency-Key": "batch-7"}

    first = tenant.call("POST", "/v1/events", request, headers=key)
    again = tenant.call("POST", "/v1/events", request, headers=key)
    fewer = tenant.call("POST", "/v1/events", {"events": request["events"][:2]}, headers=key)

    assert [one["duplicate"] for one in first.json["events"]] == [False] * 3
    assert [one["duplicate"] for one in again.json["events"]] == [True] * 3
    assert [one["id"] for one in again.json["events"]] == [
        one["id"] for one in first.json["events"]
    ]
    assert fewer.status == 422
    assert fewer.json["errors"] == [
        {"field": "Idempotency-Key", "detail": "was used before with another body"}
    ]
    assert len(system.messages("EventQueue")) == 1


def test_a_key_that_is_none_is_refused(tenant: Tenant) -> None:
    answer = tenant.call(
        "POST", "/v1/events", tenant.an_event(), headers={"Idempotency-Key": "a key"}
    )

    assert answer.status == 422
    assert answer.json["errors"] == [
        {"field": "Idempotency-Key", "detail": "must be 1 to 255 visible ASCII characters"}
    ]


def test_the_same_request_many_times_at_once_becomes_one_delivery(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    event = tenant.an_event(id="order-2")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: tenant.call("POST", "/v1/events", event), range(8)))
    while system.poll("EventQueue", "router", most=1).messages:
        pass
    system.dispatch_all()

    assert {answer.status for answer in answers} <= {202, 503}
    assert 202 in {answer.status for answer in answers}
    assert {answer.json["id"] for answer in answers if answer.status == 202} == {"order-2"}
    assert len(endpoint.requests) == 1


def test_nothing_is_202_while_the_queue_is_away_and_a_repeat_then_keeps_its_id(
    system: System, tenant: Tenant
) -> None:
    event, key = tenant.an_event(), {"Idempotency-Key": "order-3"}
    system.restart(EVENT_QUEUE_URL=f"{system.queue('EventQueue')}-gone")

    refused = tenant.call("POST", "/v1/events", event, headers=key)
    system.restart()
    accepted = tenant.call("POST", "/v1/events", event, headers=key)

    assert refused.status == 503
    assert refused.json["title"] == "The request could not be completed; send it again."
    (said,) = refused.json["events"]
    assert said == {**accepted.json, "accepted": False}
    assert accepted.status == 202
    assert accepted.json["duplicate"] is False
    assert len(system.messages("EventQueue")) == 1


def test_nothing_is_202_while_the_table_of_claims_is_away(system: System, tenant: Tenant) -> None:
    system.restart(EVENT_TABLE="no-such-table")

    answer = tenant.call("POST", "/v1/events", tenant.an_event(id="order-4"))

    assert answer.status == 503
    assert system.messages("EventQueue") == []


def test_an_operator_names_the_account_of_each_event(
    system: System, tenant: Tenant, another_tenant: Tenant, operator_key: str
) -> None:
    events = [
        tenant.an_event(account_id=tenant.id),
        tenant.an_event(account_id=another_tenant.id),
        tenant.an_event(account_id=tenant.id),
    ]

    answer = system.call("POST", "/v1/events", {"events": events}, key=operator_key)

    assert answer.status == 202
    first, second, third = (one["id"] for one in answer.json["events"])
    assert {
        message["account_id"]: [event["id"] for event in message["events"]]
        for message in system.messages("EventQueue")
    } == {tenant.id: [first, third], another_tenant.id: [second]}


def test_an_operators_account_must_exist(system: System, operator_key: str, tenant: Tenant) -> None:
    events = [
        tenant.an_event(account_id=tenant.id),
        tenant.an_event(account_id="acct_0000000000000000"),
    ]

    answer = system.call("POST", "/v1/events", {"events": events}, key=operator_key)

    assert answer.status == 422
    assert answer.json["errors"] == [
        {"field": "events[1].account_id", "detail": "names no account"}
    ]
    assert system.messages("EventQueue") == []


def test_an_account_may_not_name_another(
    system: System, tenant: Tenant, another_tenant: Tenant
) -> None:
    event = tenant.an_event(account_id=another_tenant.id)

    answer = tenant.call("POST", "/v1/events", event)

    assert answer.status == 403
    assert system.messages("EventQueue") == []


def test_a_key_for_webhooks_may_not_post_events(system: System, tenant: Tenant) -> None:
    key = tenant.new_key("webhooks")

    answer = system.call("POST", "/v1/events", tenant.an_event(), key=key)

    assert answer.status == 403
    assert answer.json == {
        "type": "urn:perkwire:problem:forbidden",
        "title": "The API key does not allow this.",
        "status": 403,
        "detail": "It needs the scope events.",
    }
    assert system.messages("EventQueue") == []


@pytest.mark.parametrize(
    "account_id",
    ["shop-42", "acct_7", "acct_0000000000000000#keys", "key#0", "accounts"],
)
def test_an_operators_event_of_what_can_be_no_account_is_refused_like_that_of_no_account(
    account_id: str, system: System, operator_key: str, tenant: Tenant
) -> None:
    """Ingest may look for accounts alone: of another key IAM would refuse the whole request."""
    event = tenant.an_event(account_id=account_id)

    answer = system.call("POST", "/v1/events", event, key=operator_key)

    assert answer.status == 422, answer
    assert answer.json["errors"] == [{"field": "account_id", "detail": "names no account"}]
