"""How a fake is told to fail."""

import threading
from collections import Counter, defaultdict

from perkwire.primitives.journal import Unavailable


class Failing:
    """Counts calls, and knows which of them are to fail."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._failing: defaultdict[str, set[int]] = defaultdict(set)
        self._counting = threading.Lock()

    def fail(self, method: str, *calls: int) -> None:
        """Fail these calls of the method, the first being 1, or, without numbers, all of them."""
        self._failing[method] |= set(calls) or {0}

    def mend(self) -> None:
        """Fail no more."""
        self._failing.clear()

    def _fails(self, method: str) -> bool:
        with self._counting:
            self.calls[method] += 1
            return not self._failing[method].isdisjoint({0, self.calls[method]})

    def _called(self, method: str) -> None:
        if self._fails(method):
            raise Unavailable(f"{type(self).__name__}: Told")
