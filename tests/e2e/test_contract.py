"""docs/openapi.yaml against the running local system: requests that schemathesis makes up.

Whatever is asked, valid or not, by whomever: no 5xx, and no status, content type, header or body
that the contract does not have; and what the contract forbids is refused. The requests are the
same in every run.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from infra.local.emulator import ROOT
from tests.builders import event_body
from tests.e2e.system import LocalSystem, free_port, until

# The first test also builds and starts the system.
pytestmark = pytest.mark.timeout(400)

REQUESTS = 24  # made up for each operation, beside its examples
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# A test takes as long as a host that is not there takes to be found missing.
FEWER = {"POST /v1/webhooks/test": 4, "POST /v1/webhooks/{webhook_id}/test": 4}
# What the other operations need is not deleted; tests/integration/managing/ deletes.
KEPT = {
    "DELETE /v1/webhooks/{webhook_id}",
    "DELETE /v1/accounts/{account_id}/api-keys/{key_id}",
    "DELETE /v1/account/api-keys/{key_id}",
}

# Whose success depends on what nobody has started or broken, or on the time of the examples.
UNREACHED = KEPT | {
    "DELETE /v1/redrives",
    "POST /v1/rejected-events/{rejected_event_id}/send",  # what it was is wrong, as is any other
    "POST /v1/webhooks/{webhook_id}/retry-failed",
    "POST /v1/webhooks/{webhook_id}/replay",
}

CONTRACT = schemathesis.openapi.from_path(
    ROOT / "docs" / "openapi.yaml",
    config=SchemathesisConfig(
        projects=ProjectsConfig(
            default=ProjectConfig(generation=GenerationConfig(with_security_parameters=False))
        )
    ),
)
OPERATIONS: dict[str, APIOperation[Any, Any, Any, Any]] = {
    result.ok().label: result.ok()
    for result in CONTRACT.get_all_operations()
    if isinstance(result, Ok)
}


class Tenant:
    """An account with one of everything that a path can name."""

    def __init__(self, system: LocalSystem) -> None:
        self._system = system
        self.operator_key = system.local["operator_key"]
        self.id = self._made("/v1/accounts", {"name": "Contract"}, self.operator_key)["id"]
        api_key = self._made(
            f"/v1/accounts/{self.id}/api-keys",
            {"name": "contract", "scopes": ["events", "webhooks"]},
            self.operator_key,
        )
        self.key: str = api_key["key"]
        webhook = self._made(
            "/v1/webhooks",
            {"name": "contract", "url": "http://127.0.0.1:9/", "event_types": ["points.earned"]},
            self.key,
        )
        event = self._made("/v1/events", event_body(), self.key)
        link = self._made(f"/v1/accounts/{self.id}/console-links", {}, self.operator_key)
        self.known = {
            "account_id": self.id,
            "key_id": api_key["id"],
            "link_id": link["id"],
            "webhook_id": webhook["id"],
            "event_id": event["id"],
            "event_type": "tier.upgraded",
            "format": "standard",
        }

    def wait_for_delivery(self) -> None:
        """Have a delivery in the log: nothing listens at its webhook's URL."""
        until(lambda: len(self._log()) > 0, "the log has an entry")
        self.known["delivery_id"] = self._log()[0]["id"]

    def store_contract(self) -> None:
        """Have a format that can be deleted."""
        (contract, *_) = examples(OPERATIONS["POST /v1/formats"])
        self.known["format"] = self._made("/v1/formats", contract, self.key)["format"]

    def pulled(self) -> str:
        """A webhook that is pulled, and that something waits for."""
        asked = {"name": "pulled", "delivery": "pull", "event_types": ["*"]}
        webhook: str = self._made("/v1/webhooks", asked, self.key)["id"]
        self._made("/v1/events", event_body(), self.key)

        def waits() -> bool:
            _, shown = self._system.call("GET", f"/v1/webhooks/{webhook}", key=self.key)
            return bool(shown["pull"]["waiting"])

        until(waits, "something waits to be pulled")
        return webhook

    def start_job(self) -> None:
        """Have a job that is still running when the last request comes."""
        self._made("/v1/events", {"events": [event_body() for _ in range(100)]}, self.key)
        path = f"/v1/webhooks/{self.known['webhook_id']}/replay"
        asked = {"since": "2026-01-01T00:00:00Z", "per_second": 1}

        def are_kept() -> bool:
            _, counted = self._system.call("POST", path, asked | {"dry_run": True}, key=self.key)
            return bool(counted["total"] > 100)

        until(are_kept, "the events can be sent again")
        self.known["job_id"] = self._made(path, asked, self.key)["id"]

    def erase(self) -> None:
        """Somebody whom nothing is about: the tests beside this one keep what they have."""
        asked = {"member_id": "nobody-of-the-contract"}
        self.known["erasure_id"] = self._made("/v1/erasures", asked, self.key)["id"]

    def have_rejected(self) -> None:
        """Have the inbox reject an event."""
        queue_url = self._system.local["InboxQueueUrl"]
        body = json.dumps({"account_id": self.id, "type": "nothing", "data": {}})
        self._system.client("sqs").send_message(QueueUrl=queue_url, MessageBody=body)

        def own() -> list[str]:
            path = "/v1/rejected-events?limit=100"
            _, listed = self._system.call("GET", path, key=self.operator_key)
            return [one["id"] for one in listed["data"] if one["account_id"] == self.id]

        until(lambda: bool(own()), "the inbox has rejected an event")
        self.known["rejected_event_id"] = own()[0]

    def _log(self) -> list[dict[str, Any]]:
        status, answer = self._system.call("GET", "/v1/deliveries", key=self.key)
        assert status == 200, answer
        log: list[dict[str, Any]] = answer["data"]
        return log

    def _made(self, path: str, body: object, key: str) -> dict[str, Any]:
        status, answer = self._system.call("POST", path, body, key=key)
        assert status in (201, 202), answer
        made: dict[str, Any] = answer
        return made


