"""Bodies that are refused: of every call that has one, with the exact problem document."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.system import System, Tenant
from tests.receiver import Receiver


@dataclass(frozen=True)
class Place:
    """A call with a body; `by_operator`: with the operator's key, else with the account's."""

    method: str
    path: str
    by_operator: bool = False


PLACES = {
    "events": Place("POST", "/v1/events"),
    "webhook": Place("POST", "/v1/webhooks"),
    "change": Place("PATCH", "/v1/webhooks/{webhook}"),
    "rotation": Place("POST", "/v1/webhooks/{webhook}/rotate-secret"),
    "new test": Place("POST", "/v1/webhooks/test"),
    "filter preview": Place("POST", "/v1/webhooks/filter-preview"),
    "test": Place("POST", "/v1/webhooks/{webhook}/test"),
    "retry-failed": Place("POST", "/v1/webhooks/{webhook}/retry-failed"),
    "replay": Place("POST", "/v1/webhooks/{webhook}/replay"),
    "retry": Place("POST", "/v1/deliveries/retry"),
    "redrive": Place("POST", "/v1/redrives", by_operator=True),
    "erasure": Place("POST", "/v1/erasures"),
    "account": Place("POST", "/v1/accounts", by_operator=True),
    "account change": Place("PATCH", "/v1/accounts/{account}", by_operator=True),
    "own account": Place("PATCH", "/v1/account"),
    "brand": Place("PUT", "/v1/brand", by_operator=True),
    "own api key": Place("POST", "/v1/account/api-keys"),
    "api key": Place("POST", "/v1/accounts/{account}/api-keys", by_operator=True),
}

MALFORMED = [
    (
        b"{",
        "The body is not JSON from line 1, column 2 on.",
    ),
    (b'{"name": "a"', "The body is not JSON from line 1, column 13 on."),
    (
        b'{"name": "\x00"}',
        "The body is not JSON from line 1, column 11 on.",
    ),
    (b"name=a", "The body is not JSON from line 1, column 1 on."),
    (b'"name"', "The body must be a JSON object."),
    (b"1", "The body must be a JSON object."),
    (b'{"name": NaN}', "The body is not JSON: NaN is not a JSON number."),
    (b'{"name": -Infinity}', "The body is not JSON: -Infinity is not a JSON number."),
    (b'{"name": 1, "name": 2}', 'The body has the key "name" twice in one object.'),
    (rb'{"name": "\ud800"}', "The body has a string with a lone surrogate."),
    (rb'{"\udfff": 1}', "The body has a string with a lone surrogate."),
    (b'{"name": 18446744073709551616}', "The body has an integer that needs more than 64 bits."),
    (b'{"name": 1' + b"0" * 5000 + b"}", "The body has an integer that needs more than 64 bits."),
    (
        b'{"name": 1e400}',
        "The number 1e400 does not fit an IEEE 754 double exactly; send it as a string.",
    ),
    (b'{"name": ' + b"[" * 32 + b"]" * 32 + b"}", "The body nests deeper than 32 levels."),
    (b'{"name": ' + b"[" * 90_000, "The body nests deeper than 32 levels."),
]


@dataclass
class Bench:
    """The system, an account and its webhook."""

    system: System
    tenant: Tenant
    operator_key: str
    webhook_id: str

    def refused(self, place: Place, body: object) -> Any:  # noqa: ANN401
        """The problem document for a body."""
        path = place.path.format(webhook=self.webhook_id, account=self.tenant.id)
        key = self.operator_key if place.by_operator else self.tenant.key
        answer = self.system.call(place.method, path, body, key=key)
        assert answer.content_type == "application/problem+json", answer
        assert answer.status == answer.json["status"]
        return answer.json


@pytest.fixture
def bench(system: System, tenant: Tenant, operator_key: str, receiver: Receiver) -> Bench:
    webhook = tenant.webhook(receiver.endpoint().url)
    return Bench(system, tenant, operator_key, webhook["id"])


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_body_that_is_not_the_json_that_we_take_is_400_everywhere(
    place: Place, bench: Bench
) -> None:
    before = bench.system.items("ConfigTable")

    for body, detail in MALFORMED:
        assert bench.refused(place, body) == {
            "type": "urn:perkwire:problem:malformed",
            "title": "The request body is malformed.",
            "status": 400,
            "detail": detail,
        }

    assert bench.system.new_items("ConfigTable", before) == []
    assert bench.tenant.waiting() == []


NUL = "a\0b"
TEXT = "must be a string"
NULL = "must not be null"
REQUIRED = "is required"
UNKNOWN = "is not a known field"
NO_CONTROLS = "must be without control or direction characters, not blank"
TYPE = "must be a dotted name such as points.earned or custom.anything"
TIME = "must be an RFC 3339 time such as 2026-11-21T09:30:00Z"
FLAG = "must be true or false"
A_FINE_EVENT: dict[str, Any] = {"type": "points.earned", "data": {}}
SECRET = "must be whsec_ and the base64 of 24 to 64 bytes; leave it out to have one made"
EMAIL = "must be an e-mail address"


def too_long(longest: int) -> str:
    return f"must have 1 to {longest} characters"


def item(longest: int = 256) -> str:
    return f"must be a string of 1 to {longest} characters"


def within(lowest: int, highest: int) -> str:
    return f"must be a whole number from {lowest} to {highest}"


def strings(fewest: int, most: int) -> str:
    return f"must be a list of {fewest} to {most} strings"


WEBHOOK: dict[str, Any] = {"name": "a", "url": "http://127.0.0.1:9/", "event_types": ["*"]}
WRONG_WEBHOOK: dict[str, Any] = {
    "name": NUL,
    "description": "x" * 1001,
    "url": 5,
    "event_types": ["points.earned", "points.earned", 7, "Points", ""],
    "program_ids": ["", "x" * 129],
    "headers": {"X A": "b", "X-B": 1, "X-C": "caf\u00e9", "X-D": NUL, "Host": "a"},
    "batch_size": 18446744073709551615,
    "enabled": "yes",
    "colour": "red",
}
WRONG_IN_WEBHOOK = {
    "name": NO_CONTROLS,
    "description": too_long(1000),
    "url": TEXT,
    "event_types[1]": "is there twice",
    "event_types[2]": item(),
    "event_types[3]": f"{TYPE}, a group of them such as points.*, or *; the nearest are "
    "points.added, points.earned, points.expired",
    "event_types[4]": item(),
    "program_ids[0]": item(128),
    "program_ids[1]": item(128),
    "headers.X-B": TEXT,
    "headers.X A": "is not a valid header name",
    "headers.X-C": "must be visible ASCII, with spaces and tabs inside only",
    "headers.X-D": "must be visible ASCII, with spaces and tabs inside only",
    "headers.Host": "is set by Perkwire or by the connection",
    "batch_size": within(1, 100),
    "enabled": FLAG,
    "colour": UNKNOWN,
}
SINCE: dict[str, Any] = {"since": "2026-01-01T00:00:00Z"}
WRONG_JOB: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {"since": REQUIRED}),
    ({"since": None, "until": None}, {"since": NULL, "until": NULL}),
    ({"since": "2026-01-01", "until": 7}, {"since": TIME, "until": TEXT}),
    ({"since": "x" * 65}, {"since": too_long(64)}),
    ({**SINCE, "until": "9999-01-01T00:00:00Z"}, {"until": "must not be in the future"}),
    ({**SINCE, "until": SINCE["since"]}, {"until": "must be after since"}),
    ({"since": "9999-01-01T00:00:00Z"}, {"since": "must be in the past"}),
    (
        {**SINCE, "per_second": 501, "dry_run": "no", "rate": 1},
        {"per_second": within(1, 500), "dry_run": FLAG, "rate": UNKNOWN},
    ),
    ({**SINCE, "per_second": 1.0}, {"per_second": within(1, 500)}),
]

INVALID: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("events", {}, {"type": REQUIRED, "data": REQUIRED}),
    (
        "events",
        {"type": NUL, "id": NUL, "program_id": 5, "occurred_at": "today", "data": []},
        {
            "type": TYPE,
            "id": "must be letters, digits, dots, colons, - and _",
            "program_id": TEXT,
            "data": "must be an object",
            "occurred_at": TIME,
        },
    ),
    (
        "events",
        {"type": "a." + "x" * 127, "id": "x" * 129, "program_id": "x" * 129, "data": None},
        {
            "type": too_long(128),
            "id": too_long(128),
            "program_id": too_long(128),
            "data": NULL,
        },
    ),
    ("events", {"type": "custom.b", "data": {}, "colour": 1}, {"colour": UNKNOWN}),
    ("events", {"events": [], "colour": 1}, {"events": "must be a list of 1 to 100 events"}),
    ("events", {"events": [{"type": "custom.b", "data": {}}], "colour": 1}, {"colour": UNKNOWN}),
    ("events", {"events": [[]]}, {"events[0]": "must be an object"}),
    ("webhook", {}, {"name": REQUIRED, "url": REQUIRED, "event_types": REQUIRED}),
    ("webhook", WRONG_WEBHOOK, WRONG_IN_WEBHOOK),
    (
        "webhook",
        {**WEBHOOK, "format": 5, "secret": NUL, "id": "wh_0000000000000000"},
        {"format": TEXT, "secret": SECRET, "id": UNKNOWN},
    ),
    (
        "webhook",
        {**WEBHOOK, "headers": {f"X-{number}": "a" for number in range(21)}},
        {"headers": "must be at most 20"},
    ),
    (
        "webhook",
        {**WEBHOOK, "headers": {"X-A": "a" * 3072}},
        {"headers": "must have at most 3072 bytes in all"},
    ),
    ("webhook", {**WEBHOOK, "event_types": []}, {"event_types": strings(1, 200)}),
    ("webhook", {**WEBHOOK, "program_ids": {}}, {"program_ids": strings(1, 100)}),
    ("webhook", {**WEBHOOK, "url": "http://a/" + "x" * 2040}, {"url": too_long(2048)}),
    ("change", WRONG_WEBHOOK, WRONG_IN_WEBHOOK),
    (
        "change",
        {"secret": "x", "format": "standard"},
        {
            "secret": "is changed by rotate-secret",
            "format": "cannot be changed; make another webhook",
        },
    ),
    ("change", {"name": None, "url": None}, {"name": NULL, "url": NULL}),
    (
        "rotation",
        {"secret": 5, "overlap_hours": 169, "colour": 1},
        {"secret": TEXT, "overlap_hours": within(0, 168), "colour": UNKNOWN},
    ),
    ("rotation", {"overlap_hours": True}, {"overlap_hours": within(0, 168)}),
    ("new test", {}, {"name": REQUIRED, "url": REQUIRED, "event_types": REQUIRED}),
    ("new test", WRONG_WEBHOOK, WRONG_IN_WEBHOOK),
    ("new test", {**WEBHOOK, "event_type": "*"}, {"event_type": TYPE}),
    ("test", {"event_type": 5, "url": "x"}, {"event_type": TEXT, "url": UNKNOWN}),
    ("test", {"event_type": None}, {"event_type": NULL}),
    ("test", {"event_type": "a." + "x" * 127}, {"event_type": too_long(128)}),
    ("filter preview", {}, {"event_types": REQUIRED, "filter": REQUIRED}),
    (
        "filter preview",
        {"event_types": ["nothing.*"], "filter": 5, "program_ids": [], "colour": 1},
        {
            "event_types[0]": "stands for no event type of the catalogue",
            "filter": "must be an object",
            "program_ids": strings(1, 100),
            "colour": UNKNOWN,
        },
    ),
    *(("retry-failed", body, errors) for body, errors in WRONG_JOB),
    *(("replay", body, errors) for body, errors in WRONG_JOB),
    ("retry-failed", {**SINCE, "event_types": ["a.b"]}, {"event_types": UNKNOWN}),
    (
        "replay",
        {**SINCE, "event_types": ["a.b", "*", "a.b"]},
        {"event_types[1]": TYPE, "event_types[2]": "is there twice"},
    ),
    ("retry", {}, {"ids": REQUIRED}),
    ("retry", {"ids": "dlv_0", "all": True}, {"ids": strings(1, 100), "all": UNKNOWN}),
    ("retry", {"ids": ["a"] * 101}, {"ids": strings(1, 100)}),
    ("retry", {"ids": ["a"], "resend": 1}, {"resend": FLAG}),
    ("retry", {"ids": ["a"], "webhook_id": 5}, {"webhook_id": TEXT}),
    (
        "retry",
        {"ids": ["a"], "webhook_id": "wh_0"},
        {"webhook_id": "is no webhook of this account"},
    ),
    (
        "retry",
        {"ids": ["a", 5, "a", "x" * 257]},
        {"ids[1]": item(), "ids[3]": item()},
    ),
    ("redrive", {}, {"queue": REQUIRED}),
    (
        "redrive",
        {"queue": "jobs", "max_per_second": 501, "colour": 1},
        {
            "queue": "must be deliveries, events or inbox",
            "max_per_second": within(1, 500),
            "colour": UNKNOWN,
        },
    ),
    ("redrive", {"queue": NUL}, {"queue": "must be deliveries, events or inbox"}),
    ("account", {}, {"name": REQUIRED}),
    (
        "account",
        {"name": NUL, "notify_emails": "a@b.example", "id": "acct_0"},
        {"name": NO_CONTROLS, "notify_emails": strings(0, 10), "id": UNKNOWN},
    ),
    (
        "account change",
        {"name": "x" * 129, "notify_emails": ["a", "b@c.d\0", "B@c.d", "b@c.d", 5]},
        {
            "name": too_long(128),
            "notify_emails[0]": EMAIL,
            "notify_emails[1]": EMAIL,
            "notify_emails[4]": item(254),
        },
    ),
    (
        "account change",
        {"notify_emails": ["B@c.d", "b@c.d"]},
        {"notify_emails[1]": "is there twice"},
    ),
    ("account change", {"name": None, "colour": 1}, {"name": NULL, "colour": UNKNOWN}),
    ("erasure", {}, {"member_id": "is required, or email, or both"}),
    (
        "erasure",
        {"member_id": " ", "email": "x" * 321, "member": "m-1"},
        {"member_id": "must not be blank", "email": too_long(320), "member": UNKNOWN},
    ),
    ("erasure", {"member_id": 7, "email": ["a@b.c"]}, {"member_id": TEXT, "email": TEXT}),
    ("api key", {}, {"name": REQUIRED, "scopes": REQUIRED}),
    (
        "api key",
        {"name": 5, "scopes": ["operator", "events", "events"], "key": "pk_x"},
        {
            "name": TEXT,
            "scopes[0]": "must be events, webhooks or pull",
            "scopes[2]": "is there twice",
            "key": UNKNOWN,
        },
    ),
    (
        "own account",
        {"name": "a", "notify_emails": ["nobody"], "colour": 1},
        {
            "name": "is the operator's to change",
            "notify_emails[0]": "must be an e-mail address",
            "colour": UNKNOWN,
        },
    ),
    (
        "brand",
        {"name": "a" * 41, "colour": "red", "logo": "https://example.com/logo.png", "size": 1},
        {
            "name": "must have 1 to 40 characters",
            "colour": "must be a colour as #22614f",
            "logo": "must be a data URL of image/png or image/svg+xml in base64",
            "size": UNKNOWN,
        },
    ),
    ("brand", {"version": -1}, {"version": "must be a whole number, as it was read"}),
    ("own api key", {}, {"name": REQUIRED, "scopes": REQUIRED}),
    (
        "api key",
        {"name": "a", "scopes": ["operator", NUL]},
        {
            "scopes[0]": "must be events, webhooks or pull",
            "scopes[1]": "must be events, webhooks or pull",
        },
    ),
]


@pytest.mark.parametrize("name", PLACES)
def test_every_wrong_field_is_named_in_a_422(name: str, bench: Bench) -> None:
    before = bench.system.items("ConfigTable")
    table = [(body, errors) for place, body, errors in INVALID if place == name]

    for body, errors in table:
        problem = bench.refused(PLACES[name], json.dumps(body).encode())
        named = [(error.pop("field"), error.pop("detail"), error) for error in problem["errors"]]
        assert sorted(named) == sorted((field, errors[field], {}) for field in errors)
        assert problem == {
            "type": "urn:perkwire:problem:invalid",
            "title": "The request has invalid fields.",
            "status": 422,
            "errors": problem["errors"],
        }

    assert table
    assert bench.system.new_items("ConfigTable", before) == []
    assert bench.tenant.waiting() == []


def test_of_very_many_errors_the_first_hundred_are_named(bench: Bench) -> None:
    body = {"name": "a", **{f"x{number}": 1 for number in range(150)}}

    assert bench.refused(PLACES["account"], body) == {
        "type": "urn:perkwire:problem:invalid",
        "title": "The request has invalid fields.",
        "status": 422,
        "detail": "There are 50 more errors than these.",
        "errors": [{"field": f"x{number}", "detail": UNKNOWN} for number in range(100)],
    }


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b" " * 1_048_577, "A request has at most 1048576 bytes."),
        (
            json.dumps({"events": [A_FINE_EVENT, {**A_FINE_EVENT, "data": {"x": "x" * 262_144}}]}),
            "events[1] has more than 262144 bytes.",
        ),
    ],
    ids=["request", "event"],
)
def test_too_much_is_413(body: str | bytes, detail: str, bench: Bench) -> None:
    sent = body if isinstance(body, bytes) else body.encode()

    assert bench.refused(PLACES["events"], sent) == {
        "type": "urn:perkwire:problem:too-large",
        "title": "The request is too large.",
        "status": 413,
        "detail": detail,
    }
    assert bench.tenant.waiting() == []


LISTS = {
    "/v1/events": False,
    "/v1/webhooks": False,
    "/v1/deliveries": False,
    "/v1/jobs": False,
    "/v1/account/api-keys": False,
    "/v1/activity": False,
    "/v1/accounts": True,
    "/v1/accounts/{account}/api-keys": True,
}
LIMIT = "must be a whole number from 1 to 100"
CURSOR = "must be the next_cursor of an earlier page"
PARAMETER = "is not a known parameter"
TYPE_FILTER = "must be an event type, such as points.earned, or points.* for all of a group"
TIME_OF_QUERY = "must be an RFC 3339 time"
QUERIES = [
    *((path, {"limit": limit}, {"limit": LIMIT}) for path in LISTS for limit in ("0", "101", "")),
    *((path, {"limit": limit}, {"limit": LIMIT}) for path in LISTS for limit in ("1.5", "9" * 9)),
    *(
        (path, {"cursor": cursor}, {"cursor": CURSOR})
        for path in LISTS
        for cursor in ("../..", NUL)
    ),
    *((path, {"colour": "red"}, {"colour": PARAMETER}) for path in LISTS),
    (
        "/v1/events",
        {"type": "Points", "since": "today", "until": ""},
        {"type": TYPE_FILTER, "since": TIME_OF_QUERY, "until": TIME_OF_QUERY},
    ),
    ("/v1/activity", {"subject": ""}, {"subject": "must have 1 to 128 characters"}),
    (
        "/v1/jobs",
        {"status": "lost", "webhook_id": "wh_0"},
        {
            "status": "must be queued, running, done, cancelled or failed",
            "webhook_id": "is not a webhook's id",
        },
    ),
    (
        "/v1/deliveries",
        {"status": "pending", "webhook_id": "wh_0", "since": "today", "until": ""},
        {
            "status": "must be retrying, succeeded, failed, cancelled, waiting or pulled",
            "webhook_id": "is not a webhook's id",
            "since": TIME_OF_QUERY,
            "until": TIME_OF_QUERY,
        },
    ),
]


@pytest.mark.parametrize("path", LISTS)
def test_every_wrong_parameter_of_a_list_is_named_in_a_422(path: str, bench: Bench) -> None:
    key = bench.operator_key if LISTS[path] else bench.tenant.key
    wrong = [(query, errors) for listed, query, errors in QUERIES if listed == path]
    assert wrong

    for query, errors in wrong:
        place = path.format(account=bench.tenant.id)
        answer = bench.system.call("GET", place, key=key, query=query)
        assert (answer.status, answer.content_type) == (422, "application/problem+json"), query
        named = {error["field"]: error["detail"] for error in answer.json.pop("errors")}
        assert named == errors
        assert answer.json == {
            "type": "urn:perkwire:problem:invalid",
            "title": "The request has invalid fields.",
            "status": 422,
        }


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_key_without_the_scope_is_403_whatever_the_body(place: Place, bench: Bench) -> None:
    events_only = bench.tenant.new_key("events")
    key, scope = (events_only, "webhooks")
    if place.by_operator:
        key, scope = (bench.tenant.key, "operator")
    if place.path == "/v1/events":
        key, scope = (bench.tenant.new_key("webhooks"), "events")
    path = place.path.format(webhook=bench.webhook_id, account=bench.tenant.id)

    for body in ({}, {"colour": "red"}):
        sent = json.dumps(body).encode()
        answer = bench.system.call(place.method, path, sent, key=key)
        assert answer.json == {
            "type": "urn:perkwire:problem:forbidden",
            "title": "The API key does not allow this.",
            "status": 403,
            "detail": f"It needs the scope {scope}.",
        }
        assert (answer.status, answer.content_type) == (403, "application/problem+json")
