"""AWS events as Lambda hands them to a handler, and the context that comes beside them."""

import base64
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from mypy_boto3_sqs.type_defs import MessageTypeDef

type AwsEvent = dict[str, Any]

_ACCOUNT = "000000000000"
_REGION = "us-east-1"
_QUEUE_ARN = f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:queue"


@dataclass(kw_only=True)
class Context:
    """What handlers, and the libraries below them, use of Lambda's context."""

    function_name: str = "function"
    memory_limit_in_mb: int = 512
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    remaining_ms: int = 30_000

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{_REGION}:{_ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


def sqs_record(
    body: str,
    *,
    receive_count: int = 1,
    message_id: str | None = None,
    receipt: str | None = None,
    queue_arn: str = _QUEUE_ARN,
) -> AwsEvent:
    """One message as an event source mapping passes it on."""
    return {
        "messageId": message_id or str(uuid.uuid4()),
        "receiptHandle": receipt or uuid.uuid4().hex,
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(receive_count),
            "SentTimestamp": str(int(time.time() * 1000)),
            "SenderId": _ACCOUNT,
            "ApproximateFirstReceiveTimestamp": str(int(time.time() * 1000)),
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": _REGION,
    }


def sqs_event(*records: AwsEvent) -> AwsEvent:
    """The event of one invocation."""
    return {"Records": [*records]}


def sqs_event_of(messages: Sequence[MessageTypeDef], queue_arn: str = _QUEUE_ARN) -> AwsEvent:
    """The event for messages that were received from a queue with all their system attributes."""
    return sqs_event(
        *(
            sqs_record(
                message["Body"],
                receive_count=int(message["Attributes"]["ApproximateReceiveCount"]),
                message_id=message["MessageId"],
                receipt=message["ReceiptHandle"],
                queue_arn=queue_arn,
            )
            for message in messages
        )
    )


def http_api_event(
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    authorizer: Mapping[str, str] | None = None,
    base64_encoded: bool = False,
) -> AwsEvent:
    """A request in payload format 2.0; `authorizer` is the context that let it in."""
    event: AwsEvent = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": urlencode(query or {}),
        "headers": {
            "content-type": "application/json",
            **{name.lower(): value for name, value in (headers or {}).items()},
        },
        "requestContext": {
            "accountId": _ACCOUNT,
            "apiId": "api",
            "domainName": f"api.execute-api.{_REGION}.amazonaws.com",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "tests",
            },
            "requestId": uuid.uuid4().hex,
            "routeKey": f"{method} {path}",
            "stage": "$default",
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": base64_encoded,
    }
    if query:
        event["queryStringParameters"] = dict(query)
    if authorizer is not None:
        event["requestContext"]["authorizer"] = {"lambda": dict(authorizer)}
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if base64_encoded else body.decode()
    return event


def authorizer_event(headers: Mapping[str, str]) -> AwsEvent:
    """What an authorizer with simple responses is asked, in payload format 2.0."""
    event = http_api_event("GET", "/v1/webhooks", headers=headers)
    return event | {
        "type": "REQUEST",
        "routeArn": f"arn:aws:execute-api:{_REGION}:{_ACCOUNT}:api/$default/GET/v1/webhooks",
        "identitySource": [headers[name] for name in headers if name.lower() == "authorization"],
    }


def json_body(answer: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever JSON was answered
    """What a handler answered to API Gateway, read."""
    return json.loads(answer["body"]) if answer.get("body") else None
