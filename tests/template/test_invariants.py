"""What must stay true of the template whatever else changes."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.parameters import ParameterError, resolve
from perkwire.adapters.aws import INVOKE_SECONDS
from perkwire.adapters.dynamodb.tables import PATIENCE
from perkwire.adapters.http_api import caller_context
from perkwire.jobs.asking import ROUTER_SECONDS
from perkwire.model.account import Caller
from perkwire.primitives.ids import KeyId
from perkwire.trials.trial import MOST_SECONDS
from tests.template.stack import ROOT, expanded, of_type, source, transformed

DAY = 24 * 3600
QUEUE = "AWS::SQS::Queue"
LANES = {"DeliveryQueue", "SlowDeliveryQueue"}
FUNCTION = "AWS::Lambda::Function"
MAPPING = "AWS::Lambda::EventSourceMapping"


def value_of(expression: int | dict[str, str], parameters: dict[str, str]) -> int:
    """The number that stands in the template, be it through !Ref."""
    return int(parameters[expression["Ref"]] if isinstance(expression, dict) else expression)


def logical_id(expression: dict[str, Any]) -> str:
    if "Ref" in expression:
        return str(expression["Ref"])
    return str(expression["Fn::GetAtt"][0])


def consumers() -> Iterator[tuple[str, str]]:
    """Pairs of queue and function."""
    for mapping in of_type(transformed(), MAPPING).values():
        yield logical_id(mapping["EventSourceArn"]), logical_id(mapping["FunctionName"])


def dead_letter_queues() -> dict[str, str]:
    """The dead-letter queue of each queue that has one."""
    return {
        name: logical_id(queue["RedrivePolicy"]["deadLetterTargetArn"])
        for name, queue in of_type(transformed(), QUEUE).items()
        if "RedrivePolicy" in queue
    }


def assert_visibility_outlasts_functions(parameters: dict[str, str], times: int) -> None:
    template = transformed()
    queues, functions = of_type(template, QUEUE), of_type(template, FUNCTION)
    pairs = list(consumers())
    assert pairs
    for queue, function in pairs:
        visibility = value_of(queues[queue]["VisibilityTimeout"], parameters)
        timeout = value_of(functions[function]["Timeout"], parameters)
        assert visibility >= times * timeout, (queue, function)


def test_an_erasure_waits_for_the_routers_that_knew_nothing_of_it() -> None:
    assert of_type(transformed(), FUNCTION)["RouterFunction"]["Timeout"] == ROUTER_SECONDS


@pytest.mark.parametrize("asked", ["ManagementFunction", "ConsoleFunction"])
def test_who_can_ask_for_an_erasure_is_updated_after_those_who_keep_to_it(asked: str) -> None:
    function = source()["Resources"][asked]
    named = function["Properties"]["Environment"]["Variables"]["DISPATCHER_FUNCTION"]

    assert {*function["DependsOn"]} == {"RouterFunction", "JobsFunction"}
    assert named == {"Ref": "DispatcherFunction"}


class TestQueues:
    def test_visibility_is_six_times_the_function_timeout_by_default(self) -> None:
        defaults = {name: str(each["Default"]) for name, each in source()["Parameters"].items()}
        assert_visibility_outlasts_functions(defaults, times=6)

    @settings(deadline=None)  # the first one expands the template
    @given(
        asked=st.fixed_dictionaries(
            {},
            optional={
                "RetryIntervalSeconds": st.integers(1, 43200).map(str),
                "DispatcherTimeoutSeconds": st.integers(1, 900).map(str),
                "EndpointTimeoutSeconds": st.sampled_from(["0.25", "1", "10", "60"]),
                "MaxAttempts": st.integers(1, 100).map(str),
            },
        ),
        local=st.booleans(),
    )
    def test_what_is_accepted_fits_the_queue_and_the_function(
        self, asked: dict[str, str], local: bool
    ) -> None:
        try:
            parameters = resolve(source(), asked, local=local)
        except ParameterError:
            return
        if local:
            interval = int(parameters["RetryIntervalSeconds"])
            assert interval >= int(parameters["DispatcherTimeoutSeconds"])
        else:
            assert_visibility_outlasts_functions(parameters, times=6)
        assert float(parameters["EndpointTimeoutSeconds"]) < int(
            parameters["DispatcherTimeoutSeconds"]
        )
        life = int(parameters["MaxAttempts"]) * int(parameters["RetryIntervalSeconds"])
        for name in LANES:
            retention = of_type(transformed(), QUEUE)[name]["MessageRetentionPeriod"]
            assert 2 * life <= retention, "half of it is left for waiting"

    def test_each_has_dead_letters_or_is_for_them(self) -> None:
        pairs = dead_letter_queues()
        assert set(of_type(transformed(), QUEUE)) == set(pairs) | set(pairs.values())
        assert not set(pairs) & set(pairs.values())
        # A redrive brings each message back to its own; each two have one consumer.
        shared = {one for one in pairs if [*pairs.values()].count(pairs[one]) > 1}
        assert shared == {"EventQueue", "PacingQueue"} | LANES

    def test_dead_letters_are_kept_14_days_and_longer_than_messages(self) -> None:
        queues = of_type(transformed(), QUEUE)
        assert len(dead_letter_queues()) == 6
        for name, dead_letter_queue in dead_letter_queues().items():
            assert queues[dead_letter_queue]["MessageRetentionPeriod"] == 14 * DAY
            assert queues[name]["MessageRetentionPeriod"] == 4 * DAY

    def test_the_number_of_attempts_and_the_interval_are_those_of_the_parameters(self) -> None:
        prompt, slow = (of_type(transformed(), QUEUE)[name] for name in sorted(LANES))
        assert prompt["RedrivePolicy"]["maxReceiveCount"] == {"Ref": "MaxAttempts"}
        assert prompt["VisibilityTimeout"] == {"Ref": "RetryIntervalSeconds"}
        assert slow == prompt

    def test_all_are_encrypted(self) -> None:
        for name, queue in of_type(transformed(), QUEUE).items():
            assert queue["SqsManagedSseEnabled"] is True, name


class TestConsumers:
    def test_these_are_all_there_are(self) -> None:
        assert set(consumers()) == {
            ("EventQueue", "RouterFunction"),
            ("PacingQueue", "RouterFunction"),
            ("DeliveryQueue", "DispatcherFunction"),
            ("SlowDeliveryQueue", "DispatcherFunction"),
            ("JobQueue", "JobsFunction"),
            ("InboxQueue", "IngestFunction"),
        }

    def test_none_takes_dead_letters(self) -> None:
        assert not {queue for queue, _ in consumers()} & set(dead_letter_queues().values())

    def test_each_reports_failures_per_message_and_has_a_maximum(self) -> None:
        for name, mapping in of_type(transformed(), MAPPING).items():
            assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
            maximum = mapping["ScalingConfig"]["MaximumConcurrency"]
            bounds = {"MinValue": maximum, "MaxValue": maximum}
            if isinstance(maximum, dict):
                bounds = source()["Parameters"][maximum["Ref"]]
            assert bounds["MinValue"] >= 2, "AWS takes no less"
            assert bounds["MaxValue"] <= 1000, "nor more"

    def test_none_waits_for_a_batch_but_what_waits_for_its_slot_or_drops_messages(self) -> None:
        sizes = {"JobQueue": 1, "PacingQueue": 100}
        for name, mapping in of_type(transformed(), MAPPING).items():
            queue = logical_id(mapping["EventSourceArn"])
            assert mapping["BatchSize"] == sizes.get(queue, 10), name
            window = mapping.get("MaximumBatchingWindowInSeconds")
            assert window == (5 if queue == "PacingQueue" else None), name
            assert "FilterCriteria" not in mapping, name


class TestFunctions:
    def test_each_writes_json_to_a_log_of_its_own_that_ends(self) -> None:
        template = transformed()
        functions, logs = of_type(template, FUNCTION), of_type(template, "AWS::Logs::LogGroup")
        used = [each["LoggingConfig"]["LogGroup"]["Ref"] for each in functions.values()]
        assert len(set(used)) == len(functions)
        for each in functions.values():
            assert each["LoggingConfig"]["LogFormat"] == "JSON"
            assert each["LoggingConfig"]["SystemLogLevel"] == "WARN"
        for name, log in logs.items():
            assert log["RetentionInDays"] == {"Ref": "FunctionLogRetentionDays"}, name
        assert set(used) | {"HttpApiLogGroup"} == set(logs)

    def test_all_are_one_package_on_one_runtime(self) -> None:
        functions = of_type(transformed(), FUNCTION)
        assert {each["Runtime"] for each in functions.values()} == {"python3.13"}
        assert {tuple(each["Architectures"]) for each in functions.values()} == {("arm64",)}
        for name, each in functions.items():
            folder = name.removesuffix("Function").lower()
            assert each["Handler"] == f"{folder}.app.handler"
        for each in of_type(source(), "AWS::Serverless::Function").values():
            assert "CodeUri" not in each
        assert source()["Globals"]["Function"]["CodeUri"] == "functions/"

    def test_jobs_and_router_alone_may_send_to_their_own_queues_time_and_again(self) -> None:
        """Lambda stops a function that comes round by its own queue at the sixteenth time."""
        functions = of_type(source(), "AWS::Serverless::Function")
        loops = {name: each.get("RecursiveLoop") for name, each in functions.items()}
        assert {name: loop for name, loop in loops.items() if loop} == {
            "JobsFunction": "Allow",
            "RouterFunction": "Allow",
        }

    def test_a_test_of_a_webhook_is_over_before_anyone_stops_waiting_for_it(self) -> None:
        api_gateway_waits = 30
        functions = of_type(transformed(), FUNCTION)
        assert MOST_SECONDS + 5 <= INVOKE_SECONDS, "a cold start, and what surrounds the request"
        for name in ("ManagementFunction", "ConsoleFunction"):
            assert INVOKE_SECONDS + 5 <= functions[name]["Timeout"] < api_gateway_waits

    def test_a_table_that_hangs_is_given_up_before_those_who_wait_for_it_are(self) -> None:
        """Twice in an invocation, and once more after the requests of a dispatcher's.

        What is slower yet, or a stack with less time, is given up step by step as time runs out.
        """
        parameters = resolve(source(), {}, local=False)
        functions = of_type(transformed(), FUNCTION)
        once = PATIENCE.most_seconds
        for name in ("IngestFunction", "RouterFunction", "JobsFunction", "ManagementFunction"):
            assert 2 * once <= value_of(functions[name]["Timeout"], parameters), name
        dispatcher = value_of(functions["DispatcherFunction"]["Timeout"], parameters)
        assert 3 * once + float(parameters["EndpointTimeoutSeconds"]) <= dispatcher

    def test_the_runtime_matches_the_interpreter_of_the_repository(self) -> None:
        version = (ROOT / ".python-version").read_text().strip()
        assert source()["Globals"]["Function"]["Runtime"] == f"python{version}"


class TestApi:
    ROUTES = frozenset(
        {
            ("POST", "/v1/events", "IngestFunction"),
            ("X-AMAZON-APIGATEWAY-ANY-METHOD", "$default", "ManagementFunction"),
            ("POST", "/v1/accounts", "ManagementFunction"),
            ("GET", "/v1/accounts", "ManagementFunction"),
            ("GET", "/v1/accounts/{account_id}", "ManagementFunction"),
            ("PATCH", "/v1/accounts/{account_id}", "ManagementFunction"),
            ("POST", "/v1/accounts/{account_id}/api-keys", "ManagementFunction"),
            ("GET", "/v1/accounts/{account_id}/api-keys", "ManagementFunction"),
            ("GET", "/v1/accounts/{account_id}/api-keys/{key_id}", "ManagementFunction"),
            ("DELETE", "/v1/accounts/{account_id}/api-keys/{key_id}", "ManagementFunction"),
            ("GET", "/v1/brand", "ManagementFunction"),
            ("PUT", "/v1/brand", "ManagementFunction"),
            ("GET", "/v1/account", "ManagementFunction"),
            ("PATCH", "/v1/account", "ManagementFunction"),
            ("POST", "/v1/account/api-keys", "ManagementFunction"),
            ("GET", "/v1/account/api-keys", "ManagementFunction"),
            ("GET", "/v1/account/api-keys/{key_id}", "ManagementFunction"),
            ("DELETE", "/v1/account/api-keys/{key_id}", "ManagementFunction"),
            ("POST", "/v1/accounts/{account_id}/console-links", "ManagementFunction"),
            ("DELETE", "/v1/accounts/{account_id}/console-links", "ManagementFunction"),
            ("DELETE", "/v1/accounts/{account_id}/console-links/{link_id}", "ManagementFunction"),
            ("POST", "/v1/webhooks", "ManagementFunction"),
            ("GET", "/v1/webhooks", "ManagementFunction"),
            ("GET", "/v1/webhooks/{webhook_id}", "ManagementFunction"),
            ("PATCH", "/v1/webhooks/{webhook_id}", "ManagementFunction"),
            ("DELETE", "/v1/webhooks/{webhook_id}", "ManagementFunction"),
            ("POST", "/v1/webhooks/test", "ManagementFunction"),
            ("POST", "/v1/webhooks/filter-preview", "ManagementFunction"),
            ("POST", "/v1/webhooks/{webhook_id}/test", "ManagementFunction"),
            ("POST", "/v1/webhooks/{webhook_id}/enable", "ManagementFunction"),
            ("POST", "/v1/webhooks/{webhook_id}/disable", "ManagementFunction"),
            ("POST", "/v1/webhooks/{webhook_id}/rotate-secret", "ManagementFunction"),
            ("GET", "/v1/webhooks/{webhook_id}/pull", "ManagementFunction"),
            ("POST", "/v1/webhooks/{webhook_id}/retry-failed", "ManagementFunction"),
            ("POST", "/v1/webhooks/{webhook_id}/replay", "ManagementFunction"),
            ("GET", "/v1/event-types", "ManagementFunction"),
            ("GET", "/v1/event-types/{event_type}", "ManagementFunction"),
            ("GET", "/v1/formats", "ManagementFunction"),
            ("POST", "/v1/formats", "ManagementFunction"),
            ("GET", "/v1/formats/{format}", "ManagementFunction"),
            ("DELETE", "/v1/formats/{format}", "ManagementFunction"),
            ("POST", "/v1/erasures", "ManagementFunction"),
            ("GET", "/v1/erasures", "ManagementFunction"),
            ("GET", "/v1/erasures/{erasure_id}", "ManagementFunction"),
            ("GET", "/v1/rejected-events", "ManagementFunction"),
            ("GET", "/v1/rejected-events/{rejected_event_id}", "ManagementFunction"),
            ("DELETE", "/v1/rejected-events/{rejected_event_id}", "ManagementFunction"),
            ("POST", "/v1/rejected-events/{rejected_event_id}/send", "ManagementFunction"),
            ("GET", "/v1/jobs", "ManagementFunction"),
            ("GET", "/v1/jobs/{job_id}", "ManagementFunction"),
            ("DELETE", "/v1/jobs/{job_id}", "ManagementFunction"),
            ("GET", "/v1/activity", "ManagementFunction"),
            ("GET", "/v1/deliveries", "ManagementFunction"),
            ("GET", "/v1/deliveries/{delivery_id}", "ManagementFunction"),
            ("POST", "/v1/deliveries/retry", "ManagementFunction"),
            ("POST", "/v1/redrives", "ManagementFunction"),
            ("GET", "/v1/redrives", "ManagementFunction"),
            ("DELETE", "/v1/redrives", "ManagementFunction"),
            ("GET", "/v1/events", "ManagementFunction"),
            ("GET", "/v1/events/{event_id}", "ManagementFunction"),
            ("GET", "/console", "ConsoleFunction"),
            ("GET", "/console/{proxy+}", "ConsoleFunction"),
            ("POST", "/console/{proxy+}", "ConsoleFunction"),
        }
    )

    @pytest.fixture
    def body(self) -> dict[str, Any]:
        api: dict[str, Any] = of_type(expanded("HasInbox"), "AWS::ApiGatewayV2::Api")["HttpApi"][
            "Body"
        ]
        return api

    def test_has_exactly_these_routes(self, body: dict[str, Any]) -> None:
        found = set()
        for path, item in body["paths"].items():
            for method, operation in item.items():
                uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
                function = re.search(r"\$\{(\w+)\.Arn\}", uri)
                assert function, uri
                found.add((method.upper(), path, function[1]))
        assert found == self.ROUTES

    def test_every_route_asks_for_a_key_but_the_console_which_signs_in_itself(
        self, body: dict[str, Any]
    ) -> None:
        for path, item in body["paths"].items():
            for method, operation in item.items():
                asked = "NONE" if path.startswith("/console") else "KeyAuthorizer"
                assert operation["security"] == [{asked: []}], (method, path)

    def test_warnings_do_not_refuse_it(self) -> None:
        """SAM's own path parameters, which have no schema, may be what API Gateway warns about."""
        api = of_type(expanded("HasInbox"), "AWS::ApiGatewayV2::Api")["HttpApi"]
        bare = [
            parameter["name"]
            for operations in api["Body"]["paths"].values()
            for operation in operations.values()
            for parameter in operation.get("parameters", [])
            if {"schema", "content"}.isdisjoint(parameter)
        ]
        assert not bare or not api.get("FailOnWarnings", False)

    def test_a_functions_policy_stays_far_below_what_lambda_takes(self) -> None:
        """20 KB. A statement has names and ARNs that are not known before: 512 bytes do."""
        of_functions = Counter(
            logical_id(permission["FunctionName"])
            for permission in of_type(transformed(), "AWS::Lambda::Permission").values()
        )
        assert of_functions["ManagementFunction"] == 1
        assert max(of_functions.values()) * 512 <= 20 * 1024 // 4

    def test_the_authorizer_sees_and_caches_by_the_header_alone(self, body: dict[str, Any]) -> None:
        scheme = body["components"]["securitySchemes"]["KeyAuthorizer"]
        authorizer = scheme["x-amazon-apigateway-authorizer"]
        assert authorizer["identitySource"] == ["$request.header.Authorization"]
        assert authorizer["authorizerResultTtlInSeconds"] == 60
        assert authorizer["authorizerPayloadFormatVersion"] == "2.0"
        assert authorizer["enableSimpleResponses"] is True

    def test_throttles_and_logs_no_query(self) -> None:
        (stage,) = of_type(transformed(), "AWS::ApiGatewayV2::Stage").values()
        assert stage["DefaultRouteSettings"] == {
            "ThrottlingRateLimit": {"Ref": "ApiRateLimit"},
            "ThrottlingBurstLimit": {"Ref": "ApiBurstLimit"},
        }
        log = json.loads(stage["AccessLogSettings"]["Format"])
        # What of a caller the authorizer tells has these names.
        caller = Caller(None, frozenset(), KeyId("key_1"))
        told = {f"$context.authorizer.{name}" for name in caller_context(caller)}
        assert {log["accountId"], log["keyId"]} <= told
        assert set(log.values()) == {
            "$context.requestId",
            "$context.routeKey",
            "$context.status",
            "$context.responseLatency",
            "$context.authorizer.account_id",
            "$context.authorizer.key_id",
            "$context.authorizer.error",
            "$context.integrationErrorMessage",
        }


