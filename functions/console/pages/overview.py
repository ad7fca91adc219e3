"""What is failing across accounts, and how each account fares: an operator's first page."""

from console.http.registry import Needs, Pages, Section
from console.http.visit import HtmlResponse, Visit
from console.views.wording import REASONS, came_back
from perkwire.adapters.wiring import UseCases
from perkwire.model.lanes import Lane
from perkwire.primitives.timestamps import now
from perkwire.reading.troubles import LOOKED_BACK_DAYS, MOST_COUNTED
from perkwire.recovering.redriving import RedriveQueue
from perkwire.settings.console import ConsoleSettings

PATH = "/console/overview"
_ACCOUNTS = 50  # each a dozen reads
_MOST_ROWS = 20  # of webhooks, in each table: the page stays small


def add(pages: Pages, use_cases: UseCases, _settings: ConsoleSettings) -> None:
    """Add the page."""
    pages.sections.append(Section("Overview", PATH, Needs.OPERATOR))

    @pages.page(PATH, Needs.OPERATOR)
    def show(visit: Visit) -> HtmlResponse:
        listed = use_cases.accounts.list(
            visit.caller, _ACCOUNTS, visit.query.text("cursor") or None
        )
        overview = use_cases.overlooking.look(listed.items)
        troubles, undelivered, waiting = overview.troubles, overview.undelivered, overview.waiting
        return visit.page(
            "overview.html",
            overview=overview,
            failing=sum(one.is_failing for one in troubles),
            paused=sum(one.is_paused for one in troubles),
            slow=sum(one.is_slow for one in troubles),
            now=now(),
            troubles=troubles[:_MOST_ROWS],
            more_troubles=len(troubles[_MOST_ROWS:]),
            undelivered=undelivered[:_MOST_ROWS],
            more_undelivered=len(undelivered[_MOST_ROWS:]),
            oldest=waiting[0] if waiting else None,
            next_cursor=listed.next_cursor,
            is_first_page="cursor" not in visit.query,
            letters=use_cases.dead_letters.of(RedriveQueue.DELIVERIES),
            in_flight=sum(use_cases.traffic.of(lane).in_flight for lane in Lane),
            came_back=came_back,
            reasons=REASONS,
            most_counted=MOST_COUNTED,
            days=LOOKED_BACK_DAYS,
            path=PATH,
        )
