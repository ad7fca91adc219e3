"""A filter as rows that people fill in: a field, a condition and a value each. All have to hold.

What rows cannot say, an `$or` say, is no less a filter: it is shown and kept as JSON.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from perkwire.catalogue.event_types import event_types
from perkwire.model.webhook import covers
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.problem import FieldError, Problem, invalid
from perkwire.primitives.strict_json import InvalidJson, Json, parse

CONDITIONS: tuple[tuple[str, str], ...] = (
    ("is", "is one of"),
    ("not", "is none of"),
    (">=", "is at least"),
    (">", "is more than"),
    ("<=", "is at most"),
    ("<", "is less than"),
    ("prefix", "begins with"),
    ("suffix", "ends with"),
    ("contains", "contains"),
    ("exists", "is there"),
    ("absent", "is not there"),
)
MOST_ROWS = 64  # a pattern has no more values
_LOWER = (">", ">=")
_UPPER = ("<", "<=")
_ENVELOPE = ("id", "type", "program_id", "occurred_at")
_DATA = "data"
_MOST_FIELDS = 150
_MOST_LEVELS = 5
_DEFINITIONS = "#/definitions/"


@dataclass(frozen=True, slots=True)
class FilterRow:
    """One condition: `field` without `data.`, unless it would be another's name."""

    field: str
    condition: str
    value: str


