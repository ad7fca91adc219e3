"""One running system for all tests of this folder; an account and endpoints for each."""

from collections.abc import Iterator

import pytest

from tests.e2e.system import Account, LocalSystem, free_port
from tests.receiver import Receiver


@pytest.fixture(autouse=True)
def _nothing_is_refused() -> Iterator[None]:
    """A call that a function's role does not allow fails the test, whatever became of it."""
    yield
    assert [call for system in LocalSystem.running for call in system.rights.take_refused()] == []


@pytest.fixture(scope="session")
def system() -> Iterator[LocalSystem]:
    with LocalSystem(free_port()) as running:
        yield running


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def account(system: LocalSystem) -> Account:
    return Account(system)
