"""The emulator's process: what it keeps, what it leaves behind, what it says when it cannot run."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from ministack.services import sqs as upstream_sqs

from infra.local.emulator import ROOT, Emulator, EmulatorError, check_port
from infra.local.patches import upstream

# A function that never ends: the process that must not outlive the emulator.
CODE = """
import time

def handler(event, context):
    print("waiting", flush=True)
    time.sleep(600)
"""

TEMPLATE = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": "forever", "VisibilityTimeout": 900},
        },
        "Function": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Timeout": 900,
                "InlineCode": CODE,
                "Events": {
                    "Queue": {
                        "Type": "SQS",
                        "Properties": {"Queue": {"Fn::GetAtt": ["Queue", "Arn"]}},
                    }
                },
            },
        },
    },
}

START_AND_WAIT = """
import sys, time
from pathlib import Path
from infra.local.emulator import Emulator

emulator = Emulator(int(sys.argv[1]), Path(sys.argv[2]))
emulator.start()
print(emulator.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def group_is_alive(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


def run_for_ever(emulator: Emulator) -> None:
    """Start a function that does not end, through a queue."""
    sqs, cloudformation = emulator.client("sqs"), emulator.client("cloudformation")
    cloudformation.create_stack(
        StackName="forever",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        TemplateBody=json.dumps(TEMPLATE),
    )
    deadline = time.monotonic() + 20
    while "forever" not in str(sqs.list_queues().get("QueueUrls")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="forever")["QueueUrl"], MessageBody="{}")
    while "worker spawned" not in emulator.log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_data_survives_a_clean_stop(home: Path, free_port: Callable[[], int]) -> None:
    emulator = Emulator(free_port(), home)
    with emulator:
        sqs = emulator.client("sqs")
        url = sqs.create_queue(QueueName="kept")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="waiting")
        sqs.send_message(QueueUrl=url, MessageBody="in flight")
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=2)
    with emulator:
        bodies: list[str] = []
        deadline = time.monotonic() + 10
        while len(bodies) < 2 and time.monotonic() < deadline:
            for message in (
                emulator.client("sqs")
                .receive_message(QueueUrl=url, WaitTimeSeconds=1, MaxNumberOfMessages=10)
                .get("Messages", [])
            ):
                bodies.append(message["Body"])
    assert sorted(bodies) == ["in flight", "waiting"]


def test_stop_ends_every_function_and_leaves_no_copies(
    home: Path, free_port: Callable[[], int]
) -> None:
    emulator = Emulator(free_port(), home)
    emulator.start()
    leader = emulator.pid
    run_for_ever(emulator)
    emulator.stop()
    assert not group_is_alive(leader)
    assert not (home / "tmp").exists()


def test_emulator_and_functions_end_when_their_parent_is_killed(
    home: Path, free_port: Callable[[], int]
) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, str(port), str(home)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        try:
            assert parent.stdout
            leader = int(parent.stdout.readline())
            run_for_ever(Emulator(port, home))
        finally:
            parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while group_is_alive(leader):
        assert time.monotonic() < deadline, "the emulator outlives its parent"
        time.sleep(0.05)


def test_busy_port_is_one_clear_line(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmulatorError, match=rf"^port {port} cannot be used .*PORT=\d+`$"):
            Emulator(port, home).start()
        with pytest.raises(EmulatorError):
            check_port(port)


def test_emulator_that_dies_says_why(
    home: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = Emulator(free_port(), home)
    monkeypatch.setattr(emulator, "_environment", dict)
    with pytest.raises(EmulatorError, match=r"^the emulator stopped: KeyError"):
        emulator.start()
    assert not emulator.running()


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "version", lambda _: "1.5.34")
    with pytest.raises(upstream.UpstreamChangedError, match=r"1\.5\.34 .* 1\.5\.33"):
        upstream.check_version()


def test_missing_name_is_refused() -> None:
    with pytest.raises(upstream.UpstreamChangedError, match="has no _gone to patch"):
        upstream.lookup(upstream_sqs, "_gone")
    with pytest.raises(upstream.UpstreamChangedError, match="AWS::Gone::Away"):
        upstream.resource_provisioner("AWS::Gone::Away")


def test_pin_is_the_one_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (pin,) = [
        requirement
        for requirement in project["dependency-groups"]["dev"]
        if re.match(r"ministack\b", requirement)
    ]
    assert pin == f"ministack=={upstream.PINNED_VERSION}"
