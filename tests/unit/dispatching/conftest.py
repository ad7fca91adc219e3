"""A dispatcher for each test; the threads of its requests for each module."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.dispatching.harness import DispatcherHarness


@pytest.fixture(scope="module")
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(10) as pool:
        yield pool


@pytest.fixture
def dispatcher(executor: ThreadPoolExecutor) -> DispatcherHarness:
    return DispatcherHarness(executor)
