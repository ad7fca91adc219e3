"""`make clients`: the clients of docs/clients.md, generated, compiled and run, as a table.

The tools of a language are those on this machine; packages come from their registries.
"""

import os
import shutil
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "functions"))

from infra.local.emulator import ROOT
from tests.clients.languages import LANGUAGES, Language, run, save
from tests.clients.proxy import ContractProxy
from tests.e2e.system import LocalSystem, free_port
from tests.receiver import Receiver

_WORK = ROOT / ".perkwire" / "clients"
_ONE_ATTEMPT = ("MaxAttempts=1", "RetryIntervalSeconds=2")


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    language: str
    outcome: str
    detail: str

    def __str__(self) -> str:
        return f"{self.language:<12} {self.outcome:<10} {self.detail}"


def main(names: Sequence[str]) -> int:
    """Try these languages, or all; the exit status is 1 if one that could be tried failed."""
    wanted = [one for one in LANGUAGES if not names or one.name.lower() in names]
    rows = [Row(one.name, "NOT TRIED", f"needs {', '.join(one.missing)}") for one in wanted
            if one.missing]  # fmt: skip
    tried = [one for one in wanted if not one.missing]
    if tried:
        tools = _python_tools()
        with LocalSystem(free_port(), _ONE_ATTEMPT) as system:
            for language in tried:
                print(f"{language.name} …", flush=True)  # noqa: T201 - a program
                rows.append(_try(language, system, tools))
    print()  # noqa: T201
    for row in rows:
        print(row)  # noqa: T201
    return int(any(row.outcome == "FAILED" for row in rows))


def _try(language: Language, system: LocalSystem, tools: str) -> Row:
    folder = _WORK / language.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    save(language, folder)
    begun = time.monotonic()
    with ContractProxy(system.local["api_url"]) as proxy, _tenant(system) as account:
        settings = {"PATH": f"{tools}:{os.environ['PATH']}", "API": proxy.url, **account}
        ran = run(language, folder, {**os.environ, **settings})
        against = proxy.against()
        calls = len(proxy.exchanges)
    seconds = time.monotonic() - begun
    if not ran.retried or against:
        (folder / "output.log").write_text(ran.output)
        said = against or ran.output.strip().splitlines()[-1:]
        return Row(language.name, "FAILED", "; ".join(said) + f" (all of it: {folder}/output.log)")
    detail = (
        f"generated, compiled and run in {seconds:.0f} s; {calls} calls as the contract has them"
    )
    return Row(language.name, "works", detail)


@contextmanager
def _tenant(system: LocalSystem) -> Iterator[dict[str, str]]:
    """An account's key and an endpoint that fails, as the page's programs find them."""
    _, account = system.call("POST", "/v1/accounts", {"name": "Brew & Bean"})
    asked = {"name": "clients", "scopes": ["events", "webhooks"]}
    _, made = system.call("POST", f"/v1/accounts/{account['id']}/api-keys", asked)
    with Receiver() as receiver:
        yield {"KEY": made["key"], "ENDPOINT": receiver.endpoint(500).url}


def _python_tools() -> str:
    """A Python of its own, into which the page's `pip install` installs; its folder of programs."""
    home = _WORK / "python"
    if not (home / "bin" / "pip").exists():
        venv.create(home, with_pip=True, clear=True)
    return str(home / "bin")


if __name__ == "__main__":
    sys.exit(main([name.lower() for name in sys.argv[1:]]))
