"""The npm packages of tests/clients/npm, installed once for each state of its lock file."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from infra.local.emulator import ROOT
from tests.tools import node, program

_PINS = Path(__file__).parent / "npm"
_INSTALLED = ROOT / ".perkwire" / "npm"
_SECONDS = 300


@cache
def npm_packages() -> Path:
    """The folder `node_modules` with all that the lock file names; fails the test without npm."""
    node()
    npm = program("npm", "install the package npm")
    lock = (_PINS / "package-lock.json").read_bytes()
    folder = _INSTALLED / hashlib.sha256(lock).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        done = folder / "done"
        if not done.exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(_PINS / name, folder / name)
            run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
            done.touch()
    return folder / "node_modules"


def run(command: list[str], folder: Path, **environment: str) -> str:
    """What a command prints, both streams; the test fails with that if the command does."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")
    return done.stdout
