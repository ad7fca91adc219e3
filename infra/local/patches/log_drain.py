"""What a function says in an invocation is the log of that one, which waits for nothing else.

Lambda answers at once, collects the log meanwhile, and loses none of it. The emulator waits up to
50 ms after each invocation for a first line, and shows what comes later with the next one: on a
busy machine, which gets to the lines late, that may be minutes away, so that an invocation that
left its message seems to have said nothing. Here a Python function's process marks the end of each
invocation among its lines, and the emulator reads up to there.
"""

import queue
import time
from typing import Any
from weakref import WeakKeyDictionary

from infra.local.patches import upstream

MOST_SECONDS = 10.0
"""How long a mark is waited for; what comes still later is shown with the next invocation."""

_MARK = "\x1eend of an invocation"
_CALL = "            result = handler_fn(event, context)\n"
# To the descriptor itself: a function may have put something else where its stderr was.
_MARKED_CALL = f"""            try:
                result = handler_fn(event, context)
            finally:
                sys.stderr.flush()
                os.write(2, {f"{_MARK}\n".encode()!r})
"""
_LOOK_AGAIN_SECONDS = 0.05


def apply() -> None:
    """Have Python functions mark the ends of their invocations, and read up to the marks."""
    from ministack.core import lambda_runtime

    script = upstream.lookup(lambda_runtime, "_PYTHON_WORKER_SCRIPT")
    if script.count(_CALL) != 1:
        raise upstream.UpstreamChangedError(f"{lambda_runtime.__name__} calls handlers otherwise")
    upstream.replace(lambda_runtime, "_PYTHON_WORKER_SCRIPT", script.replace(_CALL, _MARKED_CALL))
    worker = lambda_runtime.Worker
    drain = upstream.lookup(worker, "_drain_stderr_bounded")
    # Of a process by its queue: it has a new one when it is started anew.
    awaited: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    def drain_to_mark(self: Any, **options: Any) -> Any:  # noqa: ANN401
        if not _is_python(self):
            return drain(self, **options)
        said = self._stderr_queue
        lines, marks = _read(said, self._stderr_thread, awaited.get(said, 0) + 1)
        awaited[said] = marks
        return "\n".join(lines)

    drain_now = upstream.lookup(worker, "_drain_stderr")

    def drain_dead(self: Any) -> Any:  # noqa: ANN401
        """After a time-out: the process has been killed, and its lines end."""
        if _is_python(self):
            self._stderr_thread.join(MOST_SECONDS)
        return drain_now(self)

    upstream.replace(worker, "_drain_stderr_bounded", drain_to_mark)
    upstream.replace(worker, "_drain_stderr", drain_dead)


def _is_python(worker: Any) -> bool:  # noqa: ANN401
    return bool(worker.config.get("Runtime", "").startswith("python"))


def _read(said: Any, reader: Any, marks: int) -> tuple[list[str], int]:  # noqa: ANN401
    """The lines up to so many marks, and how many of these have not come in time."""
    lines = []
    deadline = time.monotonic() + MOST_SECONDS
    while marks and time.monotonic() < deadline:
        is_read = reader.is_alive()
        try:
            line = said.get(timeout=_LOOK_AGAIN_SECONDS)
        except queue.Empty:
            if not is_read:  # the process is dead, and all of it was read
                break
            continue
        line, marked, _ = line.partition(_MARK)
        if line or not marked:
            lines.append(line)
        marks -= bool(marked)
    return lines, marks
