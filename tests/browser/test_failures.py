"""A failure is watched, found, understood and sent again: some by hand, or all by a job."""

import csv
import io
import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.scene import POINTS_EARNED
from tests.e2e.system import MAX_ATTEMPTS, Account, until
from tests.receiver import Answer, Endpoint, Receiver

pytestmark = pytest.mark.timeout(400)

_DOWN = Answer(500, b"database is locked")


@pytest.fixture
def endpoint(receiver: Receiver) -> Endpoint:
    return receiver.endpoint(_DOWN)


@pytest.fixture
def failed(account: Account, endpoint: Endpoint) -> Account:
    """An account of which three deliveries have used up their attempts."""
    account.webhook(endpoint.url, name="Till")
    account.post(POINTS_EARNED, POINTS_EARNED, POINTS_EARNED)
    until(lambda: account.statuses() == ["failed"] * 3, "three deliveries have failed")
    return account


def test_the_page_of_a_webhook_tells_what_its_columns_say(failed: Account, person: Person) -> None:
    person.sign_in_by_link(failed)
    person.click("link", "Till", within=person.find("region", "Notice"))
    readout = person.page.locator("[data-readout]")
    expect(readout).to_have_text("Point at a column to see its numbers.")

    person.page.locator("figure").first.locator("g").last.hover()
    expect(readout).to_contain_text("Deliveries: 3 failed")
    assert person.barriers() == []
    person.click("link", "7 days")
    expect(person.find("heading", "Last 7 days")).to_be_visible()
    person.press_summary("The same as a table")
    expect(person.row("3 failed")).to_have_count(1)
    assert person.barriers() == []


def test_a_failure_is_found_in_the_log_understood_and_retried_with_a_result_for_each_row(
    failed: Account, endpoint: Endpoint, person: Person
) -> None:
    person.sign_in_by_link(failed)
    person.goes_to("Log")
    person.click("link", "Failed 3")
    expect(person.row("points.earned")).to_have_count(3)

    # One of them, with its story.
    person.click("link", re.compile(r"\d{2}:\d{2}:\d{2}"), within=person.row("points.earned").last)
    person.is_at("Delivery failed")
    attempts = person.page.get_by_role("listitem").filter(has_text="500 Internal Server Error")
    expect(attempts).to_have_count(MAX_ATTEMPTS)
    expect(attempts.first).to_contain_text("database is locked")
    expect(person.find("region", "Body of the request")).to_contain_text('"id": "m-1"')
    person.page.go_back()

    # Two of them again, once the endpoint is well.
    endpoint.answer(200)
    expect(person.find("button", "Retry selected")).to_be_disabled()
    person.tick("checkbox", "Select all on this page")
    expect(person.find("button", "Retry selected")).to_be_enabled()
    person.untick("checkbox", re.compile("^Select points.earned to Till"))
    person.click("button", "Retry selected")
    person.is_told("2 of 2 will be sent again now")
    expect(person.row("Till").filter(has_text="points.earned")).to_have_count(2)
    assert person.barriers() == []
    person.click("link", "Back to the log")

    person.reads_again_until(re.compile("^Failed 1$"))
    expect(person.row("points.earned")).to_have_count(1)
    person.click("link", re.compile("^Succeeded"))
    person.reads_again_until(re.compile("^Succeeded 2$"))
    expect(person.row("200 OK")).to_have_count(2)


def test_the_log_follows_what_is_being_retried_and_disturbs_nobody(
    failed: Account, endpoint: Endpoint, person: Person
) -> None:
    person.sign_in(failed.key, "/console/log")
    person.tick("checkbox", "Select all on this page")
    person.untick("checkbox", re.compile("^Select points.earned to Till"))
    person.click("button", "Retry selected")
    person.click("link", "Back to the log")
    left = person.find("checkbox", re.compile("^Select points.earned to Till"))
    expect(person.row("retrying")).to_have_count(2)
    left.check()
    left.focus()
    endpoint.answer(200)

    # Nobody loads it again.
    expect(person.row("200 OK")).to_have_count(2)
    expect(left).to_be_checked()
    expect(left).to_be_focused()
    expect(person.find("button", "Retry selected")).to_be_enabled()
    # And it comes to rest.
    expect(person.page.locator("[data-reload]")).to_have_count(0)
    assert person.barriers() == []


def test_one_delivery_is_retried_from_its_page(
    failed: Account, endpoint: Endpoint, person: Person
) -> None:
    delivery_id = failed.get("/v1/deliveries")["data"][0]["id"]
    endpoint.answer(200)
    person.sign_in(failed.key, f"/console/log/{delivery_id}")

    person.click("button", "Retry")

    person.is_told("The delivery will be sent again now.")
    # The page follows it by itself.
    person.sees(f"{MAX_ATTEMPTS + 1}. 200 OK")
    person.is_at("Delivery succeeded")
    expect(person.find("button", "Retry")).to_have_count(0)


