"""An erasure as a job: what it is about, how far it is, and what it makes of a log entry."""

import enum
from collections.abc import Set
from dataclasses import replace

from perkwire.model.delivery import Attempt, Delivery, DeliveryStatus, Reason
from perkwire.model.members import LONGEST_NAME
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import AccountId, EventId, JobId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import to_rfc3339

ERASURE_PREFIX = "ers_"
_SETTLED = (DeliveryStatus.SUCCEEDED, DeliveryStatus.PULLED, DeliveryStatus.UNKNOWN)


class ErasureStatus(enum.StrEnum):
    """Queued until everything that was under way when it was asked for has ended."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Times are microseconds since the epoch; the member is known by keys alone.

    Events accepted from `since` to `asked_at` are read, not before `begins_at`, and then the whole
    log. `cursor` is where that goes on. `turn` counts the hand-overs to SQS and `version` the
    writes.
    """

    id: JobId
    account_id: AccountId
    member_keys: tuple[str, ...]
    since: int
    asked_at: int
    begins_at: int
    status: ErasureStatus
    cursor: str
    events_read: int
    events_erased: int
    deliveries_read: int
    deliveries_found: int
    turn: int
    version: int
    updated_at: int
    finished_at: int | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in (ErasureStatus.DONE, ErasureStatus.FAILED)

    def to_json(self) -> dict[str, Json]:
        """The erasure as the API answers it, which is not about whom."""
        shown: dict[str, Json] = {
            "id": self.id,
            "status": self.status,
            "events_read": self.events_read,
            "events_erased": self.events_erased,
            "deliveries_read": self.deliveries_read,
            "deliveries_found": self.deliveries_found,
            "asked_at": to_rfc3339(self.asked_at),
            "begins_at": to_rfc3339(self.begins_at),
            "updated_at": to_rfc3339(self.updated_at),
        }
        if self.finished_at is not None:
            shown["finished_at"] = to_rfc3339(self.finished_at)
        return shown


def parse_erasure(value: dict[str, Json]) -> tuple[str, ...]:
    """Read POST /v1/erasures: what the member is known by. Raises the 422 problem."""
    fields = Fields(value)
    names = [
        text
        for name in ("member_id", "email")
        if (text := fields.text(name, longest=LONGEST_NAME)) is not None
    ]
    if not names and not fields.errors:
        fields.wrong("member_id", "is required, or email, or both")
    for name in ("member_id", "email"):
        given = value.get(name)
        if isinstance(given, str) and not given.strip():
            fields.wrong(name, "must not be blank")
    fields.raise_if_wrong()
    return tuple(names)


def erased_entry(entry: Delivery, erased: Set[EventId], now: int) -> Delivery | None:
    """The entry without what these events may have left in it; None if it has none of them.

    What has arrived has arrived. Anything else sends these events no more, and if it has no others
    it is over.
    """
    own = [one for one in entry.event_ids if one in erased]
    if not own:
        return None
    attempts = tuple(_without_answer(attempt) for attempt in entry.attempts)
    after = replace(entry, attempts=attempts)
    if entry.status not in _SETTLED:
        gone = tuple(one for one in entry.event_ids if one in erased or one in entry.erased)
        after = replace(after, erased=gone)
        if len(gone) == len(entry.event_ids) and not entry.parts:
            after = replace(
                after,
                status=DeliveryStatus.CANCELLED,
                reason=Reason.ERASED,
                due_at=None,
                spent_after=None,
            )
    return None if after == entry else replace(after, updated_at=max(now, entry.updated_at + 1))


def _without_answer(attempt: Attempt) -> Attempt:
    return replace(attempt, response=None, location=None)
