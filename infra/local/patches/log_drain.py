"""An invocation that logs nothing is not delayed.

After each invocation the emulator waits up to 50 ms for a first log line of the function; Lambda
answers at once and collects the log meanwhile. A line that comes later than our wait is kept and
shown with the next invocation.
"""

from typing import Any

from infra.local.patches import upstream

_FIRST_LINE_WAIT_SECONDS = 0.003


def apply() -> None:
    """Wait three milliseconds for a function's first log line, not fifty."""
    from ministack.core import lambda_runtime

    worker = lambda_runtime.Worker
    drain = upstream.lookup(worker, "_drain_stderr_bounded")

    def drain_soon(self: Any) -> Any:  # noqa: ANN401
        return drain(self, first_line_wait=_FIRST_LINE_WAIT_SECONDS)

    upstream.replace(worker, "_drain_stderr_bounded", drain_soon)
