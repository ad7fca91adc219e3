"""What holds for every page: no barrier, no shift, nothing too wide, all of it by keyboard."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

import console.pages
from tests.browser.pages import NO_PAGES, PAGES, PageToSee, Visitor
from tests.browser.person import NARROW, WIDE, Person
from tests.browser.scene import Scene

# The first test also builds and starts the system.
pytestmark = pytest.mark.timeout(400)

_STOPS_OF_A_TIME = 8
_WIDTHS = (375, 720, 800, 900, 1024, 1440)
# Names of webhooks and accounts as long as people make them, with no place to break.
_MAKE_NAMES_LONG = """(names) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const name of names) {
      texts.currentNode.data = texts.currentNode.data.replaceAll(name, "W".repeat(40));
    }
  }
}"""

# What a keyboard must reach, in the order of the page; of radio buttons, one of each group.
_REACHABLE = """() => {
  const all = "a[href], button, input, select, textarea, summary, [tabindex]";
  return [...document.querySelectorAll(all)].filter((one) =>
    one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0
    && one.type !== "hidden" && (one.type !== "radio" || one.checked)
  ).map((one) => one.outerHTML.slice(0, 150));
}"""
# What each press of the key comes to.
_NOTE_FOCUS = """() => {
  window.passed = [];
  addEventListener("focusin", ({ target }) => {
    const style = getComputedStyle(target);
    const box = target.getBoundingClientRect();
    window.passed.push({
      html: target.outerHTML.slice(0, 150),
      isMarked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
      isInView: box.bottom > 0 && box.top < innerHeight && box.width > 0 && box.height > 0,
    });
  });
}"""
_SHIFTS = """() => new Promise((resolve) => {
  const found = [];
  const note = (list) => {
    for (const entry of list.getEntries()) {
      for (const { node } of entry.sources) {
        found.push(`${entry.value}: ${node?.outerHTML?.slice(0, 120)}`);
      }
    }
  };
  const observer = new PerformanceObserver(note);
  observer.observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => {
    note({ getEntries: () => observer.takeRecords() });
    resolve(found);
  }));
})"""


def get_routes() -> set[str]:
    """The routes of GET that the page modules add."""
    found: set[str] = set()

    class Recorder:
        def __init__(self) -> None:
            self.sections: list[object] = []
            self.done: dict[str, str] = {}
            self.undone: dict[str, str] = {}

        def page(self, path: str, *_: object) -> Callable[[Any], Any]:
            found.add(path)
            return lambda work: work

        def form(self, *_: object) -> Callable[[Any], Any]:
            return lambda work: work

    for file in Path(console.pages.__path__[0]).glob("[a-z]*.py"):
        if file.stem not in ("static_files", "outcomes"):
            module = importlib.import_module(f"console.pages.{file.stem}")
            module.add(Recorder(), MagicMock(), MagicMock())
    return found


def test_every_page_of_the_console_is_in_the_list() -> None:
    seen = {page.route for page in PAGES}

    assert get_routes() - NO_PAGES <= seen
    assert seen - get_routes() == {"/console/nothing-here"}


@pytest.fixture(scope="module", params=PAGES, ids=lambda seen: seen.name)
def person(
    request: pytest.FixtureRequest, session_visitors: dict[Visitor, Person], scene: Scene
) -> Iterator[Person]:
    """Whoever has just opened a page: once for all that is tried there."""
    seen: PageToSee = request.param
    person = seen.opened(session_visitors, scene)
    yield person
    wrongs, person.wrongs = person.wrongs, []
    assert wrongs == []


# In this order, for each page: what was only just loaded, what stays as it is, what is changed.


def test_nothing_moves_while_the_page_loads(person: Person) -> None:
    assert person.page.evaluate(_SHIFTS) == []


def test_axe_finds_no_barrier_and_nothing_is_too_wide(person: Person) -> None:
    found = person.barriers()
    person.looks_at(WIDE, "dark")
    found += person.barriers(contrast_only=True)
    person.looks_at(NARROW, "dark")
    found += person.barriers()

    assert found == []
    assert person.overflow() == 0


def test_a_keyboard_reaches_everything_in_order_and_shows_where_it_is(person: Person) -> None:
    person.looks_at(WIDE, "light")
    wanted = person.page.evaluate(_REACHABLE)
    person.page.evaluate(_NOTE_FOCUS)

    # Once round: past the browser's own window, and a field for times has many stops of its own.
    times = sum('type="datetime-local"' in one for one in wanted)
    for _ in range(len(wanted) + 1 + times * _STOPS_OF_A_TIME):
        person.page.keyboard.press("Tab")

    passed = person.page.evaluate("window.passed")
    start = wanted.index(passed[0]["html"])
    assert [one["html"] for one in passed][: len(wanted)] == wanted[start:] + wanted[:start]
    assert [one["html"] for one in passed if not (one["isMarked"] and one["isInView"])] == []


def test_nothing_is_too_wide_at_any_width_with_long_names(person: Person, scene: Scene) -> None:
    person.page.evaluate(_MAKE_NAMES_LONG, scene.names)

    too_wide = {}
    for width in _WIDTHS:
        person.looks_at((width, 800), "light")
        too_wide[width] = person.overflow()

    assert too_wide == dict.fromkeys(_WIDTHS, 0)
