"""Every body that docs/compatibility.md calls known, against schemas written from what is public.

They are strict: each member that a product requires, the types, null only where it may be, and
nothing that it does not know.
"""

import copy
import functools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from perkwire.catalogue.event_types import event_type, event_types
from perkwire.catalogue.names import ProductEvent, product_events
from perkwire.formats.registry import find_format
from perkwire.primitives.fields import Fields
from perkwire.primitives.strict_json import Json
from tests.builders import a_payload, an_event

FOLDER = Path(__file__).parent / "schemas"
PRODUCTS = ["okendo", "voucherify", "zinrelo", "zoho-thrive"]
SETTINGS: list[dict[str, Json]] = [{}, {"published_as": "publication.succeeded"}]
SETTINGS.append({"event_name": "Points gained"})
KNOWN = [
    (product, kind)
    for product in PRODUCTS
    for kind in sorted(
        {
            kind
            for event in product_events(product)
            if not event.name.body_inferred
            for kind in event.types
        }
    )
]


@functools.cache
def file_of(product: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{product.replace('-', '_')}.json").read_text())
    return found


@functools.cache
def validator(product: str, said: str) -> Draft7Validator:
    """Of what one webhook of a product holds; `said` is the name of what happened."""
    file = file_of(product)
    (schema,) = [one["data"] for one in file["webhooks"] if said in one["types"]]
    whole = {**schema, "definitions": file.get("definitions", {})}
    Draft7Validator.check_schema(whole)
    return Draft7Validator(whole)


def kind_of(name: str) -> str:
    return "custom.quiz_done" if name == "custom.*" else name


def rendered(product: str, kind: str, data: dict[str, Json], given_: dict[str, Json]) -> Any:  # noqa: ANN401
    format_ = find_format(product)
    assert format_ is not None
    event = an_event(type=kind, data=data, program_id="gold")
    read = format_.read_settings(Fields({**given_} if product == "voucherify" else {}))
    return json.loads(format_.render(a_payload(event, settings=read)))


def wrong_with(product: str, body: Any) -> list[str]:  # noqa: ANN401
    """What of a body its product's receivers would not decode."""
    match product:
        case "voucherify":
            said, data = body["event"]["type"], body["data"]
        case "zinrelo":
            (event,) = body["events"]
            said, data = event["event_type"], event["data"]
        case "okendo":
            said, data = body["resourceType"], body
        case _:
            said, data = body["message"]["event"], body
    return [
        f"{error.json_path}: {error.message}"[:400]
        for error in validator(product, said).iter_errors(data)
    ]


@pytest.mark.parametrize("settings_", SETTINGS, ids=str)
@pytest.mark.parametrize(("product", "name"), KNOWN)
def test_an_example_is_what_the_product_sends(
    product: str, name: str, settings_: dict[str, Json]
) -> None:
    kind = kind_of(name)
    found = event_type(kind)
    assert found is not None

    assert wrong_with(product, rendered(product, kind, found.example, settings_)) == []


def varied(value: Json) -> st.SearchStrategy[Json]:
    """The like of a value: other texts and whole numbers, members that may be missing."""
    match value:
        case dict():
            kept = {name: varied(item) for name, item in value.items() if name in ("id", "points")}
            rest = {name: varied(item) for name, item in value.items() if name not in kept}
            return st.fixed_dictionaries(kept, optional=rest)
        case list():
            return (
                st.lists(st.sampled_from(value).flatmap(varied), max_size=2)
                if value
                else st.just(value)
            )
        case bool() | None:
            return st.just(value)
        case int() | float():
            return st.just(value) | st.integers(0, 10**6)
        case _:
            return st.just(value)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(KNOWN), st.sampled_from(SETTINGS), st.data())
def test_so_is_any_event_of_the_catalogue_however_little_it_says(
    known: tuple[str, str], settings_: dict[str, Json], draw: st.DataObject
) -> None:
    product, name = known
    kind = kind_of(name)
    found = event_type(kind)
    assert found is not None
    data = draw.draw(varied(copy.deepcopy(found.example)))
    assert isinstance(data, dict)
    if not Draft7Validator(found.schema).is_valid(data):
        data = found.example

    assert wrong_with(product, rendered(product, kind, data, settings_)) == []


@pytest.mark.parametrize("name", [name for product, name in KNOWN if product == "voucherify"])
def test_a_kind_of_campaign_that_the_product_has_not_is_in_its_metadata(name: str) -> None:
    found = event_type(kind_of(name))
    assert found is not None
    campaign: Json = {"id": "cmp_1", "name": "Spring", "type": "raffle"}
    data = {**found.example, "campaign": campaign}

    assert wrong_with("voucherify", rendered("voucherify", found.name, data, {})) == []


@pytest.mark.parametrize("product", PRODUCTS)
def test_there_is_a_schema_for_each_known_body_and_for_no_other(product: str) -> None:
    def said(event: ProductEvent) -> set[str]:
        names = {event.name.name, event.name.in_distribution, event.name.otherwise} - {None}
        return {str(name) for name in names}

    known = [event for event in product_events(product) if not event.name.body_inferred]
    listed = [one for entry in file_of(product)["webhooks"] for one in entry["types"]]

    assert sorted(listed) == sorted({one for event in known for one in said(event)})


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_schemas_are_strict(product: str) -> None:
    def objects(schema: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        if isinstance(schema, list):
            return [one for item in schema for one in objects(item)]
        if not isinstance(schema, dict):
            return []
        inner = [one for item in schema.values() for one in objects(item)]
        return [schema, *inner] if "properties" in schema and "type" in schema else inner

    found = objects(file_of(product))

    assert len(found) >= 3
    assert all(one["additionalProperties"] is False for one in found)


def test_what_a_strict_receiver_refuses_is_found() -> None:
    example = event_types()["reward.redeemed"].example
    body = rendered("voucherify", "reward.redeemed", example, {})

    unknown = copy.deepcopy(body)
    unknown["data"]["balance"] = {"points": -500}
    lacking = copy.deepcopy(body)
    del lacking["data"]["balance"]
    untyped = copy.deepcopy(body)
    untyped["data"]["voucher"]["created_at"] = None

    for wrong in (unknown, lacking, untyped):
        assert wrong_with("voucherify", wrong)
