"""Who may what, for every call of docs/openapi.yaml: a new call is tested as soon as it is there.

That every call without a key is 401, and with a wrong one 403, is API Gateway's part:
tests/e2e/test_contract.py asks it of every call.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from infra.local.emulator import ROOT
from tests.integration.system import Response, System, Tenant
from tests.receiver import Receiver

METHODS = ("get", "post", "put", "patch", "delete")
SCOPES = ("events", "webhooks", "operator")
# Names in paths that are of no account.
NOBODYS = {"event_type", "format"}
# Which calls take ids elsewhere than in their paths; the tests below name each of them.
IDS_IN_QUERIES = {("GET /v1/deliveries", "webhook_id"), ("GET /v1/jobs", "webhook_id")}
IDS_IN_BODIES = {
    ("POST /v1/account/api-keys", "webhook_id"),
    ("POST /v1/accounts/{account_id}/api-keys", "webhook_id"),
    ("POST /v1/deliveries/retry", "ids"),
    ("POST /v1/deliveries/retry", "webhook_id"),
    ("POST /v1/erasures", "member_id"),  # the platform's: tests/integration/jobs/test_erasures.py
    ("POST /v1/events", "account_id"),
    ("POST /v1/events", "id"),  # a caller's own: tests/integration/accepting/test_ingest.py
    ("POST /v1/events", "program_id"),  # the platform's own string, which names nothing of ours
    ("POST /v1/events", "webhook_id"),  # of `deliveries`, as an event is shown: passed over
    ("POST /v1/webhooks", "program_ids"),
    ("POST /v1/webhooks/test", "program_ids"),
    ("POST /v1/webhooks/filter-preview", "program_ids"),
    ("PATCH /v1/webhooks/{webhook_id}", "program_ids"),
}


@functools.cache
def contract() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    return found


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    while "$ref" in value:
        found: Any = contract()
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def properties(schema: dict[str, Any]) -> set[str]:
    """The names of all members, of alternatives and of what lists hold too."""
    schema = resolved(schema)
    members = schema.get("properties", {})
    inner = [one for kind in ("oneOf", "anyOf", "allOf") for one in schema.get(kind, [])]
    inner += [each for each in members.values() if each.get("type") == "array"]
    inner += [schema["items"]] if "items" in schema else []
    return set(members).union(*(properties(each) for each in inner))


@dataclass(frozen=True)
class Operation:
    """A call as the contract has it; `scopes`: each of them is enough, all where any key is."""

    method: str
    path: str
    scopes: frozenset[str]
    names: Mapping[str, tuple[str, ...]]
    body: Any
    body_names: frozenset[str]

    @classmethod
    def of(cls, method: str, path: str, item: dict[str, Any]) -> "Operation":
        declared = item[method]
        security = declared.get("security", contract()["security"])
        assert security, f"{method} {path} asks for no key"
        parameters = [
            resolved(each) for each in item.get("parameters", []) + declared.get("parameters", [])
        ]
        content = declared.get("requestBody", {}).get("content", {}).get("application/json", {})
        examples = [each["value"] for each in content.get("examples", {}).values()]
        return cls(
            method=method.upper(),
            path=path,
            scopes=frozenset(scope for each in security for scope in each["bearer"] or SCOPES),
            names={
                place: tuple(each["name"] for each in parameters if each["in"] == place)
                for place in ("path", "query", "header")
            },
            body=examples[0] if examples else content.get("example"),
            body_names=frozenset(properties(content["schema"]) if content else ()),
        )

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"

    def ask(
        self,
        system: System,
        key: str,
        ids: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        missing = set(self.names["path"]) - ids.keys()
        assert not missing, f"tell Estate.ids how to make {missing}"
        path = self.path.format(**ids)
        return system.call(self.method, path, self.body, key=key, headers=headers)


OPERATIONS = {
    operation.label: operation
    for path, item in contract()["paths"].items()
    for operation in (Operation.of(method, path, item) for method in METHODS if method in item)
}
OF_ACCOUNTS = [label for label, one in OPERATIONS.items() if one.scopes != {"operator"}]
WITH_IDS = [label for label in OF_ACCOUNTS if {*OPERATIONS[label].names["path"]} - NOBODYS]
# Without an account an operator means what is the operators', for all of them.
OF_OPERATORS_TOO = (
    "/v1/activity",
    "/v1/formats",
    "/v1/formats/{format}",
    "/v1/event-types",
    "/v1/event-types/{event_type}",
)
NAMING = [label for label in OF_ACCOUNTS if "Perkwire-Account" in OPERATIONS[label].names["header"]]


@dataclass(frozen=True)
class Estate:
    """An account that has one of everything that a path can name."""

    system: System
    tenant: Tenant
    ids: Mapping[str, str]

    @classmethod
    def of(cls, system: System, tenant: Tenant, receiver: Receiver, operator_key: str) -> "Estate":
        webhook = tenant.webhook(receiver.endpoint(500).url)
        (event_id,) = tenant.post({"type": "custom.access", "data": {"member": {"id": "m1"}}})
        system.route()
        system.dispatch_all()
        (delivery,) = tenant.deliveries()
        replay = f"/v1/webhooks/{webhook['id']}/replay"
        job = tenant.call("POST", replay, {"since": "2026-01-01T00:00:00Z"})
        assert job.status == 202, job
        erasure = tenant.call("POST", "/v1/erasures", {"member_id": "m-9"})
        keys = system.call("GET", f"/v1/accounts/{tenant.id}/api-keys", key=operator_key)
        link = system.call("POST", f"/v1/accounts/{tenant.id}/console-links", key=operator_key)
        ids = {
            "account_id": tenant.id,
            "key_id": keys.json["data"][0]["id"],
            "link_id": link.json["id"],
            "webhook_id": webhook["id"],
            "event_id": event_id,
            "delivery_id": delivery["id"],
            "job_id": job.json["id"],
            "erasure_id": erasure.json["id"],
            "rejected_event_id": cls._rejected(system, tenant, operator_key),
            "event_type": "points.earned",
            "format": "standard",
        }
        return cls(system, tenant, ids)

    @staticmethod
    def _rejected(system: System, tenant: Tenant, operator_key: str) -> str:
        event = {"account_id": tenant.id, "type": "nothing", "data": {}}
        url = system.queue("InboxQueue")
        system.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
        system.poll("InboxQueue", "ingest")
        listed = system.call("GET", "/v1/rejected-events", key=operator_key).json["data"]
        own: list[str] = [one["id"] for one in listed if one["account_id"] == tenant.id]
        return own[0]

    def everything(self) -> list[object]:
        """All that is stored and queued."""
        tables = [self.system.items(f"{name}Table") for name in ("Config", "Event", "Delivery")]
        queues = [
            sorted(self.system.bodies(name))
            for name in ("EventQueue", "DeliveryQueue", "DeadLetterQueue", "JobQueue")
        ]
        return [*tables, *queues]


@pytest.fixture
def estate(system: System, tenant: Tenant, receiver: Receiver, operator_key: str) -> Estate:
    return Estate.of(system, tenant, receiver, operator_key)


def is_problem(answer: Response, status: int, kind: str) -> bool:
    return (
        answer.status == answer.json.get("status") == status
        and answer.content_type == "application/problem+json"
        and answer.json["type"] == f"urn:perkwire:problem:{kind}"
    )


@pytest.mark.parametrize("label", WITH_IDS)
def test_another_accounts_ids_are_not_there(
    label: str, estate: Estate, another_tenant: Tenant, operator_key: str
) -> None:
    operation, system = OPERATIONS[label], estate.system
    stranger = {"Perkwire-Account": another_tenant.id}
    before = estate.everything()

    answers = [
        operation.ask(system, another_tenant.key, estate.ids),
        operation.ask(system, operator_key, estate.ids, stranger),
    ]

    for answer in answers:
        assert is_problem(answer, 404, "not-found"), answer
        assert estate.tenant.id not in str(answer.json)
    assert estate.everything() == before
    assert operation.ask(system, estate.tenant.key, estate.ids).status not in (401, 403, 404)


@pytest.mark.parametrize("label", NAMING)
def test_an_accounts_key_may_name_no_account_and_an_operators_must(
    label: str, estate: Estate, another_tenant: Tenant, operator_key: str
) -> None:
    operation, system = OPERATIONS[label], estate.system
    before = estate.everything()

    named = {"Perkwire-Account": estate.tenant.id}
    answer = operation.ask(system, another_tenant.key, estate.ids, named)
    assert is_problem(answer, 403, "forbidden"), answer
    if not label.endswith(OF_OPERATORS_TOO):
        assert operation.ask(system, operator_key, estate.ids).status == 422
    unknown = {"Perkwire-Account": "acct_0000000000000000"}
    answer = operation.ask(system, operator_key, estate.ids, unknown)
    assert is_problem(answer, 404, "not-found"), answer

    assert estate.everything() == before


@pytest.mark.parametrize("label", OPERATIONS)
def test_a_key_without_the_scope_is_refused(label: str, estate: Estate, operator_key: str) -> None:
    operation, system = OPERATIONS[label], estate.system
    keys = {scope: estate.tenant.new_key(scope) for scope in ("events", "webhooks")}
    wanting = [key for scope, key in keys.items() if scope not in operation.scopes]
    before = estate.everything()

    for key in wanting:
        answer = operation.ask(system, key, estate.ids)
        assert is_problem(answer, 403, "forbidden"), answer

    assert estate.everything() == before
    for scope in operation.scopes:
        key = keys.get(scope, operator_key)
        assert operation.ask(system, key, estate.ids).status not in (401, 403)


@pytest.mark.parametrize(
    "label", [label for label, one in OPERATIONS.items() if len(one.names["path"]) > 1]
)
def test_what_belongs_to_another_account_is_not_found_below_this_one(
    label: str, estate: Estate, another_tenant: Tenant, operator_key: str
) -> None:
    operation = OPERATIONS[label]
    before = estate.everything()

    crossed = {**estate.ids, "account_id": another_tenant.id}
    answer = operation.ask(estate.system, operator_key, crossed)

    assert is_problem(answer, 404, "not-found"), answer
    assert estate.everything() == before
    assert operation.ask(estate.system, operator_key, estate.ids).status < 300


def test_ids_in_queries_and_bodies_are_those_tested_here() -> None:
    def is_id(name: str) -> bool:
        return name in ("id", "ids") or name.endswith(("_id", "_ids"))

    assert {
        (label, name)
        for label, one in OPERATIONS.items()
        for name in one.names["query"]
        if is_id(name)
    } == IDS_IN_QUERIES
    assert {
        (label, name) for label, one in OPERATIONS.items() for name in one.body_names if is_id(name)
    } == IDS_IN_BODIES


def test_another_accounts_webhook_as_a_filter_lists_nothing(
    estate: Estate, another_tenant: Tenant
) -> None:
    query = {"webhook_id": estate.ids["webhook_id"]}

    answer = another_tenant.call("GET", "/v1/deliveries", query=query)

    assert (answer.status, answer.json["data"]) == (200, [])
    assert len(estate.tenant.deliveries(**query)) == 1


def test_no_key_pulls_another_accounts_webhook(
    tenant: Tenant, another_tenant: Tenant, operator_key: str
) -> None:
    new = {"name": "till", "delivery": "pull", "event_types": ["*"]}
    webhook = tenant.call("POST", "/v1/webhooks", new)
    assert webhook.status == 201, webhook
    wanted = {"name": "till", "scopes": ["pull"], "webhook_id": webhook.json["id"]}

    for path, key in (
        ("/v1/account/api-keys", another_tenant.key),
        (f"/v1/accounts/{another_tenant.id}/api-keys", operator_key),
    ):
        answer = tenant.system.call("POST", path, wanted, key=key)
        assert answer.status == 422, answer
        assert [one["field"] for one in answer.json["errors"]] == ["webhook_id"]


def test_another_accounts_jobs_are_not_listed(estate: Estate, another_tenant: Tenant) -> None:
    for query in ({}, {"webhook_id": estate.ids["webhook_id"]}):
        answer = another_tenant.call("GET", "/v1/jobs", query=query)

        assert (answer.status, answer.json["data"]) == (200, [])
        mine = estate.tenant.call("GET", "/v1/jobs", query=query).json["data"]
        assert [job["id"] for job in mine] == [estate.ids["job_id"]]


def test_another_accounts_deliveries_are_not_retried(
    estate: Estate, another_tenant: Tenant
) -> None:
    body = {"ids": [estate.ids["delivery_id"]]}
    before = estate.everything()

    answer = another_tenant.call("POST", "/v1/deliveries/retry", body)

    assert [one["status"] for one in answer.json["data"]] == [404]
    assert estate.everything() == before
    mine = estate.tenant.call("POST", "/v1/deliveries/retry", body)
    assert [one["status"] for one in mine.json["data"]] == [202]


def test_another_accounts_deliveries_are_not_sent_on_nor_to_its_webhooks(
    estate: Estate, another_tenant: Tenant, receiver: Receiver
) -> None:
    own = another_tenant.webhook(receiver.endpoint().url)
    theirs = {"ids": [estate.ids["delivery_id"]], "webhook_id": own["id"]}
    to_theirs = {"ids": ["dlv_1"], "webhook_id": estate.ids["webhook_id"], "resend": True}
    before = estate.everything()

    of_another = another_tenant.call("POST", "/v1/deliveries/retry", theirs)
    to_another = another_tenant.call("POST", "/v1/deliveries/retry", to_theirs)

    assert [one["status"] for one in of_another.json["data"]] == [404]
    assert is_problem(to_another, 422, "invalid"), to_another
    assert estate.everything() == before


def test_an_accounts_key_posts_no_event_for_another(estate: Estate, another_tenant: Tenant) -> None:
    event = {"type": "custom.access", "data": {}, "account_id": estate.tenant.id}
    before = estate.everything()

    answer = another_tenant.call("POST", "/v1/events", event)

    assert is_problem(answer, 403, "forbidden"), answer
    assert estate.everything() == before
