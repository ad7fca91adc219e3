"""The rules between the template's parameters, which CloudFormation cannot express.

`make run` and `make deploy` both pass what was asked for through resolve().
"""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from samtranslator.yaml_helper import yaml_parse

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]+")

# Few attempts, shortly after each other: a retry should be something one can watch.
# One machine has no concurrency to set aside. Its mails are printed, and its inbox is open.
_LOCAL_DEFAULTS = {
    "MaxAttempts": "4",
    "RetryIntervalSeconds": "5",
    "EndpointPolicy": "local",
    "MailSender": "perkwire@localhost.example",
    "ManagementConcurrency": "0",
    "ConsoleConcurrency": "0",
    "Inbox": "Enabled",
}

# AWS's advice, so that a throttled batch has time to be tried again before it comes back.
_VISIBILITY_OVER_TIMEOUT = 6

_LONGEST_DISPATCHER_TIMEOUT = 45
_LONGEST_ENDPOINT_TIMEOUT = 10
# What an invocation needs beside its requests: the look-ups before and the log writes after them.
_SECONDS_AROUND_REQUESTS = 5
_LEAST_SECONDS_AROUND_REQUESTS = 3
_LEAST_DISPATCHER_TIMEOUT = 6

# DeliveryQueue keeps a message for four days. Half of them are left for waiting.
_LONGEST_LIFE_OF_DELIVERY = 2 * 24 * 3600


class ParameterError(Exception):
    """What was asked for cannot be deployed; the message is one sentence for people."""


def load_template(path: Path) -> dict[str, Any]:
    """Read a CloudFormation template in YAML, its short tags in their long form."""
    return cast(dict[str, Any], yaml_parse(path.read_text(encoding="utf-8")))


def resolve(
    template: Mapping[str, Any], given: Mapping[str, str], *, local: bool
) -> dict[str, str]:
    """Return a value for every parameter of the template.

    Time-outs that are not given are derived from those that are. The answer is complete because
    CloudFormation keeps the previous value of a parameter that an update leaves out. Raises
    ParameterError.
    """
    declared: Mapping[str, Mapping[str, Any]] = template["Parameters"]
    for name, value in given.items():
        if name not in declared:
            raise ParameterError(_unknown(name, declared))
        _check_bounds(name, value, declared[name])

    values = {name: str(declaration["Default"]) for name, declaration in declared.items()}
    if local:
        values |= _LOCAL_DEFAULTS
    values |= given
    values |= _derived_timeouts(values, given, local=local)
    _check_rules(values, local=local)
    return values


def _unknown(name: str, declared: Mapping[str, Any]) -> str:
    by_lower_case = {each.lower(): each for each in declared}
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.5)
    if near:
        return f"There is no parameter {name}: did you mean {by_lower_case[near[0]]}?"
    return f"There is no parameter {name}: there are {', '.join(declared)}."


def _check_bounds(name: str, value: str, declaration: Mapping[str, Any]) -> None:
    allowed = [str(each) for each in declaration.get("AllowedValues", [])]
    if allowed and value not in allowed:
        raise ParameterError(f"{name} is {value!r}: it must be one of {', '.join(allowed)}.")
    if declaration["Type"] == "Number":
        _check_number(name, value, declaration)
    elif not re.fullmatch(declaration.get("AllowedPattern", ".*"), value):
        raise ParameterError(f"{name} is {value!r}: it {declaration['ConstraintDescription']}.")


def _check_number(name: str, value: str, declaration: Mapping[str, Any]) -> None:
    bounds = [declaration[key] for key in ("MinValue", "MaxValue") if key in declaration]
    # CloudFormation knows no integers. A parameter whose bounds are whole is one.
    whole = all(isinstance(bound, int) for bound in bounds)
    if not (_WHOLE if whole else _NUMBER).fullmatch(value):
        raise ParameterError(f"{name} is {value!r}: it must be a {'whole ' * whole}number.")
    if bounds and not bounds[0] <= float(value) <= bounds[1]:
        raise ParameterError(f"{name} is {value}: it must lie between {bounds[0]} and {bounds[1]}.")


