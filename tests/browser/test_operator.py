"""What an operator does: accounts, keys, links, and dead letters."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.scene import POINTS_EARNED
from tests.e2e.system import MAX_ATTEMPTS, Account, LocalSystem, until
from tests.receiver import Receiver

pytestmark = pytest.mark.timeout(400)


def test_an_operator_opens_an_account_for_a_merchant_and_looks_in(
    system: LocalSystem, new_person: Callable[..., Person]
) -> None:
    operator, admin = new_person(), new_person()
    operator.sign_in(system.local["operator_key"])
    operator.goes_to("Accounts")
    operator.click("link", "Create an account")
    operator.fill("Name", "Northwind Coffee")
    operator.click("button", "Create the account")
    operator.is_told("The account is created. Give it an API key next.")

    operator.click("link", "Create an API key")
    operator.fill("Name", "Shop system")
    operator.tick("checkbox", re.compile("^manage webhooks"))
    operator.click("button", "Create the API key")
    operator.is_told("The new API key")
    assert operator.barriers() == []
    key = operator.page.get_by_role("status").get_by_role("code").inner_text()
    system.canaries.learn({"key": key})
    operator.page.goto(operator.page.url.removesuffix("/api-keys"))
    operator.is_at("Northwind Coffee")
    expect(operator.page.get_by_text(key)).to_have_count(0)
    admin.sign_in(key)

    operator.fill("Minutes that it works", "5")
    operator.click("button", "Make a console link")
    operator.is_told("The console link")
    link = operator.page.get_by_role("status").get_by_role("code").inner_text()
    admin.click("button", "Sign out")
    admin.open(link)
    admin.click("button", "Sign in as Northwind Coffee")
    admin.is_at("Webhooks")
    expect(admin.find("link", "Accounts")).to_have_count(0)

    operator.open("/console/accounts")
    operator.click("button", "Enter Northwind Coffee")
    operator.is_at("Webhooks")
    banner = operator.page.get_by_role("region", name="The account that you are in")
    for section in ("Log", "Events", "Catalogue", "Queues"):
        expect(banner).to_contain_text("You are in the account Northwind Coffee as an operator.")
        operator.goes_to(section)
    operator.click("button", "Leave the account")
    operator.is_at("Overview")
    expect(banner).to_have_count(0)


def test_dead_letters_are_counted_redriven_watched_and_a_redrive_is_cancelled(
    system: LocalSystem, account: Account, receiver: Receiver, person: Person
) -> None:
    endpoint = receiver.endpoint(500)
    account.webhook(endpoint.url)
    account.post(*[POINTS_EARNED] * 4)
    until(lambda: len(account.dead()) == 4, "four dead letters")
    person.sign_in(system.local["operator_key"])
    person.goes_to("Queues")
    deliveries = person.find("region", "Deliveries")
    resting = len(system.bodies("DeadLetterQueue"))
    expect(deliveries).to_contain_text(re.compile(rf"Resting\s*{resting}\b"))

    # The same four steps in the AWS console stand beside it.
    steps = deliveries.get_by_role("listitem")
    expect(steps).to_have_count(4)
    expect(steps.nth(0)).to_contain_text(system.local["DeadLetterQueueUrl"].rpartition("/")[2])
    expect(steps.nth(1)).to_contain_text("Start DLQ redrive")

    # One a second, cancelled while it runs.
    person.click("link", "Redrive…", within=deliveries)
    person.sees(re.compile(rf"About {resting} messages"))
    assert person.barriers() == []
    person.fill("Most messages a second", "1")
    person.click("button", "Start the redrive")
    person.is_told("The redrive is started.")
    expect(deliveries).to_contain_text("A redrive is running.")
    assert person.barriers() == []
    person.press_summary("Cancel the redrive", within=deliveries)
    # The figures follow, and what is open and has the focus stays so.
    cancel = person.find("button", "Cancel the redrive", within=deliveries)
    cancel.focus()
    expect(deliveries).not_to_contain_text(re.compile(rf"Resting\s*{resting}\b"))
    expect(cancel).to_be_visible()
    expect(cancel).to_be_focused()
    person.click("button", "Cancel the redrive", within=deliveries)
    person.is_told("The redrive is being cancelled.")
    newest = person.find("region", "Redrives").get_by_role("row").nth(1)
    person.reads_again_until(newest.filter(has_text="cancelled"))
    until(lambda: len(account.dead()) == 4, "what was moved has come back")

    # All of them, once the endpoint is well; the page follows the redrive by itself.
    endpoint.answer(200)
    person.open("/console/queues")
    person.click("link", "Redrive…", within=deliveries)
    person.click("button", "Start the redrive")
    person.is_told("The redrive is started.")
    expect(newest).to_contain_text("completed")
    expect(deliveries).not_to_contain_text("A redrive is running.")
    until(lambda: account.statuses() == ["succeeded"] * 4, "all of them have succeeded")
    assert len(endpoint.requests) >= 4 * MAX_ATTEMPTS + 4


@contextmanager
def nobody_taking(system: LocalSystem) -> Iterator[None]:
    """Ingest gets no message of the inbox, for the length of a `with`."""
    functions = system.client("lambda")
    source = system.local["InboxQueueArn"]
    (mapping,) = functions.list_event_source_mappings(EventSourceArn=source)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def test_dead_letters_of_the_inbox_are_redriven_and_taken(
    system: LocalSystem, account: Account, person: Person
) -> None:
    event = {"account_id": account.id, "id": "visit-1", "type": "custom.visit", "data": {}}
    inbox = system.local["InboxQueueUrl"]
    person.sign_in(system.local["operator_key"])
    with nobody_taking(system):
        system.sqs.send_message(QueueUrl=inbox, MessageBody=json.dumps(event))

        def rests() -> bool:
            system.sqs.receive_message(QueueUrl=inbox, VisibilityTimeout=0)
            return len(system.bodies("InboxDeadLetterQueue")) == 1

        until(rests, "SQS has given it out so often that it is a dead letter")
    person.goes_to("Queues")
    messages = person.find("region", "Messages of the inbox")
    expect(messages).to_contain_text(re.compile(r"Resting\s*1\b"))
    person.click("link", "Redrive…", within=messages)
    person.sees("About 1 message of every account would move")
    assert person.barriers() == []
    person.click("button", "Start the redrive")
    person.is_told("The redrive is started.")
    until(lambda: account.event("visit-1") is not None, "the event is accepted and routed")
    assert system.bodies("InboxDeadLetterQueue") == []
