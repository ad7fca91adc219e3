"""Tests that measure time, on a machine that stands still for a moment now and then.

A virtual machine may get no processor for a second, and a busy one none for a tenth. What a test
measured meanwhile says nothing about the code: such a test is marked `measures_time`, and one that
fails while its process stood still is run again. One that fails undisturbed has failed.
"""

import inspect
import threading
import time
from typing import Self

import pytest

MOST_RUNS = 6
NOTICED_SECONDS = 0.1
_STEP_SECONDS = 0.02


class Standstill:
    """The longest time that this process did not run though it wanted to, of the `with`."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="standstill")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def is_noticed(self) -> bool:
        """Whether it was long enough to disturb a measurement."""
        return self._longest > NOTICED_SECONDS

    def _watch(self) -> None:
        is_over = False
        while not is_over:
            before = time.monotonic()
            is_over = self._over.wait(_STEP_SECONDS)
            self._longest = max(self._longest, time.monotonic() - before - _STEP_SECONDS)


def run_undisturbed(item: pytest.Function) -> None:
    """The test, again while it fails in a process that stood still; fixtures are made once."""
    wanted = inspect.signature(item.obj).parameters
    given = {name: value for name, value in item.funcargs.items() if name in wanted}
    for left in reversed(range(MOST_RUNS)):
        standstill = Standstill()
        try:
            with standstill:
                item.obj(**given)
        except Exception:
            if not (left and standstill.is_noticed):
                raise
        else:
            return
