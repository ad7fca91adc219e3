"""EventTable: events and claims of their ids."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from perkwire.accepting.acceptance import Claim
from perkwire.model.event import Event, EventHeading
from perkwire.model.routed_event import RoutedEvent, merge
from perkwire.primitives.ids import AccountId, EventId
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS
from perkwire.reading.event_listing import ListPosition
from tests.fakes.failing import Failing

_DAY_SECONDS = 86_400
_HOUR = HOUR_SECONDS * MICROSECONDS

type EventKey = tuple[AccountId, EventId]


@dataclass
class FakeEventItems:
    """What EventTable holds; a claim with the second at which it expires.

    A mention is an account's key of a member, and the time and the id of an event that names it.
    """

    events: dict[EventKey, RoutedEvent] = field(default_factory=dict)
    claims: dict[EventKey, tuple[Claim, int]] = field(default_factory=dict)
    mentions: set[tuple[AccountId, str, int, EventId]] = field(default_factory=set)


class FakeClaimTable(Failing):
    """For ClaimTable: accepting.Claims."""

    def __init__(
        self, items: FakeEventItems, *, event_retention_days: int, clock: Callable[[], int]
    ) -> None:
        super().__init__()
        self._items = items
        self._retention_seconds = event_retention_days * _DAY_SECONDS
        self._clock = clock

    def find(self, keys: Collection[EventKey]) -> Mapping[EventKey, Claim]:
        self._called("find")
        return {key: self._items.claims[key][0] for key in keys if self._is_taken(key)}

    def take(self, claims: Sequence[Claim]) -> bool:
        self._called("take")
        if any(self._is_taken(claim.key) for claim in claims):
            return False
        self._put(claims)
        return True

    def mark_sent(self, claims: Sequence[Claim]) -> None:
        self._called("mark_sent")
        self._put(claims)

    def _put(self, claims: Sequence[Claim]) -> None:
        expires_at = self._now_seconds() + self._retention_seconds
        for claim in claims:
            self._items.claims[claim.key] = (claim, expires_at)

    def _is_taken(self, key: EventKey) -> bool:
        return key in self._items.claims and self._items.claims[key][1] > self._now_seconds()

    def _now_seconds(self) -> int:
        return self._clock() // MICROSECONDS


class FakeEventReader(Failing):
    """For EventReader: accepting.KeptEvents, reading.Events and retrying.Events."""

    def __init__(self, items: FakeEventItems) -> None:
        super().__init__()
        self._items = items

    def kept(self, keys: Collection[EventKey]) -> Mapping[EventKey, Event]:
        self._called("kept")
        return {key: self._items.events[key].event for key in keys if key in self._items.events}

    def find(self, account_id: AccountId, event_id: EventId) -> RoutedEvent | None:
        self._called("find")
        return self._items.events.get((account_id, event_id))

    def find_all(self, keys: Collection[EventKey]) -> Mapping[EventId, RoutedEvent]:
        self._called("find_all")
        return {key[1]: self._items.events[key] for key in keys if key in self._items.events}


class FakeEventIndex(Failing):
    """For EventIndex: selecting.EventsByTime and event_listing.EventsByHour."""

    def __init__(self, items: FakeEventItems) -> None:
        super().__init__()
        self._items = items

    def newest_of_hour(
        self, account_id: AccountId, since: int, place: ListPosition, limit: int
    ) -> tuple[list[EventHeading], bool]:
        self._called("newest_of_hour")
        end = (place.moment, place.event_id or "")
        own = [
            _heading(routed.event)
            for (owner, _), routed in self._items.events.items()
            if owner == account_id and since <= routed.event.accepted_at
        ]
        own = [one for one in own if (one.accepted_at, one.id) < end]
        own.sort(key=lambda one: (one.accepted_at, one.id), reverse=True)
        return own[:limit], len(own) > limit

    def of_hour(
        self, account_id: AccountId, since: int, until: int, after: str | None, limit: int
    ) -> tuple[list[EventHeading], bool]:
        self._called("of_hour")
        end = min(until, since - since % _HOUR + _HOUR)
        own = sorted(
            (routed.event.accepted_at, routed.event.id, routed.event)
            for (owner, _), routed in self._items.events.items()
            if owner == account_id and since <= routed.event.accepted_at < end
        )
        if after is not None:
            own = [one for one in own if one[:2] > (since, EventId(after))]
        headings = [_heading(event) for _, _, event in own[:limit]]
        # DynamoDB says that there may be more whenever it stopped at the limit.
        return headings, len(headings) == limit


class FakeEventTable(Failing):
    """For EventTable: routing.Events."""

    def __init__(self, items: FakeEventItems) -> None:
        super().__init__()
        self._items = items

    def keep(self, events: Sequence[RoutedEvent]) -> list[bool]:
        if self._fails("keep"):
            return [False] * len(events)
        merged, taken = merge(self._items.events, events)
        self._items.events |= merged
        self._items.mentions |= {
            (routed.account_id, key, routed.event.accepted_at, routed.event.id)
            for routed in merged.values()
            for key in routed.member_keys
        }
        return taken


class FakeMentions(Failing):
    """For Mentions: member_listing.Mentions."""

    def __init__(self, items: FakeEventItems) -> None:
        super().__init__()
        self._items = items

    def newest(
        self, account_id: AccountId, member_key: str, since: int, place: ListPosition, limit: int
    ) -> tuple[list[ListPosition], bool]:
        self._called("newest")
        end = (place.moment, place.event_id or "")
        own = sorted(
            (accepted_at, event_id)
            for account, key, accepted_at, event_id in self._items.mentions
            if (account, key) == (account_id, member_key)
            if since <= accepted_at and (accepted_at, event_id) < end
        )
        found = [ListPosition(*one) for one in own[::-1][:limit]]
        return found, len(found) == limit


def _heading(event: Event) -> EventHeading:
    return EventHeading(
        id=event.id,
        type=event.type,
        accepted_at=event.accepted_at,
        program_id=event.program_id,
    )
