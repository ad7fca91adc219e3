"""Mails to those who have not asked for any: so many in a day, whoever has them sent."""

import uuid

import pytest

from perkwire.adapters.dynamodb import confirmation_counter
from perkwire.adapters.dynamodb.confirmation_counter import (
    MOST_OF_ACCOUNT,
    ConfirmationCounter,
)
from perkwire.primitives.ids import AccountId
from perkwire.primitives.problem import Problem
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS
from tests.builders import NOW
from tests.fakes import FakeClock
from tests.integration.system import System, Tenant


def an_address() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def wants(system: System, tenant: Tenant, key: str, *addresses: str) -> int:
    path = f"/v1/accounts/{tenant.id}"
    return system.call("PATCH", path, {"notify_emails": [*addresses]}, key=key).status


def test_an_address_is_asked_so_often_a_day_whoever_names_it(
    system: System, operator_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirmation_counter, "MOST_TO_ADDRESS", 3)
    victim = an_address()
    answers = [
        system.call(
            "POST",
            "/v1/accounts",
            {"name": "Mill", "notify_emails": [victim.upper() if number % 2 else victim]},
            key=operator_key,
        )
        for number in range(5)
    ]

    assert [answer.status for answer in answers] == [201] * 3 + [429] * 2
    assert "ask an address for confirmation" in answers[-1].json["detail"]


def test_an_account_has_so_many_asked_a_day(
    system: System, tenant: Tenant, operator_key: str
) -> None:
    statuses = [
        wants(system, tenant, operator_key, *(an_address() for _ in range(10))) for _ in range(4)
    ]

    assert statuses == [200] * (MOST_OF_ACCOUNT // 10) + [429]


def test_an_account_that_has_had_enough_asked_uses_up_no_address(
    system: System,
    tenant: Tenant,
    another_tenant: Tenant,
    operator_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(confirmation_counter, "MOST_OF_ACCOUNT", 1)
    monkeypatch.setattr(confirmation_counter, "MOST_TO_ADDRESS", 3)
    address = an_address()
    assert wants(system, tenant, operator_key, an_address()) == 200

    assert [wants(system, tenant, operator_key, address) for _ in range(5)] == [429] * 5

    assert wants(system, another_tenant, operator_key, address) == 200


def test_who_is_subscribed_already_is_not_asked_or_counted_again(
    system: System, tenant: Tenant, operator_key: str
) -> None:
    address = an_address()

    assert [wants(system, tenant, operator_key, address) for _ in range(10)] == [200] * 10


def test_it_says_when_and_then_asks_again(system: System, tenant: Tenant) -> None:
    assert tenant.get("/v1/webhooks")["data"] == []  # binds the models to the table
    clock = FakeClock(NOW)
    counter = ConfirmationCounter(clock)
    address = an_address()
    for number in range(MOST_OF_ACCOUNT):
        counter.count(AccountId(tenant.id), f"{number}{address}")

    with pytest.raises(Problem) as refused:
        counter.count(AccountId(tenant.id), address)

    seconds = int(refused.value.headers()["retry-after"])
    assert 1 <= seconds <= DAY_SECONDS
    clock.now += seconds * MICROSECONDS
    counter.count(AccountId(tenant.id), address)
