"""Reading an event's data by the catalogue's names.

An event that was kept from before a change of the catalogue may not fit it, so a value of an
unexpected type is as good as absent. Nothing here raises.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import parse_rfc3339

type Object = Mapping[str, Json]

_LARGEST_INTEGER = 2**64 - 1  # of the JSON that is accepted
_DIGITS = regex(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_DAY = regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def part(data: Object, *path: str) -> Object:
    """The object at the end of these members; an empty one if any of them is no object."""
    found = data
    for name in path:
        inner = found.get(name)
        if not isinstance(inner, dict):
            return {}
        found = inner
    return found


def parts(data: Object, name: str) -> list[Object]:
    """The objects of a list, in its order; what else is in it is left out."""
    value = data.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(data: Object, name: str) -> str | None:
    """A string, also an empty one."""
    value = data.get(name)
    return value if isinstance(value, str) else None


def texts(data: Object, name: str) -> list[str] | None:
    """The strings of a list, in its order; what else is in it is left out."""
    value = data.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else None


def flag(data: Object, name: str) -> bool | None:
    """True or false."""
    value = data.get(name)
    return value if isinstance(value, bool) else None


def number(data: Object, name: str) -> int | float | None:
    """A number; a whole one as an integer, however it was written, if 64 bits hold it."""
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_INTEGER:
        return int(value)
    return value


def integer(data: Object, name: str) -> int | float | None:
    """A whole number; as `number`, of another type if 64 bits do not hold it."""
    value = number(data, name)
    return None if value is None or value % 1 else value


def decimal(data: Object, name: str) -> Decimal | None:
    """A number, or the digits of one as a string (as amounts of money may be): exactly."""
    value = data.get(name)
    if isinstance(value, str):
        return Decimal(value) if _DIGITS.fullmatch(value) else None
    written = number(data, name)
    return None if written is None else Decimal(repr(written))


def moment(data: Object, name: str) -> int | None:
    """An RFC 3339 time, in microseconds since the epoch."""
    value = text(data, name)
    return None if value is None else parse_rfc3339(value)


def day(data: Object, name: str) -> date | None:
    """A calendar day, YYYY-MM-DD."""
    value = text(data, name)
    if value is None or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def first[Value](*values: Value | None) -> Value | None:
    """The first that is there."""
    return next((value for value in values if value is not None), None)


def present(members: Object) -> dict[str, Json]:
    """The members that have a value, in their order."""
    return {name: value for name, value in members.items() if value is not None}
