"""POST /v1/webhooks/test and /v1/webhooks/{id}/test, through management and the dispatcher.

Between them stands a Lambda client of our own, that invokes the dispatcher's handler in this
process and keeps what travelled.
"""

import io
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

import dispatcher.app
from perkwire.adapters import aws
from perkwire.catalogue.names import product_events
from perkwire.trials.runner import MOST_PER_MINUTE
from tests.aws_events import Context, http_api_event
from tests.integration.system import APPS, Response, System, Tenant, strings_in
from tests.receiver import DROP, Answer, Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HEADERS = {"X-Shop": "shop-7-token", "authorization": "Bearer of-the-receiver"}
UNSAVED = "/v1/webhooks/test"


class Lambda:
    """A LambdaClient. `fault` is raised, or answered, in place of the function's answer."""

    def __init__(self) -> None:
        self.invocations: list[dict[str, Any]] = []
        self.payloads: list[str] = []
        self.crashes: list[Exception] = []
        self.fault: Exception | dict[str, Any] | None = None

    def invoke(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401
        payload = asked.pop("Payload").decode()
        self.invocations.append(asked)
        self.payloads.append(payload)
        if isinstance(self.fault, Exception):
            raise self.fault
        if self.fault is not None:
            return self.fault
        try:
            answer = dispatcher.app.handler(json.loads(payload), Context())
        except Exception as crash:
            self.crashes.append(crash)
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer).encode())}


@pytest.fixture
def client(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    client = Lambda()
    monkeypatch.setattr(aws, "functions", lambda _: client)
    system.cold_start("management")
    yield client
    system.cold_start("management")
    assert client.crashes == [], "Lambda would log the message of each"


@pytest.fixture(autouse=True)
def _client(client: Lambda) -> None:
    """In every test of this file."""


@pytest.fixture(autouse=True)
def _early_in_the_minute() -> None:
    """No test of this file is to meet the next minute of the clock."""
    if time.time() % 60 > 52:
        time.sleep(60 - time.time() % 60)


def draft(url: str, **fields: object) -> dict[str, Any]:
    return {"name": "orders", "url": url, "event_types": ["*"], **fields}


def tried(tenant: Tenant, webhook: dict[str, Any], body: object = None) -> Response:
    return tenant.call("POST", f"/v1/webhooks/{webhook['id']}/test", body)


def test_a_saved_webhook_gets_a_signed_sample(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(Answer(200, b"thanks"))
    webhook = tenant.webhook(endpoint.url, headers=HEADERS)

    answer = tried(tenant, webhook)

    assert answer.status == 200
    outcome = dict(answer.json)
    (request,) = endpoint.requests
    event = request.verified(webhook["secret"])
    assert event["type"] == "tier.upgraded"
    assert event["id"].startswith("evt_test_")
    assert request.webhook_id.startswith("dlv_test_")
    assert {name: request.headers[name.lower()] for name in HEADERS} == HEADERS
    assert 0 <= outcome.pop("duration_ms") < 10_000
    shown = outcome.pop("request")
    assert outcome.pop("warnings") == []
    assert outcome == {"delivered": True, "status_code": 200, "response": "thanks"}
    assert (shown["url"], shown["body"]) == (endpoint.url, request.body.decode())
    own = {name: value for name, value in shown["headers"].items() if name not in HEADERS}
    assert own == {name: request.headers[name] for name in own}
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= own.keys()
    assert {shown["headers"][name] for name in HEADERS} == {"…"}


def test_each_event_of_qualifio_is_performed_against_an_endpoint_when_asked(
    tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url, format="qualifio")
    performed = {event.types[0]: event.name.name for event in product_events("qualifio")}

    for event_type in performed:
        assert tried(tenant, webhook, {"event_type": event_type}).json["delivered"] is True

    bodies = [request.json for request in endpoint.requests]
    assert [[event["eventType"] for event in body] for body in bodies] == [
        [name] for name in performed.values()
    ]
    assert {body[0]["eventId"][:9] for body in bodies} == {"evt_test_"}


def test_an_unsaved_webhook_gets_a_signed_sample_and_stays_unsaved(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    system.secrets.update([SECRET, *HEADERS.values()])
    endpoint = receiver.endpoint()
    asked = draft(
        endpoint.url, secret=SECRET, headers=HEADERS, batch_size=10, event_type="tier.upgraded"
    )

    answer = tenant.call("POST", UNSAVED, asked)

    assert (answer.status, answer.json["delivered"]) == (200, True)
    (request,) = endpoint.requests
    assert request.verified(SECRET)["type"] == "batch"
    (event,) = request.events
    assert event["type"] == "tier.upgraded"
    assert {name: request.headers[name.lower()] for name in HEADERS} == HEADERS
    assert tenant.get("/v1/webhooks")["data"] == []
    assert tenant.call("POST", "/v1/webhooks", draft(endpoint.url)).status == 201


def test_no_secret_or_header_value_is_in_an_answer_a_payload_or_a_line(
    system: System, tenant: Tenant, receiver: Receiver, client: Lambda
) -> None:
    """The endpoint echoes the headers, as those made for trying things do."""
    echo = json.dumps(HEADERS).encode()
    asked = draft(receiver.endpoint(Answer(200, echo)).url, secret=SECRET, headers=HEADERS)
    webhook = tenant.webhook(receiver.endpoint(Answer(500, echo)).url, headers=HEADERS)

    answers = [tenant.call("POST", UNSAVED, asked), tried(tenant, webhook)]

    assert [answer.status for answer in answers] == [200, 200]
    secrets = [SECRET, SECRET.removeprefix("whsec_"), webhook["secret"], *HEADERS.values()]
    said = [*strings_in([answer.json for answer in answers]), *client.payloads]
    said += [system.output.getvalue()]
    assert [secret for secret in secrets if any(secret in text for text in said)] == []
    assert len(client.payloads) == 2
    assert json.loads(client.payloads[1]) == {
        "test": {
            "event_type": "tier.upgraded",
            "account_id": tenant.id,
            "webhook_id": webhook["id"],
        }
    }


def test_lines_tell_of_it_without_url(system: System, tenant: Tenant, receiver: Receiver) -> None:
    webhook = tenant.webhook(receiver.endpoint(500).url)

    tried(tenant, webhook)

    (line,) = [line for line in system.output.lines() if line["message"] == "webhook.tested"]
    assert (line["webhook_id"], line["status_code"]) == (webhook["id"], 500)
    assert "127.0.0.1" not in system.output.getvalue()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(410, b"gone"), {"status_code": 410, "response": "gone"}),
        (Answer(302, headers=(("Location", "/"),)), {"status_code": 302, "response": ""}),
        (DROP, {"error": "reset"}),
    ],
)
def test_a_failure_is_shown_and_neither_counted_nor_logged(
    answer: Answer, expected: dict[str, Any], system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint(answer).url)

    outcome = tried(tenant, webhook).json

    assert not outcome["delivered"]
    assert outcome.items() >= expected.items()
    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["status"] == "enabled"
    assert tenant.deliveries() == []
    assert tenant.delivery(outcome["request"]["headers"]["webhook-id"]) is None
    assert tenant.event(json.loads(outcome["request"]["body"])["id"]) is None
    assert tenant.waiting() == []
    keys = [item["pk"]["S"] for item in system.items("ConfigTable")]
    assert f"health#{tenant.id}" not in keys


