"""EventTable as rejected events are kept in it, for as long as events.

| item | pk | sk |
|---|---|---|
| heading of a rejected event | `rejected` | its id, which sorts by time |
| part of its text and problem | `rejected#<id>` | `<number>` |
| when a signal last told of any | `rejected` | `!signal` |

A message may have more than an item: its text comes in parts, so that the list is read without it.
"""

import json
import zlib
from collections.abc import Callable, Sequence

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError

from perkwire.accepting.rejected_event import RejectedEvent, RejectedHeading
from perkwire.adapters.dynamodb.event_table import EventTableItem
from perkwire.adapters.dynamodb.pages import page
from perkwire.adapters.dynamodb.tables import (
    failing_as_unavailable,
    failure,
    find_all,
    is_condition_failure,
    put_all,
    whole,
)
from perkwire.primitives.ids import AccountId, RejectedEventId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import compact
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS

HEADINGS_PK = "rejected"
_PREFIX = "rej_"
_SIGNAL_SK = "!signal"
_PART_BYTES = 350_000  # of the 400 kB that an item may have


class RejectedHeadingItem(EventTableItem, discriminator="rejected"):
    """A rejected event without what it was; `accepted_at` is when its message was received."""

    message_id = UnicodeAttribute()
    place = NumberAttribute(null=True)
    sender = UnicodeAttribute()
    account_id = UnicodeAttribute(null=True)
    type = UnicodeAttribute(null=True)
    status = NumberAttribute()
    parts = NumberAttribute()
    erased_at = NumberAttribute(null=True)

    def to_heading(self) -> RejectedHeading:
        """The heading of the domain."""
        return RejectedHeading(
            id=RejectedEventId(self.sk),
            message_id=self.message_id,
            place=whole(self.place),
            received_at=int(self.accepted_at),
            sender=self.sender,
            account_id=AccountId(self.account_id) if self.account_id else None,
            type=self.type,
            status=int(self.status),
            erased_at=whole(self.erased_at),
        )


class RejectedPartItem(EventTableItem, discriminator="rejected_part"):
    """A part of `{"text", "problem"}` in JSON under zlib."""

    data = BinaryAttribute(legacy_encoding=False)
    erased_at = NumberAttribute(null=True)


class RejectedSignalItem(EventTableItem, discriminator="rejected_signal"):
    """When a signal last told of rejected events: `accepted_at`."""


REJECTED_ITEMS: tuple[type[EventTableItem], ...] = (
    RejectedHeadingItem,
    RejectedPartItem,
    RejectedSignalItem,
)


class RejectedEventTable:
    """Fulfils rejected_event.RejectedEvents and mending.KeptRejectedEvents.

    `clock` gives microseconds since the epoch.
    """

    def __init__(self, *, event_retention_days: int, clock: Callable[[], int]) -> None:
        self._retention_seconds = event_retention_days * DAY_SECONDS
        self._clock = clock

    def keep(self, rejected: Sequence[RejectedEvent]) -> None:
        """Store them; one that is there already is the same. Raises Unavailable."""
        expires_at = self._clock() // MICROSECONDS + self._retention_seconds
        items: list[EventTableItem] = []
        headings: list[EventTableItem] = []
        for one in rejected:
            of_one = _items(one, expires_at)
            headings.append(of_one[0])
            items += of_one[1:]
        # What is listed can be read.
        for some in (items, headings):
            if put_all(EventTableItem, some):
                raise Unavailable("DynamoDB: items left unprocessed")

    def take_signal(self, now: int, since: int) -> bool:
        """Note the time of a signal, unless one was after `since`: one caller wins.

        Raises Unavailable.
        """
        item = RejectedSignalItem(
            HEADINGS_PK,
            _SIGNAL_SK,
            accepted_at=now,
            expires_at=now // MICROSECONDS + self._retention_seconds,
        )
        last = RejectedSignalItem.accepted_at
        try:
            item.save(condition=last.does_not_exist() | (last <= since))
        except PutError as error:
            if is_condition_failure(error):
                return False
            raise Unavailable(f"DynamoDB: {failure(error)}") from error
        return True

    def page(self, limit: int, cursor: str | None) -> Page[RejectedHeading]:
        """The headings, newest first; raises Problem for a bad cursor, and Unavailable."""
        listed = page(
            RejectedHeadingItem, HEADINGS_PK, limit, cursor, prefix=_PREFIX, forward=False
        )
        now = self._clock() // MICROSECONDS
        kept = [item.to_heading() for item in listed.items if item.expires_at > now]
        return Page(kept, listed.next_cursor)

    def find(self, rejected_id: RejectedEventId) -> RejectedEvent | None:
        """One of them whole; raises Unavailable."""
        item = _found(rejected_id)
        if item is None or item.expires_at <= self._clock() // MICROSECONDS:
            return None
        return whole_of(item)

    def remove(self, rejected_id: RejectedEventId) -> None:
        """Take it away, its text first; raises Unavailable."""
        item = _found(rejected_id)
        if item is None:
            return
        with failing_as_unavailable():
            for key in part_keys(item):
                RejectedPartItem(*key).delete()
            item.delete()


def _found(rejected_id: RejectedEventId) -> RejectedHeadingItem | None:
    if not rejected_id.startswith(_PREFIX):
        return None
    # As a batch: that is how management and the console may read EventTable.
    items = find_all(RejectedHeadingItem, {(HEADINGS_PK, rejected_id)})
    return items[0] if items else None


def whole_of(item: RejectedHeadingItem) -> RejectedEvent:
    """A rejected event with its text, which is empty once it is erased; raises Unavailable."""
    parts = find_all(RejectedPartItem, {*part_keys(item)})
    is_there = len(parts) == item.parts and not any(part.erased_at for part in parts)
    if not is_there:
        return RejectedEvent(item.to_heading(), "", {})
    packed = b"".join(part.data for part in sorted(parts, key=lambda part: part.sk))
    content = json.loads(zlib.decompress(packed))
    return RejectedEvent(item.to_heading(), content["text"], content["problem"])


def part_keys(item: RejectedHeadingItem) -> list[tuple[str, str]]:
    """The keys of the parts of its text."""
    return [(f"{HEADINGS_PK}#{item.sk}", str(number)) for number in range(int(item.parts))]


def _items(rejected: RejectedEvent, expires_at: int) -> list[EventTableItem]:
    """The heading, then the parts."""
    heading = rejected.heading
    packed = zlib.compress(compact({"text": rejected.text, "problem": dict(rejected.problem)}))
    parts = [packed[start : start + _PART_BYTES] for start in range(0, len(packed), _PART_BYTES)]
    return [
        RejectedHeadingItem(
            HEADINGS_PK,
            heading.id,
            message_id=heading.message_id,
            place=heading.place,
            accepted_at=heading.received_at,
            sender=heading.sender,
            account_id=heading.account_id,
            type=heading.type,
            status=heading.status,
            parts=len(parts),
            expires_at=expires_at,
        ),
        *(
            RejectedPartItem(
                f"{HEADINGS_PK}#{heading.id}",
                str(number),
                data=part,
                accepted_at=heading.received_at,
                expires_at=expires_at,
            )
            for number, part in enumerate(parts)
        ),
    ]