class TestTables:
    def test_all_are_on_demand_encrypted_and_forget(self) -> None:
        tables = of_type(transformed(), "AWS::DynamoDB::Table")
        assert set(tables) == {"ConfigTable", "EventTable", "DeliveryTable"}
        for name, table in tables.items():
            assert table["BillingMode"] == "PAY_PER_REQUEST", name
            assert table["SSESpecification"] == {"SSEEnabled": True}, name
            assert table["TimeToLiveSpecification"] == {
                "AttributeName": "expires_at",
                "Enabled": True,
            }, name
            assert [(k["AttributeName"], k["KeyType"]) for k in table["KeySchema"]] == [
                ("pk", "HASH"),
                ("sk", "RANGE"),
            ], name

    def test_configuration_and_its_key_outlive_the_stack(self) -> None:
        resources = transformed()["Resources"]
        for name in ("ConfigTable", "SecretKey"):
            assert resources[name]["DeletionPolicy"].startswith("Retain"), name
            assert resources[name]["UpdateReplacePolicy"] == "Retain", name
        config = resources["ConfigTable"]["Properties"]
        assert config["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert config["DeletionProtectionEnabled"] == {"Fn::If": ["IsPublic", True, False]}

    def test_a_first_deployment_that_fails_takes_along_what_it_can(self) -> None:
        """All but what is protected against deletion, of which the attempt would fail."""
        for name, resource in transformed()["Resources"].items():
            protected = "DeletionProtectionEnabled" in resource.get("Properties", {})
            left = resource.get("DeletionPolicy") == "Retain"
            assert left is protected, name

    def test_indexes(self) -> None:
        tables = of_type(transformed(), "AWS::DynamoDB::Table")
        (by_time,) = tables["EventTable"]["GlobalSecondaryIndexes"]
        assert by_time["IndexName"] == "by_time"
        assert [k["AttributeName"] for k in by_time["KeySchema"]] == ["account_hour", "accepted_at"]
        assert by_time["Projection"] == {
            "ProjectionType": "INCLUDE",
            "NonKeyAttributes": ["type", "event_id", "program_id"],
        }
        (failed,) = tables["DeliveryTable"]["GlobalSecondaryIndexes"]
        assert failed["IndexName"] == "failed"
        assert [k["AttributeName"] for k in failed["KeySchema"]] == ["failed_key", "sk"]
        assert failed["Projection"] == {"ProjectionType": "KEYS_ONLY"}


class TestParameters:
    def test_each_is_described_bounded_and_grouped(self) -> None:
        template = source()
        for name, each in template["Parameters"].items():
            assert each["Description"].endswith("."), name
            assert "Default" in each, name
            bounded = {"MinValue", "MaxValue"} <= each.keys()
            assert bounded or "AllowedValues" in each or "AllowedPattern" in each, name
        groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        grouped = [name for group in groups for name in group["Parameters"]]
        assert sorted(grouped) == sorted(template["Parameters"])

    def test_what_the_template_derives_from_is_what_resolve_derives(self) -> None:
        defaults = {name: str(each["Default"]) for name, each in source()["Parameters"].items()}
        assert resolve(source(), {}, local=False) == defaults


class TestWhole:
    def test_nothing_has_a_physical_name(self) -> None:
        """But the log group that API Gateway writes to, whose name has to begin as AWS says."""
        names = {"FunctionName", "TableName", "QueueName", "TopicName", "RoleName", "LogGroupName"}
        named = {
            "AWS::Lambda::Function",
            "AWS::DynamoDB::Table",
            QUEUE,
            "AWS::SNS::Topic",
            "AWS::IAM::Role",
            "AWS::Logs::LogGroup",
        }
        for kind in named:
            for logical, properties in of_type(transformed(), kind).items():
                if logical != "HttpApiLogGroup":
                    assert not names & properties.keys(), logical

    def test_the_apis_log_needs_no_room_in_the_accounts_policy_and_loses_no_lines(self) -> None:
        group = transformed()["Resources"]["HttpApiLogGroup"]
        name = group["Properties"]["LogGroupName"]
        assert name == {"Fn::Sub": "/aws/vendedlogs/${AWS::StackName}-HttpApi"}
        assert group["UpdateReplacePolicy"] == "Retain"

    def test_outputs(self) -> None:
        assert set(source()["Outputs"]) == {
            "ApiUrl",
            "InboxQueueUrl",
            "InboxQueueArn",
            "InboxDeadLetterQueueUrl",
            "EventQueueUrl",
            "EventDeadLetterQueueUrl",
            "EventDeadLetterQueueArn",
            "DeliveryQueueUrl",
            "SlowDeliveryQueueUrl",
            "DeadLetterQueueUrl",
            "DeadLetterQueueArn",
            "JobQueueUrl",
            "PacingQueueUrl",
            "ConfigTableName",
            "EventTableName",
            "DeliveryTableName",
            "AlarmTopicArn",
        }

    def test_it_is_short_enough_for_a_bucket(self) -> None:
        """From where it is deployed, CloudFormation takes 1 MB before the transform and after."""
        for template in (source(), transformed()):
            assert len(json.dumps(template, default=str, indent=2)) <= 1_000_000

    def test_cfn_lint_is_clean(self, cfn_lint: Path) -> None:
        """E3004 among its rules finds circular references."""
        run = subprocess.run([cfn_lint], cwd=ROOT, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
