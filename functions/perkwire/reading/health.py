"""How a webhook has fared in the last 24 hours, read off its log."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from perkwire.formats.registry import FORMATS
from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, DeliveryId, accepted_at
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, parse_rfc3339
from perkwire.reading.log import DeliveryFilter

HOURS = 24
MOST_COUNTED = 300
"""Deliveries that have failed or are being retried, of which a page counts each."""

_HOUR = HOUR_SECONDS * MICROSECONDS


class Log(Protocol):
    """The log of deliveries. LogReader fulfils it."""

    def list(
        self, account_id: AccountId, wanted: DeliveryFilter, limit: int, cursor: str | None
    ) -> Page[dict[str, Json]]:
        """Deliveries as the API shows them, newest first; raises Problem and Unavailable."""
        ...

    def count_unsettled(
        self, account_id: AccountId, wanted: DeliveryFilter, most: int
    ) -> tuple[Mapping[DeliveryStatus, int], bool]:
        """How many failed and are being retried, and whether there are more; raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Hour:
    """The deliveries that came into the log in one hour, as they stand now."""

    succeeded: int = 0
    failed: int = 0
    retrying: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True)
class Unsettled:
    """How many deliveries have failed and are being retried; `is_capped`: at least so many."""

    failed: int
    retrying: int
    is_capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    """The newest attempt that failed, as the API shows one; without any, why there was none."""

    delivery_id: str
    at: int
    attempt: Mapping[str, Any] | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedOne:
    """A delivery that has failed: when its event was accepted, and when it failed, or began to.

    `for_pause`: nothing was sent, as the webhook was paused.
    """

    accepted_at: int
    at: int
    for_pause: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The hours, the oldest first.

    `is_capped` says that there are more deliveries in this time than the `seen` newest ones, and
    that the hours count no others; `unsettled` counts them all. `failed` are those among the seen
    ones; `succeeded_at` is when the last of them succeeded. It begins at `since`.
    """

    hours: tuple[Hour, ...]
    seen: int
    is_capped: bool
    unsettled: Unsettled
    last_error: LastError | None
    failed: tuple[FailedOne, ...] = ()
    succeeded_at: int | None = None
    since: int = 0

    @property
    def paused_from(self) -> int | None:
        """When the first event was accepted of those that failed for a pause; None: none did."""
        return min((one.accepted_at for one in self.failed if one.for_pause), default=None)

    @property
    def failing_from(self) -> int | None:
        """When the first event was accepted of those that failed since the last success."""
        last = self.succeeded_at or 0
        return min((one.accepted_at for one in self.failed if one.at >= last), default=None)

    @property
    def total(self) -> Hour:
        """All hours together."""
        return Hour(
            sum(hour.succeeded for hour in self.hours),
            sum(hour.failed for hour in self.hours),
            sum(hour.retrying for hour in self.hours),
            sum(hour.cancelled for hour in self.hours),
        )


def recent_health(log: Log, webhook: Webhook, now: int, *, most: int) -> Health:
    """The health of a webhook at `now`, microseconds since the epoch.

    Of its `most` newest deliveries, read in one query; of what has failed or is being retried
    another one counts the rest, if there are more. Raises Unavailable.
    """
    since = _a_day_before(now)
    wanted = DeliveryFilter(webhook_id=webhook.id, since=since)
    page = log.list(webhook.account_id, wanted, most, None)
    entries: list[Mapping[str, Any]] = page.items  # type: ignore[assignment]
    counts = [dict.fromkeys(DeliveryStatus, 0) for _ in range(HOURS)]
    for entry in entries:
        hour = (_moment(entry["created_at"]) - since) // _HOUR
        counts[min(max(hour, 0), HOURS - 1)][DeliveryStatus(entry["status"])] += 1
    unsettled = Unsettled(
        sum(count[DeliveryStatus.FAILED] for count in counts),
        sum(count[DeliveryStatus.RETRYING] for count in counts),
        is_capped=False,
    )
    if page.next_cursor is not None:
        unsettled = count_unsettled(log, webhook.account_id, wanted)
    return Health(
        hours=tuple(
            Hour(
                count[DeliveryStatus.SUCCEEDED],
                count[DeliveryStatus.FAILED],
                count[DeliveryStatus.RETRYING],
                count[DeliveryStatus.CANCELLED],
            )
            for count in counts
        ),
        seen=len(entries),
        is_capped=page.next_cursor is not None,
        unsettled=unsettled,
        last_error=max(_errors(entries, webhook.format), key=_telling, default=None),
        since=since,
        failed=tuple(map(_failed, filter(_has_failed, entries))),
        succeeded_at=max(
            (_tried_at(one) for one in entries if one["status"] == DeliveryStatus.SUCCEEDED),
            default=None,
        ),
    )


def unsettled_lately(log: Log, account_id: AccountId, now: int) -> Unsettled:
    """Of all webhooks of an account, in the same 24 hours; raises Unavailable."""
    return count_unsettled(log, account_id, DeliveryFilter(since=_a_day_before(now)))


def count_unsettled(log: Log, account_id: AccountId, wanted: DeliveryFilter) -> Unsettled:
    """Of those that the filter wants: one figure for webhooks and log. Raises Unavailable."""
    counts, is_capped = log.count_unsettled(account_id, wanted, MOST_COUNTED)
    return Unsettled(
        counts.get(DeliveryStatus.FAILED, 0), counts.get(DeliveryStatus.RETRYING, 0), is_capped
    )


def _a_day_before(now: int) -> int:
    return now - HOURS * _HOUR


def was_taken(attempt: Mapping[str, Any], format_name: str | None) -> bool:
    """Whether an attempt, as the API shows one, succeeded by the rule of the webhook's format.

    Of a webhook that is deleted, or whose format this release does not know, the log itself tells:
    it keeps answers of failures only.
    """
    status_code = attempt.get("status_code")
    if status_code is None:
        return False
    format_ = FORMATS.get(format_name or "")
    return "response" not in attempt if format_ is None else format_.is_success(status_code)


def _errors(entries: list[Mapping[str, Any]], format_name: str) -> Iterator[LastError]:
    for entry in entries:
        attempts = entry["attempts"]
        for attempt in attempts:
            if was_taken(attempt, format_name):
                continue
            yield LastError(
                delivery_id=entry["id"], at=_moment(attempt["at"]), attempt=attempt, reason=None
            )
        if not attempts and entry["status"] == DeliveryStatus.FAILED:
            yield LastError(
                delivery_id=entry["id"],
                at=_moment(entry["created_at"]),
                attempt=None,
                reason=entry.get("reason"),
            )


def _has_failed(entry: Mapping[str, Any]) -> bool:
    return bool(entry["status"] == DeliveryStatus.FAILED)


def _failed(entry: Mapping[str, Any]) -> FailedOne:
    return FailedOne(
        accepted_at=accepted_at(DeliveryId(entry["id"])),
        at=_tried_at(entry),
        for_pause=entry.get("reason") == Reason.PAUSED,
    )


def _tried_at(entry: Mapping[str, Any]) -> int:
    attempts = entry["attempts"]
    return _moment(attempts[-1]["at"] if attempts else entry["created_at"])


def _telling(error: LastError) -> tuple[bool, int]:
    """What an endpoint answered tells more than that nothing was sent since."""
    return error.attempt is not None, error.at


def _moment(text: str) -> int:
    return parse_rfc3339(text) or 0
