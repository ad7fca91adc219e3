"""The functions' handlers on an emulator of their own, for benches; what they print is dropped."""

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.emulator import ROOT, Emulator
from infra.operator_key import create_operator_key
from infra.parameters import load_template
from tests.integration.system import Stack, System


@contextlib.contextmanager
def a_system() -> Iterator[tuple[System, str]]:
    """The handlers on an emulator, and an operator's key."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(port, Path(folder)) as emulator,
        pytest.MonkeyPatch.context() as patch,
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
    ):
        stack = Stack.create(emulator, load_template(ROOT / "template.yaml"))
        table = stack.resources["ConfigTable"]
        key = create_operator_key(table, "bench", endpoint_url=emulator.url)
        yield System(stack, patch), key
