"""`python -m tests.simulation`: replays one seed, or runs many until one fails.

python -m tests.simulation --seed 123          prints all that happens
python -m tests.simulation --seeds 100000 [--from 0]
python -m tests.simulation --planted           prints the first seed that finds each planted bug
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "functions"))

from tests.simulation.mutations import MUTATIONS
from tests.simulation.planting import MOST_SEEDS
from tests.simulation.simulation import Outcome, simulate

_TELL_EVERY_SECONDS = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--planted", action="store_true")
    arguments = parser.parse_args()
    if arguments.planted:
        return _find_planted()
    if arguments.seed is not None:
        outcome = simulate(arguments.seed, traced=True)
        _print("\n".join(outcome.trace))
        _print("\n".join(outcome.violations) or "holds")
        return 1 if outcome.violations else 0
    return _run(arguments.first, arguments.seeds)


def _run(first: int, seeds: int) -> int:
    failed: list[Outcome] = []
    told_at = time.monotonic()
    for seed in range(first, first + seeds):
        outcome = simulate(seed)
        if outcome.violations:
            failed.append(outcome)
            _print(f"seed {seed}: {outcome.violations[0]}")
            _print(f"  python -m tests.simulation --seed {seed}")
        if time.monotonic() - told_at > _TELL_EVERY_SECONDS:
            told_at = time.monotonic()
            _print(f"{seed - first + 1} of {seeds} seeds")
    _print(f"{seeds} seeds from {first} on, {len(failed)} failed")
    return 1 if failed else 0


def _find_planted() -> int:
    """Whoever has changed what seeds lead to puts late ones into `Mutation.seed`."""
    missed = 0
    for mutation in MUTATIONS:
        found_by = replace(mutation, seed=None).found_by(range(MOST_SEEDS))
        missed += found_by is None
        _print(f"{found_by if found_by is not None else 'none':>5}  {mutation.bug}")
    return 1 if missed else 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