@pytest.mark.parametrize(
    ("address", "error"),
    [("169.254.169.254", "blocked_address"), ("10.0.0.1", "blocked_address"), (None, "dns")],
)
def test_a_name_that_leads_inside_or_nowhere_is_an_error_class(
    address: str | None, error: str, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule is the sender's own: it holds for the address that is dialled."""
    look_up = socket.getaddrinfo

    def answer(host: str, port: int, *options: Any, **more: Any) -> Any:  # noqa: ANN401
        if host != "metadata.example":
            return look_up(host, port, *options, **more)
        if address is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)

    outcome = tenant.call("POST", UNSAVED, draft("https://metadata.example/latest")).json

    assert (outcome["delivered"], outcome["error"]) == (False, error)
    assert not {"status_code", "response"} & outcome.keys()


def test_an_address_inside_is_refused_before_anything_is_sent(
    tenant: Tenant, client: Lambda
) -> None:
    answer = tenant.call("POST", UNSAVED, draft("https://169.254.169.254/latest"))

    assert (answer.status, [error["field"] for error in answer.json["errors"]]) == (422, ["url"])
    assert client.invocations == []


@pytest.mark.parametrize("enabled", [True, False])
def test_a_paused_or_disabled_webhook_is_tested_and_stays_as_it_is(
    enabled: bool, tenant: Tenant, receiver: Receiver, system: System
) -> None:
    endpoint = receiver.endpoint(410, 200)
    webhook = tenant.webhook(endpoint.url, enabled=enabled)
    if enabled:
        tenant.post(tenant.an_event())
        system.route()
        system.dispatch()
    status = tenant.get(f"/v1/webhooks/{webhook['id']}")["status"]
    assert status == ("paused" if enabled else "disabled")
    endpoint.answer(200)

    assert tried(tenant, webhook).json["delivered"] is True

    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["status"] == status


