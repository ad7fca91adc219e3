"""A rejected event: what the inbox would not take, why, and whence it came."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from perkwire.model.event import PostedEvent, has_type_form
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, RejectedEventId, is_account_id
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import to_rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedHeading:
    """What is known of a rejected event without its text, and says nothing of a member.

    `message_id` is what repeats of its message are known by, `place` where in that it was, None: it
    is the whole message. `received_at` is when SQS took that, in microseconds since the epoch.
    `sender` is the AWS principal, as SQS names it. Account and type are what it says, where that
    has their forms. `erased_at` is when its text was taken away.
    """

    id: RejectedEventId
    message_id: str
    place: int | None
    received_at: int
    sender: str
    account_id: AccountId | None
    type: str | None
    status: int
    erased_at: int | None = None

    def to_json(self) -> dict[str, Json]:
        """The heading as the API lists it."""
        shown: dict[str, Json] = {
            "id": self.id,
            "received_at": to_rfc3339(self.received_at),
            "status": self.status,
            "account_id": self.account_id,
            "type": self.type,
            "message_id": self.message_id,
            "place": self.place,
            "sender": self.sender,
        }
        return (
            shown if self.erased_at is None else shown | {"erased_at": to_rfc3339(self.erased_at)}
        )


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """One of them whole: `text` is what it was, `problem` the problem details that say why."""

    heading: RejectedHeading
    text: str
    problem: Mapping[str, Json]

    def to_json(self) -> dict[str, Json]:
        """The rejected event as the API shows it."""
        return self.heading.to_json() | {"text": self.text, "problem": dict(self.problem)}


class RejectedEvents(Protocol):
    """Where rejected events are kept, for as long as events."""

    def keep(self, rejected: Sequence[RejectedEvent]) -> None:
        """Store them; one that is there already is the same. Raises Unavailable."""
        ...

    def take_signal(self, now: int, since: int) -> bool:
        """Have `now` as the time of the last signal, if none was after `since`.

        Raises Unavailable.
        """
        ...


def said_account(posted: PostedEvent | None) -> AccountId | None:
    """The account that an event names, if that could be one."""
    named = posted.value.get("account_id") if posted and isinstance(posted.value, dict) else None
    return AccountId(named) if isinstance(named, str) and is_account_id(named) else None


def said_type(posted: PostedEvent | None) -> str | None:
    """The type that an event names, if that could be one."""
    named = posted.value.get("type") if posted and isinstance(posted.value, dict) else None
    return named if isinstance(named, str) and has_type_form(named) else None
