"""docs/architecture.md names what there is: every room and its floor, every list of keys."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from perkwire import VERSION
from tests.template.stack import ROOT

LIBRARY = ROOT / "functions" / "perkwire"
TOP = LIBRARY / "__init__.py"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def named_in(heading: str) -> set[str]:
    """Everything between backticks in a section."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"`([^`]+)`", section))


def rooms() -> list[tuple[int, str]]:
    """Floor and room of each row, from the top; the functions are one row."""
    section = PAGE.partition("\n## Rooms\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", section, flags=re.MULTILINE)
    return [(int(floor), room) for floor, rooms in rows for room in re.findall(r"`(.+?)`", rooms)]


def layers() -> list[list[str]]:
    """The layers that import-linter holds, from the top."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (
        one for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "layers"
    )
    return [
        [name.replace(".", "/").removesuffix("/app") for name in layer.split(" | ")]
        for layer in contract["layers"]
    ]


def test_rooms_are_the_packages_that_there_are() -> None:
    functions = ROOT / "functions"
    found = {
        str(path.parent.relative_to(functions))
        for pattern in ("perkwire/*/__init__.py", "console/*/__init__.py")
        for path in functions.glob(pattern)
    }
    found |= {path.parent.name for path in functions.glob("*/app.py")}

    assert len(found) > 20
    assert {room for _, room in rooms()} == found


def test_no_module_of_the_library_is_outside_a_room() -> None:
    assert [path.name for path in LIBRARY.glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("__init__.py")), ids=str)
def test_a_room_begins_with_what_belongs_in_it_and_hides_nothing(path: Path) -> None:
    said, *others = ast.parse(path.read_text(encoding="utf-8")).body

    assert isinstance(said, ast.Expr)
    assert [ast.unparse(one) for one in others] == (
        [f"VERSION = {VERSION!r}"] if path == TOP else []
    )


def test_the_floors_are_those_that_imports_are_held_to() -> None:
    by_floor: dict[int, set[str]] = {}
    for floor, room in rooms():
        by_floor.setdefault(floor, set()).add(room)

    assert [by_floor[floor] for floor in sorted(by_floor, reverse=True)] == [*map(set, layers())]


def test_every_list_of_keys_is_named() -> None:
    lists = {
        f"adapters/{path.relative_to(LIBRARY / 'adapters')}"
        for path in (LIBRARY / "adapters").rglob("*.py")
        if "\n| item | pk | sk |\n" in path.read_text(encoding="utf-8")
    }
    assert len(lists) == 8
    assert lists - named_in("Data") == set()
