"""What becomes of a delivery and of its message: the whole table, in one function.

The same table, in words, stands in docs/architecture.md.
"""

import enum
from typing import assert_never

from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.primitives.dataclass import dataclass


class Finding(enum.Enum):
    """What the dispatcher found out about one message."""

    UNREADABLE = enum.auto()
    """The message cannot be read."""
    DOUBLED = enum.auto()
    """Another copy in the same batch, of this run or an older one: it shares the one's fate."""
    UNAVAILABLE = enum.auto()
    """Account or webhook item absent, secret unreadable, DynamoDB or KMS failing, no time left.

    The secret is looked at only if the log and the webhook's status leave something to be sent: a
    tombstone has none.
    """
    SPENT = enum.auto()
    """The webhook's attempts are used up, and the log has it as failed or cancelled."""
    USED_UP = enum.auto()
    """They are used up, and the log has attempts and no end: fewer are allowed than were.

    Without an attempt in the log it is UNAVAILABLE, or what kept it from being made.
    """
    SETTLED = enum.auto()
    """The delivery has succeeded, or the message's run is older than the delivery's."""
    ERASED = enum.auto()
    """All of its events have been erased since they were accepted."""
    DELETED = enum.auto()
    DISABLED = enum.auto()
    PAUSED = enum.auto()
    UNRENDERABLE = enum.auto()
    """The format cannot say it."""
    ACCEPTED = enum.auto()
    """The endpoint answered with a status that its format counts as success."""
    REFUSED = enum.auto()
    """Any other answer, or none."""


class Disposition(enum.Enum):
    """What happens to the message."""

    LEAVE = enum.auto()
    """It stays with SQS, which counts, waits and dead-letters."""
    DELETE = enum.auto()
    DELETE_ONCE_LOGGED = enum.auto()
    """It is deleted unsent, so only if the log has stored why; otherwise it stays."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`status` None leaves the delivery as it is."""

    status: DeliveryStatus | None
    reason: Reason | None
    message: Disposition


def verdict(finding: Finding, *, last_attempt: bool) -> Verdict:
    """The row of the table for a finding; `last_attempt` says that there is no other."""
    unsuccessful = DeliveryStatus.FAILED if last_attempt else DeliveryStatus.RETRYING
    match finding:
        case Finding.UNREADABLE | Finding.DOUBLED | Finding.SPENT:
            return Verdict(None, None, Disposition.LEAVE)
        case Finding.UNAVAILABLE:
            # After the last receive nothing would ever say that it has failed.
            if last_attempt:
                return Verdict(DeliveryStatus.FAILED, Reason.UNAVAILABLE, Disposition.LEAVE)
            return Verdict(None, None, Disposition.LEAVE)
        case Finding.USED_UP:
            return Verdict(DeliveryStatus.FAILED, None, Disposition.LEAVE)
        case Finding.SETTLED:
            return Verdict(None, None, Disposition.DELETE)
        case Finding.ERASED:
            return Verdict(DeliveryStatus.CANCELLED, Reason.ERASED, Disposition.DELETE_ONCE_LOGGED)
        case Finding.DELETED:
            return Verdict(DeliveryStatus.CANCELLED, Reason.DELETED, Disposition.DELETE_ONCE_LOGGED)
        case Finding.DISABLED:
            return Verdict(
                DeliveryStatus.CANCELLED, Reason.DISABLED, Disposition.DELETE_ONCE_LOGGED
            )
        case Finding.PAUSED:
            return Verdict(DeliveryStatus.FAILED, Reason.PAUSED, Disposition.DELETE_ONCE_LOGGED)
        case Finding.UNRENDERABLE:
            return Verdict(unsuccessful, Reason.FORMAT, Disposition.LEAVE)
        case Finding.ACCEPTED:
            return Verdict(DeliveryStatus.SUCCEEDED, None, Disposition.DELETE)
        case Finding.REFUSED:
            return Verdict(unsuccessful, None, Disposition.LEAVE)
        case _:
            assert_never(finding)
