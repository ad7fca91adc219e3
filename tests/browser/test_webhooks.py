"""A webhook from its first field to its deletion."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.scene import POINTS_EARNED
from tests.e2e.system import Account, LocalSystem, until
from tests.receiver import Answer, Receiver

pytestmark = pytest.mark.timeout(400)


def test_a_webhook_is_made_with_grouped_events_a_live_preview_and_a_test_before_saving(
    system: LocalSystem, account: Account, receiver: Receiver, person: Person
) -> None:
    endpoint = receiver.endpoint(Answer(400, b"unknown signature"), 200)
    person.sign_in_by_link(account)
    person.click("link", "Create your first webhook")
    person.fill("Name", "Till")
    person.fill("URL", endpoint.url)

    # Groups of events: found by a word, ticked together.
    person.tick("radio", "Only those that I tick")
    person.fill("Search the events", "tier")
    expect(person.find("checkbox", re.compile("^Points"))).to_have_count(0)
    person.tick("checkbox", re.compile(r"^Tiers all \d"))
    person.fill("Search the events", "")
    expect(person.find("checkbox", re.compile("^Tier upgraded"))).to_be_checked()

    # The preview is of what is filled in, and changes with the format.
    preview = person.find("region", "Preview")
    expect(preview).to_contain_text("webhook-signature: v1,")
    expect(preview).to_contain_text('"type": "tier.')
    person.choose("Format", "Zinrelo")
    expect(preview).to_contain_text("x-zinrelo-signature: ")
    expect(preview).to_contain_text('"total_count": "1"')
    expect(person.find("checkbox", re.compile("^Tier upgraded"))).to_be_checked()
    assert endpoint.requests == []

    # The test before saving: refused, then taken.
    person.click("button", "Send a test")
    person.is_told("400 Bad Request")
    person.is_told("unknown signature")
    assert person.barriers() == []
    person.click("button", "Send a test")
    person.is_told("The test succeeded")
    assert [one.status for one in endpoint.requests] == [400, 200]
    # What is green is of what was filled in then.
    person.fill("Name", "Till 2")
    person.is_told("Before your last change: The test succeeded")
    person.fill("Name", "Till")
    assert person.barriers() == []
    assert account.get("/v1/webhooks")["data"] == []

    # Saved, with the secret shown once.
    person.click("button", "Create the webhook")
    person.is_at("Till is created")
    assert person.barriers() == []
    secret = person.page.get_by_role("status").get_by_role("code").inner_text()
    system.canaries.learn({"secret": secret})
    person.click("button", "Copy")
    expect(person.find("button", "Copied")).to_be_visible()
    assert person.page.evaluate("navigator.clipboard.readText()") == secret
    person.click("link", "Test the webhook")
    person.is_at("Till")
    expect(person.page.get_by_text(secret)).to_have_count(0)

    (webhook,) = account.get("/v1/webhooks")["data"]
    assert webhook["format"].startswith("zinrelo")
    assert "tier.upgraded" in webhook["event_types"]
    assert all(one.startswith("tier.") for one in webhook["event_types"])


def test_the_url_that_a_redirect_points_to_is_taken_over(
    account: Account, receiver: Receiver, person: Person
) -> None:
    new = receiver.endpoint(200)
    newer = receiver.endpoint(200)
    person.sign_in_by_link(account)

    # Before saving, into the form.
    person.click("link", "Create your first webhook")
    person.fill("Name", "Till")
    person.fill("URL", receiver.endpoint(redirect_to(new.url)).url)
    person.click("button", "Send a test")
    person.is_told(f"redirects to {new.url}")
    assert person.barriers() == []
    person.click("button", "Take this URL over")
    expect(person.field("URL")).to_have_value(new.url)
    person.click("button", "Send a test")
    person.is_told("The test succeeded")
    assert len(new.requests) == 1

    # Of a webhook that is saved, into the form that changes it.
    account.webhook(receiver.endpoint(redirect_to(newer.url)).url, name="Warehouse")
    person.open("/console/webhooks")
    person.click("link", "Warehouse")
    person.click("button", "Send a test")
    person.is_told(f"redirects to {newer.url}")
    person.click("button", "Take this URL over")
    expect(person.field("URL")).to_have_value(newer.url)
    person.click("button", "Save the changes")
    person.is_told("The webhook is changed.")
    (webhook,) = account.get("/v1/webhooks")["data"]
    assert webhook["url"] == newer.url


def redirect_to(url: str) -> Answer:
    return Answer(308, headers=(("Location", url),))


def test_a_webhook_is_switched_edited_rotated_and_deleted(
    system: LocalSystem, account: Account, receiver: Receiver, person: Person
) -> None:
    webhook = account.webhook(receiver.endpoint().url, name="Till", headers={"x-shop": "till-0007"})
    person.sign_in_by_link(account)

    row = person.row("Till")
    person.press_summary("Disable Till", within=row)
    expect(row).to_contain_text("No more events are sent to it.")
    person.click("button", "Disable the webhook", within=row)
    person.is_told("The webhook is disabled.")
    expect(row).to_contain_text("disabled")
    person.press_summary("Enable Till", within=row)
    person.click("button", "Enable the webhook", within=row)
    person.is_told("The webhook is enabled.")

    person.click("link", "Till")
    person.click("link", "Edit")
    expect(person.field("Name")).to_have_value("Till")
    expect(person.find("radio", re.compile("^Keep those that are stored"))).to_be_checked()
    expect(person.page.get_by_text("till-0007")).to_have_count(0)
    person.fill("Name", "New till")
    person.tick("radio", "Only those that I tick")
    person.tick("checkbox", re.compile(r"^Points all \d"))
    person.click("button", "Save the changes")
    person.is_told("The webhook is changed.")
    person.is_at("New till")
    changed = account.get(f"/v1/webhooks/{webhook['id']}")
    assert (changed["name"], "points.earned" in changed["event_types"]) == ("New till", True)

    person.click("link", "Rotate the secret…")
    person.sees("Each request is signed with the new secret at once")
    person.click("button", "Rotate the secret")
    person.is_at("New till has a new secret")
    secret = person.page.get_by_role("status").get_by_role("code").inner_text()
    system.canaries.learn({"secret": secret})
    assert secret not in ("", webhook["secret"])
    person.click("link", "Test the webhook")
    person.click("button", "Send a test")
    person.is_told("The test succeeded")

    person.click("link", "Delete the webhook…")
    person.sees("This cannot be undone.")
    person.click("button", "Delete the webhook")
    person.is_told("The webhook is deleted.")
    person.sees("No webhooks yet")
    assert account.get("/v1/webhooks")["data"] == []


def test_preview_test_and_webhook_share_one_generated_secret(
    system: LocalSystem, account: Account, receiver: Receiver, person: Person
) -> None:
    endpoint = receiver.endpoint()
    person.sign_in(account.key, "/console/webhooks/new")
    person.fill("Name", "Till")
    person.fill("URL", endpoint.url)
    preview = person.find("region", "Preview")
    expect(preview).to_contain_text("The signature is of a made-up secret")

    person.click("button", "Send a test")
    person.is_told("It was signed with a made-up secret")
    person.click("button", "Close")
    expect(person.field("Secret")).to_be_hidden()
    person.click("link", "Give it here")
    expect(person.field("Secret")).to_be_visible()
    assert person.barriers() == []
    person.click("button", "Generate")
    expect(preview).not_to_contain_text("The signature is of a made-up secret")
    expect(person.field("Secret")).to_have_value(re.compile("^whsec_[A-Za-z0-9+/]{43}=$"))
    person.choose("Format", "Zinrelo")
    expect(person.field("Secret")).to_have_value(re.compile("^[A-Za-z0-9_-]{43}$"))
    person.choose("Format", "Standard")
    expect(person.field("Secret")).to_have_value(re.compile("^whsec_[A-Za-z0-9+/]{43}=$"))
    secret = person.field("Secret").input_value()
    system.canaries.learn({"secret": secret})
    person.click("button", "Copy")
    expect(person.find("button", "Copied")).to_be_visible()
    assert person.page.evaluate("navigator.clipboard.readText()") == secret
    person.click("button", "Send a test")
    person.is_told("The test succeeded")
    expect(person.page.get_by_text("It was signed with a made-up secret")).to_have_count(0)
    person.click("button", "Create the webhook")
    person.is_at("Till is created")

    assert person.page.get_by_role("status").get_by_role("code").inner_text() == secret
    account.post(POINTS_EARNED)
    endpoint.wait_for(3)
    for request in endpoint.requests[1:]:
        assert request.verified(secret)


def test_a_test_leaves_the_form_as_it_is_and_says_how_it_went(
    account: Account, receiver: Receiver, person: Person
) -> None:
    old, new = receiver.endpoint(), receiver.endpoint(Answer(503, b"out of order"), 200)
    webhook = account.webhook(old.url, name="Till", headers={"x-shop": "till-0007"})
    person.sign_in(account.key, f"/console/webhooks/{webhook['id']}/edit")
    person.fill("URL", new.url)
    button = person.find("button", "Send a test")
    button.scroll_into_view_if_needed()
    before = (person.page.url, person.page.evaluate("scrollY"))

    person.click("button", "Send a test")
    person.is_told("The test failed")
    person.is_told("out of order")
    expect(button).to_be_focused()
    assert person.barriers() == []
    person.click("button", "Send a test")
    person.is_told("The test succeeded")

    assert (person.page.url, person.page.evaluate("scrollY")) == before
    expect(person.field("URL")).to_have_value(new.url)
    assert [one.headers["x-shop"] for one in new.requests] == ["till-0007"] * 2
    assert account.get(f"/v1/webhooks/{webhook['id']}")["url"] == old.url
    person.fill("URL", "https://user@shop.example/")
    person.click("button", "Send a test")
    person.is_told("Something is not right yet.")


def test_headers_are_given_again_for_another_host(account: Account, person: Person) -> None:
    webhook = account.webhook("https://till.example/hook", headers={"x-shop": "till-0007"})
    person.sign_in_by_link(account)
    person.open(f"/console/webhooks/{webhook['id']}/edit")

    person.fill("URL", "https://new-till.example/hook")
    expect(person.find("region", "Preview")).to_contain_text("must be given again, or be none")
    person.click("button", "Save the changes")

    expect(person.page.get_by_role("alert")).to_be_focused()
    expect(person.find("radio", re.compile("^Replace them all"))).to_be_checked()
    expect(person.field("Name of header 1")).to_have_value("x-shop")
    expect(person.field("Value of header 1")).to_have_value("")
    assert person.barriers() == []
    person.fill("Value of header 1", "till-0007")
    person.click("button", "Save the changes")

    person.is_told("The webhook is changed.")
    changed = account.get(f"/v1/webhooks/{webhook['id']}")
    assert changed["url"] == "https://new-till.example/hook"
    assert changed["header_names"] == ["x-shop"]


def test_what_is_wrong_with_a_webhook_stands_beside_its_field_and_nothing_is_typed_twice(
    account: Account, person: Person
) -> None:
    person.sign_in_by_link(account)
    person.open("/console/webhooks/new")
    person.fill("Name", "Till")
    person.fill("URL", "http://user@shop.example/hook")
    person.press_summary("Advanced")
    person.fill("Name of header 1", "Content-Length")
    person.fill("Value of header 1", "7")

    person.click("button", "Create the webhook")

    expect(person.page.get_by_role("alert")).to_be_focused()
    expect(person.field("Name")).to_have_value("Till")
    expect(person.field("URL")).to_have_attribute("aria-invalid", "true")
    expect(person.field("Name of header 1")).to_have_value("Content-Length")
    assert person.barriers() == []
    person.click("link", "URL", within=person.page.get_by_role("alert"))
    expect(person.field("URL")).to_be_focused()


def test_a_paused_webhook_is_noticed_and_says_why_and_what_to_do(
    account: Account, receiver: Receiver, person: Person
) -> None:
    endpoint = receiver.endpoint(410)
    webhook = account.webhook(endpoint.url, name="Till")
    account.post(POINTS_EARNED)
    person.sign_in_by_link(account)
    person.reads_again_until("paused")

    # The pages where one begins say so.
    notice = person.find("region", "Notice")
    expect(notice).to_contain_text("One webhook is paused: Till.")
    until(lambda: account.statuses() == ["failed"], "it has failed for the pause")
    person.goes_to("Log")
    expect(notice).to_contain_text("One webhook is paused: Till.")
    expect(notice).to_contain_text("In the last 24 hours one delivery failed.")
    assert person.barriers() == []
    person.click("link", "one delivery", within=notice)
    expect(person.row("410 Gone")).to_have_count(1)
    person.click("link", "Till", within=notice)

    paused = person.find("region", re.compile("^Paused since"))
    expect(paused).to_contain_text("The endpoint has answered 410 Gone")
    assert person.barriers() == []
    person.click("button", "Enable the webhook", within=paused)

    person.is_told("The webhook is enabled.")
    expect(paused).to_have_count(0)

    # What failed meanwhile is sent again from there, counted first.
    endpoint.answer(200)
    person.click("link", "Retry what has failed")
    expect(person.field("Webhook")).to_have_value(webhook["id"])
    person.click("button", "Count first")
    person.sees("1 delivery would be sent")
    person.click("button", "Send it now")
    until(lambda: account.statuses() == ["succeeded"], "it has succeeded")
    person.open(f"/console/webhooks/{webhook['id']}")
    expect(person.find("link", "Retry what has failed")).to_have_count(0)
    person.goes_to("Webhooks")
    expect(notice).to_have_count(0)


def test_one_comes_back_to_a_refused_form_without_being_asked(
    account: Account, person: Person
) -> None:
    person.sign_in(account.key, "/console/webhooks/new")
    person.fill("Name", "Till")
    person.fill("URL", "ftp://shop.example/hook")
    person.tick("radio", "Only those that I tick")
    person.press_summary("Advanced")
    person.fill("Description", "For the till")
    person.press_summary("Advanced")
    person.click("button", "Create the webhook")
    person.sees("Something is not right yet.")
    person.goes_to("Log")

    person.page.go_back()

    assert person.page.url.endswith("/console/webhooks/new")
    expect(person.field("URL")).to_have_value("ftp://shop.example/hook")
    expect(person.field("Name")).to_have_value("Till")
    expect(person.find("radio", "Only those that I tick")).to_be_checked()
    # What came back is not out of sight.
    expect(person.field("Description")).to_be_visible()
    expect(person.field("Description")).to_have_value("For the till")
