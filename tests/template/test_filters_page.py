"""docs/filters.md: each example is tried on what is beside it, and the bounds are the code's."""

import json
import re

import pytest

from perkwire.model import event_pattern
from perkwire.model.event_pattern import EventPattern, read_pattern
from perkwire.model.pattern_values import OPERATORS
from perkwire.reading.filter_previewing import MOST_EVENTS
from tests.builders import an_event
from tests.template.stack import ROOT

TEXT = (ROOT / "docs" / "filters.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"^\| ([^|`]+) \| `(\{.+?)` \| `(\{.+?)` \| `(\{.+?)` \|$", TEXT, re.MULTILINE
)


@pytest.mark.parametrize(("wanted", "pattern", "through", "out"), EXAMPLES)
def test_an_example_does_what_it_says(wanted: str, pattern: str, through: str, out: str) -> None:
    read = read_pattern({"data": json.loads(pattern)})

    assert isinstance(read, EventPattern), read
    assert read.matches(an_event(data=json.loads(through)))
    assert not read.matches(an_event(data=json.loads(out)))


def test_there_are_examples_of_every_operator() -> None:
    section = TEXT.partition("## Examples")[2].partition("## Operators")[0]
    assert len(EXAMPLES) == section.count("\n| ") - 1
    patterns = " ".join(pattern for _, pattern, _, _ in EXAMPLES)
    assert all(f'"{operator}"' in patterns for operator in (*OPERATORS, "$or"))


def test_what_a_pattern_looks_like_is_one() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)

    assert isinstance(read_pattern(json.loads(block)), EventPattern)


def test_the_bounds_are_those_of_the_code() -> None:
    said = TEXT.partition("## Bounds")[2]
    for bound in (
        event_pattern.MOST_PATTERN_BYTES,
        event_pattern.MOST_PATTERN_VALUES,
        event_pattern.MOST_PATTERN_LEVELS,
        event_pattern.MOST_PATTERN_WAYS,
        event_pattern.MOST_LOOKS,
    ):
        assert f" {bound:,} " in said
    assert f"the last {MOST_EVENTS} events" in TEXT
