"""What is pulled fits into what Lambda answers, however much a format makes of an event."""

import json
from typing import Any

import pytest

import dispatcher.app
from perkwire.dispatching.pulling import MOST_BYTES
from tests.aws_events import Context
from tests.integration.dispatching.deliveries import route
from tests.integration.pulling.conftest import LAMBDA_BYTES, Lambda, Puller
from tests.integration.system import System, Tenant


def a_puller(tenant: Tenant, copies: int) -> Puller:
    """Of a format that says an event's data so many times."""
    body = {f"d{number}": "=data" for number in range(copies)}
    contract = {"name": "ours", "version": "1", "events": {"*": "{type}"}, "body": body}
    assert tenant.call("POST", "/v1/formats", contract).status == 201
    return Puller(tenant, format="ours@1")


def have_wait(system: System, tenant: Tenant, text: str, many: int) -> list[str]:
    """So many events, in their order."""
    event = {"type": "custom.visit", "data": {"member": {"id": "m-1"}, "text": text}}
    return [one for _ in range(many) for one in route(system, tenant, event)]


def answered(puller: Puller) -> list[dict[str, Any]]:
    """What comes next, in an answer that Lambda carries."""
    after = {} if puller.cursor is None else {"after": puller.cursor}
    answer = puller.tenant.call("GET", puller.path, query={"limit": "20", **after})
    assert answer.status == 200, answer
    text = json.dumps(json.dumps(answer.json))
    assert len(text) < LAMBDA_BYTES - 1000
    puller.cursor = answer.json["next_cursor"]
    given: list[dict[str, Any]] = answer.json["data"]
    return given


def ids(pulled: list[dict[str, Any]]) -> list[str]:
    return [one["headers"]["webhook-event-id"] for one in pulled]


@pytest.mark.parametrize("letter", ["x", '"', "ü"])
def test_a_list_of_large_requests_is_given_in_parts(
    letter: str, system: System, tenant: Tenant, client: Lambda
) -> None:
    puller = a_puller(tenant, 60)
    posted = have_wait(system, tenant, letter * 10_000, 12)

    parts = [answered(puller)]
    while parts[-1]:
        parts.append(answered(puller))

    assert [one for part in parts for one in ids(part)] == posted
    assert {len(part) for part in parts[:-1]} <= {1, 2, 3}
    assert {one["status"] for one in tenant.deliveries()} == {"pulled"}


def test_a_release_before_gets_all_that_it_asks_for(
    system: System, tenant: Tenant, client: Lambda
) -> None:
    puller = a_puller(tenant, 60)
    have_wait(system, tenant, "x" * 20_000, 3)
    assert len(answered(puller)) < 3
    (asked,) = client.asked
    assert asked.pop("most_bytes") == MOST_BYTES

    answer = dispatcher.app.handler(asked, Context())

    assert len(answer["signed"]) == 3


def test_a_request_that_no_answer_can_hold_fails_and_holds_up_nobody(
    system: System, tenant: Tenant, client: Lambda
) -> None:
    puller = a_puller(tenant, 60)
    small, _, last = (
        *have_wait(system, tenant, "x", 1),
        *have_wait(system, tenant, "\x01" * 20_000, 1),
        *have_wait(system, tenant, "y", 1),
    )

    given = answered(puller)
    while part := answered(puller):
        given += part

    assert ids(given) == [small, last]
    assert sorted((one["status"], one.get("reason")) for one in tenant.deliveries()) == [
        ("failed", "format"),
        ("pulled", None),
        ("pulled", None),
    ]
