"""The first event of each function in a fresh process, under its share of CPU.

Lambda gives a function of 1,769 MB one vCPU and less memory a share of it, in slices of 20 ms, once
it is initialised; while it is, it has at least a whole one. So each function is imported here as
Lambda imports it, with all of the machine, and then held to its share by a control group for its
first event. Where none can be made (it takes root) the CPU alone is printed. Each process finds the
packages of packages/requirements.txt and no other. Its calls go to the emulator, whose time is
part of the wall's and not of the CPU's. Each figure is the least of all rounds: whatever else runs
on the machine makes a call dearer and never cheaper.

*First event after a quiet hour* is the sum of what each function in its way takes, one after the
other: the CPU of its initialisation, a whole one, and its first call's wall. What Lambda takes to
make an execution environment, and SQS to be polled, comes to it.

    python -m bench.bench_first_call [--rounds 7]
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from bench.handlers import a_system
from infra.local.emulator import ROOT
from tests.integration.first_events import first_event, is_well
from tests.integration.system import APPS, System, Tenant
from tests.receiver import Receiver
from tests.template.test_imports import runtime_packages

MEMORY_MB = 512
WHOLE_MB = 1769
SLICE_MICROSECONDS = 20_000
DATA_PATH = ("authorizer", "ingest", "router", "dispatcher")
GOALS = {**dict.fromkeys(APPS, 100), **dict.fromkeys(DATA_PATH, 40)}

FIRST_CALL = """
import importlib, json, os, sys, time

allowed, app, share = set(sys.argv[1].split()), sys.argv[2], sys.argv[3]

class OnlyRuntime:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in allowed and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(name)

class Context:
    aws_request_id = "bench"
    function_name = app
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:bench"

    def get_remaining_time_in_millis(self):
        return 30_000

sys.meta_path.insert(0, OnlyRuntime())
event = json.load(sys.stdin)
clocks = time.perf_counter, time.process_time
before = [clock() for clock in clocks]
handler = importlib.import_module(app + ".app").handler
ready = [clock() for clock in clocks]
if share:
    with open(share, "w") as members:
        members.write(str(os.getpid()))
time.sleep(0.05)
begun = [clock() for clock in clocks]
answer = handler(event, Context())
done = [clock() for clock in clocks]
init = [b - a for a, b in zip(before, ready)]
first = [b - a for a, b in zip(begun, done)]
print(json.dumps({"init": init, "first": first, "answer": answer}), file=sys.stderr)
"""


class Spent(NamedTuple):
    """Milliseconds."""

    wall: float
    cpu: float


class First(NamedTuple):
    """What a process took to be ready, and for its first event."""

    init: Spent
    call: Spent


@contextlib.contextmanager
def share_of_cpu(memory_mb: int) -> Iterator[Path | None]:
    """The file into which a process writes its id to be held to a share; None if there is none."""
    quota = round(SLICE_MICROSECONDS * memory_mb / WHOLE_MB)
    first, second = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
    group = (first if first.is_dir() else second) / f"bench-{os.getpid()}"
    try:
        group.mkdir()
    except OSError:
        yield None
        return
    try:
        if first.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(SLICE_MICROSECONDS))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
            yield group / "tasks"
        elif (group / "cpu.max").exists():
            (group / "cpu.max").write_text(f"{quota} {SLICE_MICROSECONDS}")
            yield group / "cgroup.procs"
        else:
            yield None
    finally:
        with contextlib.suppress(OSError):
            group.rmdir()


class Bench:
    """A stack on an emulator, and an account with a webhook."""

    def __init__(self, system: System, tenant: Tenant) -> None:
        self._system = system
        self._tenant = tenant
        self._allowed = " ".join(runtime_packages())

    def first(self, app: str, share: Path | None) -> First:
        """Of a fresh process of this function."""
        stack = self._system.stack
        event = first_event(app, self._system, self._tenant)
        finished = subprocess.run(
            [sys.executable, "-c", FIRST_CALL, self._allowed, app, str(share or "")],
            env={
                **stack.aws_environment,
                **stack.environment(app),
                "AWS_LAMBDA_FUNCTION_NAME": app,
                "PYTHONPATH": str(ROOT / "functions"),
                "PATH": os.defpath,
            },
            input=json.dumps(event),
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            raise SystemExit(f"{app}: {finished.stderr}")
        measured = json.loads(finished.stderr.splitlines()[-1])
        if not is_well(measured["answer"]):
            raise SystemExit(f"{app} answered {measured['answer']}: {finished.stdout}")
        return First(*(Spent(*(1e3 * part for part in measured[one])) for one in ("init", "first")))


@contextlib.contextmanager
def a_bench() -> Iterator[Bench]:
    """The functions' stack, and a receiver that answers at once."""
    with Receiver() as receiver, a_system() as (system, key):
        tenant = Tenant(system, key)
        tenant.webhook(receiver.endpoint().url)
        yield Bench(system, tenant)


def measure(rounds: int) -> Mapping[str, First]:
    """The least of all rounds for each function; the wall's is 0 where no share can be had."""
    found: dict[str, list[First]] = {app: [] for app in APPS}
    with a_bench() as bench, share_of_cpu(MEMORY_MB) as share:
        for _ in range(rounds):
            for app in APPS:
                found[app].append(bench.first(app, share))
        held = share is not None
    return {
        app: First(
            Spent(*(min(times) for times in zip(*(f.init for f in some), strict=True))),
            Spent(
                min(f.call.wall for f in some) if held else 0,
                min(f.call.cpu for f in some),
            ),
        )
        for app, some in found.items()
    }


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="the first event of each function")
    options.add_argument("--rounds", type=int, default=7)
    figures = measure(options.parse_args().rounds)
    head = f"{'first call, ' + str(MEMORY_MB) + ' MB':<20} {'init CPU ms':>11} {'CPU ms':>7}"
    print(f"{head} {'wall ms':>8} {'goal':>5}")
    for app, (init, call) in figures.items():
        wall = f"{call.wall:8.0f}" if call.wall else f"{'-':>8}"
        print(f"{app:<20} {init.cpu:11.0f} {call.cpu:7.1f} {wall} {GOALS[app]:5}")
    for what, way in (("the 202", DATA_PATH[:2]), ("the delivery", DATA_PATH)):
        took = sum(
            figures[app].init.cpu + (figures[app].call.wall or figures[app].call.cpu) for app in way
        )
        print(f"first event after a quiet hour, to {what}: {took:.0f} ms")


if __name__ == "__main__":
    main()
