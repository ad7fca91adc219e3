"""The console's log and jobs, as a browser without a script uses them."""

import csv
import io
import json
import shlex
from html import unescape
from typing import Any

import pytest

from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, now, to_rfc3339
from tests.integration.browsing import Browser, PageSeen
from tests.integration.system import System, Tenant, until
from tests.receiver import Answer, Endpoint, Receiver

LOG = "/console/log"
HOSTILE = "=cmd|' /C calc'!A1<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


COLUMNS = "AcceptedEventWebhook"


def hour_from_now(hours: float) -> str:
    """A moment as a date and time field holds it, in UTC."""
    return to_rfc3339(now() + int(hours * HOUR_SECONDS * MICROSECONDS))[:19]


def deliver(system: System, tenant: Tenant, count: int = 1) -> list[str]:
    """Post events and give each delivery all its attempts."""
    event_ids = tenant.post(*tenant.some_events(count))
    system.route()
    system.dispatch_all()
    return event_ids


def is_unbroken(page: PageSeen) -> bool:
    """Whether no text of a page has become one of its elements."""
    tags = [tag for tag, _ in page.elements]
    attributes = {name for _, attrs in page.elements for name in attrs}
    scripts = [attrs for tag, attrs in page.elements if tag == "script"]
    own = all((attrs.get("src") or "").startswith("/console/static/") for attrs in scripts)
    return own and tags.count("html") == 1 and not any(one.startswith("on") for one in attributes)


def rows(page: PageSeen) -> list[str]:
    """The ids of the deliveries that a page of the log shows."""
    links = [attrs.get("href") or "" for tag, attrs in page.elements if tag == "a"]
    return [link.rpartition("/")[2] for link in links if link.startswith(f"{LOG}/dlv_")]


def tab_counts(page: PageSeen) -> dict[str, str]:
    """What the tabs say is loaded; those that say nothing are not in it."""
    words = page.text.rpartition("Show all" if "Show all" in page.text else "Filter")[2].split()
    names = ("All", "Failed", "Retrying", "Succeeded", "Cancelled")
    said = {name: words[words.index(name) + 1] for name in names}
    return {name: count for name, count in said.items() if count.rstrip("+").isdecimal()}


@pytest.fixture
def endpoint(receiver: Receiver) -> Endpoint:
    return receiver.endpoint(500)


@pytest.fixture
def mixed(
    system: System, tenant: Tenant, endpoint: Endpoint, browser: Browser
) -> dict[str, dict[str, Any]]:
    """Two deliveries that failed, one that succeeded, one on its way; whoever looks is signed in.

    By the keys failed, other, succeeded, retrying.
    """
    browser.sign_in(tenant.key)
    tenant.webhook(endpoint.url)
    deliver(system, tenant, 2)
    endpoint.answer(200)
    deliver(system, tenant)
    endpoint.answer(500)
    tenant.post(tenant.an_event("tier.upgraded"))
    system.route()
    system.dispatch()
    failed, other = tenant.deliveries(status="failed")
    (succeeded,) = tenant.deliveries(status="succeeded")
    (retrying,) = tenant.deliveries(status="retrying")
    return {"failed": failed, "other": other, "succeeded": succeeded, "retrying": retrying}


def test_the_log_counts_each_tab_and_shows_one(
    mixed: dict[str, dict[str, Any]], browser: Browser
) -> None:
    everything = browser.open(LOG)
    failed = browser.open(f"{LOG}?status=failed")

    assert rows(everything) == [
        mixed["retrying"]["id"],
        mixed["succeeded"]["id"],
        mixed["failed"]["id"],
        mixed["other"]["id"],
    ]
    loaded = {"All": "4", "Failed": "2", "Retrying": "1", "Succeeded": "1", "Cancelled": "0"}
    assert tab_counts(everything) == loaded
    assert tab_counts(failed) == {"Failed": "2", "Retrying": "1"}
    assert rows(failed) == [mixed["failed"]["id"], mixed["other"]["id"]]
    assert "500 Internal Server Error" in failed.text
    assert "succeeded" not in failed.text.partition("Status")[2]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("event_type=tier.upgraded", ["retrying"]),
        ("event_type=points.earned&status=succeeded", ["succeeded"]),
        ("since={hour_ago}", ["retrying", "succeeded", "failed", "other"]),
        ("until={hour_ago}", []),
        ("since={hour_ahead}", []),
        ("since={hour_ago}Z", ["retrying", "succeeded", "failed", "other"]),
    ],
)
def test_filters_of_the_url_choose_rows_and_stay_in_the_form(
    query: str, expected: list[str], mixed: dict[str, dict[str, Any]], browser: Browser
) -> None:
    query = query.format(hour_ago=hour_from_now(-1), hour_ahead=hour_from_now(1))

    page = browser.open(f"{LOG}?{query}")

    assert rows(page) == [mixed[name]["id"] for name in expected]
    (form,) = [form for form in page.forms if form.action == LOG]
    for name, _, value in (part.partition("=") for part in query.split("&")):
        assert dict(form.fields)[name] == value.removesuffix("Z")


