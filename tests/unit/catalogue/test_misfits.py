"""Everything that does not fit is named, where it is, and nothing that does."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import fastjsonschema
import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perkwire.adapters.data_schemas import DataSchemas
from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.misfits import FORMATS, KEYWORDS, MOST_MISFITS, misfits
from perkwire.model.event import parse_events
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from tests.builders import event_body, points_data
from tests.unit.strategies import JSON

SCHEMAS = DataSchemas()


def errors(body: object) -> list[dict[str, Any]]:
    with pytest.raises(Problem) as raised:
        parse_events(json.dumps(body).encode(), SCHEMAS)
    found: Any = raised.value.document()["errors"]
    return list(found)


def at(value: Any, pointer: str) -> Any:  # noqa: ANN401 - whatever a pointer leads to
    """RFC 6901, by its letter."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


WRONG: dict[str, Json] = {
    "member": {"id": "", "birthday": "2026-02-30", "opted_in": "yes"},
    "transaction": {"points": "12"},
    "order": {"id": "o", "total": "12,50", "items": [{"quantity": 1.5}, {}, {"quantity": "x"}]},
}


def test_all_that_is_wrong_with_an_event_is_said_at_once() -> None:
    found = errors({"id": "é", "type": "points.earned", "data": WRONG, "colour": "red"})

    assert found == [
        {"field": "id", "detail": "must be letters, digits, dots, colons, - and _"},
        *(
            {"field": field, "detail": detail, "pointer": pointer}
            for field, detail, pointer in [
                (
                    "data.member.id",
                    "must have at least 1 character",
                    "/data/member/id",
                ),
                (
                    "data.member.birthday",
                    "must be a date such as 2026-11-21",
                    "/data/member/birthday",
                ),
                ("data.member.opted_in", "must be true or false", "/data/member/opted_in"),
                ("data.transaction.id", "is required", "/data/transaction/id"),
                ("data.transaction.points", "must be a number", "/data/transaction/points"),
                ("data.order.total", "must be an amount such as 12.50", "/data/order/total"),
                (
                    "data.order.items[0].quantity",
                    "must be a whole number",
                    "/data/order/items/0/quantity",
                ),
                (
                    "data.order.items[2].quantity",
                    "must be a whole number",
                    "/data/order/items/2/quantity",
                ),
            ]
        ),
        {"field": "colour", "detail": "is not a known field"},
    ]


def test_in_a_list_each_place_is_that_of_the_request() -> None:
    body = {"events": [event_body(), event_body(data=WRONG)]}

    found = errors(body)

    assert found[0]["field"] == "events[1].data.member.id"
    assert at(body, found[0]["pointer"]) == ""
    assert all(one["pointer"].startswith("/events/1/data/") for one in found)


def test_of_one_event_twenty_are_named_and_of_the_next_again() -> None:
    data = points_data() | {"order": {"id": "o", "items": [{"quantity": "x"}] * 1000}}

    found = errors({"events": [event_body(data=data), event_body(data=data)]})

    assert [one["pointer"].split("/")[2] for one in found] == ["0"] * 20 + ["1"] * 20
    assert MOST_MISFITS == 20


def keywords(schema: Json) -> Iterator[str]:
    """The words of a schema, without the names of the members that it describes."""
    if isinstance(schema, list):
        for one in schema:
            yield from keywords(one)
    elif isinstance(schema, dict):
        for word, value in schema.items():
            yield word
            inner = [*value.values()] if word in ("properties", "definitions") else value  # type: ignore[union-attr]
            yield from keywords(inner) if word not in ("enum", "required") else ()


def test_every_word_of_the_catalogues_schemas_is_known() -> None:
    found = {word for one in event_types().values() for word in keywords(one.schema)}

    assert found == KEYWORDS


@pytest.mark.parametrize("event_type", event_types())
def test_every_example_fits(event_type: str) -> None:
    found = event_types()[event_type]

    assert misfits(found.schema, found.example) == ()


def spoiled(draw: st.DrawFn, value: Json, left: list[int]) -> Json:
    """The value with some of what is in it taken out or put in the place of something else."""
    if left[0] and draw(st.integers(0, 5)) == 0:
        left[0] -= 1
        return draw(JSON)
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if draw(st.integers(0, 9))}
        return {name: spoiled(draw, one, left) for name, one in kept.items()}
    if isinstance(value, list):
        return [spoiled(draw, one, left) for one in value]
    return value


@st.composite
def tried(draw: st.DrawFn) -> tuple[str, dict[str, Json]]:
    name = draw(st.sampled_from(sorted(event_types())))
    example = copy.deepcopy(event_types()[name].example)
    kept = {member: spoiled(draw, value, [4]) for member, value in example.items()}
    return name, kept


@settings(max_examples=150, deadline=None)
@given(tried())
def test_it_agrees_with_two_other_validators(given_: tuple[str, dict[str, Json]]) -> None:
    """With the one that ingest asks first in whether it fits, with jsonschema in every place."""
    name, data = given_
    schema = event_types()[name].schema
    found = misfits(schema, data)

    try:
        fastjsonschema.validate(schema, data, formats=FORMATS, use_default=False)
        fits = True
    except fastjsonschema.JsonSchemaValueException:
        fits = False
    assert fits == (not found)

    checker = jsonschema.FormatChecker(formats=())
    for format_, takes in FORMATS.items():
        checker.checks(format_)(
            lambda value, takes=takes: not isinstance(value, str) or takes(value)
        )
    wanted = set()
    for error in jsonschema.Draft7Validator(schema, format_checker=checker).iter_errors(data):
        wanted |= {(*map(str, one.absolute_path), *missing(one)) for one in leaves(error)}
    assert {tuple((one.pointer or "").split("/")[2:]) for one in found} <= wanted
    if len(found) < MOST_MISFITS:
        assert len({one.pointer for one in found}) == len(wanted)


def leaves(error: Any) -> list[Any]:  # noqa: ANN401
    return [leaf for one in error.context for leaf in leaves(one)] or [error]


def missing(error: Any) -> tuple[str, ...]:  # noqa: ANN401
    return (error.message.split("'")[1],) if error.validator == "required" else ()
