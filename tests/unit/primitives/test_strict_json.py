import contextlib
import json
import math
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from perkwire.primitives.strict_json import (
    MAX_DEPTH,
    InvalidJson,
    Json,
    compact,
    compact_ascii,
    parse,
)
from tests.unit.strategies import JSON


def alike(one: Json, other: Json) -> bool:
    """Equal, and of the same kinds: 1, 1.0 and true are not alike, nor are 0.0 and -0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return [*one] == [*other] and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return one == other


@given(JSON)
def test_what_is_written_is_read_back_alike(value: Json) -> None:
    assert alike(parse(compact(value)), value)
    assert alike(parse(compact_ascii(value)), value)


@given(JSON)
def test_what_was_parsed_is_written_the_same_each_time(value: Json) -> None:
    text = compact(parse(json.dumps(value, indent=1)))

    assert compact(parse(text)) == text


@given(JSON)
def test_what_queues_carry_is_ascii(value: Json) -> None:
    assert compact_ascii(value).isascii()


@given(JSON)
@example("\x7f")
@example({"\x7f": ["\x7f\u00e9", "\\u007f", "\U0001f600"]})
def test_what_queues_carry_is_at_most_three_times_as_long(value: Json) -> None:
    assert len(compact_ascii(value)) <= 3 * len(compact(value))


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_parsed_or_refused(text: bytes) -> None:
    with contextlib.suppress(InvalidJson):
        compact(parse(text))


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,22})?", fullmatch=True)
)
def test_a_number_is_kept_to_the_digit_or_refused(literal: str) -> None:
    try:
        number = parse(literal)
    except InvalidJson:
        return
    assert isinstance(number, int | float)
    assert Decimal(compact(number).decode()) == Decimal(literal)


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", "[NaN]", "nan", "1e400", "-1e400", "[1e999]"],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidJson):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "0.1000000000000000055511151231257827",
        "9007199254740993.0",
        "1.00000000000000000001",
        "1e-400",
        "3.14159265358979323846",
        "1." + "0" * 70,
    ],
)
def test_a_decimal_that_a_double_would_change_is_refused(text: str) -> None:
    with pytest.raises(InvalidJson):
        parse(text)


@pytest.mark.parametrize("text", ["0.1", "0.10", "1e5", "1E+5", "-0.0", "5e-324", "1.5e308", "0e5"])
def test_a_decimal_that_a_double_holds_is_taken(text: str) -> None:
    assert parse(text) == float(text)


@pytest.mark.parametrize(
    "text", ["0e9999999999999999999", "1e-9999999999999999999", "-1.5e9999999999999999999"]
)
def test_an_exponent_beyond_all_bounds_is_refused(text: str) -> None:
    with pytest.raises(InvalidJson, match="IEEE 754"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [("-0", b"-0.0"), ("-0.0", b"-0.0"), ('{"a":[-0]}', b'{"a":[-0.0]}'), ("0", b"0")],
)
def test_minus_nought_keeps_its_sign(text: str, written: bytes) -> None:
    assert compact(parse(text)) == written


@pytest.mark.parametrize("number", [2**64 - 1, 2**53 + 1, 0, -1, -(2**63)])
def test_integers_of_64_bits_are_kept(number: int) -> None:
    assert parse(str(number)) == number


@pytest.mark.parametrize(
    "text",
    [str(2**64), str(-(2**63) - 1), "1" + "0" * 63, "-1" + "0" * 70, "1" + "0" * 5000],
    ids=len,
)
def test_longer_integers_are_refused(text: str) -> None:
    with pytest.raises(InvalidJson, match="64 bits"):
        parse(text)


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '[{"b":{"a":1,"x":2,"\\u0061":3}}]'])
def test_a_key_twice_is_refused_and_named(text: str) -> None:
    with pytest.raises(InvalidJson, match='"a" twice'):
        parse(text)


def test_a_long_key_is_not_repeated_whole() -> None:
    key = "k" * 10_000

    with pytest.raises(InvalidJson) as raised:
        parse(f'{{"{key}":1,"{key}":2}}')

    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("text", [r'"\ud800"', r'"\udc00\ud800"', r'{"\ud800":1}', r'["a\udfff"]'])
def test_a_lone_surrogate_is_refused(text: str) -> None:
    with pytest.raises(InvalidJson, match="surrogate"):
        parse(text)


def test_a_surrogate_pair_is_one_character() -> None:
    assert parse(r'"\ud83d\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize("text", [b"\xff", b'"\xc3"', b'"\xed\xa0\x80"', '"é"'.encode("latin-1")])
def test_what_is_not_utf_8_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidJson, match="UTF-8"):
        parse(text)


@pytest.mark.parametrize(
    "text", ["", " ", "{", "[1,]", "{'a':1}", "01", "+1", ".5", "1.", "\ufeff{}"]
)
def test_what_is_not_json_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(InvalidJson, match="line 1, column"):
        parse(text)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_is_bounded(opening: str, closing: str) -> None:
    def nested(depth: int, core: str) -> str:
        return opening * depth + core + closing * depth

    parse(nested(MAX_DEPTH - 1, "1"))
    for depth in (MAX_DEPTH + 1, 1000, 100_000):
        with pytest.raises(InvalidJson, match="nests deeper than 32"):
            parse(nested(depth, "1"))


CORES = ["", "1", '"x"', "null", '1,"x",true']


@pytest.mark.parametrize("core", CORES)
def test_levels_are_containers_whatever_is_in_the_innermost(core: str) -> None:
    parse("[" * MAX_DEPTH + core + "]" * MAX_DEPTH)
    parse('{"a":' * (MAX_DEPTH - 1) + f"[{core}]" + "}" * (MAX_DEPTH - 1))


@pytest.mark.parametrize("core", CORES)
def test_one_level_more_is_too_deep_whatever_is_in_it(core: str) -> None:
    with pytest.raises(InvalidJson, match="nests deeper than 32"):
        parse("[" * (MAX_DEPTH + 1) + core + "]" * (MAX_DEPTH + 1))


def test_text_in_the_innermost_level_is_checked_too() -> None:
    with pytest.raises(InvalidJson, match="surrogate"):
        parse("[" * MAX_DEPTH + r'"\ud800"' + "]" * MAX_DEPTH)


def test_endpoints_get_utf_8_without_white_space() -> None:
    assert compact({"name": "Zoë", "n": [1, 2]}) == '{"name":"Zoë","n":[1,2]}'.encode()
