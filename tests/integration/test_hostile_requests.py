"""Whatever a request brings, each function that HTTP reaches answers it: never a 5xx.

Headers, cookies, query, path and body are drawn side by side, from what has stopped parsers before
and from anything at all, for every route of the template, signed in and not.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from infra.local.emulator import ROOT
from infra.parameters import load_template
from tests.aws_events import Context, authorizer_event, http_api_event
from tests.integration.browsing import Browser
from tests.integration.system import APPS, System, Tenant

HOSTILE = [
    "http://[",
    "http://[::1",
    "https://[::1]x/",
    "//[",
    "http://a:b:c",
    "http://a:99999999999/",
    "http://\u2100.example/",
    "http://a\u2044b@c/",
    "javascript:alert(1)",
    "null",
    "%",
    "%ff",
    "%ed%a0%80",
    "%00",
    "\x00",
    "\n",
    "\x7f\x80\u2028",
    "é" * 200,
    "\U0010ffff",
    "=" * 50,
    "; =;=;",
    ";;\x00=\x00",
    '__Host-perkwire_session="',
    "__Host-perkwire_session=é",
    "__Host-perkwire_session=" + "a" * 5000,
    "Bearer",
    "Bearer \x00é",
    "bearer " + "x" * 9000,
    "acct_0000000000000001#keys",
    "health#acct_0000000000000001",
    "9" * 4000,
    "٣",
    "1e9",
    "-0",
    "../../etc/passwd",
    "a/b//c",
    "{{7*7}}",
    "[" * 2000,
    "",
    " ",
]
NAMES = [
    "accept",
    "authorization",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "idempotency-key",
    "origin",
    "perkwire-account",
    "referer",
    "sec-fetch-site",
    "user-agent",
    "x-forwarded-for",
]
PARAMETERS = [
    "cursor",
    "done",
    "event_type",
    "limit",
    "next",
    "queue",
    "since",
    "status",
    "token",
    "type",
    "until",
    "webhook_id",
    "why",
]
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=40)
RAW_PARTS = st.sampled_from([quote(one) for one in HOSTILE] + HOSTILE) | st.text(max_size=20)
HEADERS = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=10), TEXTS, max_size=5)
QUERIES = st.dictionaries(st.sampled_from(PARAMETERS) | st.text(max_size=5), TEXTS, max_size=4)
RAW_QUERIES = QUERIES.map(lambda found: "&".join(f"{k}={v}" for k, v in found.items())) | TEXTS
BODIES = (
    st.none()
    | st.binary(max_size=60)
    | TEXTS.map(lambda text: text.encode())
    | st.dictionaries(TEXTS, TEXTS, max_size=3).map(lambda found: str(found).encode())
    | RAW_QUERIES.map(lambda text: text.encode())
)
MANY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@cache
def routes(function: str) -> list[tuple[str, str]]:
    """Method and path of each HTTP trigger that the template gives a function.

    Those that are there under a condition stand in the API, and are management's.
    """
    resources = load_template(ROOT / "template.yaml")["Resources"]
    events = resources[function]["Properties"]["Events"].values()
    triggers = [one["Properties"] for one in events if one["Type"] == "HttpApi"]
    found = [(one["Method"].upper(), one["Path"]) for one in triggers]
    if function == "ManagementFunction":
        paths = resources["HttpApi"]["Properties"]["DefinitionBody"]["paths"]
        found += [
            (method.upper(), path)
            for path, chosen in paths.items()
            for method in chosen["Fn::If"][1]
        ]
    return found


@st.composite
def requests(draw: st.DrawFn, function: str) -> dict[str, Any]:
    """A request to one of a function's routes as API Gateway hands it on."""
    method, pattern = draw(st.sampled_from(routes(function)))
    parts = [draw(RAW_PARTS) if part.startswith("{") else part for part in pattern.split("/")]
    if function == "ConsoleFunction":
        parts = [
            "",
            "console",
            *draw(st.sampled_from(PAGES)).split("/"),
            *draw(st.lists(RAW_PARTS, max_size=2)),
        ]
        method = draw(st.sampled_from(["GET", "POST"]))
    body = draw(BODIES)
    event = http_api_event(
        method if method != "ANY" else "GET",
        "/".join(parts),
        headers=draw(HEADERS),
        body=body,
        base64_encoded=body is not None,
    )
    raw = draw(RAW_QUERIES)
    event |= {"rawQueryString": raw, "cookies": draw(st.lists(TEXTS, max_size=3))}
    if not event["cookies"]:
        del event["cookies"]
    if query := draw(QUERIES):
        event["queryStringParameters"] = query
    event["pathParameters"] = {
        part.strip("{+}"): value
        for part, value in zip(pattern.split("/"), parts, strict=False)
        if part.startswith("{")
    }
    return event


