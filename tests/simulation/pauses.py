"""When a webhook is paused, and when not: streaks are counted here once more.

After so many failed attempts in a row with no success for ten minutes, at once on a 410, and on the
first delivery that has used up its attempts, if that is the rule.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from perkwire.model.sending import Response
from perkwire.model.webhook import PauseReason, Webhook
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.timestamps import MICROSECONDS
from tests.simulation.model import Notes
from tests.simulation.rows import Rows, Tried
from tests.simulation.world import Call, World

_QUIET = 600 * MICROSECONDS


@dataclass(eq=False)
class Pauses:
    """The streak of each webhook: how many failed attempts, and when the first was.

    `mended` are the versions of each in which a person has changed what may have failed: what was
    read before such a one has failed for itself alone.
    """

    world: World
    streaks: dict[WebhookId, tuple[int, int, int]] = field(default_factory=dict)
    mended: defaultdict[WebhookId, list[int]] = field(default_factory=lambda: defaultdict(list))

    def fails(self, notes: Notes, webhook: Webhook, count: int, now: int) -> None:
        """A store has been told of failures."""
        mended = self._mended(webhook)
        of, failures, since = self.streaks.get(webhook.id, (mended, 0, now))
        if of != mended:
            failures, since = 0, now
        self.streaks[webhook.id] = (mended, failures + count, since)
        notes.streaks[webhook.id] = (failures + count, since)

    def recovers(self, webhook: Webhook) -> None:
        """A success has ended the streak."""
        if webhook.id in self.streaks and self.streaks[webhook.id][0] == self._mended(webhook):
            del self.streaks[webhook.id]

    def forgets(self, webhook: Webhook) -> None:
        """It is deleted, and its health with it."""
        self.streaks.pop(webhook.id, None)

    def _mended(self, webhook: Webhook) -> int:
        versions = self.mended[webhook.id]
        return max((one for one in versions if one <= webhook.version), default=0)

    def check(self, notes: Notes, rows: Rows) -> None:
        """What the invocation has done about the webhooks that it called."""
        tried: defaultdict[WebhookId, list[Tried]] = defaultdict(list)
        for one in rows.tried():
            tried[one.state.webhook.id].append(one)
        for name in ("add_failures", "end_streak", "pause"):
            for call in notes.invocation.called(name):
                if call.arguments[0].id not in tried:
                    self.world.violate(f"{call.arguments[0].id}: {name} without an attempt")
        for webhook_id, own in tried.items():
            self._check(notes, webhook_id, own)

    def _check(self, notes: Notes, webhook_id: WebhookId, tried: list[Tried]) -> None:
        added, ended, paused = (
            [one for one in notes.invocation.called(name) if one.arguments[0].id == webhook_id]
            for name in ("add_failures", "end_streak", "pause")
        )
        succeeded = any(one.success for one in tried)
        reason = self._at_once(notes, tried)
        counts = [call.arguments[1] for call in added]
        if counts != ([] if reason or succeeded else [len(tried)]):
            self.world.violate(f"{len(tried)} tries of {webhook_id} count as {counts} failures")
        if counts and added[0].error is None:
            failures, since = notes.streaks[webhook_id]
            enough = failures >= notes.parameters.pause_after_failures
            if enough and added[0].began - since >= _QUIET:
                reason = PauseReason.FAILURES
        reasons = [call.arguments[1].reason for call in paused]
        if reason:
            self.world.say(f"  {webhook_id} is to be paused for {reason}")
        if reasons != ([reason] if reason else []):
            self.world.violate(f"{webhook_id} is to be paused for {reason}, and is for {reasons}")
        elif succeeded and tried[0].state.failing and not ended and not _has_taken(paused):
            self.world.violate(f"{webhook_id} has taken a request and its streak goes on")

    def _at_once(self, notes: Notes, tried: list[Tried]) -> PauseReason | None:
        if any(isinstance(one.result, Response) and one.result.status == 410 for one in tried):
            return PauseReason.GONE
        exhausted = any(one.last and not one.success for one in tried)
        own = tried[0].state.webhook.pause_when_exhausted
        if exhausted and (notes.parameters.pause_when_exhausted if own is None else own):
            return PauseReason.EXHAUSTED
        return None


def _has_taken(paused: list[Call]) -> bool:
    """Whether the pause holds, or nobody knows."""
    return any(call.error is not None or call.answer for call in paused)
