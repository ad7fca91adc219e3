"""Deliveries that were too large, and the parts in which their events go out again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from perkwire.model.delivery import Delivery
from perkwire.primitives.ids import DeliveryId, EventId, WebhookId
from perkwire.primitives.ids import delivery_id as id_of
from tests.simulation.erasures import Erasures
from tests.simulation.model import Key, event_ids
from tests.simulation.world import Invocation, World

_TOO_LARGE = 413


def was_too_large(entry: Delivery) -> bool:
    """Whether its endpoint has said so of several events at the last attempt."""
    several = len(entry.event_ids) > 1
    return several and bool(entry.attempts) and entry.attempts[-1].status_code == _TOO_LARGE


@dataclass(eq=False)
class Parts:
    """`keys` says of each part what it stands for, `wholes` of which delivery it is a part.

    `routed` are the deliveries that routings have made.
    """

    world: World
    routed: Mapping[DeliveryId, Key]
    erasures: Erasures
    keys: dict[DeliveryId, Key] = field(default_factory=dict)
    wholes: dict[DeliveryId, DeliveryId] = field(default_factory=dict)

    def queued(self, message: dict[str, Any], invocation: Invocation) -> DeliveryId | None:
        """Of a message that goes into DeliveryQueue: the delivery that it is a part of, if any."""
        delivery_id, ids = DeliveryId(message["delivery_id"]), event_ids(message)
        found = _found(invocation)
        if delivery_id in found:
            return None
        webhook_id = WebhookId(message["webhook_id"])
        own = [one for one in found.values() if self._is_part(webhook_id, ids, one)]
        if not own:
            return None
        at = message["events"][0]["accepted_at"]
        wholes = [one.id for one in own if id_of(webhook_id, ids, at, one.id) == delivery_id]
        if not wholes or delivery_id in self.routed or message["run"] != 0:
            self.world.violate(f"{delivery_id}, run {message['run']}, is no part of {own[0].id}")
            return own[0].id
        self.keys[delivery_id] = (webhook_id, ids)
        self.wholes[delivery_id] = wholes[0]
        return wholes[0]

    def is_split(self, entry: Delivery) -> None:
        """The log says that an entry went out in parts."""
        said = [self.keys[one] for one in entry.parts if self.wholes.get(one) == entry.id]
        events = tuple(event_id for _, ids in said for event_id in ids)
        is_all = self.erasures.fits(entry.account_id, events, entry.event_ids)
        if not was_too_large(entry) or len(said) < 2 or not is_all:
            self.world.violate(f"{entry.id} is split into {entry.parts}, which are not all of it")

    def cover(self, entry: Delivery) -> bool:
        """Whether all its events were queued in parts."""
        queued = {
            event_id
            for part, whole in self.wholes.items()
            if whole == entry.id
            for event_id in self.keys[part][1]
        }
        return all(
            one in queued or self.erasures.cover((entry.account_id, one)) for one in entry.event_ids
        )

    def _is_part(self, webhook_id: WebhookId, ids: Sequence[EventId], entry: Delivery) -> bool:
        """Whether these stand in an entry one behind the other, but for what has been erased."""
        wanted, own = tuple(ids), entry.event_ids
        places = [place for place, one in enumerate(own) if one in wanted]
        between = own[places[0] : places[-1] + 1] if places else ()
        inside = self.erasures.fits(entry.account_id, wanted, between)
        return was_too_large(entry) and entry.webhook_id == webhook_id and inside and wanted != own


def _found(invocation: Invocation) -> dict[DeliveryId, Delivery]:
    """The entries that a retry or a worker has read."""
    answers = [call.answer for call in invocation.called("find")]
    return {
        delivery_id: entry
        for answer in answers
        if isinstance(answer, Mapping)
        for delivery_id, entry in answer.items()
        if isinstance(entry, Delivery)
    }
