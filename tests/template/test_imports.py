"""What each function loads: imports are most of a cold start, so each has a list to keep to."""

import functools
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BOTOCORE = {"botocore", "certifi", "dateutil", "jmespath", "six", "urllib3"}
DYNAMODB = {"pynamodb", "typing_extensions"} | BOTOCORE
TELEMETRY = {"aws_lambda_powertools"}
# boto3 is for a service beside DynamoDB; requests only for calling endpoints.
CLIENT = {"boto3", "s3transfer"}
TEMPLATES = {"jinja2", "markupsafe"}
REQUESTS = {"requests", "charset_normalizer", "idna"}

BUDGET = {
    "authorizer": DYNAMODB | TELEMETRY,
    "ingest": DYNAMODB | TELEMETRY | CLIENT | {"fastjsonschema"},
    "router": DYNAMODB | TELEMETRY | CLIENT,
    "dispatcher": DYNAMODB | TELEMETRY | CLIENT | REQUESTS,
    "jobs": DYNAMODB | TELEMETRY | CLIENT,
    "management": DYNAMODB | TELEMETRY | CLIENT,
    "console": DYNAMODB | TELEMETRY | CLIENT | TEMPLATES,
}
# Packages of the development environment must not be found: botocore and pynamodb load some that
# are not there on Lambda.
LIST_MODULES = """
import sys
allowed = set(sys.argv[2].split())

class OnlyRuntime:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in allowed and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, OnlyRuntime())
before = set(sys.modules)
__import__(sys.argv[1] + ".app")
print(*(set(sys.modules) - before))
"""


@functools.cache
def runtime_packages() -> frozenset[str]:
    """The packages of packages/requirements.txt, and our own."""
    lines = (ROOT / "packages" / "requirements.txt").read_text().splitlines()
    pinned = {line.partition("==")[0] for line in lines if "==" in line}
    distributions = importlib.metadata.packages_distributions()
    return frozenset(
        {package for package, owners in distributions.items() if pinned & {*map(_normal, owners)}}
        | {"perkwire", *BUDGET}
    )


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


@functools.cache
def loaded(function: str) -> frozenset[str]:
    """The modules that importing a function's handler loads, with nothing in the environment."""
    finished = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, function, " ".join(runtime_packages())],
        env={"PYTHONPATH": str(ROOT / "functions"), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    return frozenset(finished.stdout.split())


@pytest.mark.parametrize("function", BUDGET)
def test_a_function_loads_what_it_needs_and_no_more(function: str) -> None:
    packages = {name.partition(".")[0] for name in loaded(function)}
    third_party = packages & runtime_packages() - {"perkwire", function}

    assert third_party <= BUDGET[function]


def test_only_what_has_many_routes_loads_the_event_handler() -> None:
    handler = "aws_lambda_powertools.event_handler"

    found = [function for function in BUDGET if handler in loaded(function)]
    assert found == ["management", "console"]


def test_only_the_console_loads_templates() -> None:
    assert [function for function in BUDGET if "jinja2" in loaded(function)] == ["console"]


def test_only_the_dispatcher_can_call_endpoints() -> None:
    assert [function for function in BUDGET if "requests" in loaded(function)] == ["dispatcher"]
