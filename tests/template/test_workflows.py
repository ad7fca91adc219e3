"""What runs on others' machines with our rights."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.template.stack import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))


def steps(path: Path) -> list[dict[str, Any]]:
    workflow = yaml.safe_load(path.read_text())
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_are_two() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yaml", "deploy.yaml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
class TestWorkflow:
    def test_actions_are_pinned_to_commits_that_say_their_version(self, path: Path) -> None:
        used = re.findall(r"uses: (.+)", path.read_text())
        assert used
        for each in used:
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each

    def test_rights_are_given_to_jobs_one_by_one(self, path: Path) -> None:
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {}
        for job in workflow["jobs"].values():
            assert job["permissions"]["contents"] == "read"
            assert set(job["permissions"]) <= {"contents", "id-token"}

    def test_commands_take_no_text_from_expressions(self, path: Path) -> None:
        """An expression in a command is pasted into it, whatever it holds."""
        for step in steps(path):
            assert "${{" not in step.get("run", "")

    def test_no_token_stays_in_the_checkout(self, path: Path) -> None:
        (checkout,) = [step for step in steps(path) if "actions/checkout" in step.get("uses", "")]
        assert checkout["with"]["persist-credentials"] is False


def test_deploying_needs_no_stored_credentials() -> None:
    assert "secrets." not in (ROOT / ".github" / "workflows" / "deploy.yaml").read_text()
