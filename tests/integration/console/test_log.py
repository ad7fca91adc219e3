"""The console's log: its tabs, filters, pages and exports."""

import csv
import io
import json
from typing import Any

import pytest

from console.views import exports
from tests.integration.browsing import Browser, PageSeen
from tests.integration.console.deliveries import LOG, deliver, hour_from_now, rows
from tests.integration.system import System, Tenant
from tests.receiver import Endpoint, Receiver


def tab_counts(page: PageSeen) -> dict[str, str]:
    """What the tabs say is loaded; those that say nothing are not in it."""
    words = page.text.rpartition("Show all" if "Show all" in page.text else "Filter")[2].split()
    names = ("All", "Failed", "Retrying", "Succeeded", "Cancelled")
    said = {name: words[words.index(name) + 1] for name in names}
    return {name: count for name, count in said.items() if count.rstrip("+").isdecimal()}


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
    assert page.text.count("is not one of this account") == 2
    assert "must be retrying, succeeded, failed, cancelled, waiting or pulled" in page.text
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
    assert tab_counts(everything) == {"Failed": "1", "Retrying": "0"}


def test_every_page_has_one_figure_of_what_failed_and_none_that_is_not_known(
    system: System, tenant: Tenant, endpoint: Endpoint, browser: Browser
) -> None:
    browser.sign_in(tenant.key)
    webhook = tenant.webhook(endpoint.url)
    deliver(system, tenant, 55)
    endpoint.answer(200)
    deliver(system, tenant, 1)

    listed = browser.open("/console/webhooks")
    everything = browser.open(LOG)
    failed = browser.open(f"{LOG}?status=failed")

    assert "55 failed; drawn are the last 50 deliveries" in listed.text
    assert "55 failed" in browser.open(f"/console/webhooks/{webhook['id']}").text
    assert f"In the last 24 hours 55 deliveries to {webhook['name']} failed." in listed.text
    for page in (everything, failed):
        assert "In the last 24 hours 55 deliveries failed." in page.text
        assert tab_counts(page) == {"Failed": "55", "Retrying": "0"}


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


def test_the_exports_hold_all_that_fits_or_say_that_they_do_not(
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser.sign_in(tenant.key)
    tenant.webhook(receiver.endpoint().url)
    deliver(system, tenant, 60)

    whole = browser.get(f"{LOG}/export.csv")
    assert len(list(csv.DictReader(io.StringIO(whole.html, newline="")))) == 60
    assert json.loads(browser.get(f"{LOG}/export.json").html)["complete"] is True
    monkeypatch.setattr(exports, "MOST_EXPORTED", 55)
    cut = browser.get(f"{LOG}/export.json")

    assert cut.headers["content-disposition"].endswith('"perkwire-log-newest-55.json"')
    assert (len(json.loads(cut.html)["data"]), json.loads(cut.html)["complete"]) == (55, False)


def test_event_types_are_suggested(tenant: Tenant, browser: Browser) -> None:
    browser.sign_in(tenant.key)
    tenant.webhook("https://shop.example/hook")

    for path in (LOG, "/console/events", f"{LOG}/jobs/new?kind=replay"):
        page = browser.open(path)
        options = [attrs.get("value") for tag, attrs in page.elements if tag == "option"]
        assert "points.earned" in options, path
        assert any(attrs.get("list") == "event-types" for _, attrs in page.elements), path


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
    assert "Webhook is not one of this account" in page.text
    assert "since must" not in page.text
    targets = [attrs.get("href") or "" for tag, attrs in page.elements if tag == "a"]
    ids = {attrs.get("id") for _, attrs in page.elements}
    assert {one[1:] for one in targets if one.startswith("#")} <= ids
