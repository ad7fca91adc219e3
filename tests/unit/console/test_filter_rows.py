"""A filter as rows: what rows say as a pattern, and which patterns rows can say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.views.filter_rows import FilterRow, known_fields, pattern_of, rows_of
from perkwire.model.event_pattern import EventPattern, read_pattern
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from tests.event_patterns import DOCUMENTED, pairs

KINDS = {"points": "number", "tier": "string", "member.tier": "string", "vip": "boolean"}


def pattern(*rows: tuple[str, str, str]) -> Json:
    return pattern_of([FilterRow(*row) for row in rows], KINDS)


def test_rows_say_what_all_has_to_hold() -> None:
    said = pattern(
        ("points", ">=", "1000"),
        ("points", "<", "5000"),
        ("member.tier", "is", 'gold, "a, b", 12'),
        ("vip", "is", "true"),
        ("data.id", "not", "x"),
        ("reason", "contains", "2*3"),
        ("note", "absent", ""),
        ("program_id", "not", "staff, test"),
        ("data.data", "prefix", "a"),
    )

    assert said == {
        "data": {
            "points": [{"numeric": [">=", 1000, "<", 5000]}],
            "member": {"tier": ["gold", "a, b", "12"]},
            "vip": [True],
            "id": [{"anything-but": "x"}],
            "reason": [{"wildcard": "*2\\*3*"}],
            "note": [{"exists": False}],
            "data": [{"prefix": "a"}],
        },
        "program_id": [{"anything-but": ["staff", "test"]}],
    }
    assert isinstance(read_pattern(said), EventPattern)
    assert pattern() is None


def test_an_unknown_field_has_numbers_where_they_look_like_numbers() -> None:
    assert pattern(("unknown", "is", '5, "5", five')) == {"data": {"unknown": [5, "5", "five"]}}
    assert pattern(("tier", "is", "5")) == {"data": {"tier": ["5"]}}


@pytest.mark.parametrize(
    ("rows", "detail"),
    [
        ([("", "is", "x")], "has a condition without a field"),
        ([("points", ">=", "")], "has no value for points"),
        ([("points", ">=", "1, 2")], "takes one number for points"),
        ([("tier", "is", "a"), ("tier", "is", "b")], "has tier twice: give all its values"),
        ([("points", ">", "1"), ("points", ">=", "2")], "has points twice"),
        ([("tier", "is", "a"), ("tier.x", "is", "b")], "has conditions on tier.x and on what"),
        ([("tier.x", "is", "a"), ("tier", "is", "b")], "has tier twice"),
        ([("tier", "is", '"a')], "has a quote for tier that does not end"),
        ([("tier", "is", '"a" "b"')], "needs a comma between the values for tier"),
        ([("tier", "is", r'"\ud800"')], "has half a character for tier"),
    ],
)
def test_what_is_wrong_with_rows_is_said(rows: list[tuple[str, str, str]], detail: str) -> None:
    with pytest.raises(Problem) as raised:
        pattern(*rows)

    assert detail in str(raised.value.document()["errors"])


def test_what_rows_cannot_say_stays_json() -> None:
    values: list[dict[str, Json]] = [
        {"data": {"$or": [{"a": [1]}, {"b": [2]}]}},
        {"data": {"a": ["x", {"prefix": "y"}]}},
        {"data": {"a": [{"wildcard": "a*b"}]}},
        {"data": {"a": [{"anything-but": {"prefix": "x"}}]}},
        {"data": {"a": [{"prefix": {"equals-ignore-case": "x"}}]}},
        {"data": {"a": [{"numeric": ["=", 5]}]}},
        {"data": {"a": [{"prefix": " x"}]}},
        {"data": {"a": [{"anything-but": [1]}]}},
    ]
    for value in values:
        assert isinstance(read_pattern(value), EventPattern)
        assert rows_of(value, KINDS) is None


def test_rows_say_the_pattern_that_they_were_made_of_or_there_are_none() -> None:
    values: list[dict[str, Json]] = [{"data": value} for value, _, _ in DOCUMENTED]
    values += [{"data": value} for value, _ in pairs(seed=3, number=500)]
    shown = [(value, rows_of(value, KINDS)) for value in values]
    assert all(rows is None or pattern_of(rows, KINDS) == value for value, rows in shown)
    assert sum(rows is not None for _, rows in shown) > 100


@given(st.text(max_size=12))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    for field in ("tier", "unknown"):
        value: dict[str, Json] = {"data": {field: [text]}}
        rows = rows_of(value, KINDS)
        assert rows is None or pattern_of(rows, KINDS) == value


def test_the_fields_of_types_are_known_with_their_kinds() -> None:
    points = known_fields(("points.*",))

    assert points["transaction.points"] == "number"
    assert points["member.email"] == "string"
    assert points["program_id"] == "string"
    assert known_fields(("custom.x",)) == dict.fromkeys(
        ("id", "type", "program_id", "occurred_at"), "string"
    )
    assert len(known_fields(("*",))) <= 154
