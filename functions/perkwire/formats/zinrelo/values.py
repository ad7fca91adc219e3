"""Numbers, dates and times as Zinrelo's webhooks write them: all as strings."""

from datetime import UTC, date, datetime, timedelta

from perkwire.formats.reading import Object, decimal, first, moment

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def zinrelo_time(microseconds: int) -> str:
    """MM/DD/YYYY HH:MM:SS in UTC."""
    utc = _utc(microseconds)
    return f"{_date(utc)} {utc:%H:%M:%S}"


def zinrelo_moment(source: Object, name: str) -> str | None:
    """A member that is a time, as `zinrelo_time` writes it."""
    microseconds = moment(source, name)
    return None if microseconds is None else zinrelo_time(microseconds)


def zinrelo_day(microseconds: int) -> str:
    """MM/DD/YYYY: the day in UTC."""
    return _date(_utc(microseconds))


def zinrelo_date(*days: date | None) -> str | None:
    """MM/DD/YYYY: the first of the days that is there."""
    found = first(*days)
    return None if found is None else _date(found)


def digits(source: Object, name: str) -> str | None:
    """A number in full, without an exponent.

    One that came as a string keeps its places after the point; noughts before it go, and the sign
    of nought.
    """
    value = decimal(source, name)
    return None if value is None else f"{value or abs(value):f}"


def joined(values: list[str] | None) -> str | None:
    """`a, b`; None for none."""
    return ", ".join(values) if values else None


def capitalised(status: str | None) -> str | None:
    """`On hold` for `on hold`; what is not ASCII stays."""
    return status[:1].upper() + status[1:] if status and status.isascii() else status


def _utc(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _date(value: date) -> str:
    return f"{value:%m/%d}/{value.year:04}"
