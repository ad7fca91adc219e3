"""Tests of webhooks: how many there were, and who sends them."""

import threading
from collections import Counter

from perkwire.primitives.ids import AccountId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS
from perkwire.trials.trial import Trial, TrialOutcome
from tests.fakes.failing import Failing


class FakeTrialCounter(Failing):
    """For TrialCounter: runner.TrialCounter."""

    def __init__(self) -> None:
        super().__init__()
        self._taken: Counter[tuple[AccountId, int]] = Counter()
        self._lock = threading.Lock()

    def take(self, account_id: AccountId, now: int, most: int) -> bool:
        self._called("take")
        minute = (account_id, now // (60 * MICROSECONDS))
        with self._lock:
            if self._taken[minute] >= most:
                return False
            self._taken[minute] += 1
            return True


class FakeTrialDispatcher(Failing):
    """For DispatcherFunction: runner.TrialDispatcher. Answers as it is told, delivered at first."""

    def __init__(self) -> None:
        super().__init__()
        self.trials: list[Trial] = []
        self.outcome: TrialOutcome | None = TrialOutcome(
            delivered=True, duration_ms=5, status_code=200
        )

    def send(self, trial: Trial) -> dict[str, Json] | None:
        self._called("send")
        self.trials.append(trial)
        return None if self.outcome is None else self.outcome.to_json()
