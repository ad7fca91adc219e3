"""Every path that a page, a workflow, a template, a comment or a docstring names is there."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator

import pytest

from tests.template.stack import ROOT

# Pages name tests from where their tables say, rooms from the folders that hold them.
BASES = ("", "functions/", "functions/perkwire/", "tests/integration/")
TOPS = "functions|infra|tests|docs|bench|\\.github|perkwire|adapters|console"
PATH = re.compile(rf"(?<![\w./}}$-])(?:\.\./)*((?:{TOPS})/[a-z_0-9][\w./-]*\w)(?![\w/*{{<(…])")
SUFFIXES = (".md", ".yaml", ".toml", ".py", "Makefile", ".ci/run")


def tracked() -> list[str]:
    """The files that git knows, and those that it does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in listed.stdout.splitlines() if (ROOT / path).exists()]


READ = [path for path in tracked() if path.endswith(SUFFIXES)]


def prose(path: str) -> str:
    """A file as a whole; of code what is said about it."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return "\n".join(said_in(text)) if path.endswith(".py") else text


def said_in(code: str) -> Iterator[str]:
    """The comments, and the strings that stand as statements."""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text


def missing(text: str) -> list[str]:
    """The paths of a text that nothing has or, as `docs/adr/0003` does, begins with."""
    return [
        path
        for path in PATH.findall(text)
        if not any([*(ROOT / base).glob(f"{path}*")] for base in BASES)
    ]


@pytest.mark.parametrize("path", READ)
def test_paths_that_are_named_exist(path: str) -> None:
    assert missing(prose(path)) == []


def test_a_path_that_is_not_there_is_found() -> None:
    text = "`adapters/gone.bind`, tests/unit/test_gone.py; docs/adr/0003, ../docs/cost.md"

    assert missing(text) == ["adapters/gone.bind", "tests/unit/test_gone.py"]
