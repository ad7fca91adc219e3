"""The patched emulator, one for all tests of this folder, and what they watch functions with."""

import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_sqs import SQSClient

from infra.local.emulator import Emulator
from tests.local.recorder import Deploy, Recorder


@pytest.fixture(scope="session", autouse=True)
def no_aws_settings() -> Iterator[None]:
    """The host's own AWS settings, of a developer with an account, change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture(scope="session")
def emulator(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[Emulator]:
    with Emulator(free_port(), tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="session")
def sqs(emulator: Emulator) -> SQSClient:
    client: SQSClient = emulator.client("sqs")
    return client


@pytest.fixture
def deploy(emulator: Emulator) -> Iterator[Deploy]:
    """Create a stack from a template, return its outputs, and delete it after the test."""
    cloudformation = emulator.client("cloudformation")
    names = []

    def create(template: dict[str, Any]) -> dict[str, str]:
        name = f"test-{uuid.uuid4().hex[:8]}"
        names.append(name)
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        while True:
            (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                break
            time.sleep(0.05)
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}

    yield create
    for name in names:
        cloudformation.delete_stack(StackName=name)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small SAM project: a function, a queue it reads, and a nested stack."""
    root = tmp_path / "project"
    (root / "functions").mkdir(parents=True)
    (root / "infra").mkdir()
    (root / "functions" / "app.py").write_text("def handler(event, context):\n    return 1\n")
    (root / "functions" / "requirements.txt").write_text("")
    (root / "infra" / "nested.yaml").write_text(
        """
        Parameters: {QueueName: {Type: String}}
        Resources: {Topic: {Type: AWS::SNS::Topic}}
        Outputs: {QueueName: {Value: !Ref QueueName}}
        """
    )
    (root / "template.yaml").write_text(
        """
        Transform: AWS::Serverless-2016-10-31
        Parameters: {Interval: {Type: Number, Default: 30}}
        Resources:
          Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: !Ref Interval}}
          Function:
            Type: AWS::Serverless::Function
            Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: functions/}
          Nested:
            Type: AWS::Serverless::Application
            Properties:
              Location: infra/nested.yaml
              Parameters: {QueueName: !GetAtt Queue.QueueName}
        Outputs:
          QueueUrl: {Value: !Ref Queue}
          QueueName: {Value: !GetAtt Queue.QueueName}
          FunctionName: {Value: !Ref Function}
          NestedQueueName: {Value: !GetAtt Nested.Outputs.QueueName}
        """
    )
    return root
