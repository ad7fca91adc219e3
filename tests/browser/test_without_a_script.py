"""The core forms in a browser that runs no script at all."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.scene import POINTS_EARNED
from tests.e2e.system import Account, LocalSystem, until
from tests.receiver import Answer, Receiver

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def person(new_person: Callable[..., Person]) -> Person:
    return new_person(java_script_enabled=False)


def test_a_webhook_is_made_tested_and_its_failure_retried(
    system: LocalSystem, account: Account, receiver: Receiver, person: Person
) -> None:
    endpoint = receiver.endpoint()
    person.sign_in(account.key)
    person.click("link", "Create your first webhook")
    person.fill("Name", "Till")
    person.fill("URL", endpoint.url)
    person.tick("radio", "Only those that I tick")
    person.tick("checkbox", re.compile(r"^Points all \d"))
    person.choose("Format", "Okendo (2025-02-01)")
    person.click("button", "Show what this format offers")
    expect(person.find("checkbox", re.compile("^Points earned"))).to_be_checked()
    person.click("button", "Show the preview")
    preview = person.find("region", "Preview")
    expect(preview).to_contain_text("svix-signature: v1,")
    person.click("button", "Send a test")
    person.is_told("The test succeeded")
    expect(person.page.locator("#outcome")).to_be_focused()
    person.click("button", "Create the webhook")
    person.is_at("Till is created")
    secret = person.page.get_by_role("status").get_by_role("code").inner_text()
    system.canaries.learn({"secret": secret})

    endpoint.answer(500)
    account.post(POINTS_EARNED)
    until(lambda: account.statuses() == ["failed"], "the delivery has failed")
    endpoint.answer(200)
    person.goes_to("Log")
    person.tick("checkbox", re.compile("^Select points.earned to Till"))
    person.click("button", "Retry selected")
    person.is_told("1 of 1 will be sent again now")
    person.click("link", "Back to the log")
    person.reads_again_until(re.compile("^Succeeded 1$"))
    person.sees(re.compile(r"\d{2}:\d{2}:\d{2} UTC"))

    person.click("button", "Sign out")
    person.is_told("You are signed out.")


def test_dead_letters_are_redriven(
    system: LocalSystem, account: Account, receiver: Receiver, person: Person
) -> None:
    endpoint = receiver.endpoint(Answer(500))
    account.webhook(endpoint.url)
    account.post(POINTS_EARNED)
    until(lambda: len(account.dead()) == 1, "a dead letter")
    endpoint.answer(200)
    person.sign_in(system.local["operator_key"], "/console/queues")

    person.click("link", "Redrive…", within=person.find("region", "Deliveries"))
    person.click("button", "Start the redrive")

    person.is_told("The redrive is started.")
    newest = person.find("region", "Redrives").get_by_role("row").nth(1)
    person.reads_again_until(newest.filter(has_text="completed"))
    until(lambda: account.statuses() == ["succeeded"], "it has succeeded")
