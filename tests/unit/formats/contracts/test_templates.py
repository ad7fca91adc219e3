"""Templates: what becomes of absent members, loops and choices."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perkwire.formats.contracts.bounds import Unsayable
from perkwire.formats.format import Unrenderable
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from tests.builders import a_payload, an_event
from tests.unit.formats.contracts.making import contract, made, wrong
from tests.unit.strategies import JSON, OBJECTS

ITEMS: dict[str, Json] = {"items": [{"sku": "A", "price": "1.50"}, {"sku": "B"}, {"price": 2}]}


def test_what_begins_with_an_equals_sign_is_an_expression_and_all_else_is_itself() -> None:
    template: Json = {
        "a": "=data.x",
        "b": "x",
        "c": 1.0,
        "d": None,
        "e": "==x",
        "f": [True, "=data.x"],
    }

    assert made(template, {"x": 5}) == {
        "a": 5, "b": "x", "c": 1, "d": None, "e": "=x", "f": [True, 5],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("absent", "expected"),
    [
        ("omit", {"there": 1}),
        ("null", {"there": 1, "gone": None, "inner": {"gone": None}, "list": [None]}),
        ("empty", {"there": 1, "gone": "", "inner": {"gone": ""}, "list": [""]}),
    ],
)
def test_what_is_absent_follows_the_contracts_policy(absent: str, expected: Json) -> None:
    template: Json = {
        "there": "=data.x",
        "gone": "=data.y",
        "inner": {"gone": "=data.y.z"},
        "list": ["=data.y"],
    }
    found = made(template, {"x": 1}, absent=absent)

    found.pop("list") if absent == "omit" else None
    assert found == expected


def test_of_a_list_absent_elements_are_left_out_and_the_list_stays() -> None:
    assert made({"a": ["=data.x", "=data.y"], "b": []}, {"x": 1}) == {"a": [1], "b": []}


def test_an_absent_member_may_refuse_the_event() -> None:
    format_ = contract(body={"a": {"$value": "data.x", "absent": "refuse"}, "b": "=data.y"})

    with pytest.raises(Unrenderable, match=r"evt_\w+ cannot be said: body\.a\.\$value is absent"):
        format_.render(a_payload(an_event(data={"y": 1})))
    assert json.loads(format_.render(a_payload(an_event(data={"x": 1})))) == {"a": 1}


def test_one_value_may_have_a_policy_of_its_own() -> None:
    template: Json = {"a": {"$value": "data.x", "absent": "null"}, "b": "=data.x", "c": 1}

    assert made(template) == {"a": None, "c": 1}


def test_a_loop_makes_its_template_of_each_element() -> None:
    template: Json = {
        "lines": {
            "$each": "data.items",
            "do": {"sku": "=item.sku", "cents": "=cents(item.price)", "of": "=event.id"},
        }
    }
    lines = made(template, ITEMS)["lines"]

    assert [{k: v for k, v in one.items() if k != "of"} for one in lines] == [
        {"sku": "A", "cents": 150}, {"sku": "B"}, {"cents": 200},
    ]  # fmt: skip
    assert len({one["of"] for one in lines}) == 1


def test_a_loop_over_what_is_no_list_is_absent() -> None:
    template: Json = {"a": 1, "lines": {"$each": "data.items", "do": "=item"}}

    assert made(template, {"items": "x"}) == {"a": 1}
    assert made(template, {"items": "x"}, absent="null") == {"a": 1, "lines": None}
    assert made(template, {"items": []}) == {"a": 1, "lines": []}


def test_a_loop_over_what_is_absent_refuses_the_event_where_absence_does() -> None:
    template: Json = {"a": 1, "lines": {"$each": "data.items", "do": "=item"}}

    for found in ("x", 1, None):
        with pytest.raises(Unrenderable, match=r"body\.lines\.\$each is absent"):
            made(template, {"items": found}, absent="refuse")
    assert made(template, {"items": []}, absent="refuse") == {"a": 1, "lines": []}


def test_a_choice_takes_one_of_two_templates() -> None:
    template: Json = {"a": {"$if": "data.x > `10`", "then": {"much": "=data.x"}, "else": "little"}}

    assert made(template, {"x": 11}) == {"a": {"much": 11}}
    assert made(template, {"x": 9}) == {"a": "little"}
    assert made({"b": 1, "a": {"$if": "data.x", "then": 1}}) == {"b": 1}


def test_a_body_of_which_nothing_is_left_is_not_sent() -> None:
    with pytest.raises(Unrenderable, match="nothing is left of the template"):
        made({"a": "=data.x", "b": {"c": "=data.x"}})


def test_what_an_expression_passes_on_stays_as_it_is() -> None:
    data: dict[str, Json] = {"a": None, "b": {}, "c": [None], "=d": "=data"}

    assert made("=data", data) == data


@pytest.mark.parametrize(
    ("template", "place", "detail"),
    [
        ({"a": "=data."}, "/body/a", "ends too early"),
        ({"a": [1, {"b": "=nope(x)"}]}, "/body/a/1/b", "calls nope(), which is no function"),
        ({"a/b": {"~": "=("}}, "/body/a~1b/~0", "ends too early"),
        ({"$each": "data"}, "/body/do", "is required"),
        ({"$each": "data", "do": 1, "then": 2}, "/body/then", "may not stand beside $each"),
        ({"$value": "data", "absent": "never"}, "/body/absent", "must be omit, null, empty or"),
        ({"$if": 1, "then": 1}, "/body/$if", "must be an expression"),
        ({"$map": "data"}, "/body/$map", "is no directive"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(template: Json, place: str, detail: str) -> None:
    found = wrong(body=template)

    assert found[place].startswith(detail)


def test_a_template_has_bounds() -> None:
    deep: Json = 1
    for _ in range(17):
        deep = {"a": deep}

    assert "nests deeper than 16 levels" in wrong(body=deep).values()
    assert "1000 values" in wrong(body=[1] * 1001)["/body/1000"]
    assert wrong(body="x" * 70_000) == {"": "must have at most 65536 bytes"}


TEMPLATES: st.SearchStrategy[Json] = st.recursive(
    st.sampled_from(
        ["=data", "=event.id", "=data.a", "=[data,data]", "=data.*.*[]", "=to_string(data)",
         "=concat(to_string(data), to_string(data))", "=item", "x", 1, None, "=sum(data.*)", "==",
         "=keys(data)", "=data | [@,@] | [@,@] | [@,@] | [@,@] | [@,@] | [@,@] | [@,@] | [@,@]"]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "$x"]), inner, max_size=3),
        inner.map(lambda one: {"$each": "data.* || `[1,2,3]`", "do": one}),
        st.tuples(inner, inner).map(lambda two: {"$if": "data.a", "then": two[0], "else": two[1]}),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(TEMPLATES, OBJECTS, st.sampled_from(["omit", "null", "empty", "refuse"]))
def test_whatever_the_template_and_the_event_a_body_is_whole_or_none(
    template: Json, data: dict[str, Json], absent: str
) -> None:
    try:
        format_ = contract(body=template, absent=absent)
    except Problem:
        return
    payload = a_payload(an_event(data=data))
    try:
        found = format_.render(payload)
    except Unrenderable:
        return

    assert found == format_.render(payload)
    json.loads(found, parse_constant=lambda constant: pytest.fail(constant))


@given(JSON)
def test_a_refusal_never_holds_a_value_of_the_event(value: Json) -> None:
    format_ = contract(body={"a": "=abs(data.secret)", "b": "=join('', data.secret)"})
    payload = a_payload(an_event(data={"secret": [value, "of-the-member"]}))

    with pytest.raises(Unrenderable) as raised:
        format_.render(payload)

    assert "of-the-member" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert isinstance(raised.value.__context__, Unsayable)
