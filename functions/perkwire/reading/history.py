"""How a webhook has fared over a day or a week: deliveries, success rate and answer times.

Read off its log, newest first, in bounds. What was not looked at is said to be so, and is never a
number.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from perkwire.model.delivery import DeliveryStatus
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import DeliveryId, accepted_at
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS
from perkwire.reading.health import Log, Unsettled, count_unsettled
from perkwire.reading.log import DeliveryFilter

MOST_READ = 500
"""The newest deliveries of the period, of which all figures are."""
MOST_OF_EACH = 50
"""The newest deliveries of a slice that the first reading has not reached."""

_SIDE_BY_SIDE = 8  # AWS's client keeps ten connections
_HOUR = HOUR_SECONDS * MICROSECONDS
_MANY = 95  # of a hundred

type Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time, in slices."""

    hours: int
    slices: int

    @property
    def slice_length(self) -> int:
        """In microseconds."""
        return self.hours * _HOUR // self.slices


DAY = Period(24, 24)
WEEK = Period(7 * 24, 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of some deliveries, as they stand now. `durations` are of their last attempts, ascending."""

    succeeded: int
    failed: int
    retrying: int
    cancelled: int
    durations: tuple[int, ...]

    @property
    def deliveries(self) -> int:
        """All of them."""
        return self.succeeded + self.failed + self.retrying + self.cancelled

    @property
    def success_rate(self) -> float | None:
        """The part that succeeded of those that either did or failed; None if none has yet."""
        settled = self.succeeded + self.failed
        return self.succeeded / settled if settled else None

    @property
    def median_ms(self) -> int | None:
        """How long half of the last attempts took at most; None without an attempt."""
        return self._taken_by(50)

    @property
    def most_ms(self) -> int | None:
        """How long 95 of 100 last attempts took at most; None without an attempt."""
        return self._taken_by(_MANY)

    def _taken_by(self, percent: int) -> int | None:
        if not self.durations:
            return None
        return self.durations[(percent * len(self.durations) + 99) // 100 - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of the period, from `since` on and before `until`, in microseconds.

    `figures` None: the log does not reach back so far. `is_capped`: they are of its newest
    deliveries, and there may be more.
    """

    since: int
    until: int
    figures: Figures | None
    is_capped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The slices, oldest first. `is_capped`: `figures` are of the newest deliveries only.

    `unsettled` counts all that have failed or are being retried, as list and log do. `newest` are
    the entries that figures are of, as the API shows them.
    """

    slices: Sequence[Slice]
    figures: Figures
    is_capped: bool
    unsettled: Unsettled
    newest: Sequence[Entry]


def history(
    log: Log, webhook: Webhook, period: Period, now: int, *, log_retention_days: int
) -> History:
    """The webhook's history at `now`, microseconds since the epoch; raises Unavailable.

    One query for a webhook with few deliveries; for others one more that counts what has not
    settled, and a small one for each slice that the first has not reached.
    """
    since = now - period.slices * period.slice_length
    wanted = DeliveryFilter(webhook_id=webhook.id, since=since)
    page = log.list(webhook.account_id, wanted, MOST_READ, None)
    newest: list[Entry] = page.items  # type: ignore[assignment]
    is_capped = page.next_cursor is not None
    reached = min(map(_accepted, newest), default=now) if is_capped else since
    kept_since = now - log_retention_days * 24 * _HOUR
    by_slice: dict[int, list[Entry]] = {}
    for entry in newest:
        place = (_accepted(entry) - since) // period.slice_length
        by_slice.setdefault(min(max(place, 0), period.slices - 1), []).append(entry)

    def slice_at(place: int) -> Slice:
        begin = since + place * period.slice_length
        end = begin + period.slice_length
        if end <= kept_since:
            return Slice(since=begin, until=end, figures=None)
        if not is_capped or end > reached:
            there = figures_of(by_slice.get(place, ()))
            return Slice(since=begin, until=end, figures=there, is_capped=begin < reached)
        part = DeliveryFilter(webhook_id=webhook.id, since=begin, until=end)
        found = log.list(webhook.account_id, part, MOST_OF_EACH, None)
        entries: list[Entry] = found.items  # type: ignore[assignment]
        return Slice(
            since=begin,
            until=end,
            figures=figures_of(entries),
            is_capped=found.next_cursor is not None,
        )

    with ThreadPoolExecutor(_SIDE_BY_SIDE if is_capped else 1) as threads:
        slices = list(threads.map(slice_at, range(period.slices)))
    figures = figures_of(newest)
    unsettled = Unsettled(figures.failed, figures.retrying, is_capped=False)
    if is_capped:
        unsettled = count_unsettled(log, webhook.account_id, wanted)
    return History(
        slices=slices,
        figures=figures,
        is_capped=is_capped,
        unsettled=unsettled,
        newest=newest,
    )


def figures_of(entries: Sequence[Entry]) -> Figures:
    """Of log entries as the API shows them."""
    statuses = Counter(entry["status"] for entry in entries)
    last = (entry["attempts"][-1] for entry in entries if entry["attempts"])
    return Figures(
        succeeded=statuses[DeliveryStatus.SUCCEEDED],
        failed=statuses[DeliveryStatus.FAILED],
        retrying=statuses[DeliveryStatus.RETRYING],
        cancelled=statuses[DeliveryStatus.CANCELLED],
        durations=tuple(sorted(int(attempt["duration_ms"]) for attempt in last)),
    )


def _accepted(entry: Entry) -> int:
    return accepted_at(DeliveryId(entry["id"]))