# Below /console; the template has one route for all of them.
PAGES = [
    "",
    "sign-in",
    "enter",
    "webhooks",
    "webhooks/new",
    "log",
    "log/retry",
    "events",
    "types",
    "samples",
    "jobs",
    "accounts",
    "queues",
    "static",
    "sign-out",
]


def answered(system: System, app: str, event: Mapping[str, Any]) -> int:
    system.output.forget()
    answer = APPS[app].handler(event, Context())
    wrong = [line for line in system.output.lines() if line.get("level") in ("ERROR", "CRITICAL")]
    assert answer["statusCode"] < 500, (answer, wrong)
    assert wrong == []
    return int(answer["statusCode"])


@MANY
@given(headers=HEADERS)
@example(headers={"authorization": "Bearer \x00é"})
def test_the_authorizer_answers_whatever_the_headers(
    system: System, headers: dict[str, str]
) -> None:
    answer = APPS["authorizer"].handler(authorizer_event(headers), Context())

    assert answer == {"isAuthorized": False}


@MANY
@given(event=requests("IngestFunction"), by_operator=st.booleans())
def test_ingest_answers_whatever_comes(
    system: System, tenant: Tenant, event: dict[str, Any], by_operator: bool
) -> None:
    event["requestContext"]["authorizer"] = {"lambda": credentials(tenant, by_operator)}

    answered(system, "ingest", event)


@MANY
@given(event=requests("ManagementFunction"), by_operator=st.booleans())
def test_management_answers_whatever_comes(
    system: System, tenant: Tenant, event: dict[str, Any], by_operator: bool
) -> None:
    event["requestContext"]["authorizer"] = {"lambda": credentials(tenant, by_operator)}

    answered(system, "management", event)


@MANY
@given(event=requests("ConsoleFunction"), signed_in=st.booleans())
def test_the_console_answers_whatever_comes(
    system: System, browser: Browser, tenant: Tenant, event: dict[str, Any], signed_in: bool
) -> None:
    if signed_in:
        event["cookies"] = [*event.get("cookies", []), session_of(browser, tenant)]

    answered(system, "console", event)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", ["cookie", "host", "origin", "referer", "sec-fetch-site"])
def test_each_hostile_header_alone_is_answered_by_the_console(
    system: System, name: str, value: str
) -> None:
    for method, path in [("POST", "/console/webhooks"), ("POST", "/console/sign-in")]:
        event = http_api_event(method, path, headers={name: value}, body=b"key=x")
        assert answered(system, "console", event) in (303, 403)


def credentials(tenant: Tenant, by_operator: bool) -> dict[str, str]:
    if by_operator:
        return {"account_id": "", "scopes": "operator"}
    return {"account_id": tenant.id, "scopes": "events webhooks"}


_SESSIONS: dict[str, str] = {}


def session_of(browser: Browser, tenant: Tenant) -> str:
    """The cookie of an admin who is signed in; one sign-in for each account is enough."""
    if tenant.id not in _SESSIONS:
        body = f"key={quote(tenant.key)}".encode()
        event = http_api_event(
            "POST",
            "/console/sign-in",
            headers={"sec-fetch-site": "same-origin"},
            body=body,
        )
        (cookie,) = APPS["console"].handler(event, Context())["cookies"]
        _SESSIONS[tenant.id] = cookie.partition(";")[0]
    return _SESSIONS[tenant.id]
