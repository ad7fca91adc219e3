"""What `make run` says when it cannot start."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from infra.local import runs
from infra.local.emulator import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.local", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def refused(*arguments: str) -> str:
    """The one line that is said."""
    finished = run(*arguments)
    assert finished.returncode == 1
    assert finished.stdout == ""
    (line,) = finished.stderr.splitlines()
    return line


def test_busy_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refused("--port", str(port))
    assert line.startswith(f"make run: port {port} cannot be used")
    assert not (runs.WORK / str(port)).exists()


def test_a_second_run_is_told_of_the_first_and_not_of_its_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as emulator:
        port = emulator.getsockname()[1]
        home = runs.WORK / str(port)
        try:
            with runs.only_run(home):
                line = refused("--port", str(port))
        finally:
            shutil.rmtree(home)
    assert line.startswith(f"make run: another `make run` is using .perkwire/{port}: stop it, or")


@pytest.mark.parametrize("port", ["80000", "0", "-1", "abc", "4566.0", "", "²"])
def test_a_port_that_is_none_is_one_clear_line(port: str) -> None:
    assert refused(f"--port={port}") == (
        f"make run: PORT is {port!r}: it must be a whole number from 1 to 65535"
    )


def test_unknown_parameter_is_one_clear_line(free_port: Callable[[], int]) -> None:
    assert "MaxAttempts" in refused("--port", str(free_port()), "MaxAttempt=3")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("MaxAttempts", "MaxAttempts has no value: a parameter is written Key=Value"),
        ("--MaxAttempts=3", "unrecognized arguments: --MaxAttempts=3"),
    ],
)
def test_what_is_no_parameter_is_one_clear_line(given: str, said: str) -> None:
    assert refused(given) == f"make run: {said}"
