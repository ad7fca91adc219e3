"""`make build`: `sam build`, then the bytecode that makes cold starts short (docs/adr/0002).

SAM dates every file of a zip 1980, so Python would not believe bytecode that goes by dates; this
goes by content, and cannot run stale code. Plain `sam build` works too, and starts slower.
"""

import compileall
import py_compile
import subprocess
import sys
from pathlib import Path

# Where Lambda puts the code, for tracebacks that name it.
_FUNCTION_ROOT = "/var/task"
_LAYER_ROOT = "/opt"

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Build into .aws-sam/build; the exit status is SAM's, or 1 if the bytecode fails."""
    built = subprocess.run([sys.executable, "-m", "samcli", "build"], cwd=ROOT, check=False)
    if built.returncode != 0:
        return built.returncode
    return 0 if all(compile_code(folder) for folder in _code_folders(ROOT)) else 1


def compile_code(folder: Path) -> bool:
    """Add bytecode to a folder of code; return whether all of it compiles, and print what not."""
    return bool(
        compileall.compile_dir(
            str(folder),
            quiet=1,
            stripdir=str(folder),
            prependdir=_LAYER_ROOT if is_layer(folder) else _FUNCTION_ROOT,
            invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
        )
    )


def is_layer(folder: Path) -> bool:
    """Whether a folder is built as a layer, whose code stands in `python`."""
    return (folder / "python").is_dir()


def _code_folders(root: Path) -> list[Path]:
    build = root / ".aws-sam" / "build"
    return [
        folder
        for folder in sorted(build.iterdir())
        if is_layer(folder) or any(folder.glob("*/app.py"))
    ]


if __name__ == "__main__":
    sys.exit(main())
