"""CPU time to import each function, beside that of the packages that it cannot do without.

Each import is a process of its own that finds the packages of packages/requirements.txt and no
other, as on Lambda; what Python itself needs to start does not count. Rounds are interleaved and
the least of each compared, as what else runs on the machine only adds: the ratios are the result.

    python -m bench.bench_imports [--rounds 11]
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.template.test_imports import runtime_packages

ROOT = Path(__file__).resolve().parents[1]
GOAL = 1.15

DYNAMODB = ("pynamodb.models", "pynamodb.transactions")
TELEMETRY = ("aws_lambda_powertools", "aws_lambda_powertools.metrics")
FLOORS = {
    "authorizer": (*DYNAMODB, *TELEMETRY),
    "ingest": (*DYNAMODB, *TELEMETRY, "boto3", "fastjsonschema"),
    "router": (*DYNAMODB, *TELEMETRY, "boto3"),
    "dispatcher": (*DYNAMODB, *TELEMETRY, "boto3", "requests"),
    "jobs": (*DYNAMODB, *TELEMETRY, "boto3"),
    "management": (*DYNAMODB, *TELEMETRY, "boto3", "aws_lambda_powertools.event_handler"),
    "console": (*DYNAMODB, *TELEMETRY, "boto3", "aws_lambda_powertools.event_handler", "jinja2"),
}
MEASURE = """
import sys, time

allowed, modules = set(sys.argv[1].split()), sys.argv[2:]

class OnlyRuntime:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in allowed and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, OnlyRuntime())
before = time.process_time()
for module in modules:
    __import__(module)
print(time.process_time() - before)
"""


def milliseconds(allowed: str, *modules: str) -> float:
    """CPU time of these imports in a fresh process."""
    finished = subprocess.run(
        [sys.executable, "-c", MEASURE, allowed, *modules],
        env={"PYTHONPATH": str(ROOT / "functions"), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(finished.stdout) * 1e3


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="imports of the functions beside their packages")
    options.add_argument("--rounds", type=int, default=11)
    rounds: int = options.parse_args().rounds
    allowed = " ".join(runtime_packages())
    for function in FLOORS:
        milliseconds(allowed, f"{function}.app")  # writes the bytecode that is not there yet
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for function, packages in FLOORS.items():
            for which, modules in (("ours", (f"{function}.app",)), ("floor", packages)):
                times.setdefault((function, which), []).append(milliseconds(allowed, *modules))
    print(f"{'CPU of imports':<16} {'ours ms':>8} {'floor ms':>9} {'ratio':>6} {'goal':>5}")
    for function in FLOORS:
        ours, floor = (min(times[function, which]) for which in ("ours", "floor"))
        print(f"{function:<16} {ours:8.0f} {floor:9.0f} {ours / floor:6.2f} {GOAL:5.2f}")


if __name__ == "__main__":
    main()
