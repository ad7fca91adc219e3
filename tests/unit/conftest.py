"""Unit tests reach no network and see no environment."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A property is tried often enough over many runs; no run may fail because a machine was busy.
settings.register_profile("unit", max_examples=40, deadline=None)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def _no_network(socket_disabled: None) -> None:
    """A test that opens a socket fails."""


@pytest.fixture(autouse=True)
def _empty_environment() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    yield
    os.environ.clear()
    os.environ.update(before)
