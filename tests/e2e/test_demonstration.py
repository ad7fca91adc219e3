"""`make demo` against the running local system: what it shows, and that nothing stays behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infra.local.emulator import ROOT
from tests.e2e.system import LocalSystem

# The first test of the session also builds and starts the system.
pytestmark = pytest.mark.timeout(400)

END_SECONDS = 30


@contextmanager
def demonstration(system: LocalSystem) -> Iterator[subprocess.Popen[str]]:
    """In a process group of its own, as `make` in a terminal has one."""
    port = str(urlsplit(system.local["api_url"]).port)
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.demo", "--port", port],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if is_there(process):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def is_there(group: subprocess.Popen[str]) -> bool:
    """Whether anything of the process group is left."""
    try:
        os.killpg(group.pid, 0)
    except ProcessLookupError:
        return False
    return True


def said_until(process: subprocess.Popen[str], words: str) -> str:
    """What it prints up to a line with these words."""
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if words in line:
            return said
    pytest.fail(f"it has ended without {words!r}:\n{said}")


def folders(system: LocalSystem) -> list[Path]:
    """Those that listen.py has been in."""
    home = ROOT / ".perkwire" / str(urlsplit(system.local["api_url"]).port)
    assert (home / "local.json").exists()
    return [*home.glob("listen-*")]


def test_it_shows_the_inbox_and_a_pulled_delivery_that_its_receiver_verifies(
    system: LocalSystem,
) -> None:
    with demonstration(system) as process:
        said = said_until(process, "Try next")

        bus = said[said.index("EventBridge bus") : said.index("is rejected")]
        assert len(re.findall(r"signature verified  20[04]$", bus, re.MULTILINE)) == 6
        listened = said[said.index("it prints:") : said.index("Listen on your own machine")]
        assert re.search(
            r"  listening to wh_\w+, posting to .*\n"
            r" +its secret, for the receiver: whsec_\S+\n"
            r".*  dlv_\w+  \d+ bytes\n"
            r' +\{"id":"evt_\w+","type":"tier\.upgraded".*\n'
            r" +answered 204 in \d+ ms\n",
            listened,
        )
        assert re.search(
            r"^\S+  laptop +tier\.upgraded +signature verified  204$", listened, re.MULTILINE
        )
        assert re.search(r"^All \d+ events taken", said, re.MULTILINE)
        assert folders(system) == []

        process.send_signal(signal.SIGINT)
        process.wait(END_SECONDS)
        assert not is_there(process)


@pytest.mark.parametrize(
    "end",
    [
        lambda process: os.killpg(process.pid, signal.SIGINT),
        lambda process: process.send_signal(signal.SIGINT),
        lambda process: process.terminate(),
    ],
    ids=["ctrl-c", "interrupted", "terminated"],
)
def test_whoever_ends_it_ends_listen_too(
    system: LocalSystem, end: Callable[[subprocess.Popen[str]], None]
) -> None:
    with demonstration(system) as process:
        said_until(process, "listening to wh_")
        assert len(folders(system)) == 1

        end(process)
        process.wait(END_SECONDS)

        assert not is_there(process)
        assert folders(system) == []
