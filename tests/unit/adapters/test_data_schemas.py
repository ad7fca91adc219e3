"""The data of an event against its type's schema, with the exact field and reason."""

import copy
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perkwire.adapters.data_schemas import DataSchemas
from perkwire.catalogue.event_types import event_types
from perkwire.primitives.problem import FieldError
from perkwire.primitives.strict_json import Json
from tests.builders import points_data
from tests.unit.strategies import JSON, OBJECTS

CHECKS = {"read": DataSchemas(read_first=10**9), "compiled": DataSchemas(read_first=0)}
LONG = "x" * 129


@pytest.fixture(scope="module", params=CHECKS)
def check(request: pytest.FixtureRequest) -> DataSchemas:
    """Both ways to hold data against a schema."""
    return CHECKS[request.param]


@pytest.mark.parametrize("event_type", event_types())
def test_every_example_fits(check: DataSchemas, event_type: str) -> None:
    assert check(event_type, event_types()[event_type].example) == ()


@pytest.mark.parametrize("data", [{}, {"anything": [1, None, {"at": "all"}]}])
def test_any_object_fits_a_custom_type(check: DataSchemas, data: dict[str, Json]) -> None:
    assert check("custom.gift_given", data) == ()


def test_members_that_no_schema_names_are_welcome(check: DataSchemas) -> None:
    data: Any = points_data() | {"till": 7}
    data["member"]["shoe_size"] = 43

    assert check("points.earned", data) == ()


@pytest.mark.parametrize(
    ("changes", "field", "detail"),
    [
        ({"member": 7}, "data.member", "must be an object"),
        ({"member": {}}, "data.member.id", "is required"),
        ({"member": {"id": 7}}, "data.member.id", "must be a string"),
        ({"member": {"id": ""}}, "data.member.id", "must have at least 1 character"),
        ({"member": {"id": LONG}}, "data.member.id", "must have at most 128 characters"),
        (
            {"member": {"id": "m", "birthday": "2026-02-30"}},
            "data.member.birthday",
            "must be a date such as 2026-11-21",
        ),
        (
            {"member": {"id": "m", "enrolled_at": "yesterday"}},
            "data.member.enrolled_at",
            "must be an RFC 3339 time such as 2026-11-21T09:30:00Z",
        ),
        (
            {"member": {"id": "m", "opted_in": "yes"}},
            "data.member.opted_in",
            "must be true or false",
        ),
        (
            {"transaction": {"id": "t", "points": "12"}},
            "data.transaction.points",
            "must be a number",
        ),
        (
            {"transaction": {"id": "t", "points": True}},
            "data.transaction.points",
            "must be a number",
        ),
        (
            {"transaction": {"id": "t", "points": 1, "tags": "a"}},
            "data.transaction.tags",
            "must be a list",
        ),
        (
            {"order": {"id": "o", "total": "12,50"}},
            "data.order.total",
            "must be an amount such as 12.50",
        ),
        (
            {"order": {"id": "o", "total": []}},
            "data.order.total",
            "must be a number or a string",
        ),
        (
            {"order": {"id": "o", "items": [{}, {"quantity": 1.5}]}},
            "data.order.items[1].quantity",
            "must be a whole number",
        ),
    ],
)
def test_what_is_wrong_is_named(
    check: DataSchemas, changes: dict[str, Json], field: str, detail: str
) -> None:
    (error,) = check("points.earned", points_data() | changes)

    assert (error.field, error.detail) == (field, detail)


@pytest.mark.parametrize(
    ("event_type", "points", "detail"),
    [
        ("points.earned", -5, "must be 0 or more"),
        ("points.added", -1, "must be 0 or more"),
        ("points.redeemed", 5, "must be 0 or less"),
        ("points.deducted", 5, "must be 0 or less"),
        ("points.expired", 0.5, "must be 0 or less"),
        ("points.rejected", -5, None),
    ],
)
def test_points_are_signed_as_they_change_the_balance(
    check: DataSchemas, event_type: str, points: float, detail: str | None
) -> None:
    data: dict[str, Json] = {"member": {"id": "m"}, "transaction": {"id": "t", "points": points}}

    found = [(error.field, error.detail) for error in check(event_type, data)]
    assert found == ([("data.transaction.points", detail)] if detail else [])


def test_a_word_of_a_closed_list_is_named_with_the_list(check: DataSchemas) -> None:
    data = copy.deepcopy(event_types()["voucher.redeemed"].example)
    data["voucher"] = {"code": "c", "type": "coin"}

    detail = "must be coupon, gift_card, loyalty_card or referral_code"
    error = FieldError("data.voucher.type", detail, pointer="/data/voucher/type")
    assert check("voucher.redeemed", data) == (error,)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(event_types())), OBJECTS, JSON)
def test_it_agrees_with_an_independent_validator(
    check: DataSchemas, event_type: str, data: dict[str, Json], member: Json
) -> None:
    """Formats aside, which jsonschema checks with packages of its own."""
    example = copy.deepcopy(event_types()[event_type].example)
    validator = jsonschema.Draft7Validator(event_types()[event_type].schema)
    for tried in (data, {**example, **data}, {**example, "member": member}):
        found = check(event_type, tried)
        if not any("such as 2026" in error.detail for error in found):
            assert (not found) == validator.is_valid(tried), (found, tried)


def test_nothing_is_changed_by_the_check(check: DataSchemas) -> None:
    data = points_data()

    check("points.earned", data)

    assert data == points_data()


def test_a_type_that_many_events_have_is_compiled() -> None:
    compiles = DataSchemas(read_first=2)

    found = [compiles("points.earned", {"member": {}}) for _ in range(4)]

    assert found == [found[0]] * 4
    assert found[0]
