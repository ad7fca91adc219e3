"""AWS clients: all say who we are, and none spends time on what is known before."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from pynamodb.connection import Connection

from perkwire import VERSION
from perkwire.adapters import aws
from perkwire.adapters.dynamodb import tables

CLIENTS: dict[str, Callable[[Connection], Any]] = {
    "dynamodb": lambda connection: connection.client,
    "events": aws.events,
    "kms": aws.kms,
    "lambda": aws.functions,
    "sns": aws.sns,
    "sqs": aws.sqs,
}
# Each lacks what it cannot be without, by botocore's model of the service.
CALLS = {
    "dynamodb": "GetItem",
    "events": "PutEvents",
    "kms": "Decrypt",
    "lambda": "CreateFunction",
    "sns": "Publish",
    "sqs": "SendMessageBatch",
}


class Empty:
    def __init__(self, *, is_json: bool) -> None:
        self._is_json = is_json

    def stream(self) -> list[bytes]:
        return [b"{}" if self._is_json else b"<r><PublishResult/></r>"]


@pytest.mark.parametrize("service", CLIENTS)
def test_every_client_names_us_and_is_not_held_to_its_model(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    client = CLIENTS[service](tables.connect())
    agents: list[str] = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        agents.append(str(request.headers["User-Agent"]))
        return AWSResponse(request.url, 200, HTTPHeaders(), Empty(is_json=service != "sns"))

    client.meta.events.register_first("before-send", answer)
    client._make_api_call(CALLS[service], {})

    assert [f"Perkwire/{VERSION}" in agent for agent in agents] == [True]
