"""The recipes of docs/publishing.md, each run as it stands there, where the emulator can."""

import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.local.emulator import ROOT
from tests.integration.accepting.test_inbox import arn_of, take
from tests.integration.system import System, Tenant

PAGE = (ROOT / "docs" / "publishing.md").read_text(encoding="utf-8")


def recipe(section: str, language: str) -> str:
    """The code of a section of the page."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    (code,) = re.findall(rf"```{language}\n(.+?)```", text, re.DOTALL)
    return str(code)


@contextmanager
def deployed(system: System, template: str) -> Iterator[dict[str, str]]:
    """A stack of this template; its resources by their names there."""
    cloudformation, name = system.stack.client("cloudformation"), f"recipe-{uuid.uuid4().hex}"
    parameters = [{"ParameterKey": "InboxQueueArn", "ParameterValue": arn_of(system)}]
    cloudformation.create_stack(StackName=name, TemplateBody=template, Parameters=parameters)
    waiting: Any = {"Delay": 0.1, "MaxAttempts": 600}
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=waiting)
    found = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    yield {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=waiting)


def accepted(system: System) -> list[tuple[str, str]]:
    """What EventQueue holds, once ingest has taken what is in the inbox."""
    take(system)
    return [
        (message["account_id"], event["type"])
        for message in system.messages("EventQueue")
        for event in message["events"]
    ]


def test_from_python(system: System, tenant: Tenant) -> None:
    given = {"inbox_url": system.queue("InboxQueue"), "account_id": tenant.id}
    exec(recipe("From Python", "python"), given)  # noqa: S102 - of our own page
    assert accepted(system) == [(tenant.id, "points.earned")]


def test_from_a_bus_by_the_rule(system: System, tenant: Tenant) -> None:
    with deployed(system, recipe("From a bus", "yaml")):
        exec(recipe("From a bus", "python"), {"account_id": tenant.id})  # noqa: S102 - as above
        assert accepted(system) == [(tenant.id, "points.earned")]


def test_from_a_topic(system: System, tenant: Tenant) -> None:
    with deployed(system, recipe("From a topic", "yaml")) as resources:
        message = f'{{"account_id": "{tenant.id}", "type": "custom.visit", "data": {{}}}}'
        topic = resources["LoyaltyTopic"]
        system.stack.client("sns").publish(TopicArn=topic, Message=message)
        assert accepted(system) == [(tenant.id, "custom.visit")]


@pytest.mark.parametrize(
    "section", ["From a bus", "From a topic", "From DynamoDB Streams, through a pipe"]
)
def test_the_templates_are_sound(section: str, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(recipe(section, "yaml"))
    program = ROOT / ".venv" / "bin" / "cfn-lint"
    run = subprocess.run([program, file], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_what_the_emulator_cannot_show_is_marked() -> None:
    pipe = PAGE.partition("\n## From DynamoDB Streams, through a pipe\n")[2]
    assert pipe.strip().startswith("Untried here")
    assert "In Terraform (untried here)" in PAGE
