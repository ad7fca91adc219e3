"""docs/architecture.md lists every fault, and names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTION = (ROOT / "docs" / "architecture.md").read_text().partition("## Faults")[2]
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", SECTION, flags=re.MULTILINE)
FAULTS = 27


def named_tests() -> list[tuple[str, str, str]]:
    """Row, file and test of every reference; `…` stands for the file before it in the row."""
    found = []
    for number, _, shown in ROWS:
        file = ""
        for path, name in re.findall(r"`([\w/.…]+)(?:::(test_\w+))?`", shown):
            file = file if path == "…" else path
            found.append((number, file, name))
    return found


def test_there_is_a_row_for_every_fault() -> None:
    assert [int(number) for number, _, _ in ROWS] == [*range(1, FAULTS + 1)]
    assert {number for number, _, _ in named_tests()} == {number for number, _, _ in ROWS}


@pytest.mark.parametrize(("number", "file", "name"), named_tests())
def test_a_row_names_a_test_that_exists(number: str, file: str, name: str) -> None:
    path = ROOT / file if "/" in file else ROOT / "tests" / "integration" / file

    assert path.suffix == ".py"
    assert f"def {name}(" in path.read_text() if name else path.exists()
