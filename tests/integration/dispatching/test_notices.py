"""Notices through the real handlers, read from the topic by a queue; and races for them."""

import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import pytest
from mypy_boto3_sns import SNSClient
from mypy_boto3_sqs.type_defs import MessageTypeDef

import dispatcher.app
from perkwire.adapters.dynamodb.delivery_records import DeliveryRecords
from perkwire.adapters.dynamodb.webhook_states import WebhookStates
from perkwire.dispatching.noticing import UnreportedFailures
from perkwire.primitives.timestamps import now
from tests.aws_events import Context, sqs_event_of
from tests.integration.system import System, Tenant
from tests.invariant import check
from tests.receiver import Receiver

RIVALS = 10
HOUR = 3600 * 1_000_000


class Admin:
    """The admin of an account, whose mailbox is a queue."""

    def __init__(self, system: System, tenant: Tenant, operator_key: str) -> None:
        self.system = system
        self.tenant = tenant
        self._operator_key = operator_key
        self._sns: SNSClient = system.stack.emulator.client("sns")
        answer = self.wants("admin@zylker.example")
        assert answer.status == 200, answer
        created = system.sqs.create_queue(QueueName=f"mailbox-{tenant.id}")
        self._mailbox = created["QueueUrl"]
        arn = system.sqs.get_queue_attributes(QueueUrl=self._mailbox, AttributeNames=["QueueArn"])[
            "Attributes"
        ]["QueueArn"]
        self._sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)

    def wants(self, *addresses: str, **members: str) -> Any:  # noqa: ANN401 - what was answered
        return self.system.call(
            "PATCH",
            f"/v1/accounts/{self.tenant.id}",
            {"notify_emails": [*addresses], **members},
            key=self._operator_key,
        )

    def account(self) -> Any:  # noqa: ANN401 - what was answered
        path = f"/v1/accounts/{self.tenant.id}"
        answer = self.system.call("GET", path, key=self._operator_key)
        assert answer.status == 200, answer
        return answer.json

    @property
    def topic(self) -> str:
        return str(self._item(self.tenant.id, "account")["notice_topic"]["S"])

    def subscribers(self) -> set[str]:
        """The e-mail addresses that SNS has."""
        pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self.topic)
        found = [one for page in pages for one in page["Subscriptions"]]
        return {one["Endpoint"] for one in found if one["Protocol"] == "email"}

    def mail(self) -> list[Mapping[str, str]]:
        """What came since the last look: `Subject` and `Message`."""
        came = []
        while messages := self.system.sqs.receive_message(
            QueueUrl=self._mailbox, MaxNumberOfMessages=10
        ).get("Messages", []):
            for message in messages:
                came.append(json.loads(message["Body"]))
                self.system.sqs.delete_message(
                    QueueUrl=self._mailbox, ReceiptHandle=message["ReceiptHandle"]
                )
        return came

    def untold(self, webhook: Mapping[str, Any]) -> int:
        """The failed deliveries that no notice has told of."""
        item = self._item(f"health#{self.tenant.id}", webhook["id"])
        return int(item.get("untold", {"N": "0"})["N"])

    def an_interval_later(self, webhook: Mapping[str, Any]) -> None:
        """Have the last notice be an hour old."""
        self.system.stack.emulator.client("dynamodb").update_item(
            TableName=self.system.stack.resources["ConfigTable"],
            Key={"pk": {"S": f"health#{self.tenant.id}"}, "sk": {"S": webhook["id"]}},
            UpdateExpression="SET noticed_at = noticed_at - :hour",
            ExpressionAttributeValues={":hour": {"N": str(HOUR)}},
        )

    def _item(self, pk: str, sk: str) -> dict[str, Any]:
        own = {"pk": {"S": pk}, "sk": {"S": sk}}
        (item,) = [one for one in self.system.items("ConfigTable") if own.items() <= one.items()]
        return item


@pytest.fixture
def admin(system: System, tenant: Tenant, operator_key: str) -> Admin:
    return Admin(system, tenant, operator_key)


def route(system: System, tenant: Tenant, count: int = 1) -> list[str]:
    event_ids = tenant.post(*tenant.some_events(count))
    system.route()
    return event_ids