@pytest.fixture(scope="module")
def system() -> Iterator[LocalSystem]:
    """One of its own: what is made up here fills queues and starts redrives."""
    with LocalSystem(free_port()) as running:
        yield running


@pytest.fixture
def tenant(system: LocalSystem) -> Tenant:
    return Tenant(system)


@pytest.fixture(scope="module")
def untouched(system: LocalSystem) -> Tenant:
    """The tenant of those who are not let in."""
    return Tenant(system)


def examples(operation: APIOperation[Any, Any, Any, Any]) -> list[Any]:
    """The bodies that the contract shows."""
    body = operation.definition.raw.get("requestBody")
    if body is None:
        return []
    content = body["content"]["application/json"]
    several = [one["value"] for one in content.get("examples", {}).values()]
    return several or [content["example"]]


def ask(system: LocalSystem, tenant: Tenant, case: Case[Any], caller: str) -> int:
    """Send a request and check the answer; its status."""
    headers = {"Authorization": f"Bearer {tenant.operator_key}"}
    if caller == "operator":
        headers["Perkwire-Account"] = tenant.id
    elif caller == "nobody":
        headers = {}
    elif caller == "stranger":
        headers["Authorization"] += "x"
    elif caller == "account":
        headers["Authorization"] = f"Bearer {tenant.key}"
        case.headers.pop("Perkwire-Account", None)
    response = case.call(base_url=system.local["api_url"], headers=headers, timeout=30)
    # What was made up to be wrong may be right once its headers are others.
    body = case.operation.definition.raw.get("requestBody", {"required": True})
    # Null is taken for a body that may be left out, as many a client sends it.
    is_none = case.body is None and not body["required"]
    rejection = [negative_data_rejection] if caller == "made up" and not is_none else []
    case.validate_response(response, checks=[*CHECKS, *rejection])
    return response.status_code


@pytest.mark.parametrize("label", OPERATIONS)
def test_answers_are_those_of_the_contract(label: str, system: LocalSystem, tenant: Tenant) -> None:
    operation = OPERATIONS[label]
    names = {parameter.name for parameter in operation.path_parameters}
    if "job_id" in names:
        tenant.start_job()
    if "erasure_id" in names:
        tenant.erase()
    if "format" in names:
        tenant.store_contract()
    if "rejected_event_id" in names:
        tenant.have_rejected()
    if "event_id" in names or "/deliveries" in label:
        tenant.wait_for_delivery()
    known = {name: tenant.known[name] for name in names}
    if label.endswith("/pull"):
        known["webhook_id"] = tenant.pulled()
    places: list[dict[str, Any]] = [{}]
    if known and label not in KEPT:
        places.append({"path_parameters": known})
    cases = st.one_of(
        [operation.as_strategy(mode, **place) for mode in GenerationMode for place in places]
    )

    @settings(
        max_examples=FEWER.get(label, REQUESTS),
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    @given(case=cases, caller=st.sampled_from(["operator", "account", "made up"]))
    def made_up(case: Case[Any], caller: str) -> None:
        statuses.append(ask(system, tenant, case, caller))

    statuses: list[int] = []
    if known and label not in KEPT and "requestBody" not in operation.definition.raw:
        statuses.append(ask(system, tenant, operation.Case(path_parameters=known), "operator"))
    for body in examples(operation):
        for caller in ("operator", "account"):
            case = operation.Case(path_parameters=known, body=body, media_type="application/json")
            statuses.append(ask(system, tenant, case, caller))
    if label.endswith("/pull"):
        statuses.append(ask(system, tenant, operation.Case(path_parameters=known), "account"))
    made_up()

    assert label in UNREACHED or min(statuses) < 300, sorted(statuses)


@pytest.mark.parametrize("label", OPERATIONS)
def test_who_is_not_let_in_is_told_so_as_the_contract_has_it(
    label: str, system: LocalSystem, untouched: Tenant
) -> None:
    operation = OPERATIONS[label]
    ids = {parameter.name: "x" for parameter in operation.path_parameters}

    for caller, status in (("nobody", 401), ("stranger", 403)):
        case = operation.Case(path_parameters=ids)
        assert ask(system, untouched, case, caller) == status


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nothing"), ("PUT", "/v1/webhooks"), ("POST", "/"), ("DELETE", "/console")],
)
def test_what_is_no_call_is_not_found_and_asks_for_a_key_first(
    method: str, path: str, system: LocalSystem, tenant: Tenant
) -> None:
    status, answer = system.call(method, path, key=tenant.key)
    assert (status, answer["type"]) == (404, "urn:perkwire:problem:not-found")

    stranger = requests.request(method, f"{system.local['api_url']}{path}", timeout=30)
    assert (stranger.status_code, stranger.json()) == (401, {"message": "Unauthorized"})
