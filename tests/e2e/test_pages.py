"""The shell blocks of README.md, docs/api.md and docs/receiving.md, pasted one after the other."""

import contextlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from infra.local.emulator import ROOT
from tests.e2e.system import LocalSystem, free_port, until
from tests.receiver import Receiver

# The first test of the session also builds and starts the system.
pytestmark = pytest.mark.timeout(400)

_PAUSE = "sleep 2\n"
_BLOCK_SECONDS = 60


def blocks(page: str) -> list[str]:
    """Those that talk to the API: the others install, deploy and develop."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        block
        for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        if "$API" in block or "API=" in block
    ]


class Shell:
    """A shell in a folder like the repository's, which keeps its variables from block to block.

    A variable that is used and was never set ends it.
    """

    def __init__(self, system: LocalSystem, folder: Path) -> None:
        (folder / ".perkwire").mkdir()
        (folder / ".perkwire" / "local.json").write_text(json.dumps(dict(system.local)))
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / "infra").symlink_to(ROOT / "infra")
        self._system = system
        self._process = subprocess.Popen(
            ["bash", "-u"],  # noqa: S607
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended at a variable without a value
            self._process.stdin.write("kill $(jobs -p)\n")
            self._process.stdin.close()
        self._process.wait(_BLOCK_SECONDS)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def paste(self, block: str) -> str:
        """What a block has printed; where it sleeps, until its events are routed."""
        before = len(self.said)
        for part in block.split(_PAUSE):
            self._run(part)
            until(lambda: self._system.bodies("EventQueue") == [], "the events are routed")
        return self.said[before:]

    def _run(self, commands: str) -> None:
        assert self._process.stdin is not None
        end = f"end of {len(self.said)}"
        self._process.stdin.write(f"{commands}\necho {end}\n")
        self._process.stdin.flush()
        until(
            lambda: end in self.said or not self._reader.is_alive(),
            "the block ends",
            _BLOCK_SECONDS,
        )
        assert end in self.said, self.said

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said += line


@pytest.fixture
def shell(system: LocalSystem, tmp_path: Path) -> Iterator[Shell]:
    with Shell(system, tmp_path) as running:
        yield running


def pasted(shell: Shell, block: str) -> str:
    """What a block has printed, with no refusal among it that the block does not speak of."""
    said = shell.paste(block)
    refused = re.findall(r'"urn:perkwire:problem:.*?"status": (\d+)', said, re.DOTALL)
    assert set(refused) <= set(re.findall(r"^# (\d+) if it has ended$", block, re.MULTILINE)), said
    for sign in ("Traceback", "no answer", '"message"', "command not found", "rror:"):
        assert sign not in said, said
    return said


def test_the_pages_begin_alike() -> None:
    readme, api = blocks("README.md"), blocks("docs/api.md")
    assert readme[0].startswith(api[0])


def test_readme_and_the_page_for_receivers(shell: Shell, receiver: Receiver) -> None:
    first, then, redrive = blocks("README.md")
    (trying,) = blocks("docs/receiving.md")
    endpoint = receiver.endpoint()

    said = pasted(shell, first.replace("9000", str(free_port())))
    assert "Waiting for webhooks.\n" in said
    until(lambda: "POST /hook  signature verified" in shell.said, "the event has arrived")
    said = pasted(shell, then)
    assert said.count('"order-1001"') == 2
    pasted(shell, redrive)

    said = pasted(shell, trying.replace("http://127.0.0.1:5000/hook", endpoint.url))
    assert '"delivered": true' in said
    (request,) = endpoint.requests
    assert request.headers["x-zinrelo-signature"]


def test_the_page_of_the_api(shell: Shell, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    found = blocks("docs/api.md")
    assert len(found) == 15

    said = "".join(
        pasted(shell, block.replace("https://crm.example.com/hook", endpoint.url))
        for block in found
    )

    assert said.count('"delivered": true') == 2
    assert said.splitlines().count("204") == 4
    assert re.search(r'"id": "job_\w+"', said)
    assert "order-1002" in {event_id for one in endpoint.requests for event_id in one.event_ids}
