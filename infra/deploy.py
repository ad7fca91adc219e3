"""`make deploy`: check what AWS checks late or not at all, then run `sam deploy`."""

import argparse
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.parameters import ParameterError, load_template, resolve

ROOT = Path(__file__).resolve().parent.parent

# One invocation each of the authorizer, ingest and management, so that the queues cannot starve
# the API.
_API_SHARE = 3
_SET_ASIDE = ("ManagementConcurrency", "ConsoleConcurrency")
_LEAST_UNRESERVED = 100
_OF_QUEUES = (
    "RouterMaxConcurrency",
    "PacingMaxConcurrency",
    "DispatcherMaxConcurrency",
    "SlowLaneMaxConcurrency",
)
_OF_INBOX = "InboxMaxConcurrency"  # of a stack that has one
# The MaximumConcurrency of the jobs function's mapping, which no parameter sets.
_JOBS_SHARE = 2
# What an event source mapping takes at least.
_LEAST_MAXIMUM_CONCURRENCY = 2

_NOBODY_IS_TOLD = (
    "WARNING: AlarmEmail is empty, so nobody is told when this stack's alarms go off. Name an "
    "address in samconfig.toml or as AlarmEmail=… on the command line, or subscribe to AlarmTopic."
)


class DeployError(Exception):
    """What keeps the deployment from starting; the message is one sentence for people."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy what the command line and samconfig.toml ask for; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        environment = environment_of(
            tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8")),
            options.config_env,
        )
        given = overrides_of(environment) | _pairs(options.parameters)
        parameters = resolve(load_template(ROOT / "template.yaml"), given, local=False)
        if not (ROOT / ".aws-sam" / "build" / "template.yaml").exists():
            raise DeployError("There is no build: run make build first.")
        check_concurrency(parameters, account_concurrency(environment))
        if not parameters["ConsoleUrl"]:
            parameters["ConsoleUrl"] = deployed_console_url(environment)
    except (ParameterError, DeployError) as error:
        print(error, file=sys.stderr)
        return 1
    if not parameters["AlarmEmail"]:
        print(_NOBODY_IS_TOLD, file=sys.stderr)
    return subprocess.run(
        sam_deploy(options.config_env, parameters, confirm=not options.yes), cwd=ROOT, check=False
    ).returncode


def sam_deploy(config_env: str, parameters: Mapping[str, str], *, confirm: bool) -> list[str]:
    """Return the command line that deploys these parameters."""
    return [
        sys.executable,
        "-m",
        "samcli",
        "deploy",
        "--config-env",
        config_env,
        *([] if confirm else ["--no-confirm-changeset"]),
        "--parameter-overrides",
        # Quoted, as SAM takes an empty value in no other way.
        *(f'{name}="{value}"' for name, value in parameters.items()),
    ]


def environment_of(samconfig: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the settings of `sam deploy` in one environment of samconfig.toml."""
    names = [each for each in samconfig if each != "version"]
    if name not in names:
        raise DeployError(f"samconfig.toml has no environment {name}: it has {', '.join(names)}.")
    commands = samconfig[name]
    return {
        **commands.get("global", {}).get("parameters", {}),
        **commands.get("deploy", {}).get("parameters", {}),
    }


def overrides_of(environment: Mapping[str, Any]) -> dict[str, str]:
    """Return the template parameters that an environment of samconfig.toml sets."""
    overrides = environment.get("parameter_overrides", [])
    return _pairs(shlex.split(overrides) if isinstance(overrides, str) else overrides)


def account_concurrency(environment: Mapping[str, Any]) -> int:
    """Return how many functions may run at a time in the account, beside reserved ones."""
    try:
        session = boto3.Session(
            profile_name=environment.get("profile"), region_name=environment.get("region")
        )
        limits = session.client("lambda").get_account_settings()["AccountLimit"]
    except (BotoCoreError, ClientError) as error:
        raise DeployError(
            f"The concurrency limit of the account cannot be read: {error}"
        ) from error
    return limits["UnreservedConcurrentExecutions"]


