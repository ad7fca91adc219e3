"""CPU of the running local system's functions: in lists, and one by one at 20 a second.

A system as `make run` starts it, in processes of its own; its functions' CPU is read from the
machine's accounts of them, the emulator's, which stands for AWS, and the endpoint's left out.
Each load comes once before it is measured, so that no function starts within it.

    python -m bench.bench_load [--lists 20] [--lone 400]
"""

import argparse
import contextlib
import http.client
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.servers import answer, running
from infra.local.emulator import ROOT
from tests.e2e.system import free_port

FUNCTIONS = ("authorizer", "ingest", "router", "dispatcher")
GOAL_LISTS, GOAL_LONE = 1.5, 14
PER_SECOND = 20
LIST = 100
BODY_OK = answer(b'{"status":"ok"}')
EVENT = {
    "type": "points.earned",
    "data": {
        "member": {"id": "m1", "attributes": {"note": "x" * 800}},
        "transaction": {"id": "t1", "points": 5},
    },
}
PARAMETERS = (
    "AccountRateLimit=10000",
    "AccountBurstLimit=10000",
    "ApiRateLimit=5000",
    "ApiBurstLimit=5000",
)


def endpoint(arrived: "Synchronized[int]", _head: bytes, _body: bytes) -> bytes:
    """An endpoint's answer; counts what has come."""
    with arrived.get_lock():
        arrived.value += 1
    return BODY_OK


@contextlib.contextmanager
def a_system() -> Iterator[Mapping[str, str]]:
    """The addresses of a local system that runs while the block does."""
    port = free_port()
    command = (sys.executable, "-m", "infra.local", "--no-demo", "--private", "--port", str(port))
    process = subprocess.Popen(
        [*command, *PARAMETERS], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        if not any(line.startswith("Running.") for line in process.stdout or ()):
            raise SystemExit("the local system did not start")
        found = json.loads((ROOT / ".perkwire" / str(port) / "local.json").read_text())
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(40)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(ROOT / ".perkwire" / str(port), ignore_errors=True)


class Api:
    """Calls over a kept connection."""

    def __init__(self, url: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401 - whatever JSON was answered
        """What was answered."""
        try:
            self._connection.request("POST", path, json.dumps(body), self._headers)
        except ConnectionError:  # it was idle for too long
            self._connection.close()
            self._connection.request("POST", path, json.dumps(body), self._headers)
        response = self._connection.getresponse()
        said = response.read()
        if response.status >= 300:
            raise SystemExit(f"POST {path}: {response.status} {said!r}")
        return json.loads(said)


def cpu_of_functions(url: str) -> dict[str, float]:
    """Seconds of CPU of every function of the system at this address, since it began."""
    tick = os.sysconf("SC_CLK_TCK")
    found: dict[str, float] = defaultdict(float)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = dict(
                part.partition("=")[::2]
                for part in (folder / "environ").read_text(errors="replace").split("\0")
            )
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended, or is another user's
        name = told.get("AWS_LAMBDA_FUNCTION_NAME", "").lower()
        for function in FUNCTIONS:
            if f"{function}function" in name and url in told.get("AWS_ENDPOINT_URL", ""):
                found[function] += (int(fields[11]) + int(fields[12])) / tick
    return found


class Load:
    """Posts events and waits until their deliveries have come."""

    def __init__(self, local: Mapping[str, str], url: str, arrived: "Synchronized[int]") -> None:
        self._url = local["api_url"]
        self._endpoint = url
        self._arrived = arrived
        self._operator = Api(self._url, local["operator_key"])

    def measure(self, fan_out: int, post: Callable[[Api], int]) -> dict[str, float]:
        """Seconds of CPU for a thousand deliveries, by function."""
        account = self._operator.post("/v1/accounts", {"name": "Bench"})["id"]
        asked = {"name": "bench", "scopes": ["events", "webhooks"]}
        made = self._operator.post(f"/v1/accounts/{account}/api-keys", asked)
        api = Api(self._url, made["key"])
        for position in range(fan_out):
            hook = {"name": "x", "url": f"{self._endpoint}/{position}", "event_types": ["*"]}
            api.post("/v1/webhooks", hook)
        self._run(fan_out, post, api)
        before = cpu_of_functions(self._url)
        deliveries = self._run(fan_out, post, api)
        after = cpu_of_functions(self._url)
        return {name: (after[name] - before[name]) / deliveries * 1e3 for name in FUNCTIONS}

    def _run(self, fan_out: int, post: Callable[[Api], int], api: Api) -> int:
        begun = self._arrived.value
        deliveries = post(api) * fan_out
        deadline = time.monotonic() + 120
        while self._arrived.value < begun + deliveries:
            if time.monotonic() > deadline:
                raise SystemExit("the deliveries did not come")
            time.sleep(0.05)
        time.sleep(0.5)  # for what is written after the last answer
        return deliveries


def in_lists(count: int, api: Api) -> int:
    """So many lists, as fast as they are taken."""
    for _ in range(count):
        api.post("/v1/events", {"events": [EVENT] * LIST})
    return count * LIST


def one_by_one(count: int, api: Api) -> int:
    """So many events, each alone, so many a second."""
    begun = time.monotonic()
    for position in range(count):
        time.sleep(max(0, begun + position / PER_SECOND - time.monotonic()))
        api.post("/v1/events", EVENT)
    return count


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="CPU of the running local system's functions")
    options.add_argument("--lists", type=int, default=20)
    options.add_argument("--lone", type=int, default=400)
    chosen = options.parse_args()
    cases = {
        "lists, fan-out 1": (1, partial(in_lists, chosen.lists), GOAL_LISTS),
        "lists, fan-out 3": (3, partial(in_lists, chosen.lists // 2), GOAL_LISTS),
        "20 a second, one by one": (1, partial(one_by_one, chosen.lone), GOAL_LONE),
    }
    arrived = multiprocessing.Value("l", 0)
    with running(partial(endpoint, arrived)) as url, a_system() as local:
        load = Load(local, url, arrived)
        names = "".join(f"{name:>11}" for name in FUNCTIONS)
        print(f"{'CPU s / 1,000 deliveries':<25}{names} {'all':>6} {'goal':>5}")
        for name, (fan_out, post, goal) in cases.items():
            found = load.measure(fan_out, post)
            row = "".join(f"{found[function]:11.2f}" for function in FUNCTIONS)
            print(f"{name:<25}{row} {sum(found.values()):6.2f} {goal:5}", flush=True)


if __name__ == "__main__":
    main()
