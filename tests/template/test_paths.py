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
# What a class or its contract tests say that it is there for: `Fulfils queueing.Queue`.
FULFILLED = re.compile(r"(?:[Ff]ulfils |, | and |: |^)([a-z_]+)\.([A-Z]\w+)(?=[,.: ])")
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


def defined() -> set[tuple[str, str]]:
    """Classes and types of the functions, each with its module and with every folder above it."""
    found = set()
    for path in tracked():
        if path.startswith("functions/") and path.endswith(".py"):
            for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
                match node:
                    case ast.ClassDef(name=name) | ast.TypeAlias(name=ast.Name(id=name)):
                        found |= {(place, name) for place in path.removesuffix(".py").split("/")}
    return found


def fulfilled(text: str) -> set[tuple[str, str]]:
    """What is named in lines that say so; fakes begin with what they stand for."""
    lines = [one for one in text.splitlines() if "ulfils" in one or one.startswith("For ")]
    return {one for line in lines for one in FULFILLED.findall(line)}


@pytest.mark.parametrize("path", READ)
def test_paths_that_are_named_exist(path: str) -> None:
    assert missing(prose(path)) == []


def test_a_path_that_is_not_there_is_found() -> None:
    text = "`adapters/gone.bind`, tests/unit/test_gone.py; docs/adr/0003, ../docs/cost.md"

    assert missing(text) == ["adapters/gone.bind", "tests/unit/test_gone.py"]


def test_what_is_said_to_be_fulfilled_exists() -> None:
    texts = {path: prose(path) for path in READ if path.startswith(("functions/", "tests/fakes/"))}
    for path in READ:
        if path.startswith("tests/integration/contracts/"):
            texts[path] = f"Fulfils {prose(path)}"
    said = {path: fulfilled(text) for path, text in texts.items()}
    known = defined()

    assert {path: found - known for path, found in said.items() if found - known} == {}
    assert ("queueing", "Queue") in said["functions/perkwire/adapters/sqs/queues.py"]


def test_a_name_that_is_not_there_is_found() -> None:
    text = "Fulfils a.Queue, b.Counter and c.One. Not os.Path.\nFor Table: d.Log, e.Log.\nAn f.No."

    assert fulfilled(text) == {
        *(("a", "Queue"), ("b", "Counter"), ("c", "One"), ("d", "Log"), ("e", "Log"))
    }
