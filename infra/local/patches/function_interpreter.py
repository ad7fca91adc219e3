"""A function sees the packages it was built with, and no others.

On Lambda the only packages are those of the function's own archive. The emulator runs functions
on its own interpreter, inside our development environment, where a package that is missing from
`packages/requirements.txt` would be found all the same.
"""

import sys

from infra.local.patches import upstream


def apply() -> None:
    """Run Python functions on the interpreter below the virtual environment."""
    from ministack.core import lambda_runtime

    name = "_detect_runtime_binary"
    detect = upstream.lookup(lambda_runtime, name)
    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # The interpreter that this environment was made from; `sys` has no public name for it.
    interpreter = getattr(sys, "_base_executable", sys.executable)

    def outside_environment(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        if runtime.startswith("python"):
            if runtime != own:
                raise RuntimeError(f"{runtime} functions need {runtime}, this is {own}")
            return interpreter, script
        return binary, script

    upstream.replace(lambda_runtime, name, outside_environment)
