"""docs/architecture.md lists every fault, and names tests that exist and do what it says."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTION = (ROOT / "docs" / "architecture.md").read_text().partition("## Faults")[2]
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", SECTION, flags=re.MULTILINE)
FAULTS = 36


def named_tests() -> list[tuple[str, str, str]]:
    """Row, file and test of every reference; `…` stands for the file before it in the row."""
    found = []
    for number, _, shown in ROWS:
        file = ""
        for path, name in re.findall(r"`([\w/.…]+)(?:::(test_\w+))?`", shown):
            file = file if path == "…" else path
            found.append((number, file, name))
    return found


def file_of(reference: str) -> Path:
    if reference.startswith("tests/"):
        return ROOT / reference
    return ROOT / "tests" / "integration" / reference


def test_there_is_a_row_for_every_fault() -> None:
    assert [int(number) for number, _, _ in ROWS] == [*range(1, FAULTS + 1)]
    assert {number for number, _, _ in named_tests()} == {number for number, _, _ in ROWS}


@pytest.mark.parametrize(("number", "file", "name"), named_tests())
def test_a_row_names_a_test_that_exists(number: str, file: str, name: str) -> None:
    path = file_of(file)

    assert path.suffix == ".py"
    assert f"def {name}(" in path.read_text() if name else path.exists()


def checks_the_invariant(path: Path, name: str) -> bool:
    """Whether a test calls `check` of tests/invariant.py itself."""
    tree = ast.parse(path.read_text())
    imported = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "tests.invariant"
        and "check" in {alias.name for alias in node.names}
        for node in tree.body
    )
    (test,) = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name
    )
    return imported and any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"
        for node in ast.walk(test)
    )


def test_each_row_checks_the_invariant_or_is_said_to_show_a_step() -> None:
    said = re.search(r"those of rows ([\d, ]+) show the one step", SECTION)
    assert said
    steps = set(said[1].split(", "))

    checking = {
        number
        for number, file, name in named_tests()
        if name and checks_the_invariant(file_of(file), name)
    }

    assert checking | steps == {number for number, _, _ in ROWS}
    assert checking & steps == set()
