import time
from typing import cast

import pytest
from hypothesis import given

from perkwire.model.event import Event
from perkwire.model.event_pattern import (
    EventPattern,
    UnreadablePattern,
    read_pattern,
    stored_pattern,
)
from perkwire.primitives.ids import EventId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import parse_rfc3339
from tests.builders import an_event
from tests.event_patterns import DOCUMENTED, REFUSED, pairs
from tests.unit.strategies import EVENTS, JSON


def pattern(value: object) -> EventPattern:
    read = read_pattern(cast("Json", value))
    assert isinstance(read, EventPattern), read
    return read


def matches(value: object, **event: object) -> bool:
    return pattern(value).matches(an_event(**event))


def wrong(value: object) -> dict[str, str]:
    """What is wrong with a pattern, by its JSON pointer."""
    read = read_pattern(cast("Json", value))
    assert isinstance(read, list)
    return {one.pointer: one.detail for one in read}


@pytest.mark.parametrize(("value", "data", "expected"), DOCUMENTED)
def test_an_example_of_the_documentation(value: Json, data: Json, expected: bool) -> None:
    assert matches({"data": value}, data=data) is expected


@pytest.mark.parametrize("value", REFUSED)
def test_what_eventbridge_refuses_is_refused(value: Json) -> None:
    assert wrong({"data": value})


def test_what_an_event_says_is_looked_at() -> None:
    event = an_event(
        id=EventId("order:1"),
        program_id="club",
        occurred_at=parse_rfc3339("2026-11-21T09:30:00Z"),
    )
    for one in (
        {"id": [{"prefix": "order:"}]},
        {"type": [{"prefix": "points."}]},
        {"program_id": ["club"]},
        {"occurred_at": [{"prefix": "2026-11-21T09"}]},
    ):
        assert pattern(one).matches(event)
    assert not matches({"program_id": [{"anything-but": "staff"}]})
    assert matches({"program_id": [{"exists": False}], "occurred_at": [{"exists": False}]})


@pytest.mark.parametrize(
    ("asked", "said", "expected"),
    [
        (9007199254740993, 9007199254740992, False),
        (9007199254740993, 9007199254740993, True),
        (9223372036854775900, 9.223372036854776e18, False),
        (9.223372036854776e18, 9223372036854776000, True),
        (0.1, 0.1, True),
        (0.30000000000000004, 0.3, False),
        (0, -0.0, True),
    ],
)
def test_numbers_are_compared_digit_by_digit(asked: Json, said: Json, expected: bool) -> None:
    for condition in (asked, {"numeric": ["=", asked]}):
        assert matches({"data": {"n": [condition]}}, data={"n": said}) is expected
    assert matches({"data": {"n": [{"anything-but": asked}]}}, data={"n": said}) is not expected


