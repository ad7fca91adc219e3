"""The systems that run in this folder: one for each port, with a home of its own in .perkwire.

`python3 -m infra.local.runs` fails if there is one: `make clean` asks, with whatever Python there
is, so nothing but the standard library is imported here.
"""

import fcntl
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

WORK = Path(__file__).resolve().parents[2] / ".perkwire"

_ADDRESSES = "local.json"
_LOCK = "lock"
_LAST_PORT = 65535


class RunError(RuntimeError):
    """What was asked for cannot run; the message is one line for the person who asked."""


def read_port(text: str) -> int:
    """Return a port by its number in writing. Raise `RunError` if it is none."""
    if not text.isdecimal() or not 1 <= int(text) <= _LAST_PORT:
        raise RunError(f"PORT is {text!r}: it must be a whole number from 1 to {_LAST_PORT}")
    return int(text)


@contextmanager
def only_run(home: Path) -> Iterator[None]:
    """Keep every other run out of `home` while the block runs, or raise `RunError`."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)  # it keeps the emulator's state
    with (home / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(home) from None
        yield


def refuse_second(home: Path) -> None:
    """Raise `RunError` if a run is using `home`."""
    if is_running(home):
        raise _in_use(home)


def is_running(home: Path) -> bool:
    """Whether a run is using `home`, also while it starts and while it stops."""
    try:
        with (home / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except BlockingIOError:
        return True
    return False


def addresses(folder: Path) -> dict[str, Any]:
    """What a program needs to talk to the system of a home; nothing if there has been none."""
    try:
        content: dict[str, Any] = json.loads((folder / _ADDRESSES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content


def keep_addresses(folder: Path, content: Mapping[str, str]) -> Path:
    """Replace the file of a home's addresses, which only its owner may read; return its path."""
    path = folder / _ADDRESSES
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2, sort_keys=True)
        file.write("\n")
    temporary.replace(path)
    return path


@contextmanager
def announced(work: Path, content: Mapping[str, str]) -> Iterator[Path]:
    """Let .perkwire/local.json name a system while the block runs.

    Afterwards it names the one before, if that is still running; one that has been announced
    meanwhile stays.
    """
    before = addresses(work)
    try:
        yield keep_addresses(work, content)
    finally:
        _withdraw(work, content, before)


def _withdraw(work: Path, content: Mapping[str, str], before: Mapping[str, str]) -> None:
    if addresses(work).get("api_url") != content["api_url"]:
        return
    if before.get("api_url") != content["api_url"] and _answers(work, before):
        keep_addresses(work, before)
    else:
        (work / _ADDRESSES).unlink(missing_ok=True)


def _answers(work: Path, content: Mapping[str, str]) -> bool:
    port = urlsplit(content.get("api_url", "")).port
    return port is not None and is_running(work / str(port))


def _in_use(home: Path) -> RunError:
    return RunError(
        f"another `make run` is using {home.parent.name}/{home.name}: stop it, "
        "or choose another port, e.g. `make run PORT=4570`"
    )


def main(work: Path = WORK) -> int:
    """Say which systems run; the exit status is 1 if there is any."""
    running = [home.name for home in sorted(work.glob("*")) if is_running(home)]
    for port in running:
        print(
            f"make clean: `make run` is using .perkwire/{port}: stop it first, with Ctrl-C",
            file=sys.stderr,
        )
    return 1 if running else 0


if __name__ == "__main__":
    sys.exit(main())
