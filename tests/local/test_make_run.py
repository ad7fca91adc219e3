"""What `make run` says when it cannot start."""

import socket
import subprocess
import sys

from infra.local.emulator import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.local", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def test_busy_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        finished = run("--port", str(port))
    assert finished.returncode == 1
    assert finished.stdout == ""
    (line,) = finished.stderr.splitlines()
    assert line.startswith(f"make run: port {port} cannot be used")


def test_unknown_parameter_is_one_clear_line() -> None:
    finished = run("--port", "0", "MaxAttempt=3")
    assert finished.returncode == 1
    (line,) = finished.stderr.splitlines()
    assert "MaxAttempts" in line


def test_parameter_needs_a_value() -> None:
    finished = run("MaxAttempts")
    assert finished.returncode == 2
    assert "Key=Value" in finished.stderr
