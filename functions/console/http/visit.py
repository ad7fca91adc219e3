"""One request to the console: who is looking, what they sent, and how they are answered."""

import json
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from console.http.form import Form, ShownProblem
from console.http.of_account import carrying
from console.http.rendering import Templates
from perkwire.adapters.http_api import HttpEvent, body_of, console_url_of, header_of
from perkwire.managing.signing_in import SESSION_HOURS, Visitor, form_token
from perkwire.model.account import Account, Caller
from perkwire.primitives.ids import AccountId
from perkwire.primitives.problem import Problem, malformed
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS

# Its first letters have browsers take it from this very host only, over TLS or loopback.
SESSION_COOKIE = "__Host-perkwire_session"
HOME = "/console"

_LONGEST_PATH = 2_000
_HTML = "text/html; charset=utf-8"

type HtmlResponse = Response[str]


class Request:
    """What the browser sent."""

    def __init__(self, event: HttpEvent) -> None:
        self.event = event
        self.path: str = event["rawPath"]
        self.query_text: str = event.get("rawQueryString") or ""

    @property
    def is_form(self) -> bool:
        """Whether it is a form that was sent, and not a page that was asked for."""
        method: str = self.event["requestContext"]["http"]["method"]
        return method == "POST"

    def header(self, name: str) -> str | None:
        """A header, by its lower-case name."""
        return header_of(self.event, name)

    @cached_property
    def session_token(self) -> str | None:
        """The token in the session's cookie."""
        # API Gateway takes cookies out of the headers; the local one leaves them there.
        given: list[str] = self.event.get("cookies") or (self.header("cookie") or "").split(";")
        for cookie in given:
            name, _, value = cookie.strip().partition("=")
            if name == SESSION_COOKIE:
                return value
        return None

    @cached_property
    def query(self) -> Form:
        """The parameters of the URL; raises the 400 problem."""
        return Form.parse(self.query_text)

    @cached_property
    def form(self) -> Form:
        """The fields of the form in the body; raises the 400 problem."""
        try:
            return Form.parse(body_of(self.event).decode())
        except UnicodeDecodeError:
            raise malformed("The form cannot be read.") from None

    @property
    def here(self) -> str:
        """The path and query, to come back to after signing in."""
        return f"{self.path}?{self.query_text}" if self.query_text else self.path


class Visit:
    """A request whose sender is known, as far as the page needs it."""

    def __init__(
        self,
        request: Request,
        templates: Templates,
        *,
        shared: Mapping[str, Any],
        visitor: Visitor | None = None,
        account: Account | None = None,
        token: str | None = None,
        is_framed: bool = False,
    ) -> None:
        """`is_framed`: in a page of another host that may embed the console."""
        self.request = request
        self.visitor = visitor
        self.account = account
        self.is_framed = is_framed
        self._templates = templates
        self._shared = shared
        self._token = token

    @property
    def query(self) -> Form:
        """The parameters of the URL."""
        return self.request.query

    @property
    def form(self) -> Form:
        """The fields of the form."""
        return self.request.form

    @property
    def caller(self) -> Caller:
        """Who is signed in; only on pages that need it."""
        return self._known.caller

    @property
    def account_id(self) -> AccountId:
        """The account that the page is about; only on pages that need one."""
        if self._known.account_id is None:
            raise RuntimeError("this page is about no account")
        return self._known.account_id

    @property
    def read_version(self) -> set[int]:
        """The version of what the form is about, as it was when it was opened; none if unsaid."""
        version = self.form.number("version")
        return {version} if isinstance(version, int) else set()

    @property
    def is_operator(self) -> bool:
        """Whether an operator is signed in."""
        return self.visitor is not None and self.visitor.caller.is_operator

    @property
    def entered(self) -> Account | None:
        """The account that an operator has entered; None for who belongs to one."""
        return self.account if self.is_operator else None

    @property
    def session_token(self) -> str:
        """The session's token; only on pages that need one to be signed in."""
        return self._token or self.request.session_token or ""

    @property
    def form_token(self) -> str:
        """What each form carries as `csrf`; empty for who is not signed in."""
        if self.visitor is None:
            return ""
        return form_token(self.session_token, self.visitor.account_id)

    def console_url(self, configured: str) -> str:
        """Where the console is, for links that leave it."""
        return console_url_of(self.request.event, configured)

    def page(
        self,
        template: str,
        *,
        status: int = 200,
        problem: Problem | None = None,
        filled_as: Mapping[str, str] | None = None,
        **context: object,
    ) -> HtmlResponse:
        """A page; with a problem, its status, unless another is given."""
        shown = None if problem is None else ShownProblem(problem, filled_as)
        if shown is not None and status == HTTPStatus.OK:
            status = shown.status
        body = self._templates.render(
            template,
            {**self._shared, "visit": self, "problem": shown, "form": Form({}), **context},
        )
        if self.entered is not None:
            body = carrying(body, self.entered.id)
        return Response(status_code=status, content_type=_HTML, body=body)

    def go(self, path: str, **query: str) -> HtmlResponse:
        """Show another page instead: what a form that has done its work answers."""
        location = f"{path}?{urlencode(query)}" if query else path
        return Response(status_code=303, body="", headers={"location": location})

    def json(self, value: Json, status: int = 200) -> HtmlResponse:
        """Data for the script of a page."""
        return Response(status_code=status, content_type="application/json", body=json.dumps(value))

    def download(self, name: str, content_type: str, body: str) -> HtmlResponse:
        """A file to keep. `name` is ours, of ASCII letters, digits, dots and dashes."""
        return Response(
            status_code=200,
            content_type=content_type,
            body=body,
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    @property
    def _known(self) -> Visitor:
        if self.visitor is None:
            raise RuntimeError("this page does not ask who is looking")
        return self.visitor


def with_session(answer: HtmlResponse, token: str, *, is_framed: bool) -> HtmlResponse:
    """The answer that signs a browser in; framed, below the page that embeds this one only."""
    answer.cookies.append(_cookie(token, SESSION_HOURS * HOUR_SECONDS, is_framed=is_framed))
    return answer


def without_session(answer: HtmlResponse, *, is_framed: bool) -> HtmlResponse:
    """The answer that makes a browser forget its session."""
    answer.cookies.append(_cookie("", -1, is_framed=is_framed))
    return answer


def own_path(text: str) -> str:
    """A path of the console to go to next, or its first page: never another site's."""
    fits = len(text) <= _LONGEST_PATH and text.isascii() and text.isprintable()
    return text if fits and "\\" not in text and text.startswith(f"{HOME}/") else HOME


def split_url(text: str) -> SplitResult:
    """The parts of the URL that a header holds; all of them empty if it cannot be read as one."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


def _cookie(value: str, max_age: int, *, is_framed: bool) -> Cookie:
    """Lax, so that no other site's requests carry it.

    In a frame of another site browsers would never send such a one. There it may be sent, and is
    kept apart for each embedding site: no other's page ever comes with it.
    """
    return Cookie(
        name=SESSION_COOKIE,
        value=value,
        path="/",
        secure=True,
        http_only=True,
        same_site=SameSite.NONE_MODE if is_framed else SameSite.LAX_MODE,
        max_age=max_age,
        custom_attributes=["Partitioned"] if is_framed else None,
    )
