"""docs/operations.md explains every fault line that the functions can write."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text()
CALLS = {"fault", "crash", "_fault", "delivery_fault", "answer_management"}


def fault_lines() -> Iterator[str]:
    """The names given to the calls that write a fault."""
    for path in (ROOT / "functions").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr=name) | ast.Name(id=name), args=arguments
                ) if name in CALLS:
                    for argument in arguments:
                        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                            yield argument.value


@pytest.mark.parametrize("name", sorted(set(fault_lines())))
def test_a_fault_line_is_explained(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_there_are_fault_lines() -> None:
    assert len(set(fault_lines())) > 20
