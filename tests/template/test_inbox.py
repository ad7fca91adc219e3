"""The inbox: what is deployed for it, with `Inbox` either way, and who may do what with it."""

import json
from typing import Any

import pytest

from infra.deploy import DeployError, check_concurrency
from infra.parameters import ParameterError, resolve
from tests.iam.evaluator import Call, judge
from tests.iam.roles import policies
from tests.template.stack import expanded, inbox, of_type, source, transformed

RESOURCES = {
    "InboxQueue",
    "InboxDeadLetterQueue",
    "InboxSenders",
    "InboxTransport",
    "InboxMapping",
    "InboxPolicy",
    "MendingPolicy",
    "InboxObservabilityStack",
}
OF_REDRIVES = ["INBOX_QUEUE_URL", "INBOX_DEAD_LETTER_QUEUE_ARN", "INBOX_DEAD_LETTER_QUEUE_URL"]
VARIABLES = {
    "IngestFunction": ["INBOX_QUEUE_URL", "NOTICE_INTERVAL_MINUTES"],
    "ManagementFunction": [*OF_REDRIVES, "EVENT_QUEUE_URL"],
    "ConsoleFunction": OF_REDRIVES,
}
REDRIVING = {"management", "console"}  # with the rights of who asks
ROUTES = {
    "/v1/rejected-events": {"get"},
    "/v1/rejected-events/{rejected_event_id}": {"get", "delete"},
    "/v1/rejected-events/{rejected_event_id}/send": {"post"},
}
RULE = "arn:aws:events:eu-west-1:123456789012:rule/loyalty/perkwire"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:loyalty"
CONDITIONS = ("HasInbox", "HasInboxSources", "HasInboxAlarms", "IsPublic")


def without() -> dict[str, Any]:
    return expanded("IsPublic")


def test_it_is_disabled_by_default() -> None:
    parameters = source()["Parameters"]
    assert (parameters["Inbox"]["Default"], parameters["InboxSources"]["Default"]) == (
        "Disabled",
        "",
    )
    assert source()["Conditions"]["HasInbox"] == {"Fn::Equals": [{"Ref": "Inbox"}, "Enabled"]}


def test_disabled_a_stack_has_nothing_of_it() -> None:
    found = str(without()["Resources"])
    assert [name for name in ("Inbox", "rejected") if name in found] == []
    assert (
        expanded("IsPublic", "HasSignals")["Resources"]["IngestFunction"]
        == (without()["Resources"]["IngestFunction"])
    )


def test_enabled_it_has_these_resources_more_and_the_others_are_as_they_were() -> None:
    before, after = without()["Resources"], expanded(*CONDITIONS)["Resources"]

    assert after.keys() - before.keys() == RESOURCES
    for function, names in VARIABLES.items():
        variables = after[function]["Properties"]["Environment"]["Variables"]
        for name in names:
            variables.pop(name)
    paths = after["HttpApi"]["Properties"]["Body"]["paths"]
    assert {path: {*paths.pop(path)} for path in ROUTES} == ROUTES
    assert {name: after[name] for name in before} == before


def test_its_routes_are_as_those_that_are_there_in_every_stack() -> None:
    paths = expanded(*CONDITIONS)["Resources"]["HttpApi"]["Properties"]["Body"]["paths"]
    of_jobs = {"/v1/rejected-events": "/v1/jobs", "/v1/rejected-events/{}": "/v1/jobs/{}"}
    for path, like in of_jobs.items():
        written = json.dumps(paths[path.format("{rejected_event_id}")])
        model = json.dumps(paths[like.format("{job_id}")])
        assert json.loads(written.replace("rejected_event_id", "job_id")) == json.loads(model)


def test_its_outputs_are_there_with_it_alone() -> None:
    outputs = source()["Outputs"]
    of_inbox = {name for name in outputs if name.startswith("Inbox")}
    assert of_inbox == {"InboxQueueUrl", "InboxQueueArn", "InboxDeadLetterQueueUrl"}
    assert {outputs[name].get("Condition") for name in of_inbox} == {"HasInbox"}


def test_ingest_alone_may_take_its_messages_and_who_redrives_the_dead_ones() -> None:
    granted = policies(transformed(), "arn:aws:sqs:x::{}".format, "stack")

    def takers(queue: str) -> set[str]:
        call = Call("sqs:ReceiveMessage", f"arn:aws:sqs:x::{queue}", {})
        return {name for name, statements in granted.items() if judge(statements, call).allowed}

    assert takers("InboxQueue") == {"ingest"}
    assert takers("InboxDeadLetterQueue") == REDRIVING


