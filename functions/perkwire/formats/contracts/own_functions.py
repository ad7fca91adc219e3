"""The functions that contracts have beside JMESPath's, named after what they make.

Each makes null of null and of what it cannot read: an event that was kept from before a change of
the catalogue is still said, without that value.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from perkwire.formats.contracts.bounds import Allowance
from perkwire.formats.contracts.jmespath_functions import Function, is_number
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import (
    MICROSECONDS,
    is_date,
    iso_milliseconds,
    parse_rfc3339,
    to_rfc3339,
)

_LARGEST = 2**63 - 1
_LARGEST_OF_EVENTS = 2**64 - 1
_WHOLE = regex(r"-?(?:0|[1-9][0-9]{0,18})")
_DIGITS = regex(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_TIME_PARTS: Mapping[str, slice] = {
    "YYYY": slice(4),
    "MM": slice(5, 7),
    "DD": slice(8, 10),
    "HH": slice(11, 13),
    "mm": slice(14, 16),
    "ss": slice(17, 19),
    "SSS": slice(20, 23),
}
_TIME_PART = regex("|".join(_TIME_PARTS))
_DAY_ALONE = "YYYY-MM-DD"
_LETTERS_OF_A_STEP = 8
"""Of a pattern, each of which may begin a part of a time."""
_NAMESPACE = uuid.UUID("4b1c2f0a-6a0c-5d0e-9f3a-0c5f6a1d2e3b")
"""Of ids that are made of other ids. It never changes: a repeat must carry the same."""


_read_time = lru_cache(maxsize=32)(parse_rfc3339)  # a body says the same time in several places


def _moment(value: Any) -> int | None:  # noqa: ANN401
    return _read_time(value) if isinstance(value, str) else None


def _decimal(value: Any) -> Decimal | None:  # noqa: ANN401
    if isinstance(value, str):
        return Decimal(value) if _DIGITS.fullmatch(value) else None
    return Decimal(repr(value)) if is_number(value) and abs(value) <= 1e30 else None


def _said(value: Decimal | None) -> Json:
    """A whole number as an integer, if it is none that events cannot have."""
    if value is None:
        return None
    if value == value.to_integral_value() and abs(value) <= _LARGEST_OF_EVENTS:
        return int(value)
    return float(value)


def _time(make: Callable[[int], Json]) -> Callable[[Any], Json]:
    def call(value: Any) -> Json:  # noqa: ANN401
        moment = _moment(value)
        return None if moment is None else make(moment)

    return call


def _iso_s(moment: int) -> Json:
    return f"{to_rfc3339(moment)[:19]}Z"


def _date(given: Sequence[Any], allowance: Allowance) -> Json:
    value, pattern = given[0], given[1] if len(given) > 1 else _DAY_ALONE
    if not isinstance(value, str) or not isinstance(pattern, str):
        return None
    moment = _moment(value)
    if moment is not None:
        written = to_rfc3339(moment)
    elif is_date(value):
        written = f"{value}T00:00:00.000000Z"
    else:
        return None
    allowance.spend(len(pattern) // _LETTERS_OF_A_STEP)  # a pattern may be the event's own
    return _TIME_PART.sub(lambda part: written[_TIME_PARTS[part[0]]], pattern)


def _integer_if_whole(value: Any) -> Json:  # noqa: ANN401
    if isinstance(value, str):
        whole = _WHOLE.fullmatch(value) is not None and abs(int(value)) <= _LARGEST
        return int(value) if whole and value != "-0" else value
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST:
        return int(value)
    return value  # type: ignore[no-any-return]


def _digits(value: Any) -> Json:  # noqa: ANN401
    number = _decimal(value)
    if number is None:
        return None
    if isinstance(value, str):
        return f"{number:f}"
    return f"{number.normalize():f}" if number else "0"  # also of -0


def _cents(value: Any) -> Json:  # noqa: ANN401
    number = _decimal(value)
    return None if number is None else _said((number * 100).to_integral_value(ROUND_HALF_UP))


def _sum_of(left: Any, right: Any, sign: int) -> Json:  # noqa: ANN401
    one, other = _decimal(left), _decimal(right)
    return None if one is None or other is None else _said(one + sign * other)


def _unsigned(value: Any) -> Json:  # noqa: ANN401
    number = _decimal(value)
    return None if number is None else _said(abs(number))


def _negate(value: Any) -> Json:  # noqa: ANN401
    number = _decimal(value)
    return None if number is None else _said(-number)


def _text(value: Any) -> Json:  # noqa: ANN401
    if isinstance(value, bool):
        return "true" if value else "false"
    return _digits(value) if is_number(value) else (value if isinstance(value, str) else None)


def _concat(given: Sequence[Any], allowance: Allowance) -> Json:
    parts = [_text(value) for value in given]
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        return None
    allowance.spend_letters(sum(map(len, texts)))
    return "".join(texts)


def _in_letters(make: Callable[[str], str]) -> Function:
    def call(given: Sequence[Any], allowance: Allowance) -> Json:
        if not isinstance(given[0], str):
            return None
        allowance.spend_letters(3 * len(given[0]))  # one letter in capitals may be three
        return make(given[0])

    return Function(call, 1, 1)


def _map_word(given: Sequence[Any], _allowance: Allowance) -> Json:
    word, words = given[0], given[1]
    default = given[2] if len(given) > 2 else word
    if not isinstance(words, dict) or word is None:
        return None
    return words.get(word, default) if isinstance(word, str) else default  # type: ignore[no-any-return]


def _uuid(given: Sequence[Any], allowance: Allowance) -> Json:
    if not isinstance(given[0], str):
        return None
    allowance.spend_letters(len(given[0]))
    named = given[0].encode("utf-8", "surrogatepass")
    return str(uuid.uuid5(_NAMESPACE, named))


def _plain(call: Callable[..., Json], fewest: int = 1) -> Function:
    return Function(lambda given, _: call(*given), fewest, fewest)


FUNCTIONS: Mapping[str, Function] = {
    "add": _plain(lambda left, right: _sum_of(left, right, 1), 2),
    "capitalised": _in_letters(lambda value: f"{value[:1].upper()}{value[1:]}"),
    "cents": _plain(_cents),
    "concat": Function(_concat, 1, None),
    "date": Function(_date, 1, 2),
    "digits": _plain(_digits),
    "epoch_ms": _plain(_time(lambda moment: moment // 1_000)),
    "epoch_s": _plain(_time(lambda moment: moment // MICROSECONDS)),
    "epoch_us": _plain(_time(lambda moment: moment)),
    "integer_if_whole": _plain(_integer_if_whole),
    "iso_ms": _plain(_time(iso_milliseconds)),
    "iso_s": _plain(_time(_iso_s)),
    "iso_us": _plain(_time(to_rfc3339)),
    "lower": _in_letters(str.lower),
    "map_word": Function(_map_word, 2, 3),
    "negate": _plain(_negate),
    "number": _plain(lambda value: _said(_decimal(value))),
    "subtract": _plain(lambda left, right: _sum_of(left, right, -1), 2),
    "text": _plain(_text),
    "unsigned": _plain(_unsigned),
    "upper": _in_letters(str.upper),
    "uuid": Function(_uuid, 1, 1),
}
