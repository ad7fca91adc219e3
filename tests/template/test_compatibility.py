"""docs/compatibility.md names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "compatibility.md").read_text()


def named_tests() -> list[tuple[str, str]]:
    """File and test of every reference; `…` stands for the file before it in the row."""
    found = []
    for row in TEXT.splitlines():
        file = ""
        for path, name in re.findall(r"`([\w/.…]+?)(?:::(test_\w+))?`", row):
            if path != "…":
                file = path
            if file.endswith(".py"):
                found.append((file, name))
    return found


@pytest.mark.parametrize(("file", "name"), named_tests())
def test_a_row_names_a_test_that_exists(file: str, name: str) -> None:
    path = ROOT / file if "/" in file else ROOT / "tests" / "integration" / file

    assert f"def {name}" in path.read_text()


def test_there_are_rows() -> None:
    assert len(named_tests()) > 20