def test_of_rejected_events_people_may_forget_and_send_again_what_is_theirs_to_keep() -> None:
    granted = policies(transformed(), "arn:aws:dynamodb:x::table/{}".format, "stack")

    def may(function: str, action: str, key: str) -> bool:
        context = {"dynamodb:leadingkeys": [key]}
        call = Call(f"dynamodb:{action}", "arn:aws:dynamodb:x::table/EventTable", context)
        return judge(granted[function], call).allowed

    claim = "acct_0000000000000001#order-1"
    for function in ("management", "console"):
        assert may(function, "DeleteItem", "rejected")
        assert may(function, "DeleteItem", "rejected#rej_1")
        assert may(function, "PutItem", claim)
        assert not may(function, "DeleteItem", claim)
        assert not may(function, "PutItem", "rejected")
    assert may("ingest", "BatchWriteItem", "rejected")
    assert not may("ingest", "DeleteItem", "rejected")


def test_no_function_may_send_to_it_but_who_redrives_its_dead_letters() -> None:
    granted = policies(transformed(), "arn:aws:sqs:x::{}".format, "stack")

    def may(action: str, queue: str) -> set[str]:
        call = Call(f"sqs:{action}", f"arn:aws:sqs:x::{queue}", {})
        return {name for name, statements in granted.items() if judge(statements, call).allowed}

    assert may("SendMessage", "InboxQueue") == REDRIVING
    assert may("SendMessage", "InboxDeadLetterQueue") == set()
    for action in ("StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask"):
        assert may(action, "InboxDeadLetterQueue") == REDRIVING


def test_rules_and_topics_that_are_named_may_send_and_nobody_without_tls() -> None:
    (tls, senders) = expanded(*CONDITIONS)["Resources"]["InboxSenders"]["Properties"][
        "PolicyDocument"
    ]["Statement"]

    assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", "*", "sqs:*")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": False}}
    assert senders["Principal"] == {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}
    assert senders["Action"] == "sqs:SendMessage"
    named = {"Fn::Split": [" ", {"Ref": "InboxSources"}]}
    assert senders["Condition"] == {"ArnEquals": {"aws:SourceArn": named}}


def test_without_sources_no_rule_and_no_topic_may() -> None:
    resources = expanded("HasInbox", "IsPublic")["Resources"]
    (statement,) = resources["InboxSenders"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"


def test_each_of_its_queues_asks_for_tls() -> None:
    guarded = {
        queue["Ref"]
        for policy in of_type(transformed(), "AWS::SQS::QueuePolicy").values()
        for queue in policy["Queues"]
        if any(one.get("Sid") == "TlsOnly" for one in policy["PolicyDocument"]["Statement"])
    }
    assert guarded == {"InboxQueue", "InboxDeadLetterQueue"}


@pytest.mark.parametrize("named", ["", RULE, TOPIC, f"{RULE} {TOPIC}"])
def test_sources_are_rules_and_topics(named: str) -> None:
    assert resolve(source(), {"InboxSources": named}, local=False)["InboxSources"] == named


@pytest.mark.parametrize(
    "named",
    [
        "*",
        "arn:aws:events:eu-west-1:123456789012:rule/*",
        "arn:aws:s3:::bucket",
        f"{RULE},{TOPIC}",
        f"{RULE} ",
        "arn:aws:iam::123456789012:role/anybody",
    ],
)
def test_nothing_else_is_a_source(named: str) -> None:
    with pytest.raises(ParameterError, match="InboxSources"):
        resolve(source(), {"InboxSources": named}, local=False)


def test_its_concurrency_counts_where_it_is_enabled() -> None:
    def check(limit: int, **given: str) -> None:
        parameters = resolve(source(), given, local=False)
        check_concurrency(parameters, limit)

    check(130)
    with pytest.raises(DeployError, match=r"InboxMaxConcurrency \(21\)"):
        check(130, Inbox="Enabled", InboxMaxConcurrency="21")
    check(145, Inbox="Enabled", InboxMaxConcurrency="20")


def test_there_is_an_alarm_on_its_age_its_dead_letters_and_what_is_rejected() -> None:
    metrics = {
        (alarm.get("MetricName"), alarm.get("Threshold"))
        for alarm in of_type(inbox(), "AWS::CloudWatch::Alarm").values()
    }
    assert {
        ("ApproximateAgeOfOldestMessage", 300),
        ("ApproximateNumberOfMessagesVisible", 0),
        ("EventRejected", 0),
    } <= metrics
