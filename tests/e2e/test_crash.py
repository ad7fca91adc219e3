"""Processes of functions are killed at random under load, then all is restarted: nothing is lost.

What `python -m tests.soak` does for minutes, this does for seconds.
"""

import random
import sys
import time
from collections.abc import Iterator

import pytest

from tests.e2e.system import LocalSystem, free_port
from tests.receiver import Receiver
from tests.soak.world import World

pytestmark = [
    pytest.mark.timeout(400),  # the first test also builds and starts the system
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes of functions in /proc"),
]

SEED = 5
FUNCTIONS = ("Ingest", "Router", "Dispatcher", "Management")
KILLS_OF_EACH = 2
PATIENCE_SECONDS = 5
MOST_TROUBLE_SECONDS = 60  # on a busy machine; ten on another
HEAL_SECONDS = 90  # on a busy machine; a few on another
ROUTER_TIME_OUT = 180  # the template's


@pytest.fixture(scope="module")
def system() -> Iterator[LocalSystem]:
    """One of its own: what the emulator takes for running is not what runs after this."""
    with LocalSystem(free_port()) as running:
        yield running


def test_kills_at_random_a_restart_and_an_endpoint_that_flaps_lose_nothing(
    system: LocalSystem, receiver: Receiver
) -> None:
    world = World(system, receiver, random.Random(SEED), functions=FUNCTIONS)
    world.endpoints[1].answer(*[200, 503] * 50, 500)
    world.shorten_time_out(4)
    with world.under_load():
        end = time.monotonic() + MOST_TROUBLE_SECONDS
        while time.monotonic() < end and world.least_killed() < KILLS_OF_EACH:
            world.wait_for_a_post(PATIENCE_SECONDS)
            world.kill()
        world.restart()

    assert world.heal(HEAL_SECONDS)
    world.shorten_time_out(ROUTER_TIME_OUT)
    assert world.figures.accepted
    assert world.least_killed() >= KILLS_OF_EACH, world.figures
    assert world.wrong() == []
