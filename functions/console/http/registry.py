"""The pages of the console: who may see each, and what comes before and after its own work."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from console.http.kept_forms import KeptForm, kept_form
from console.http.other_account import OfAnotherAccount, check_account, say_account
from console.http.rendering import Templates
from console.http.return_paths import ReturnPaths
from console.http.visit import HOME, HtmlResponse, Request, Visit, split_url, without_session
from perkwire.adapters.http_api import problem_of
from perkwire.adapters.telemetry import Telemetry
from perkwire.managing.signing_in import Accounts, SigningIn, Visitor, is_form_token
from perkwire.model.account import Account, Scope
from perkwire.model.account_rates import AccountRates
from perkwire.model.activity import BY_NOBODY, Acting
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId
from perkwire.primitives.problem import Problem, not_found

LONGEST_PART = 128
KEPT = (
    "Your session has ended. What you sent is not saved yet, and is kept on this page: sign in to "
    "go on with it."
)

_FRAMES = ("iframe", "frame")
"""What browsers say that a page is for, in Sec-Fetch-Dest."""

type PageHandler = Callable[..., HtmlResponse]


class Needs(enum.Enum):
    """Who may see a page."""

    NOBODY = enum.auto()
    """Who is signed in or not."""
    ANYONE = enum.auto()
    """Whoever is signed in."""
    ACCOUNT = enum.auto()
    """An account's admin, or an operator who has entered an account."""
    OPERATOR = enum.auto()
    """An operator."""


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the navigation; `path` is its first page, and where its others are below."""

    title: str
    path: str
    needs: Needs = Needs.ACCOUNT


class _SignInFirst(Exception):
    """The page needs someone, and nobody is signed in."""


class Pages:
    """Where page modules put their pages. `sections` are the navigation, in its order.

    `done` are the sentences that a page may show after a form has done its work, by the word that
    `visit.go(path, done=word)` names; `undone` are those of forms that have done nothing.
    `everywhere` gives what every template may name.
    """

    def __init__(
        self,
        resolver: APIGatewayHttpResolver,
        *,
        signing_in: SigningIn,
        accounts: Accounts,
        templates: Templates,
        telemetry: Telemetry,
        rates: AccountRates,
        acting: Acting,
        console_url: str,
        everywhere: Callable[[], Mapping[str, Any]],
        may_be_framed: bool,
    ) -> None:
        self._resolver = resolver
        self._signing_in = signing_in
        self._accounts = accounts
        self._templates = templates
        self._telemetry = telemetry
        self._rates = rates
        self._acting = acting
        self._console_url = console_url
        self._everywhere = everywhere
        self._may_be_framed = may_be_framed
        self._return_paths = ReturnPaths()
        self.sections: list[Section] = []
        self.done: dict[str, str] = {}
        self.undone: dict[str, str] = {}
        resolver.not_found(lambda _error: self._no_page())

    def page(self, path: str, needs: Needs = Needs.ACCOUNT) -> Callable[[PageHandler], PageHandler]:
        """A decorator: GET of this path, `<name>` in it being a parameter of the function."""
        return self._adding(self._resolver.get, path, needs, is_form=False)

    def form(self, path: str, needs: Needs = Needs.ACCOUNT) -> Callable[[PageHandler], PageHandler]:
        """A decorator: POST of this path, by a form that this console made for this session."""
        return self._adding(self._resolver.post, path, needs, is_form=True)

    def first_path(self, visit: Visit) -> str | None:
        """The first page that there is for someone who has signed in."""
        return next((one.path for one in self._sections_for(visit.visitor)), None)

    def go_on(self, visit: Visit, kept: KeptForm, token: str) -> HtmlResponse:
        """Offer to send a kept form, now that the session of this token is there.

        An operator is in the account that it was for. Raises Problem and Unavailable.
        """
        visitor = self._signing_in.visitor(token)
        if visitor is None or not self._return_paths.is_form(kept.path):
            return visit.go(HOME)
        if visitor.caller.is_operator and kept.account_id not in ("", visitor.account_id):
            account = self._signing_in.enter(token, visitor.caller, AccountId(kept.account_id))
            visitor = replace(visitor, account_id=account.id, account=account)
        account_id = visitor.account_id
        found = visitor.account or (self._accounts.find(account_id) if account_id else None)
        seen = self._visit(visit.request, visitor, found, token=token)
        is_others = kept.account_id not in ("", account_id or "")
        return seen.page("go_on.html", kept=kept, is_others=is_others, home=HOME)

    def _adding(
        self, route: Callable[..., Any], path: str, needs: Needs, *, is_form: bool
    ) -> Callable[[PageHandler], PageHandler]:
        def add(handler: PageHandler) -> PageHandler:
            def answer(**parts: str) -> HtmlResponse:
                return self._answer(handler, needs, parts, is_form=is_form)

            self._return_paths.add(path, is_form=is_form)
            route(path)(answer)
            return handler

        return add

    def _answer(
        self, handler: PageHandler, needs: Needs, parts: Mapping[str, str], *, is_form: bool
    ) -> HtmlResponse:
        request = Request(self._resolver.current_event.raw_event)
        self._acting.actor = BY_NOBODY
        visit, is_of_account = self._visit(request), False
        try:
            if is_form:
                self._check_origin(request)
            if needs is not Needs.NOBODY:
                visit = self._known(request)
                is_of_account = needs is Needs.ACCOUNT or (needs is Needs.ANYONE and not is_form)
                if is_of_account:
                    check_account(visit)
                _check_needs(visit, needs)
                if is_form:
                    _check_form(visit)
            if any(len(part) > LONGEST_PART for part in parts.values()):
                raise not_found("page")
            answer = handler(visit, **parts)
            return say_account(visit, answer) if is_of_account else answer
        except _SignInFirst:
            return self._sign_in_first(visit, is_form=is_form)
        except OfAnotherAccount as other:
            return self._other_account(visit, other.account_id)
        except Exception as error:
            return self._problem(visit, problem_of(error, self._telemetry))

    def _known(self, request: Request) -> Visit:
        token = request.session_token
        visitor = self._signing_in.visitor(token) if token else None
        if visitor is None:
            raise _SignInFirst
        self._rates.count(visitor.caller)
        self._acting.actor = visitor.actor
        account = visitor.account
        if account is None and visitor.account_id is not None:
            account = self._accounts.find(visitor.account_id)
        return self._visit(request, visitor, account)

    def _visit(
        self,
        request: Request,
        visitor: Visitor | None = None,
        account: Account | None = None,
        *,
        token: str | None = None,
    ) -> Visit:
        shared = {
            **self._everywhere(),
            "sections": self._sections_for(visitor),
            "done": self._said(self.done, request),
            "not_done": self._said(self.undone, request),
            "form_page": self._form_page(request),
        }
        return Visit(
            request,
            self._templates,
            shared=shared,
            visitor=visitor,
            account=account,
            token=token,
            is_framed=self._may_be_framed and request.header("sec-fetch-dest") in _FRAMES,
        )

    def _sections_for(self, visitor: Visitor | None) -> list[Section]:
        if visitor is None:
            return []
        has = {Needs.ANYONE}
        has |= {Needs.ACCOUNT} if visitor.account_id is not None else set()
        has |= {Needs.OPERATOR} if visitor.caller.is_operator else set()
        return [section for section in self.sections if section.needs in has]

    def _form_page(self, request: Request) -> str | None:
        """Where the page is on which a form was; None for a page that answers none."""
        referer = request.header("referer")
        return self._return_paths.from_form(referer) if request.is_form and referer else None

    def _said(self, sentences: Mapping[str, str], request: Request) -> str | None:
        try:
            return sentences.get(request.query.text("done"))
        except Problem:
            return None

    def _check_origin(self, request: Request) -> None:
        """Raise the 403 problem unless the browser says that one of our own pages sent the form."""
        site = request.header("sec-fetch-site")
        if site is not None:
            if site != "same-origin":
                raise _from_elsewhere()
            return
        host = split_url(request.header("origin") or "").netloc
        own = {request.header("host"), split_url(self._console_url).netloc}
        if not host or host not in own:
            raise _from_elsewhere()

    def _sign_in_first(self, visit: Visit, *, is_form: bool) -> HtmlResponse:
        has_ended = visit.request.session_token is not None
        referer = visit.request.header("referer") or ""
        kept = kept_form(visit.request) if is_form else None
        query = {"next": self._return_paths.from_form(referer) if is_form else visit.request.here}
        if kept is not None:
            answer = visit.page(
                "sign_in.html", status=HTTPStatus.FORBIDDEN, next=query["next"], why=KEPT, kept=kept
            )
            return without_session(answer, is_framed=visit.is_framed) if has_ended else answer
        if has_ended:
            query["why"] = "unsaved" if is_form else "ended"
        answer = visit.go("/console/sign-in", **query)
        return without_session(answer, is_framed=visit.is_framed) if has_ended else answer

    def _other_account(self, visit: Visit, account_id: AccountId) -> HtmlResponse:
        try:
            was = self._accounts.find(account_id)
        except Exception as error:
            return self._problem(visit, problem_of(error, self._telemetry))
        back = self._form_page(visit.request) or visit.request.here
        return visit.page("other_account.html", status=HTTPStatus.CONFLICT, was=was, next=back)

    def _no_page(self) -> HtmlResponse:
        request = Request(self._resolver.current_event.raw_event)
        visit = self._visit(request)
        try:
            visit = self._known(request)
        except _SignInFirst:
            pass
        except Exception as error:
            return self._problem(visit, problem_of(error, self._telemetry))
        return self._problem(visit, not_found("page"))

    def _problem(self, visit: Visit, problem: Problem) -> HtmlResponse:
        answer = visit.page("problem.html", problem=problem)
        answer.headers.update(problem.headers())
        return answer


def _check_needs(visit: Visit, needs: Needs) -> None:
    if needs is Needs.OPERATOR:
        visit.caller.require(Scope.OPERATOR)
    if needs is Needs.ACCOUNT:
        visit.caller.require(Scope.WEBHOOKS)
        if visit.account is None:
            raise _no_account()


def _check_form(visit: Visit) -> None:
    visitor = visit.visitor
    account_id: AccountId | None = None if visitor is None else visitor.account_id
    if not is_form_token(visit.form.text("csrf"), visit.session_token, account_id):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "stale-form",
            "This form is no longer valid.",
            detail="You have signed in again or entered another account since it was opened. "
            "Nothing was changed. Go back, load the page again, and send the form once more.",
        )


def _from_elsewhere() -> Problem:
    return Problem(
        HTTPStatus.FORBIDDEN,
        "foreign-form",
        "This form did not come from the console.",
        detail="Nothing was changed. Open the console itself and do it there.",
    )


def _no_account() -> Problem:
    return Problem(
        HTTPStatus.CONFLICT,
        "no-account",
        "This page is about one account.",
        detail="Enter the account first, from the list of accounts.",
    )
