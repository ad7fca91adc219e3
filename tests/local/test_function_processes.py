"""How the processes of functions start and answer."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from infra.local.emulator import Emulator
from tests.local.recorder import Deploy

CODE = """
import time

def handler(event, context):
    time.sleep(event["seconds"])
    return "answer"
"""

TEMPLATE = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Function": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "InlineCode": CODE,
            },
        }
    },
    "Outputs": {"Name": {"Value": {"Ref": "Function"}}},
}

type Invoke = Callable[[str], Any]


@pytest.fixture
def name(deploy: Deploy) -> str:
    return deploy(TEMPLATE)["Name"]


@pytest.fixture
def invoke(emulator: Emulator, name: str) -> Invoke:
    lambdas = emulator.client("lambda")

    def call(payload: str) -> object:
        return lambdas.invoke(FunctionName=name, Payload=payload)["Payload"].read()

    return call


def test_silent_function_answers_at_once(invoke: Invoke) -> None:
    invoke('{"seconds": 0}')
    durations = []
    for _ in range(9):
        started = time.perf_counter()
        assert invoke('{"seconds": 0}') == b'"answer"'
        durations.append(time.perf_counter() - started)
    # On a busy machine most take longer; what waits for something always does.
    assert min(durations) < 0.04


def test_processes_share_one_copy_of_the_code(
    invoke: Invoke, emulator: Emulator, name: str
) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(invoke, ['{"seconds": 0.5}'] * 3))
    assert answers == [b'"answer"'] * 3
    folders = list((emulator.home / "tmp").glob(f"*{name}*/code"))
    assert len(folders) == 3
    (copy,) = {folder.resolve() for folder in folders}
    assert copy.parent == emulator.home / "code"
    assert (copy / "__pycache__").is_dir()
