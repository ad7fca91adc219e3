"""What a deployed stack is looked at with, on the local one."""

from collections.abc import Iterator

import pytest

from infra import smoke
from infra.operator_key import temporary_operator_key
from tests.e2e.system import LocalSystem
from tests.receiver import Receiver

# The first test of the session also builds and starts the system.
pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def key(system: LocalSystem) -> Iterator[str]:
    table, url = system.local["ConfigTableName"], system.local["aws_endpoint_url"]
    with temporary_operator_key(table, "smoke test", endpoint_url=url) as made:
        yield made


def test_a_system_that_does_what_it_is_for_passes_each_time(
    system: LocalSystem, receiver: Receiver, key: str
) -> None:
    endpoint = receiver.endpoint()

    for _ in range(2):
        smoke.check(system.local["api_url"], key, endpoint=endpoint.url)

    assert len(endpoint.requests) == 2
    _, accounts = system.call("GET", "/v1/accounts?limit=100")
    assert [account["name"] for account in accounts["data"]].count("Smoke test") == 1


def test_a_dispatcher_that_reaches_nobody_fails(system: LocalSystem, key: str) -> None:
    with pytest.raises(smoke.SmokeError, match=r"^the endpoint has not answered a test: "):
        smoke.check(system.local["api_url"], key, endpoint="http://127.0.0.1:1/")


def test_an_api_that_refuses_fails(
    system: LocalSystem, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoke, "_PATIENCE_SECONDS", 0)
    for wrong in (system.local["api_url"], "http://127.0.0.1:1"):
        with pytest.raises(smoke.SmokeError, match=r"^GET /v1/event-types was "):
            smoke.check(wrong, key + "x", endpoint="http://127.0.0.1:1/")


def test_the_key_is_worth_nothing_afterwards(system: LocalSystem) -> None:
    table, url = system.local["ConfigTableName"], system.local["aws_endpoint_url"]
    with temporary_operator_key(table, "smoke test", endpoint_url=url) as made:
        pass
    status, _ = system.call("GET", "/v1/accounts", key=made)
    assert status == 403
