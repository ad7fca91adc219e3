"""How many AWS calls a webhook that is pulled costs: those of infra/calls.py, as test_calls.py."""

from typing import Any

import pytest

import jobs.app
from infra import calls as aws_calls
from infra import cost_pulled
from tests.aws_events import Context, sqs_event, sqs_record
from tests.integration.counting import Counter, count_calls
from tests.integration.pulling.conftest import Lambda, Puller
from tests.integration.system import System, Tenant

LIST = 100


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return count_calls(monkeypatch)


@pytest.fixture
def puller(system: System, tenant: Tenant, client: Lambda) -> Puller:
    """Somebody who has pulled one before: the dispatcher knows the secret, for five minutes."""
    puller = Puller(tenant)
    tenant.post(*tenant.some_events(1))
    system.route()
    assert len(puller.pull()) == 1
    assert puller.pull() == []
    return puller


@pytest.mark.parametrize("count", [1, LIST])
def test_what_waits_and_is_pulled_costs_what_the_page_says(
    count: int, system: System, tenant: Tenant, puller: Puller, calls: Counter
) -> None:
    tenant.post(*tenant.some_events(count))
    calls.forget()

    assert len(system.poll("EventQueue", "router").messages) == 1
    calls.check("router", aws_calls.waiting(count))

    assert len(puller.pull(limit="100")) == count
    calls.check("management", aws_calls.pull(count, takes=False))
    calls.check("dispatcher", aws_calls.SIGNING)

    tenant.post(*tenant.some_events(count))
    system.route()
    calls.forget()
    assert len(puller.pull(limit="100")) == count
    calls.check("management", aws_calls.pull(count, takes=True))


def test_a_delivery_takes_as_much_of_its_page_as_the_page_assumes(
    system: System, tenant: Tenant, puller: Puller
) -> None:
    tenant.post(*tenant.some_events(90))
    before = system.items("DeliveryTable")
    system.route()
    (page,) = [item for item in system.new_items("DeliveryTable", before) if "deliveries" in item]

    kilobytes = size(page["deliveries"]) / 1024 / 90

    assert cost_pulled.PLACE_KB * 0.8 < kilobytes < cost_pulled.PLACE_KB


def size(value: Any) -> int:  # noqa: ANN401 - whatever an attribute holds
    """Bytes of a value, by DynamoDB's page on item sizes: names, three for a list or a map."""
    match value:
        case {"S": str(text)}:
            return len(text)
        case {"N": str(digits)}:
            return len(digits) // 2 + 2
        case {"L": list(items)}:
            return 3 + sum(1 + size(item) for item in items)
        case {"M": dict(members)}:
            return 3 + sum(1 + len(name) + size(one) for name, one in members.items())
    return 1


def test_looking_in_vain_costs_what_the_page_says(puller: Puller, calls: Counter) -> None:
    assert puller.pull() == []
    calls.check("management", aws_calls.pull(0, takes=False))
    calls.check("dispatcher", {})


def test_a_call_that_waits_costs_what_the_page_says(puller: Puller, calls: Counter) -> None:
    assert puller.pull(wait_seconds="1") == []
    calls.check("management", aws_calls.waited(1))


def test_a_turn_of_a_watch_costs_what_the_page_says(
    system: System, tenant: Tenant, puller: Puller, calls: Counter
) -> None:
    tenant.post(*tenant.some_events(1))
    system.route()
    (body,) = (one for one in system.bodies("JobQueue") if tenant.id in one)
    calls.forget()

    answer = jobs.app.handler(sqs_event(sqs_record(body)), Context())

    assert answer == {"batchItemFailures": []}
    calls.check("jobs", aws_calls.WATCH)
    assert round(100 * cost_pulled.watch(), 1) == 0.6
