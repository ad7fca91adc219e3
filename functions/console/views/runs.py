"""The attempts of a delivery by its runs: what was tried each time that it was sent."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from perkwire.primitives.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """The attempts of one run, the newest first. `number` 0 is the first."""

    number: int
    attempts: Sequence[Mapping[str, Any]]


def runs_of(attempts: Sequence[Mapping[str, Any]]) -> list[Run]:
    """The runs, the newest first. A former release has not noted which attempt is of which."""
    return [
        Run(number, [*own])
        for number, own in groupby(reversed(attempts), lambda attempt: attempt.get("run", 0))
    ]
