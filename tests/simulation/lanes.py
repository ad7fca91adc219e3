"""When a webhook changes its lane, and when not: what it is strained by, read once more."""

from collections import defaultdict
from dataclasses import dataclass

from perkwire.model.lanes import Lane
from perkwire.primitives.ids import WebhookId
from tests.simulation.endpoints import TIMEOUT_SECONDS
from tests.simulation.model import Notes
from tests.simulation.rows import Rows, Tried
from tests.simulation.world import Call, World

_STRAINED, _RECOVERED = 5, 10
_SLOW_MS = TIMEOUT_SECONDS * 1000 / 5


@dataclass(eq=False)
class Lanes:
    """Judges what a dispatcher's invocation has moved."""

    world: World

    def check(self, notes: Notes, rows: Rows) -> None:
        """What the invocation has done about the webhooks that it called."""
        tried: defaultdict[WebhookId, list[Tried]] = defaultdict(list)
        for one in rows.tried():
            tried[one.state.webhook.id].append(one)
        for call in notes.invocation.called("move"):
            if call.arguments[0].id not in tried:
                self.world.violate(f"{call.arguments[0].id} is moved without an attempt")
        for webhook_id, own in tried.items():
            self._check(notes, webhook_id, own)

    def _check(self, notes: Notes, webhook_id: WebhookId, tried: list[Tried]) -> None:
        def called(name: str) -> list[Call]:
            calls = notes.invocation.called(name)
            return [call for call in calls if call.arguments[0].id == webhook_id]

        noted = [*called("add_failures"), *called("add_slow"), *called("end_streak")]
        paused = called("pause")
        moved = [call.arguments[1] for call in called("move")]
        if any(call.error is not None for call in (*noted, *paused)):
            return  # nobody knows what is on record
        lane = tried[0].state.webhook.lane
        wanted: list[list[Lane]] = [[]]
        fast = sum(one.success and one.result.duration_ms <= _SLOW_MS for one in tried)
        if any(call.answer for call in paused):
            pass
        elif fast == 0 and lane is Lane.PROMPT:
            strain = max((_strain(call) for call in noted), default=0)
            wanted = [[Lane.SLOW]] if strain >= _STRAINED else [[]]
        elif fast == len(tried) and lane is Lane.SLOW:
            ease = max((call.answer for call in called("end_streak")), default=0)
            wanted = [[Lane.PROMPT]] if ease >= _RECOVERED else [[]]
            if not called("end_streak"):
                self.world.violate(f"{fast} fast successes of {webhook_id} are not counted")
        elif fast and lane is Lane.PROMPT and len(tried) - fast >= _STRAINED:
            wanted = [[], [Lane.SLOW]]  # by the order in which they ended
        if moved not in wanted:
            self.world.violate(f"{webhook_id} is moved to {moved}, and should be to {wanted}")


def _strain(call: Call) -> int:
    return int(call.answer.strain if call.name == "add_failures" else call.answer)
