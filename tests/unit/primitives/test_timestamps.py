import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.primitives.timestamps import now, parse_rfc3339, to_rfc3339
from tests.unit.strategies import MOMENTS


@given(MOMENTS)
def test_a_time_is_read_as_it_was_written(moment: int) -> None:
    text = to_rfc3339(moment)

    assert parse_rfc3339(text) == moment
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)


@given(MOMENTS, MOMENTS)
def test_text_sorts_as_time(one: int, other: int) -> None:
    assert (to_rfc3339(one) < to_rfc3339(other)) is (one < other)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31t18:30:00-05:30", 0),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.000001z", 1),
        ("1970-01-01T00:00:00.123456789Z", 123_456),
        ("1970-01-01T00:00:00.12345678901234567890Z", 123_456),
        ("1970-01-01T00:00:00-00:00", 0),
        ("1969-12-31T23:59:59Z", -1_000_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
    ],
)
def test_offsets_and_fractions_are_understood(text: str, moment: int) -> None:
    assert parse_rfc3339(text) == moment


@pytest.mark.parametrize(
    ("text", "as_if"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2015-06-30t23:59:60.25z", "2015-07-01T00:00:00.25Z"),
        ("2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00Z"),
        ("1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00Z"),
        ("2024-02-29T23:59:60.999999999Z", "2024-03-01T00:00:00.999999Z"),
    ],
)
def test_a_leap_second_reads_as_the_second_after_it(text: str, as_if: str) -> None:
    assert parse_rfc3339(text) == parse_rfc3339(as_if) is not None


@pytest.mark.parametrize(
    "text",
    [
        "2016-12-31T23:59:61Z",
        "2016-12-31T23:58:60Z",
        "2016-12-30T23:59:60Z",
        "2016-12-31T23:59:60+01:00",
        "9999-12-31T23:59:60Z",
        "0001-01-01T00:59:60+01:00",
        "2016-02-30T23:59:60Z",
    ],
)
def test_no_other_second_has_a_sixtieth(text: str) -> None:
    assert parse_rfc3339(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026-11-21", "2026-11-21T09:30Z", "2026-11-21T09:30:00", "2026-W47-6T09Z"),
        *("2026-11-21 09:30:00Z", "20261121T093000Z", "2026-13-01T00:00:00Z", " 2026-11-21T0Z"),
        *("2025-02-29T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T09:30:00+24:00"),
        *("2026-11-21T09:30:00,5Z", "2026-11-21T09:30:00.Z", "2026-11-21T09:30:00Z\n"),
        *("٢٠٢٦-11-21T09:30:00Z", "0000-01-01T00:00:00Z", "2026-11-21T09:30:00+01:00:30"),
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    assert parse_rfc3339(text) is None


@given(st.text(max_size=40))
def test_no_text_raises(text: str) -> None:
    assert parse_rfc3339(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+01:00",
        "0001-01-01T00:00:00Z",
        "0999-12-31T23:59:59.999999Z",
        "1000-01-01T00:00:00+00:01",
    ],
)
def test_a_time_that_could_not_be_written_is_not_read(text: str) -> None:
    assert parse_rfc3339(text) is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1000-01-01T00:00:00Z", "1000-01-01T00:00:00.000000Z"),
        ("0999-12-31T23:30:00-00:30", "1000-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_the_first_and_the_last_time_are_read_and_written(text: str, written: str) -> None:
    moment = parse_rfc3339(text)

    assert moment is not None
    assert to_rfc3339(moment) == written


@given(
    st.datetimes().map(lambda moment: moment.isoformat(timespec="microseconds")),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_every_time_that_is_read_can_be_written(local: str, offset: int) -> None:
    hours, minutes = divmod(abs(offset), 60)
    moment = parse_rfc3339(f"{local}{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}")

    assert moment is None or parse_rfc3339(to_rfc3339(moment)) == moment


def test_now_is_now() -> None:
    before = time.time()
    assert before - 1 <= now() / 1e6 <= time.time() + 1
