"""A world of its own for each test of jobs."""

import pytest

from tests.unit.jobs.world import World


@pytest.fixture
def world() -> World:
    return World()
