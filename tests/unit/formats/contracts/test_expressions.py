"""Expressions: the `jmespath` package is the judge of what they mean, and bounds what it lacks."""

import re
import time
from contextlib import suppress

import jmespath
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError

from perkwire.formats.contracts import jmespath_functions
from perkwire.formats.contracts.bounds import (
    LARGEST_BODY,
    Allowance,
    TooMuch,
    Unsayable,
)
from perkwire.formats.contracts.expressions import (
    LONGEST_EXPRESSION,
    WrongExpression,
    read_expression,
)
from perkwire.primitives.strict_json import Json
from tests.unit.strategies import SCALARS

NAMES = st.sampled_from(["a", "b", "c"])
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS | st.sampled_from([0, 1, 1.0, True, False, "", "a", "ab"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
LEAVES = st.one_of(
    NAMES,
    st.sampled_from(["@", "`1`", "`true`", "'a'", "`[1,2]`", "`null`", "*", "[]", "[*]", "[0]"]),
)
ONE_ARGUMENT = [
    "abs", "avg", "ceil", "floor", "keys", "length", "max", "min", "reverse", "sort", "sum",
    "to_array", "type", "values", "not_null", "merge",
]  # fmt: skip
TWO_ARGUMENTS = ["contains", "ends_with", "starts_with", "join", "merge", "not_null"]


def _more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        two.map(lambda pair: f"({pair[0]}).{pair[1]}" if pair[1][0] in "abc*{[" else pair[0]),
        two.map(lambda pair: f"{pair[0]} | {pair[1]}"),
        two.map(lambda pair: f"({pair[0]}) || ({pair[1]})"),
        two.map(lambda pair: f"({pair[0]}) && ({pair[1]})"),
        two.map(lambda pair: f"[{pair[0]}, {pair[1]}]"),
        two.map(lambda pair: f"{{a: {pair[0]}, b: {pair[1]}}}"),
        two.map(lambda pair: f"({pair[0]})[?{pair[1]}]"),
        two.map(lambda pair: f"sort_by({pair[0]}, &{pair[1]})"),
        two.map(lambda pair: f"max_by({pair[0]}, &{pair[1]})"),
        two.map(lambda pair: f"min_by({pair[0]}, &{pair[1]})"),
        two.map(lambda pair: f"map(&{pair[0]}, {pair[1]})"),
        st.tuples(inner, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
        inner.map(lambda one: f"!({one})"),
        inner.map(lambda one: f"({one})[]"),
        inner.map(lambda one: f"({one})[*]"),
        inner.map(lambda one: f"({one})[-1]"),
        inner.map(lambda one: f"({one})[1:]"),
        inner.map(lambda one: f"({one})[::-2]"),
        st.tuples(st.sampled_from(ONE_ARGUMENT), inner).map(lambda pair: f"{pair[0]}({pair[1]})"),
        st.tuples(st.sampled_from(TWO_ARGUMENTS), inner, inner).map(
            lambda parts: f"{parts[0]}({parts[1]}, {parts[2]})"
        ),
    )


EXPRESSIONS = st.recursive(LEAVES, _more, max_leaves=8)
ROOTS = st.dictionaries(NAMES, VALUES, max_size=3)


def value(source: str, roots: dict[str, Json] | None = None) -> Json:
    return read_expression(source).value(roots or {}, Allowance())


def is_same(one: object, other: object) -> bool:
    """As JSON: true is not 1, 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    return one == other


@settings(max_examples=250, deadline=None)
@given(EXPRESSIONS, ROOTS)
@example("sort_by(a, &b)", {"a": []})
@example("max_by(a, &b)", {"a": [{"b": 1, "c": 1}, {"b": 1, "c": 2}]})
@example("a[?b == `1`]", {"a": [{"b": True}, {"b": 1}]})
@example("!a", {"a": 0})
@example("contains(a, `1`)", {"a": [1]})
def test_an_expression_means_what_jmespath_says(source: str, roots: dict[str, Json]) -> None:
    try:
        wanted = jmespath.search(source, roots)
    except (JMESPathError, TypeError, ValueError, OverflowError):
        # An argument of a wrong type: no more than that an exception of ours is all that comes.
        value_or_not(source, roots)
        return
    if "contains(" in source:  # there the package takes true for 1
        value_or_not(source, roots)
        return

    assert is_same(value(source, roots), wanted), source


def value_or_not(source: str, roots: dict[str, Json]) -> None:
    with suppress(Unsayable, WrongExpression):
        value(source, roots)


@settings(max_examples=150, deadline=None)
@given(
    st.text("abc.[]()|&!*@,:?{}`'\"<>=- 01\\_\n", max_size=80)
    | st.lists(st.sampled_from(["[@,@]", "|", "a", "[]", "to_string(@)", "join(@,", "&", "(", ")"]))
    .map("".join)
    .map(lambda text: text[:LONGEST_EXPRESSION]),
    ROOTS,
)
def test_whatever_is_written_is_read_refused_or_unsayable(
    source: str, roots: dict[str, Json]
) -> None:
    with suppress(Unsayable, WrongExpression):
        Allowance().pass_on(value(source, roots))


@pytest.mark.parametrize(
    "literal",
    ["`gold`", "`NaN`", "`1e999`", "`123456789012345678901234567890`", '`"\\ud800"`', "a || `'x'`"],
)
def test_a_literal_that_is_no_json_is_refused(literal: str) -> None:
    with pytest.raises(WrongExpression, match="literal that is no JSON"):
        read_expression(literal)


HEAVY = {
    "each pipe doubles": "|".join(["[@,@]"] * 39),
    "its text doubles": "|".join(["join('',[to_string(@),to_string(@)])"] * 12),
    "its text doubles within an array": "|".join(["[@,@]"] * 25) + "|to_string(@)",
    "a comparison of what has doubled": "|".join(["[@,@]"] * 16) + "|@[0] == @[1]",
    "all is flattened": "|".join(["[@,@][]"] * 12),
    "a loop in a loop in a loop": "data[].{a: @, b: map(&map(&map(&@, data), data), data)}".replace(
        "data)", "`[1,2,3,4,5,6,7,8,9]`)"
    ).replace("data[]", "data[*]"),
    "sorted again and again": "|".join(["sort(@)"] * 38),
}


LONG_TEXTS: dict[str, Json] = {"a": "x" * 50_000 + "a", "b": "x" * 50_000 + "b"}
SAME_TEXTS: dict[str, Json] = {"a": "x" * 50_000, "b": "x" * 50_000}
MANY_MEMBERS: dict[str, Json] = {f"k{number}": 0 for number in range(5_000)}
LARGE_OBJECTS: dict[str, Json] = {"a": MANY_MEMBERS | {"a": 1}, "b": MANY_MEMBERS | {"b": 1}}
LONG_PATTERN: dict[str, Json] = {"a": "YYYY" * 10_000}


@pytest.mark.parametrize(
    ("each", "data"),
    [
        ("[?a == b]", LONG_TEXTS),
        ("[?a == b]", SAME_TEXTS),
        ("[?a == b]", LARGE_OBJECTS),
        ("[?contains([a], b)]", LONG_TEXTS),
        ("[?starts_with(a, b)]", LONG_TEXTS),
        ("[?ends_with(a, b)]", LONG_TEXTS),
        ("[*].date('2026-11-30', a)", LONG_PATTERN),
    ],
)
def test_what_is_long_in_an_event_is_paid_for_each_time(each: str, data: dict[str, Json]) -> None:
    """Pipes make thousands of references to one value: each look at all of it counts."""
    thousand = f"@{'|[@,@]|[]' * 10}|{each}"

    with pytest.raises(TooMuch):
        read_expression(thousand).value(data, Allowance())
    read_expression(thousand).value({"a": "a", "b": "b"}, Allowance())


@pytest.mark.parametrize("what", HEAVY)
def test_what_would_take_long_or_much_ends_at_once(what: str) -> None:
    many: Json = [*range(1000)]
    started = time.process_time()
    expression = read_expression(HEAVY[what])
    roots: dict[str, Json] = {"data": many, "word": "x" * 1000}
    start: Json = many if what.startswith(("sorted", "all", "each")) else roots

    def ten_times() -> None:
        allowance = Allowance(10)
        for _ in range(10):
            allowance.pass_on(expression.value(start, allowance))  # type: ignore[arg-type]

    with pytest.raises(TooMuch):
        ten_times()

    assert time.process_time() - started < 1


def test_a_text_is_measured_before_it_is_made() -> None:
    long = "x" * (LARGEST_BODY // 2)

    with pytest.raises(TooMuch):
        value("join('', [a, a, a])", {"a": long})
    with pytest.raises(TooMuch):
        value("concat(a, a, a)", {"a": long})


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("", "is empty"),
        ("a.", "ends too early"),
        ("a..b", "is wrong at character 3, at “.b”"),
        ("nope(a)", "calls nope(), which is no function of contracts"),
        ("iso_ms()", "calls iso_ms() with 0 arguments"),
        ("iso_ms(a, b)", "calls iso_ms() with 2 arguments"),
        ("sort_by(a, b)", "calls sort_by() without an expression such as &name"),
        ("&a", "has a & where no expression can be an argument"),
        ("`NaN`", "has a literal that is no JSON"),
        ("a[::0]", "has a slice of step 0"),
        ("(" * 300 + "a" + ")" * 300, f"has more than {LONGEST_EXPRESSION} characters"),
        ("!" * 400 + "a", "nests too deeply"),
        ("[" + ",".join(["a"] * 220) + "]", "has more than 200 parts"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(source: str, wrong: str) -> None:
    with pytest.raises(WrongExpression, match=f"^{re.escape(wrong)}$"):
        read_expression(source)


def test_every_function_of_jmespath_is_there() -> None:
    assert {*jmespath_functions.FUNCTIONS} == {*jmespath.functions.Functions.FUNCTION_TABLE}
