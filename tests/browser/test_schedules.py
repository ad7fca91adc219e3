"""A person gives a webhook delays of its own and sees when its attempts will be."""

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from tests.e2e.system import MAX_ATTEMPTS, Account
from tests.receiver import Receiver

# The first test also builds and starts the system.
pytestmark = pytest.mark.timeout(400)


def test_delays_of_ones_own_are_seen_as_a_time_line_before_and_after_they_are_saved(
    account: Account, receiver: Receiver, person: Person
) -> None:
    person.sign_in(account.key, "/console/webhooks/new")
    person.fill("Name", "Till")
    person.fill("URL", receiver.endpoint().url)
    person.press_summary("Advanced")
    retries = person.find("region", "Retries")
    expect(retries).to_contain_text(f"this stack has {MAX_ATTEMPTS}")
    expect(person.field("Delays between attempts")).to_be_hidden()

    person.tick("radio", "Delays of my own")
    person.fill("Delays between attempts", "5 min, 2 h")
    person.click("button", "Show the time line")
    expect(retries).to_contain_text("2 h 5 min")
    person.click("button", "Create the webhook")
    person.is_at("Till is created")

    (webhook,) = account.get("/v1/webhooks")["data"]
    assert webhook["retry_delays_seconds"] == [300, 7_200]
    person.open(f"/console/webhooks/{webhook['id']}")
    person.sees("2 h 5 min")
    assert person.barriers() == []
