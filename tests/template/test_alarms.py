"""Who is told when: each thing that can go wrong is seen by an alarm, or has a reason why not."""

import json
import re
from typing import Any

import pytest

from tests.template.stack import ROOT, inbox, observability, of_type, source, transformed

ALARM = "AWS::CloudWatch::Alarm"

# Each fault of docs/operations.md by the alarm that sees it. What leaves its message ends as a dead
# letter, and what is answered 500 or 503 is seen at the API.
SEEN_BY = {
    "MessageUnreadable": "DeadLetterQueueDepthAlarm",
    "MessageUnroutable": "EventDeadLetterQueueDepthAlarm",
    "AccountAbsent": "DeadLetterQueueDepthAlarm",
    "WebhookAbsent": "DeadLetterQueueDepthAlarm",
    "SecretUnreadable": "SecretUnreadableAlarm",
    "DeliveryOfLaterRelease": "DeadLetterQueueDepthAlarm",
    "ContractUnreadable": "DeadLetterQueueDepthAlarm",
    "DeliveryUnrenderable": "DeadLetterQueueDepthAlarm",
    "AttemptCrashed": "DeadLetterQueueDepthAlarm",
    "HealthNotKept": "HealthNotKeptAlarm",
    "DeliveryNotLogged": "DeliveryNotLoggedAlarm",
    "DispatchingUnavailable": "DeadLetterQueueDepthAlarm",
    "RoutingUnavailable": "EventDeadLetterQueueDepthAlarm",
    "RequestUnavailable": "IngestUnavailableAlarm",
    "EventUnkeepable": "EventDeadLetterQueueDepthAlarm",
    "EventsNotKept": "EventDeadLetterQueueDepthAlarm",
    "DeliveriesNotQueued": "EventDeadLetterQueueDepthAlarm",
    "SlotsNotTaken": "EventDeadLetterQueueDepthAlarm",
    "DeliveryNotHandedOn": "EventDeadLetterQueueDepthAlarm",
    "PausedDeliveriesNotLogged": "EventDeadLetterQueueDepthAlarm",
    "WaitingNotLogged": "EventDeadLetterQueueDepthAlarm",
    "PullUnavailable": "ApiFailuresAlarm",
    "PullCrashed": "ApiFailuresAlarm",
    "TestUnavailable": "ApiFailuresAlarm",
    "TestCrashed": "ApiFailuresAlarm",
    "NoticeNotSent": "NoticeNotSentAlarm",
    "JobUnavailable": "JobDeadLetterQueueDepthAlarm",
    "JobAbsent": "JobDeadLetterQueueDepthAlarm",
    "WatchUnavailable": "JobDeadLetterQueueDepthAlarm",
    "NoTimeLeft": "DeadLetterQueueDepthAlarm",
    "RequestOverdue": "DeadLetterQueueDepthAlarm",
    "BatchCrashed": "DeadLetterQueueDepthAlarm",
    "RequestCrashed": "ApiFailuresAlarm",
    "EventRejected": "EventRejectedAlarm",
    "InboxMessageLeft": "InboxDeadLetterQueueDepthAlarm",
}
UNSEEN = {
    "DeliveryTableFailing": "It says what failed; what it failed for is a fault of its own.",
    "EventTableFailing": "As DeliveryTableFailing.",
    "SqsFailing": "As DeliveryTableFailing.",
    "SqsRefusedMessage": "As DeliveryTableFailing.",
    "MemberKeysNotKept": "Events are kept and sent; some are not found by their members.",
    "ClaimsNotMarked": "The events are queued, and a repeat of them is harmless.",
    "DelayNotSet": "The stack's interval applies: the attempt comes, at another time.",
    "LaneUnknown": "The delivery takes the prompt lane, and goes out at its slot.",
    "FailuresNotCounted": "The log has them, and DispatchingUnavailable is told before.",
    "LinkNotMailed": "Whoever asked for a link has none, and can ask an operator.",
    "SignalNotSent": "Machines on the bus miss it; the log, notices and activity tell the same.",
    "QueueAgeUnknown": "Whoever looks at the page of queues sees it there.",
}

NESTED = {"ObservabilityStack": observability, "InboxObservabilityStack": inbox}


def alarms() -> dict[str, dict[str, Any]]:
    return of_type(observability(), ALARM) | of_type(inbox(), ALARM)


