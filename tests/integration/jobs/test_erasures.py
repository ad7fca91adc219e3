"""Erasures with the real handlers, through every place where a member's data rests."""

import base64
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import dispatcher.app
import jobs.app
from perkwire.adapters.dynamodb.config_items import (
    ACCOUNT_SK,
    AccountItem,
    WebhookItem,
    webhook_sk,
)
from perkwire.adapters.dynamodb.event_table import EventItem
from perkwire.model.messages import JobMessage, write_job_message
from perkwire.primitives.timestamps import MICROSECONDS, now, to_rfc3339
from tests.aws_events import Context, sqs_event, sqs_record
from tests.integration.browsing import Browser
from tests.integration.dispatching.test_notices import Admin
from tests.integration.system import System, Tenant
from tests.invariant import check
from tests.receiver import Answer, Receiver

HOUR = 3_600 * MICROSECONDS
ADA, BOB = "ada-of-the-test", "bob-of-the-test"


def about(event_id: str, member: str = ADA, **data: object) -> dict[str, Any]:
    person = {"id": member, "email": f"{member}@member.example"}
    return {"id": event_id, "type": "custom.said", "data": {"member": person, **data}}


def ask(tenant: Tenant, **named: str) -> dict[str, Any]:
    answer = tenant.call("POST", "/v1/erasures", named or {"member_id": ADA})
    assert answer.status == 202, answer
    asked: dict[str, Any] = answer.json
    return asked


