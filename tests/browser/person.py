"""Someone at the console, who knows it by the names of what is on the screen."""

import re
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Error, Locator, Request, expect

from tests.e2e.system import Account, LocalSystem, until

type Role = Literal["button", "link", "checkbox", "radio", "row", "region", "heading"]
type Name = str | re.Pattern[str]

WIDE = (1280, 800)
NARROW = (360, 740)

_PATIENCE_MILLISECONDS = 45_000
# Chromium says so of every 4xx, those that a test is about among them.
_ANSWERED_WITH_AN_ERROR = "Failed to load resource"
_CONTRAST_ONLY = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
_SHOWN_TWICE = """() => new Promise((resolve) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve))))"""
_ALL_RULES = {"resultTypes": ["violations"]}


class Person:
    """One browser with its own cookies. Counts what is done with mouse and keyboard.

    `wrongs` holds what no page may ever do: open a dialog, run a foreign script, break a rule of
    its own Content-Security-Policy, throw, or ask another host for something.
    """

    def __init__(self, chromium: Browser, system: LocalSystem, **options: Any) -> None:  # noqa: ANN401 - those of Playwright's contexts
        self._system = system
        self.url = system.local["api_url"]
        width, height = options.pop("size", WIDE)
        self.context = chromium.new_context(
            base_url=self.url,
            viewport={"width": width, "height": height},
            locale="en-GB",
            timezone_id="America/New_York",
            # What is seen is how it stays.
            reduced_motion="reduce",
            **options,
        )
        self.context.set_default_timeout(_PATIENCE_MILLISECONDS)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=self.url)
        self.page = self.context.new_page()
        self.wrongs: list[str] = []
        self.interactions = 0
        self.page.on("dialog", self._on_dialog)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_error)
        self.context.on("request", self._on_request)

    # What is done.

    def open(self, path: str) -> None:
        """Go to an address."""
        self.page.goto(path)

    def click(self, role: Role, name: Name, *, within: Locator | None = None) -> None:
        self.interactions += 1
        self.page.wait_for_load_state()  # a script that is not there yet does not take the click
        self.find(role, name, within=within).click()

    def goes_to(self, section: str) -> None:
        """By the navigation, which is on every page."""
        self.click("link", section, within=self.page.get_by_role("navigation", name="Console"))

    def press_summary(self, name: Name, *, within: Locator | None = None) -> None:
        """Open what is folded away."""
        self.interactions += 1
        (within or self.page.get_by_role("main")).locator("summary", has_text=name).click()

    def fill(self, label: Name, text: str) -> None:
        self.interactions += 1
        self.field(label).fill(text)

    def choose(self, label: Name, option: str) -> None:
        self.interactions += 1
        self.field(label).select_option(label=option)

    def tick(self, role: Literal["checkbox", "radio"], name: Name) -> None:
        self.interactions += 1
        self.find(role, name).check()

    def untick(self, role: Literal["checkbox"], name: Name) -> None:
        """The first of this name."""
        self.interactions += 1
        self.find(role, name).first.uncheck()

    def downloads(self, name: str, role: Role = "link") -> str:
        """The text of the file behind a link or a button."""
        with self.page.expect_download() as download:
            self.click(role, name)
        return download.value.path().read_text()

    def sign_in(self, key: str, path: str = "/console") -> None:
        """With an API key, at the page that asks for one."""
        self.open(path)
        self.fill("API key", key)
        self.click("button", "Sign in")
        expect(self.find("button", "Sign out")).to_be_visible()

    def sign_in_by_link(self, account: Account) -> None:
        """With a console link that an operator has made."""
        self.open(self.new_link(account))
        self.click("button", re.compile("^Sign in as"))

    def new_link(self, account: Account) -> str:
        """An unused console link, from the operator."""
        path = f"/v1/accounts/{account.id}/console-links"
        status, link = self._system.call("POST", path, {})
        assert status == 201, link
        return str(link["url"])

    def looks_at(self, size: tuple[int, int], scheme: Literal["light", "dark"]) -> None:
        """Turn the screen to this size and the page to this colour scheme."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.emulate_media(color_scheme=scheme)
        # What the page itself does about it is done before it is shown for the second time.
        self.page.evaluate(_SHOWN_TWICE)

    def forget_what_is_cached(self) -> None:
        """As if the browser had never been here."""
        self.context.new_cdp_session(self.page).send("Network.clearBrowserCache")

    def leave(self) -> None:
        """Close the browser."""
        self.context.close()

    # What is seen.

    def find(self, role: Role, name: Name, *, within: Locator | None = None) -> Locator:
        return (within or self.page).get_by_role(role, name=name, exact=isinstance(name, str))

    def field(self, label: Name) -> Locator:
        """The field of this label; what stands behind it, such as "optional", may be left out."""
        if isinstance(label, str):
            label = re.compile(rf"^\s*{re.escape(label)}(\s+(optional|UTC|GMT[-+][\d:]+))?\s*$")
        return self.page.get_by_label(label)

    def row(self, text: Name) -> Locator:
        return self.page.get_by_role("row").filter(has_text=text)

    def sees(self, text: Name) -> None:
        """The words are on the screen, at least once."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    def reads_again_until(self, seen: Name | Locator) -> None:
        """Load the page again, as one does, until this or these words are on it."""
        if not isinstance(seen, Locator):
            seen = self.page.get_by_role("main").get_by_text(seen).first
        found = seen

        def is_seen() -> bool:
            if found.is_visible():
                return True
            self.page.reload()
            return False

        until(is_seen, f"{found} on the page")

    def is_at(self, heading: Name) -> None:
        """The page has this first heading."""
        expect(self.page.get_by_role("heading", level=1, name=heading)).to_be_visible()

    def is_told(self, text: Name) -> None:
        """A status or an alert says so."""
        told = self.page.get_by_role("status").or_(self.page.get_by_role("alert"))
        expect(told.filter(has_text=text).first).to_be_visible()

    def barriers(self, *, contrast_only: bool = False) -> list[str]:
        """What axe finds wrong with the page as it is now."""
        rules = _CONTRAST_ONLY if contrast_only else _ALL_RULES
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate("rules => axe.run(rules)", rules)["violations"]
        return [
            f"{one['id']} {node['target']}: {node['failureSummary']}"
            for one in found
            for node in one["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than the screen."""
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    # What no page may do.

    def _on_dialog(self, dialog: Dialog) -> None:
        self.wrongs.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_ANSWERED_WITH_AN_ERROR):
            self.wrongs.append(message.text)

    def _on_error(self, error: Error) -> None:
        self.wrongs.append(f"an error of a script: {error}")

    def _on_request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.wrongs.append(f"a request to another host: {request.url}")
