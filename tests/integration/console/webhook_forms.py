"""The console's forms of webhooks filled and sent, and what its pages show of a webhook."""

import re
from collections.abc import Iterator, Sequence
from html import unescape

from tests.integration.browsing import Browser, HtmlForm, PageSeen

NEW = "/console/webhooks/new"
FORM = "/console/webhooks"


def filled(form: HtmlForm, **changes: str | Sequence[str]) -> list[tuple[str, str]]:
    """What a browser sends of a form, rows of the same name each, with some fields changed."""
    kept = [(name, value) for name, value in form.fields if name not in changes]
    changed = [
        (name, value)
        for name, values in changes.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return kept + changed


def send(browser: Browser, path: str, form: HtmlForm, **changes: str | Sequence[str]) -> PageSeen:
    """Press a button of the form that goes to this path."""
    return browser.post(path, filled(form, **changes))


def element(page: PageSeen, element_id: str) -> str:
    """The text within an element that holds only text."""
    found = re.search(rf'id="{element_id}"[^>]*>(.*?)</pre>', page.html, re.DOTALL)
    assert found, f"there is no {element_id}"
    return unescape(found[1])


def preview_headers(page: PageSeen) -> dict[str, str]:
    lines = element(page, "preview-headers").splitlines()[1:]
    return {name: value for name, _, value in (line.partition(": ") for line in lines if line)}


def attributes(page: PageSeen) -> Iterator[tuple[str, str, str]]:
    for tag, given in page.elements:
        for name, value in given.items():
            yield tag, name, value or ""


def is_harmless(page: PageSeen) -> bool:
    """No element, handler or address of a hostile string has come to life."""
    tags = {tag for tag, _ in page.elements if tag in ("script", "img", "svg")}
    scripts = [given for tag, given in page.elements if tag == "script" and not given.get("src")]
    sources = [
        value for tag, name, value in attributes(page) if tag in ("script", "img") and name == "src"
    ]
    handlers = [name for _, name, _ in attributes(page) if name.startswith("on")]
    return (
        "svg" not in tags
        and not scripts
        and not handlers
        and all(source.startswith("/console/static/") for source in sources)
    )
