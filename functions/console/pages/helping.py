"""Help: what the pages are for, and what each failure means."""

from console.http.registry import Needs, Pages
from console.http.visit import HtmlResponse, Visit
from console.views.failures import CHECKS_OF_401, FAILURES, title_of
from perkwire.adapters.wiring import UseCases
from perkwire.settings.console import ConsoleSettings


def add(pages: Pages, _use_cases: UseCases, _settings: ConsoleSettings) -> None:
    """Add the page."""

    @pages.page("/console/help", Needs.ANYONE)
    def show_help(visit: Visit) -> HtmlResponse:
        return visit.page(
            "help.html", failures=FAILURES, title_of=title_of, checks_of_401=CHECKS_OF_401
        )