def test_the_log_of_one_webhook(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    wanted, other = (
        tenant.webhook(receiver.endpoint().url, name=name) for name in ("wanted", "other")
    )
    deliver(system, tenant, 2)

    page = browser.open(f"{LOG}?webhook_id={wanted['id']}")

    expected = [one["id"] for one in tenant.deliveries(webhook_id=wanted["id"])]
    assert len(expected) == 2
    assert rows(page) == expected
    selected = [attrs for tag, attrs in page.elements if tag == "option" and "selected" in attrs]
    assert [attrs["value"] for attrs in selected] == [wanted["id"]]
    assert tenant.call("DELETE", f"/v1/webhooks/{other['id']}").status == 204
    gone = browser.open(f"{LOG}?webhook_id={other['id']}")
    assert len(rows(gone)) == 2
    assert "deleted webhook" in gone.text


def test_a_wrong_filter_is_explained_beside_its_field(tenant: Tenant, browser: Browser) -> None:
    browser.sign_in(tenant.key)

    page = browser.open(f"{LOG}?since=yesterday&status=maybe&webhook_id=x")

    assert page.status == 422
    described = {attrs.get("id"): attrs for tag, attrs in page.elements if "aria-invalid" in attrs}
    assert {"f-since", "f-webhook_id"} <= described.keys()
    assert page.text.count("must be a date and a time") == 2
    assert page.text.count("is not a webhook's id") == 2
    assert "must be retrying, succeeded, failed or cancelled" in page.text
    assert browser.open(f"{LOG}?cursor=x").status == 422


def test_the_next_page_goes_on_behind_the_last_row(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    tenant.webhook(receiver.endpoint().url)
    deliver(system, tenant, 60)
    every = [one["id"] for one in tenant.deliveries(limit="100")]

    first = browser.open(f"{LOG}?status=succeeded&event_type=points.earned")
    (more,) = [
        attrs["href"]
        for tag, attrs in first.elements
        if tag == "a"
        and "cursor=" in (attrs.get("href") or "")
        and "export" not in (attrs["href"] or "")
    ]
    assert more is not None
    second = browser.open(more)

    assert len(every) == 60
    assert rows(first) + rows(second) == every
    assert (len(rows(first)), len(rows(second))) == (50, 10)
    assert "status=succeeded" in more
    assert "event_type=points.earned" in more


def test_few_that_failed_are_found_behind_many_that_did_not(
    system: System, tenant: Tenant, endpoint: Endpoint, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    tenant.webhook(endpoint.url)
    deliver(system, tenant, 1)
    (failed,) = tenant.deliveries()
    endpoint.answer(200)
    deliver(system, tenant, 55)

    page = browser.open(f"{LOG}?status=failed")

    assert rows(page) == [failed["id"]]
    assert tab_counts(page) == {"Failed": "1", "Retrying": "0"}
    everything = browser.open(LOG)
    assert failed["id"] not in rows(everything)
    assert tab_counts(everything)["All"] == "50+"
    assert tab_counts(everything)["Failed"] == "1"


def test_retry_selected_shows_an_answer_for_each_id(
    mixed: dict[str, dict[str, Any]],
    system: System,
    tenant: Tenant,
    another_tenant: Tenant,
    endpoint: Endpoint,
    browser: Browser,
) -> None:
    page = browser.open(f"{LOG}?status=failed&event_type=points.earned")
    boxes = [attrs for _, attrs in page.elements if attrs.get("name") == "ids"]
    assert [box["value"] for box in boxes] == [mixed["failed"]["id"], mixed["other"]["id"]]
    another_tenant.webhook(endpoint.url)
    deliver(system, another_tenant)
    (foreign,) = another_tenant.deliveries()
    endpoint.answer(200)
    ids = [mixed["failed"]["id"], mixed["succeeded"]["id"], mixed["retrying"]["id"], HOSTILE]

    answered = browser.submit(page.form(f"{LOG}/retry"), ids=[*ids, foreign["id"]])
    system.dispatch_all()

    assert answered.status == 200
    text = answered.text
    assert "1 of 5 will be sent again now" in text
    shown = [attrs for _, attrs in answered.elements if attrs.get("role") == "status"]
    assert [attrs["class"] for attrs in shown] == ["warned"]
    # What is refused comes first, by its reason; each row says what it is.
    places = [
        text.index(f"refused 1: The delivery is succeeded. {COLUMNS}"),
        text.index(f"refused 1: The delivery is retrying. {COLUMNS}"),
        text.index("refused 2: There is no such delivery."),
        text.index(f"sent again 1 {COLUMNS}"),
    ]
    assert places == sorted(places)
    assert "tier.upgraded orders" in text[places[1] : places[2]]
    assert "points.earned orders" in text[places[3] :]
    assert is_unbroken(answered)
    backs = [attrs.get("href") for tag, attrs in answered.elements if tag == "a"]
    assert backs.count(f"{LOG}?event_type=points.earned&status=failed") == 2
    assert tenant.get(f"/v1/deliveries/{mixed['failed']['id']}")["status"] == "succeeded"
    assert tenant.get(f"/v1/deliveries/{mixed['other']['id']}")["status"] == "failed"


def test_retry_of_none_says_so(mixed: dict[str, dict[str, Any]], browser: Browser) -> None:
    page = browser.open(f"{LOG}?status=failed")

    answered = browser.submit(page.form(f"{LOG}/retry"))

    assert answered.status == 422
    assert "Nothing is selected" in answered.text
    assert "Tick the deliveries that are to be sent again, 100 at most." in answered.text
    assert "ids" not in answered.text.split()
    assert "sent again now" not in answered.text


def test_only_what_may_be_retried_can_be_ticked(
    mixed: dict[str, dict[str, Any]], browser: Browser
) -> None:
    page = browser.open(LOG)

    boxes = [attrs["value"] for _, attrs in page.elements if attrs.get("name") == "ids"]
    assert boxes == [mixed["failed"]["id"], mixed["other"]["id"]]


@pytest.mark.parametrize("status", ["paused", "disabled", "deleted"])
def test_what_cannot_be_retried_says_why_instead_of_a_box(
    status: str, system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(receiver.endpoint(410 if status == "paused" else 500).url)
    deliver(system, tenant)
    if status == "disabled":
        tenant.call("POST", f"/v1/webhooks/{webhook['id']}/disable")
    if status == "deleted":
        tenant.call("DELETE", f"/v1/webhooks/{webhook['id']}")

    page = browser.open(LOG)

    assert len(rows(page)) == 1
    assert [attrs for _, attrs in page.elements if attrs.get("name") == "ids"] == []
    assert "Retry selected" not in page.text
    links = [attrs.get("href") for tag, attrs in page.elements if tag == "a"]
    if status == "deleted":
        assert "deleted webhook cannot be retried" in page.text
    else:
        assert f"orders {status} \N{EN DASH} enable it first" in page.text
        assert f"/console/webhooks/{webhook['id']}" in links


def test_the_exports_hold_the_rows_of_the_page(
    mixed: dict[str, dict[str, Any]], browser: Browser
) -> None:
    as_csv = browser.get(f"{LOG}/export.csv?status=failed")
    as_json = browser.get(f"{LOG}/export.json?status=failed")

    table = list(csv.DictReader(io.StringIO(as_csv.html, newline="")))
    expected = [mixed["failed"], mixed["other"]]
    assert [row["id"] for row in table] == [one["id"] for one in expected]
    assert {(row["status"], row["status_code"], row["attempts"]) for row in table} == {
        ("failed", "500", "3")
    }
    assert [row["event_ids"].split() for row in table] == [one["event_ids"] for one in expected]
    assert json.loads(as_json.html)["data"] == expected
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert as_csv.headers["content-disposition"] == 'attachment; filename="perkwire-log.csv"'
    assert as_json.headers["content-disposition"] == 'attachment; filename="perkwire-log.json"'
    links = [attrs.get("href") for tag, attrs in browser.open(f"{LOG}?status=failed").elements]
    assert f"{LOG}/export.csv?status=failed" in links


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_of_the_csv_is_a_formula(
    start: str, system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    name = f'{start}HYPERLINK("https://evil.example","a,b")'
    tenant.webhook(receiver.endpoint().url, name=name)
    deliver(system, tenant)

    (row,) = csv.DictReader(io.StringIO(browser.get(f"{LOG}/export.csv").html, newline=""))

    assert row["webhook"] == f"'{name}"
    assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values())


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
    assert browser.post(f"{LOG}/jobs/count", asked).status == 404
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


def run(system: System, tenant: Tenant, job_id: str) -> None:
    """Invoke the function for each turn until the job has ended."""

    def has_ended() -> bool:
        assert system.poll("JobQueue", "jobs", most=1).left == []
        return tenant.get(f"/v1/jobs/{job_id}")["status"] not in ("queued", "running")

    until(has_ended, "the job has ended", 30)


def new_job(browser: Browser, kind: str, **fields: str) -> PageSeen:
    """Fill in the form of a new job; what it answers."""
    page = browser.open(f"{LOG}/jobs/new?kind={kind}")
    return browser.submit(page.form(f"{LOG}/jobs/count"), **fields)


def test_all_that_failed_is_counted_then_sent_then_done(
    system: System, tenant: Tenant, endpoint: Endpoint, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(endpoint.url, name="orders <b>")
    deliver(system, tenant, 12)
    endpoint.answer(200)

    counted = new_job(browser, "retry-failed", webhook_id=webhook["id"], per_second="100")
    assert counted.status == 200
    assert "12 deliveries would be sent" in counted.text
    assert "orders <b>" in counted.text
    assert system.messages("JobQueue") == []
    started = browser.submit(counted.form(f"{LOG}/jobs"))
    assert started.status == 303
    waiting = browser.open(started.location)
    assert "queued" in waiting.text
    assert any(attrs.get("data-reload") for _, attrs in waiting.elements)
    run(system, tenant, started.location.partition("?")[0].rpartition("/")[2])
    done = browser.open(started.location.partition("?")[0])

    (bar,) = [attrs for tag, attrs in done.elements if tag == "progress"]
    assert (bar["value"], bar["max"]) == ("12", "12")
    assert "Sent 12 Skipped 0 In all 12" in done.text
    assert not any(attrs.get("data-reload") for _, attrs in done.elements)
    assert [form for form in done.forms if form.action.endswith("/cancel")] == []
    system.dispatch_all()
    assert len(tenant.deliveries(status="succeeded")) == 12
    again = new_job(browser, "retry-failed", webhook_id=webhook["id"])
    assert "Nothing would be sent" in again.text
    assert [form for form in again.forms if form.action == f"{LOG}/jobs"] == []


def test_a_replay_of_some_types_is_watched_and_cancelled(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    tenant.post(*tenant.some_events(5), tenant.an_event("tier.upgraded"))
    system.route()
    webhook = tenant.webhook(receiver.endpoint().url)

    counted = new_job(
        browser,
        "replay",
        webhook_id=webhook["id"],
        per_second="2",
        event_types="points.earned\r\n",
    )
    assert "5 events would be sent" in counted.text
    started = browser.submit(counted.form(f"{LOG}/jobs"))
    path = started.location.partition("?")[0]
    second = browser.submit(counted.form(f"{LOG}/jobs"))
    assert system.poll("JobQueue", "jobs", most=1).left == []
    running = browser.open(path)
    cancelled = browser.open(browser.submit(running.form(f"{path}/cancel")).location)
    late = browser.submit(running.form(f"{path}/cancel"))

    assert second.status == 409
    assert path in [attrs.get("href") for tag, attrs in second.elements if tag == "a"]
    (bar,) = [attrs for tag, attrs in running.elements if tag == "progress"]
    assert (bar["value"], bar["max"]) == ("2", "5")
    assert "running" in running.text
    assert "points.earned" in running.text
    assert "The job is cancelled. What was sent stays sent." in cancelled.text
    assert late.status == 409
    assert "The job is cancelled." in late.text


def test_a_job_is_of_the_very_time_that_was_counted(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(receiver.endpoint().url)
    deliver(system, tenant)
    counted = new_job(browser, "replay", webhook_id=webhook["id"])
    form = counted.form(f"{LOG}/jobs")

    started = browser.submit(form)

    job = tenant.get(f"/v1/jobs/{started.location.partition('?')[0].rpartition('/')[2]}")
    assert (job["since"], job["until"]) == (dict(form.fields)["since"], dict(form.fields)["until"])


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"webhook_id": ""}, "must be chosen"),
        ({"since": "yesterday"}, "must be a date and a time"),
        ({"until": hour_from_now(2)}, "must not be in the future"),
        ({"per_second": "0"}, "must be"),
        ({"per_second": HOSTILE}, "must be"),
        ({"event_types": "Nonsense"}, "must be a dotted name"),
    ],
)
def test_a_wrong_job_is_explained_and_nothing_typed_is_lost(
    fields: dict[str, str], detail: str, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(receiver.endpoint().url)
    asked = {
        "webhook_id": webhook["id"],
        "since": hour_from_now(-2),
        "event_types": "tier.upgraded",
    }

    page = new_job(browser, "replay", **{**asked, **fields})

    assert page.status == 422
    assert is_unbroken(page)
    (name,) = fields
    wrong = [attrs for _, attrs in page.elements if attrs.get("id") == f"f-{name}-wrong"]
    assert len(wrong) == 1
    assert page.text.count(detail) >= 2
    kept = dict(page.form(f"{LOG}/jobs/count").fields)
    assert kept["since"] == {**asked, **fields}["since"]
    assert kept["event_types"] == {**asked, **fields}["event_types"]


def test_a_job_of_a_webhook_that_is_off_is_counted_and_not_started(
    system: System, tenant: Tenant, endpoint: Endpoint, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(endpoint.url)
    deliver(system, tenant, 2)
    counted = new_job(browser, "retry-failed", webhook_id=webhook["id"])
    assert tenant.call("POST", f"/v1/webhooks/{webhook['id']}/disable").status == 200

    page = new_job(browser, "retry-failed", webhook_id=webhook["id"])

    assert page.status == 200
    assert "2 deliveries would be sent" in page.text
    assert "The webhook is disabled; enable it first." in page.text
    assert ("a", f"/console/webhooks/{webhook['id']}") in [
        (tag, attrs.get("href")) for tag, attrs in page.elements
    ]
    assert [form for form in page.forms if form.action == f"{LOG}/jobs"] == []
    assert "enable it first" not in counted.text


def test_an_empty_log_says_what_to_do(tenant: Tenant, browser: Browser) -> None:
    """Without a webhook, to make one; with one, to send an event that will show there."""
    browser.sign_in(tenant.key)

    page = browser.open(LOG)
    replay = browser.open(f"{LOG}/jobs/new?kind=replay")

    for one in (page, replay):
        links = [attrs.get("href") for tag, attrs in one.elements if tag == "a"]
        assert "/console/webhooks/new" in links

    tenant.webhook("https://shop.example/hook")
    links = [attrs.get("href") for tag, attrs in browser.open(LOG).elements if tag == "a"]
    assert "/console/log/sample" in links


def test_what_is_wrong_with_a_filter_is_said_by_its_label_and_leads_to_a_field_that_is_there(
    tenant: Tenant, browser: Browser
) -> None:
    browser.sign_in(tenant.key)

    page = browser.open(f"{LOG}?since=yesterday&status=nothing&webhook_id=x")

    assert page.status == 422
    assert "Accepted from must be a date and a time" in page.text
    assert "Webhook is not a webhook's id" in page.text
    assert "since must" not in page.text
    targets = [attrs.get("href") or "" for tag, attrs in page.elements if tag == "a"]
    ids = {attrs.get("id") for _, attrs in page.elements}
    assert {one[1:] for one in targets if one.startswith("#")} <= ids