def test_what_has_arrived_is_sent_again_and_to_another_webhook(
    account: Account, receiver: Receiver, person: Person
) -> None:
    till, ledger = receiver.endpoint(), receiver.endpoint()
    account.webhook(till.url, name="Till")
    account.post(POINTS_EARNED)
    until(lambda: account.statuses() == ["succeeded"], "the delivery has arrived")
    account.webhook(ledger.url, name="Ledger")
    delivery_id = account.get("/v1/deliveries")["data"][0]["id"]
    person.sign_in(account.key, f"/console/log/{delivery_id}")

    person.click("button", "Send it again to Till")
    person.is_told("The delivery will be sent again now.")
    assert person.barriers() == []
    first, again = till.wait_for(2)
    assert (again.webhook_id, again.body) == (first.webhook_id, first.body)

    person.choose("Webhook", "Ledger")
    person.click("button", "Send it to this webhook")
    person.is_at(re.compile("^Delivery"))
    (sent_on,) = ledger.wait_for(1)
    assert sent_on.event_ids == first.event_ids
    assert sent_on.webhook_id != first.webhook_id


def test_all_that_failed_is_counted_first_then_sent_with_progress(
    failed: Account, endpoint: Endpoint, person: Person
) -> None:
    endpoint.answer(200)
    person.sign_in_by_link(failed)
    person.goes_to("Log")
    person.click("link", "Retry all that failed")
    # The only webhook with failures is chosen already.
    person.click("button", "Count first")
    person.sees("3 deliveries would be sent")
    assert person.barriers() == []
    assert len(endpoint.requests) == 3 * MAX_ATTEMPTS
    person.click("button", "Send them now")

    # The page follows the job by itself.
    person.is_told("The job is started.")
    expect(person.find("heading", "done")).to_be_visible()
    expect(person.page.get_by_role("progressbar", name="Progress")).to_have_attribute("value", "3")
    until(lambda: failed.statuses() == ["succeeded"] * 3, "all three have succeeded")


def test_events_are_replayed_to_another_webhook_and_a_running_job_is_cancelled(
    failed: Account, receiver: Receiver, person: Person
) -> None:
    filled = receiver.endpoint()
    failed.webhook(filled.url, name="Data lake")
    person.sign_in_by_link(failed)
    person.goes_to("Log")
    person.click("link", "Replay events")
    person.choose("Webhook", "Data lake")
    person.fill("Deliveries per second", "1")
    person.click("button", "Count first")
    person.sees("3 events would be sent")

    person.click("button", "Send them now")
    person.press_summary("Cancel the job")
    person.click("button", "Cancel the job")

    person.is_told("The job is cancelled.")
    expect(person.find("heading", "cancelled")).to_be_visible()
    assert len(filled.requests) < 3

    person.open("/console/log/jobs/new?kind=replay")
    person.choose("Webhook", "Data lake")
    person.click("button", "Count first")
    person.click("button", "Send them now")
    expect(person.find("heading", "done")).to_be_visible()
    filled.wait_for(3)


def test_what_the_log_shows_is_taken_along_as_csv_and_json(failed: Account, person: Person) -> None:
    ids = {one["id"] for one in failed.get("/v1/deliveries")["data"]}
    person.sign_in(failed.key, "/console/log?status=failed")

    table = csv.DictReader(io.StringIO(person.downloads("CSV")))
    document = json.loads(person.downloads("JSON"))

    assert {(row["id"], row["status"], row["status_code"]) for row in table} == {
        (one, "failed", "500") for one in ids
    }
    assert {one["id"] for one in document["data"]} == ids


def test_a_filter_finds_one_webhooks_deliveries_of_a_time(
    failed: Account, receiver: Receiver, person: Person
) -> None:
    failed.webhook(receiver.endpoint().url, name="Data lake")
    failed.post(POINTS_EARNED)
    until(lambda: "succeeded" in failed.statuses(), "the other webhook has got it")
    person.sign_in(failed.key, "/console/log")

    person.choose("Webhook", "Data lake")
    person.fill("Accepted from", "2020-01-01T00:00:00")
    person.click("button", "Filter")
    expect(person.row("Data lake")).to_have_count(1)
    expect(person.row("Till")).to_have_count(0)
    expect(person.field("Accepted from")).to_have_value(re.compile("^2020-01-01T00:00"))

    person.fill("Accepted before", "2020-01-02T00:00:00")
    person.click("button", "Filter")
    person.sees("No delivery is like that")
    person.click("link", "Show the whole log")
    expect(person.row("Till").first).to_be_visible()


def test_the_hour_that_comes_twice_moves_no_filter(account: Account, person: Person) -> None:
    """In the person's zone 1:30 comes twice on that day; the second one is 6:30 UTC."""
    person.sign_in(account.key, "/console/log?since=2026-11-01T06:30:00Z")
    expect(person.field("Accepted from")).to_have_value("2026-11-01T01:30")

    person.click("button", "Filter")

    person.page.wait_for_url(re.compile("since=2026-11-01T06%3A30%3A00"))
    expect(person.field("Accepted from")).to_have_value("2026-11-01T01:30")
