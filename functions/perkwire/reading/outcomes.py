"""What became of events at each webhook, as the event's own record and the log know it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.event import Event
from perkwire.model.routed_event import ERASED, UNSENT, RoutedEvent
from perkwire.primitives.ids import AccountId, DeliveryId, EventId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS

EXPIRED = "expired"
"""What stands at an event for a delivery whose log entry is no longer kept."""


class Deliveries(Protocol):
    """The log."""

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        """The entries that exist; raises Unavailable."""
        ...


class EventOutcomes:
    """`log_retention_days` tells whether a delivery without an entry waits for its attempt."""

    def __init__(
        self,
        deliveries: Deliveries,
        *,
        retry_interval_seconds: int,
        log_retention_days: int,
        clock: Callable[[], int],
    ) -> None:
        self._deliveries = deliveries
        self._retry_interval_seconds = retry_interval_seconds
        self._retention = log_retention_days * DAY_SECONDS * MICROSECONDS
        self._clock = clock

    def of(
        self, account_id: AccountId, events: Collection[RoutedEvent]
    ) -> Mapping[EventId, list[Json]]:
        """What became of each, read in one go; raises Unavailable."""
        sent = {
            DeliveryId(became)
            for routed in events
            for became in routed.deliveries.values()
            if became not in UNSENT
        }
        entries = self._deliveries.find({(account_id, one) for one in sent}) if sent else {}
        return {routed.event.id: self._of_one(routed, entries) for routed in events}

    def beside(self, routed: RoutedEvent, entries: Iterable[Delivery]) -> list[Json]:
        """What became of it in those of the deliveries that have it, but for the routing's."""
        planned = set(routed.deliveries.values())
        return [
            {
                "webhook_id": entry.webhook_id,
                "id": entry.id,
                "status": self._status(routed.event, entry),
            }
            for entry in entries
            if entry.id not in planned
            and routed.event.id in entry.event_ids
            and entry.may_carry(routed.event)
        ]

    def _of_one(self, routed: RoutedEvent, entries: Mapping[DeliveryId, Delivery]) -> list[Json]:
        is_kept = self._clock() <= routed.event.accepted_at + self._retention
        deliveries: list[Json] = []
        for webhook_id, became in routed.deliveries.items():
            shown: dict[str, Json] = {"webhook_id": webhook_id}
            if became in UNSENT:
                shown["status"] = became
            else:
                unlogged = DeliveryStatus.PENDING if is_kept else EXPIRED
                shown |= {"id": became, "status": unlogged}
                if entry := entries.get(DeliveryId(became)):
                    shown["status"] = self._status(routed.event, entry)
            deliveries.append(shown)
        return deliveries

    def _status(self, event: Event, entry: Delivery) -> str:
        status, _ = entry.standing(self._clock(), self._retry_interval_seconds)
        # A delivery of nothing else has been cancelled, and says why.
        is_over = entry.reason is Reason.ERASED
        is_left_out = not is_over and (
            event.id in entry.erased or (event.erased_at is not None and entry.leaves_out(event.id))
        )
        return ERASED if is_left_out else status