def queues_of(*metrics: str) -> dict[str, list[str]]:
    """The queues that an alarm compares these metrics of, by the alarm's name."""
    found: dict[str, list[str]] = {}
    for name, alarm in alarms().items():
        measured = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", [])[1:]]
        if [each["MetricName"] for each in measured] == [*metrics]:
            found[name] = [each["Dimensions"][0]["Value"]["Ref"] for each in measured]
    return found


def of(measured: dict[str, Any], queue: str) -> tuple[str, str]:
    """Which metric of this queue an alarm reads, and how."""
    metric = measured["MetricStat"]["Metric"]
    assert metric["Dimensions"] == [{"Name": "QueueName", "Value": {"Ref": f"{queue}Name"}}]
    return metric["MetricName"], measured["MetricStat"]["Stat"]


def logical_id(expression: dict[str, Any]) -> str:
    return str(expression["Ref"] if "Ref" in expression else expression["Fn::GetAtt"][0])


def dead_letter_queues() -> set[str]:
    return {
        logical_id(queue["RedrivePolicy"]["deadLetterTargetArn"])
        for queue in of_type(transformed(), "AWS::SQS::Queue").values()
        if "RedrivePolicy" in queue
    }


class TestQueues:
    def test_every_dead_letter_queue_is_watched(self) -> None:
        watched = {
            alarm["Dimensions"][0]["Value"]["Ref"]
            for alarm in alarms().values()
            if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"
            and alarm["Threshold"] == 0
        }
        assert watched == {f"{name}Name" for name in dead_letter_queues()}

    def test_every_mapping_that_takes_nothing_is_noticed_within_minutes(self) -> None:
        """Lambda tells of no mapping that is disabled: what waits and is not taken does."""
        mappings = of_type(transformed(), "AWS::Lambda::EventSourceMapping").values()
        read = {f"{logical_id(mapping['EventSourceArn'])}Name" for mapping in mappings}
        watching = queues_of("ApproximateNumberOfMessagesVisible", "NumberOfMessagesReceived")

        assert {tuple(queues) for queues in watching.values()} == {(name, name) for name in read}
        for name in watching:
            alarm = alarms()[name]
            expression, waiting, taken = alarm["Metrics"]
            assert expression["Expression"] == "IF(FILL(taken, 0) == 0, waiting, 0)"
            assert (waiting["Id"], taken["Id"]) == ("waiting", "taken")
            assert waiting["MetricStat"]["Stat"] == "Minimum", "one that waits a moment is none"
            assert alarm["EvaluationPeriods"] * waiting["MetricStat"]["Period"] <= 600

    @pytest.mark.parametrize("queue", ["DeliveryQueue", "SlowDeliveryQueue"])
    @pytest.mark.parametrize(
        ("age", "waiting", "is_late"),
        [
            (901, 1, True),
            (900, 5_000, False),
            # What was received less than three times and comes again in twelve hours: a schedule of
            # a webhook's own, or a Retry-After, which is an endpoint's to say.
            (43_200, 0, False),
            (901, 0, False),  # a slot of a pace fifteen minutes away
        ],
    )
    def test_deliveries_are_late_if_they_wait_and_are_older_than_three_intervals(
        self, queue: str, age: int, waiting: int, is_late: bool
    ) -> None:
        """SQS's age leaves out what was received three times: later is seen by nobody."""
        alarm = alarms()[f"{queue}AgeAlarm"]
        late, *measured = alarm["Metrics"]
        assert {each["Id"]: of(each, queue) for each in measured} == {
            "age": ("ApproximateAgeOfOldestMessage", "Maximum"),
            "waiting": ("ApproximateNumberOfMessagesVisible", "Minimum"),
        }
        expression = late["Expression"]["Fn::Sub"].replace("${RetryIntervalSeconds}", "300")
        names = {"IF": lambda condition, a, b: a if condition else b, "age": age}
        value = eval(expression, names | {"waiting": waiting})  # noqa: S307 - of our own template
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
        assert (value > alarm["Threshold"]) is is_late

    @pytest.mark.parametrize("queue", ["DeliveryQueue", "SlowDeliveryQueue"])
    def test_in_flight_messages_are_watched_below_the_limit_of_sqs(self, queue: str) -> None:
        alarm = alarms()[f"{queue}InFlightAlarm"]
        assert alarm["Dimensions"][0]["Value"] == {"Ref": f"{queue}Name"}
        assert alarm["MetricName"] == "ApproximateNumberOfMessagesNotVisible"
        assert alarm["Threshold"] < 120_000


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_is_watched(metric: str) -> None:
    watched = {
        alarm["Dimensions"][0]["Value"]["Ref"]
        for alarm in alarms().values()
        if alarm.get("MetricName") == metric
    }
    assert watched == {f"{name}Name" for name in of_type(transformed(), "AWS::Lambda::Function")}


