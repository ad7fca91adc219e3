"""The main job with IAM enforced: the rights of the template suffice, and each of them is needed.

A right too many is found by tests/template/test_permissions.py, and one that nothing uses by
tests/conftest.py.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.rights import Rights
from tests.e2e.system import MAX_ATTEMPTS, Account, LocalSystem, free_port, until
from tests.invariant import check
from tests.receiver import Receiver

# The first test also builds and starts the system.
pytestmark = pytest.mark.timeout(400)

EVENT = {
    "type": "custom.rights",
    "data": {"member": {"id": "m1", "email": "canary@member.example"}},
}


@pytest.fixture(scope="module")
def system() -> Iterator[LocalSystem]:
    """One of its own: others need not wait for what is refused here."""
    with LocalSystem(free_port()) as running:
        yield running


@pytest.fixture
def rights(system: LocalSystem) -> Rights:
    return system.rights


@pytest.fixture
def account(system: LocalSystem) -> Account:
    return Account(system)


def test_the_rights_of_the_template_suffice(
    system: LocalSystem, account: Account, receiver: Receiver
) -> None:
    well, ill = receiver.endpoint(), receiver.endpoint(500)
    webhooks = [
        account.webhook(well.url, headers={"x-shop": "canary-of-the-shop"}),
        account.webhook(ill.url),
    ]

    (event_id,) = account.post({**EVENT, "id": uuid.uuid4().hex})
    matched = {event_id: [webhook["id"] for webhook in webhooks]}
    until(lambda: len(account.dead()) == 1, "the message is a dead letter")
    check(account, matched, [*well.requests, *ill.requests])
    assert (len(well.requests), len(ill.requests)) == (1, MAX_ATTEMPTS)

    ill.answer(200)
    status, answer = system.call("POST", "/v1/redrives", {"queue": "deliveries"})
    assert status == 201, answer
    until(lambda: account.statuses() == ["succeeded"] * 2, "both deliveries have succeeded")

    path = f"/v1/webhooks/{webhooks[0]['id']}"
    for method, call, body, expected in (
        ("PATCH", path, {"name": "till"}, 200),
        ("POST", f"{path}/rotate-secret", {}, 200),
        ("POST", f"{path}/test", {}, 200),
        ("POST", f"{path}/disable", None, 200),
        ("POST", f"{path}/enable", None, 200),
        ("POST", f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}, 202),
    ):
        status, answer = system.call(method, call, body, key=account.key)
        assert status == expected, (call, answer)
    job = f"/v1/jobs/{answer['id']}"
    until(lambda: account.get(job)["status"] == "done", "the job is done")
    well.wait_for(3)  # the event, the test, the replay
    check(account, matched, [*well.requests[:1], *ill.requests])


@dataclass(frozen=True)
class Refused:
    """A call that fails without one statement of one function."""

    function: str
    statement: str
    method: str
    path: str
    body: Any = None
    by_operator: bool = False
    status: int = 503


CALLS = [
    Refused("authorizer", "ReadKeys", "GET", "/v1/webhooks", status=500),
    Refused("ingest", "SendEvents", "POST", "/v1/events", EVENT),
    Refused("ingest", "RememberEventIds", "POST", "/v1/events", {**EVENT, "id": "e-1"}),
    Refused(
        "ingest", "ReadAccounts", "POST", "/v1/events", {**EVENT, "account_id": "{account}"}, True
    ),
    Refused("management", "Configure", "GET", "/v1/webhooks"),
    Refused("management", "ReadEvents", "GET", "/v1/events"),
    Refused("management", "ReadDeliveries", "GET", "/v1/deliveries?webhook_id={webhook}"),
    Refused("management", "KeepSecrets", "POST", "/v1/webhooks/{webhook}/rotate-secret", {}),
    Refused("management", "TestWebhooks", "POST", "/v1/webhooks/{webhook}/test", {}),
    Refused("dispatcher", "ReadSecrets", "POST", "/v1/webhooks/{webhook}/test", {}),
    Refused("management", "Redrive", "GET", "/v1/redrives", None, True),
    Refused(
        "management",
        "StartJobs",
        "POST",
        "/v1/webhooks/{webhook}/replay",
        {"since": "2026-01-01T00:00:00Z"},
    ),
    Refused(
        "management",
        "KeepNoticeTopics",
        "PATCH",
        "/v1/accounts/{account}",
        {"notify_emails": ["admin@brew.example"]},
        True,
    ),
]


@pytest.mark.parametrize("case", CALLS, ids=lambda case: f"{case.function} {case.statement}")
def test_a_call_fails_without_a_right_that_it_needs_and_with_it_does_not(
    case: Refused, system: LocalSystem, rights: Rights, account: Account, receiver: Receiver
) -> None:
    webhook = account.webhook(receiver.endpoint().url)
    names = {"{account}": account.id, "{webhook}": webhook["id"]}

    def named(text: str) -> str:
        for name, found in names.items():
            text = text.replace(name, found)
        return text

    body = None if case.body is None else json.loads(named(json.dumps(case.body)))
    # A new one: API Gateway remembers what the authorizer has said of a key.
    unknown = account.new_key()

    def call() -> int:
        key = None if case.by_operator else unknown
        return system.call(case.method, named(case.path), body, key=key)[0]

    with rights.without(case.function, case.statement):
        assert call() == case.status
    assert call() < 300


@pytest.mark.parametrize("statement", ["ReadWebhooks", "LogDeliveries", "ReadSecrets"])
def test_without_a_right_of_the_dispatcher_nothing_is_sent_and_with_it_the_delivery_goes_out(
    statement: str, system: LocalSystem, rights: Rights, account: Account, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = account.webhook(endpoint.url)
    refused = refusals(system, "Dispatcher")

    with rights.without("dispatcher", statement):
        (event_id,) = account.post(EVENT)
        until(lambda: refusals(system, "Dispatcher") > refused, "the dispatcher is refused", 300)
        assert endpoint.requests == []
        check(account, {event_id: [webhook["id"]]})

    until(lambda: account.statuses() == ["succeeded"], "the delivery has succeeded")
    check(account, {event_id: [webhook["id"]]}, endpoint.requests)


@pytest.mark.parametrize("statement", ["ReadWebhooks", "KeepEvents", "SendDeliveries"])
def test_without_a_right_of_the_router_the_event_stays_in_its_queue(
    statement: str, system: LocalSystem, rights: Rights, account: Account, receiver: Receiver
) -> None:
    webhook = account.webhook(receiver.endpoint().url)
    refused = refusals(system, "Router")

    with rights.without("router", statement):
        (event_id,) = account.post(EVENT)
        until(lambda: refusals(system, "Router") > refused, "the router is refused", 300)

    assert len(account.waiting()) == 1
    check(account, {event_id: [webhook["id"]]})


def refusals(system: LocalSystem, function: str) -> int:
    """How often a function has written that something was refused to it."""
    return sum("AccessDenied" in line for line in lines_of(system, function))


def lines_of(system: LocalSystem, function: str) -> list[str]:
    """What a function has written to its log."""
    logs = system.client("logs")
    (group,) = [
        one["logGroupName"]
        for one in logs.describe_log_groups()["logGroups"]
        if function in one["logGroupName"]
    ]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    return [event["message"] for page in pages for event in page["events"]]
