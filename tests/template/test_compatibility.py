"""docs/compatibility.md names, in every row of every table, tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
RULER = re.compile(r"\|(?:-+\|)+")
# A file, or `…` for the one before it in the line; then a test, perhaps in a class.
REFERENCE = re.compile(r"`([\w/.]+\.py|…)(?:::((?:Test\w+::)?test_\w+))?(?:\[[^`]*\])?`")


def rows() -> list[tuple[str, str]]:
    """Each row of each table, with the head of its table."""
    found: list[tuple[str, str]] = []
    lines = TEXT.splitlines()
    for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        if RULER.fullmatch(line):
            head = before
        elif line.startswith("|") and not RULER.fullmatch(after):
            found.append((head, line))
    return found


def references(line: str) -> list[tuple[str, str]]:
    """File and test of every reference in a line; the test is empty if a whole file is named."""
    found = []
    file = ""
    for named, test in REFERENCE.findall(line):
        if named != "…":
            file = named if named.startswith("tests/") else f"tests/integration/{named}"
        found.append((file, test))
    return found


@cache
def names_in(file: str) -> frozenset[str]:
    """The tests of a file as pytest names them, without parameters."""
    found = []
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.append(node.name)
        elif isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            found += [f"{node.name}::{one.name}" for one in methods]
    return frozenset(found)


NAMED = list(dict.fromkeys(one for line in TEXT.splitlines() for one in references(line)))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_what_is_named_is_a_test_that_exists(file: str, test: str) -> None:
    assert test in names_in(file)


def test_every_row_of_every_table_names_a_test_in_its_last_cell() -> None:
    assert {head.strip("| ").split(" | ")[-1] for head, _ in rows()} == {"test"}
    assert [row for _, row in rows() if not references(row.strip("| ").split(" | ")[-1])] == []


def test_no_cell_is_empty_or_a_dash() -> None:
    cells = [(row, cell) for _, row in rows() for cell in row.strip("|").split("|")]

    assert [row for row, cell in cells if not re.search(r"\w", cell)] == []


def test_there_are_tables_of_retry_rules_features_screens_and_events() -> None:
    heads = [head for head, _ in rows()]

    assert len(set(heads)) >= 4
    assert len(heads) > 100
