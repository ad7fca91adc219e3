"""Compile the requirement files: `python -m infra.lock [--check]`.

packages/requirements.txt is what `sam build` installs, requirements-dev.txt what `make setup`
does, both of pyproject.toml; tests/receivers/requirements.txt is what the code of
docs/receiving/python.md runs with, in an environment of its own. They pin every version with its
hashes and name no index. `--check` compiles again, with the versions that are there, and fails on
any difference.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_FILES: dict[str, tuple[str, list[str]]] = {
    "packages/requirements.txt": ("pyproject.toml", []),
    "requirements-dev.txt": ("pyproject.toml", ["--group", "dev"]),
    "tests/receivers/requirements.txt": ("tests/receivers/requirements.in", []),
}
"""What each is compiled from, and with which options."""


def compile_requirements(source: Path, target: Path, options: list[str]) -> None:
    """Write the pins of `source` into `target`, keeping those that are there and still fit."""
    command = [
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--custom-compile-command",
        "make lock",
        *options,
        str(source),
        "--output-file",
        str(target),
    ]
    subprocess.run(command, check=True)


def drifted(root: Path) -> list[str]:
    """The requirement files that their sources would not compile to any more."""
    stale = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (source, options) in _FILES.items():
            copy = Path(folder) / name.replace("/", "-")
            shutil.copyfile(root / name, copy)
            compile_requirements(root / source, copy, options)
            if copy.read_text() != (root / name).read_text():
                stale.append(name)
    return stale


def main() -> int:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description="Compile the requirement files.")
    parser.add_argument("--check", action="store_true", help="fail on drift, write nothing")
    root = Path(__file__).resolve().parent.parent
    if parser.parse_args().check:
        stale = drifted(root)
        for name in stale:
            print(f"{name} is not what {_FILES[name][0]} says: run `make lock`", file=sys.stderr)
        return 1 if stale else 0
    for name, (source, options) in _FILES.items():
        compile_requirements(root / source, root / name, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
