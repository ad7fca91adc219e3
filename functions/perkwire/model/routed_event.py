"""An event once it is routed: what it became at each webhook that wanted it."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from perkwire.model.event import Event
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId

NOT_IN_FORMAT = "not_in_format"
FILTERED = "filtered"
ERASED = "erased"
UNSENT = (NOT_IN_FORMAT, FILTERED, ERASED)
"""What an event becomes at a webhook that wants its type and gets no delivery of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedEvent:
    """An event as it is kept: `deliveries` says by webhook what it became.

    `member_keys` are what it is to be found by; kept beside it, they are not read with it.
    """

    account_id: AccountId
    event: Event
    deliveries: Mapping[WebhookId, DeliveryId | str]
    member_keys: tuple[str, ...] = field(default=(), compare=False)

    @property
    def key(self) -> tuple[AccountId, EventId]:
        """What the event is kept by."""
        return self.account_id, self.event.id


type KeptEvents = Mapping[tuple[AccountId, EventId], RoutedEvent]


def merge(kept: KeptEvents, events: Sequence[RoutedEvent]) -> tuple[KeptEvents, list[bool]]:
    """What is to be kept of some events once they are routed, and whether each of them is in it.

    All that an event has become stays, in earlier routings too: a webhook changed between two must
    not make the log forget the first, nor a filter set between them its delivery. And an event
    stays what it is: another body under the same id would be sent wherever the first one is sent
    again.
    """
    merged: dict[tuple[AccountId, EventId], RoutedEvent] = {}
    taken = []
    for routed in events:
        before = merged.get(routed.key) or kept.get(routed.key)
        if before is None:
            merged[routed.key] = routed
        elif _is_same(before.event, routed.event):
            # What has been erased once stays so, in whichever order the two come.
            event = routed.event if before.event.erased_at is None else before.event
            merged[routed.key] = replace(
                before,
                event=event,
                deliveries=_became(before, routed),
                member_keys=() if event.erased_at is not None else routed.member_keys,
            )
        else:
            taken.append(False)
            continue
        taken.append(True)
    return merged, taken


def _is_same(one: Event, other: Event) -> bool:
    if one.erased_at is None and other.erased_at is None:
        return one.digest() == other.digest()
    return (one.type, one.accepted_at) == (other.type, other.accepted_at)


def _became(before: RoutedEvent, routed: RoutedEvent) -> Mapping[WebhookId, DeliveryId | str]:
    later = {
        webhook_id: became
        for webhook_id, became in routed.deliveries.items()
        if became not in UNSENT or before.deliveries.get(webhook_id, became) in UNSENT
    }
    return {**before.deliveries, **later}
