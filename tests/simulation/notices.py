"""What may be told to admins, and what has to be: each pause once, all failures, in intervals."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from perkwire.dispatching.noticing import UnreportedFailures, UnreportedPauses
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.delivery import DeliveryStatus
from perkwire.primitives.timestamps import MICROSECONDS
from tests.simulation.model import Notes
from tests.simulation.rows import Rows
from tests.simulation.world import Call, World

_MINUTE = 60 * MICROSECONDS


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
        patience = (self.interval_minutes - 1) * _MINUTE
        if before is not None and self.world.now - before < patience:
            self.world.violate(f"{webhook_id} has two notices of failures within the interval")
        self._of_failures_at[webhook_id] = self.world.now

    def forget(self, webhook_id: str) -> None:
        """The webhook is deleted, its health with it: what comes late begins anew."""
        self._of_failures_at.pop(webhook_id, None)

    def check(self, notes: Notes, rows: Rows) -> None:
        """What the invocation has counted and told.

        After a notice that could not be sent no other has to be.
        """
        told = _Told(notes)
        unseen = rows.failed_unseen()
        looked_again = {key for call in told.looked_again() for _, key in call.arguments[0]}
        for webhook_id in sorted(unseen.keys() - {one.webhook.id for one in rows.states()}):
            if webhook_id not in looked_again and not told.was_cut_off:
                self.world.violate(f"{webhook_id}: nobody asks to whom failures are to be told")
        for state in rows.states():
            if state.notice_topic is None:
                continue
            failed = sum(
                status is DeliveryStatus.FAILED
                for one, status in rows.unsuccessful()
                if one.webhook.id == state.webhook.id
            )
            self._check_failures(told, state, failed + unseen[state.webhook.id])
            self._check_pause(told, state)

    def _check_failures(self, told: "_Told", state: WebhookState, failed: int) -> None:
        webhook_id = state.webhook.id
        counted = told.calls("count_failed", webhook_id)
        counts = [call.arguments[1] for call in counted]
        if counts != ([failed] if failed else []):
            self.world.violate(f"{failed} of {webhook_id} have failed and are counted as {counts}")
            return
        untold: UnreportedFailures | None = counted[0].answer if counted else state.untold
        taken = told.calls("take_untold", webhook_id)
        due = untold is not None and (
            untold.noticed_at is None
            or told.now - untold.noticed_at >= self.interval_minutes * _MINUTE
        )
        if taken and not due:
            self.world.violate(f"{webhook_id}: failures are told of before their time")
        elif due and not taken and not told.has_failed:
            self.world.violate(f"{webhook_id}: failures that are due are not told of")
        for call in taken:
            self._check_taken(told, webhook_id, call)

    def _check_taken(self, told: "_Told", webhook_id: str, take: Call) -> None:
        published = told.notices(webhook_id, "failed")
        if not take.answer:
            if published:
                self.world.violate(f"{webhook_id}: failures are told of that another has taken")
            return
        untold: UnreportedFailures = take.arguments[1]
        admissions = told.calls("admit_notice", webhook_id)
        if admissions and not admissions[0].answer:
            given_back = [call.arguments[1] for call in told.calls("give_back", webhook_id)]
            if published or (given_back != [untold] and not told.was_cut_off):
                self.world.violate(f"{webhook_id}: {untold} is told of without being admitted")
            return
        numbers = [int(one.arguments[1].subject.split(": ")[1].split()[0]) for one in published]
        self.world.say(f"  {untold.count} failures are told of")
        if numbers != [untold.count]:
            self.world.violate(f"{webhook_id}: {untold.count} have failed, told are {numbers}")
        given_back = [call.arguments[1] for call in told.calls("give_back", webhook_id)]
        if given_back != [untold for one in published if one.error is not None]:
            self.world.violate(f"{webhook_id}: {given_back} are given back of {untold}")

    def _check_pause(self, told: "_Told", state: WebhookState) -> None:
        paused = any(call.answer for call in told.calls("pause", state.webhook.id))
        webhook_id = state.webhook.id
        notices = told.notices(webhook_id, "paused")
        counted = told.calls("count_pause", webhook_id)
        taken = [call for call in told.calls("take_pauses", webhook_id) if call.answer]
        if len(counted) != paused and not told.has_failed and not told.was_cut_off:
            self.world.violate(f"{webhook_id} is paused and that is counted {len(counted)} times")
        untold: UnreportedPauses | None = counted[0].answer if counted else state.untold_pauses
        due = untold is not None and (
            untold.noticed_at is None
            or told.now - untold.noticed_at >= self.interval_minutes * _MINUTE
        )
        if taken and not due:
            self.world.violate(f"{webhook_id}: a pause is told of before its time")
        if counted and due and not notices and not told.has_failed and not told.was_cut_off:
            self.world.violate(f"{webhook_id} is paused and nobody is told")
        if len(notices) > len(taken):
            self.world.violate(f"{webhook_id}: a pause is told of that another has taken")


class _Told:
    """What an invocation has done about notices."""

    def __init__(self, notes: Notes) -> None:
        self._invocation = notes.invocation
        told = [
            one
            for name in ("count_failed", "take_untold", "count_pause")
            for one in self._all(name)
        ]
        self.now = max((call.arguments[-1] for call in told), default=self._last_clock())
        self.was_cut_off = any(
            call.arguments[0] == "health_not_kept" for call in self._all("fault")
        )
        self.has_failed = any(call.arguments[0] == "notice_not_sent" for call in self._all("fault"))

    def calls(self, name: str, webhook_id: str) -> list[Call]:
        return [one for one in self._all(name) if one.arguments[0].id == webhook_id]

    def looked_again(self) -> list[Call]:
        return self._all("look_again")

    def notices(self, webhook_id: str, ending: str) -> list[Call]:
        """Those that were published, or tried to be."""
        return [
            one
            for one in self._all("publish")
            if one.arguments[1].subject.split('"')[1] == webhook_id
            and one.arguments[1].subject.endswith(ending)
        ]

    def _all(self, name: str) -> list[Any]:
        return self._invocation.called(name)

    def _last_clock(self) -> int:
        return max((call.began for call in self._invocation.calls), default=0)
