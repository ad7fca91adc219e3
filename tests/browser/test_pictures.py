"""The pictures in README and docs are of the console as it is.

`make screenshots` makes them again: it tells this module by SCREENSHOTS_TO where they go.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from infra.local.emulator import ROOT
from tests.browser.pages import Visitor, page_of
from tests.browser.person import Person
from tests.browser.scene import Scene

pytestmark = pytest.mark.timeout(400)

IMAGES = ROOT / "docs" / "images"
_MOST_BYTES = 130_000
_TELEPHONE = (390, 780)
_DESK = (1280, 720)

# The receiver of the tests has addresses that nobody has.
_SHOW_OTHER_URLS = """(urls) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const [real, shown] of Object.entries(urls)) {
      texts.currentNode.data = texts.currentNode.data.replaceAll(real, shown);
    }
  }
}"""


@dataclass(frozen=True)
class Picture:
    name: str
    route: str
    what: str = ""
    size: tuple[int, int] = _DESK
    scheme: Literal["light", "dark"] = "light"


PICTURES = (
    Picture("webhooks", "webhooks"),
    Picture("webhooks-dark", "webhooks", scheme="dark"),
    Picture("webhook-form", "webhooks/new"),
    Picture("log", "log", size=(1280, 600)),
    Picture("log-narrow", "log", size=_TELEPHONE),
    Picture("delivery", "log/<delivery_id>"),
    Picture("delivery-dark", "log/<delivery_id>", scheme="dark"),
    Picture("type", "types/<event_type>"),
    Picture("queues", "queues"),
)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_each_picture_of_the_docs_can_be_made_and_is_there(
    picture: Picture, visitors: dict[Visitor, Person], scene: Scene, tmp_path: Path
) -> None:
    person = page_of(picture.route, picture.what).opened(visitors, scene)
    person.looks_at(picture.size, picture.scheme)
    person.page.evaluate(_SHOW_OTHER_URLS, scene.urls())
    if picture.name == "webhook-form":
        fill_in(person)
    folder = Path(os.environ.get("SCREENSHOTS_TO") or tmp_path)

    person.page.screenshot(path=folder / f"{picture.name}.png", animations="disabled")

    made, kept = folder / f"{picture.name}.png", IMAGES / f"{picture.name}.png"
    assert kept.exists(), "make screenshots"
    assert made.stat().st_size <= _MOST_BYTES
    assert kept.stat().st_size <= _MOST_BYTES
    assert size_of(kept) == size_of(made) == picture.size


def fill_in(person: Person) -> None:
    person.fill("Name", "Till")
    person.fill("URL", "https://till.brewandbean.example/webhooks")
    person.choose("Format", "Zinrelo")
    expect(person.find("region", "Preview")).to_contain_text("POST /webhooks HTTP/1.1")
    expect(person.find("region", "Preview")).to_contain_text("x-zinrelo-signature")
    person.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def size_of(image: Path) -> tuple[int, int]:
    """Width and height in the header of a PNG."""
    width, height = struct.unpack(">II", image.read_bytes()[16:24])
    return width, height
