"""`make deploy`: the checks before AWS is asked to change anything."""

import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from samcli.cli.types import CfnParameterOverridesType

from infra import deploy
from infra.deploy import (
    DeployError,
    check_concurrency,
    environment_of,
    main,
    overrides_of,
    sam_deploy,
)
from infra.parameters import ParameterError, resolve
from tests.template.stack import ROOT, source


@pytest.fixture
def samconfig() -> dict[str, Any]:
    return tomllib.loads((ROOT / "samconfig.toml").read_text())


def concurrencies(router: int, dispatcher: int, slow_lane: int) -> dict[str, str]:
    return {
        "RouterMaxConcurrency": str(router),
        "PacingMaxConcurrency": "5",
        "DispatcherMaxConcurrency": str(dispatcher),
        "SlowLaneMaxConcurrency": str(slow_lane),
    }


class TestConcurrency:
    @pytest.mark.parametrize("limit", [1000, 80])
    def test_an_account_with_room_is_fine(self, limit: int) -> None:
        check_concurrency(concurrencies(10, 50, 10), limit)

    @pytest.mark.parametrize("limit", [79, 40, 14, 13])
    def test_what_it_says_to_set_is_then_accepted(self, limit: int) -> None:
        with pytest.raises(DeployError) as refusal:
            check_concurrency(concurrencies(10, 50, 10), limit)
        sentence = str(refusal.value)
        assert f"runs {limit} functions at a time" in sentence
        assert "\n" not in sentence
        advised = dict(word.rstrip(",").split("=") for word in sentence.split() if "=" in word)
        check_concurrency(advised, limit)
        assert resolve(source(), advised, local=False)

    def test_a_small_account(self) -> None:
        advice = "RouterMaxConcurrency=2 PacingMaxConcurrency=2 DispatcherMaxConcurrency="
        with pytest.raises(DeployError, match=advice):
            check_concurrency(concurrencies(10, 50, 10), 14)

    def test_an_account_too_small_for_any_setting(self) -> None:
        with pytest.raises(DeployError, match=r"needs 13: .*Service Quotas, AWS Lambda"):
            check_concurrency(concurrencies(2, 2, 2), 12)


class TestSamconfig:
    def test_has_the_three_environments(self, samconfig: dict[str, Any]) -> None:
        assert set(samconfig) == {"version", "default", "staging", "prod"}

    @pytest.mark.parametrize("name", ["staging", "prod"])
    def test_staging_and_prod_reach_public_endpoints_only(
        self, samconfig: dict[str, Any], name: str
    ) -> None:
        assert overrides_of(environment_of(samconfig, name))["EndpointPolicy"] == "public"

    @pytest.mark.parametrize("name", ["default", "staging", "prod"])
    def test_each_can_be_deployed(self, samconfig: dict[str, Any], name: str) -> None:
        environment = environment_of(samconfig, name)
        assert resolve(source(), overrides_of(environment), local=False)
        assert environment["resolve_s3"] is True
        assert set(environment["capabilities"]) == {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}
        assert samconfig[name]["build"]["parameters"] == {"cached": True, "parallel": True}

    def test_each_has_a_stack_of_its_own(self, samconfig: dict[str, Any]) -> None:
        names = {
            environment_of(samconfig, name)["stack_name"] for name in ("default", "staging", "prod")
        }
        assert len(names) == 3

    def test_an_unknown_environment_gets_the_list(self, samconfig: dict[str, Any]) -> None:
        with pytest.raises(DeployError, match="no environment live: it has default, staging, prod"):
            environment_of(samconfig, "live")

    def test_overrides_may_be_one_text(self) -> None:
        environment = {"parameter_overrides": "MaxAttempts=3 AlarmEmail='a@b.example'"}
        assert overrides_of(environment) == {"MaxAttempts": "3", "AlarmEmail": "a@b.example"}

    def test_overrides_must_be_pairs(self) -> None:
        with pytest.raises(ParameterError, match=r"'MaxAttempts' is not of the form Key=Value\."):
            overrides_of({"parameter_overrides": ["MaxAttempts"]})


class TestCommand:
    def test_sam_reads_every_value_as_it_was_meant(self) -> None:
        parameters = resolve(source(), {"AlarmEmail": "on=call+1@example.com"}, local=False)
        command = sam_deploy("prod", parameters, confirm=True)
        overrides = command[command.index("--parameter-overrides") + 1 :]
        assert CfnParameterOverridesType().convert(tuple(overrides), None, None) == parameters

    def test_an_empty_value_is_passed(self) -> None:
        command = sam_deploy("prod", resolve(source(), {}, local=False), confirm=True)
        assert 'AlarmEmail=""' in command

    def test_asks_unless_told_not_to(self) -> None:
        assert "--no-confirm-changeset" not in sam_deploy("prod", {}, confirm=True)
        assert "--no-confirm-changeset" in sam_deploy("prod", {}, confirm=False)


