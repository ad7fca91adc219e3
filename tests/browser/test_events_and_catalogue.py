"""Events and the catalogue: what came in, what became of it, what each receiver is told."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.scene import POINTS_EARNED
from tests.e2e.system import Account, until
from tests.receiver import Receiver

pytestmark = pytest.mark.timeout(400)


def test_an_event_is_found_by_its_id_and_by_its_type_with_what_became_of_it(
    account: Account, receiver: Receiver, person: Person
) -> None:
    account.webhook(receiver.endpoint().url, name="Till")
    account.webhook(receiver.endpoint(500).url, name="Data lake")
    (event_id,) = account.post({**POINTS_EARNED, "id": "order-7"})
    account.post({"type": "custom.stamp_collected", "data": {}})
    until(
        lambda: sorted(account.statuses()) == ["failed"] * 2 + ["succeeded"] * 2,
        "delivered here, failed there",
    )
    person.sign_in_by_link(account)

    person.goes_to("Events")
    person.fill("Event type", "points.earned")
    person.click("button", "Filter")
    expect(person.row("order-7")).to_have_count(1)
    expect(person.row("custom.stamp_collected")).to_have_count(0)

    person.fill("Event, delivery or member", "order-8")
    person.click("button", "Find")
    person.sees("is no event, delivery or member")
    person.fill("Event, delivery or member", event_id)
    person.click("button", "Find")
    person.is_at("points.earned")
    expect(person.row("Till")).to_contain_text("succeeded")
    expect(person.row("Data lake")).to_contain_text("failed")
    person.click("link", re.compile("^dlv_"), within=person.row("Data lake"))
    person.is_at("Delivery failed")


def test_the_catalogue_is_searched_and_a_sample_is_sent_to_a_webhook(
    account: Account, receiver: Receiver, person: Person
) -> None:
    endpoint = receiver.endpoint(202)
    account.webhook(endpoint.url, name="Till")
    person.sign_in_by_link(account)

    person.goes_to("Catalogue")
    person.fill("Search", "tier up")
    expect(person.find("link", "Tier upgraded")).to_be_visible()
    expect(person.find("link", "Points earned")).to_be_hidden()
    person.click("link", "Tier upgraded")

    # What it holds, object by object.
    person.is_at("Tier upgraded")
    email = person.find("row", re.compile("^email"))
    expect(email).to_be_hidden()
    person.find("row", re.compile("^member required")).get_by_role("link").click()
    expect(email).to_be_in_viewport()

    # What each of the six formats makes of it.
    for format_, said in (
        ("Zinrelo", '"total_count": "1"'),
        ("Zoho Thrive", '"event": "'),
        ("Qualifio Loyalty", '"eventType": "'),
        ("Okendo", '"resourceType": "'),
        ("Voucherify", '"type": "'),
    ):
        person.press_summary(re.compile(f"^Body in {format_}"))
        body = person.find("region", re.compile(f"^Body in {format_}"))
        expect(body).to_contain_text(said)
    assert person.barriers() == []

    person.choose("Webhook", "Till")
    person.click("button", "Send a test")
    person.is_told("202 Accepted")
    (request,) = endpoint.requests
    assert request.json["type"] == "tier.upgraded"
    assert request.event_ids[0].startswith("evt_test_")
    assert person.barriers() == []


def test_times_are_in_the_viewers_zone_with_utc_behind_them(
    account: Account, person: Person
) -> None:
    account.post(POINTS_EARNED)
    person.sign_in(account.key, "/console/events")
    time = person.page.get_by_role("time").first

    said = time.evaluate(
        "time => ['UTC', 'America/New_York'].map((timeZone) => new Intl.DateTimeFormat('en-GB', {"
        "  timeZone, hour: '2-digit', minute: '2-digit', second: '2-digit',"
        "}).format(new Date(time.dateTime)))"
    )

    in_utc, in_new_york = said
    expect(time).to_contain_text(in_new_york)
    assert re.fullmatch(rf"\d+ \w+ \d{{4}}, {in_utc} UTC", time.get_attribute("title") or "")
    person.sees("Times are in America/New York (GMT-")

    # Whoever wants UTC, and has no mouse to point at a time, has it everywhere.
    person.fill("Accepted from", "2026-01-31T12:00:00")
    person.click("button", "Show them in UTC")
    expect(time).to_contain_text(f"{in_utc} UTC")
    expect(person.page.get_by_label("Accepted from UTC")).to_have_value("2026-01-31T17:00")
    person.click("button", "Filter")
    expect(person.page).to_have_url(re.compile("since=2026-01-31T17%3A00%3A00.000Z"))
    person.goes_to("Events")
    expect(time).to_contain_text(f"{in_utc} UTC")
    person.click("button", "Show them in America/New York")
    expect(time).to_contain_text(in_new_york)


def test_a_contract_is_rendered_as_one_types_its_errors_lead_to_their_line_and_it_is_saved(
    account: Account, receiver: Receiver, person: Person
) -> None:
    endpoint = receiver.endpoint(202)
    person.sign_in_by_link(account)
    person.goes_to("Catalogue")
    person.click("link", "write a contract")
    written = person.page.get_by_label("Contract", exact=True)
    made = person.page.locator("#made")
    expect(made).to_contain_text('"event": "points.earned"')

    written.fill(written.input_value().replace("=data.member.id", "=nope(data)"))
    expect(made).to_contain_text("calls nope(), which is no function of contracts")
    person.page.locator("[data-line]").click()
    marked = "(area) => area.value.slice(area.selectionStart, area.selectionEnd)"
    assert "nope" in written.evaluate(marked)

    written.fill(written.input_value().replace("=nope(data)", "=upper(data.member.id)"))
    expect(made).to_contain_text('"member": "MBR_20417"')
    person.fill("URL", endpoint.url)
    person.click("button", "Send a test")
    person.sees("The test succeeded")
    assert b"MBR_20417" in endpoint.requests[0].body

    person.click("button", "Save")
    person.sees("The contract is stored")
    person.page.goto(f"{person.page.url.partition('/console')[0]}/console/webhooks/new")
    person.page.get_by_label("Format", exact=True).select_option("ours@1")
    expect(person.page.locator("#preview")).to_contain_text("x-our-signature")