class TestFaults:
    def listed(self) -> set[str]:
        """The metrics of the page's table of faults, by the names of their lines."""
        section = (ROOT / "docs" / "operations.md").read_text().partition("## Log lines")[2]
        rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", section.partition("\n## ")[0], re.MULTILINE)
        names = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
        return {"".join(part.capitalize() for part in name.split("_")) for name in names}

    def test_each_is_seen_by_an_alarm_or_has_a_reason(self) -> None:
        assert not SEEN_BY.keys() & UNSEEN.keys()
        assert self.listed() == SEEN_BY.keys() | UNSEEN.keys()
        assert set(SEEN_BY.values()) <= alarms().keys()

    def test_an_alarm_on_a_fault_reads_what_telemetry_writes(self) -> None:
        """Powertools counts in the namespace Perkwire, by service."""
        own = {name: each for name, each in alarms().items() if each.get("Namespace") == "Perkwire"}
        assert {each["MetricName"] for each in own.values()} <= SEEN_BY.keys()
        services = {
            function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
            for function in of_type(source(), "AWS::Serverless::Function").values()
        }
        for name, alarm in own.items():
            (dimension,) = alarm["Dimensions"]
            assert dimension["Name"] == "service"
            assert dimension["Value"] in services
            assert SEEN_BY[alarm["MetricName"]] == name

    def test_answers_500_and_503_are_seen_at_the_api(self) -> None:
        """Lambda counts them as successes; an HTTP API, unlike a REST API, as `5xx`."""
        alarm = alarms()["ApiFailuresAlarm"]
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/ApiGateway", "5xx")
        assert alarm["Dimensions"] == [{"Name": "ApiId", "Value": {"Ref": "HttpApiId"}}]


def test_each_is_on_the_page() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    section = page.partition("## Alarms")[2].partition("\n## ")[0]
    for name in alarms():
        if not name.endswith(("ErrorsAlarm", "ThrottlesAlarm")):
            assert f"`{name}`" in section, name


class TestTelling:
    def test_all_go_to_the_topic(self) -> None:
        for name, alarm in alarms().items():
            assert alarm["AlarmActions"] == [{"Ref": "AlarmTopicArn"}], name
            assert alarm["TreatMissingData"] == "notBreaching", name

    @pytest.mark.parametrize("nested", NESTED)
    def test_the_nested_stack_is_given_what_it_asks_for(self, nested: str) -> None:
        given = of_type(source(), "AWS::Serverless::Application")[nested]["Parameters"]
        assert set(given) == set(NESTED[nested]()["Parameters"])
        for name, given_value in given.items():
            if name.endswith(("Name", "Id")):
                assert logical_id(given_value) == re.sub("(Name|Id)$", "", name)

    @pytest.mark.parametrize(
        ("nested", "widgets"), [("ObservabilityStack", 4), ("InboxObservabilityStack", 2)]
    )
    def test_the_dashboard_is_json(self, nested: str, widgets: int) -> None:
        template = NESTED[nested]()
        (dashboard,) = of_type(template, "AWS::CloudWatch::Dashboard").values()
        text = dashboard["DashboardBody"]["Fn::Sub"]
        names = set(re.findall(r"\$\{([\w:]+)\}", text))
        assert names <= {*template["Parameters"], "AWS::Region"}
        assert len(json.loads(text)["widgets"]) == widgets

    def test_the_topic_is_encrypted_with_a_key_that_alarms_may_use(self) -> None:
        topic = of_type(transformed(), "AWS::SNS::Topic")["AlarmTopic"]
        assert topic["KmsMasterKeyId"] == {"Fn::GetAtt": ["SecretKey", "Arn"]}
        _, given = of_type(transformed(), "AWS::KMS::Key")["SecretKey"]["KeyPolicy"]["Statement"]
        assert given["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert set(given["Condition"]) == {"StringEquals", "ArnLike"}
