"""Deliveries as the log keeps them: one entry for each, with all its attempts."""

import enum
from http import HTTPStatus
from typing import Self

from perkwire.model.event import Event, types_of
from perkwire.model.messages import DeliveryMessage
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, to_rfc3339

_CLOCKS_APART = HOUR_SECONDS * MICROSECONDS


class DeliveryStatus(enum.StrEnum):
    """Where a delivery stands. `pending` has no log entry yet: its event knows of it.

    `waiting` waits to be pulled, and `pulled` has been: what is stored of both is that it waits at
    a place, and how far its webhook has been pulled. `unknown` is what a later release wrote: this
    one shows it, and leaves it alone.
    """

    PENDING = "pending"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    WAITING = "waiting"
    PULLED = "pulled"
    UNKNOWN = "unknown"


class Reason(enum.StrEnum):
    """Why a delivery failed or was cancelled, where its attempts alone do not say it."""

    PAUSED = "paused"
    FORMAT = "format"
    DISABLED = "disabled"
    DELETED = "deleted"
    UNAVAILABLE = "unavailable"
    LOST = "lost"
    SPLIT = "split"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try: its number over all runs, its time, and a status code or an error class.

    `run` is which one it is of; None is the first, and any in an entry of a former release.

    `error_detail` says which of the reasons that an error class has, where that is known.
    `response` holds at most the first 512 bytes of an answer that was no success, `location` where
    a redirect points, 512 characters of it.
    """

    number: int
    at: int
    duration_ms: int
    status_code: int | None = None
    error: str | None = None
    error_detail: str | None = None
    response: str | None = None
    location: str | None = None
    run: int | None = None

    def to_json(self) -> dict[str, Json]:
        """The attempt as the API answers it."""
        optional = {
            "status_code": self.status_code,
            "error": self.error,
            "error_detail": self.error_detail,
            "response": self.response,
            "location": self.location,
            "run": self.run,
        }
        return {
            "number": self.number,
            "at": to_rfc3339(self.at),
            "duration_ms": self.duration_ms,
            **{name: value for name, value in optional.items() if value is not None},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A log entry. Times are microseconds since the epoch.

    `due_at` is when a retrying delivery's next attempt is due. `parts` are the deliveries in which
    the events of one that was too large went out. `spent_after` is the receive with which it
    failed before SQS had made its last: what comes after that sends nothing. `erased` are those of
    its events that no attempt sends any more. `place` is where it waits, or waited, to be pulled.
    """

    id: DeliveryId
    account_id: AccountId
    webhook_id: WebhookId
    event_ids: tuple[EventId, ...]
    event_types: tuple[str, ...]
    run: int
    status: DeliveryStatus
    reason: Reason | None
    attempts: tuple[Attempt, ...]
    due_at: int | None
    created_at: int
    updated_at: int
    parts: tuple[DeliveryId, ...] = ()
    spent_after: int | None = None
    erased: tuple[EventId, ...] = ()
    place: int | None = None

    @classmethod
    def of(cls, message: DeliveryMessage, status: DeliveryStatus, now: int) -> Self:
        """The entry of a message that the log does not have yet."""
        return cls(
            id=message.delivery_id,
            account_id=message.account_id,
            webhook_id=message.webhook_id,
            event_ids=tuple(event.id for event in message.events),
            event_types=types_of(message.events),
            run=message.run,
            status=status,
            reason=None,
            attempts=(),
            due_at=None,
            created_at=now,
            updated_at=now,
        )

    @property
    def was_too_large(self) -> bool:
        """Whether the endpoint has said of its several events that they are too many bytes."""
        if len(self.event_ids) == 1 or not self.attempts:
            return False
        return self.attempts[-1].status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def leaves_out(self, event_id: EventId) -> bool:
        """Whether no attempt from now on sends this event."""
        return event_id in self.erased or event_id not in self.event_ids

    def may_carry(self, event: Event) -> bool:
        """Whether a kept event can be one that it was made of, and not another under the same id.

        Once an event has expired its id is free again; what was accepted after the delivery was
        logged, by clocks that may be apart, is none of its own.
        """
        return event.accepted_at <= self.created_at + _CLOCKS_APART

    def standing(
        self, now: int, retry_interval_seconds: int
    ) -> tuple[DeliveryStatus, Reason | None]:
        """Status and reason as of now.

        One retrying whose next attempt is overdue by two intervals has lost its last receive to a
        crash or a throttle: its message is in the dead-letter queue, and it counts as failed.
        """
        if self.status is DeliveryStatus.RETRYING and self.due_at is not None:
            patience = 2 * retry_interval_seconds * MICROSECONDS
            if now > self.due_at + patience:
                return DeliveryStatus.FAILED, Reason.LOST
        return self.status, self.reason

    def to_json(self, now: int, retry_interval_seconds: int) -> dict[str, Json]:
        """The delivery as the API answers it."""
        status, reason = self.standing(now, retry_interval_seconds)
        shown: dict[str, Json] = {"id": self.id, "status": status}
        if reason is not None:
            shown["reason"] = reason
        shown |= {
            "webhook_id": self.webhook_id,
            "event_ids": [*self.event_ids],
            "event_types": [*self.event_types],
            "attempts": [attempt.to_json() for attempt in self.attempts],
        }
        if self.parts:
            shown["parts"] = [*self.parts]
        if self.erased:
            shown["erased_event_ids"] = [*self.erased]
        if status is DeliveryStatus.RETRYING and self.due_at is not None:
            shown["next_attempt_at"] = to_rfc3339(self.due_at)
        return shown | {"created_at": to_rfc3339(self.created_at)}


@dataclass(frozen=True, slots=True)
class Change:
    """A log entry to be written: `attempt` is the one that `after` has and `before` had not."""

    before: Delivery | None
    after: Delivery
    attempt: Attempt | None

    @property
    def is_first_success(self) -> bool:
        """Whether it succeeded as soon as it was received, as nearly all do."""
        succeeded = self.after.status is DeliveryStatus.SUCCEEDED
        return succeeded and self.before is None and self.after.run == 0
