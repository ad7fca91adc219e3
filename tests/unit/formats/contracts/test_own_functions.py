"""Our own functions, and that docs/contracts.md has each of them with an example that is so."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.formats.contracts import own_functions
from perkwire.formats.contracts.bounds import Allowance
from perkwire.formats.contracts.expressions import read_expression
from perkwire.formats.voucherify import objects
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import parse_rfc3339
from tests.unit.strategies import JSON

PAGE = (Path(__file__).parents[4] / "docs" / "contracts.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)\(.*?` \| .+? \| `(.+?)` → `(.+?)` \|$", re.M)
EXAMPLES = ROW.findall(PAGE)
ARGUMENTS = st.lists(JSON, min_size=1, max_size=3)


def value(source: str, a: Json = None, b: Json = None) -> Json:
    return read_expression(source).value({"a": a, "b": b}, Allowance())


def test_the_page_has_each_function() -> None:
    assert {name for name, _, _ in EXAMPLES} == {*own_functions.FUNCTIONS}


@pytest.mark.parametrize(("name", "source", "wanted"), EXAMPLES)
def test_an_example_of_the_page_is_so(name: str, source: str, wanted: str) -> None:
    assert f"{name}(" in source
    assert value(source.replace("\\|", "|")) == json.loads(wanted)


@given(st.sampled_from(sorted(own_functions.FUNCTIONS)), ARGUMENTS)
def test_whatever_it_is_given_a_function_makes_json_or_null(name: str, given_: list[Json]) -> None:
    function = own_functions.FUNCTIONS[name]
    most = function.most or len(given_)
    padded = [*given_, None, None][: max(function.fewest, min(len(given_), most))]

    json.dumps(function.call(padded, Allowance()), allow_nan=False)


@pytest.mark.parametrize("name", sorted({*own_functions.FUNCTIONS} - {"concat"}))
def test_null_makes_null(name: str) -> None:
    function = own_functions.FUNCTIONS[name]

    assert function.call([None] * function.fewest, Allowance()) is None
    assert value("concat('a', a)") is None


def test_times_of_another_offset_are_those_of_utc() -> None:
    at = "2026-11-30T23:30:00.123456-02:00"

    assert value("iso_ms(a)", at) == "2026-12-01T01:30:00.123Z"
    assert value("iso_s(a)", at) == "2026-12-01T01:30:00Z"
    assert value("iso_us(a)", at) == "2026-12-01T01:30:00.123456Z"
    assert value("date(a)", at) == "2026-12-01"
    assert value("date(a, 'MM/DD/YYYY HH:mm:ss.SSS')", at) == "12/01/2026 01:30:00.123"
    assert value("date(a, 'DD.MM.YYYY')", "2026-11-30") == "30.11.2026"
    assert value("epoch_us(a)", at) == parse_rfc3339(at)
    assert value("epoch_s(a)", "2026-13-30T00:00:00Z") is None


def test_numbers_are_exact() -> None:
    assert value("cents(a)", "129.90") == 12990
    assert value("cents(a)", 0.29) == 29
    assert value("add(a, b)", 0.1, 0.2) == 0.3
    assert value("subtract(a, b)", 860, 360) == 500
    assert value("digits(a)", 1e21) == "1000000000000000000000"
    assert value("digits(a)", "117.90") == "117.90"
    assert value("number(a)", "12.50") == 12.5
    assert value("unsigned(a)", -500) == 500
    assert value("negate(a)", 500.0) == -500


@pytest.mark.parametrize("largest", [2**64 - 1, 2**63, -(2**63)])
def test_the_largest_numbers_of_events_stay_exact(largest: int) -> None:
    assert value("number(a)", str(largest)) == largest
    assert value("text(a)", largest) == str(largest)
    for source in ("unsigned(a)", "negate(a)", "add(a, `0`)", "subtract(a, `0`)"):
        found = value(source, largest)
        assert isinstance(found, int)
        assert abs(found) == abs(largest)


def test_minus_zero_is_zero() -> None:
    for source in ("text(a)", "digits(a)", "concat(a)", "to_string(a)"):
        assert value(source, -0.0) == "0"
    assert str(value("negate(a)", 0)) == "0"


@pytest.mark.parametrize(
    ("number", "written"),
    [(10.0, "10"), (1e-7, "1e-7"), (1e21, "1e+21"), (2**64 - 1, f"{2**64 - 1}")],
)
def test_numbers_in_a_text_are_written_as_in_a_body(number: float, written: str) -> None:
    assert value("to_string(a)", number) == written
    assert value("to_string({b: a})", number) == f'{{"b":{written}}}'


def test_half_a_hundredth_is_rounded_up_as_voucherify_has_it() -> None:
    for amount, cents in (("0.005", 1), ("1.005", 101), ("-0.005", -1), (0.125, 13), ("0.0049", 0)):
        assert value("cents(a)", amount) == cents
        assert objects.cents({"amount": amount}, "amount") == cents


def test_only_whole_numbers_that_64_bits_hold_become_integers() -> None:
    assert value("integer_if_whole(a)", "826000000272053") == 826000000272053
    for kept in ("007", "-0", "", "mbr_1", "1.5", str(2**63), True, None):
        assert (
            value("integer_if_whole(a)", kept) is kept or value("integer_if_whole(a)", kept) == kept
        )


def test_a_uuid_is_the_same_for_the_same_text() -> None:
    """It never changes: a repeat of an event must carry the id that it had."""
    assert value("uuid(a)", "evt_1") == "b521909d-2223-5014-951d-c4470e6ee94a"
