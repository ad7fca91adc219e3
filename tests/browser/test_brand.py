"""The platform's own look: whatever colour it has, every page can be read, narrow and dark too."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.person import NARROW, WIDE, Person
from tests.e2e.system import LocalSystem
from tests.unit.model.test_brand import an_svg

pytestmark = pytest.mark.timeout(400)

# Pale, where white text could not be read; dark, where buttons would be lost in the dark theme.
COLOURS = ("#ffe9a8", "#151c19")


@pytest.fixture
def operator(system: LocalSystem, new_person: Callable[..., Person]) -> Iterator[Person]:
    """Who sets a brand, which is one for all: it is taken away again."""
    person = new_person()
    person.sign_in(system.local["operator_key"])
    yield person
    status, _ = system.call("PUT", "/v1/brand", {})
    assert status == 200


def test_pages_of_any_colour_can_be_read(operator: Person) -> None:
    logo = an_svg('<rect width="60" height="20" fill="#7a1fa2"/>')
    for colour in COLOURS:
        operator.open("/console/brand")
        operator.fill("Name", "Zylker Loyalty")
        operator.fill("Colour of buttons", colour)
        operator.fill("Logo", logo)
        operator.click("button", "Save")
        operator.is_told("It is changed. Every page shows it within a minute.")

        expect(operator.page.get_by_role("link", name="Zylker Loyalty")).to_be_visible()
        shown = operator.page.get_by_role("button", name="Save")
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        expect(shown).to_have_css("background-color", f"rgb({red}, {green}, {blue})")
        operator.page.wait_for_function("document.querySelector('.brand img').naturalWidth > 0")
        for size in (WIDE, NARROW):
            for theme in ("light", "dark"):
                operator.looks_at(size, theme)
                assert operator.barriers(contrast_only=True) == []
                assert operator.overflow() == 0
        operator.looks_at(WIDE, "light")


def test_a_chosen_file_becomes_the_logo(operator: Person) -> None:
    operator.open("/console/brand")
    content = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9"/></svg>'
    file = {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": content}
    operator.page.get_by_label("Or choose the file").set_input_files(file)  # type: ignore[arg-type]
    expect(operator.page.locator("#f-logo")).to_have_value(re.compile("^data:image/svg"))
    operator.click("button", "Save")
    operator.is_told("It is changed. Every page shows it within a minute.")
