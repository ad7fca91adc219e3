"""`python -m tests.simulation`: replays one seed, or runs many until one fails.

python -m tests.simulation --seed 123          prints all that happens
python -m tests.simulation --seeds 100000 [--from 0]
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "functions"))

from tests.simulation.simulation import Outcome, simulate

_TELL_EVERY_SECONDS = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--from", type=int, default=0, dest="first")
    arguments = parser.parse_args()
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


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
