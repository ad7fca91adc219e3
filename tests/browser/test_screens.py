"""What is where: on narrow screens and wide ones, and what lies over the page."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.pages import Visitor, page_of
from tests.browser.person import Person
from tests.browser.scene import Scene
from tests.e2e.system import Account
from tests.receiver import Receiver

pytestmark = pytest.mark.timeout(400)

_TELEPHONE = (375, 812)
# What is folded has one stop; closed groups of events have two.
_MOST_PRESSES = 56


def height_of(part: Locator) -> float:
    box = part.bounding_box()
    assert box is not None
    return box["height"]


def test_a_switch_asks_over_the_list_and_is_left_by_escape_or_a_press_beside_it(
    account: Account, person: Person
) -> None:
    account.webhook("https://till.example/hook", name="Till")
    person.sign_in(account.key)
    row = person.row("Till")
    before = height_of(row)
    asked = row.get_by_text("No more events are sent to it.")

    person.press_summary("Disable Till", within=row)
    expect(asked).to_be_visible()
    assert height_of(row) == before
    assert height_of(asked) < before * 2
    person.page.keyboard.press("Tab")
    person.page.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    expect(row.locator("summary")).to_be_focused()

    person.press_summary("Disable Till", within=row)
    expect(asked).to_be_visible()
    person.page.mouse.click(700, 700)
    expect(asked).to_be_hidden()


def test_on_a_telephone_the_log_begins_with_its_rows_and_shows_the_chosen_tab(
    visitors: dict[Visitor, Person], scene: Scene
) -> None:
    person = page_of("log").opened(visitors, scene, _TELEPHONE)

    expect(person.field("Event type")).to_be_hidden()
    first = person.page.get_by_role("row").nth(1)
    box = first.bounding_box()
    assert box is not None
    # Which is first of what came at one moment is chance, and some have a line more.
    ordinary = person.row("Loyalty ledger").first
    assert box["y"] + height_of(ordinary) < _TELEPHONE[1]
    person.open("/console/log?status=cancelled")
    tab = person.find("link", re.compile("^Cancelled"))
    expect(tab).to_be_in_viewport(ratio=0.9)

    person.press_summary("Filter")
    person.fill("Event type", "tier.upgraded")
    person.click("button", "Filter")
    expect(person.field("Event type")).to_have_value("tier.upgraded")
    expect(person.field("Event type")).to_be_visible()


def test_what_is_to_be_ticked_in_the_log_can_be_hit_with_a_thumb(
    visitors: dict[Visitor, Person], scene: Scene
) -> None:
    person = page_of("log").opened(visitors, scene, _TELEPHONE)
    box = person.find("checkbox", re.compile("^Select .* to Campaign mailer")).first
    around = box.locator("xpath=..")

    around.click(position={"x": 3, "y": 3})

    expect(box).to_be_checked()
    size = around.bounding_box()
    assert size is not None
    assert min(size["width"], size["height"]) >= 40


def test_the_events_of_a_webhook_are_folded_into_their_groups_until_they_are_wanted(
    account: Account, person: Person
) -> None:
    webhook = account.webhook("https://till.example/hook", event_types=["tier.upgraded"])
    person.sign_in(account.key, f"/console/webhooks/{webhook['id']}/edit")
    picker = person.page.locator("#event-picker")
    of_points = picker.locator("summary", has_text=re.compile(r"of \d+ points"))

    # Those with a tick are open.
    expect(person.find("checkbox", re.compile("^Tier upgraded"))).to_be_checked()
    expect(person.find("checkbox", re.compile("^Points earned"))).to_be_hidden()
    expect(of_points).to_contain_text(re.compile(r"^0 of \d"))
    person.tick("checkbox", re.compile(r"^Points all \d"))
    expect(of_points).to_contain_text(re.compile(r"^(\d+) of \1 points"))

    # So are those that a search finds.
    person.untick("checkbox", re.compile(r"^Points all \d"))
    person.fill("Search the events", "points earned")
    expect(person.find("checkbox", re.compile("^Points earned"))).to_be_visible()
    person.fill("Search the events", "")
    expect(person.find("checkbox", re.compile("^Points earned"))).to_be_hidden()
    expect(person.find("checkbox", re.compile("^Tier upgraded"))).to_be_visible()


def test_save_and_test_stand_together_and_are_always_in_sight(
    account: Account, person: Person
) -> None:
    webhook = account.webhook("https://till.example/hook", event_types=["tier.upgraded"])
    person.sign_in(account.key)
    for size in (_TELEPHONE, (1440, 900)):
        person.looks_at(size, "light")
        person.open(f"/console/webhooks/{webhook['id']}/edit")

        for button in ("Save the changes", "Send a test"):
            expect(person.find("button", button)).to_be_in_viewport(ratio=0.99)

    # From the first field to Save, by keyboard.
    person.field("URL").focus()
    save = person.find("button", "Save the changes")
    presses = 0
    while not save.evaluate("button => button === document.activeElement"):
        person.page.keyboard.press("Tab")
        presses += 1
        assert presses < _MOST_PRESSES


def test_the_answer_to_a_test_lies_over_the_form_and_can_be_put_away(
    account: Account, receiver: Receiver, person: Person
) -> None:
    webhook = account.webhook(receiver.endpoint(503).url)
    person.sign_in(account.key, f"/console/webhooks/{webhook['id']}/edit")
    person.looks_at(_TELEPHONE, "light")

    person.click("button", "Send a test")
    outcome = person.page.get_by_text("The test failed")
    expect(outcome).to_be_in_viewport()
    person.click("button", "Close")

    expect(outcome).to_have_count(0)
    expect(person.find("button", "Send a test")).to_be_focused()


def test_the_head_of_a_page_stays_one_line_beside_a_long_account_name(
    visitors: dict[Visitor, Person], scene: Scene
) -> None:
    person = page_of("webhooks").opened(visitors, scene, (800, 800))
    head = person.page.get_by_role("banner")
    before = height_of(head)

    name = head.get_by_text("Brew & Bean")
    name.evaluate("name => { name.textContent = 'The Very Long Coffee Company of Portland' }")

    assert height_of(head) == before
    assert before < 2 * height_of(head.get_by_role("button", name="Sign out"))
