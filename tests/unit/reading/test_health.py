"""The health of a webhook over 24 hours, out of one bounded reading of its log."""

from collections.abc import Mapping

import pytest

from perkwire.model.delivery import DeliveryStatus
from perkwire.primitives.ids import AccountId, delivery_id
from perkwire.primitives.page import Page
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, to_rfc3339
from perkwire.reading.health import HOURS, MOST_COUNTED, Health, Hour, Unsettled, recent_health
from perkwire.reading.log import DeliveryFilter
from tests.builders import ACCOUNT, NOW, WEBHOOK, a_webhook

_HOUR = HOUR_SECONDS * MICROSECONDS


class FakeLog:
    """Answers with what it was given, and keeps what it was asked."""

    def __init__(self, *entries: dict[str, Json], next_cursor: str | None = None) -> None:
        self.page = Page([*entries], next_cursor)
        self.asked: list[tuple[AccountId, DeliveryFilter, int, str | None]] = []
        self.counted: list[tuple[AccountId, DeliveryFilter, int]] = []

    def list(
        self, account_id: AccountId, wanted: DeliveryFilter, limit: int, cursor: str | None
    ) -> Page[dict[str, Json]]:
        self.asked.append((account_id, wanted, limit, cursor))
        return self.page

    def count_unsettled(
        self, account_id: AccountId, wanted: DeliveryFilter, most: int
    ) -> tuple[Mapping[DeliveryStatus, int], bool]:
        self.counted.append((account_id, wanted, most))
        return {DeliveryStatus.FAILED: 135, DeliveryStatus.RETRYING: 2}, False


def health(log: FakeLog, format_name: str = "standard") -> Health:
    return recent_health(log, a_webhook(format=format_name), NOW, most=50)


def an_entry(
    status: str, *attempts: Mapping[str, Json], at: int = NOW, **members: Json
) -> dict[str, Json]:
    return {
        "id": delivery_id(WEBHOOK, [], at),
        "status": status,
        "attempts": [dict(one) for one in attempts],
        "created_at": to_rfc3339(at),
        **members,
    }


def an_attempt(at: int = NOW, **members: Json) -> dict[str, Json]:
    return {"number": 1, "at": to_rfc3339(at), "duration_ms": 5, **members}


def test_it_reads_once_and_a_bounded_number() -> None:
    log = FakeLog()

    health(log)

    since = NOW - HOURS * _HOUR
    wanted = DeliveryFilter(webhook_id=WEBHOOK, since=since)
    assert log.asked == [(ACCOUNT, wanted, 50, None)]
    assert log.counted == []


def test_what_failed_is_counted_though_it_is_not_among_the_newest() -> None:
    log = FakeLog(an_entry("succeeded"), an_entry("failed"), next_cursor="0" * 26)

    found = health(log)

    wanted = DeliveryFilter(webhook_id=WEBHOOK, since=NOW - HOURS * _HOUR)
    assert log.counted == [(ACCOUNT, wanted, MOST_COUNTED)]
    assert found.unsettled == Unsettled(135, 2, is_capped=False)
    assert health(FakeLog(an_entry("failed"))).unsettled == Unsettled(1, 0, is_capped=False)


def test_each_delivery_counts_in_its_hour() -> None:
    found = health(
        FakeLog(
            an_entry("succeeded"),
            an_entry("failed", at=NOW - _HOUR + 1),
            an_entry("retrying", at=NOW - _HOUR - 1),
            an_entry("succeeded", at=NOW - 24 * _HOUR),
            an_entry("cancelled"),
        )
    )

    assert found.hours[-1] == Hour(succeeded=1, failed=1, cancelled=1)
    assert found.hours[-2] == Hour(retrying=1)
    assert found.hours[0] == Hour(succeeded=1)
    assert len(found.hours) == HOURS
    assert found.total == Hour(succeeded=2, failed=1, retrying=1, cancelled=1)
    assert found.seen == 5


