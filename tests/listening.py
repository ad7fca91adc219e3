"""listen.py as a program, with nobody at its keyboard."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast


@contextmanager
def listening(file: Path, url: str, *options: str) -> Iterator[IO[str]]:
    """What it prints while the block runs; it is killed at the end."""
    with subprocess.Popen(
        [sys.executable, str(file), "--to", url, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as program:
        try:
            yield cast(IO[str], program.stdout)
        finally:
            program.kill()


def read_until(printed: IO[str], words: str, times: int = 1) -> str:
    """What it prints up to the line with which it has said these words so often."""
    said = ""
    while said.count(words) < times:
        line = printed.readline()
        assert line, f"it has ended:\n{said}"
        said += line
    return said
