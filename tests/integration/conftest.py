"""One emulator and one stack for all tests of this folder; fresh functions and queues for each."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from botocore.client import BaseClient
from botocore.config import Config

from infra.local.emulator import ROOT, Emulator
from infra.operator_key import create_operator_key
from infra.parameters import load_template
from perkwire.adapters import aws
from perkwire.adapters.dynamodb import tables
from perkwire.adapters.dynamodb.config_items import CONFIG_ITEMS
from tests.iam.judging import Judge, Rules, Running, judged, lines
from tests.iam.roles import arns, data_of, policies
from tests.integration.browsing import Browser, ConsoleServer
from tests.integration.system import APPS, STACK_NAME, Stack, System, Tenant
from tests.receiver import Receiver
from tests.second_opinion import MotoServer
from tests.template.stack import transformed


@pytest.fixture(scope="session")
def no_aws_settings() -> Iterator[None]:
    """The host's own AWS settings, of a developer with an account, change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def stack(
    no_aws_settings: None,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[Stack]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kind = MotoServer if pytestconfig.getoption("second_opinion") else Emulator
    with kind(port, tmp_path_factory.mktemp("emulator")) as emulator:
        yield Stack.create(emulator, load_template(ROOT / "template.yaml"))


@pytest.fixture(scope="session")
def rights(
    stack: Stack, rights_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Each function may call what its role allows; the folder where it is written what they did."""
    template = transformed()
    arn_of = arns(template, stack.resources)
    granted = policies(template, arn_of, STACK_NAME, stack.parameters)
    rules = Rules(granted, data_of(template, arn_of), stack.substitutes)
    folder = tmp_path_factory.mktemp("rights")
    judge = Judge(lambda: rules, folder)
    with pytest.MonkeyPatch.context() as patch:
        make_api_call: Any = vars(BaseClient)["_make_api_call"]
        patch.setattr(BaseClient, "_make_api_call", judged(make_api_call, judge))
        patch.setattr(threading.Thread, "start", Running.inherited(threading.Thread.start))
        for function, app in APPS.items():
            patch.setattr(app, "handler", Running.within(function, app.handler))
        yield folder
    for file in folder.glob("used-*"):
        (rights_folder / f"{file.name}-integration").write_bytes(file.read_bytes())


@pytest.fixture(scope="session")
def _operator_key(stack: Stack) -> str:
    table = stack.resources["ConfigTable"]
    return create_operator_key(table, "tests", endpoint_url=stack.emulator.url)


@pytest.fixture
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that a machine which stands still for a moment repeats is one more than is counted."""
    monkeypatch.setattr(tables, "PATIENCE", tables.Patience(10, 30, 2))
    for name in ("_CONFIG", "_BRIEFLY", "_SIGNAL_CONFIG"):
        patient = Config(connect_timeout=10, read_timeout=30)
        monkeypatch.setattr(aws, name, getattr(aws, name).merge(patient))


@pytest.fixture
def system(
    stack: Stack, rights: Path, _patience: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[System]:
    """The functions; whatever the test does, they may write and answer nothing secret.

    Nor may they call what their roles do not allow, whatever becomes of the refusal.
    """
    global _bindings
    refused = len(lines(rights, "refused"))
    system = System(stack, monkeypatch)
    if _connections() != _bindings:
        system.cold_start()  # another test has bound the models to tables of its own
    system.empty_queues()
    yield system
    _bindings = _connections()
    assert system.leaks() == []
    assert lines(rights, "refused")[refused:] == []


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
