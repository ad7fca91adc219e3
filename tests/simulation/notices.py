"""What may be told to admins: of each pause once, of failures once in an interval."""

from collections import Counter
from dataclasses import dataclass, field

from perkwire.timestamps import MICROSECONDS
from tests.simulation.world import World


@dataclass(eq=False)
class Notices:
    """Counts them by webhook; each webhook's name is its id, so a subject says whose it is."""

    world: World
    interval_minutes: int
    pauses: Counter[str] = field(default_factory=Counter)
    _of_pauses: Counter[str] = field(default_factory=Counter)
    _of_failures_at: dict[str, int] = field(default_factory=dict)

    def published(self, subject: str) -> None:
        """A notice goes out."""
        webhook_id = subject.split('"')[1]
        if subject.endswith("paused"):
            self._of_pauses[webhook_id] += 1
            if self._of_pauses[webhook_id] > self.pauses[webhook_id]:
                self.world.violate(f"{webhook_id} has more notices of pauses than pauses")
            return
        before = self._of_failures_at.get(webhook_id)
        # The interval runs from the decision; handing the notice over may have taken a while.
        patience = (self.interval_minutes - 1) * 60 * MICROSECONDS
        if before is not None and self.world.now - before < patience:
            self.world.violate(f"{webhook_id} has two notices of failures within the interval")
        self._of_failures_at[webhook_id] = self.world.now
