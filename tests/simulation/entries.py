"""What the log's entries may become: no success is undone, no attempt made up or forgotten."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from perkwire.model.delivery import Attempt, Delivery, DeliveryStatus, Reason
from perkwire.model.sending import Response, TransportError
from perkwire.primitives.ids import DeliveryId
from tests.simulation.model import Key
from tests.simulation.parts import Parts
from tests.simulation.promises import Promises
from tests.simulation.world import Call, StillRunning, World


@dataclass(eq=False)
class Entries:
    """`runs` are those that were ever sent, `taken` what an endpoint has taken."""

    world: World
    promises: Promises
    runs: set[tuple[DeliveryId, int]]
    taken: set[DeliveryId]
    identify: Callable[[DeliveryId, Key], None]
    parts: Parts

    def changes(self, before: Delivery | None, after: Delivery | None) -> None:
        """An entry of the log was written."""
        if after is None:
            if before is not None:
                self.world.violate(f"{before.id} has left the log")
            return
        self.identify(after.id, (after.webhook_id, tuple(after.event_ids)))
        self.promises.logs(after)
        if after.status is DeliveryStatus.SUCCEEDED:
            if after.id not in self.taken:
                self.world.violate(f"{after.id} is logged as succeeded and nobody took it")
        elif before is not None and before.status is DeliveryStatus.SUCCEEDED:
            self.world.violate(f"the success of {after.id} is overwritten by {after.status}")
        elif before is not None and self._undoes(before, after):
            self.world.violate(f"{after.id} was {before.status}, which a copy has undone")
        if before is not None and after.run < before.run:
            self.world.violate(f"{after.id} goes back from run {before.run} to {after.run}")
        if after.reason is Reason.SPLIT:
            self.parts.is_split(after)
        elif (after.id, after.run) not in self.runs and after.reason is not Reason.PAUSED:
            self.world.violate(f"{after.id} is logged in run {after.run}, which was never sent")
        known = before.attempts if before is not None else ()
        if after.attempts[: len(known)] != known and self._is_first_success(after):
            known = ()
        new = after.attempts[len(known) :]
        if after.attempts[: len(known)] != known or len(new) > 1:
            self.world.violate(f"{after.id} has had {known} and has {after.attempts}")
        for attempt in new:
            self._check_seen(after.id, attempt)

    def _undoes(self, before: Delivery, after: Delivery) -> bool:
        """Whether a copy that is still retried takes back what another has settled meanwhile."""
        if after.status is not DeliveryStatus.RETRYING or before.run != after.run:
            return False
        entry = self.found().get(after.id)
        known = entry.status if entry is not None and entry.run == after.run else None
        return before.status not in (DeliveryStatus.RETRYING, known)

    def _is_first_success(self, after: Delivery) -> bool:
        """Whether the invocation knew of no entry: such successes are put without a condition."""
        return after.status is DeliveryStatus.SUCCEEDED and after.id not in self.found()

    def found(self) -> Mapping[DeliveryId, Delivery]:
        """The entries that the dispatcher which runs has found in the log."""
        invocation = self.world.current
        if invocation is None or invocation.kind != "dispatcher":
            return {}
        return invocation.answers("find")

    def _check_seen(self, delivery_id: DeliveryId, attempt: Attempt) -> None:
        """An attempt in the log is a request of this very invocation."""
        for call in self.world.current.called("request") if self.world.current else ():
            if call.arguments[0].headers["webhook-id"] == delivery_id and _tells(attempt, call):
                return
        self.world.violate(f"{delivery_id} is logged with {attempt}, which nobody has seen")


def _tells(attempt: Attempt, call: Call) -> bool:
    """Whether an attempt says what came of a request."""
    answered = isinstance(call.answer, Response)
    status = call.answer.status if answered else None
    error = None if answered or call.answer is None else call.answer.error
    if isinstance(call.error, StillRunning):
        error = TransportError.TIMEOUT
    return (attempt.at, attempt.status_code, attempt.error) == (call.began, status, error)
