"""What a function has said is the log of its invocation, however late it is read."""

import contextlib
import io
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ministack.core import lambda_runtime

from infra.local.patches import log_drain

CODE = """
import os, sys, threading

def handler(event, context):
    sys.stderr.write(event["says"])
    if event.get("dies"):
        os._exit(1)
    if event.get("hangs"):
        threading.Event().wait()
    return "answer"
"""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function's process, in a patched emulator that gets to its lines a moment late."""
    of_process = lambda_runtime.Worker
    monkeypatch.setattr(lambda_runtime, "_PYTHON_WORKER_SCRIPT", script())
    for name in ("_drain_stderr_bounded", "_drain_stderr"):
        monkeypatch.setattr(of_process, name, vars(of_process)[name])
    log_drain.apply()
    monkeypatch.setattr(of_process, "_read_stderr", read_late)
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[str]:  # noqa: ANN401
        started.append(subprocess.Popen(*arguments, **options))
        return started[-1]

    ours = SimpleNamespace(**{**vars(subprocess), "Popen": start})
    monkeypatch.setattr(lambda_runtime, "subprocess", ours)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", CODE)
    config = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Timeout": 60,
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:says",
    }
    made = lambda_runtime.Worker("says", config, code.getvalue())
    yield made
    for process in started:
        process.kill()
        process.wait()
    for thread in threading.enumerate():
        if thread.name == "stderr-says":
            thread.join()
    for process in started:
        for stream in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]
    made._discard_tmpdir()


def read_late(worker: Any) -> None:  # noqa: ANN401
    """Each line a moment after it has come, as on a busy machine."""
    lines = worker._stderr_queue
    for line in worker._proc.stderr:
        time.sleep(0.1)
        lines.put(line.rstrip("\n"))


def script() -> str:
    return str(lambda_runtime._PYTHON_WORKER_SCRIPT)


def test_what_is_said_last_is_the_log_of_its_invocation(worker: Any) -> None:  # noqa: ANN401
    answers = [worker.invoke({"says": f"{number}\n"}, str(number)) for number in range(3)]

    assert [answer["result"] for answer in answers] == ["answer"] * 3
    assert [answer["log"] for answer in answers] == ["0", "1", "2"]


def test_a_line_without_its_end_is_shown_as_it_is(worker: Any) -> None:  # noqa: ANN401
    assert [worker.invoke({"says": one}, "1")["log"] for one in ("a\nb", "", "c")] == [
        "a\nb",
        "",
        "c",
    ]


@pytest.mark.measures_time
def test_the_last_words_of_a_process_are_waited_for_no_longer_than_it_lives(worker: Any) -> None:  # noqa: ANN401
    started = time.monotonic()
    answer = worker.invoke({"says": "last words\n", "dies": True}, "1")

    assert answer["status"] == "error"
    assert answer["log"] == "last words"
    assert time.monotonic() - started < log_drain.MOST_SECONDS
    assert worker.invoke({"says": "again\n"}, "2")["log"] == "again"


def test_what_was_said_before_a_time_out_is_its_log(
    worker: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read_at_the_end(self: Any) -> None:  # noqa: ANN401
        process = self._proc
        process.wait()
        time.sleep(0.3)
        for line in process.stderr:
            self._stderr_queue.put(line.rstrip("\n"))

    monkeypatch.setattr(lambda_runtime.Worker, "_read_stderr", read_at_the_end)
    worker.config["Timeout"] = 2
    answer = worker.invoke({"says": "so far\n", "hangs": True}, "1")

    assert answer["error"] == "Task timed out after 2.00 seconds"
    assert answer["log"] == "so far"
