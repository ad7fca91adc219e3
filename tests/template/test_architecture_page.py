"""docs/architecture.md names what there is: every module of the library, every list of keys."""

import re
from pathlib import Path

from tests.template.stack import ROOT

LIBRARY = ROOT / "functions" / "perkwire"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def named_in(heading: str) -> set[str]:
    """Everything between backticks in a section."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"`([^`]+)`", section))


def modules(folder: Path) -> set[str]:
    """The modules and packages of a folder."""
    found = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    return found | {path.parent.name for path in folder.glob("*/__init__.py")}


def test_every_module_and_package_of_the_library_has_a_layer() -> None:
    found = modules(LIBRARY)
    assert len(found) > 10
    assert found - named_in("Layers") == set()


def test_layers_name_nothing_that_is_not_there() -> None:
    named = {one for one in named_in("Layers") if re.fullmatch(r"[a-z_]+", one)}
    assert named - modules(LIBRARY) == set()


def test_every_list_of_keys_is_named() -> None:
    lists = {
        f"adapters/{path.relative_to(LIBRARY / 'adapters')}"
        for path in (LIBRARY / "adapters").rglob("*.py")
        if "\n| item | pk | sk |\n" in path.read_text(encoding="utf-8")
    }
    assert len(lists) == 5
    assert lists - named_in("Data") == set()
