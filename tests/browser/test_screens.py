"""What is where: on narrow screens and wide ones, and what lies over the page."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.pages import page_of
from tests.browser.person import Person
from tests.browser.scene import Scene
from tests.e2e.system import Account

pytestmark = pytest.mark.timeout(400)

_TELEPHONE = (375, 812)


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
    person: Person, scene: Scene
) -> None:
    person.looks_at(_TELEPHONE, "light")
    page_of("log").opened_by(person, scene)

    first = person.page.get_by_role("row").nth(1)
    box = first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < _TELEPHONE[1]
    expect(person.field("Event type")).to_be_hidden()
    person.open("/console/log?status=cancelled")
    tab = person.find("link", re.compile("^Cancelled"))
    expect(tab).to_be_in_viewport(ratio=1)

    person.press_summary("Filter")
    person.fill("Event type", "tier.upgraded")
    person.click("button", "Filter")
    expect(person.field("Event type")).to_have_value("tier.upgraded")
    expect(person.field("Event type")).to_be_visible()


def test_what_is_to_be_ticked_in_the_log_can_be_hit_with_a_thumb(
    person: Person, scene: Scene
) -> None:
    person.looks_at(_TELEPHONE, "light")
    page_of("log").opened_by(person, scene)
    box = person.find("checkbox", re.compile("^Select .* to Campaign mailer")).first
    around = box.locator("xpath=..").bounding_box()
    assert around is not None

    person.page.mouse.click(around["x"] + 3, around["y"] + 3)

    expect(box).to_be_checked()
    assert min(around["width"], around["height"]) >= 40