class TestMain:
    """Its fakes stand for the account and for SAM."""

    @pytest.fixture
    def ran(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
        commands: list[list[str]] = []

        class Done:
            returncode = 0

        def run(command: list[str], **_: object) -> Done:
            commands.append(command)
            return Done()

        for name in ("samconfig.toml", "template.yaml"):
            (tmp_path / name).write_text((ROOT / name).read_text())
        (tmp_path / ".aws-sam" / "build").mkdir(parents=True)
        (tmp_path / ".aws-sam" / "build" / "template.yaml").touch()
        monkeypatch.setattr(deploy, "ROOT", tmp_path)
        monkeypatch.setattr(deploy, "account_concurrency", lambda _: 1000)
        monkeypatch.setattr(deploy, "deployed_console_url", lambda _: "https://a.example/console")
        monkeypatch.setattr("infra.deploy.subprocess.run", run)
        return commands

    def test_deploys_what_samconfig_and_the_command_line_say(self, ran: list[list[str]]) -> None:
        assert main(["--config-env", "default", "MaxAttempts=8"]) == 0
        (command,) = ran
        assert command[1:6] == ["-m", "samcli", "deploy", "--config-env", "default"]
        assert 'MaxAttempts="8"' in command
        assert 'FunctionLogRetentionDays="7"' in command

    def test_passes_on_where_the_console_is_unless_told(self, ran: list[list[str]]) -> None:
        assert main([]) == 0
        assert main(["ConsoleUrl=https://hooks.example/console"]) == 0
        assert 'ConsoleUrl="https://a.example/console"' in ran[0]
        assert 'ConsoleUrl="https://hooks.example/console"' in ran[1]

    def test_says_loudly_that_nobody_is_told_of_alarms(
        self, ran: list[list[str]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["--config-env", "prod"]) == 0
        assert "WARNING: AlarmEmail is empty" in capsys.readouterr().err
        assert main(["--config-env", "prod", "AlarmEmail=ops@shop.example"]) == 0
        assert capsys.readouterr().err == ""
        assert len(ran) == 2

    @pytest.mark.parametrize(
        "arguments",
        [
            ["ConsoleUrl=https://a.example/console/"],
            ["MaxAtempts=8"],
            ["MaxAttempts"],
            ["--config-env", "live"],
            ["EndpointPolicy=local"],
        ],
    )
    def test_a_refusal_is_one_line_and_deploys_nothing(
        self, ran: list[list[str]], arguments: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(arguments) == 1
        assert not ran
        assert len(capsys.readouterr().err.splitlines()) == 1

    def test_nothing_is_deployed_unbuilt(
        self, ran: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / ".aws-sam" / "build" / "template.yaml").unlink()
        assert main([]) == 1
        assert not ran
        assert "make build" in capsys.readouterr().err

    def test_a_small_account_deploys_nothing(
        self, ran: list[list[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deploy, "account_concurrency", lambda _: 10)
        assert main([]) == 1
        assert not ran


def test_an_account_that_cannot_be_asked_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "there-is-none")
    with pytest.raises(DeployError, match="concurrency limit of the account cannot be read"):
        deploy.account_concurrency({"region": "eu-west-1"})


class TestConsoleUrl:
    """Its fake stands for CloudFormation."""

    @pytest.fixture
    def stacks(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
        stacks: dict[str, dict[str, str]] = {}

        class Client:
            def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
                if StackName not in stacks:
                    error = {"Error": {"Code": "ValidationError", "Message": "does not exist"}}
                    raise ClientError(cast(Any, error), "DescribeStacks")
                outputs = [
                    {"OutputKey": key, "OutputValue": value}
                    for key, value in stacks[StackName].items()
                ]
                return {"Stacks": [{"Outputs": outputs}]}

        class Session:
            def __init__(self, **_: object) -> None: ...

            def client(self, _: str) -> Client:
                return Client()

        monkeypatch.setattr("infra.deploy.boto3.Session", Session)
        return stacks

    def test_is_below_the_api_of_the_stack(self, stacks: dict[str, dict[str, str]]) -> None:
        stacks["perkwire"] = {"ApiUrl": "https://abc.example"}
        found = deploy.deployed_console_url({"stack_name": "perkwire"})
        assert found == "https://abc.example/console"
        assert resolve(source(), {"ConsoleUrl": found}, local=False)

    def test_is_not_known_before_the_first_deployment(
        self, stacks: dict[str, dict[str, str]]
    ) -> None:
        assert deploy.deployed_console_url({"stack_name": "perkwire"}) == ""
