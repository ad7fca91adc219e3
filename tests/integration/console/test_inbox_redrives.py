"""A redrive of the inbox, by the API and on the page of queues; and none without an inbox."""

import json
from collections.abc import Iterator

import pytest

from tests.integration.accepting.test_inbox import take
from tests.integration.browsing import Browser
from tests.integration.system import System, Tenant, until

MAX_RECEIVES = 10
PAGE = "/console/queues"
NEW = f"{PAGE}/redrives/new?queue=inbox"
OF_INBOX = ("INBOX_QUEUE_URL", "INBOX_DEAD_LETTER_QUEUE_ARN", "INBOX_DEAD_LETTER_QUEUE_URL")


@pytest.fixture
def dead(system: System, tenant: Tenant) -> Iterator[None]:
    """A message that has been received as often as SQS lets it, and rests."""
    event = {"account_id": tenant.id, "id": "visit-1", "type": "custom.visit", "data": {}}
    url = system.queue("InboxQueue")
    system.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
    for _ in range(MAX_RECEIVES):
        assert system.receive("InboxQueue", for_seconds=0)
    assert system.receive("InboxQueue") == []
    assert len(system.bodies("InboxDeadLetterQueue")) == 1
    yield
    system.empty_queues()


def is_taken(system: System) -> bool:
    """Have ingest take what has come back; whether its event is accepted."""
    take(system)
    (message,) = system.messages("EventQueue")
    return [one["id"] for one in message["events"]] == ["visit-1"]


def test_its_dead_letters_come_back_and_are_taken(
    dead: None, system: System, operator_key: str
) -> None:
    asked = {"queue": "inbox", "max_per_second": 5}

    started = system.call("POST", "/v1/redrives", asked, key=operator_key)

    assert (started.status, started.json["queue"]) == (201, "inbox")
    assert is_taken(system)
    assert system.bodies("InboxDeadLetterQueue") == []
    listed = system.call("GET", "/v1/redrives", key=operator_key).json["data"]
    assert "inbox" in {one["queue"] for one in listed}
    query = {"subject": "inbox"}
    newest = system.call("GET", "/v1/activity", key=operator_key, query=query).json["data"][0]
    assert (newest["action"], newest["name"]) == (
        "redrive.started",
        "about 1 of inbox, at most 5 a second",
    )


def test_they_are_redriven_on_the_page_of_queues(
    dead: None, system: System, operator: Browser
) -> None:
    page = operator.get(PAGE)
    assert "Messages of the inbox" in page.text
    assert system.queue("InboxDeadLetterQueue").rpartition("/")[2] in page.codes()
    confirm = operator.get(NEW)
    assert "About 1 message of every account would move" in confirm.text
    assert "not known: each event of a message names its account" in confirm.text
    assert "ten new goes of ingest" in confirm.text

    done = operator.submit(confirm.form(f"{PAGE}/redrives"))

    assert "The redrive is started." in operator.get(done.location).text
    assert is_taken(system)


def test_one_that_runs_is_cancelled(dead: None, system: System, operator_key: str) -> None:
    asked = {"queue": "inbox", "max_per_second": 1}
    for _ in range(3):
        system.sqs.send_message(QueueUrl=system.queue("InboxDeadLetterQueue"), MessageBody="{}")
    assert system.call("POST", "/v1/redrives", asked, key=operator_key).status == 201
    assert system.call("POST", "/v1/redrives", asked, key=operator_key).status == 409

    query = {"queue": "inbox"}
    cancelled = system.call("DELETE", "/v1/redrives", key=operator_key, query=query)

    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelling")
    until(
        lambda: system.call("DELETE", "/v1/redrives", key=operator_key, query=query).status == 404,
        "the redrive has stopped",
    )


def test_one_that_runs_is_cancelled_on_the_page_of_queues(
    dead: None, system: System, operator: Browser, operator_key: str
) -> None:
    for _ in range(3):
        system.sqs.send_message(QueueUrl=system.queue("InboxDeadLetterQueue"), MessageBody="{}")
    asked = {"queue": "inbox", "max_per_second": 1}
    until(
        lambda: system.call("POST", "/v1/redrives", asked, key=operator_key).status == 201,
        "one that was cancelled has ended",
    )

    running = operator.get(PAGE)
    ended_before = running.text.count("inbox cancelled")
    cancelled = operator.submit(running.form("/console/queues/redrives/cancel"))

    assert "The redrive is being cancelled." in operator.get(cancelled.location).text
    until(lambda: operator.get(PAGE).text.count("inbox cancelled") > ended_before, "its end")


@pytest.fixture
def without_inbox(system: System) -> Iterator[None]:
    system.restart(**dict.fromkeys(OF_INBOX, ""))
    yield
    system.restart()


def test_a_stack_without_an_inbox_does_not_know_it(
    without_inbox: None, system: System, operator: Browser, operator_key: str
) -> None:
    for name in ("inbox", "nothing"):
        query = {"queue": name}
        for answer in (
            system.call("POST", "/v1/redrives", {"queue": name}, key=operator_key),
            system.call("DELETE", "/v1/redrives", key=operator_key, query=query),
        ):
            assert answer.status == 422
            assert answer.json["errors"] == [
                {"field": "queue", "detail": "must be deliveries or events"}
            ]
    assert system.call("GET", "/v1/redrives", key=operator_key).status == 200
    page = operator.get(PAGE)
    assert "Events and paced deliveries" in page.text
    assert "inbox" not in page.text.lower()
    assert operator.get(NEW).status == 404
