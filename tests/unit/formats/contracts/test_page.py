"""docs/contracts.md: each contract of the page sends what stands under it."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from perkwire.formats.contracts import bounds, contract, expressions, templates
from perkwire.formats.contracts.built_in import BUILT_IN, built_in
from perkwire.formats.contracts.contract import read_contract
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.contracts.recipes import read_recipe
from perkwire.primitives.fields import Fields
from perkwire.primitives.problem import Problem
from perkwire.primitives.timestamps import parse_rfc3339
from tests.builders import a_payload, an_event

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
BLOCKS = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", PAGE, re.M | re.S)]
EVENT, *REST = BLOCKS
PAIRS = [
    (one, REST[position + 1])
    for position, one in enumerate(REST)
    if "events" in one and "name" in one
]
RECIPES = [one for one in REST if "header" in one]
FOLDER = ROOT / "functions" / "perkwire" / "formats" / "contracts"
SCHEMA = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("written", "sent"), PAIRS, ids=[one["name"] for one, _ in PAIRS])
def test_a_contract_of_the_page_sends_what_stands_under_it(written: Any, sent: Any) -> None:  # noqa: ANN401
    format_ = ContractFormat(read_contract(written))
    event = an_event(
        id=EVENT["id"],
        type=EVENT["type"],
        program_id=EVENT["program_id"],
        occurred_at=parse_rfc3339(EVENT["occurred_at"]),
        data=EVENT["data"],
    )
    payload = a_payload(event, settings=format_.read_settings(Fields({})))

    assert json.loads(format_.render(payload)) == sent
    jsonschema.validate(written, SCHEMA)


def test_every_example_is_run() -> None:
    assert len(BLOCKS) == 1 + 2 * len(PAIRS) + len(RECIPES)
    assert len(PAIRS) == 8


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_of_the_page_is_one(recipe: Any) -> None:  # noqa: ANN401
    fields = Fields(recipe)
    read_recipe(recipe, fields)

    assert fields.finish() == []


def test_the_bounds_are_those_of_the_page() -> None:
    said = PAGE.partition("## Bounds")[2].partition("## What")[0]

    for bound in (
        contract.LARGEST_CONTRACT,
        templates.MOST_LEAVES,
        contract.MOST_EVENTS,
        contract.MOST_HEADERS,
        contract.MOST_SETTINGS,
        expressions.LONGEST_EXPRESSION,
        bounds.STEPS_OF_AN_EVENT,
        bounds.MOST_STEPS,
        bounds.DEEPEST,
    ):
        assert f"{bound:,}" in said
    assert "1.5 million" in said
    assert bounds.LARGEST_BODY == 1_500_000


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_schema_takes_what_is_built_in(name: str) -> None:
    jsonschema.validate(dict(built_in(name).contract.source), SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        {"nam": "x"},
        {"events": {}},
        {"absent": "never"},
        {"signature": {"header": "x-s", "hash": "md5"}},
        {"signature": {"hash": "sha256"}},
        {"success": ["3xx"]},
        {"batch": {"largest": 101}},
        {"settings": {"A B": {}}},
        {"content_type": "text/plain"},
        {"bodies": [{"for": [], "body": 1}]},
        {"headers": {"x-a": 1}},
    ],
)
def test_schema_and_reader_refuse_the_same(change: Any) -> None:  # noqa: ANN401
    written = {**PAIRS[0][0], **change}

    with pytest.raises(Problem):
        read_contract(written)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(written, SCHEMA)