def _derived_timeouts(
    values: Mapping[str, str], given: Mapping[str, str], *, local: bool
) -> dict[str, str]:
    derived = {}
    if "DispatcherTimeoutSeconds" in given:
        dispatcher = int(given["DispatcherTimeoutSeconds"])
    else:
        interval = int(values["RetryIntervalSeconds"])
        share = interval if local else interval // _VISIBILITY_OVER_TIMEOUT
        if not local and share < _LEAST_DISPATCHER_TIMEOUT:
            raise ParameterError(
                f"RetryIntervalSeconds is {interval}: in the cloud it must be at least "
                f"{_VISIBILITY_OVER_TIMEOUT * _LEAST_DISPATCHER_TIMEOUT}, six times the shortest "
                "time-out that a dispatcher can work with."
            )
        dispatcher = min(_LONGEST_DISPATCHER_TIMEOUT, share)
        derived["DispatcherTimeoutSeconds"] = str(dispatcher)
    if "EndpointTimeoutSeconds" not in given:
        endpoint = min(
            _LONGEST_ENDPOINT_TIMEOUT, max(dispatcher - _SECONDS_AROUND_REQUESTS, dispatcher / 2)
        )
        derived["EndpointTimeoutSeconds"] = f"{endpoint:g}"
    return derived


def _check_rules(values: Mapping[str, str], *, local: bool) -> None:
    attempts = int(values["MaxAttempts"])
    interval = int(values["RetryIntervalSeconds"])
    dispatcher = int(values["DispatcherTimeoutSeconds"])
    endpoint = float(values["EndpointTimeoutSeconds"])
    if not local and values["EndpointPolicy"] == "local":
        raise ParameterError(
            "EndpointPolicy is local: in the cloud it must be public, as local lets webhooks "
            "reach loopback and private addresses."
        )
    if dispatcher > interval:
        raise ParameterError(
            f"DispatcherTimeoutSeconds is {dispatcher}: it must not exceed RetryIntervalSeconds "
            f"({interval}), the visibility timeout of its queue, or AWS refuses it."
        )
    if not local and dispatcher * _VISIBILITY_OVER_TIMEOUT > interval:
        raise ParameterError(
            f"DispatcherTimeoutSeconds is {dispatcher}: in the cloud it may be a sixth of "
            f"RetryIntervalSeconds ({interval}) at most, which is "
            f"{interval // _VISIBILITY_OVER_TIMEOUT}."
        )
    if endpoint >= dispatcher:
        raise ParameterError(
            f"EndpointTimeoutSeconds is {endpoint:g}: it must be below DispatcherTimeoutSeconds "
            f"({dispatcher}), or the dispatcher is cut off before its requests are."
        )
    if not local and dispatcher - endpoint < _LEAST_SECONDS_AROUND_REQUESTS:
        raise ParameterError(
            f"EndpointTimeoutSeconds is {endpoint:g}: in the cloud it must be at least "
            f"{_LEAST_SECONDS_AROUND_REQUESTS} below DispatcherTimeoutSeconds ({dispatcher}), "
            "which a cold start and the log need."
        )
    if int(values["LogRetentionDays"]) > int(values["EventRetentionDays"]):
        raise ParameterError(
            f"LogRetentionDays is {values['LogRetentionDays']}: it must not exceed "
            f"EventRetentionDays ({values['EventRetentionDays']}), as a retry needs the events."
        )
    if attempts * interval > _LONGEST_LIFE_OF_DELIVERY:
        raise ParameterError(
            f"MaxAttempts times RetryIntervalSeconds is {attempts * interval} seconds: it may be "
            f"two days ({_LONGEST_LIFE_OF_DELIVERY}) at most, as messages live four days in the "
            "queue."
        )