def test_during_a_rotation_both_secrets_sign(tenant: Tenant, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    rotated = tenant.call("POST", f"/v1/webhooks/{webhook['id']}/rotate-secret")
    tenant.system.secrets.add(rotated.json["secret"])

    tried(tenant, webhook)

    (request,) = endpoint.requests
    request.verified(webhook["secret"])
    request.verified(rotated.json["secret"])


def test_another_accounts_or_a_deleted_webhook_is_not_there(
    tenant: Tenant, another_tenant: Tenant, receiver: Receiver, client: Lambda
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)

    assert tried(another_tenant, webhook).status == 404
    tenant.call("DELETE", f"/v1/webhooks/{webhook['id']}")
    assert tried(tenant, webhook).status == 404
    assert client.invocations == []


@pytest.mark.parametrize("path", [UNSAVED, "/v1/webhooks/wh_0/test"])
def test_it_needs_the_scope_webhooks(path: str, system: System, tenant: Tenant) -> None:
    answer = system.call("POST", path, {}, key=tenant.new_key("events"))

    assert answer.status == 403


def test_an_operator_tests_for_the_account_that_it_names(
    system: System, tenant: Tenant, receiver: Receiver, operator_key: str
) -> None:
    headers = {"Perkwire-Account": tenant.id}
    asked = draft(receiver.endpoint().url)

    answer = system.call("POST", UNSAVED, asked, key=operator_key, headers=headers)

    assert answer.json["delivered"] is True


def test_parallel_tests_never_exceed_the_limit(
    tenant: Tenant, another_tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)

    def one(number: int) -> int:
        if number % 2:
            return tried(tenant, webhook).status
        return tenant.call("POST", UNSAVED, draft(endpoint.url)).status

    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(one, range(MOST_PER_MINUTE + 8)))

    assert sorted(statuses) == [200] * MOST_PER_MINUTE + [429] * 8
    assert len(endpoint.requests) == MOST_PER_MINUTE
    other = another_tenant.webhook(endpoint.url)
    assert tried(another_tenant, other).status == 200


def test_beyond_the_limit_the_answer_says_when_to_come_again(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    asked = draft(receiver.endpoint().url)
    for _ in range(MOST_PER_MINUTE):
        assert tenant.call("POST", UNSAVED, asked).status == 200

    event = http_api_event(
        "POST",
        UNSAVED,
        body=json.dumps(asked).encode(),
        authorizer={"account_id": tenant.id, "scopes": "webhooks"},
    )
    answer = APPS["management"].handler(event, Context())

    assert answer["statusCode"] == 429
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert headers["content-type"] == "application/problem+json"
    assert 1 <= int(headers["retry-after"]) <= 60
    assert json.loads(answer["body"]) == {
        "type": "urn:perkwire:problem:too-many-requests",
        "title": "There were too many such requests.",
        "status": 429,
        "detail": "An account has at most 10 tests a minute.",
    }


@pytest.mark.parametrize(
    "fault",
    [
        ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "no"}}, "Invoke"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1"),
        {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "boom"}')},
        {"Payload": io.BytesIO(b'{"failed": "crashed"}')},
    ],
    ids=["throttled", "timed out", "crashed", "failed"],
)
def test_a_failing_invocation_is_503(
    fault: Exception | dict[str, Any], tenant: Tenant, receiver: Receiver, client: Lambda
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    client.fault = fault

    answer = tried(tenant, webhook)

    assert (answer.status, answer.json["type"]) == (503, "urn:perkwire:problem:unavailable")
    assert len(client.invocations) == 1


def test_a_secret_that_cannot_be_opened_is_503_and_nothing_is_sent(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    system.restart(AWS_ENDPOINT_URL_KMS="http://127.0.0.1:9")

    assert tried(tenant, webhook).status == 503
    assert endpoint.requests == []


def test_a_crash_of_the_dispatcher_is_503_and_no_message_is_in_its_log(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)

    def crash(*_: object) -> None:
        raise ValueError(webhook["secret"])

    monkeypatch.setattr("perkwire.trials.sender.render_now", crash)

    assert tried(tenant, webhook).status == 503
    assert "test_crashed" in [line.get("message") for line in system.output.lines()]


def test_the_dispatcher_is_invoked_by_its_name_and_waited_for(
    system: System, tenant: Tenant, receiver: Receiver, client: Lambda
) -> None:
    tried(tenant, tenant.webhook(receiver.endpoint().url))

    (invocation,) = client.invocations
    assert invocation == {
        "FunctionName": system.stack.environment("management")["DISPATCHER_FUNCTION"],
        "InvocationType": "RequestResponse",
    }
