"""Someone who has never seen it: a webhook, a test, a failure and its retry, and how much that is
to do."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from tests.e2e.system import Account, LocalSystem
from tests.receiver import Answer, Receiver

pytestmark = pytest.mark.timeout(400)

# What a person does in three minutes without a manual.
_MOST_INTERACTIONS = 25


def test_from_nothing_to_a_retried_failure_in_a_few_clicks(
    system: LocalSystem, account: Account, receiver: Receiver, person: Person
) -> None:
    endpoint = receiver.endpoint()

    # Create a webhook, having tried it.
    person.sign_in_by_link(account)
    person.sees("No webhooks yet")
    person.click("link", "Create your first webhook")
    person.fill("Name", "Till")
    person.fill("URL", endpoint.url)
    person.click("button", "Send a test")
    person.is_told("The test succeeded")
    person.click("button", "Create the webhook")
    secret = person.page.get_by_role("status").get_by_role("code").inner_text()
    system.canaries.learn({"secret": secret})
    person.click("button", "Copy")

    # An event of one's own, while the endpoint is down: nobody else is needed for it.
    endpoint.answer(Answer(500, b"out of memory"))
    person.goes_to("Log")
    person.click("link", "Send a sample event")
    person.sees("tier.upgraded is sent to 1 webhook")
    person.click("button", "Send this event")
    person.is_told("The sample event is sent.")

    # Watch it fail, see why.
    expect(person.row("Till")).to_contain_text("failed")
    endpoint.requests[-1].verified(secret)
    person.click("link", re.compile("^dlv_"))
    person.sees("out of memory")

    # The endpoint is mended: retry, and see it succeed.
    endpoint.answer(200)
    person.goes_to("Log")
    person.tick("checkbox", re.compile("^Select tier.upgraded to Till"))
    person.click("button", "Retry selected")
    person.is_told("1 of 1 will be sent again now")
    person.click("link", "Back to the log")
    person.reads_again_until(re.compile("^Succeeded 1$"))
    expect(person.row("200 OK")).to_have_count(1)

    assert person.interactions <= _MOST_INTERACTIONS
