"""One emulator and one stack for all tests of this folder; fresh functions and queues for each."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from infra.local.emulator import ROOT, Emulator
from infra.operator_key import create_operator_key
from infra.parameters import load_template
from perkwire.adapters.dynamodb.config_items import CONFIG_ITEMS
from tests.integration.browsing import Browser, ConsoleServer
from tests.integration.system import Stack, System, Tenant
from tests.receiver import Receiver


@pytest.fixture(scope="session")
def no_aws_settings() -> Iterator[None]:
    """The host's own AWS settings, of a developer with an account, change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def stack(no_aws_settings: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with Emulator(port, tmp_path_factory.mktemp("emulator")) as emulator:
        yield Stack.create(emulator, load_template(ROOT / "template.yaml"))


@pytest.fixture(scope="session")
def _operator_key(stack: Stack) -> str:
    table = stack.resources["ConfigTable"]
    return create_operator_key(table, "tests", endpoint_url=stack.emulator.url)


@pytest.fixture
def system(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The functions; whatever the test does, they may write and answer nothing secret."""
    global _bindings
    system = System(stack, monkeypatch)
    if _connections() != _bindings:
        system.cold_start()  # another test has bound the models to tables of its own
    system.empty_queues()
    yield system
    _bindings = _connections()
    assert system.leaks() == []


_bindings: list[object] = []


def _connections() -> list[object]:
    """What the models of ConfigTable, which every function reads, are bound to."""
    models: list[Any] = [*CONFIG_ITEMS]
    return [model._connection and model._connection.connection for model in models]


@pytest.fixture
def operator_key(system: System, _operator_key: str) -> str:
    system.secrets.add(_operator_key)
    return _operator_key


@pytest.fixture
def tenant(system: System, operator_key: str) -> Tenant:
    return Tenant(system, operator_key)


@pytest.fixture
def another_tenant(system: System, operator_key: str) -> Tenant:
    return Tenant(system, operator_key)


@pytest.fixture(scope="session")
def console() -> Iterator[ConsoleServer]:
    with ConsoleServer() as running:
        yield running


@pytest.fixture
def browser(system: System, console: ConsoleServer) -> Browser:
    return Browser(console.url)


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)