def pattern_of(rows: Sequence[FilterRow], kinds: Mapping[str, str]) -> dict[str, Json] | None:
    """The pattern that rows stand for, None for no rows; raises Problem.

    `kinds` says of known fields whether their values are numbers, strings or something else.
    """
    pattern: dict[str, Any] = {}
    for row in rows:
        path = _path(row.field)
        node = pattern
        for name in path[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise _wrong(f"has conditions on {row.field} and on what holds it")
        values = _values(row, kinds.get(_shown_field(path), "") if row.field else "")
        before = node.get(path[-1])
        node[path[-1]] = values if before is None else _range(before, values, row)
    return pattern or None


def rows_of(pattern: Mapping[str, Json], kinds: Mapping[str, str]) -> list[FilterRow] | None:
    """The rows that stand for a pattern, None if none do."""
    rows = list(_rows(pattern, ()))
    said = [row for row in rows if row is not None]
    # A field of a form is a line without blanks around it.
    if len(said) < len(rows) or any(row.value != " ".join(row.value.split()) for row in said):
        return None
    try:
        again = pattern_of(said, kinds)
    except Problem:
        return None
    return said if _sorted(again) == _sorted(pattern) else None


def parse_filter_text(text: str) -> Json:
    """A filter that was typed as JSON; raises Problem."""
    try:
        return parse(text)
    except InvalidJson as error:
        raise _wrong(str(error).replace("The body", "is not right: the text")) from None


@lru_cache(maxsize=64)
def known_fields(wanted: tuple[str, ...]) -> Mapping[str, str]:
    """The fields of types, those of most types first, and what kind of values they have."""
    counted: Counter[str] = Counter()
    kinds: dict[str, str] = {}
    for one in event_types().values():
        if any(covers(each, one.name) for each in wanted):
            schema: Mapping[str, Any] = one.schema
            found: dict[str, str] = {}
            for name, kind in _fields(schema, schema.get("definitions", {}), ()):
                found[name] = kind or found.get(name, "")
            counted.update(found.keys())
            kinds |= {name: kind or kinds.get(name, "") for name, kind in found.items()}
    names = [name for name, _ in counted.most_common(_MOST_FIELDS)]
    return {name: kinds[name] for name in names} | dict.fromkeys(_ENVELOPE, "string")


def _fields(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix(_DEFINITIONS)]
    if schema.get("type") == "array":
        yield from _fields(schema.get("items", {}), definitions, path)
        return
    for part in schema.get("allOf", ()):
        yield from _fields(part, definitions, path)
    properties: Mapping[str, Any] = schema.get("properties", {})
    if not properties:
        if path and "allOf" not in schema:
            yield _shown_field((_DATA, *path)), _kind(schema)
        return
    if len(path) < _MOST_LEVELS:
        for name, member in properties.items():
            yield from _fields(member, definitions, (*path, name))


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type", "string" if "enum" in schema else "")
    if isinstance(kinds, list):
        kinds = next((one for one in kinds if one != "null"), "")
    return "number" if kinds == "integer" else str(kinds)


def _path(field: str) -> tuple[str, ...]:
    names = tuple(field.split("."))
    return names if names[0] == _DATA or field in _ENVELOPE else (_DATA, *names)


def _shown_field(path: Sequence[str]) -> str:
    inner = ".".join(path[1:])
    return ".".join(path) if path[0] != _DATA or inner in _ENVELOPE else inner


def _values(row: FilterRow, kind: str) -> list[Json]:
    if not row.field:
        raise _wrong("has a condition without a field")
    if row.condition in ("exists", "absent"):
        return [{"exists": row.condition == "exists"}]
    if not row.value:
        raise _wrong(f"has no value for {row.field}")
    if row.condition in ("prefix", "suffix"):
        return [{row.condition: row.value}]
    if row.condition == "contains":
        escaped = row.value.replace("\\", "\\\\").replace("*", "\\*")
        return [{"wildcard": f"*{escaped}*"}]
    values = _listed(row, kind)
    if row.condition == "is":
        return values
    if row.condition == "not":
        return [{"anything-but": values[0] if len(values) == 1 else values}]
    if len(values) > 1:
        raise _wrong(f"takes one number for {row.field}")
    return [{"numeric": [row.condition, values[0]]}]


def _listed(row: FilterRow, kind: str) -> list[Json]:
    """The values between commas; what has quotes around it is text, whatever the field."""
    values: list[Json] = []
    left = row.value
    while left:
        if left.startswith('"'):
            try:
                _, end = json.JSONDecoder().raw_decode(left)
                value = parse(left[:end])
            except InvalidJson:
                raise _wrong(f"has half a character for {row.field}, \\ud800 or the like") from None
            except ValueError:
                raise _wrong(f"has a quote for {row.field} that does not end") from None
            values.append(value)
            left = left[end:].strip()
            if left and not left.startswith(","):
                raise _wrong(f"needs a comma between the values for {row.field}")
            left = left[1:].strip()
            continue
        text, _, left = left.partition(",")
        left = left.strip()
        values.append(_scalar(text.strip(), kind))
    return values


def _scalar(text: str, kind: str) -> Json:
    if kind == "string" and text != "null":
        return text
    try:
        value = parse(text)
    except InvalidJson:
        return text
    return value if value is None or isinstance(value, bool | int | float) else text


def _range(before: Any, values: list[Json], row: FilterRow) -> list[Json]:  # noqa: ANN401 - any JSON
    """Two limits of a number, the lower one first."""
    limits = [_limit(before), _limit(values)]
    for lower, upper in (limits, limits[::-1]):
        if lower and upper and lower[0] in _LOWER and upper[0] in _UPPER:
            return [{"numeric": [*lower, *upper]}]
    raise _wrong(f"has {row.field} twice: give all its values in one row, with commas between")


def _limit(values: Any) -> list[Json]:  # noqa: ANN401 - any JSON
    """The sign and the number of a list that is one limit; empty if it is not."""
    one = values[0] if isinstance(values, list) and len(values) == 1 else None
    numeric = one.get("numeric") if isinstance(one, dict) else None
    return numeric if isinstance(numeric, list) and len(numeric) == 2 else []


def _rows(pattern: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[FilterRow | None]:
    for name, member in pattern.items():
        here = (*path, name)
        if isinstance(member, dict):
            yield from _rows(member, here)
        elif isinstance(member, list) and not any("." in one for one in here):
            yield from _rows_of_list(_shown_field(here), member)
        else:
            yield None


def _rows_of_list(field: str, values: list[Json]) -> Iterator[FilterRow | None]:
    operators = [one for one in values if isinstance(one, dict)]
    if not operators:
        yield FilterRow(field, "is", _written(values))
        return
    if len(values) > 1:
        yield None
        return
    ((name, operand),) = operators[0].items()
    if name == "exists":
        yield FilterRow(field, "exists" if operand else "absent", "")
    elif name in ("prefix", "suffix") and isinstance(operand, str):
        yield FilterRow(field, name, operand)
    elif name == "wildcard" and isinstance(operand, str):
        plain = operand[1:-1].replace("\\*", "*").replace("\\\\", "\\")
        yield FilterRow(field, "contains", plain)
    elif name == "anything-but" and not isinstance(operand, dict):
        yield FilterRow(field, "not", _written(operand if isinstance(operand, list) else [operand]))
    elif name == "numeric" and isinstance(operand, list):
        for sign, limit in zip(operand[::2], operand[1::2], strict=True):
            yield None if sign == "=" else FilterRow(field, str(sign), json.dumps(limit))
    else:
        yield None


def _written(values: Sequence[Json]) -> str:
    return ", ".join(_one_written(value) for value in values)


def _one_written(value: Json) -> str:
    """A text is quoted where it would be read as another value, or as several."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        parse(value)
    except InvalidJson:
        is_plain = value == value.strip() and "," not in value and not value.startswith('"')
        return value if is_plain and value else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


def _sorted(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _wrong(detail: str) -> Problem:
    return invalid([FieldError("filter", detail)])
