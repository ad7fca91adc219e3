"""What runs on others' machines with our rights."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.template.stack import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yaml"))


def workflow_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in workflow_of(path)["jobs"].values() for step in job.get("steps", [])]


def git(folder: Path, *arguments: str) -> str:
    """What a git command prints, by somebody without any settings."""
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.example"}
    who |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in who.items()}
    nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(
        ["git", *arguments],  # noqa: S607
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **who, **nothing},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def a_clone(folder: Path) -> Path:
    """What the workflow checks out: main with two commits, a branch beside it, and tags."""
    upstream = folder / "upstream"
    upstream.mkdir()
    git(upstream, "init", "--quiet", "--initial-branch=main")
    for message in ("one", "two"):
        git(upstream, "commit", "--quiet", "--allow-empty", "--message", message)
    git(upstream, "tag", "--annotate", "v1", "--message", "v1")
    git(upstream, "switch", "--quiet", "--create", "branch")
    git(upstream, "commit", "--quiet", "--allow-empty", "--message", "not reviewed")
    git(upstream, "tag", "--annotate", "v2", "--message", "v2")
    git(folder, "clone", "--quiet", str(upstream), "clone")
    return folder / "clone"


def test_there_are_three() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yaml", "deploy-to.yaml", "deploy.yaml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
class TestWorkflow:
    def test_actions_are_pinned_to_commits_that_say_their_version(self, path: Path) -> None:
        used = re.findall(r"uses: (.+)", path.read_text())
        assert used
        for each in used:
            if each.startswith("./"):
                assert (ROOT / each).is_file(), each
                continue
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each

    def test_rights_are_given_to_jobs_one_by_one(self, path: Path) -> None:
        workflow = workflow_of(path)
        assert workflow["permissions"] == {}
        assert workflow["jobs"]
        for job in workflow["jobs"].values():
            assert job["permissions"]["contents"] == "read"
            assert set(job["permissions"]) <= {"contents", "id-token"}

    def test_commands_take_no_text_from_expressions(self, path: Path) -> None:
        """An expression in a command is pasted into it, whatever it holds."""
        for step in steps(path):
            assert "${{" not in step.get("run", "")

    def test_no_token_stays_in_the_checkout(self, path: Path) -> None:
        checkouts = [step for step in steps(path) if "actions/checkout" in step.get("uses", "")]
        assert len(checkouts) == sum("steps" in job for job in workflow_of(path)["jobs"].values())
        for checkout in checkouts:
            assert checkout["with"]["persist-credentials"] is False


def test_deploying_needs_no_stored_credentials() -> None:
    for name in ("deploy.yaml", "deploy-to.yaml"):
        assert "secrets" not in (FOLDER / name).read_text()


class TestDeploying:
    def jobs(self) -> dict[str, dict[str, Any]]:
        jobs: dict[str, dict[str, Any]] = workflow_of(FOLDER / "deploy.yaml")["jobs"]
        return jobs

    def test_nothing_is_deployed_before_the_checks_pass(self) -> None:
        assert self.jobs()["checks"]["uses"] == "./.github/workflows/ci.yaml"
        assert "needs" not in self.jobs()["checks"]
        # PyYAML reads the key `on` as the truth value that it is in YAML 1.1.
        ci: dict[Any, Any] = workflow_of(FOLDER / "ci.yaml")
        assert "workflow_call" in ci[True]
        assert [step.get("run") for step in ci["jobs"]["test"]["steps"]][-2:] == [
            ".ci/run",
            "make audit",
        ]

    def test_staging_comes_after_the_checks_and_prod_after_staging(self) -> None:
        deployments = {
            name: job for name, job in self.jobs().items() if name not in ("origin", "checks")
        }
        assert {
            name: (job["needs"], job["uses"], job["with"]) for name, job in deployments.items()
        } == {
            "staging": (
                ["origin", "checks"],
                "./.github/workflows/deploy-to.yaml",
                {"environment": "staging"},
            ),
            "prod": ("staging", "./.github/workflows/deploy-to.yaml", {"environment": "prod"}),
        }

    def test_a_job_whose_needs_have_failed_never_runs(self) -> None:
        assert not any("if" in job for job in self.jobs().values())

    @pytest.mark.parametrize(
        ("tagged", "deployed"),
        [
            ("the head of main", True),
            ("an earlier commit of main", True),
            ("a branch", False),
            ("an annotated tag of main", True),
            ("an annotated tag of a branch", False),
        ],
    )
    def test_a_tag_that_is_not_on_main_deploys_nothing(
        self, tmp_path: Path, tagged: str, deployed: bool
    ) -> None:
        repository = a_clone(tmp_path)
        commit = {
            "the head of main": "refs/remotes/origin/main",
            "an earlier commit of main": "refs/remotes/origin/main~1",
            "a branch": "refs/remotes/origin/branch",
            "an annotated tag of main": "refs/tags/v1",
            "an annotated tag of a branch": "refs/tags/v2",
        }[tagged]
        checkout, refuse = steps(FOLDER / "deploy.yaml")
        assert checkout["with"]["fetch-depth"] == 0

        ran = subprocess.run(
            ["bash", "-e", "-c", refuse["run"]],  # noqa: S607
            cwd=repository,
            env={
                "PATH": os.environ["PATH"],
                "GITHUB_SHA": git(repository, "rev-parse", commit),
                "GITHUB_REF_NAME": "v1",
            },
            capture_output=True,
            text=True,
            check=False,
        )

        assert (ran.returncode == 0) is deployed, ran.stdout + ran.stderr
        assert ("::error::v1 is not on main" in ran.stdout) is not deployed

    def test_staging_is_looked_at_after_its_deployment(self) -> None:
        *_, deploy, smoke = steps(FOLDER / "deploy-to.yaml")
        assert deploy["run"].startswith(".venv/bin/python -m infra.deploy ")
        assert smoke == {
            "if": "inputs.environment != 'prod'",
            "run": '.venv/bin/python -m infra.smoke --config-env "$ENVIRONMENT"',
        }
