from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given

from perkwire.formats import reading
from perkwire.primitives.strict_json import Json
from tests.unit.strategies import JSON

READERS: list[Callable[[dict[str, Json], str], object]] = [
    reading.part,
    reading.parts,
    reading.text,
    reading.texts,
    reading.flag,
    reading.number,
    reading.integer,
    reading.decimal,
    reading.moment,
    reading.day,
]


@pytest.mark.parametrize("read", READERS)
@given(value=JSON)
def test_no_value_is_too_odd_to_be_read(
    read: Callable[[dict[str, Json], str], object], value: Json
) -> None:
    read({"it": value}, "it")
    assert not read({}, "it")


def test_a_part_is_found_through_objects_only() -> None:
    data: dict[str, Json] = {"a": {"b": {"c": 1}}, "x": [{"b": {}}]}

    assert reading.part(data, "a", "b") == {"c": 1}
    assert reading.part(data) == data
    assert reading.part(data, "a", "b", "c") == {}
    assert reading.part(data, "x", "b") == {}


def test_a_list_is_read_without_what_does_not_belong_in_it() -> None:
    mixed: dict[str, Json] = {"it": ["a", {"b": 1}, 2, None, {}, ""]}

    assert reading.parts(mixed, "it") == [{"b": 1}, {}]
    assert reading.texts(mixed, "it") == ["a", ""]
    assert reading.texts({"it": "a"}, "it") is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        *((3, 3), (3.0, 3), (-0.0, 0), (1e16, 10**16), (-(2.0**63), -(2**63))),
        *((2**64 - 1, 2**64 - 1), (1e300, 1e300), (3.5, 3.5)),
    ],
)
def test_a_whole_number_is_an_integer_if_64_bits_hold_it(value: Json, read: float) -> None:
    found = reading.number({"it": value}, "it")

    assert found == read
    assert type(found) is type(read)
    assert reading.integer({"it": value}, "it") == (read if read % 1 == 0 else None)


@pytest.mark.parametrize("value", [True, False, "3", [3], {}, None])
def test_nothing_else_is_a_number(value: Json) -> None:
    assert reading.number({"it": value}, "it") is None


@pytest.mark.parametrize(
    ("value", "read"),
    [("39.90", "39.90"), ("-0.5", "-0.5"), ("007", "7"), (39.9, "39.9"), (45, "45")],
)
def test_a_decimal_is_exact(value: Json, read: str) -> None:
    assert reading.decimal({"it": value}, "it") == Decimal(read)


@pytest.mark.parametrize(
    "value",
    ["", "1e9", "1_000", " 1", "1\n", "1.", ".5", "NaN", "Infinity", "\u0663", "9" * 31, True],
)
def test_what_is_not_plain_digits_is_no_decimal(value: Json) -> None:
    assert reading.decimal({"it": value}, "it") is None


@pytest.mark.parametrize("value", ["2026-02-30", "20260221", "2026-W08-6", "2026-02-21T00:00:00Z"])
def test_only_a_calendar_day_is_a_day(value: str) -> None:
    assert reading.day({"it": value}, "it") is None
    assert str(reading.day({"it": "2026-02-21"}, "it")) == "2026-02-21"


def test_a_moment_is_in_microseconds() -> None:
    assert reading.moment({"it": "1970-01-01T01:00:00.000001+01:00"}, "it") == 1
    assert reading.moment({"it": "1970-01-01"}, "it") is None


def test_what_is_present_and_what_comes_first_is_not_none() -> None:
    assert list(reading.present({"b": 0, "a": None, "c": ""}).items()) == [("b", 0), ("c", "")]
    assert reading.first(None, 0, 1) == 0
    assert reading.first(None, None) is None
