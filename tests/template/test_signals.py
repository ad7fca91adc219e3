"""Signals: what is deployed for them, with `Signals` either way; and their schemas and examples."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from infra.parameters import load_template, resolve
from perkwire.adapters.signals import SOURCE
from perkwire.jobs.erasure import Erasure, ErasureStatus
from perkwire.jobs.job import Job, JobKind, JobReason, JobStatus
from perkwire.jobs.signalling import job_ended, member_erased
from perkwire.model.signals import (
    Signal,
    SignalKind,
    deliveries_failed,
    events_rejected,
    webhook_enabled,
    webhook_moved,
    webhook_paused,
)
from perkwire.model.webhook import PauseReason, WebhookStatus
from perkwire.primitives.ids import JobId, new_job_id, rejected_event_id
from tests.builders import ACCOUNT, NOW, WEBHOOK, a_webhook
from tests.iam.calls import bus_arn
from tests.iam.evaluator import Call, judge
from tests.iam.roles import policies
from tests.signals import check, schemas
from tests.template.stack import ROOT, expanded, of_type, source, transformed

SENDERS = {"ingest", "dispatcher", "jobs", "management", "console"}
CONDITION = "HasSignals"


def with_signals(signals: str) -> dict[str, Any]:
    """The expanded template as a stack with this parameter, and all else, has it."""
    (parameter, enabled) = source()["Conditions"][CONDITION]["Fn::Equals"]
    assert parameter == {"Ref": "Signals"}
    conditions = source()["Conditions"].keys()
    return expanded(*(conditions if signals == enabled else conditions - {CONDITION}))


def names_of_signals(value: object) -> set[str]:
    """What in a template has anything to do with them."""
    if isinstance(value, dict):
        inner = {name for each in value.values() for name in names_of_signals(each)}
        return inner | {name for name in value if "signal" in name.lower()}
    if isinstance(value, list):
        return {name for each in value for name in names_of_signals(each)}
    text = str(value).lower()
    return {text} if "signal" in text or "events:putevents" in text else set()


def test_they_are_disabled_by_default() -> None:
    parameters = source()["Parameters"]
    assert (parameters["Signals"]["Default"], parameters["SignalBusName"]["Default"]) == (
        "Disabled",
        "default",
    )


def test_disabled_nothing_is_deployed_for_them() -> None:
    assert names_of_signals(with_signals("Disabled")["Resources"]) == set()


def test_enabled_there_is_one_policy_more_and_one_variable_each() -> None:
    without = with_signals("Disabled")["Resources"]
    within = with_signals("Enabled")["Resources"]

    assert within.keys() - without.keys() == {"SignalPolicy"}
    for name in without:
        if within[name] == without[name]:
            continue
        assert within[name]["Type"] == "AWS::Lambda::Function"
        variables = within[name]["Properties"]["Environment"]["Variables"]
        assert variables.pop("SIGNAL_BUS_NAME") == {"Ref": "SignalBusName"}
        assert within[name] == without[name]
        assert name.removesuffix("Function").lower() in SENDERS


def test_who_sends_may_send_to_this_bus_under_this_name_and_nothing_else() -> None:
    """And the buses of nobody else, whose rules may trust what AWS's services say."""
    parameters = {"SignalBusName": "signals"}
    granted = policies(transformed(), "arn:aws:x:::{}".format, "stack", parameters)

    def may(function: str, bus: str, *sources: str) -> bool:
        context = {"events:source": [*sources]} if sources else {}
        call = Call("events:PutEvents", bus_arn(bus), context)
        return judge(granted[function], call).allowed

    assert {one for one in granted if may(one, "signals", SOURCE)} == SENDERS
    for function in SENDERS:
        assert not may(function, "default", SOURCE)
        assert not may(function, "signals", "aws.ec2")
        assert not may(function, "signals", SOURCE, "aws.ec2")
        assert not may(function, "signals")


def test_the_policy_has_one_statement_and_is_of_these_roles() -> None:
    policy = of_type(with_signals("Enabled"), "AWS::IAM::Policy")["SignalPolicy"]

    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "events:PutEvents")
    assert {role["Ref"].removesuffix("Role").lower() for role in policy["Roles"]} == SENDERS