@contextmanager
def a_while_later(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The jobs' clock is an hour ahead, when everything that was under way has ended."""
    with monkeypatch.context() as patch:
        patch.setattr(jobs.app, "now", lambda: now() + HOUR)
        system.cold_start("jobs")
        yield
    system.cold_start("jobs")


def work(
    system: System, tenant: Tenant, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Give the erasure its turns, whose messages SQS still delays; the erasure as it has ended."""
    with a_while_later(system, monkeypatch):
        for turn in range(50):
            message = JobMessage(account_id=tenant.id, job_id=asked["id"], turn=turn)  # type: ignore[arg-type]
            event = sqs_event(sqs_record(write_job_message(message)))
            assert jobs.app.handler(event, Context()) == {"batchItemFailures": []}
            found: dict[str, Any] = tenant.get(f"/v1/erasures/{asked['id']}")
            if found["status"] == "done":
                return found
    raise AssertionError(found)


def stored(tenant: Tenant) -> str:
    """All that the tables hold of the account, as text."""
    texts = []
    for table in ("ConfigTable", "EventTable", "DeliveryTable"):
        for item in tenant.system.items(table):
            if item["pk"]["S"].startswith(tenant.id):
                data = item.get("data", {}).get("B")
                texts.append(f"{item} {zlib.decompress(data) if data else b''!r}")
    return "\n".join(texts)


def test_who_asked_is_recorded_and_not_for_whom(tenant: Tenant) -> None:
    asked = ask(tenant)

    newest = tenant.get("/v1/activity")["data"][0]

    assert (newest["action"], newest["subject"]) == ("erasure.asked", asked["id"])
    assert newest["by"]["kind"] == "api_key"
    assert ADA not in str(newest)


def statuses(tenant: Tenant, event_id: str) -> list[str]:
    return [one["status"] for one in tenant.get(f"/v1/events/{event_id}")["deliveries"]]


@pytest.fixture(autouse=True)
def no_line_names_her(system: System) -> None:
    system.secrets.add(ADA)


def test_nothing_of_the_member_is_left_in_any_table_and_others_stay(
    system: System,
    tenant: Tenant,
    another_tenant: Tenant,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system.restart(MEMBER_INDEX="ids-and-emails")
    endpoint = receiver.endpoint(Answer(500, body=f"no points for {ADA}".encode()))
    tenant.webhook(endpoint.url, event_types=["custom.said"])
    for one in (tenant, another_tenant):
        one.post(about("hers"), {**about("bobs", BOB), "type": "custom.other"})
    system.route()
    system.dispatch_all()
    assert ADA in stored(tenant)

    found = work(system, tenant, ask(tenant), monkeypatch)

    assert (found["events_read"], found["events_erased"]) == (2, 1)
    assert (found["deliveries_read"], found["deliveries_found"]) == (1, 1)
    assert ADA not in stored(tenant)
    assert BOB in stored(tenant)
    assert ADA in stored(another_tenant)
    event = tenant.get("/v1/events/hers")
    assert (event["data"], event["type"], "erased_at" in event) == ({}, "custom.said", True)
    assert tenant.get("/v1/events", member=ADA)["data"] == []
    assert [one["id"] for one in tenant.get("/v1/events", member=BOB)["data"]] == ["bobs"]
    (delivery,) = [one for one in tenant.deliveries() if one["event_ids"] == ["hers"]]
    assert (delivery["status"], delivery["reason"]) == ("cancelled", "erased")
    # A repeat is the same event still, and it is sent no more.
    assert tenant.call("POST", "/v1/events", about("hers")).json["duplicate"] is True
    answer = tenant.call("POST", "/v1/deliveries/retry", {"ids": [delivery["id"]]})
    (again,) = answer.json["data"]
    assert (again["status"], again["detail"]) == (409, "Its events have been erased.")


def test_what_was_not_routed_yet_is_kept_without_data_and_sent_to_nobody(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    tenant.post(about("hers"), about("bobs", BOB))
    ask(tenant)
    tenant.post(about("later"))

    system.route()
    system.dispatch_all()

    check(tenant, {one: [webhook["id"]] for one in ("bobs", "later")}, endpoint.requests)
    assert sorted(one.event_ids[0] for one in endpoint.requests) == ["bobs", "later"]
    assert statuses(tenant, "hers") == ["erased"]
    assert tenant.get("/v1/events/hers")["data"] == {}
    assert tenant.get("/v1/events/later")["data"]["member"]["id"] == ADA


@pytest.mark.parametrize("lane", ["prompt", "slow"])
def test_what_waits_in_a_lane_is_cancelled(
    lane: str, system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)
    if lane == "slow":
        move(tenant, webhook)
    tenant.post(about("hers"))
    system.route()
    queue = {"prompt": "DeliveryQueue", "slow": "SlowDeliveryQueue"}[lane]
    assert len(system.bodies(queue)) == 1

    ask(tenant, email=f"{ADA}@MEMBER.example")
    assert system.poll(queue, "dispatcher").left == []

    assert endpoint.requests == []
    (delivery,) = tenant.deliveries()
    assert (delivery["status"], delivery["reason"]) == ("cancelled", "erased")
    assert tenant.waiting() == []


def move(tenant: Tenant, webhook: dict[str, Any]) -> None:
    """Into the slow lane, as the dispatcher does with a webhook that is strained."""
    item = WebhookItem(tenant.id, webhook_sk(webhook["id"]))
    item.update(actions=[WebhookItem.lane.set("slow")])


def test_what_waits_for_its_slot_is_cancelled_when_it_comes(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url, max_per_second=0.1)
    tenant.post(*(about(f"bob-{position}", BOB) for position in range(95)))
    tenant.post(about("hers"))
    system.route()
    (body,) = [one for one in system.bodies("PacingQueue") if ADA in one]
    ask(tenant)

    message = {name: value for name, value in json.loads(body).items() if name != "slot_at"}
    event = sqs_event(sqs_record(json.dumps(message)))
    assert dispatcher.app.handler(event, Context()) == {"batchItemFailures": []}

    assert endpoint.requests == []
    assert statuses(tenant, "hers") == ["cancelled"]


@pytest.mark.parametrize("is_done", [False, True])
def test_a_dead_letter_that_is_redriven_afterwards_sends_nothing_and_is_gone(
    is_done: bool,
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint = receiver.endpoint(500)
    tenant.webhook(endpoint.url)
    tenant.post(about("hers"))
    system.route()
    system.dispatch_all()
    (dead,) = system.bodies("DeadLetterQueue")
    asked = ask(tenant)
    if is_done:
        work(system, tenant, asked, monkeypatch)
        AccountItem(tenant.id, ACCOUNT_SK).update(actions=[AccountItem.erased.remove()])
    sent = len(endpoint.requests)

    system.sqs.send_message(QueueUrl=system.queue("DeliveryQueue"), MessageBody=dead)
    assert system.dispatch().left == []

    assert len(endpoint.requests) == sent
    assert statuses(tenant, "hers") == ["cancelled"]


def test_a_batch_arrives_without_the_erased_under_the_same_id(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = receiver.endpoint(500, 500, 200)
    tenant.webhook(endpoint.url, batch_size=10)
    tenant.post(about("hers"), about("bobs", BOB))
    system.route()
    system.dispatch().return_at_once()
    asked = ask(tenant)
    system.dispatch().return_at_once()
    work(system, tenant, asked, monkeypatch)
    system.dispatch()

    first, second, third = endpoint.requests
    assert first.event_ids == ("hers", "bobs")
    assert second.event_ids == third.event_ids == ("bobs",)
    assert len({one.webhook_id for one in endpoint.requests}) == 1
    assert (statuses(tenant, "hers"), statuses(tenant, "bobs")) == (["erased"], ["succeeded"])
    (delivery,) = tenant.deliveries()
    assert delivery["erased_event_ids"] == ["hers"]


def test_a_batch_that_has_arrived_without_the_erased_says_so_before_the_job_and_after(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url, batch_size=10)
    tenant.post(about("hers"), about("bobs", BOB))
    system.route()
    (body,) = system.bodies("DeliveryQueue")
    asked = ask(tenant)
    system.dispatch()
    before = statuses(tenant, "hers"), statuses(tenant, "bobs")
    work(system, tenant, asked, monkeypatch)

    assert before == (["erased"], ["succeeded"])
    assert (statuses(tenant, "hers"), statuses(tenant, "bobs")) == before
    system.sqs.send_message(QueueUrl=system.queue("DeliveryQueue"), MessageBody=body)
    assert system.dispatch().left == []
    assert [one.event_ids for one in endpoint.requests] == [("bobs",)]


def test_an_event_that_is_routed_twice_loses_its_data_and_its_answers(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once before the erasure and once after it, as SQS may bring it."""
    endpoint = receiver.endpoint(Answer(500, body=ADA.encode()))
    tenant.webhook(endpoint.url)
    tenant.post(about("hers"))
    (body,) = system.bodies("EventQueue")
    system.route()
    system.dispatch_all()
    assert tenant.get("/v1/events", member=ADA)["data"] != []
    asked = ask(tenant)
    system.sqs.send_message(QueueUrl=system.queue("EventQueue"), MessageBody=body)
    system.route()
    assert tenant.get("/v1/events/hers")["data"] == {}
    assert ADA in stored(tenant)

    work(system, tenant, asked, monkeypatch)

    assert ADA not in stored(tenant)
    assert tenant.get("/v1/events", member=ADA)["data"] == []
    system.sqs.send_message(QueueUrl=system.queue("EventQueue"), MessageBody=body)
    system.route()
    assert ADA not in stored(tenant)


def test_no_export_and_no_notice_has_anything_of_the_member(
    system: System,
    tenant: Tenant,
    operator_key: str,
    receiver: Receiver,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = Admin(system, tenant, operator_key)
    endpoint = receiver.endpoint(Answer(500, body=f"no points for {ADA}".encode()))
    tenant.webhook(endpoint.url)
    tenant.post(about("hers"))
    system.route()
    system.dispatch_all()
    browser.sign_in(tenant.key)

    work(system, tenant, ask(tenant), monkeypatch)

    for kind in ("csv", "json"):
        exported = browser.open(f"/console/log/export.{kind}").html
        assert "hers" in exported
        assert ADA not in exported
    mails = admin.mail()
    assert mails
    assert ADA not in str(mails)


def test_no_claim_has_anything_of_the_member_and_a_repeat_does_not_come_back(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url)
    asked = [about("hers")]
    with_key = {"Idempotency-Key": "key-1"}
    tenant.post(*asked)
    unnamed = {name: value for name, value in about("-").items() if name != "id"}
    first = tenant.call("POST", "/v1/events", unnamed, headers=with_key).json
    work(system, tenant, ask(tenant), monkeypatch)
    system.route()

    again = tenant.call("POST", "/v1/events", unnamed, headers=with_key).json
    own = tenant.call("POST", "/v1/events", {**unnamed, "id": first["id"]})
    repeated = tenant.call("POST", "/v1/events", about("hers")).json
    system.route()
    system.dispatch_all()

    assert (again["id"], again["duplicate"], repeated["duplicate"]) == (first["id"], True, True)
    assert own.status == 422
    assert endpoint.requests == []
    assert ADA not in stored(tenant)


def test_nothing_erased_is_replayed_or_retried_with_a_batch(
    system: System, tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = receiver.endpoint(500)
    webhook = tenant.webhook(endpoint.url, batch_size=10)
    tenant.post(about("hers"), about("bobs", BOB))
    system.route()
    system.dispatch_all()
    work(system, tenant, ask(tenant), monkeypatch)
    endpoint.answer(200)
    before = len(endpoint.requests)

    (delivery,) = tenant.deliveries()
    tenant.call("POST", "/v1/deliveries/retry", {"ids": [delivery["id"]]})
    since = to_rfc3339(now() - HOUR)
    tenant.call("POST", f"/v1/webhooks/{webhook['id']}/replay", {"since": since})
    system.poll("JobQueue", "jobs", most=1)
    system.dispatch_all()

    assert [one.event_ids for one in endpoint.requests[before:]] == [("bobs",)] * 2
    (job,) = tenant.get("/v1/jobs")["data"]
    assert (job["sent"], job["skipped"]) == (1, 1)


def test_a_worker_that_dies_and_a_message_that_comes_twice_lose_nothing(
    system: System, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.post(about("hers"))
    system.route()
    asked = ask(tenant)
    with monkeypatch.context() as patch:
        patch.setattr(EventItem, "update", _dies)
        with pytest.raises(AssertionError):
            work(system, tenant, asked, monkeypatch)
    assert tenant.get("/v1/events/hers")["data"] != {}

    work(system, tenant, asked, monkeypatch)

    assert ADA not in stored(tenant)
    assert work(system, tenant, asked, monkeypatch)["events_erased"] == 1


def _dies(*_: object, **__: object) -> None:
    raise MemoryError


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": ""}, "email"),
        ({"member_id": " "}, "member_id"),
        ({"email": "x" * 321}, "email"),
        ({"member": "m-1"}, "member"),
    ],
)
def test_a_request_that_names_nobody_is_refused(
    body: dict[str, str], field: str, tenant: Tenant
) -> None:
    answer = tenant.call("POST", "/v1/erasures", body)

    assert answer.status == 422
    assert field in [error["field"] for error in answer.json["errors"]]
    assert tenant.get("/v1/erasures")["data"] == []


def test_a_name_in_what_the_inbox_rejected_is_found_however_it_is_written(
    system: System, tenant: Tenant, operator_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Python's json writes it, in a string of JSON as on a bus, and in base64."""
    name = "J\u00fcrgen of the test"
    event = {**about("v-1", name), "type": "nothing", "account_id": tenant.id}
    in_base64 = base64.b64encode(json.dumps(event).encode()).decode()
    cloud = {"specversion": "1.0", "id": "v", "source": "/x", "type": "points.earned"}
    in_a_string = {"detail-type": "nothing", "source": "x", "detail": json.dumps(event)}
    url = system.queue("InboxQueue")
    sent = {
        system.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(one))["MessageId"]
        for one in (event, in_a_string, {**cloud, "accountid": tenant.id, "data_base64": in_base64})
    }
    while system.poll("InboxQueue", "ingest").messages:
        pass
    query = {"limit": "100"}
    found = system.call("GET", "/v1/rejected-events", key=operator_key, query=query).json["data"]
    listed = [one for one in found if one["message_id"] in sent]
    assert len(listed) == len(sent)

    work(system, tenant, ask(tenant, member_id=name), monkeypatch)

    for one in listed:
        path = f"/v1/rejected-events/{one['id']}"
        assert system.call("GET", path, key=operator_key).json.get("erased_at"), one
        system.call("DELETE", path, key=operator_key)


def test_what_the_inbox_rejected_loses_the_member_and_nobody_elses(
    system: System,
    tenant: Tenant,
    another_tenant: Tenant,
    operator_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that say no account too, or none that there is, and those that are no JSON."""
    own = {**about("v-1"), "type": "nothing", "account_id": tenant.id}
    theirs = {**own, "account_id": another_tenant.id}
    bobs = {**about("v-2", BOB), "type": "nothing", "account_id": tenant.id}
    nobodys = {**own, "account_id": "acct_0000000000000000"}
    texts = [json.dumps(one) for one in (own, theirs, bobs, nobodys)]
    texts += [str(own), f"{ADA}@MEMBER.example, 5", f"to {BOB}"]
    url = system.queue("InboxQueue")
    sent = [system.sqs.send_message(QueueUrl=url, MessageBody=text)["MessageId"] for text in texts]
    while system.poll("InboxQueue", "ingest").messages:
        pass

    asked = ask(tenant, member_id=ADA, email=f"{ADA}@member.example")
    work(system, tenant, asked, monkeypatch)

    found = {}
    listed = system.call("GET", "/v1/rejected-events", key=operator_key, query={"limit": "100"})
    for one in listed.json["data"]:
        whole = system.call("GET", f"/v1/rejected-events/{one['id']}", key=operator_key).json
        found[one["message_id"]] = whole
    kept = [found[message_id] for message_id in sent]
    gone = [bool(one.get("erased_at")) for one in kept]
    assert gone == [True, False, False, True, True, True, False]
    for one, text in zip(kept, texts, strict=True):
        assert (one["text"], one["problem"] == {}) == (
            ("", True) if one.get("erased_at") else (text, False)
        )
    mend = f"/v1/rejected-events/{kept[0]['id']}/send"
    assert system.call("POST", mend, key=operator_key).status == 422
    for one in kept:
        system.call("DELETE", f"/v1/rejected-events/{one['id']}", key=operator_key)
