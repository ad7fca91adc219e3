"""Listening on one's own machine: from the console's page to a receiver."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from infra.local.verifying import PRODUCTS
from tests.browser.person import Person
from tests.browser.scene import POINTS_EARNED
from tests.e2e.system import Account, LocalSystem
from tests.listening import listening, read_until
from tests.receiver import Receiver

pytestmark = pytest.mark.timeout(400)

GET = "Get listen.py"
LISTEN = "Listen on your own machine"


@contextmanager
def running(system: LocalSystem, text: str, folder: Path, url: str) -> Iterator[str]:
    """The secret of a file that was downloaded; it runs until it has been answered."""
    written = dict(re.findall(r"^(KEY|SECRET) = '([^']+)'", text, re.MULTILINE))
    system.canaries.learn({"key": written["KEY"], "secret": written["SECRET"]})
    file = folder / "listen.py"
    file.write_text(text, encoding="utf-8")
    with listening(file, url) as printed:
        yield written["SECRET"]
        read_until(printed, "answered")


def test_a_file_is_given_out_that_brings_the_chosen_events_and_is_ended(
    system: LocalSystem, account: Account, receiver: Receiver, person: Person, tmp_path: Path
) -> None:
    endpoint = receiver.endpoint()
    person.sign_in_by_link(account)
    person.click("link", LISTEN)
    person.is_at(LISTEN)
    person.tick("radio", "Only those that I tick")
    person.tick("checkbox", re.compile(r"^Points all \d"))
    person.choose("Format", "Zinrelo")
    expect(person.find("checkbox", "Points earned event_points_earned")).to_be_checked()
    assert person.barriers() == []

    text = person.downloads(GET, "button")

    # The page says so, and its button can be pressed again.
    listening = person.find("region", "Listening now")
    expect(person.row("Listening since")).to_have_count(1)
    expect(listening).to_contain_text("Zinrelo")
    with running(system, text, tmp_path, endpoint.url) as secret:
        account.post(POINTS_EARNED)
        endpoint.wait_for(1)
    (request,) = endpoint.requests
    assert PRODUCTS["zinrelo"].is_genuine(secret, request.headers, request.body)
    assert b"event_points_earned" in request.body

    person.downloads(GET, "button")
    expect(person.row("Listening since")).to_have_count(2)
    assert person.barriers() == []
    for left in (1, 0):
        person.find("button", re.compile("^End listening")).first.click()
        person.is_told("Its webhook is deleted")
        expect(person.row("Listening since")).to_have_count(left)
    assert account.get("/v1/webhooks")["data"] == []


def test_one_listens_as_a_webhook_from_its_page(
    account: Account, receiver: Receiver, person: Person
) -> None:
    model = account.webhook(receiver.endpoint().url, name="Till", event_types=["points.*"])
    person.sign_in_by_link(account)
    person.open(f"/console/webhooks/{model['id']}")
    person.click("link", "listen as this webhook")
    person.is_at(LISTEN)
    expect(person.field("The same as")).to_have_value(model["id"])
    expect(person.field("Format")).to_be_hidden()
    expect(person.find("radio", "Only those that I tick")).to_be_hidden()
    person.choose("The same as", "What I choose here")
    expect(person.field("Format")).to_be_visible()
    person.choose("The same as", "Till")

    person.downloads(GET, "button")

    (made,) = [one for one in account.get("/v1/webhooks")["data"] if one["ends_at"]]
    assert made["event_types"] == ["points.*"]


def test_a_refusal_is_shown_as_of_any_form(account: Account, person: Person) -> None:
    person.sign_in_by_link(account)
    person.open("/console/webhooks/listen")
    person.tick("radio", "Only those that I tick")
    person.fill("Other types", "points")

    person.click("button", GET)

    person.is_told("Something is not right yet.")
    expect(person.field("Other types")).to_have_value("points")
    assert account.get("/v1/webhooks")["data"] == []


def test_without_a_script_the_file_comes_too(
    account: Account, new_person: Callable[..., Person]
) -> None:
    person = new_person(java_script_enabled=False)
    person.sign_in(account.key)
    person.click("link", LISTEN)

    text = person.downloads(GET, "button")

    assert text.startswith("#!/usr/bin/env python3")
    person.reads_again_until("Listening since")
