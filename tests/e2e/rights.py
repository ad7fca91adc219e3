"""What each function of a running system may do, and how to take it away.

The policies are those that CloudFormation has made of the template, as the emulator's IAM has them.
They are enforced in the functions themselves (`tests.iam.in_function`): the emulator's own
judgement lacks the condition keys of KMS and SNS, and the resources of some calls. The taking of
messages is judged by nobody, as the emulator's mappings need no role.
"""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local.emulator import ROOT
from infra.parameters import load_template
from tests.iam.in_function import write_rules
from tests.iam.judging import Rules, lines
from tests.iam.roles import arns, data_of
from tests.iam.unused import FOLDER

_STACK = "perkwire"


class Rights:
    """The inline policies of the functions' roles, by the function's name."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rights-"))
        self._rules: Rules | None = None

    def enforce(self, client: Callable[[str], Any]) -> None:
        """Have the functions judge by the policies of a system that has just been deployed."""
        iam = client("iam")
        policies: dict[str, list[dict[str, Any]]] = {}
        for role in iam.list_roles()["Roles"]:
            name = role["RoleName"]
            # Its own policy, and those that are there under a condition.
            function = name.removeprefix(f"{_STACK}-").partition("Role-")[0].lower()
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                found = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                policies.setdefault(function, []).extend(found["Statement"])
        described = client("cloudformation").describe_stack_resources(StackName=_STACK)
        ids = {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in described["StackResources"]
        }
        template = load_template(ROOT / "template.yaml")
        self._rules = Rules(policies, data_of(template, arns(template, ids)))
        write_rules(self.folder, self._rules)

    @property
    def policies(self) -> Mapping[str, list[dict[str, Any]]]:
        """The statements of each function."""
        assert self._rules is not None
        return self._rules.policies

    @contextmanager
    def without(self, function: str, statement: str) -> Iterator[None]:
        """Take a statement away, for the length of a `with`, whose refusals are forgotten."""
        assert self._rules is not None
        before = self.policies[function]
        kept = [one for one in before if one["Sid"] != statement]
        assert len(kept) == len(before) - 1, f"{function} has no {statement}"
        write_rules(self.folder, Rules({**self.policies, function: kept}, self._rules.data))
        try:
            yield
        finally:
            write_rules(self.folder, self._rules)
            self.take_refused()

    def take_refused(self) -> list[tuple[str, ...]]:
        """The calls that have been refused since this was last asked."""
        refused = lines(self.folder, "refused")
        for file in self.folder.glob("refused-*"):
            file.unlink()
        return refused

    def end(self) -> None:
        """Leave what was used to the run of tests, if there is one, and nothing else."""
        if FOLDER in os.environ:
            used = Path(os.environ[FOLDER]) / f"used-{self.folder.name}"
            used.write_text(
                "".join(f"{json.dumps(right)}\n" for right in lines(self.folder, "used")),
                encoding="utf-8",
            )
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder)