@pytest.mark.parametrize(
    ("value", "pointer", "detail"),
    [
        ([], "", "must be an object with the fields that are looked at"),
        (
            {"points": [1]},
            "/points",
            "is not a field of events, which are id, type, program_id, occurred_at or data",
        ),
        ({"data": ["x"]}, "/data", "must be an object"),
        ({"type": {"prefix": ["points."]}}, "/type", "must be a list"),
        ({"program_id": [None]}, "/program_id", '{"exists": false} is for none'),
        ({"data": {"points": 5}}, "/data/points", "must be a list: [5]"),
        ({"data": {"member.tier": ["gold"]}}, "/data/member.tier", "an object within an object"),
        ({"data": {"a/b~c": [{"like": 1}]}}, "/data/a~1b~0c/0", "must have one operator: prefix"),
        (
            {"data": {"points": [5, {"numeric": [">", "5"]}]}},
            "/data/points/1/numeric",
            'must be a comparison such as ["=", 5]',
        ),
        (
            {"data": {"$or": [{"a": [1]}, {"prefix": ["x"]}]}},
            "/data/$or/1/prefix",
            "is an operator",
        ),
        (
            {"data": {"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}},
            "/data/$or/0/a",
            "is about a field that a condition beside the $or is about too",
        ),
        (
            {"data": {"$or": [{"a": {"b": [2]}}, {"b": [3]}], "a": [1]}},
            "/data/a",
            "is about a field that a condition beside the $or is about too",
        ),
    ],
)
def test_an_error_names_its_place_and_what_would_be_right(
    value: Json, pointer: str, detail: str
) -> None:
    assert detail in wrong(value)[pointer]


def test_all_that_is_wrong_is_named() -> None:
    found = wrong({"data": {"a": 1, "b": [{"prefix": 2}], "c": [[]]}})
    assert set(found) == {"/data/a", "/data/b/0/prefix", "/data/c/0"}


def test_the_bounds_are_held_to() -> None:
    pattern({"data": {"a": ["x" * 4070]}})
    assert wrong({"data": {"a": ["x" * 4096]}}) == {"": "must have at most 4096 bytes of JSON"}
    pattern({"data": {"a": [*range(60)], "b": [{"anything-but": [1, 2, 3, 4]}]}})
    found = wrong({"data": {"a": [*range(60)], "b": [{"anything-but": [1, 2, 3, 4, 5]}]}})
    assert found == {"": "has 65 values; at most 64 are allowed"}
    pattern({"data": {"a": {"b": {"c": {"d": {"e": [1]}}}}}})
    found = wrong({"data": {"a": {"b": {"c": {"d": {"e": {"f": [1]}}}}}}})
    assert found == {"/data/a/b/c/d/e": "nests deeper than 6 levels"}
    either = {"$or": [{"x": [1]}, {"y": [2]}]}
    pattern({"data": dict.fromkeys("abcdef", either)})
    found = wrong({"data": dict.fromkeys("abcdefg", either)})
    assert found == {"/data/g": "stands for more than 64 combinations of $or"}


def test_the_first_condition_that_is_not_met_is_told() -> None:
    asked = pattern({"type": ["points.earned"], "data": {"points": [{"numeric": [">=", 1000]}]}})
    misfit = asked.misfit(an_event(data={"points": 120}))
    assert misfit is not None
    assert misfit.pointer == "/data/points"
    assert misfit.wanted_text == '[{"numeric": [">=", 1000]}]'
    assert misfit.found_texts == ["120"]
    assert asked.misfit(an_event(data={"points": 1000})) is None


def test_of_an_or_the_nearest_way_is_told() -> None:
    asked = pattern({"data": {"$or": [{"a": [1], "b": [1]}, {"c": [1], "d": [1]}]}})
    misfit = asked.misfit(an_event(data={"c": 1, "d": 2}))
    assert misfit is not None
    assert (misfit.pointer, misfit.found) == ("/data/$or/1/d", (2,))


def test_fields_met_by_different_elements_are_told_too() -> None:
    asked = pattern({"type": ["points.earned"], "data": {"lines": {"sku": ["a"], "qty": [2]}}})
    misfit = asked.misfit(
        an_event(data={"lines": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": 2}]})
    )
    assert misfit is not None
    assert misfit.pointer == "/data/lines/sku"


def test_a_stored_pattern_is_read_once() -> None:
    text = pattern({"data": {"a": ["é"]}}).text
    assert text == '{"data":{"a":["\\u00e9"]}}'
    assert stored_pattern(text) is stored_pattern(text)
    with pytest.raises(UnreadablePattern, match="filter/data/a/0"):
        stored_pattern('{"data":{"a":[{"later":1}]}}')


@given(JSON, EVENTS)
def test_any_json_is_a_pattern_or_told_what_is_wrong_with_it(value: Json, event: Event) -> None:
    for one in (value, {"data": value}, {"data": {"a": value}}, {"data": {"a": [value]}}):
        read = read_pattern(cast("Json", one))
        if isinstance(read, EventPattern):
            assert stored_pattern(read.text).matches(event) is (read.misfit(event) is None)
        else:
            assert all(wrong.detail for wrong in read)


def test_a_pattern_and_its_misfit_agree() -> None:
    for value, data in pairs(seed=7, number=500):
        asked = pattern({"data": value})
        event = an_event(data=data)
        assert (asked.misfit(event) is None) is asked.matches(event)


@pytest.mark.parametrize(
    ("values", "member"),
    [
        ([{"wildcard": f"*{'a*' * count}b"} for count in range(150, 158)], "a" * 120_000),
        ([{"anything-but": {"wildcard": ["*ab*a*", "*aab*a"]}}], "a" * 200_000 + "b"),
        ([{"suffix": {"equals-ignore-case": "x" * 220}}] * 8, "x" * 200_000),
        (["x", {"prefix": "y"}, {"numeric": ["<", 0]}] * 21, [*range(40_000)]),
        ([{"wildcard": f"*{count}x*"} for count in range(60)], ["aaa"] * 40_000),
    ],
)
def test_no_event_takes_a_pattern_long(values: list[Json], member: str | list[Json]) -> None:
    asked = pattern({"data": {"a": values, "b": {"c": ["x"]}}})
    objects: list[Json] = [{"c": "xxx"}] * 20_000
    event = an_event(data={"a": member, "b": objects})

    def seconds() -> float:
        begun = time.process_time()
        asked.matches(event)
        return time.process_time() - begun

    assert min(seconds() for _ in range(3)) < 0.05


def test_an_event_that_would_take_too_long_is_let_through() -> None:
    asked = pattern({"data": {"a": [{"numeric": ["<", 0]}]}})
    assert not asked.matches(an_event(data={"a": [1] * 10_000}))
    assert asked.matches(an_event(data={"a": [1] * 10_001}))
    nested = pattern({"data": {"a": {"b": [{"numeric": ["<", 0]}]}}})
    assert not nested.matches(an_event(data={"a": [{"b": 1}] * 10_000}))
    assert nested.matches(an_event(data={"a": [{"b": 1}] * 10_001}))
