"""A webhook's history over a day or a week, out of bounded readings of its log."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from perkwire.model.delivery import DeliveryStatus
from perkwire.primitives.ids import AccountId, DeliveryId, accepted_at, delivery_id
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS
from perkwire.reading.health import MOST_COUNTED, Unsettled, recent_health
from perkwire.reading.history import (
    DAY,
    MOST_OF_EACH,
    MOST_READ,
    WEEK,
    History,
    Period,
    figures_of,
    history,
)
from perkwire.reading.log import DeliveryFilter
from tests.builders import NOW, WEBHOOK, a_webhook

_HOUR = HOUR_SECONDS * MICROSECONDS


class FakeLog:
    """A log of these entries, newest first, that counts what it is asked."""

    def __init__(self, *entries: dict[str, Any]) -> None:
        self._entries = sorted(entries, key=lambda one: one["id"], reverse=True)
        self.limits: list[int] = []
        self.counts = 0

    def list(
        self, _account_id: AccountId, wanted: DeliveryFilter, limit: int, _cursor: str | None
    ) -> Page[dict[str, Json]]:
        self.limits.append(limit)
        found = [*self._of(wanted)][:limit]
        return Page(found, str(found[-1]["id"]) if len(found) == limit else None)

    def count_unsettled(
        self, _account_id: AccountId, wanted: DeliveryFilter, most: int
    ) -> tuple[Mapping[DeliveryStatus, int], bool]:
        self.counts += 1
        found = [one for one in self._of(wanted) if one["status"] in ("failed", "retrying")][:most]
        failed = sum(one["status"] == "failed" for one in found)
        counts = {DeliveryStatus.FAILED: failed, DeliveryStatus.RETRYING: len(found) - failed}
        return counts, len(found) == most

    def _of(self, wanted: DeliveryFilter) -> Sequence[dict[str, Any]]:
        since, until = wanted.since or 0, wanted.until or NOW + _HOUR
        return [one for one in self._entries if since <= accepted_at(one["id"]) < until]


def an_entry(status: str, hours_ago: float, *durations: int, salt: int = 0) -> dict[str, Any]:
    at = NOW - int(hours_ago * _HOUR)
    return {
        "id": delivery_id(WEBHOOK, [], at, DeliveryId(f"dlv_{salt}")),
        "status": status,
        "attempts": [{"number": 1, "at": "", "duration_ms": one} for one in durations],
        "created_at": "2027-01-01T00:00:00.000000Z",
    }


def many(status: str, number: int, hours_ago: float) -> list[dict[str, Any]]:
    return [an_entry(status, hours_ago, 10, salt=salt) for salt in range(number)]


def read(log: FakeLog, period: Period = DAY, *, log_retention_days: int = 30) -> History:
    return history(log, a_webhook(), period, NOW, log_retention_days=log_retention_days)


def test_a_quiet_webhook_is_read_once() -> None:
    log = FakeLog(
        an_entry("succeeded", 0.5, 40),
        an_entry("failed", 0.6, 900, 10_000),
        an_entry("retrying", 5.5, 70),
        an_entry("cancelled", 5.6),
        an_entry("succeeded", 30, 40),
    )

    found = read(log)

    assert log.limits == [MOST_READ]
    assert log.counts == 0
    assert not found.is_capped
    assert (found.figures.deliveries, found.figures.success_rate) == (4, 0.5)
    # Of last attempts, as the log shows them.
    assert found.figures.durations == (40, 70, 10_000)
    assert (found.figures.median_ms, found.figures.most_ms) == (70, 10_000)
    numbers = [one.figures.deliveries for one in found.slices if one.figures is not None]
    assert numbers == [0] * 18 + [2] + [0] * 4 + [2]
    assert found.slices[-1].until == NOW


def test_a_week_has_slices_of_six_hours() -> None:
    found = read(FakeLog(an_entry("succeeded", 7), an_entry("failed", 24 * 7 - 1)), WEEK)

    places = [n for n, one in enumerate(found.slices) if one.figures and one.figures.deliveries]
    assert places == [0, 26]
    assert found.slices[0].until - found.slices[0].since == 6 * _HOUR


def test_of_a_busy_webhook_every_slice_is_read_in_bounds_and_says_what_it_does_not_know() -> None:
    log = FakeLog(
        *many("succeeded", MOST_READ - 10, 0.5),
        *many("succeeded", 60, 1.5),
        *many("failed", MOST_OF_EACH + 20, 3.5),
        *many("failed", 7, 9.5),
    )

    found = read(log)

    assert found.is_capped
    assert found.figures.deliveries == MOST_READ
    assert log.limits[0] == MOST_READ
    assert set(log.limits[1:]) == {MOST_OF_EACH}
    assert len(log.limits) <= 1 + DAY.slices
    known = {n: one for n, one in enumerate(found.slices) if one.figures is not None}
    told = {n: (one.figures, one.is_capped) for n, one in known.items()}
    assert told[23] == (figures_of(many("succeeded", MOST_READ - 10, 0.5)), False)
    assert told[22] == (figures_of(many("succeeded", 10, 1.5)), True)
    assert told[20] == (figures_of(many("failed", MOST_OF_EACH, 3.5)), True)
    assert told[14] == (figures_of(many("failed", 7, 9.5)), False)
    # All that failed are counted, as the list of webhooks and the log count them.
    assert found.unsettled == Unsettled(MOST_OF_EACH + 27, 0, is_capped=False)
    assert recent_health(log, a_webhook(), NOW, most=50).unsettled == found.unsettled


def test_more_failures_than_are_counted_are_at_least_so_many() -> None:
    found = read(FakeLog(*many("failed", MOST_READ + 1, 2.5)))

    assert found.unsettled == Unsettled(MOST_COUNTED, 0, is_capped=True)


def test_what_the_log_no_longer_keeps_is_not_none() -> None:
    found = read(FakeLog(), WEEK, log_retention_days=2)

    assert [one.figures is None for one in found.slices] == [True] * 20 + [False] * 8


@pytest.mark.parametrize(
    ("durations", "median", "most"),
    [((), None, None), ((7,), 7, 7), (range(1, 101), 50, 95), (range(1, 21), 10, 19)],
)
def test_times_are_those_of_attempts_that_were_made(
    durations: range, median: int | None, most: int | None
) -> None:
    found = figures_of([an_entry("succeeded", 1, one) for one in durations])

    assert (found.median_ms, found.most_ms) == (median, most)


def test_without_an_end_there_is_no_rate() -> None:
    assert figures_of([an_entry("retrying", 1), an_entry("cancelled", 1)]).success_rate is None
