"""The functions that JMESPath defines, each within bounds.

https://jmespath.org/specification.html. As there, an argument of another type is an error, which
here says nothing of the argument's value. What differs: `to_number` reads the numbers of JSON and
nothing else, and `to_string` writes numbers as bodies have them, 10.0 as 10.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from perkwire.formats.contracts.bounds import Allowance, Unsayable
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json
from perkwire.primitives.stringify import stringify

type Evaluator = Callable[[Any, Allowance], Any]


@dataclass(frozen=True, slots=True)
class Inner:
    """An expression as an argument (`&price`), and the steps that one run of it costs."""

    evaluate: Evaluator
    steps: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function, and how many arguments it takes; `most` None if any number.

    `inner` is the position of the argument that is an expression, if one is.
    """

    call: Callable[[Sequence[Any], Allowance], Json]
    fewest: int
    most: int | None
    inner: int | None = None


_NUMBER = regex(r"-?(?:0|[1-9][0-9]{0,40})(?:\.[0-9]{1,40})?(?:[eE][-+]?[0-9]{1,3})?")


def same(left: Json, right: Json, allowance: Allowance) -> bool:
    """Whether two values are equal as JSON: true is not 1."""
    allowance.spend(1)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, str) and isinstance(right, str) and len(left) == len(right):
        allowance.spend_letters(len(left))
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            same(one, other, allowance) for one, other in zip(left, right, strict=True)
        )
    if isinstance(left, dict) and isinstance(right, dict):
        allowance.spend(min(len(left), len(right)))
        return left.keys() == right.keys() and all(
            same(left[key], right[key], allowance) for key in left
        )
    return left == right