def deployed_console_url(environment: Mapping[str, Any]) -> str:
    """Return where the console of the stack is; empty if the stack is not there yet.

    The template cannot say it itself: the functions would need the API, which needs them.
    """
    outputs = deployed_outputs(environment)
    return f"{outputs['ApiUrl']}/console" if "ApiUrl" in outputs else ""


def deployed_outputs(environment: Mapping[str, Any]) -> dict[str, str]:
    """Return the outputs of the stack; none if the stack is not there yet."""
    session = boto3.Session(
        profile_name=environment.get("profile"), region_name=environment.get("region")
    )
    try:
        stacks = session.client("cloudformation").describe_stacks(
            StackName=environment["stack_name"]
        )["Stacks"]
    except ClientError as error:
        # CloudFormation's way to say that there is no such stack.
        if error.response["Error"]["Code"] == "ValidationError":
            return {}
        raise DeployError(f"The stack cannot be read: {error}") from error
    except BotoCoreError as error:
        raise DeployError(f"The stack cannot be read: {error}") from error
    return {each["OutputKey"]: each["OutputValue"] for each in stacks[0].get("Outputs", [])}


def check_concurrency(parameters: Mapping[str, str], limit: int) -> None:
    """Raise DeployError if the queues could use up what the account has.

    A throttled invocation costs each of its messages an attempt without any request being sent.
    AWS lets no function have what would leave less than _LEAST_UNRESERVED to all others together.
    """
    queues = _OF_QUEUES + ((_OF_INBOX,) if parameters.get("Inbox") == "Enabled" else ())
    wanted = {name: int(parameters[name]) for name in queues}
    least = _API_SHARE + _JOBS_SHARE + len(wanted) * _LEAST_MAXIMUM_CONCURRENCY
    if limit < least:
        raise DeployError(
            f"The account runs {limit} functions at a time, and Perkwire needs {least}: AWS lets "
            f"no queue have less than {_LEAST_MAXIMUM_CONCURRENCY}. Ask AWS for more in Service "
            'Quotas, AWS Lambda, "Concurrent executions": the ordinary quota is 1000, which new '
            "accounts get on request, and costs nothing."
        )
    aside = sum(int(parameters.get(name, "0")) for name in _SET_ASIDE)
    if aside and limit - aside < _LEAST_UNRESERVED:
        raise DeployError(
            f"The account runs {limit} functions at a time, and {' and '.join(_SET_ASIDE)} set "
            f"{aside} of them aside: set {' '.join(f'{name}=0' for name in _SET_ASIDE)}, or ask "
            f"AWS for a higher quota of Lambda concurrent executions, of which it keeps "
            f"{_LEAST_UNRESERVED} for all functions together."
        )
    available = limit - aside - _API_SHARE - _JOBS_SHARE
    total = sum(wanted.values())
    if total <= available:
        return
    found = (
        f"The account runs {limit} functions at a time, and "
        f"{', '.join(f'{name} ({number})' for name, number in wanted.items())} "
        f"leave less than {_API_SHARE} of them to the API"
    )
    left = available - len(wanted) * _LEAST_MAXIMUM_CONCURRENCY
    advised = {
        name: _LEAST_MAXIMUM_CONCURRENCY + left * number // total for name, number in wanted.items()
    }
    advised["DispatcherMaxConcurrency"] += available - sum(advised.values())
    raise DeployError(
        f"{found}: set {' '.join(f'{name}={number}' for name, number in advised.items())}, or "
        "ask AWS for a higher quota of Lambda concurrent executions."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__)
    parser.add_argument("--config-env", default="default", help="environment of samconfig.toml")
    parser.add_argument("--yes", action="store_true", help="do not ask before changing the stack")
    parser.add_argument("parameters", nargs="*", metavar="Key=Value", help="template parameters")
    return parser


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise ParameterError(f"{text!r} is not of the form Key=Value.")
        pairs[name] = value
    return pairs


if __name__ == "__main__":
    sys.exit(main())
