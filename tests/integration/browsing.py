"""A browser without a screen, that speaks HTTP to the console's real handler."""

import base64
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import requests

from tests.aws_events import Context, http_api_event
from tests.integration.system import APPS

_SESSION = "__Host-perkwire_session"


class ConsoleServer:
    """Serves the console on loopback, each request as API Gateway hands it on."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["content-length"])))

    def _answer(self, body: bytes | None) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        cookies = [one for one in headers.pop("cookie", "").split("; ") if one]
        event = http_api_event(
            self.command, parts.path, headers=headers, body=body, base64_encoded=body is not None
        )
        event |= {"rawQueryString": parts.query, "cookies": cookies}
        answer: Mapping[str, Any] = APPS["console"].handler(event, Context())
        content = answer.get("body") or ""
        data = base64.b64decode(content) if answer.get("isBase64Encoded") else content.encode()
        self.send_response(answer["statusCode"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        for cookie in answer.get("cookies", []):
            self.send_header("set-cookie", cookie)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@dataclass(frozen=True)
class HtmlForm:
    """A form of a page: where it goes, and what its fields hold."""

    action: str
    fields: Sequence[tuple[str, str]]
    button: str


@dataclass
class _Reader(HTMLParser):
    forms: list[HtmlForm] = field(default_factory=list)
    text: str = ""
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._action: str | None = None
        self._fields: list[tuple[str, str]] = []
        self._area: str | None = None
        self._button = ""
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.append((tag, given))
        self._inside.append(tag)
        name = given.get("name")
        if tag == "form":
            self._action, self._fields, self._button = given.get("action") or "", [], ""
        elif tag == "input" and name:
            is_box = given.get("type") in ("checkbox", "radio")
            if not is_box or "checked" in given:
                self._fields.append((name, given.get("value") or ""))
        elif tag == "textarea" and name:
            self._area = name
            self._fields.append((name, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._action is not None:
            self.forms.append(HtmlForm(self._action, self._fields, " ".join(self._button.split())))
            self._action = None
        if tag == "textarea":
            self._area = None
        while tag in self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            name, before = self._fields[-1]
            self._fields[-1] = (name, before + data.removeprefix("\n"))
        if "button" in self._inside:
            self._button += data
        if not {"script", "style", "title"} & set(self._inside):
            self.text += data


class PageSeen:
    """An answer, as a person and as a program sees it."""

    def __init__(self, answer: requests.Response) -> None:
        self.status = answer.status_code
        self.headers = answer.headers
        self.html = answer.text
        self.cookies = answer.raw.headers.getlist("set-cookie")
        reader = _Reader()
        reader.feed(self.html)
        self.text = " ".join(reader.text.split())
        self.elements = reader.elements
        self.forms = reader.forms

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    def form(self, action: str) -> HtmlForm:
        """The one form that goes to this path."""
        (found,) = [form for form in self.forms if form.action == action]
        return found

    def codes(self) -> Iterator[str]:
        """What stands between <code> and </code>."""
        for found in re.findall(r"<code>(.*?)</code>", self.html, re.DOTALL):
            yield unescape(found)


class Browser:
    """Keeps the session's cookie, and sends what browsers send with a page's own forms."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session: str | None = None

    def get(self, path: str) -> PageSeen:
        """A page, as it was answered: a redirect is not followed."""
        return self._send("GET", path, None, {})

    def open(self, path: str) -> PageSeen:
        """A page, redirects followed."""
        page = self.get(path)
        while page.status == 303:
            page = self.get(page.location)
        return page

    def post(
        self,
        path: str,
        fields: Mapping[str, str | Sequence[str]] | Sequence[tuple[str, str]],
        headers: Mapping[str, str] | None = None,
    ) -> PageSeen:
        """What a form answers; `headers` instead of those that a browser adds."""
        return self.post_bytes(path, urlencode(fields, doseq=True).encode(), headers)

    def post_bytes(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> PageSeen:
        """As `post`, of a body as it stands."""
        own = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        content_type = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._send(
            "POST", path, body, {**(own if headers is None else headers), **content_type}
        )

    def submit(self, form: HtmlForm, **fields: str | Sequence[str]) -> PageSeen:
        """Send a form as it stands on its page, with some fields filled in."""
        sent: dict[str, str | Sequence[str]] = {**dict(form.fields), **fields}
        return self.post(form.action, sent)

    def sign_in(self, key: str) -> PageSeen:
        """Sign in with an API key."""
        return self.submit(self.get("/console/sign-in").form("/console/sign-in"), key=key)

    def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> PageSeen:
        sent = dict(headers)
        if self.session is not None:
            sent["Cookie"] = f"{_SESSION}={self.session}"
        answer = requests.request(
            method, self.url + path, data=body, headers=sent, allow_redirects=False, timeout=30
        )
        page = PageSeen(answer)
        for cookie in page.cookies:
            # Python 3.13 does not know the attribute.
            morsel = SimpleCookie(cookie.replace("; Partitioned", ""))[_SESSION]
            self.session = morsel.value or None
        return page
