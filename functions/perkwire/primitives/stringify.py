"""JSON as JavaScript writes it.

Many a receiver in Node verifies what it has parsed and written again: its framework hands over the
parsed body only, or a product's own page tells it to. So the bytes on the wire are those that
`JSON.stringify(JSON.parse(body))` gives: numbers in JavaScript's notation, and members whose names
are array indices before the others, ascending.

But for integers beyond 2^53: they are written exactly, for receivers that read them so. JavaScript
reads them as the nearest double, so a receiver that verifies as described refuses such a body; one
that verifies over the bytes takes it.
"""

import json
import re
from collections.abc import Iterable
from decimal import Decimal

from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json

_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_INDEX = regex(r"0|[1-9][0-9]{0,9}", re.ASCII)
_LARGEST_INDEX = 2**32 - 2
_MOST_DIGITS = 21
_FEWEST_PLACES = -6
_LONE_SURROGATE = regex("[\ud800-\udfff]")

# What Python's encoder writes otherwise than JavaScript has one of these.
_WHOLE = (".0,", ".0}", ".0]")
_EXPONENT = regex(r"[0-9]e[-+][0-9]")
_INDEX_NAME = re.compile(r'"[0-9]{1,10}":')


def stringify(value: Json) -> bytes:
    """UTF-8, compact, as `JSON.stringify` writes it but for integers beyond 2^53: these exact."""
    text = _encoded(value)  # in C; nearly always right
    if _may_differ(text) or isinstance(value, float):
        text = _written(value)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub(lambda lone: f"\\u{ord(lone[0]):04x}", text).encode()


def _may_differ(text: str) -> bool:
    return (
        any(end in text for end in _WHOLE)
        or (("e-" in text or "e+" in text) and _EXPONENT.search(text) is not None)
        or _INDEX_NAME.search(text) is not None
    )


def _written(value: Json) -> str:
    if isinstance(value, dict):
        names: Iterable[str] = value
        if indices := {name for name in value if _is_index(name)}:
            names = sorted(indices, key=int) + [name for name in value if name not in indices]
        return f"{{{','.join([f'{_encoded(name)}:{_written(value[name])}' for name in names])}}}"
    if isinstance(value, list):
        return f"[{','.join([_written(item) for item in value])}]"
    return _number(value) if isinstance(value, float) else _encoded(value)


def _is_index(name: str) -> bool:
    return _INDEX.fullmatch(name) is not None and int(name) <= _LARGEST_INDEX


def _number(value: float) -> str:
    """The algorithm and its limits are those of Number::toString in ECMAScript."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    parts = Decimal(repr(abs(value))).normalize().as_tuple()
    digits = "".join(map(str, parts.digits))
    point = len(digits) + int(parts.exponent)
    if len(digits) <= point <= _MOST_DIGITS:
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    if 0 < point <= _MOST_DIGITS:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if _FEWEST_PLACES < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"
