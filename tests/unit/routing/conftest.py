"""A router for each test."""

import pytest

from tests.unit.routing.harness import RouterHarness


@pytest.fixture
def router() -> RouterHarness:
    return RouterHarness()
