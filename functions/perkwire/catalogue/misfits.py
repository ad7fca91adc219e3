"""What of an event's data does not fit its type's schema: everything, where a validator stops.

For the words of JSON Schema, draft 7, that the catalogue is written in (KEYWORDS), and no others.
Asked of the first events of a type and of what has been refused; of many that fit,
`fastjsonschema` says so seven times faster, once it has compiled the schema.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import one_of
from perkwire.primitives.problem import FieldError
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import is_date, parse_rfc3339

MOST_MISFITS = 20
"""Of one event: who has made more has made the same mistake more often."""

FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date": is_date,
    "date-time": lambda text: parse_rfc3339(text) is not None,
}
"""What each `format` of the catalogue takes; both validators go by it."""

KEYWORDS = frozenset(
    {
        "$ref",
        "$schema",
        "allOf",
        "definitions",
        "description",
        "enum",
        "format",
        "items",
        "maxLength",
        "maximum",
        "minLength",
        "minimum",
        "pattern",
        "properties",
        "required",
        "type",
    }
)

_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}
_FORMS = {
    "date": "a date such as 2026-11-21",
    "date-time": "an RFC 3339 time such as 2026-11-21T09:30:00Z",
}

type Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value is: as fields are called, and as a JSON pointer (RFC 6901)."""

    field: str
    pointer: str

    def member(self, name: str) -> "_Place":
        return _Place(f"{self.field}.{name}", f"{self.pointer}/{_escaped(name)}")

    def item(self, position: int) -> "_Place":
        return _Place(f"{self.field}[{position}]", f"{self.pointer}/{position}")

    def wrong(self, detail: str) -> FieldError:
        return FieldError(self.field, detail, pointer=self.pointer)


def misfits(schema: Schema, data: dict[str, Json]) -> tuple[FieldError, ...]:
    """The first MOST_MISFITS things wrong with the data, each once, as fields under `data`."""
    found = _in_value(schema, data, _Place("data", "/data"), schema.get("definitions", {}))
    return tuple(islice(dict.fromkeys(found), MOST_MISFITS))


def _in_value(schema: Schema, value: Json, place: _Place, known: Schema) -> Iterator[FieldError]:
    if "$ref" in schema:  # beside which draft 7 ignores everything
        yield from _in_value(
            known[schema["$ref"].removeprefix("#/definitions/")], value, place, known
        )
        return
    for one in schema.get("allOf", ()):
        yield from _in_value(one, value, place, known)
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is_kind(value, kind) for kind in kinds):
        yield place.wrong(f"must be {' or '.join(_KINDS[kind] for kind in kinds)}")
    elif "enum" in schema and value not in schema["enum"]:
        yield place.wrong(f"must be {one_of(schema['enum'])}")
    elif isinstance(value, dict):
        yield from _in_object(schema, value, place, known)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _in_value(schema.get("items", {}), item, place.item(position), known)
    elif isinstance(value, str):
        yield from _in_text(schema, value, place)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _in_number(schema, value, place)


def _in_object(
    schema: Schema, value: dict[str, Json], place: _Place, known: Schema
) -> Iterator[FieldError]:
    for name in schema.get("required", ()):
        if name not in value:
            yield place.member(name).wrong("is required")
    for name, member in schema.get("properties", {}).items():
        if name in value:
            yield from _in_value(member, value[name], place.member(name), known)


def _in_text(schema: Schema, value: str, place: _Place) -> Iterator[FieldError]:
    if len(value) < (fewest := schema.get("minLength", 0)):
        yield place.wrong(f"must have at least {_characters(fewest)}")
    if len(value) > (most := schema.get("maxLength", len(value))):
        yield place.wrong(f"must have at most {_characters(most)}")
    if "format" in schema and not FORMATS[schema["format"]](value):
        yield place.wrong(f"must be {_FORMS[schema['format']]}")
    if "pattern" in schema and not _matches(schema["pattern"], value):
        yield place.wrong("must be an amount such as 12.50")


def _in_number(schema: Schema, value: float, place: _Place) -> Iterator[FieldError]:
    if "minimum" in schema and value < schema["minimum"]:
        yield place.wrong(f"must be {schema['minimum']} or more")
    if "maximum" in schema and value > schema["maximum"]:
        yield place.wrong(f"must be {schema['maximum']} or less")


def _is_kind(value: Json, kind: str) -> bool:
    match value:
        case bool():
            return kind == "boolean"
        case int():
            return kind in ("integer", "number")
        case float():
            return kind == "number" or (kind == "integer" and value.is_integer())
        case str():
            return kind == "string"
        case list():
            return kind == "array"
        case dict():
            return kind == "object"
        case None:
            return kind == "null"


def _matches(pattern: str, value: str) -> bool:
    """As ECMA-262 reads it, whose `$` is the very end: Python's allows a line break behind."""
    return re.search(pattern.replace("$", r"\Z"), value) is not None


def _characters(number: int) -> str:
    return "1 character" if number == 1 else f"{number} characters"


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
