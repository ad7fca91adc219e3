"""The console's page of one delivery, and what is shown of it to whom."""

import json
import shlex
from html import unescape
from typing import Any

import pytest

from tests.integration.browsing import Browser
from tests.integration.console.deliveries import (
    HOSTILE,
    LOG,
    deliver,
    hour_from_now,
    is_unbroken,
    rows,
)
from tests.integration.system import System, Tenant
from tests.receiver import Answer, Endpoint, Receiver


def test_a_delivery_tells_its_story_without_secrets(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    endpoint = receiver.endpoint(Answer(503, HOSTILE.encode()), 500)
    webhook = tenant.webhook(endpoint.url, name=HOSTILE, headers={"X-Shop": "shop-7-token"})
    (event_id,) = deliver(system, tenant)
    (failed,) = tenant.deliveries()

    page = browser.open(f"{LOG}/{failed['id']}")

    assert is_unbroken(page)
    assert "503 Service Unavailable" in page.text
    assert HOSTILE in page.text
    times = [attrs.get("datetime") for tag, attrs in page.elements if tag == "time"]
    assert {attempt["at"] for attempt in failed["attempts"]} <= set(times)
    sent = json.loads(endpoint.requests[-1].body)
    assert json.dumps(sent, indent=2) in unescape(page.html)
    assert webhook["secret"] not in page.html
    assert "shop-7-token" not in page.html
    assert "X-Shop hidden: it is a secret" in page.text
    assert "webhook-signature made anew when sending" in page.text
    assert f"<title>points.earned to {HOSTILE} " in unescape(page.html)
    assert f"webhook-id {failed['id']}" in page.text
    (command,) = [
        attrs["data-copy"]
        for _, attrs in page.elements
        if (attrs.get("data-copy") or "").startswith("curl")
    ]
    argv = shlex.split(command or "")
    assert {"X-Shop: …", "webhook-signature: …", f"webhook-id: {failed['id']}"} <= set(argv)
    assert json.loads(argv[-1]) == sent
    links = [attrs.get("href") for tag, attrs in page.elements if tag == "a"]
    assert f"/console/events/{event_id}" in links
    assert f"/console/webhooks/{webhook['id']}" in links


def test_a_failed_delivery_is_retried_from_its_page(
    mixed: dict[str, dict[str, Any]],
    system: System,
    endpoint: Endpoint,
    browser: Browser,
) -> None:
    path = f"{LOG}/{mixed['failed']['id']}"
    endpoint.answer(200)

    answered = browser.submit(browser.open(path).form(f"{path}/retry"))
    waiting = browser.open(answered.location)
    system.dispatch_all()
    done = browser.open(path)

    assert answered.status == 303
    assert "The delivery will be sent again now" in waiting.text
    assert "The next attempt is due" in waiting.text
    assert [form for form in waiting.forms if form.action == f"{path}/retry"] == []
    assert "Delivery succeeded" in done.text
    assert "4. 200 OK" in done.text
    assert "The next attempt is due" not in done.text


def test_a_refused_retry_says_why(
    mixed: dict[str, dict[str, Any]], tenant: Tenant, browser: Browser
) -> None:
    path = f"{LOG}/{mixed['failed']['id']}"
    form = browser.open(path).form(f"{path}/retry")
    webhook_id = mixed["failed"]["webhook_id"]
    assert tenant.call("POST", f"/v1/webhooks/{webhook_id}/disable").status == 200

    refused = browser.submit(form)

    assert refused.status == 409
    assert "Its webhook is disabled; enable it first." in refused.text
    assert [form for form in browser.open(path).forms if form.action == f"{path}/retry"] == []
    assert tenant.call("DELETE", f"/v1/webhooks/{webhook_id}").status == 204
    gone = browser.open(path)
    assert "Its webhook is deleted and gets nothing any more." in gone.text
    assert "nothing more is sent for it" in gone.text


def test_two_successes_of_one_delivery_are_two_successes(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    """SQS may deliver a message twice at once: the log then has an attempt of each."""
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(receiver.endpoint(500, 200).url)
    deliver(system, tenant)
    (delivery,) = tenant.deliveries()
    event_id = delivery["event_ids"][0]
    (item,) = [one for one in system.items("DeliveryTable") if event_id in str(one)]
    item["attempts"]["L"].append(item["attempts"]["L"][-1])
    system.stack.client("dynamodb").put_item(
        TableName=system.stack.resources["DeliveryTable"], Item=item
    )

    page = browser.open(f"{LOG}/{delivery['id']}")
    tenant.call("DELETE", f"/v1/webhooks/{webhook['id']}")
    without_webhook = browser.open(f"{LOG}/{delivery['id']}")

    for shown in (page, without_webhook):
        marks = [attrs.get("class") for tag, attrs in shown.elements if tag == "li"]
        assert [mark for mark in marks if mark in ("good", "bad")] == ["good", "good", "bad"]


def test_the_reason_of_a_delivery_is_told_in_words(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    tenant.webhook(receiver.endpoint(410).url)
    deliver(system, tenant)
    deliver(system, tenant)
    (paused,) = [one for one in tenant.deliveries() if one["attempts"] == []]

    page = browser.open(f"{LOG}/{paused['id']}")

    assert "The webhook was paused when it was this delivery's turn" in page.text
    assert "Nothing has been sent for it." in page.text


def test_pages_of_another_account_are_not_there(
    mixed: dict[str, dict[str, Any]],
    tenant: Tenant,
    another_tenant: Tenant,
    browser: Browser,
) -> None:
    webhook_id = mixed["failed"]["webhook_id"]
    job = tenant.call(
        "POST", f"/v1/webhooks/{webhook_id}/replay", {"since": "2026-01-01T00:00:00Z"}
    )
    paths = [f"{LOG}/{mixed['failed']['id']}", f"{LOG}/jobs/{job.json['id']}"]
    assert [browser.open(path).status for path in paths] == [200, 200]

    browser.sign_in(another_tenant.key)
    form = browser.open("/console/types/points.earned").forms[0]
    csrf = dict(form.fields)["csrf"]

    assert [browser.open(path).status for path in paths] == [404, 404]
    for path in (f"{LOG}/{mixed['failed']['id']}/retry", f"{LOG}/jobs/{job.json['id']}/cancel"):
        assert browser.post(path, {"csrf": csrf}).status in (404, 409)
    asked = {"csrf": csrf, "webhook_id": webhook_id, "since": hour_from_now(-1)}
    assert browser.open(browser.post(f"{LOG}/jobs/count", asked).location).status == 404
    assert browser.post(f"{LOG}/jobs", asked).status == 404
    assert tenant.get(f"/v1/deliveries/{mixed['failed']['id']}")["status"] == "failed"
    assert tenant.get(f"/v1/jobs/{job.json['id']}")["status"] == "queued"
    assert rows(browser.open(f"{LOG}?webhook_id={webhook_id}")) == []


def test_no_form_works_without_its_token(
    mixed: dict[str, dict[str, Any]], tenant: Tenant, browser: Browser
) -> None:
    failed = mixed["failed"]
    asked = {"webhook_id": failed["webhook_id"], "since": hour_from_now(-1), "ids": failed["id"]}
    places = (f"{LOG}/retry", f"{LOG}/{failed['id']}/retry", f"{LOG}/jobs", f"{LOG}/jobs/count")

    assert {browser.post(path, asked).status for path in places} == {403}
    assert tenant.get(f"/v1/deliveries/{failed['id']}")["status"] == "failed"


def test_a_failure_says_what_it_means_and_each_run_stands_apart(
    system: System, tenant: Tenant, endpoint: Endpoint, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    tenant.webhook(endpoint.url)
    endpoint.answer(401)
    deliver(system, tenant)
    (failed,) = tenant.deliveries()
    path = f"{LOG}/{failed['id']}"
    page = browser.open(path)
    assert page.text.count("Usually the secret or an Authorization header") == 1
    assert "/console/help#failure-401" in page.html
    assert "Sent again" not in page.text

    endpoint.answer(200)
    browser.submit(page.form(f"{path}/retry"))
    system.dispatch_all()

    text = browser.open(path).text
    again, first = text.index("Sent again 4. 200 OK"), text.index("Sent first 3. 401 Unauthorized")
    assert again < first
    assert tenant.deliveries()[0]["attempts"][-1]["run"] == 1


def test_a_signature_that_was_not_verified_leads_to_a_new_secret(
    system: System, tenant: Tenant, endpoint: Endpoint, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(endpoint.url)
    endpoint.answer(Answer(401, b'{"error": "Signature mismatch"}'))
    deliver(system, tenant)
    (failed,) = tenant.deliveries()

    page = browser.open(f"{LOG}/{failed['id']}")

    assert page.text.count("The receiver could not verify the signature") == 1
    assert "Usually the secret" not in page.text
    rotation = f"/console/webhooks/{webhook['id']}/rotate"
    assert ("a", {"href": rotation}) in page.elements
    assert browser.open(rotation).status == 200


@pytest.mark.parametrize("path", ["webhooks", "log", "events", "types", "help"])
def test_every_page_has_a_link_to_help(tenant: Tenant, browser: Browser, path: str) -> None:
    browser.sign_in(tenant.key)

    page = browser.open(f"/console/{path}")

    links = [str(attrs.get("href")) for tag, attrs in page.elements if tag == "a"]
    assert any(link.startswith("/console/help") for link in links)
    assert browser.open("/console/help").status == 200


def test_the_help_names_each_failure(operator: Browser) -> None:
    page = operator.open("/console/help")

    told = page.text.partition("401 Unauthorized")[2].partition("403 Forbidden")[0]
    places = [told.index(one) for one in ("very bytes", "the secret", "clock", "Send a test")]
    assert places == sorted(places)
    assert "Usually the secret" not in told
    assert "Verify in docs/receiving.md" in told
    assert "A redrive moves these back" in page.text
    assert 'id="failure-wrong-host"' in page.html
