"""What a webhook that is pulled costs in calls; tests/integration/test_calls.py: all others none.

docs/cost.md tells these numbers.
"""

import pytest

from infra import calls as aws_calls
from infra.calls import Count
from tests.integration.counting import Counter, count_calls
from tests.integration.dispatching.deliveries import route
from tests.integration.pulling.conftest import Lambda, Puller
from tests.integration.system import System, Tenant


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return count_calls(monkeypatch)


@pytest.mark.parametrize("many", [1, 10])
def test_the_router_reads_the_end_of_a_list_and_writes_once(
    many: int, system: System, tenant: Tenant, client: Lambda, calls: Counter
) -> None:
    Puller(tenant)
    route(system, tenant)
    calls.forget()
    tenant.post(*tenant.some_events(many))

    system.poll("EventQueue", "router")

    without = {name: count for name, count in aws_calls.router(many, 0).items() if count.calls}
    assert "SendMessageBatch" not in without
    for_it = {"GetItem": Count(1, 1), "TransactWriteItems": Count(1, many + 2)}
    calls.check("router", {**without, **for_it})


def test_once_a_day_the_router_begins_a_watch(
    system: System, tenant: Tenant, client: Lambda, calls: Counter
) -> None:
    Puller(tenant)
    calls.forget()
    tenant.post(*tenant.some_events(1))

    system.poll("EventQueue", "router")

    calls.check("router", {**aws_calls.waiting(1), "SendMessageBatch": Count(1, 1)})


def test_a_pull_costs_reads_and_a_write_and_looking_in_vain_less(
    system: System, tenant: Tenant, client: Lambda, calls: Counter
) -> None:
    puller = Puller(tenant)
    tenant.post(*tenant.some_events(3))
    system.route()
    calls.forget()

    assert len(puller.pull()) == 3
    # The webhook, and how far it has been pulled; the entries, how far again, and the events.
    calls.check(
        "management",
        {"GetItem": Count(2, 2), "Query": Count(1, 1), "BatchGetItem": Count(3, 7)},
    )

    assert puller.pull() == []
    # And where the list ends; the one write says that all has been taken.
    calls.check(
        "management",
        {"GetItem": Count(3, 3), "Query": Count(1, 1), "UpdateItem": Count(1, 1)},
    )
