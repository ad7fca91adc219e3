"""The local system as a user starts it, and an account in it that talks HTTP."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from mypy_boto3_sqs import SQSClient

from infra.local.emulator import ROOT, client
from tests.invariant import bodies_in

MAX_ATTEMPTS = 3
RETRY_INTERVAL_SECONDS = 2

_WORK = ROOT / ".perkwire"
_LOCAL = _WORK / "local.json"
# The first start of a fresh clone builds the functions.
_START_SECONDS = 300
_STOP_SECONDS = 30
_PARAMETERS = [f"MaxAttempts={MAX_ATTEMPTS}", f"RetryIntervalSeconds={RETRY_INTERVAL_SECONDS}"]


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LocalSystem:
    """`python -m infra.local` on a port of its own, for the length of a `with`.

    It always writes `.perkwire/local.json`: what another one has left there is put back.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._process: subprocess.Popen[str] | None = None
        self._before = _LOCAL.read_bytes() if _LOCAL.exists() else None
        self.local: Mapping[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(_WORK / str(self._port), ignore_errors=True)
        if self._before is None:
            _LOCAL.unlink(missing_ok=True)
        else:
            _LOCAL.write_bytes(self._before)

    def start(self) -> None:
        command = [sys.executable, "-m", "infra.local", "--no-demo", "--port", str(self._port)]
        self._process = subprocess.Popen(
            [*command, *_PARAMETERS],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        said: list[str] = []
        running = threading.Event()
        assert self._process.stdout is not None
        output = self._process.stdout

        def read() -> None:
            for line in output:
                said.append(line)
                if line.startswith("Running."):
                    running.set()
            running.set()

        threading.Thread(target=read, daemon=True).start()
        assert running.wait(_START_SECONDS), "".join(said)
        assert self._process.poll() is None, "".join(said)
        self.local = json.loads(_LOCAL.read_text())
        assert self.local["api_url"].endswith(f":{self._port}"), "another system has started"

    def stop(self) -> None:
        """As Ctrl-C does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout:
                process.stdout.close()

    @property
    def sqs(self) -> SQSClient:
        found: SQSClient = client("sqs", self.local["aws_endpoint_url"])
        return found

    def bodies(self, queue: str) -> list[str]:
        """What is in a queue, received by no one."""
        return bodies_in(self.local["aws_endpoint_url"], self.local[f"{queue}Url"])

    def workers(self, function: str) -> list[int]:
        """The processes that run a function, all of them below ours."""
        assert self._process is not None
        return [
            pid
            for pid in _descendants(self._process.pid)
            if function.encode() in _variable(pid, b"AWS_LAMBDA_FUNCTION_NAME")
        ]

    def call(
        self, method: str, path: str, body: object = None, *, key: str | None = None
    ) -> tuple[int, Any]:
        """Status and JSON of a request; with the operator's key unless another is given."""
        request = urllib.request.Request(  # noqa: S310 - our own API
            f"{self.local['api_url']}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {key or self.local['operator_key']}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


class Account:
    """An account of the system, through its own API key. Fulfils `tests.invariant.Evidence`."""

    def __init__(self, system: LocalSystem) -> None:
        self._system = system
        account = self._made("/v1/accounts", {"name": "Brew & Bean"}, key=None)
        self.id: str = account["id"]
        path = f"/v1/accounts/{self.id}/api-keys"
        scopes = {"name": "e2e", "scopes": ["events", "webhooks"]}
        self.key: str = self._made(path, scopes, key=None)["key"]

    def webhook(self, url: str, **fields: object) -> dict[str, Any]:
        """A new webhook for all events, with its secret."""
        asked = {"name": "orders", "url": url, "event_types": ["*"], **fields}
        return self._made("/v1/webhooks", asked, key=self.key)

    def post(self, *events: Mapping[str, Any]) -> list[str]:
        """Post events; their ids."""
        status, answer = self._system.call("POST", "/v1/events", {"events": events}, key=self.key)
        assert status == 202, answer
        return [event["id"] for event in answer["events"]]

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON was answered
        """What there is at a path; fails for anything but 200."""
        status, answer = self._system.call("GET", path, key=self.key)
        assert status == 200, answer
        return answer

    def statuses(self) -> list[str]:
        """Those of all deliveries in the log."""
        return [delivery["status"] for delivery in self.get("/v1/deliveries?limit=100")["data"]]

    def event(self, event_id: str) -> dict[str, Any] | None:
        return self._found(f"/v1/events/{event_id}")

    def delivery(self, delivery_id: str) -> dict[str, Any] | None:
        return self._found(f"/v1/deliveries/{delivery_id}")

    def waiting(self) -> list[str]:
        return [*self._own("EventQueue"), *self._own("DeliveryQueue")]

    def dead(self) -> list[str]:
        return self._own("DeadLetterQueue")

    def _own(self, queue: str) -> list[str]:
        return [body for body in self._system.bodies(queue) if self.id in body]

    def _made(self, path: str, body: object, *, key: str | None) -> dict[str, Any]:
        status, answer = self._system.call("POST", path, body, key=key)
        assert status == 201, answer
        made: dict[str, Any] = answer
        return made

    def _found(self, path: str) -> dict[str, Any] | None:
        status, answer = self._system.call("GET", path, key=self.key)
        assert status in (200, 404), answer
        found: dict[str, Any] = answer
        return found if status == 200 else None


def until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait for a condition; fail when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)


def _descendants(pid: int) -> Iterator[int]:
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # After the name, which may hold anything, come the state and the parent.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
    left = [pid]
    while left:
        for child in parents.get(left.pop(), []):
            yield child
            left.append(child)


def _variable(pid: int, name: bytes) -> bytes:
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            key, _, value = entry.partition(b"=")
            if key == name:
                return value
    return b""
