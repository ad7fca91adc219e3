"""What Lambda initialises has all that its first event needs, in one botocore session."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.aws_events import AwsEvent, sqs_event_of
from tests.builders import points_data
from tests.integration.first_events import first_event, is_well
from tests.integration.system import APPS, System, Tenant
from tests.receiver import Receiver

CALLS_REHEARSED = {"ingest", "router", "dispatcher"}
"""The functions that an event waits for, one after the other, and that make several calls."""

FUNCTIONS = Path(__file__).parents[2] / "functions"

# In one process, one function after the other, each with its own environment.
COUNT = """
import collections, importlib, json, os, re, ssl, sys

import botocore.client, botocore.session

made = collections.Counter()

def counting(owner, name, what):
    call = getattr(owner, name)
    def counted(*arguments, **options):
        made[what] += 1
        return call(*arguments, **options)
    setattr(owner, name, counted)

counting(botocore.session.Session, "__init__", "session")
counting(botocore.client.ClientCreator, "create_client", "client")
counting(ssl.SSLContext, "load_verify_locations", "trust")
counting(re._compiler, "compile", "regular expression")

called = set()
make_call = botocore.client.BaseClient._make_api_call

def calling(client, operation, parameters):
    if operation not in called:
        called.add(operation)
        made[f"first {operation}"] += 1
    return make_call(client, operation, parameters)

botocore.client.BaseClient._make_api_call = calling

class Context:
    aws_request_id = "test"
    function_name = "test"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:test"

    def get_remaining_time_in_millis(self):
        return 30_000

found = {}
for app, (environment, event) in json.load(sys.stdin).items():
    os.environ.update(environment)
    made.clear()
    called.clear()
    handler = importlib.import_module(f"{app}.app").handler
    before = dict(made)
    made.clear()
    there = set(sys.modules)
    answer = handler(event, Context())
    for module in set(sys.modules) - there:
        made["import of " + module] += 1
    found[app] = before, dict(made), answer
print(json.dumps(found), file=sys.stderr)
"""


def counted(given: dict[str, object]) -> dict[str, tuple[dict[str, int], dict[str, int], object]]:
    finished = subprocess.run(
        [sys.executable, "-c", COUNT],
        env={"PYTHONPATH": str(FUNCTIONS), "PATH": os.defpath},
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    found: dict[str, tuple[dict[str, int], dict[str, int], object]]
    found = json.loads(finished.stderr.splitlines()[-1])
    return found


def environment(system: System, app: str) -> dict[str, str]:
    lambdas = {"AWS_LAMBDA_FUNCTION_NAME": app}
    return {**system.stack.aws_environment, **system.stack.environment(app), **lambdas}


def test_the_first_event_of_a_function_waits_for_nothing_to_be_made(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    tenant.webhook(receiver.endpoint().url)
    given: dict[str, object] = {
        app: (environment(system, app), first_event(app, system, tenant)) for app in APPS
    }

    for app, (before, during, answer) in counted(given).items():
        assert is_well(answer), (app, answer)
        assert before["session"] == 1, app
        assert before["client"] >= 1, app
        unrehearsed = {what for what in during if what.startswith("first ")}
        assert during.keys() == unrehearsed, app
        if app in CALLS_REHEARSED:
            assert unrehearsed == set(), app


def of_inbox(system: System, tenant: Tenant) -> AwsEvent:
    """Two messages: an event to accept, and one to reject and to tell of."""
    good = {"account_id": tenant.id, "type": "points.earned", "data": points_data()}
    for event in (good, {**good, "account_id": "acct_0000000000000000"}):
        system.sqs.send_message(QueueUrl=system.queue("InboxQueue"), MessageBody=json.dumps(event))
    return sqs_event_of(system.receive("InboxQueue", 2))


def test_the_first_message_of_the_inbox_waits_for_nothing_to_be_made(
    system: System, tenant: Tenant
) -> None:
    found = environment(system, "ingest") | {"SIGNAL_BUS_NAME": "default"}
    before, during, answer = counted({"ingest": (found, of_inbox(system, tenant))})["ingest"]

    assert is_well(answer)
    assert before["session"] == 1
    # Of a rejected event's type: it is compiled where one is rejected, which is not every day.
    assert during.pop("regular expression") == 1
    assert during == {}
    assert before["first PutEvents"] == 1
    assert len(system.messages("EventQueue")) == 1


def test_without_an_inbox_nothing_of_it_is_imported(system: System, tenant: Tenant) -> None:
    without = environment(system, "ingest")
    for name in ("INBOX_QUEUE_URL", "NOTICE_INTERVAL_MINUTES"):
        del without[name]

    _, during, answer = counted({"ingest": (without, first_event("ingest", system, tenant))})[
        "ingest"
    ]
    assert is_well(answer)
    assert {what for what in during if what.startswith("import ")} == set()

    # It is imported by whoever hands on messages all the same: it was not there before.
    _, during, _ = counted({"ingest": (without, of_inbox(system, tenant))})["ingest"]
    assert "import of perkwire.accepting.inbox" in during


def test_a_function_that_lacks_a_setting_says_so_at_its_first_event(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    tenant.webhook(receiver.endpoint().url)
    lacking = environment(system, "router")
    del lacking["EVENT_TABLE"]
    event = first_event("router", system, tenant)

    _, _, answer = counted({"router": (lacking, event)})["router"]

    left = [{"itemIdentifier": record["messageId"]} for record in event["Records"]]
    assert answer == {"batchItemFailures": left}
