"""A console link by mail, for who has signed in before: where the stack can send mails."""

from console.http.registry import Needs, Pages
from console.http.visit import HtmlResponse, Visit
from perkwire.adapters.wiring import UseCases
from perkwire.primitives.problem import Problem, not_found
from perkwire.settings.console import ConsoleSettings

_PATH = "/console/link-by-mail"


def add(pages: Pages, use_cases: UseCases, settings: ConsoleSettings) -> None:
    """Add the pages."""
    # What is said whatever the address is: nobody learns here who has an account.
    pages.done["link-mailed"] = (
        "If this address gets an account's notices and has confirmed that, a link is on its way to "
        "it. It works once, for a quarter of an hour. No more than three an hour are sent."
    )

    @pages.page(_PATH, Needs.NOBODY)
    def show(visit: Visit) -> HtmlResponse:
        _check(settings)
        return visit.page("link_by_mail.html")

    @pages.form(_PATH, Needs.NOBODY)
    def ask(visit: Visit) -> HtmlResponse:
        _check(settings)
        address, account_id = visit.form.text("email"), visit.form.text("account_id")
        url = visit.console_url(settings.console_url)
        try:
            use_cases.mailed_links.request(address, account_id, url)
        except Problem as problem:
            return visit.page("link_by_mail.html", problem=problem, form=visit.form)
        return visit.go(_PATH, done="link-mailed")


def _check(settings: ConsoleSettings) -> None:
    if not settings.mail_sender:
        raise not_found("page")