@pytest.mark.parametrize("at", [NOW + 5, NOW - 25 * _HOUR])
def test_one_that_clocks_put_outside_is_counted_at_the_edge(at: int) -> None:
    found = health(FakeLog(an_entry("failed", at=at)))

    assert found.total == Hour(failed=1)


@pytest.mark.parametrize(("next_cursor", "is_capped"), [("0" * 26, True), (None, False)])
def test_it_says_when_there_are_more(next_cursor: str | None, is_capped: bool) -> None:
    assert health(FakeLog(an_entry("failed"), next_cursor=next_cursor)).is_capped is is_capped


def test_the_last_error_is_the_newest_attempt_that_failed() -> None:
    late = an_attempt(NOW - 5, status_code=503)
    found = health(
        FakeLog(
            an_entry("succeeded", an_attempt(NOW - 2, status_code=200), id="dlv_1"),
            an_entry("succeeded", late, an_attempt(NOW - 1, status_code=200), id="dlv_2"),
            an_entry("failed", an_attempt(NOW - 9, error="timeout"), id="dlv_3"),
        )
    )

    assert found.last_error is not None
    assert found.last_error.delivery_id == "dlv_2"
    assert found.last_error.attempt == late


def test_in_a_format_of_a_later_release_the_log_tells_what_was_taken() -> None:
    taken, refused = an_attempt(NOW - 1, status_code=200), an_attempt(NOW - 5, status_code=503)
    log = FakeLog(an_entry("succeeded", refused | {"response": "down"}, taken))

    found = health(log, format_name="zinrelo@2031-01-01")

    assert found.last_error is not None
    assert found.last_error.at == NOW - 5


def test_a_failure_without_an_attempt_has_its_reason() -> None:
    found = health(FakeLog(an_entry("failed", reason="paused")))

    assert found.last_error is not None
    assert found.last_error.attempt is None
    assert found.last_error.reason == "paused"


def test_an_attempt_tells_more_than_that_nothing_was_sent_since() -> None:
    gone = an_attempt(NOW - 60, status_code=410)
    found = health(FakeLog(an_entry("failed", reason="paused"), an_entry("failed", gone)))

    assert found.last_error is not None
    assert found.last_error.attempt == gone


def test_without_an_error_there_is_none() -> None:
    entries = (an_entry("succeeded", an_attempt(status_code=200)), an_entry("cancelled"))

    assert health(FakeLog(*entries)).last_error is None


@pytest.mark.parametrize(
    ("format_name", "status_code", "is_error"),
    [("standard", 200, False), ("standard", 204, False), ("zinrelo", 204, True)],
)
def test_an_attempt_that_sqs_made_a_second_time_is_judged_by_itself(
    format_name: str, status_code: int, is_error: bool
) -> None:
    twice = (an_attempt(NOW - 2, status_code=status_code), an_attempt(NOW - 1, status_code=200))

    found = health(FakeLog(an_entry("succeeded", *twice)), format_name)

    assert (found.last_error is not None) is is_error


def test_a_success_that_was_cancelled_afterwards_is_no_error() -> None:
    entry = an_entry("cancelled", an_attempt(status_code=200))

    assert health(FakeLog(entry)).last_error is None


def test_what_fell_into_a_pause_is_known_by_when_it_was_accepted() -> None:
    ids = [delivery_id(WEBHOOK, [], NOW - ago) for ago in (9_000_000, 5_000_000, 1_000_000)]
    found = health(
        FakeLog(
            an_entry("failed", id=ids[2], reason="paused"),
            an_entry("failed", id=ids[1], reason="paused"),
            an_entry("failed", id=ids[0], reason="format"),
            an_entry("succeeded", an_attempt(status_code=200)),
        )
    )

    assert found.paused_from == NOW - 5_000_000
    assert health(FakeLog(an_entry("failed"))).paused_from is None
