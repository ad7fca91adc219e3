"""How Lambda reads a queue: what AWS documents, and what our retries rest on."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from mypy_boto3_sqs import SQSClient

from infra.local.emulator import Emulator
from tests.local.recorder import Deploy, Recorder

CODE = """
import json, os, time, urllib.request

def tell(what):
    body = json.dumps(what).encode()
    urllib.request.urlopen(urllib.request.Request(os.environ["RECORDER"], data=body))

def handler(event, context):
    ids = [record["messageId"] for record in event["Records"]]
    (body,) = {record["body"] for record in event["Records"]}
    count = event["Records"][0]["attributes"]["ApproximateReceiveCount"]
    tell({"body": body, "ids": ids, "count": int(count), "event": "start"})
    if body == "die":
        os.kill(os.getpid(), 9)
    if body == "hang":
        time.sleep(60)
    if body == "raise":
        raise RuntimeError(body)
    if body == "slow":
        time.sleep(1)
        tell({"event": "end"})
        return None
    if body == "one":
        return {"batchItemFailures": [{"itemIdentifier": ids[0]}]}
    return json.loads(body)
"""


def template(
    recorder: Recorder,
    *,
    visibility: int = 30,
    attempts: int = 10,
    concurrency: int = 2,
    timeout: int = 1,
) -> dict[str, Any]:
    return {
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {"Concurrency": {"Type": "Number", "Default": concurrency}},
        "Resources": {
            "DeadLetters": {"Type": "AWS::SQS::Queue"},
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "Properties": {
                    "VisibilityTimeout": visibility,
                    "RedrivePolicy": {
                        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]},
                        "maxReceiveCount": attempts,
                    },
                },
            },
            "Function": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "InlineCode": CODE,
                    "Timeout": timeout,
                    "Environment": {"Variables": {"RECORDER": recorder.url}},
                    "Events": {
                        "Queue": {
                            "Type": "SQS",
                            "Properties": {
                                "Queue": {"Fn::GetAtt": ["Queue", "Arn"]},
                                "BatchSize": 1,
                                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                                "ScalingConfig": {"MaximumConcurrency": {"Ref": "Concurrency"}},
                            },
                        }
                    },
                },
            },
        },
        "Outputs": {
            "Url": {"Value": {"Ref": "Queue"}},
            "DeadLetterUrl": {"Value": {"Ref": "DeadLetters"}},
            "Function": {"Value": {"Ref": "Function"}},
        },
    }


def counts(sqs: SQSClient, url: str) -> tuple[int, int]:
    """Messages that wait, and messages that a receiver holds."""
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return (
        int(attributes["ApproximateNumberOfMessages"]),
        int(attributes["ApproximateNumberOfMessagesNotVisible"]),
    )


def eventually(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("answer", ["null", "{}", '{"batchItemFailures": []}', '""'])
def test_answer_without_failures_deletes_the_message(
    answer: str, deploy: Deploy, recorder: Recorder, sqs: SQSClient
) -> None:
    url = deploy(template(recorder))["Url"]
    sqs.send_message(QueueUrl=url, MessageBody=answer)
    recorder.wait_for(1)
    eventually(lambda: counts(sqs, url) == (0, 0))


@pytest.mark.parametrize(
    "answer",
    [
        "one",
        "raise",
        '"text"',
        "[]",
        '{"batchItemFailures": {}}',
        '{"batchItemFailures": ["id"]}',
        '{"batchItemFailures": [{"itemIdentifier": ""}]}',
        '{"batchItemFailures": [{"itemIdentifier": null}]}',
        '{"batchItemFailures": [{"itemIdentifier": "another"}]}',
        '{"batchItemFailures": [{"id": "misspelt"}]}',
    ],
)
def test_failed_or_malformed_answer_keeps_the_message(
    answer: str, deploy: Deploy, recorder: Recorder, sqs: SQSClient
) -> None:
    url = deploy(template(recorder))["Url"]
    sqs.send_message(QueueUrl=url, MessageBody=answer)
    recorder.wait_for(1)
    # Long enough for the deletion that the answer must not cause.
    time.sleep(0.3)
    assert counts(sqs, url) == (0, 1)


@pytest.mark.parametrize("fault", ["die", "hang", "raise", "one"])
def test_message_comes_back_soon_after_its_visibility_timeout(
    fault: str, deploy: Deploy, recorder: Recorder, sqs: SQSClient
) -> None:
    url = deploy(template(recorder, visibility=2))["Url"]
    sqs.send_message(QueueUrl=url, MessageBody=fault)
    (first, told), (second, again) = recorder.wait_for(2)
    assert again["ids"] == told["ids"]
    assert (told["count"], again["count"]) == (1, 2)
    # A cold start may fall into this, after a process that died.
    assert 1.8 <= second - first <= 3.7


def test_message_is_dead_lettered_after_its_last_attempt(
    deploy: Deploy, recorder: Recorder, sqs: SQSClient
) -> None:
    outputs = deploy(template(recorder, visibility=1, attempts=2))
    sqs.send_message(QueueUrl=outputs["Url"], MessageBody="one")
    recorder.wait_for(2)
    eventually(lambda: counts(sqs, outputs["DeadLetterUrl"]) == (1, 0))
    assert counts(sqs, outputs["Url"]) == (0, 0)
    assert len(recorder.posts) == 2


def test_numbers_may_come_from_a_parameter(
    deploy: Deploy, recorder: Recorder, emulator: Emulator
) -> None:
    function = deploy(template(recorder))["Function"]
    (mapping,) = emulator.client("lambda").list_event_source_mappings(FunctionName=function)[
        "EventSourceMappings"
    ]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert mapping["BatchSize"] == 1


@pytest.mark.parametrize(("allowed", "seen"), [(2, 2), (50, 4)])
def test_batches_at_a_time_are_few_and_never_more_than_the_mapping_allows(
    allowed: int, seen: int, deploy: Deploy, recorder: Recorder, sqs: SQSClient
) -> None:
    # A function that is stopped for its time tells no end, and would count as running for ever.
    url = deploy(template(recorder, concurrency=allowed, timeout=30))["Url"]
    for _ in range(8):
        sqs.send_message(QueueUrl=url, MessageBody="slow")
    running, most = 0, 0
    for _at, told in recorder.wait_for(16, seconds=60):
        running += 1 if told["event"] == "start" else -1
        most = max(most, running)
    assert most == seen
