"""After all tests: rights of the template's roles that nothing has used, and that have no reason.

Each process of a run writes the rights that its functions used into one folder; the first process
looks at them at the end, when every test has run.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer

from tests.iam.unused import FOLDER, complaints
from tests.spreading import Spreading
from tests.standstill import run_undisturbed


def pytest_addoption(parser: pytest.Parser) -> None:
    """Have tests/integration/contracts run against another implementation of AWS."""
    parser.addoption("--second-opinion", action="store_true", help="contracts: ask moto's server")


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder before any other process starts."""
    if not hasattr(config, "workerinput"):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="rights-")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Spreading | None:
    """Of --dist loadfile."""
    return Spreading(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that measures time is run undisturbed."""
    if pyfuncitem.get_closest_marker("measures_time") is None:
        return None
    run_undisturbed(pyfuncitem)
    return True


@pytest.fixture(scope="session")
def rights_folder() -> Path:
    """Where what is used of the functions' rights is written."""
    return Path(os.environ[FOLDER])


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Fail a run of all tests that has left rights unused; a run of some says nothing of that."""
    try:
        if _is_of_all_tests(session):
            session.config.stash[_COMPLAINTS] = found = complaints(Path(os.environ[FOLDER]))
            if found:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return (yield)
    finally:
        if not hasattr(session.config, "workerinput"):
            shutil.rmtree(os.environ[FOLDER], ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what is wrong."""
    for line in terminalreporter.config.stash.get(_COMPLAINTS, []):
        terminalreporter.write_line(f"RIGHTS {line}", red=True)


_COMPLAINTS = pytest.StashKey[list[str]]()


def _is_of_all_tests(session: pytest.Session) -> bool:
    config = session.config
    return (
        not hasattr(config, "workerinput")
        and config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and not config.option.keyword
        and not config.option.markexpr
        and session.exitstatus == pytest.ExitCode.OK
    )
