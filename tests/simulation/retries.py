"""What a person who sends deliveries again has to be told, and what has to be done about it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.ids import DeliveryId, EventId, WebhookId
from perkwire.primitives.timestamps import MICROSECONDS
from perkwire.recovering.retrying import RetryResult
from tests.simulation.erasures import gone
from tests.simulation.model import RETRY_INTERVAL_SECONDS, event_ids, members
from tests.simulation.parts import was_too_large
from tests.simulation.pulls import Pulls
from tests.simulation.world import Invocation, World

_INTERVAL = RETRY_INTERVAL_SECONDS * MICROSECONDS
_SENDABLE = (DeliveryStatus.FAILED, DeliveryStatus.CANCELLED)


def is_overdue(entry: Delivery, now: int) -> bool:
    """Whether two intervals have passed since its next attempt was due."""
    retrying = entry.status is DeliveryStatus.RETRYING
    return retrying and entry.due_at is not None and now > entry.due_at + 2 * _INTERVAL


@dataclass(eq=False)
class Retries:
    """Judges the answers to POST /v1/deliveries/retry, from what its ports have told."""

    world: World
    pulls: Pulls

    def check(self, invocation: Invocation, results: Sequence[RetryResult]) -> None:
        """One request's results."""
        notes = [*invocation.called("hand_over"), *invocation.called("split")]
        noted = {call.arguments[0].id for call in notes} | self._pulled(invocation)
        for result in results:
            wanted = self._status(invocation, result.delivery_id)
            if result.status != wanted:
                self.world.violate(
                    f"{result.delivery_id} is answered {result.status:d} and not {wanted}"
                )
            if (result.status == 202) != (result.delivery_id in noted):
                self.world.violate(f"{result.delivery_id} ({result.status:d}) is noted: {noted}")
        for call in invocation.called("hand_over"):
            _, now, due_at = call.arguments
            webhook_id = call.arguments[0].webhook_id
            if due_at - _INTERVAL not in _going_out(invocation, webhook_id, now):
                self.world.violate(f"{call.arguments[0].id} is handed over, due at {due_at}")

    def _status(self, invocation: Invocation, delivery_id: DeliveryId) -> int:
        entry = invocation.answer("find").get(delivery_id)
        if entry is None:
            return 404
        read, *_ = invocation.called("of_account")
        looked_at = read.ended
        if entry.parts or (entry.status not in _SENDABLE and not is_overdue(entry, looked_at)):
            return 409
        statuses = {one.id: one.status for one in read.answer or ()}
        if statuses.get(entry.webhook_id) is not WebhookStatus.ENABLED:
            return 409
        kept = {one for call in invocation.called("find_all") for one in call.answer}
        if not kept.issuperset(entry.event_ids):
            return 409
        if entry.reason is Reason.ERASED or gone(invocation, entry).issuperset(entry.event_ids):
            return 409
        if self._is_pulled(invocation, entry):
            return 202 if entry.id in self._pulled(invocation) else 503
        return 202 if _is_held(invocation, entry) else 503

    def _is_pulled(self, invocation: Invocation, entry: Delivery) -> bool:
        found = [one for call in invocation.called("of_account") for one in call.answer or ()]
        return any(one.is_pulled for one in found if one.id == entry.webhook_id)

    def _pulled(self, invocation: Invocation) -> set[DeliveryId]:
        """The deliveries that the request has had wait, or another one meanwhile."""
        read = [call.answer for call in invocation.called("find") if call.error is None]
        unlogged = {
            call.arguments[1].get("webhook_id")
            for call in invocation.called("fault")
            if call.arguments[0] == "waiting_not_logged"
        }
        return {
            entry.id
            for found in read
            for entry in found.values()
            if self._is_pulled(invocation, entry)
            and entry.webhook_id not in unlogged
            and (entry.id, entry.run + 1) in self.pulls.places
        }


def _going_out(invocation: Invocation, webhook_id: WebhookId, now: int) -> set[int]:
    """When the request's deliveries to a webhook may go out: now, or at one of their slots."""
    takings = [call for call in invocation.called("take") if call.error is None]
    own = [call for call in takings if call.arguments[0].id == webhook_id]
    slots = {
        call.answer + place * math.ceil(MICROSECONDS / call.arguments[0].max_per_second)
        for call in own
        for place in range(call.arguments[1])
    }
    return {max(now, slot) for slot in slots} or {now}


def _is_held(invocation: Invocation, entry: Delivery) -> bool:
    """Whether the queue says to hold an entry, or each of the parts that it has to go out in."""
    groups = _groups(invocation, entry)
    held: set[tuple[EventId, ...]] = set()
    for call in invocation.called("send"):
        for outgoing, is_held in zip(call.arguments[0], call.answer, strict=True):
            message = members(outgoing.body)
            if message is None or not is_held or message["webhook_id"] != entry.webhook_id:
                continue
            if (message["delivery_id"] == entry.id) == (len(groups) == 1):
                held.add(event_ids(message))
    return held.issuperset(groups)


def _groups(invocation: Invocation, entry: Delivery) -> list[tuple[EventId, ...]]:
    """The events of each request: of one that was too large as many as the webhook takes now."""
    erased = gone(invocation, entry)
    ids = tuple(one for one in entry.event_ids if one not in erased)
    webhooks = [one for call in invocation.called("of_account") for one in call.answer or ()]
    sizes = [one.batch_size for one in webhooks if one.id == entry.webhook_id]
    size = sizes[-1] if sizes and was_too_large(entry) else len(ids)
    return [ids[start : start + size] for start in range(0, len(ids), size)]