def test_addresses_are_subscribed_shown_and_unsubscribed(system: System, admin: Admin) -> None:
    answer = admin.wants("ann@zylker.example", "Bob@zylker.example", name="Zylker")
    assert answer.status == 200
    assert admin.subscribers() == {"ann@zylker.example", "Bob@zylker.example"}
    assert admin.account() == answer.json
    # The emulator confirms every address at once; AWS asks its owner first.
    assert (answer.json["name"], answer.json["notify_emails"]) == (
        "Zylker",
        [
            {"address": "ann@zylker.example", "confirmed": True},
            {"address": "Bob@zylker.example", "confirmed": True},
        ],
    )

    assert admin.wants("Bob@zylker.example").status == 200
    assert admin.subscribers() == {"Bob@zylker.example"}
    attributes = system.stack.emulator.client("sns").get_topic_attributes(TopicArn=admin.topic)
    assert attributes["Attributes"]["KmsMasterKeyId"] == "alias/aws/sns"


def test_an_account_may_begin_with_addresses(system: System, operator_key: str) -> None:
    made = system.call(
        "POST",
        "/v1/accounts",
        {"name": "Zylker", "notify_emails": ["ann@zylker.example"]},
        key=operator_key,
    )
    assert made.status == 201
    assert made.json["notify_emails"] == [{"address": "ann@zylker.example", "confirmed": False}]

    found = system.call("GET", f"/v1/accounts/{made.json['id']}", key=operator_key)
    assert found.json["notify_emails"] == [{"address": "ann@zylker.example", "confirmed": True}]


def test_without_sns_a_change_is_503_and_once_it_is_back_the_same_again_finishes_it(
    system: System, admin: Admin
) -> None:
    before = admin.account()
    system.restart(AWS_ENDPOINT_URL_SNS="http://127.0.0.1:9")

    answer = admin.wants("ann@zylker.example")
    assert (answer.status, answer.content_type) == (503, "application/problem+json")
    system.restart(AWS_ENDPOINT_URL_SNS=system.stack.emulator.url)
    assert admin.account() == before

    assert admin.wants("ann@zylker.example").status == 200
    assert admin.subscribers() == {"ann@zylker.example"}


@pytest.mark.parametrize(("answer", "failures"), [(500, 4), (200, 3)])
def test_a_failed_delivery_is_mailed_once_in_an_interval_and_none_is_forgotten(
    answer: int, failures: int, system: System, tenant: Tenant, receiver: Receiver, admin: Admin
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url, headers={"x-shop": "the-shop-token"})
    route(system, tenant)
    system.dispatch().return_at_once()
    system.dispatch().return_at_once()
    assert admin.mail() == []
    system.dispatch()

    (mail,) = admin.mail()
    assert mail["Subject"] == 'Webhook "orders": 1 delivery failed'
    text = mail["Message"]
    assert f'1 delivery to the webhook "orders" ({webhook["id"]}) failed on' in text
    assert "points.earned" in text
    assert "status code 500 (Internal Server Error)" in text
    assert f"/v1/deliveries?webhook_id={webhook['id']}&status=failed" in text
    assert endpoint.url not in text
    assert [secret for secret in system.secrets if secret in text] == []

    system.restart(MAX_ATTEMPTS="1")
    system.empty_queues()
    route(system, tenant, 3)
    system.dispatch()
    assert admin.mail() == []
    admin.an_interval_later(webhook)
    endpoint.answer(answer)
    route(system, tenant)
    while system.dispatch().messages:
        pass

    (mail,) = admin.mail()
    assert mail["Subject"] == f'Webhook "orders": {failures} deliveries failed'
    assert admin.untold(webhook) == 0


