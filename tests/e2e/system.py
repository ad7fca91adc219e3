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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from mypy_boto3_sqs import SQSClient

from infra.local.emulator import ROOT, client
from tests.canaries import Canaries
from tests.e2e.rights import Rights
from tests.iam.in_function import FOLDER
from tests.invariant import bodies_in

MAX_ATTEMPTS = 3
# As long as an invocation may take on a machine that stands still for a moment: what is received
# again while it is still tried spends its attempts.
RETRY_INTERVAL_SECONDS = 6

_WORK = ROOT / ".perkwire"
# The first start of a fresh clone builds the functions.
_START_SECONDS = 300
_STOP_SECONDS = 30
_PARAMETERS = (f"MaxAttempts={MAX_ATTEMPTS}", f"RetryIntervalSeconds={RETRY_INTERVAL_SECONDS}")


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LocalSystem:
    """`python -m infra.local` on a port of its own, for the length of a `with`.

    It leaves `.perkwire/local.json` to a system that somebody else runs, and each function is
    refused what its role does not allow. When the `with` ends, no secret of the accounts may be in
    anything that the system has written or refused, and no call may have been refused.
    """

    running: ClassVar[list["LocalSystem"]] = []

    def __init__(self, port: int, parameters: Sequence[str] = _PARAMETERS) -> None:
        self._parameters = parameters
        self._port = port
        self.rights = Rights()
        self._process: subprocess.Popen[str] | None = None
        self.local: Mapping[str, str] = {}
        self.canaries = Canaries()
        self._said: list[str] = []
        self._refused: list[str] = []
        self._leaks: list[str] = []

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, kind: object = None, *_: object) -> None:
        self.stop()
        shutil.rmtree(_WORK / str(self._port), ignore_errors=True)
        refused = self.rights.take_refused()
        self.rights.end()
        assert kind or self._leaks == []
        assert kind or refused == []

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.e2e.enforcing", "--no-demo", "--private"]
        self._process = subprocess.Popen(
            [*command, "--port", str(self._port), *self._parameters],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, FOLDER: str(self.rights.folder)},
        )
        said = self._said
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
        self.local = json.loads((_WORK / str(self._port) / "local.json").read_text())
        self.rights.enforce(self.client)
        LocalSystem.running.append(self)

    def stop(self) -> None:
        """As Ctrl-C does."""
        process, self._process = self._process, None
        if process is None:
            return
        if self in LocalSystem.running:
            LocalSystem.running.remove(self)
        if self.local and process.poll() is None:
            self._leaks += self.leaks()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout:
                process.stdout.close()

    def leaks(self) -> list[str]:
        """Where a secret can be read: in a log, on the console, in a problem document."""
        logs = self.client("logs")
        places = {
            "the console": "".join(self._said),
            "the emulator's log": (_WORK / str(self._port) / "emulator.log").read_text(),
            "a problem document": "\n".join(self._refused),
        }
        for group in logs.describe_log_groups()["logGroups"]:
            name = group["logGroupName"]
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
            events = [event["message"] for page in pages for event in page["events"]]
            places[name] = "\n".join(events)
        return [
            f"{place} shows {found}"
            for place, text in places.items()
            for found in self.canaries.found_in(text)
        ]

    @property
    def sqs(self) -> SQSClient:
        found: SQSClient = self.client("sqs")
        return found

    def client(self, service: str) -> Any:  # noqa: ANN401 - one of boto3's generated classes
        """A client of the emulator, with the rights of the AWS account's owner."""
        return client(service, self.local["aws_endpoint_url"])

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
                answered = json.load(answer)
                self.canaries.learn(body, answered)
                return answer.status, answered
        except urllib.error.HTTPError as error:
            with error:
                refused = json.load(error)
                self.canaries.learn(body)
                self._refused.append(json.dumps(refused))
                return error.code, refused


class Account:
    """An account of the system, through its own API key. Fulfils `tests.invariant.Evidence`."""

    def __init__(self, system: LocalSystem) -> None:
        self._system = system
        account = self._made("/v1/accounts", {"name": "Brew & Bean"}, key=None)
        self.id: str = account["id"]
        self.key = self.new_key()

    def new_key(self) -> str:
        """Another API key of the account."""
        path = f"/v1/accounts/{self.id}/api-keys"
        scopes = {"name": "e2e", "scopes": ["events", "webhooks"]}
        key: str = self._made(path, scopes, key=None)["key"]
        return key

    def webhook(self, url: str | None, **fields: object) -> dict[str, Any]:
        """A new webhook for all events, with its secret; without a URL if it is pulled."""
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
        queues = ("EventQueue", "PacingQueue", "DeliveryQueue", "SlowDeliveryQueue")
        return [body for queue in queues for body in self._own(queue)]

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


def until(condition: Callable[[], bool], what: str, seconds: float = 90) -> None:
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
