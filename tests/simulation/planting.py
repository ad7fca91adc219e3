"""Bugs to plant in the real code: each a small change of the source of one function.

The changed source is compiled into the function's own module, so that everything else stays real.
"""

import contextlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import dispatcher.app
import router.app
from perkwire.dispatching import attempts, follow_up, health, lookup, schedule, settlement
from perkwire.model import messages


@dataclass(frozen=True, slots=True)
class Mutation:
    """`owner` is the class or module that has the function `name`, whose `old` text is replaced."""

    bug: str
    owner: Any
    name: str
    old: str
    new: str

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