def test_a_pause_is_mailed_once_in_an_interval_and_the_next_mail_counts_the_others(
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    admin: Admin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    webhook = tenant.webhook(receiver.endpoint(410).url)

    def is_paused_and_enabled_again() -> None:
        route(system, tenant, 2)
        system.dispatch()
        system.dispatch_all()
        assert tenant.call("POST", f"/v1/webhooks/{webhook['id']}/enable").status == 200
        system.empty_queues()

    is_paused_and_enabled_again()
    (mail,) = admin.mail()
    assert mail["Subject"] == 'Webhook "orders": paused'
    assert f"POST /v1/webhooks/{webhook['id']}/enable" in mail["Message"]

    for _ in range(3):
        is_paused_and_enabled_again()
    assert admin.mail() == []

    later = now() + HOUR + 60_000_000
    monkeypatch.setattr(dispatcher.app, "now", lambda: later)
    system.cold_start("dispatcher")
    is_paused_and_enabled_again()
    system.cold_start("dispatcher")
    (mail,) = admin.mail()
    assert "It was paused 4 times since the last notice of a pause." in mail["Message"]


def test_nobody_who_wants_no_notices_is_told_or_counted(
    system: System, tenant: Tenant, receiver: Receiver, admin: Admin
) -> None:
    webhook = tenant.webhook(receiver.endpoint(500).url)
    assert admin.wants().json["notify_emails"] == []
    system.restart(MAX_ATTEMPTS="1")
    route(system, tenant)
    system.dispatch()

    assert admin.mail() == []
    assert admin.untold(webhook) == 0


def test_without_sns_messages_are_dealt_with_as_ever(
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    admin: Admin,
    capsys: pytest.CaptureFixture[str],
) -> None:
    webhook = tenant.webhook(receiver.endpoint(500).url)
    healthy = tenant.webhook(receiver.endpoint().url)
    system.restart(MAX_ATTEMPTS="1", AWS_ENDPOINT_URL_SNS="http://127.0.0.1:9")
    route(system, tenant)

    polled = system.dispatch()

    assert (len(polled.messages), len(polled.left)) == (2, 1)
    statuses = {one["webhook_id"]: one["status"] for one in tenant.deliveries()}
    assert statuses == {webhook["id"]: "failed", healthy["id"]: "succeeded"}
    (line,) = [line for line in system.output.lines() if line.get("message") == "notice_not_sent"]
    assert line["detail"].startswith("SNS: ")
    assert '"NoticeNotSent":[1.0]' in capsys.readouterr().out
    assert admin.untold(webhook) == 1


def dispatch_side_by_side(system: System, count: int) -> None:
    """One invocation for each of so many messages, all at the same time."""
    messages: list[MessageTypeDef] = []
    while len(messages) < count:
        messages += system.receive("DeliveryQueue")
    # A function serves one invocation at a time; here one process serves them all.
    with patch.object(dispatcher.app, "_SPARE_THREADS", 2 * count):
        dispatcher.app.handler({"Records": []}, Context())  # warm: what it needs is made once
    with ThreadPoolExecutor(count) as threads:
        answers = threads.map(
            lambda message: dispatcher.app.handler(sqs_event_of([message]), Context()), messages
        )
        for message, answer in zip(messages, answers, strict=True):
            own = {"QueueUrl": system.queue("DeliveryQueue")}
            own["ReceiptHandle"] = message["ReceiptHandle"]
            if answer["batchItemFailures"]:
                system.sqs.change_message_visibility(**own, VisibilityTimeout=0)
            else:
                system.sqs.delete_message(**own)


def test_of_many_dispatchers_at_once_one_pauses_and_one_notice_goes_out(
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    admin: Admin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint = receiver.endpoint(410)
    webhook = tenant.webhook(endpoint.url)
    together = threading.Barrier(RIVALS)
    look_up, waited = DeliveryRecords.look_up, list[int]()

    def read_all_before_any_pauses(records: DeliveryRecords, *keys: Any) -> Any:  # noqa: ANN401
        found = look_up(records, *keys)
        waited.append(together.wait(timeout=30))
        return found

    event_ids = route(system, tenant, RIVALS)
    with monkeypatch.context() as patched:
        patched.setattr(DeliveryRecords, "look_up", read_all_before_any_pauses)
        dispatch_side_by_side(system, RIVALS)
    assert len(waited) == RIVALS

    check(tenant, {one: [webhook["id"]] for one in event_ids}, endpoint.requests)
    system.dispatch_all()
    assert len(endpoint.requests) == RIVALS
    paused = [line for line in system.output.lines() if line["message"] == "webhook.paused"]
    assert len(paused) == 1
    assert tenant.get(f"/v1/webhooks/{webhook['id']}")["status"] == "paused"
    assert [mail["Subject"] for mail in admin.mail()] == ['Webhook "orders": paused']
    assert {one["reason"] for one in tenant.deliveries(status="failed")} == {"paused"}
    check(tenant, {one: [webhook["id"]] for one in event_ids}, endpoint.requests)


def test_of_many_dispatchers_at_once_one_tells_of_failures_and_all_are_counted(
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    admin: Admin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    webhook = tenant.webhook(receiver.endpoint(500).url)
    system.restart(MAX_ATTEMPTS="1")
    together = threading.Barrier(RIVALS)
    count_failed = WebhookStates.count_failed

    def count_all_before_any_tells(lookup: WebhookStates, *arguments: Any) -> UnreportedFailures:  # noqa: ANN401
        untold = count_failed(lookup, *arguments)
        together.wait(timeout=30)
        return untold

    monkeypatch.setattr(WebhookStates, "count_failed", count_all_before_any_tells)
    route(system, tenant, RIVALS)

    dispatch_side_by_side(system, RIVALS)

    (mail,) = admin.mail()
    told = int(mail["Subject"].split()[2])
    assert told + admin.untold(webhook) == RIVALS
