"""What one value of an event must be: the values and operators in a list of an event pattern.

The operators are those of Amazon EventBridge's event patterns, as its user guide documents them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final, TypeIs

from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import one_of
from perkwire.primitives.strict_json import Json

type Scalar = bool | int | float | str | None
type Test = Callable[[Scalar], bool]
type Place = tuple[str | int, ...]
"""The names and positions that lead to a part of a pattern."""

_DOUBLES_HOLD_ALL_INTEGERS: Final = 2**53
_HOLDERS = (list, dict)
_NUMBERS = (int, float)
_LOWER = (">", ">=")
_UPPER = ("<", "<=")
_IGNORE_CASE = "equals-ignore-case"
OPERATORS = (
    "prefix",
    "suffix",
    _IGNORE_CASE,
    "wildcard",
    "anything-but",
    "numeric",
    "exists",
)
_NEGATED = ("prefix", "suffix", _IGNORE_CASE, "wildcard")


class WrongValue(Exception):
    """What is wrong with a value or an operator, and where as seen from it."""

    def __init__(self, detail: str, *place: str | int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.place: Place = place

    def within(self, *place: str | int) -> "WrongValue":
        """The same as seen from further out."""
        return WrongValue(self.detail, *place, *self.place)


class TooManyLooks(Exception):
    """A pattern would have to look at more values of an event than it may."""


class Looks:
    """How often a pattern may still look at a value in a list, so that no event takes it long."""

    __slots__ = ("_left",)

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, number: int) -> None:
        """Look so many times; raises TooManyLooks."""
        self._left -= number
        if self._left < 0:
            raise TooManyLooks


@dataclass(frozen=True, slots=True)
class Condition:
    """What a list of a pattern asks of a member: any of it is enough.

    `absent` says whether a member may be missing, `present` whether any value will do.
    """

    texts: frozenset[str]
    numbers: frozenset[int | float]
    constants: tuple[bool | None, ...]
    tests: tuple[Test, ...]
    present: bool
    absent: bool

    @property
    def looks(self) -> int:
        """How many looks at one value it takes at most."""
        return 1 + len(self.tests)

    def takes(self, member: Json, looks: Looks) -> bool:
        """Whether a member that there is fits: of a list, any value at any depth.

        Raises TooManyLooks.
        """
        if isinstance(member, _HOLDERS):
            return self._takes_any(scalars(member), looks)
        return self._takes(member)

    def takes_any(self, values: Iterator[Scalar]) -> bool:
        """Whether one of the values fits, or there are none and none need be."""
        return self._takes_any(values, None)

    def _takes_any(self, values: Iterator[Scalar], looks: Looks | None) -> bool:
        is_there = False
        for value in values:
            if looks is not None:
                looks.take(self.looks)
            if self._takes(value):
                return True
            is_there = True
        return self.absent and not is_there

    def _takes(self, value: Scalar) -> bool:
        if self.present:
            return True
        if isinstance(value, str):
            if value in self.texts:
                return True
        elif value is None or value is True or value is False:
            if any(value is one for one in self.constants):
                return True
        elif self.numbers and exact(value) in self.numbers:
            return True
        for test in self.tests:  # noqa: SIM110 - a generator would cost more than the tests
            if test(value):
                return True
        return False


def scalars(member: Json) -> Iterator[Scalar]:
    """The values that a member holds: its own, or those in its lists; objects hold none."""
    if isinstance(member, list):
        for item in member:
            yield from scalars(item)
    elif not isinstance(member, dict):
        yield member


def exact(number: float) -> int | float:
    """A number that compares as its decimal digits do, however it was written.

    Beyond 2**53 the shortest digits of a double are not its own value; below, Python's comparison
    of integers and doubles is that of their digits.
    """
    if -_DOUBLES_HOLD_ALL_INTEGERS < number < _DOUBLES_HOLD_ALL_INTEGERS:
        return number
    return int(Decimal(repr(number)))


def read_condition(values: list[Json], count: Callable[[int], None]) -> Condition:
    """The condition of a list; raises WrongValue. `count` is told how many values it has."""
    if not values:
        raise WrongValue("must not be empty: a list has the values that are wanted")
    texts: set[str] = set()
    numbers: set[int | float] = set()
    constants: list[bool | None] = []
    tests: list[Test] = []
    presences: set[bool] = set()
    for position, value in enumerate(values):
        if isinstance(value, dict):
            try:
                test = _read_operator(value, count)
            except WrongValue as wrong:
                raise wrong.within(position) from None
            if isinstance(test, bool):
                presences.add(test)
            else:
                tests.append(test)
            continue
        count(1)
        if isinstance(value, list):
            raise WrongValue(
                "must be a string, a number, true, false, null or an operator", position
            )
        if isinstance(value, str):
            texts.add(value)
        elif value is None or isinstance(value, bool):
            constants.append(value)
        else:
            numbers.add(exact(value))
    return Condition(
        frozenset(texts),
        frozenset(numbers),
        tuple(constants),
        tuple(tests),
        present=True in presences,
        absent=False in presences,
    )


def _read_operator(given: dict[str, Json], count: Callable[[int], None]) -> Test | bool:
    if len(given) != 1 or (name := next(iter(given))) not in OPERATORS:
        raise WrongValue(f"must have one operator: {one_of(OPERATORS)}")
    operand = given[name]
    try:
        if name == "exists":
            count(1)
            if not isinstance(operand, bool):
                raise WrongValue("must be true or false")
            return operand
        if name == "numeric":
            return _read_numeric(operand, count)
        if name == "anything-but":
            return _read_anything_but(operand, count)
        count(1)
        return _read_text_test(name, operand)
    except WrongValue as wrong:
        raise wrong.within(name) from None


def _read_text_test(name: str, operand: Json) -> Test:
    if isinstance(operand, dict) and name in ("prefix", "suffix"):
        inner = operand.get(_IGNORE_CASE)
        if len(operand) != 1 or not isinstance(inner, str):
            raise WrongValue(f'must be a string, or {{"{_IGNORE_CASE}": a string}}')
        folded = inner.casefold()
        return partial(_begins_folded if name == "prefix" else _ends_folded, folded)
    if not isinstance(operand, str):
        raise WrongValue("must be a string")
    if name == "wildcard":
        return _read_wildcard(operand)
    if name == _IGNORE_CASE:
        return partial(_equals_folded, operand.casefold())
    return partial(_begins if name == "prefix" else _ends, operand)


def _begins(operand: str, value: Scalar) -> bool:
    return isinstance(value, str) and value.startswith(operand)


def _ends(operand: str, value: Scalar) -> bool:
    return isinstance(value, str) and value.endswith(operand)


def _begins_folded(operand: str, value: Scalar) -> bool:
    return isinstance(value, str) and value.casefold().startswith(operand)


def _ends_folded(operand: str, value: Scalar) -> bool:
    return isinstance(value, str) and value.casefold().endswith(operand)


def _equals_folded(operand: str, value: Scalar) -> bool:
    return isinstance(value, str) and value.casefold() == operand


def _read_wildcard(operand: str) -> Test:
    r"""`*` is any text, `\*` and `\\` are what they escape."""
    parts: list[list[str]] = [[]]
    characters = iter(operand)
    before = ""
    for one in characters:
        if one == "\\":
            escaped = next(characters, "")
            if escaped not in ("*", "\\"):
                raise WrongValue(r"must not have a backslash but in \* and \\")
            parts[-1].append(escaped)
            before = ""
            continue
        if one == "*":
            if before == "*":
                raise WrongValue("must not have two * in a row")
            parts.append([])
        else:
            parts[-1].append(one)
        before = one
    first, *rest = ("".join(part) for part in parts)
    return partial(_fits_wildcard, first, tuple(rest))


def _fits_wildcard(first: str, rest: Sequence[str], value: Scalar) -> bool:
    """Each part at its first place behind the one before it: `str.find` takes linear time."""
    if not isinstance(value, str):
        return False
    if not rest:
        return value == first
    end = len(value) - len(rest[-1])
    if len(first) > end or not value.startswith(first) or not value.endswith(rest[-1]):
        return False
    place = len(first)
    for part in rest[:-1]:
        found = value.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _read_anything_but(operand: Json, count: Callable[[int], None]) -> Test:
    if isinstance(operand, dict):
        return _read_negated(operand, count)
    values = operand if isinstance(operand, list) else [operand]
    count(len(values))
    texts = [value for value in values if isinstance(value, str)]
    if texts and len(texts) == len(values):
        return partial(_is_none_of, frozenset(texts))
    numbers = [value for value in values if _is_number(value)]
    if not numbers or len(numbers) < len(values):
        raise WrongValue(
            "must be a string, a number, a list of only strings or only numbers, or one of the "
            f"operators {one_of(_NEGATED)}"
        )
    return partial(_is_no_number_of, frozenset(exact(value) for value in numbers))


def _read_negated(operand: dict[str, Json], count: Callable[[int], None]) -> Test:
    if len(operand) != 1 or (name := next(iter(operand))) not in _NEGATED:
        raise WrongValue(f"must have one operator: {one_of(_NEGATED)}")
    given = operand[name]
    values = given if isinstance(given, list) else [given]
    count(len(values))
    if not values or not all(isinstance(value, str) for value in values):
        raise WrongValue("must be a string or a list of strings", name)
    if name in ("prefix", "suffix") and "" in values:
        raise WrongValue("must not be empty: every string begins and ends so", name)
    tests = []
    for value in values:
        try:
            tests.append(_read_text_test(name, value))
        except WrongValue as wrong:
            raise wrong.within(name) from None
    return partial(_passes_none_of, tuple(tests))


def _is_none_of(texts: frozenset[str], value: Scalar) -> bool:
    return not isinstance(value, str) or value not in texts


def _is_no_number_of(numbers: frozenset[int | float], value: Scalar) -> bool:
    return not _is_number(value) or exact(value) not in numbers


def _passes_none_of(tests: Sequence[Test], value: Scalar) -> bool:
    return not any(test(value) for test in tests)


def _read_numeric(operand: Json, count: Callable[[int], None]) -> Test:
    wrong = WrongValue(
        'must be a comparison such as ["=", 5] or [">=", 5], or a range such as [">", 0, "<=", 5]'
    )
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise wrong
    signs, limits = operand[::2], operand[1::2]
    count(len(limits))
    numbers = [exact(limit) for limit in limits if _is_number(limit)]
    if len(numbers) < len(limits) or any(
        not isinstance(sign, str) or sign not in _COMPARED for sign in signs
    ):
        raise wrong
    if len(limits) > 1:
        if signs[0] not in _LOWER or signs[1] not in _UPPER:
            raise wrong
        if numbers[0] >= numbers[1]:
            raise WrongValue("must have its lower bound below its upper one")
    tests = [
        partial(_COMPARED[str(sign)], number) for sign, number in zip(signs, numbers, strict=True)
    ]
    lower, *upper = tests
    return partial(_passes_both, lower, upper[0]) if upper else lower


def _passes_both(lower: Test, upper: Test, value: Scalar) -> bool:
    return lower(value) and upper(value)


def _is_equal(number: float, value: Scalar) -> bool:
    return _is_number(value) and exact(value) == number


def _is_below(bound: float, value: Scalar) -> bool:
    return _is_number(value) and exact(value) < bound


def _is_at_most(bound: float, value: Scalar) -> bool:
    return _is_number(value) and exact(value) <= bound


def _is_above(bound: float, value: Scalar) -> bool:
    return _is_number(value) and exact(value) > bound


def _is_at_least(bound: float, value: Scalar) -> bool:
    return _is_number(value) and exact(value) >= bound


_COMPARED: Final[Mapping[str, Callable[[float, Scalar], bool]]] = {
    "=": _is_equal,
    "<": _is_below,
    "<=": _is_at_most,
    ">": _is_above,
    ">=": _is_at_least,
}


def _is_number(value: object) -> TypeIs[int | float]:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)
