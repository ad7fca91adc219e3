"""The event types: schemas, examples, descriptions and suggestions."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker  # type: ignore[import-untyped]

from perkwire.catalogue.event_types import (
    event_type,
    event_types,
    is_event_type,
    nearest,
)

type Schema = dict[str, Any]

FORMATS = FormatChecker(["date"])


def is_rfc3339(value: object) -> bool:
    text = str(value)
    return bool(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text)) and (
        datetime.fromisoformat(text).tzinfo is not None
    )


FORMATS.checks("date-time", raises=ValueError)(is_rfc3339)


def wrong(schema: object, data: object) -> list[str]:
    errors = Draft7Validator(schema, format_checker=FORMATS).iter_errors(data)
    return [f"{error.json_path}: {error.message}" for error in errors]


def references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            elif key != "definitions":
                yield from references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from references(item)


def resolved(schema: Schema, definitions: Schema, owner: str) -> tuple[Schema, str]:
    """The schema behind references, and the definition that it is."""
    while "$ref" in schema or "allOf" in schema:
        schema = schema["allOf"][0] if "allOf" in schema else schema
        owner = schema["$ref"].rpartition("/")[2]
        schema = definitions[owner]
    return schema, owner


def places(
    value: object, schema: Schema, definitions: Schema, owner: str
) -> Iterator[tuple[str, str, bool]]:
    """Each member of `value`: the definition it stands in, its name, and whether it is described.

    What a schema says nothing at all about, as of `attributes`, is free.
    """
    schema, owner = resolved(schema, definitions, owner)
    if isinstance(value, list):
        for item in value:
            yield from places(item, schema.get("items", {}), definitions, owner)
    if isinstance(value, dict) and "properties" in schema:
        for name, inner in value.items():
            described = name in schema["properties"]
            yield owner, name, described
            if described:
                yield from places(inner, schema["properties"][name], definitions, owner)


def describes(schema: Schema, path: str) -> bool:
    found = schema
    for name in path.split("."):
        found, _ = resolved(found, schema["definitions"], "")
        if name not in found.get("properties", {}):
            return False
        found = found["properties"][name]
    return True


def schema_of(name: str) -> Schema:
    return event_types()[name].schema


def places_in_example(name: str) -> list[tuple[str, str, bool]]:
    schema = schema_of(name)
    return [*places(event_types()[name].example, schema, schema["definitions"], "data")]


@pytest.mark.parametrize("name", event_types())
def test_a_schema_is_one_of_draft_7(name: str) -> None:
    Draft7Validator.check_schema(schema_of(name))
    assert schema_of(name)["$schema"] == "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize("name", event_types())
def test_an_example_fits_its_schema(name: str) -> None:
    assert wrong(event_types()[name].schema, event_types()[name].example) == []


@pytest.mark.parametrize("name", event_types())
def test_an_example_has_no_key_that_the_schema_does_not_describe(name: str) -> None:
    assert [place for place in places_in_example(name) if not place[2]] == []


@pytest.mark.parametrize("name", event_types())
def test_an_example_has_every_object_that_makes_the_event_meaningful_and_misses_it(
    name: str,
) -> None:
    kept = event_types()[name]
    required = schema_of(name)["required"]

    assert required
    for missing in required:
        poorer = {key: value for key, value in kept.example.items() if key != missing}
        assert wrong(kept.schema, poorer) == [f"$: '{missing}' is a required property"]


def test_every_event_is_about_a_member_but_where_none_may_be_known() -> None:
    without = {name for name in event_types() if "member" not in schema_of(name)["required"]}

    assert without == {
        f"{what}.{change}"
        for what in ("quiz_response", "review", "survey_response", "tier.definition")
        for change in ("created", "deleted", "updated")
    }


@pytest.mark.parametrize("name", [name for name in event_types() if name.startswith("points.")])
def test_every_event_of_points_says_how_many_but_a_reminder(name: str) -> None:
    required = set(schema_of(name)["required"])

    assert bool(required & {"transaction", "pending_points"}) == (name != "points.expiring")


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("tier.upgraded", "current"),
        ("tier.downgraded", "current"),
        ("tier.joined", "current"),
        ("tier.prolonged", "current"),
        ("tier.left", "previous"),
    ],
)
def test_a_change_of_tier_says_to_which_or_out_of_which(name: str, needed: str) -> None:
    data = event_types()[name].example | {"tier": {"reason": "Enrolled"}}

    assert wrong(schema_of(name), data) == [f"$.tier: '{needed}' is a required property"]


@pytest.mark.parametrize("name", event_types())
def test_definitions_are_complete_and_no_more_than_needed(name: str) -> None:
    schema = schema_of(name)
    definitions = schema["definitions"]
    reached: set[str] = set()
    waiting = [*references(schema)]
    while waiting:
        definition = waiting.pop()
        if definition not in reached:
            reached.add(definition)
            waiting += references(definitions[definition])

    assert reached == set(definitions)


def test_every_property_of_every_object_is_in_some_example() -> None:
    described = {
        (owner, name)
        for kept in event_types()
        for owner, definition in schema_of(kept)["definitions"].items()
        for name in definition.get("properties", {})
    }
    shown = {(owner, name) for kept in event_types() for owner, name, _ in places_in_example(kept)}

    assert described - shown == set()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"member": {"id": 7}}, "$.member.id"),
        ({"member": {"id": "m", "birthday": "1990-13-01"}}, "$.member.birthday"),
        ({"member": {"id": "m", "enrolled_at": "yesterday"}}, "$.member.enrolled_at"),
        ({"member": {"id": "m", "points": {"balance": "860"}}}, "$.member.points.balance"),
        ({"tier": {"previous": {"name": "Silver"}}}, "$.tier"),
        ({"tier": {"current": {"id": "gold"}}}, "$.tier.current"),
        ({"tier": "gold"}, "$.tier"),
    ],
)
def test_data_of_a_wrong_shape_does_not_fit(change: dict[str, object], place: str) -> None:
    kept = event_types()["tier.upgraded"]

    found = wrong(kept.schema, kept.example | change)

    assert found
    assert {error.partition(": ")[0] for error in found} == {place}


def test_data_may_hold_more_than_the_catalogue_describes() -> None:
    kept = event_types()["tier.upgraded"]

    assert wrong(kept.schema, kept.example | {"member": {"id": "m", "shoe": 39}, "note": 1}) == []


def test_every_type_has_a_title_and_a_description_of_its_own_in_one_sentence() -> None:
    kept = event_types().values()

    assert max(Counter(one.title for one in kept).values()) == 1
    assert max(Counter(one.description for one in kept).values()) == 1
    assert [one.name for one in kept if not re.fullmatch(r"[A-Z].*\.", one.description)] == []
    assert [one.name for one in kept if re.search(r"[.!?] [A-Z]", one.description)] == []


@pytest.mark.parametrize("name", event_types())
def test_a_description_points_to_types_and_values_that_exist(name: str) -> None:
    for word in re.findall(r"`([^`]+)`", event_types()[name].description):
        family = word.endswith(".*") and any(
            other.startswith(word.removesuffix("*")) for other in event_types()
        )
        assert family or word in event_types() or describes(schema_of(name), word), word


def test_a_custom_type_has_any_object_as_data() -> None:
    custom = event_type("custom.gift_given")

    assert custom
    assert is_event_type("custom.gift_given")
    assert wrong(custom.schema, {}) == wrong(custom.schema, {"any": ["thing"]}) == []
    assert wrong(custom.schema, []) != []


def test_an_unknown_type_is_none() -> None:
    assert event_type("points.forgotten") is None
    assert not is_event_type("points.forgotten")
    assert not is_event_type("custom")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("points.earnd", "points.earned"),
        ("point.earned", "points.earned"),
        ("tier.upgrade", "tier.upgraded"),
        ("order.canceled", "order.cancelled"),
        ("member.enroled", "member.enrolled"),
        ("reward.redemed", "reward.redeemed"),
        ("Points.Earned", "points.earned"),
        ("event_points_earned", "points.earned"),
        ("Burning", "reward.redeemed"),
        ("Order has been paid", "order.paid"),
    ],
)
def test_the_nearest_type_is_suggested_first(said: str, meant: str) -> None:
    assert nearest(said)[0] == meant


def test_at_most_three_types_are_suggested_and_none_for_nonsense() -> None:
    assert len(nearest("points.pending")) == 3
    assert nearest("zzzz") == ()