@pytest.mark.parametrize("name", ["default", "my-bus", "a/b.c_d"])
def test_a_bus_has_a_name(name: str) -> None:
    assert resolve(source(), {"SignalBusName": name}, local=True)["SignalBusName"] == name


PAGE = (ROOT / "docs" / "signals.md").read_text()
AT = NOW + 1


def every_signal() -> Iterator[Signal]:
    """All that the code makes: each kind, with each word that it may hold."""
    webhook = a_webhook(name="Ada's shop", description="ada@shop.example", headers={"x": "secret"})
    for reason in PauseReason:
        yield webhook_paused(webhook, AT, reason)
    for status in (WebhookStatus.PAUSED, WebhookStatus.DISABLED):
        yield webhook_enabled(replace(webhook, status=status), webhook)
    yield webhook_moved(webhook, AT, is_strained=True)
    yield webhook_moved(webhook, AT, is_strained=False)
    yield deliveries_failed(webhook, AT, count=1, since=NOW)
    for kind in JobKind:
        for ended in (JobStatus.DONE, JobStatus.CANCELLED):
            yield job_ended(a_job(kind, ended, None), AT)
        for why in JobReason:
            yield job_ended(a_job(kind, JobStatus.FAILED, why), AT)
    yield member_erased(an_erasure(), AT)
    yield events_rejected(AT, count=2, first=rejected_event_id(AT, "message", 0))


def a_job(kind: JobKind, status: JobStatus, reason: JobReason | None) -> Job:
    return Job(
        id=new_job_id(NOW),
        account_id=ACCOUNT,
        webhook_id=WEBHOOK,
        kind=kind,
        since=NOW - 1,
        until=NOW,
        event_types=("custom.ada",),
        per_second=10,
        status=status,
        reason=reason,
        total=None,
        sent=3,
        skipped=0,
        page=(),
        page_batch=1,
        cursor=None,
        turn=0,
        version=1,
        created_at=NOW,
        updated_at=NOW,
        finished_at=NOW,
    )


def an_erasure() -> Erasure:
    return Erasure(
        id=JobId("ers_1"),
        account_id=ACCOUNT,
        member_keys=("the-key-of-ada",),
        since=NOW,
        asked_at=NOW,
        begins_at=NOW,
        status=ErasureStatus.DONE,
        cursor="",
        events_read=5,
        events_erased=2,
        deliveries_read=7,
        deliveries_found=1,
        turn=0,
        version=1,
        updated_at=NOW,
        finished_at=NOW,
    )


def test_every_kind_has_a_schema_and_a_line_and_the_code_makes_it() -> None:
    kinds = {str(kind) for kind in SignalKind}
    assert schemas().keys() == kinds == {str(one.kind) for one in every_signal()}
    named = set(re.findall(r"\[`([\w.]+)`\]\(signals/([\w.]+)\.json\)", PAGE))
    assert named == {(kind, kind) for kind in kinds}


@pytest.mark.parametrize("signal", [*every_signal()], ids=lambda one: str(one.kind))
def test_what_the_code_makes_is_what_the_schema_says(signal: Signal) -> None:
    check(signal.kind, json.loads(json.dumps(signal.to_json())))


@pytest.mark.parametrize("kind", SignalKind)
def test_a_schema_leaves_no_room_for_what_somebody_has_written(kind: SignalKind) -> None:
    schema = schemas()[kind]
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == kind
    for name, member in schema["properties"].items():
        is_bound = "enum" in member or member["type"] == "integer"
        assert is_bound or member["pattern"].startswith("^") or member["pattern"] == "Z$", name
    members = schema["properties"].keys() - {"account_id", "at"}
    (row,) = [line for line in PAGE.splitlines() if f"signals/{kind}.json" in line]
    assert members <= set(re.findall(r"`(\w+)`", row))


def test_the_examples_of_the_page_are_so(tmp_path: Path, cfn_lint: Path) -> None:
    (event,) = re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL)
    said = json.loads(event)
    assert said["source"] == SOURCE
    check(said["detail-type"], said["detail"])

    (rule,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    file = tmp_path / "rule.yaml"
    file.write_text(rule)
    run = subprocess.run(
        [cfn_lint, file], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    pattern = load_template(file)["Resources"]["TroubleRule"]["Properties"]["EventPattern"]
    assert pattern["source"] == [SOURCE]
    assert set(pattern["detail-type"]) <= {str(kind) for kind in SignalKind}
