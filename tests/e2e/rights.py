"""What each function may do, as the running emulator has it, and how to take it away.

The emulator judges by role, action and resource. Some of IAM it knows otherwise than AWS, so the
roles are put into its words first (`translate`):

* SQS has no right of its own for batches: on AWS `sqs:SendMessage` allows `SendMessageBatch`.
* The emulator finds no resource in calls that name one by `SourceArn` or `ResourceArn`, as message
  move tasks and tags of topics do.
* It has no condition keys of KMS and SNS, which it then finds missing, and refuses. Those of
  DynamoDB's keys stand under `ForAllValues`, which a missing key fulfils: nothing is to be done.

So it judges no conditions, and not the taking of messages, which its mappings do without a role:
both are compared with a table by `tests/template/test_permissions.py`.
"""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.system import LocalSystem

type Policy = dict[str, Any]

_WITHOUT_RESOURCE = {"Redrive", "KeepNoticeTopics", "SubscribeAddresses"}


class Rights:
    """The inline policies of the functions' roles, one for each, by the function's name."""

    def __init__(self, iam: Any) -> None:  # noqa: ANN401 - one of boto3's generated classes
        self._iam = iam
        self._places: dict[str, tuple[str, str]] = {}
        self._policies: dict[str, Policy] = {}
        for role in iam.list_roles()["Roles"]:
            name = role["RoleName"]
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                self._places[policy] = (name, policy)
                self._policies[policy] = iam.get_role_policy(RoleName=name, PolicyName=policy)[
                    "PolicyDocument"
                ]

    def translate(self) -> None:
        """Put what the functions may do into the emulator's words."""
        for function, policy in self._policies.items():
            for statement in policy["Statement"]:
                for operator in ("Null", "StringEquals"):
                    statement.get("Condition", {}).pop(operator, None)
                if statement["Sid"] in _WITHOUT_RESOURCE:
                    statement["Resource"] = "*"
                actions = statement["Action"]
                actions = [actions] if isinstance(actions, str) else actions
                statement["Action"] = [
                    *actions,
                    *(f"{action}Batch" for action in actions if action == "sqs:SendMessage"),
                ]
            self._put(function, policy)

    def statements(self) -> dict[str, list[str]]:
        """The names of the statements of each function."""
        return {
            function: [statement["Sid"] for statement in policy["Statement"]]
            for function, policy in self._policies.items()
        }

    @contextmanager
    def without(self, function: str, statement: str) -> Iterator[None]:
        """Take a statement away, for the length of a `with`."""
        policy = copy.deepcopy(self._policies[function])
        kept = [one for one in policy["Statement"] if one["Sid"] != statement]
        assert len(kept) == len(policy["Statement"]) - 1, f"{function} has no {statement}"
        self._put(function, policy | {"Statement": kept})
        try:
            yield
        finally:
            self._put(function, self._policies[function])

    def _put(self, function: str, policy: Policy) -> None:
        role, name = self._places[function]
        self._iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


def lines_of(system: LocalSystem, function: str) -> list[str]:
    """What a function has written to its log."""
    logs = system.client("logs")
    (group,) = [
        one["logGroupName"]
        for one in logs.describe_log_groups()["logGroups"]
        if function in one["logGroupName"]
    ]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    return [event["message"] for page in pages for event in page["events"]]
