"""Signals through the real handlers, read from a queue by a rule on the bus."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from perkwire.model.signals import SignalKind
from tests.iam.calls import queue_arn
from tests.integration.browsing import Browser
from tests.integration.jobs.test_erasures import ask as ask_erasure
from tests.integration.jobs.test_erasures import work
from tests.integration.jobs.test_jobs import run, start
from tests.integration.system import System, Tenant, until
from tests.receiver import Receiver
from tests.signals import check

BUS = "default"


class Signals:
    """What a rule of an account's own brings."""

    def __init__(self, system: System, tenant: Tenant) -> None:
        self._system = system
        self._events: Any = system.stack.client("events")
        self._rule = f"signals-{tenant.id}"
        self._queue = system.sqs.create_queue(QueueName=self._rule)["QueueUrl"]
        # Those of this account, and those of none.
        of_account = [tenant.id, {"exists": False}]
        pattern = {"source": ["perkwire"], "detail": {"account_id": of_account}}
        self._events.put_rule(
            Name=self._rule, EventBusName=BUS, EventPattern=json.dumps(pattern), State="ENABLED"
        )
        target = {"Id": "queue", "Arn": queue_arn(self._queue)}
        self._events.put_targets(Rule=self._rule, EventBusName=BUS, Targets=[target])
        self.came: list[dict[str, Any]] = []

    def end(self) -> None:
        self._events.remove_targets(Rule=self._rule, EventBusName=BUS, Ids=["queue"])
        self._events.delete_rule(Name=self._rule, EventBusName=BUS)
        self._system.sqs.delete_queue(QueueUrl=self._queue)

    def of(self, kind: SignalKind) -> list[dict[str, Any]]:
        """The details of those of a kind, once there is one; each has been held to its schema."""
        until(lambda: self._look(kind), f"a signal {kind}", 60)
        return [one["detail"] for one in self.came if one["detail-type"] == kind]

    def _look(self, kind: SignalKind) -> bool:
        while messages := self._system.sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=10
        ).get("Messages", []):
            for message in messages:
                event = json.loads(message["Body"])
                check(event["detail-type"], event["detail"])
                self.came.append(event)
                self._system.sqs.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )
        return any(one["detail-type"] == kind for one in self.came)


@pytest.fixture
def signals(system: System, tenant: Tenant) -> Iterator[Signals]:
    system.restart(SIGNAL_BUS_NAME=BUS)
    signals = Signals(system, tenant)
    yield signals
    signals.end()


def test_ingest_tells_of_events_that_the_inbox_rejects(
    system: System, tenant: Tenant, signals: Signals
) -> None:
    before = system.items("EventTable")
    key = {"pk": {"S": "rejected"}, "sk": {"S": "!signal"}}  # when one was last told of
    system.stack.client("dynamodb").delete_item(
        TableName=system.stack.resources["EventTable"], Key=key
    )
    bad = {"account_id": tenant.id, "type": "nothing", "data": {}}
    system.sqs.send_message(QueueUrl=system.queue("InboxQueue"), MessageBody=json.dumps([bad, bad]))
    system.poll("InboxQueue", "ingest")

    (told,) = signals.of(SignalKind.EVENTS_REJECTED)
    assert told["count"] == 2
    new = {item["sk"]["S"] for item in system.new_items("EventTable", before)}
    assert told["rejected_event_id"] in new


def send(system: System, tenant: Tenant, count: int) -> None:
    tenant.post(*tenant.some_events(count))
    system.route()
    system.dispatch()


def test_the_dispatcher_tells_of_failures_pauses_and_lanes(
    system: System, tenant: Tenant, receiver: Receiver, signals: Signals
) -> None:
    system.restart(SIGNAL_BUS_NAME=BUS, MAX_ATTEMPTS="1")
    endpoint = receiver.endpoint(*[500] * 5)
    webhook = tenant.webhook(endpoint.url)
    send(system, tenant, 5)

    (strained,) = signals.of(SignalKind.WEBHOOK_STRAINED)
    (failed,) = signals.of(SignalKind.DELIVERIES_FAILED)
    assert strained["webhook_id"] == failed["webhook_id"] == webhook["id"]
    assert failed["count"] == 5

    endpoint.answer(200)
    system.empty_queues()
    send(system, tenant, 10)
    (recovered,) = signals.of(SignalKind.WEBHOOK_RECOVERED)
    assert recovered["webhook_id"] == webhook["id"]

    endpoint.answer(410)
    send(system, tenant, 1)
    (paused,) = signals.of(SignalKind.WEBHOOK_PAUSED)
    assert (paused["webhook_id"], paused["reason"]) == (webhook["id"], "gone")
    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["status"] == "paused"


@pytest.mark.parametrize("by", ["api", "console"])
def test_enabling_is_told_and_what_was_enabled_already_is_not(
    by: str, tenant: Tenant, browser: Browser, signals: Signals
) -> None:
    webhook = tenant.webhook("https://one.example/a", enabled=False)
    path = f"/v1/webhooks/{webhook['id']}"
    if by == "api":
        for _ in range(2):
            assert tenant.call("POST", f"{path}/enable").status == 200
    else:
        browser.sign_in(tenant.key)
        page = browser.get("/console/webhooks")
        answer = browser.submit(page.form(f"/console/webhooks/{webhook['id']}/enable"))
        assert answer.location == "/console/webhooks?done=webhook-enabled"

    (enabled,) = signals.of(SignalKind.WEBHOOK_ENABLED)

    assert (enabled["webhook_id"], enabled["was"]) == (webhook["id"], "disabled")


def cancelled(tenant: Tenant, job_id: str) -> None:
    assert tenant.call("DELETE", f"/v1/jobs/{job_id}").status == 200


def done(tenant: Tenant, job_id: str) -> None:
    run(tenant, job_id)


@pytest.mark.parametrize("end", [done, cancelled])
def test_the_end_of_a_job_is_told_once(
    end: Callable[[Tenant, str], None],
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    signals: Signals,
) -> None:
    webhook = tenant.webhook(receiver.endpoint().url)
    send(system, tenant, 2)
    job_id = start(tenant, webhook, "replay")

    end(tenant, job_id)
    system.poll("JobQueue", "jobs", most=1)  # the turn that is left of one that was cancelled

    (ended,) = signals.of(SignalKind.JOB_ENDED)
    job = tenant.get(f"/v1/jobs/{job_id}")
    assert ended["job_id"] == job_id
    assert (ended["status"], ended["sent"]) == (job["status"], job["sent"])
    assert ended["status"] == end.__name__


def test_the_end_of_an_erasure_is_told_and_not_whose_it_was(
    system: System, tenant: Tenant, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask_erasure(tenant)
    work(system, tenant, asked, monkeypatch)

    (erased,) = signals.of(SignalKind.MEMBER_ERASED)

    assert erased["erasure_id"] == asked["id"]


def test_a_bus_that_does_not_answer_changes_nothing(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    system.restart(
        SIGNAL_BUS_NAME=BUS, AWS_ENDPOINT_URL_EVENTBRIDGE="http://127.0.0.1:9", MAX_ATTEMPTS="1"
    )
    webhook = tenant.webhook(receiver.endpoint(500).url, enabled=False)
    assert tenant.call("POST", f"/v1/webhooks/{webhook['id']}/enable").status == 200
    send(system, tenant, 1)

    (delivery,) = tenant.deliveries()
    assert delivery["status"] == "failed"
    faults = [line for line in system.output.lines() if line["message"] == "signal_not_sent"]
    assert [one["kinds"] for one in faults] == ["webhook.enabled", "deliveries.failed"]
