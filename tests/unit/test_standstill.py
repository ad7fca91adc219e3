"""A test that measures time is run again if its process stood still, and else it is not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = """
import os, signal

import pytest

runs = []

@pytest.mark.measures_time
def test_disturbed_once():
    runs.append(1)
    if len(runs) == 1:
        os.kill(os.getpid(), signal.SIGSTOP)
        assert False, "disturbed"

@pytest.mark.measures_time
def test_failing():
    assert False, "undisturbed"

def test_that_measures_nothing():
    assert False, "as ever"
"""


def test_only_what_was_disturbed_is_run_again(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_pyfunc_call\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = measures_time\n")
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}", "PYTEST_ADDOPTS": ""},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        time.sleep(0.3)  # as long as it stands still, and longer is the same
        os.kill(process.pid, signal.SIGCONT)
        said, _ = process.communicate(timeout=60)

    assert "2 failed, 1 passed" in said, said
    assert "AssertionError: undisturbed" in said
    assert "AssertionError: as ever" in said
