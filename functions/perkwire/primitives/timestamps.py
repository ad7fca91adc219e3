"""Times: microseconds since the epoch inside, RFC 3339 in UTC outside."""

import re
import time
from datetime import UTC, date, datetime, timedelta

from perkwire.primitives.regexes import regex

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = (datetime(1000, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_RFC_3339 = regex(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
_SECONDS = slice(17, 19)
_OFFSET = -len("+00:00")
_DATE = regex(r"\d{4}-\d\d-\d\d", re.ASCII)
MICROSECONDS = 1_000_000
HOUR_SECONDS = 3_600
DAY_SECONDS = 86_400


def now() -> int:
    """Microseconds since the epoch, by this machine's clock."""
    return time.time_ns() // 1000


def to_rfc3339(microseconds: int) -> str:
    """`2026-11-21T01:23:45.678901Z`: always UTC, always six digits, so that text sorts as time."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return f"{moment.isoformat(timespec='microseconds')[:_OFFSET]}Z"


def iso_milliseconds(microseconds: int) -> str:
    """`2026-11-21T01:23:45.678Z`: always UTC, what is below a millisecond cut off."""
    return f"{to_rfc3339(microseconds)[:-4]}Z"


def parse_rfc3339(text: str) -> int | None:
    """Microseconds since the epoch, or None if it is no RFC 3339 time with an offset.

    A leap second (RFC 3339 §5.7: at the end of a month in UTC) reads as the second after it, which
    is how POSIX counts. None too for what is not of the years 1000 to 9999 in UTC: it could not be
    written again.
    """
    if not _RFC_3339.fullmatch(text):
        return None
    is_leap = text[_SECONDS] == "60"
    before = f"{text[: _SECONDS.start]}59{text[_SECONDS.stop :]}" if is_leap else text
    try:
        moment = datetime.fromisoformat(before.upper())
    except ValueError:
        return None
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    if is_leap:
        microseconds += MICROSECONDS
    if not is_writable(microseconds) or (is_leap and not _begins_a_month(microseconds)):
        return None
    return microseconds


def is_writable(microseconds: int) -> bool:
    """Whether it is of the years 1000 to 9999 in UTC, which `to_rfc3339` can write."""
    return _EARLIEST <= microseconds <= _LATEST


def _begins_a_month(microseconds: int) -> bool:
    """Whether it is in the first second of a month in UTC."""
    utc = _EPOCH + timedelta(microseconds=microseconds)
    return (utc.day, utc.hour, utc.minute, utc.second) == (1, 0, 0, 0)


def is_date(text: str) -> bool:
    """Whether it is a day of the calendar, written YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
