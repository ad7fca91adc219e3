"""Clients of docs/clients.md, generated, compiled and run against the local system.

Here are those that take seconds; `make clients` runs them all, and CI that in Go, whose generator
takes more than a minute to compile.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tools
from tests.clients.languages import CONTRACT, LANGUAGES, NPM, Language, run, save, sections
from tests.clients.proxy import ContractProxy
from tests.e2e.system import LocalSystem, free_port
from tests.receiver import Receiver
from tests.tools import npm_packages

# The first test builds and starts the system, and may install packages.
pytestmark = pytest.mark.timeout(600)

BY_NAME = {language.name: language for language in LANGUAGES}
CALLS = {"createWebhook", "postEvents", "listDeliveries", "retryDeliveries"}


@pytest.fixture(scope="module")
def system() -> Iterator[LocalSystem]:
    """A delivery has failed once its only attempt has."""
    with LocalSystem(free_port(), parameters=("MaxAttempts=1", "RetryIntervalSeconds=2")) as one:
        yield one


@pytest.fixture
def proxy(system: LocalSystem) -> Iterator[ContractProxy]:
    with ContractProxy(system.local["api_url"]) as running:
        yield running


@pytest.fixture
def environment(system: LocalSystem, proxy: ContractProxy) -> Iterator[dict[str, str]]:
    """What the page asks for: an account's API key, and an endpoint, which fails."""
    operator = system.local["operator_key"]
    _, account = system.call("POST", "/v1/accounts", {"name": "Brew & Bean"})
    asked = {"name": "clients", "scopes": ["events", "webhooks"]}
    _, made = system.call("POST", f"/v1/accounts/{account['id']}/api-keys", asked)
    with Receiver() as receiver:
        yield {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "API": proxy.url,
            "KEY": made["key"],
            "OPERATOR": operator,
            "ENDPOINT": receiver.endpoint(500).url,
        }


def test_the_page_has_a_section_for_each_language() -> None:
    assert sections() == [language.name for language in LANGUAGES]


def session(
    language: Language, folder: Path, proxy: ContractProxy, environment: dict[str, str]
) -> None:
    """Run the section as somebody would who has installed its packages."""
    save(language, folder)
    ran = run(language, folder, environment, install=False)

    assert ran.retried, ran.output[-3000:]
    assert proxy.against() == []
    assert {exchange.operation for exchange in proxy.exchanges} == CALLS
    assert {exchange.status for exchange in proxy.exchanges} == {200, 201, 202}


def test_a_client_in_typescript(
    tmp_path: Path, proxy: ContractProxy, environment: dict[str, str]
) -> None:
    (tmp_path / "node_modules").symlink_to(npm_packages(NPM))
    session(BY_NAME["TypeScript"], tmp_path, proxy, environment)


def test_a_client_in_python(
    tmp_path: Path, proxy: ContractProxy, environment: dict[str, str]
) -> None:
    session(BY_NAME["Python"], tmp_path, proxy, environment)


# What a program of `sessions` prints.
SESSION = {
    "accepted": ["order-1001", False],
    "several": 2,
    "data": {"member": {"id": "m-1"}, "transaction": {"id": "t-1", "points": 50}},
    "deliveries": [True],
    "secrets": [True, True],
    "tested": [False, "…"],
    "link": True,
    "nulls": [None, None, None, None],
    "counted": [None, "counted"],
    "started": ["job_", "queued", None],
    "types": 4,
    "example": True,
    "unknown": [403, "Forbidden"],
    "forbidden": [403, "The API key does not allow this."],
}
SESSIONS = {
    "readme.mts": [
        "npx openapi-typescript openapi.yaml --output api.d.ts",
        "npx tsc --strict --noUncheckedIndexedAccess --target es2022 --module nodenext"
        " --lib es2022,dom readme.mts",
        "node readme.mjs",
    ],
    "readme.py": [
        "openapi-python-client generate --path openapi.yaml --output-path client --fail-on-warning",
        "python -m compileall -q client",
        "PYTHONPATH=client python readme.py",
    ],
}


@pytest.mark.parametrize("program", SESSIONS)
def test_the_readmes_session_through_a_generated_client(
    program: str, tmp_path: Path, proxy: ContractProxy, environment: dict[str, str]
) -> None:
    (tmp_path / "node_modules").symlink_to(npm_packages(NPM))
    shutil.copy(CONTRACT, tmp_path)
    # A text to linters and type checkers, which know no generated client.
    source = Path(__file__).parent / "sessions" / f"{program}.txt"
    shutil.copy(source, tmp_path / program)

    for command in SESSIONS[program]:
        said = tools.run(["bash", "-c", command], tmp_path, environment=environment)

    assert json.loads(said.splitlines()[-1]) == SESSION
    assert proxy.against() == []
    assert None not in {exchange.operation for exchange in proxy.exchanges}
