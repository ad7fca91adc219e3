"""What a function does while Lambda initialises it, and no test or tool that imports it does."""

from typing import Any

import botocore.session
import pytest
from botocore.exceptions import HTTPClientError

from perkwire.adapters.initialising import rehearse, while_initialising


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "router")


def fails() -> None:
    raise ValueError


def test_outside_of_lambda_nothing_is_made() -> None:
    made: list[str] = []

    while_initialising(lambda: made.append("client"))

    assert made == []


@pytest.mark.usefixtures("function")
def test_what_fails_keeps_nothing_else_from_being_made() -> None:
    made: list[str] = []

    while_initialising(fails, lambda: made.append("client"))

    assert made == ["client"]


@pytest.fixture
def client() -> Any:  # noqa: ANN401 - one of botocore's generated classes
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    return session.create_client("sqs", region_name="us-east-1")


@pytest.mark.usefixtures("function")
def test_a_rehearsal_signs_a_request_and_sends_none(client: Any) -> None:  # noqa: ANN401
    signed: list[object] = []
    client.meta.events.register("before-sign", lambda **given: signed.append(given))

    rehearse(client, "purge_queue", QueueUrl="https://sqs.example/0/queue")

    assert len(signed) == 1


@pytest.mark.usefixtures("function")
def test_what_comes_after_a_rehearsal_is_sent(client: Any) -> None:  # noqa: ANN401
    rehearse(client, "purge_queue", QueueUrl="https://sqs.example/0/queue")

    with pytest.raises(HTTPClientError, match=r"tried to use socket"):
        client.purge_queue(QueueUrl="https://sqs.example/0/queue")


def test_outside_of_lambda_nothing_is_rehearsed(client: Any) -> None:  # noqa: ANN401
    signed: list[object] = []
    client.meta.events.register("before-sign", lambda **given: signed.append(given))

    rehearse(client, "purge_queue", QueueUrl="https://sqs.example/0/queue")

    assert signed == []
