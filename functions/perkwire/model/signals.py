"""Signals: facts for machines. A webhook was paused, deliveries failed, a job ended.

A signal holds ids, counts, times and words of ours, and nothing that somebody has written: no name,
no URL, no body, no member. docs/signals.md says what each means, docs/signals/ has their schemas.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Protocol

from perkwire.model.webhook import PauseReason, Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, RejectedEventId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import to_rfc3339


class SignalKind(enum.StrEnum):
    """What a signal says. Later releases know more."""

    WEBHOOK_PAUSED = "webhook.paused"
    WEBHOOK_ENABLED = "webhook.enabled"
    WEBHOOK_STRAINED = "webhook.strained"
    WEBHOOK_RECOVERED = "webhook.recovered"
    DELIVERIES_FAILED = "deliveries.failed"
    JOB_ENDED = "job.ended"
    MEMBER_ERASED = "member.erased"
    EVENTS_REJECTED = "events.rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A fact about an account, and when, in microseconds since the epoch, it became one.

    One about the inbox is of no account.
    """

    kind: SignalKind
    account_id: AccountId | None
    at: int
    about: Mapping[str, str | int | None]

    def to_json(self) -> dict[str, Json]:
        """What is sent of it beside its kind."""
        shown: dict[str, Json] = {"at": to_rfc3339(self.at), **self.about}
        return shown if self.account_id is None else {"account_id": self.account_id, **shown}


class Signals(Protocol):
    """Where signals go. Who has none sends none."""

    def send(self, signals: Sequence[Signal]) -> None:
        """Send them once. Never raises: what cannot be sent is a fault, and lost."""
        ...


def webhook_paused(webhook: Webhook, at: int, reason: PauseReason) -> Signal:
    """The system has paused it."""
    return _of_webhook(SignalKind.WEBHOOK_PAUSED, webhook, at, reason=reason)


def webhook_enabled(before: Webhook, after: Webhook) -> Signal:
    """Somebody has enabled it, who found it paused or disabled."""
    return _of_webhook(SignalKind.WEBHOOK_ENABLED, after, after.updated_at, was=before.status)


def webhook_moved(webhook: Webhook, at: int, *, is_strained: bool) -> Signal:
    """Its new deliveries travel in the other lane."""
    kind = SignalKind.WEBHOOK_STRAINED if is_strained else SignalKind.WEBHOOK_RECOVERED
    return _of_webhook(kind, webhook, at)


def deliveries_failed(webhook: Webhook, at: int, *, count: int, since: int) -> Signal:
    """So many that no signal has told of, the first of them at `since`."""
    return _of_webhook(
        SignalKind.DELIVERIES_FAILED, webhook, at, count=count, since=to_rfc3339(since)
    )


def events_rejected(at: int, *, count: int, first: RejectedEventId) -> Signal:
    """So many that an invocation has rejected, and which is the first."""
    return Signal(
        kind=SignalKind.EVENTS_REJECTED,
        account_id=None,
        at=at,
        about={"count": count, "rejected_event_id": first},
    )


def _of_webhook(kind: SignalKind, webhook: Webhook, at: int, **about: str | int) -> Signal:
    return Signal(
        kind=kind,
        account_id=webhook.account_id,
        at=at,
        about={"webhook_id": webhook.id, **about},
    )
