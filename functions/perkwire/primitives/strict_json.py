"""JSON as we accept and write it: RFC 8259, and nothing that would change on its way through.

Refused, because a receiver would not get what the sender wrote: duplicate keys, NaN and Infinity,
numbers that do not come back the same from a 64-bit integer or an IEEE 754 double, lone
surrogates, text that is not UTF-8, nesting deeper than MAX_DEPTH.
"""

import codecs
import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from perkwire.primitives.regexes import regex

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None

MAX_DEPTH = 32
_MAX_INTEGER = 2**64 - 1
_MIN_INTEGER = -(2**63)
_MAX_NUMBER_LENGTH = 64
_BEYOND_ASCII = regex(r"[^\x00-\x7f]+")


class InvalidJson(ValueError):
    """Why a text is refused, as a sentence for the one who sent it."""


def parse(text: bytes | str) -> Json:
    """The value of a JSON text, which a byte order mark may begin; raises InvalidJson."""
    try:
        if isinstance(text, bytes):
            text = _decoded(text)
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InvalidJson(f"The body is not JSON from {place} on.") from None
    except RecursionError:
        raise InvalidJson(f"The body nests deeper than {MAX_DEPTH} levels.") from None
    _check(value)
    return value  # type: ignore[no-any-return]


def not_utf8(text: bytes) -> str:
    """Why a text that is not UTF-8 is refused, as a sentence for the one who sent it."""
    return (
        "The body is UTF-16 or UTF-32; send UTF-8." if _is_wide(text) else "The body is not UTF-8."
    )


def compact(value: Json) -> bytes:
    """UTF-8 without insignificant white space: what endpoints get."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def compact_ascii(value: Json) -> str:
    """ASCII only: what queues carry, since SQS refuses characters that XML cannot hold.

    At most three times as long as `compact`, which documented limits are measured in: U+007F, a
    byte of UTF-8 that `json` would write as six, is left as it is, as XML can hold it.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if text.isascii() else _BEYOND_ASCII.sub(_escaped, text)


def carried(value: Json) -> int:
    """The bytes of a value in an answer of management or the console, as Lambda carries that.

    An answer is text within JSON, where each quote and backslash of its own JSON takes two bytes.
    """
    text = json.dumps(value)
    return len(text) + text.count('"') + text.count("\\")


def _escaped(run: re.Match[str]) -> str:
    return json.dumps(run[0])[1:-1]


def _decoded(text: bytes) -> str:
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidJson(not_utf8(text)) from None
    if _is_wide(text):
        raise InvalidJson(not_utf8(text))
    return decoded


def _is_wide(text: bytes) -> bool:
    # A JSON text begins with ASCII, which has a zero for its other bytes in UTF-16 and UTF-32.
    return text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in text[:2]


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InvalidJson(f"The body has the key {_shown(twice)} twice in one object.")
    return found


def _constant(name: str) -> Json:
    raise InvalidJson(f"The body is not JSON: {name} is not a JSON number.")


def _float(literal: str) -> float:
    if len(literal) > _MAX_NUMBER_LENGTH:
        raise InvalidJson(f"The body has a number of {len(literal)} characters.")
    number = float(literal)
    if not _holds(number, literal):
        raise InvalidJson(
            f"The number {literal} does not fit an IEEE 754 double exactly; send it as a string."
        )
    return number


def _holds(number: float, literal: str) -> bool:
    written = repr(number)
    if written == literal:
        return True
    try:
        return math.isfinite(number) and Decimal(written) == Decimal(literal)
    except InvalidOperation:  # an exponent beyond what decimals hold
        return False


def _integer(literal: str) -> int | float:
    if literal == "-0":
        return -0.0
    number = int(literal) if len(literal) <= _MAX_NUMBER_LENGTH else _MAX_INTEGER + 1
    if not _MIN_INTEGER <= number <= _MAX_INTEGER:
        raise InvalidJson("The body has an integer that needs more than 64 bits.")
    return number


def _check(root: Json) -> None:
    level: list[Json] = [root]
    for _ in range(MAX_DEPTH):
        level = [child for value in level for child in _children(value)]
    for value in level:
        if isinstance(value, list | dict):
            raise InvalidJson(f"The body nests deeper than {MAX_DEPTH} levels.")
        if isinstance(value, str):
            _check_text(value)


def _children(value: Json) -> Iterator[Json]:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, list):
        yield from value
    elif isinstance(value, dict):
        for key in value:
            _check_text(key)
        yield from value.values()


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidJson("The body has a string with a lone surrogate.") from None


def _shown(text: str) -> str:
    return json.dumps(text[:64])
