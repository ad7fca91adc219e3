"""docs/clients.md: what it says for each language, laid out as somebody would save it, and run."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.emulator import ROOT

PAGE = ROOT / "docs" / "clients.md"
CONTRACT = ROOT / "docs" / "openapi.yaml"
NPM = Path(__file__).parent / "npm"

# The last line that a program prints: SQS holds the delivery that it has retried.
RETRIED = "retry: 202"
_SECONDS = 1_200
_FILE = re.compile(r"^```\w+\n((?:<\?php )?(?:#|//|<!--) (\S+\.\w+).*?\n.*?)^```$", re.M | re.S)
_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_INSTALLING = ("npm install ", "pip install ")


@dataclass(frozen=True)
class Language:
    """A section of the page; `needs` are the programs without which it cannot be tried."""

    name: str
    needs: tuple[str, ...]

    @property
    def missing(self) -> list[str]:
        """The programs that are not on this machine."""
        return [name for name in self.needs if shutil.which(name) is None]


LANGUAGES = (
    Language("TypeScript", ("node", "npm")),
    Language("Python", ("python",)),
    Language("Go", ("go",)),
    Language("Java", ("java", "mvn")),
    Language("C#", ("java", "dotnet")),
    Language("PHP", ("java", "php")),
    Language("Ruby", ("java", "ruby")),
    Language("Rust", ("java", "cargo")),
    Language("Kotlin", ("java", "mvn")),
)


@dataclass(frozen=True)
class Ran:
    """How the commands of a section went."""

    status: int
    output: str

    @property
    def retried(self) -> bool:
        """Whether the program came to its end, and that was the right one."""
        output = _COLOUR.sub(
            "", self.output
        ).rstrip()  # Maven ends with one, even where it has none
        return self.status == 0 and output.endswith(RETRIED)


def section(language: Language) -> str:
    """The page's part for a language."""
    parts = re.split(r"^## (.*)\n", PAGE.read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[language.name]


def sections() -> list[str]:
    """The languages that the page has a section for, in its order."""
    return re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.M)


def save(language: Language, folder: Path) -> None:
    """Lay the files of a section out, with the contract beside them."""
    shutil.copyfile(CONTRACT, folder / "openapi.yaml")
    for text, name in _FILE.findall(section(language)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def run(
    language: Language, folder: Path, environment: Mapping[str, str], *, install: bool = True
) -> Ran:
    """Run the commands of a section where its files are; without `install` but not those for it."""
    (commands,) = _COMMANDS.findall(section(language))
    if not install:
        kept = [line for line in commands.splitlines() if not line.startswith(_INSTALLING)]
        commands = "\n".join(kept)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],  # noqa: S607
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    return Ran(done.returncode, done.stdout)