def is_number(value: object) -> bool:
    """A number of JSON; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong(function: str, wanted: str) -> Unsayable:
    return Unsayable(f"{function}() was given what is no {wanted}")


def _number(function: str, value: Any) -> Any:  # noqa: ANN401
    if not is_number(value):
        raise _wrong(function, "number")
    return value


def _text(function: str, value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise _wrong(function, "string")
    return value


def _array(function: str, value: Any, allowance: Allowance) -> list[Any]:  # noqa: ANN401
    if not isinstance(value, list):
        raise _wrong(function, "array")
    allowance.spend(len(value))
    return value


def _object(function: str, value: Any, allowance: Allowance) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(value, dict):
        raise _wrong(function, "object")
    allowance.spend(len(value))
    return value


def _numbers(function: str, value: Any, allowance: Allowance) -> list[Any]:  # noqa: ANN401
    found = _array(function, value, allowance)
    if not all(map(is_number, found)):
        raise _wrong(function, "array of numbers")
    return found


def _alike(function: str, values: Sequence[Any], allowance: Allowance) -> Sequence[Any]:
    """Values that can be put in order: all numbers, or all strings."""
    if all(map(is_number, values)):
        return values
    if not all(isinstance(value, str) for value in values):
        raise _wrong(function, "array of numbers or of strings")
    allowance.spend_letters(sum(map(len, values)))
    return values


def _extreme(function: str, choose: Callable[..., Any]) -> Function:
    def call(given: Sequence[Any], allowance: Allowance) -> Json:
        values = _alike(function, _array(function, given[0], allowance), allowance)
        return choose(values) if values else None

    return Function(call, 1, 1)


def _keys(
    function: str, given: Sequence[Any], allowance: Allowance
) -> tuple[list[Any], Sequence[Any]]:
    """The values of an array, and what the expression beside it makes of each."""
    values, inner = _array(function, given[0], allowance), given[1]
    allowance.spend(len(values) * inner.steps)
    keys = [inner.evaluate(value, allowance) for value in values]
    return values, _alike(function, keys, allowance)


def _by(function: str, choose: Callable[..., Any]) -> Function:
    def call(given: Sequence[Any], allowance: Allowance) -> Json:
        values, keys = _keys(function, given, allowance)
        if not values:
            return None
        return values[choose(range(len(values)), key=keys.__getitem__)]  # type: ignore[no-any-return]

    return Function(call, 2, 2, inner=1)


def _sort_by(given: Sequence[Any], allowance: Allowance) -> Json:
    values, keys = _keys("sort_by", given, allowance)
    return [values[position] for position in sorted(range(len(values)), key=keys.__getitem__)]


def _sort(given: Sequence[Any], allowance: Allowance) -> Json:
    return sorted(_alike("sort", _array("sort", given[0], allowance), allowance))


def _map(given: Sequence[Any], allowance: Allowance) -> Json:
    inner, values = given[0], _array("map", given[1], allowance)
    allowance.spend(len(values) * inner.steps)
    return [inner.evaluate(value, allowance) for value in values]


def _contains(given: Sequence[Any], allowance: Allowance) -> Json:
    subject, search = given
    if isinstance(subject, str):
        allowance.spend_letters(len(subject))
        return isinstance(search, str) and search in subject
    return any(same(item, search, allowance) for item in _array("contains", subject, allowance))


def _affix(function: str, has: Callable[[str, str], bool]) -> Function:
    def call(given: Sequence[Any], allowance: Allowance) -> Json:
        value, affix = (_text(function, one) for one in given)
        allowance.spend_letters(min(len(value), len(affix)))
        return has(value, affix)

    return Function(call, 2, 2)


def _join(given: Sequence[Any], allowance: Allowance) -> Json:
    glue, values = _text("join", given[0]), _array("join", given[1], allowance)
    if not all(isinstance(value, str) for value in values):
        raise _wrong("join", "array of strings")
    allowance.spend_letters(sum(map(len, values)) + len(glue) * len(values))
    return glue.join(values)


def _length(given: Sequence[Any], _allowance: Allowance) -> Json:
    if not isinstance(given[0], str | list | dict):
        raise _wrong("length", "string, array or object")
    return len(given[0])


def _merge(given: Sequence[Any], allowance: Allowance) -> Json:
    merged: dict[str, Json] = {}
    for value in given:
        merged |= _object("merge", value, allowance)
    return merged


def _reverse(given: Sequence[Any], allowance: Allowance) -> Json:
    if isinstance(given[0], str):
        allowance.spend_letters(len(given[0]))
        return given[0][::-1]
    return [*reversed(_array("reverse", given[0], allowance))]


def _sum(given: Sequence[Any], allowance: Allowance) -> Json:
    total: Json = sum(_numbers("sum", given[0], allowance))
    return total


def _avg(given: Sequence[Any], allowance: Allowance) -> Json:
    values = _numbers("avg", given[0], allowance)
    return sum(values) / len(values) if values else None


def _to_string(given: Sequence[Any], allowance: Allowance) -> Json:
    if isinstance(given[0], str):
        return given[0]
    allowance.pass_on(given[0])
    written = stringify(given[0]).decode()
    allowance.spend_letters(len(written))
    return written


def _to_number(given: Sequence[Any], _allowance: Allowance) -> Json:
    value = given[0]
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        read: Json = json.loads(value)
        return read
    return value if is_number(value) else None


def _type(given: Sequence[Any], _allowance: Allowance) -> Json:
    match given[0]:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
        case _:
            return "number"


def _plain(call: Callable[[Any], Json]) -> Function:
    return Function(lambda given, _: call(given[0]), 1, 1)


FUNCTIONS: Mapping[str, Function] = {
    "abs": _plain(lambda value: abs(_number("abs", value))),
    "avg": Function(_avg, 1, 1),
    "ceil": _plain(lambda value: math.ceil(_number("ceil", value))),
    "contains": Function(_contains, 2, 2),
    "ends_with": _affix("ends_with", str.endswith),
    "floor": _plain(lambda value: math.floor(_number("floor", value))),
    "join": Function(_join, 2, 2),
    "keys": Function(lambda given, left: [*_object("keys", given[0], left)], 1, 1),
    "length": Function(_length, 1, 1),
    "map": Function(_map, 2, 2, inner=0),
    "max": _extreme("max", max),
    "max_by": _by("max_by", max),
    "merge": Function(_merge, 1, None),
    "min": _extreme("min", min),
    "min_by": _by("min_by", min),
    "not_null": Function(
        lambda given, _: next((one for one in given if one is not None), None), 1, None
    ),
    "reverse": Function(_reverse, 1, 1),
    "sort": Function(_sort, 1, 1),
    "sort_by": Function(_sort_by, 2, 2, inner=1),
    "starts_with": _affix("starts_with", str.startswith),
    "sum": Function(_sum, 1, 1),
    "to_array": _plain(lambda value: value if isinstance(value, list) else [value]),
    "to_number": Function(_to_number, 1, 1),
    "to_string": Function(_to_string, 1, 1),
    "type": Function(_type, 1, 1),
    "values": Function(lambda given, left: [*_object("values", given[0], left).values()], 1, 1),
}
