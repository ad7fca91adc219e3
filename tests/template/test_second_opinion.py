"""docs/local.md says in what the second implementation of AWS differs, test by test."""

import re

import pytest

from tests.second_opinion import DIFFERENCES
from tests.template.stack import ROOT

SECTION = (ROOT / "docs" / "local.md").read_text().partition("## A second opinion")[2]


@pytest.mark.parametrize("test", DIFFERENCES)
def test_a_difference_is_of_a_test_that_there_is_and_is_on_the_page(test: str) -> None:
    file, _, name = test.partition("::")
    contracts = ROOT / "tests" / "integration" / "contracts"
    assert f"def {name}(" in (contracts / file).read_text()
    assert f"`{name}`" in SECTION


def test_the_page_names_no_others() -> None:
    named = set(re.findall(r"`(test_\w+)`", SECTION))
    assert named == {test.partition("::")[2] for test in DIFFERENCES}
