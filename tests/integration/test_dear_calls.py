"""Calls that are dear: who may not make them is refused first, and an account makes so many."""

import json
from typing import Any

import pytest

from console.pages import events as events_page
from perkwire.adapters.data_schemas import DataSchemas
from perkwire.jobs.starting import MOST_DRY_RUNS_PER_MINUTE
from perkwire.model.event import MOST_SUGGESTIONS, parse_events
from perkwire.primitives.page import Page
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from tests.aws_events import Context, http_api_event
from tests.builders import ACCOUNT, event_body
from tests.integration.browsing import Browser
from tests.integration.system import APPS, System, Tenant, until
from tests.receiver import Receiver

OPERATORS = [
    ("POST", "/v1/accounts"),
    ("PATCH", "/v1/accounts/{account}"),
    ("POST", "/v1/accounts/{account}/api-keys"),
    ("POST", "/v1/accounts/{account}/console-links"),
    ("POST", "/v1/redrives"),
    ("PUT", "/v1/brand"),
]
MALFORMED = b'{"name": ' * 10_000


@pytest.mark.parametrize(("method", "path"), OPERATORS)
def test_the_scope_is_looked_at_before_the_body_is_read(
    method: str, path: str, tenant: Tenant
) -> None:
    answer = tenant.call(method, path.format(account=tenant.id), MALFORMED)

    assert answer.status == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/webhooks"),
        ("POST", "/v1/webhooks/test"),
        ("POST", "/v1/deliveries/retry"),
        ("PATCH", "/v1/account"),
        ("POST", "/v1/account/api-keys"),
    ],
)
def test_a_key_for_events_alone_has_no_body_of_a_webhook_read(
    method: str, path: str, system: System, tenant: Tenant
) -> None:
    key = tenant.new_key("events")

    assert system.call(method, path, MALFORMED, key=key).status == 403


def answered(app: str, tenant: Tenant, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
    caller = {"account_id": tenant.id, "scopes": "events webhooks"}
    sent = None if body is None else json.dumps(body).encode()
    event = http_api_event(method, path, body=sent, authorizer=caller)
    return APPS[app].handler(event, Context())


def header(answer: Any, name: str) -> str:  # noqa: ANN401
    return str({key.lower(): value for key, value in answer["headers"].items()}[name])


@pytest.mark.parametrize(
    ("app", "method", "path", "body"),
    [
        ("ingest", "POST", "/v1/events", event_body()),
        ("ingest", "POST", "/v1/events", {"wrong": 1}),
        ("management", "GET", "/v1/webhooks", None),
        ("management", "GET", "/v1/accounts", None),
        ("management", "GET", "/v1/no-such-call", None),
    ],
)
def test_an_account_has_its_rate_in_each_function_and_the_others_have_theirs(
    app: str,
    method: str,
    path: str,
    body: Json,
    system: System,
    tenant: Tenant,
    another_tenant: Tenant,
) -> None:
    system.restart(ACCOUNT_RATE_LIMIT="1", ACCOUNT_BURST_LIMIT="3")

    answers = [answered(app, tenant, method, path, body) for _ in range(6)]

    statuses = [answer["statusCode"] for answer in answers]
    assert 429 not in statuses[:3]
    assert statuses[-1] == 429
    refused = answers[-1]
    assert json.loads(refused["body"])["type"] == "urn:perkwire:problem:too-many-requests"
    assert header(refused, "retry-after") == "1"
    assert answered(app, another_tenant, method, path, body)["statusCode"] != 429
    until(
        lambda: answered(app, tenant, method, path, body)["statusCode"] != 429, "room for another"
    )


def test_so_has_an_admin_in_the_console(system: System, tenant: Tenant, browser: Browser) -> None:
    browser.sign_in(tenant.key)
    system.restart(ACCOUNT_RATE_LIMIT="1", ACCOUNT_BURST_LIMIT="2")

    statuses = [browser.get("/console/types").status for _ in range(6)]

    assert statuses[:2] == [200, 200]
    assert statuses[-1] == 429


def test_an_account_has_ten_dry_runs_a_minute(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    path = f"/v1/webhooks/{webhook['id']}/replay"
    body = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "dry_run": True}

    # Two minutes of the clock at most, if one ends between them.
    answers = [tenant.call("POST", path, body) for _ in range(2 * MOST_DRY_RUNS_PER_MINUTE + 1)]

    refused = [answer for answer in answers if answer.status == 429]
    first = answers[:MOST_DRY_RUNS_PER_MINUTE]
    assert all(answer.status < 300 for answer in first)
    assert refused
    assert refused[0].json["detail"] == "An account has at most 10 dry runs a minute."


def test_of_a_hundred_wrong_types_a_few_get_suggestions() -> None:
    events = [event_body(type=f"points.earnt_{number}") for number in range(100)]

    with pytest.raises(Problem) as raised:
        parse_events(json.dumps({"events": events}).encode(), DataSchemas())

    errors: Any = raised.value.document()["errors"]
    assert len(errors) == 100
    assert sum("nearest" in error["detail"] for error in errors) == MOST_SUGGESTIONS


def test_of_a_hundred_wrong_types_of_a_webhook_too(tenant: Tenant) -> None:
    types = [f"points.earnt_{number}" for number in range(100)]

    answer = tenant.call(
        "POST",
        "/v1/webhooks",
        {"name": "Till", "url": "https://till.example/", "event_types": types},
    )

    details = [error["detail"] for error in answer.json["errors"]]
    assert sum("nearest" in detail for detail in details) == MOST_SUGGESTIONS


@pytest.mark.parametrize(("may_search", "reads"), [(True, 4), (False, 1)])
def test_a_page_of_the_console_looks_far_back_only_if_it_may(may_search: bool, reads: int) -> None:
    asked: list[str | None] = []

    class Quiet:
        def list(
            self, _account: object, _parameters: object, _limit: int, cursor: str | None
        ) -> Page[dict[str, Json]]:
            asked.append(cursor)
            return Page([], f"{len(asked)}")

    page = events_page._read(Quiet(), ACCOUNT, {}, None, lambda: may_search)  # type: ignore[arg-type]

    assert len(asked) == reads
    assert page.next_cursor == str(reads)
