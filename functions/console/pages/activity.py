"""Who changed what: of the account that one is in, or of what is the operators'."""

from console.http.registry import Needs, Pages, Section
from console.http.visit import HtmlResponse, Visit
from console.views.activity_wording import ACTIONS, who
from console.views.log import webhook_names
from perkwire.adapters.wiring import UseCases
from perkwire.reading.activity import parse_activity_filter
from perkwire.settings.console import ConsoleSettings

PATH = "/console/activity"
_ROWS = 50


def add(pages: Pages, use_cases: UseCases, _settings: ConsoleSettings) -> None:
    """Add the page."""
    pages.sections.append(Section("Activity", PATH, Needs.ANYONE))

    @pages.page(PATH, Needs.ANYONE)
    def show(visit: Visit) -> HtmlResponse:
        account_id = visit.account.id if visit.account else None
        named = account_id if visit.is_operator else None
        owner = use_cases.activity.owner(visit.caller, named)
        subject = visit.query.text("subject").strip()
        wanted = parse_activity_filter({"subject": subject} if subject else {})
        cursor = visit.query.text("cursor") or None
        listed = use_cases.activity.list(owner, wanted, _ROWS, cursor)
        keys = {one.subject: one.name for one in listed.items if one.name} | (
            use_cases.activity.key_names(owner)
        )
        if visit.is_operator and owner is not None:
            keys |= use_cases.activity.key_names(None)
        return visit.page(
            "activity.html",
            listed=listed,
            actions=ACTIONS,
            makers={one.id: who(one.by, keys) for one in listed.items},
            webhooks={} if owner is None else webhook_names(use_cases.webhooks, owner),
            subject=subject,
            path=PATH,
        )
