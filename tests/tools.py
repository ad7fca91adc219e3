"""Programs of other languages that tests run, and packages of theirs."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from infra.local.emulator import ROOT

_INSTALLED = ROOT / ".perkwire"
_SECONDS = 300


def node() -> str:
    """Node, without which a test fails: no suite is green for want of it."""
    return program("node", "install the package nodejs, version 20 or later")


def program(name: str, advice: str) -> str:
    """Where a program is; the test fails with the advice if it is not on the PATH."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"`{name}` is not on the PATH: {advice}")
    return found


@cache
def npm_packages(pins: Path) -> Path:
    """The folder `node_modules` with all that a folder's lock file names; installed once for each.

    The test fails without npm.
    """
    node()
    npm = program("npm", "install the package npm")

    def install(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(pins / name, folder / name)
        run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)

    return _once("npm", pins / "package-lock.json", install) / "node_modules"


@cache
def pypi_packages(requirements: Path) -> Path:
    """The folder of programs of an environment with all that a requirement file names."""

    def install(folder: Path) -> None:
        run(["uv", "venv", "--quiet", "--python", sys.executable, "venv"], folder)
        asked = ["--require-hashes", "--requirement", str(requirements.resolve())]
        run(["uv", "pip", "install", "--quiet", "--python", "venv", *asked], folder)

    return _once("pypi", requirements, install) / "venv" / "bin"


def _once(kind: str, lock_file: Path, install: Callable[[Path], None]) -> Path:
    """A folder in which `install` was called for this state of the lock file."""
    folder = _INSTALLED / kind / hashlib.sha256(lock_file.read_bytes()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        done = folder / "done"
        if not done.exists():
            install(folder)
            done.touch()
    return folder


def run(
    command: Sequence[str],
    folder: Path,
    *,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
) -> str:
    """What a command prints, both streams; the test fails with that if the command does."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": _path(), **(environment or {})},
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")
    return done.stdout


def _path() -> str:
    """The PATH, with the programs of this Python before it."""
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"
