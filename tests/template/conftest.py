"""Tools of the environment that the tests run in."""

import sys
from pathlib import Path

import pytest


@pytest.fixture
def cfn_lint() -> Path:
    """The cfn-lint beside this interpreter, whatever PATH says."""
    return Path(sys.executable).parent / "cfn-lint"
