"""EventTable: each accepted event once, what it is found by, and the claims of its id.

| item | pk | sk |
|---|---|---|
| event | `<account>#<event id>` | `event` |
| claim | `<account>#<event id>` | `claim` |
| mention of a member | `<account>#member#<key>` | `<accepted at>#<event id>` |
| event that an erasure has erased | `<account>#erased#<erasure>` | `<event id>`, for 32 days |

`account_hour` and `accepted_at` are the key of the index `by_time`: an account's events of an hour,
in their order of acceptance. A partition takes a thousand writes a second, so an hour has SHARDS of
them: the first of an account and hour that an invocation keeps goes to shard 0, whose name is the
hour alone, and those beside it to the others. An hour whose shard 0 is empty is therefore empty,
and who writes little is read from one shard.
"""

import json
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache

from pynamodb.attributes import (
    BinaryAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from perkwire.adapters.dynamodb.inserting import IS_THERE, insert_each
from perkwire.adapters.dynamodb.tables import TableItem, find_all, put_all, whole
from perkwire.model.event import Event
from perkwire.model.routed_event import KeptEvents, RoutedEvent, merge
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.strict_json import compact
from perkwire.primitives.timestamps import DAY_SECONDS, HOUR_SECONDS, MICROSECONDS, to_rfc3339

_HOUR = HOUR_SECONDS * MICROSECONDS
_TO_THE_HOUR = len("2026-11-21T01")
_HOURS = 64  # kept as text; nearly all that is asked for are of this one
SHARDS = 4
EVENT_SK = "event"
CLAIM_SK = "claim"
_MOMENT_DIGITS = 16


class ByTimeIndex(GlobalSecondaryIndex["EventTableItem"]):  # type: ignore[no-untyped-call]
    """An account's events of an hour, in their order of acceptance."""

    class Meta:
        """As in template.yaml."""

        index_name = "by_time"
        projection = IncludeProjection(["type", "event_id", "program_id"])

    account_hour = UnicodeAttribute(hash_key=True)
    accepted_at = NumberAttribute(range_key=True)


class EventTableItem(TableItem):
    """Any item of EventTable."""

    class Meta:
        """The table's name is set by `tables.bind`."""

        table_name: str

    kind = DiscriminatorAttribute()
    accepted_at = NumberAttribute()
    expires_at = NumberAttribute()
    by_time = ByTimeIndex()


class EventItem(EventTableItem, discriminator="event"):
    """An event; `data` is compact JSON under zlib, `deliveries` says by webhook what it became."""

    account_hour = UnicodeAttribute()
    event_id = UnicodeAttribute()
    type = UnicodeAttribute()
    occurred_at = NumberAttribute(null=True)
    program_id = UnicodeAttribute(null=True)
    data = BinaryAttribute(legacy_encoding=False)
    erased_at = NumberAttribute(null=True)
    deliveries = JSONAttribute()

    @classmethod
    def of(cls, routed: RoutedEvent, *, retention_seconds: int, shard: int = 0) -> "EventItem":
        """The item that keeps this event until so long after its acceptance."""
        event = routed.event
        return cls(
            event_pk(routed.account_id, event.id),
            EVENT_SK,
            account_hour=account_hour(routed.account_id, event.accepted_at, shard),
            event_id=event.id,
            type=event.type,
            accepted_at=event.accepted_at,
            occurred_at=event.occurred_at,
            program_id=event.program_id,
            data=zlib.compress(compact(event.data)),
            erased_at=event.erased_at,
            deliveries=dict(routed.deliveries),
            expires_at=event.accepted_at // MICROSECONDS + retention_seconds,
        )

    def to_routed_event(self) -> RoutedEvent:
        """The kept event of the domain."""
        account_id, _, event_id = self.pk.partition("#")
        return RoutedEvent(
            account_id=AccountId(account_id),
            event=Event(
                id=EventId(event_id),
                type=self.type,
                accepted_at=int(self.accepted_at),
                occurred_at=whole(self.occurred_at),
                program_id=self.program_id,
                data=json.loads(zlib.decompress(self.data)),
                erased_at=whole(self.erased_at),
            ),
            deliveries={
                WebhookId(webhook_id): DeliveryId(became)
                for webhook_id, became in self.deliveries.items()
            },
        )


class ClaimItem(EventTableItem, discriminator="claim"):
    """A claim on an event id."""

    digest = UnicodeAttribute()
    sent_at = NumberAttribute(null=True)


class MentionItem(EventTableItem, discriminator="mention"):
    """Says that an event names a member; not in the index by time."""

    @classmethod
    def all_of(cls, item: EventItem, member_keys: Sequence[str]) -> "list[MentionItem]":
        """Those of an event, which expire with it."""
        account_id, _, _ = item.pk.partition("#")
        sk = mention_sk(int(item.accepted_at), EventId(item.event_id))
        return [
            cls(
                mentions_pk(AccountId(account_id), key),
                sk,
                accepted_at=item.accepted_at,
                expires_at=item.expires_at,
            )
            for key in member_keys
        ]


class ErasedItem(EventTableItem, discriminator="erased"):
    """Says which events an erasure has erased, until it has been through the log."""


EVENT_TABLE_ITEMS: tuple[type[EventTableItem], ...] = (
    EventTableItem,
    EventItem,
    ClaimItem,
    MentionItem,
    ErasedItem,
)


class EventReader:
    """Fulfils accepting.KeptEvents, reading.Events and retrying.Events."""

    def kept(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[tuple[AccountId, EventId], Event]:
        """Those of the events that are kept; raises Unavailable."""
        found = find_all(EventItem, {(event_pk(*key), EVENT_SK) for key in keys})
        events = [item.to_routed_event() for item in found]
        return {(routed.account_id, routed.event.id): routed.event for routed in events}

    def find_all(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[EventId, RoutedEvent]:
        """Those of one account's events that are kept; raises Unavailable."""
        found = find_all(EventItem, {(event_pk(*key), EVENT_SK) for key in keys})
        events = [item.to_routed_event() for item in found]
        return {routed.event.id: routed for routed in events}

    def find(self, account_id: AccountId, event_id: EventId) -> RoutedEvent | None:
        """One kept event; raises Unavailable."""
        found = find_all(EventItem, {(event_pk(account_id, event_id), EVENT_SK)})
        return found[0].to_routed_event() if found else None


class EventTable:
    """Fulfils routing.Events. `clock` gives microseconds since the epoch."""

    def __init__(
        self, journal: Journal, *, event_retention_days: int, clock: Callable[[], int]
    ) -> None:
        self._journal = journal
        self._retention_seconds = event_retention_days * DAY_SECONDS
        self._clock = clock

    def keep(self, events: Sequence[RoutedEvent]) -> list[bool]:
        """Store them in batches, and whether each is stored; after a failed call none is.

        What DynamoDB will not have of one event harms no other. One by itself is put as new, and
        read only if it is not: most are.
        """
        try:
            if len(events) == 1 and self._is_put_as_new(events[0]):
                return [True]
            merged, taken = merge(self._kept(events), events)
            items = self._items(merged)
            mentions = [
                mention
                for key, item in items.items()
                for mention in MentionItem.all_of(item, merged[key].member_keys)
            ]
            unstored = put_all(EventTableItem, [*items.values(), *mentions])
            left = {pk for pk, sk in unstored if sk == EVENT_SK}
            if len(left) < len(unstored):
                self._lacks_mentions("DynamoDB: items left unprocessed")
            left |= _anchor(items.values(), left)
        except Unavailable as error:
            self._journal.fault("event_table_failing", detail=str(error))
            return [False] * len(events)
        if left:
            self._journal.fault("event_table_failing", detail="DynamoDB: items left unprocessed")
        return [
            is_in_it and routed.key in items and event_pk(*routed.key) not in left
            for routed, is_in_it in zip(events, taken, strict=True)
        ]

    def _is_put_as_new(self, routed: RoutedEvent) -> bool:
        """Whether it is stored where nothing was, with what says whom it names.

        Raises Unavailable.
        """
        item = self._item(routed, 0)
        if item is None:
            return False
        mentions = MentionItem.all_of(item, routed.member_keys)
        wrong, *wrong_of_mentions = insert_each([item, *mentions])
        if wrong is not None:  # whatever it is, the long way deals with it
            return False
        self._mention(
            [
                mention
                for mention, wrong in zip(mentions, wrong_of_mentions, strict=True)
                if wrong not in (None, IS_THERE)
            ]
        )
        return True

    def _mention(self, mentions: Sequence[MentionItem]) -> None:
        try:
            if mentions and put_all(MentionItem, mentions):
                self._lacks_mentions("DynamoDB: items left unprocessed")
        except Unavailable as error:
            self._lacks_mentions(str(error))

    def _lacks_mentions(self, detail: str) -> None:
        """An event that is not found by its member is a fault; its delivery does not wait."""
        self._journal.fault("member_keys_not_kept", detail=detail)

    def _kept(self, events: Sequence[RoutedEvent]) -> KeptEvents:
        """Those of the events that are kept; DynamoDB removes days late what has expired."""
        now = self._clock() // MICROSECONDS
        keys = {(event_pk(*routed.key), EVENT_SK) for routed in events}
        found = find_all(EventItem, keys)
        kept = [item.to_routed_event() for item in found if item.expires_at > now]
        return {routed.key: routed for routed in kept}

    def _items(self, merged: KeptEvents) -> dict[tuple[AccountId, EventId], EventItem]:
        """An item for each event that can be kept, the first of its account and hour in shard 0."""
        items = {}
        begun: set[str] = set()
        for key, routed in merged.items():
            hour = account_hour(routed.account_id, routed.event.accepted_at)
            item = self._item(routed, _shard_of(routed.event.id) if hour in begun else 0)
            if item is not None:
                items[key] = item
                begun.add(hour)
        return items

    def _item(self, routed: RoutedEvent, shard: int) -> EventItem | None:
        try:
            return EventItem.of(routed, retention_seconds=self._retention_seconds, shard=shard)
        except Exception as error:  # one event must not take those beside it along
            self._journal.fault("event_unkeepable", detail=type(error).__name__)
            return None


def _anchor(items: Collection[EventItem], left: set[str]) -> set[str]:
    """See to it that no hour's shard 0 is empty beside others; what was not stored for want of it.

    Raises Unavailable.
    """
    stored = [item for item in items if item.pk not in left]
    anchored = {item.account_hour for item in stored if item.account_hour == _hour_of(item)}
    anchors: dict[str, EventItem] = {}
    for item in stored:
        if _hour_of(item) not in anchored:
            anchors.setdefault(_hour_of(item), item)
    for hour, item in anchors.items():
        item.account_hour = hour
    if not put_all(EventItem, [*anchors.values()]):
        return set()
    return {item.pk for item in stored if _hour_of(item) in anchors}


def _hour_of(item: EventItem) -> str:
    return account_hour(AccountId(item.pk.partition("#")[0]), int(item.accepted_at))


def _shard_of(event_id: EventId) -> int:
    """Any but 0."""
    return 1 + zlib.crc32(event_id.encode()) % (SHARDS - 1)


def account_hour(account_id: AccountId, moment: int, shard: int = 0) -> str:
    """The partition of the index `by_time` for the hour of this moment."""
    hour = f"{account_id}#{_hour(moment // _HOUR)}"
    return f"{hour}#{shard}" if shard else hour


@lru_cache(_HOURS)
def _hour(hours: int) -> str:
    """The hour that begins so many hours after the epoch, as the index has it."""
    return to_rfc3339(hours * _HOUR)[:_TO_THE_HOUR]


def mentions_pk(account_id: AccountId, member_key: str) -> str:
    """The partition of the events that name a member."""
    return f"{account_id}#member#{member_key}"


def erased_pk(account_id: AccountId, erasure_id: str) -> str:
    """The partition of the events that an erasure has erased."""
    return f"{account_id}#erased#{erasure_id}"


def mention_sk(accepted_at: int, event_id: EventId) -> str:
    """Where an event is among those that name a member: in the order of their acceptance."""
    return f"{accepted_at:0{_MOMENT_DIGITS}}#{event_id}"


def event_pk(account_id: AccountId, event_id: EventId) -> str:
    """The partition of an event and its claim."""
    return f"{account_id}#{event_id}"
