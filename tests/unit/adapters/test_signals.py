"""EventBridge, as it takes signals and does not."""

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from pynamodb.connection import Connection

from perkwire.adapters import aws
from perkwire.adapters.dynamodb import tables
from perkwire.adapters.signals import EventBridgeSignals, signals_to
from perkwire.model.signals import webhook_moved
from tests.builders import NOW, a_webhook
from tests.fakes import FakeTelemetry

SIGNAL = webhook_moved(a_webhook(), NOW, is_strained=True)


class Client:
    """EventBridge's; `answers` are those of its calls, then it takes everything."""

    def __init__(self, *answers: object) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self._answers = [*answers]

    def put_events(self, **request: object) -> dict[str, Any]:
        self.calls.append(cast(list[dict[str, Any]], request["Entries"]))
        answer = self._answers.pop(0) if self._answers else {"Entries": [{"EventId": "1"}]}
        if isinstance(answer, Exception):
            raise answer

        return cast(dict[str, Any], answer)


def sent(client: Client, count: int) -> FakeTelemetry:
    journal = FakeTelemetry()
    EventBridgeSignals(client, "bus", journal).send([SIGNAL] * count)
    return journal


def test_an_entry_says_whose_it_is_and_when_it_was() -> None:
    client = Client()
    assert sent(client, 1).faults == []

    ((entry,),) = client.calls
    assert (entry["EventBusName"], entry["Source"]) == ("bus", "perkwire")
    assert entry["DetailType"] == "webhook.strained"
    assert entry["Time"].timestamp() == NOW // 1_000_000


def test_nothing_is_no_call() -> None:
    client = Client()
    sent(client, 0)
    assert client.calls == []


def test_a_call_takes_ten() -> None:
    client = Client()
    sent(client, 23)
    assert [len(entries) for entries in client.calls] == [10, 10, 3]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectTimeoutError(endpoint_url="x"), "ConnectTimeoutError"),
        (ClientError({"Error": {"Code": "AccessDenied"}}, "PutEvents"), "AccessDenied"),
        (RuntimeError("a secret"), "RuntimeError"),
    ],
)
def test_a_call_that_fails_is_one_fault_and_the_last(error: Exception, said: str) -> None:
    client = Client({"Entries": []}, error)

    journal = sent(client, 25)

    assert len(client.calls) == 2
    assert journal.faults == [
        ("signal_not_sent", {"kinds": "webhook.strained", "signals": 15, "detail": said})
    ]


def test_an_entry_that_is_refused_is_a_fault() -> None:
    refusal = {"ErrorCode": "ThrottlingException", "ErrorMessage": "no"}
    client = Client({"Entries": [{"EventId": "1"}, refusal]})

    assert sent(client, 2).faults == [
        (
            "signal_not_sent",
            {"kinds": "webhook.strained", "signals": 1, "detail": "ThrottlingException"},
        )
    ]


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")


def test_without_a_bus_there_is_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(_: Connection) -> Any:  # noqa: ANN401 - a client
        raise AssertionError("a client was made")

    monkeypatch.setattr(aws, "events", make)
    assert signals_to("", tables.connect(), FakeTelemetry()) is None


def test_a_call_is_tried_once_for_two_seconds() -> None:
    client: Any = aws.events(tables.connect())

    config = client.meta.config
    assert config.connect_timeout + config.read_timeout == 2
    assert config.retries["total_max_attempts"] == 1
