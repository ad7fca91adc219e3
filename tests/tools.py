"""Programs of other languages that tests run."""

import shutil

import pytest


def node() -> str:
    """Node, without which a test fails: no suite is green for want of it."""
    return program("node", "install the package nodejs, version 20 or later")


def program(name: str, advice: str) -> str:
    """Where a program is; the test fails with the advice if it is not on the PATH."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"`{name}` is not on the PATH: {advice}")
    return found
