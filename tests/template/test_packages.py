"""The layer of packages: what the functions call and import is in it, and nothing else of botocore.

tests/e2e/test_artifact.py looks at what was built.
"""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import botocore
import pytest

from packages.install import SERVICES, UNUSED, prune
from tests.template.stack import ROOT
from tests.template.test_imports import BUDGET, loaded

REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-5", "cn-north-1", "us-gov-west-1")

# The endpoints of clients of the services, whose data is where botocore is found.
ENDPOINTS = """
import json, sys
import botocore, botocore.session
session = botocore.session.get_session()
session.set_credentials("test", "test")
found = {"from": botocore.__file__}
for service in sys.argv[1].split():
    for region in sys.argv[2].split():
        try:
            client = session.create_client(service, region_name=region)
            found[f"{service} {region}"] = client.meta.endpoint_url
        except Exception as error:
            found[f"{service} {region}"] = type(error).__name__
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The botocore of the development environment, pruned as that of the layer is."""
    folder = tmp_path_factory.mktemp("layer")
    shutil.copytree(Path(botocore.__file__).parent, folder / "botocore")
    prune(folder)
    return folder


def endpoints(path: str, *services: str) -> dict[str, str]:
    finished = subprocess.run(
        [sys.executable, "-c", ENDPOINTS, " ".join(services), " ".join(REGIONS)],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(finished.stdout)
    return found


def called() -> set[str]:
    """The services of the clients that our code makes; pynamodb makes DynamoDB's."""
    return {"dynamodb"} | {
        str(node.args[0].value)
        for file in (ROOT / "functions").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "client"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def test_the_services_are_those_that_the_functions_call() -> None:
    assert called() == set(SERVICES)


def test_a_client_is_what_it_was_and_that_of_another_service_cannot_be_made(pruned: Path) -> None:
    whole = endpoints("", *SERVICES)
    some = endpoints(str(pruned), *SERVICES, "s3")

    assert some.pop("from").startswith(str(pruned))
    del whole["from"]
    others = {name: url for name, url in some.items() if name.startswith("s3 ")}
    assert set(others.values()) == {"UnknownServiceError"}
    assert {name: url for name, url in some.items() if name not in others} == whole
    assert all(url.startswith("https://") for url in whole.values())


@pytest.mark.parametrize("function", BUDGET)
def test_no_function_imports_what_is_left_out(function: str) -> None:
    left_out = [name.replace("/", ".") for name in UNUSED]

    assert [name for name in loaded(function) for one in left_out if _is_in(name, one)] == []


def _is_in(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")
