"""The console's jobs: counted, started, watched and cancelled."""

import pytest

from tests.integration.browsing import Browser, PageSeen
from tests.integration.console.deliveries import HOSTILE, LOG, deliver, hour_from_now, is_unbroken
from tests.integration.system import System, Tenant, until
from tests.receiver import Endpoint, Receiver


def run(system: System, tenant: Tenant, job_id: str) -> None:
    """Invoke the function for each turn until the job has ended."""

    def has_ended() -> bool:
        assert system.poll("JobQueue", "jobs", most=1).left == []
        return tenant.get(f"/v1/jobs/{job_id}")["status"] not in ("queued", "running")

    until(has_ended, "the job has ended", 30)


def new_job(browser: Browser, kind: str, **fields: str) -> PageSeen:
    """Fill in the form of a new job; what it answers."""
    page = browser.open(f"{LOG}/jobs/new?kind={kind}")
    return counted(browser, page, **fields)


def counted(browser: Browser, page: PageSeen, **fields: str) -> PageSeen:
    """What a form that asks for a count leads to."""
    answer = browser.submit(page.form(f"{LOG}/jobs/count"), **fields)
    assert answer.status == 303
    return browser.open(answer.location)


def test_all_that_failed_is_counted_then_sent_then_done(
    system: System, tenant: Tenant, endpoint: Endpoint, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(endpoint.url, name="orders <b>")
    deliver(system, tenant, 12)
    endpoint.answer(200)

    count = new_job(browser, "retry-failed", webhook_id=webhook["id"], per_second="100")
    assert count.status == 200
    assert "12 deliveries would be sent" in count.text
    assert "orders <b>" in count.text
    assert system.messages("JobQueue") == []
    started = browser.submit(count.form(f"{LOG}/jobs"))
    assert started.status == 303
    waiting = browser.open(started.location)
    assert "queued" in waiting.text
    assert any(attrs.get("data-reload") for _, attrs in waiting.elements)
    run(system, tenant, started.location.partition("?")[0].rpartition("/")[2])
    done = browser.open(started.location.partition("?")[0])

    (bar,) = [attrs for tag, attrs in done.elements if tag == "progress"]
    assert (bar["value"], bar["max"]) == ("12", "12")
    assert "Sent 12 Skipped 0 In all 12" in done.text
    assert [form for form in done.forms if form.action.endswith("/cancel")] == []
    assert "0 delivered, 0 failed again, 12 still being tried" in done.text
    assert "badge warn" in done.html
    system.dispatch_all()
    ended = browser.open(started.location.partition("?")[0])
    assert "12 delivered, 0 failed again, 0 still being tried" in ended.text
    assert "badge good" in ended.html
    assert len(tenant.deliveries(status="succeeded")) == 12
    again = new_job(browser, "retry-failed", webhook_id=webhook["id"])
    assert "Nothing would be sent" in again.text
    assert [form for form in again.forms if form.action == f"{LOG}/jobs"] == []


def test_a_job_of_a_webhook_with_a_pace_says_so_beside_its_rate(
    tenant: Tenant, endpoint: Endpoint, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(endpoint.url, max_per_second=2)
    asked = {"since": "2026-01-01T00:00:00Z", "per_second": 100}
    job = tenant.call("POST", f"/v1/webhooks/{webhook['id']}/replay", asked).json

    text = browser.open(f"{LOG}/jobs/{job['id']}").text

    rate = text.partition("100 a second")[2].lstrip()
    assert rate.startswith("The webhook has a pace, by which they go out: At most 2 deliveries a")


def test_what_a_disabled_webhook_did_not_get_is_found_counted_and_sent(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(receiver.endpoint().url)
    path = f"/v1/webhooks/{webhook['id']}"
    tenant.post(*tenant.some_events(2))
    system.route()
    tenant.call("POST", f"{path}/disable")
    system.dispatch_all()
    tenant.call("POST", f"{path}/enable")
    assert len(tenant.deliveries(status="cancelled")) == 2

    none = new_job(browser, "retry-failed", webhook_id=webhook["id"])
    assert "Nothing would be sent" in none.text
    both = counted(browser, none)
    assert "2 deliveries would be sent" in both.text
    started = browser.submit(both.form(f"{LOG}/jobs"))
    path = started.location.partition("?")[0]
    run(system, tenant, path.rpartition("/")[2])
    system.dispatch_all()

    assert "Cancelled ones sent too" in browser.open(path).text
    assert len(tenant.deliveries(status="succeeded")) == 2
    assert "2 succeeded" in browser.open("/console/webhooks").text


def test_the_chart_counts_what_was_cancelled(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(receiver.endpoint().url)
    tenant.post(tenant.an_event())
    system.route()
    tenant.call("POST", f"/v1/webhooks/{webhook['id']}/disable")
    system.dispatch_all()

    assert "0 succeeded, 0 failed, 1 cancelled" in browser.open("/console/webhooks").text


def test_a_replay_of_some_types_is_watched_and_cancelled(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    tenant.post(*tenant.some_events(5), tenant.an_event("tier.upgraded"))
    system.route()
    webhook = tenant.webhook(receiver.endpoint().url)

    count = new_job(
        browser,
        "replay",
        webhook_id=webhook["id"],
        per_second="2",
        event_types="points.earned\r\n",
    )
    assert "5 events would be sent" in count.text
    started = browser.submit(count.form(f"{LOG}/jobs"))
    path = started.location.partition("?")[0]
    second = browser.submit(count.form(f"{LOG}/jobs"))
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
    count = new_job(browser, "replay", webhook_id=webhook["id"])
    form = count.form(f"{LOG}/jobs")

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
    count = new_job(browser, "retry-failed", webhook_id=webhook["id"])
    assert tenant.call("POST", f"/v1/webhooks/{webhook['id']}/disable").status == 200

    page = new_job(browser, "retry-failed", webhook_id=webhook["id"])

    assert page.status == 200
    assert "2 deliveries would be sent" in page.text
    assert "The webhook is disabled; enable it first." in page.text
    assert ("a", f"/console/webhooks/{webhook['id']}") in [
        (tag, attrs.get("href")) for tag, attrs in page.elements
    ]
    assert [form for form in page.forms if form.action == f"{LOG}/jobs"] == []
    assert "enable it first" not in count.text


def test_a_job_whose_deliveries_fail_again_is_not_green_and_is_found_again(
    system: System, tenant: Tenant, endpoint: Endpoint, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(endpoint.url)
    deliver(system, tenant, 2)
    started = browser.submit(
        new_job(browser, "retry-failed", webhook_id=webhook["id"]).form(f"{LOG}/jobs")
    )
    path = started.location.partition("?")[0]
    run(system, tenant, path.rpartition("/")[2])
    system.dispatch_all()

    page = browser.open(path)
    assert "0 delivered, 2 failed again, 0 still being tried" in page.text
    assert "badge bad" in page.html
    assert "badge good" not in page.html
    listed = browser.open(f"{LOG}/jobs")
    assert path in listed.html
    assert f"{LOG}/jobs" in [attrs.get("href") for _, attrs in browser.open(LOG).elements]


def test_a_replay_counts_the_events_that_it_has_brought(
    system: System, tenant: Tenant, endpoint: Endpoint, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(endpoint.url, batch_size=2)
    deliver(system, tenant, 3)
    endpoint.answer(200)
    count = new_job(browser, "replay", webhook_id=webhook["id"])
    path = browser.submit(count.form(f"{LOG}/jobs")).location.partition("?")[0]
    run(system, tenant, path.rpartition("/")[2])

    assert "0 delivered, 0 failed, 3 still being tried" in browser.open(path).text
    system.dispatch_all()
    assert "3 delivered, 0 failed, 0 still being tried" in browser.open(path).text


def test_several_webhooks_are_counted_chosen_and_sent_again_at_once(
    system: System, tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    ends = [receiver.endpoint(500) for _ in range(3)]
    first, second, off = (
        tenant.webhook(one.url, name=name)
        for one, name in zip(ends, ("first", "second", "off"), strict=True)
    )
    deliver(system, tenant)
    tenant.call("POST", f"/v1/webhooks/{off['id']}/disable")

    count = new_job(browser, "retry-failed", webhook_id="every", since="2020-01-01T00:00:00")

    assert "3 deliveries would be sent" in count.text
    assert "off disabled \N{EN DASH} enable it first" in count.text
    assert "as was asked" in count.text
    form = count.form(f"{LOG}/jobs/several")
    ticked = [value for name, value in form.fields if name == "webhook_ids"]
    assert ticked == [first["id"], second["id"]]
    started = browser.post(form.action, [*form.fields, ("webhook_ids", off["id"])])
    listed = browser.open(started.location)
    assert "The jobs are started." in listed.text
    assert "No job was started for off" in listed.text
    assert {one["webhook_id"] for one in tenant.get("/v1/jobs")["data"]} == {*ticked}
    nothing = browser.submit(form, webhook_ids=[])
    assert "No webhook was ticked" in browser.open(nothing.location).text


def test_a_beginning_of_which_nothing_is_kept_is_said_to_be_moved(
    tenant: Tenant, receiver: Receiver, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(receiver.endpoint().url)

    moved = new_job(
        browser, "replay", webhook_id=webhook["id"], since="2020-01-01T00:00:00", event_type=""
    )
    kept = new_job(browser, "replay", webhook_id=webhook["id"], since=hour_from_now(-0.5))

    assert "and not on 1 Jan 2020, 00:00:00 UTC as was asked" in moved.text
    assert "as was asked" not in kept.text
