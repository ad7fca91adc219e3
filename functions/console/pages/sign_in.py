"""Signing in, by an API key or a console link, and out; and where one lands after it."""

from http import HTTPStatus

from console.http.kept_forms import carried_form
from console.http.registry import KEPT, Needs, Pages
from console.http.visit import HOME, HtmlResponse, Visit, own_path, with_session, without_session
from perkwire.adapters.wiring import UseCases
from perkwire.primitives.ids import AccountId
from perkwire.primitives.problem import FieldError, Problem, invalid, not_found
from perkwire.settings.console import ConsoleSettings

_WHY = {
    "ended": "Your session has ended. Sign in again to go on.",
    "unsaved": "Your session has ended, and what you sent was not saved. Sign in again to go on.",
    "out": "You are signed out.",
}
_LONGEST_TOKEN = 128


def add(pages: Pages, use_cases: UseCases, _settings: ConsoleSettings) -> None:
    """Add the pages."""
    signing_in = use_cases.signing_in

    @pages.page(HOME, Needs.ANYONE)
    def home(visit: Visit) -> HtmlResponse:
        path = pages.first_path(visit)
        if path is None:
            raise not_found("page")
        return visit.go(path)

    @pages.page("/console/sign-in", Needs.NOBODY)
    def show_sign_in(visit: Visit) -> HtmlResponse:
        return visit.page(
            "sign_in.html",
            next=own_path(visit.query.text("next")),
            kept=None,
            why=_WHY.get(visit.query.text("why")),
        )

    @pages.form("/console/sign-in", Needs.NOBODY)
    def sign_in(visit: Visit) -> HtmlResponse:
        wanted = own_path(visit.form.text("next"))
        kept = carried_form(visit.form)
        try:
            token = signing_in.by_key(visit.form.text("key"))
            if token is None:
                raise invalid([FieldError("key", "is not an API key that works")])
        except Problem as problem:
            return visit.page("sign_in.html", problem=problem, next=wanted, why=None, kept=kept)
        answer = visit.go(wanted) if kept is None else pages.go_on(visit, kept, token)
        return with_session(answer, token, is_framed=visit.is_framed)

    @pages.form("/console/go-on", Needs.NOBODY)
    def go_on(visit: Visit) -> HtmlResponse:
        """For who has signed in in another tab, by a console link for example."""
        kept = carried_form(visit.form)
        token = visit.request.session_token
        if kept is None:
            return visit.go(HOME)
        if token is None or signing_in.visitor(token) is None:
            return visit.page("sign_in.html", next=HOME, why=KEPT, kept=kept)
        return pages.go_on(visit, kept, token)

    @pages.page("/console/enter", Needs.NOBODY)
    def show_link(visit: Visit) -> HtmlResponse:
        token = visit.query.text("token")
        account = signing_in.linked(token) if len(token) <= _LONGEST_TOKEN else None
        if account is None:
            return _link_over(visit)
        return visit.page("link.html", token=token, account=account)

    @pages.form("/console/enter", Needs.NOBODY)
    def use_link(visit: Visit) -> HtmlResponse:
        token = visit.form.text("token")
        session = signing_in.by_link(token) if len(token) <= _LONGEST_TOKEN else None
        if session is None:
            return _link_over(visit)
        return with_session(visit.go(HOME), session, is_framed=visit.is_framed)

    @pages.form("/console/sign-out", Needs.ANYONE)
    def sign_out(visit: Visit) -> HtmlResponse:
        signing_in.sign_out(visit.session_token)
        answer = visit.go("/console/sign-in", why="out")
        return without_session(answer, is_framed=visit.is_framed)

    @pages.form("/console/accounts/<account_id>/enter", Needs.OPERATOR)
    def enter(visit: Visit, account_id: str) -> HtmlResponse:
        signing_in.enter(visit.session_token, visit.caller, AccountId(account_id))
        return visit.go(own_path(visit.form.text("next")))

    @pages.form("/console/leave", Needs.OPERATOR)
    def leave(visit: Visit) -> HtmlResponse:
        signing_in.leave(visit.session_token, visit.caller)
        return visit.go(HOME)


def _link_over(visit: Visit) -> HtmlResponse:
    return visit.page("link_over.html", status=HTTPStatus.GONE)
