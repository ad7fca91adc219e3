"""Bugs to plant in the real code: each a small change of the source of one function.

The changed source is compiled into the function's own module, so that everything else stays real.
"""

import contextlib
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import dispatcher.app
import router.app
from perkwire.dispatching import attempts, follow_up, health, lookup, schedule, settlement
from perkwire.model import messages
from tests.simulation.simulation import Outcome, simulate

MOST_SEEDS = 4_000
"""A bug that none below finds is too rare to be planted."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """`owner` is the class or module that has the function `name`, whose `old` text is replaced.

    `seed` is one that finds the bug, where few do: it is tried before all others. Any change of
    what a seed leads to may make another one find it: `python -m tests.simulation --planted`.
    `simulates` runs a seed.
    """

    bug: str
    owner: Any
    name: str
    old: str
    new: str
    seed: int | None = None
    simulates: Callable[[int], Outcome] = simulate

    def found_by(self, seeds: Iterable[int]) -> int | None:
        """The first seed that finds the bug, of that which is known to and then of these."""
        known = () if self.seed is None else (self.seed,)
        with self.planted():
            return next(
                (seed for seed in (*known, *seeds) if self.simulates(seed).violations), None
            )

    @contextlib.contextmanager
    def planted(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            mutant = self._compiled()
            owners = [self.owner]
            if inspect.ismodule(self.owner):
                owners += [module for module in _importers(self.name) if module is not self.owner]
            for owner in owners:
                stack.enter_context(patch.object(owner, self.name, mutant))
            yield

    def _compiled(self) -> Callable[..., Any]:
        function = getattr(self.owner, self.name)
        source = textwrap.dedent(inspect.getsource(function))
        if source.count(self.old) != 1:
            raise ValueError(f"{self.name} does not have this text once: {self.old}")
        planted: dict[str, Any] = {}
        code = compile(source.replace(self.old, self.new), f"<{self.bug}>", "exec")
        exec(code, function.__globals__, planted)  # noqa: S102 - our own source
        mutant: Callable[..., Any] = planted[self.name]
        return mutant


def _importers(name: str) -> Iterator[Any]:
    """The modules that hold a function under their own name for it."""
    holders = (lookup, attempts, schedule, settlement, follow_up, health, messages)
    for module in (*holders, router.app, dispatcher.app):
        if name in vars(module):
            yield module
