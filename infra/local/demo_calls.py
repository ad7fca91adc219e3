"""What the demonstration calls: the public API with a key, and the console as a browser does."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

_SECONDS = 60


class DemoError(RuntimeError):
    """The system did not do what the demo asked for; the message is one line."""


class Api:
    """The public API, with a key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what is answered; raises DemoError unless it is a success."""
        request = urllib.request.Request(  # noqa: S310 - our own API's address
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                return cast(dict[str, Any], json.load(answer))
        except urllib.error.HTTPError as error:
            raise _refused(method, path, error) from None


class Browser:
    """Somebody in the console, without a screen: keeps the session, and sends forms of pages."""

    def __init__(self, url: str) -> None:
        self._url = url
        # The session's cookie is for HTTPS, or, as browsers have it, for this machine.
        policy = DefaultCookiePolicy(secure_protocols=("http", "https"))
        cookies = urllib.request.HTTPCookieProcessor(CookieJar(policy))
        self._opener = urllib.request.build_opener(cookies)

    def sign_in(self, link: str) -> None:
        """Use a console link; raises DemoError as all below."""
        parts = urlsplit(link)
        self.send(f"{parts.path}?{parts.query}", "/console/enter")

    def send(self, page: str, action: str) -> str:
        """Send a form of a page with nothing chosen; what is shown then, or given out."""
        reader = _Fields(action)
        reader.feed(self._answer("GET", page))
        return self._answer("POST", action, reader.fields)

    def _answer(
        self, method: str, path: str, fields: Iterable[tuple[str, str]] | None = None
    ) -> str:
        request = urllib.request.Request(  # noqa: S310 - our own console's address
            self._url + path,
            data=None if fields is None else urlencode([*fields]).encode(),
            method=method,
            headers={"Origin": self._url},
        )
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                return cast(bytes, answer.read()).decode()
        except urllib.error.HTTPError as error:
            raise _refused(method, path, error) from None


class _Fields(HTMLParser):
    """The hidden fields of one form of a page."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._action = action
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._is_inside = given.get("action") == self._action
        elif tag == "input" and self._is_inside and given.get("type") == "hidden":
            self.fields.append((given.get("name") or "", given.get("value") or ""))


def _refused(method: str, path: str, error: urllib.error.HTTPError) -> DemoError:
    detail = error.read().decode(errors="replace")[:300]
    return DemoError(f"{method} {path} was answered {error.code}: {detail}")
