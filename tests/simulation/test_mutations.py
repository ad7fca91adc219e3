"""The simulation is worth its time only if it finds bugs: each planted one is found."""

import pytest

from tests.simulation.mutations import MUTATIONS
from tests.simulation.planting import MOST_SEEDS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.bug.replace(" ", "-"))
def test_a_planted_bug_is_found(mutation: Mutation) -> None:
    found_by = mutation.found_by(range(MOST_SEEDS))

    assert found_by is not None, f"no seed below {MOST_SEEDS} finds that {mutation.bug}"
