"""`make reproducible`: build twice, in two folders, and compare every byte (docs/adr/0016).

What git has of this folder is copied into two others, of different names and depths, and built in
each as `make build` does, with `--plain` as `sam build` alone does. Fails, and names the files, if
a byte differs. Installs the packages twice: minutes.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.build import ROOT


def files_of(folder: Path) -> Mapping[str, str]:
    """The digest of each file below a folder, by its place in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """The files that are not the same in both."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _copy(folder: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - whichever git there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)


def _built(folder: Path, *, plain: bool) -> Mapping[str, str]:
    _copy(folder)
    command = ("samcli", "build") if plain else ("infra.build",)
    subprocess.run([sys.executable, "-m", *command], cwd=folder, env=os.environ, check=True)
    return files_of(folder / ".aws-sam" / "build")


def main() -> int:
    """Build, compare and print."""
    options = argparse.ArgumentParser(description="Build twice and compare.")
    options.add_argument("--plain", action="store_true", help="as `sam build` alone does")
    plain: bool = options.parse_args().plain
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first = _built(Path(one), plain=plain)
        second = _built(Path(other) / "of" / "another-depth", plain=plain)
    different = differences(first, second)
    for name in different:
        print(f"differs: {name}", file=sys.stderr)
    print(f"{len(first)} files, {len(different)} of them not the same in both builds")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
