"""Compile the requirement files from pyproject.toml: `python -m infra.lock [--check]`.

functions/requirements.txt is what `sam build` installs, requirements-dev.txt what `make setup`
does. Both pin every version with its hashes and name no index. `--check` compiles again, with the
versions that are there, and fails on any difference.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_FILES: dict[str, list[str]] = {
    "functions/requirements.txt": [],
    "requirements-dev.txt": ["--group", "dev"],
}


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
    """The requirement files that pyproject.toml would not compile to any more."""
    stale = []
    with tempfile.TemporaryDirectory() as folder:
        for name, options in _FILES.items():
            copy = Path(folder) / Path(name).name
            shutil.copyfile(root / name, copy)
            compile_requirements(root / "pyproject.toml", copy, options)
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
            print(f"{name} is not what pyproject.toml says: run `make lock`", file=sys.stderr)
        return 1 if stale else 0
    for name, options in _FILES.items():
        compile_requirements(root / "pyproject.toml", root / name, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
