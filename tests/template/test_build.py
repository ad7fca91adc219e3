"""The same code becomes the same bytes in whatever folder, at whatever time, it is built.

`make reproducible` compares two builds of everything, packages included.
"""

import os
import shutil
from pathlib import Path

import pytest

from infra.build import compile_code
from infra.reproducible import differences, files_of
from tests.template.stack import ROOT


@pytest.mark.parametrize("layer", [False, True], ids=["function", "layer"])
def test_bytecode_is_the_same_wherever_and_whenever_it_is_compiled(
    tmp_path: Path, layer: bool
) -> None:
    built = []
    for name, age in (("one", 0), ("of/another/depth", 1_000_000)):
        folder = tmp_path / name
        code = folder / ("python" if layer else "perkwire") / "primitives"
        shutil.copytree(
            ROOT / "functions" / "perkwire" / "primitives",
            code,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        for path in code.iterdir():
            os.utime(path, (1_700_000_000 + age, 1_700_000_000 + age))
        assert compile_code(folder)
        built.append(files_of(folder))

    assert differences(*built) == []
    assert any(name.endswith(".pyc") for name in built[0])


def test_a_file_that_differs_or_is_not_in_both_is_named() -> None:
    assert differences({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}) == [
        "b",
        "c",
        "d",
    ]
