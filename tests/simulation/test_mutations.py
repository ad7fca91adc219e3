"""The simulation is worth its time only if it finds bugs: each planted one is found."""

import pytest

from tests.simulation.mutations import MUTATIONS
from tests.simulation.planting import Mutation
from tests.simulation.simulation import simulate
from tests.simulation.test_simulation import SEEDS


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.bug.replace(" ", "-"))
def test_a_planted_bug_is_found(mutation: Mutation) -> None:
    with mutation.planted():
        found = any(simulate(seed).violations for seed in range(SEEDS))

    assert found, f"no seed below {SEEDS} finds that {mutation.bug}"
