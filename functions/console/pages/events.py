"""Events: what was accepted, and what became of each at every webhook."""

import contextlib
from collections.abc import Callable
from typing import cast
from urllib.parse import urlencode

from console.http.form import Form
from console.http.registry import LONGEST_PART, Needs, Pages, Section
from console.http.rendering import segment
from console.http.visit import HtmlResponse, Visit
from console.views.date_fields import from_date_field, to_date_field
from console.views.json_text import indented_json
from console.views.log import reload_seconds, webhook_names
from console.views.wording import STATUS_KINDS, came_back
from perkwire.adapters.wiring import UseCases
from perkwire.catalogue.event_types import event_types
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.members import MemberIndex
from perkwire.model.routed_event import ERASED, FILTERED, NOT_IN_FORMAT
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, sampled_at
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, Problem, invalid
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS, now, to_rfc3339
from perkwire.reading.event_listing import EventListing
from perkwire.reading.outcomes import EXPIRED
from perkwire.settings.console import ConsoleSettings

PATH = "/console/events"
_LOG = "/console/log"
_FILTERS = ("type", "member", "since", "until")
# A page of the list looks at two days; an account may be quiet for longer.
_ROWS = 25
_MOST_READS = 4
_MOST_SEARCHES = 10  # of an account in a minute: a read of two days takes 48 queries
_ROUTED_WITHIN = 5 * 60 * MICROSECONDS
_MOVING = (DeliveryStatus.PENDING, DeliveryStatus.RETRYING)


def add(pages: Pages, use_cases: UseCases, settings: ConsoleSettings) -> None:
    """Add the pages."""
    pages.sections.append(Section("Events", PATH, Needs.ACCOUNT))

    def list_page(visit: Visit, problem: Problem | None = None) -> HtmlResponse:
        parameters = {name: visit.query.text(name) for name in _FILTERS if visit.query.text(name)}
        cursor = visit.query.text("cursor") or None
        asked = {name: from_date_field(text) for name, text in parameters.items()}
        found: Page[dict[str, Json]] = Page([], None)
        if problem is None:
            try:
                if "member" in asked:
                    found = use_cases.members.list(visit.account_id, asked, _ROWS, cursor)
                else:
                    found = _read(
                        use_cases.events,
                        visit.account_id,
                        _since_it_is(visit) | asked,
                        cursor,
                        lambda: use_cases.searches.take(visit.account_id, now(), _MOST_SEARCHES),
                    )
            except Problem as wrong:
                problem = wrong
        ids = [EventId(str(event["id"])) for event in found.items]
        return visit.page(
            "events.html",
            types=list(event_types()),
            problem=problem,
            form=_shown(visit.query),
            events=found,
            matched=(
                use_cases.log.matched(visit.account_id, ids)
                if ids and "member" not in asked
                else {}
            ),
            parameters=asked,
            member_hint=_hint(use_cases.members.index, asked.get("member", "")),
            webhooks=webhook_names(use_cases.webhooks, visit.account_id)
            if "member" in asked
            else {},
            kinds=STATUS_KINDS,
            expired=EXPIRED,
        )

    def path_of(account_id: AccountId, text: str) -> str | None:
        """Where what somebody looks for is: an event, a delivery, or a member's events."""
        with contextlib.suppress(Problem):
            use_cases.log.entry(account_id, DeliveryId(text))
            return f"{_LOG}/{segment(text)}"
        if len(text) <= LONGEST_PART and use_cases.log.event_itself(account_id, EventId(text)):
            return f"{PATH}/{segment(text)}"
        with contextlib.suppress(Problem):
            if use_cases.members.list(account_id, {"member": text}, 1, None).items:
                return f"{PATH}?{urlencode({'member': text})}"
        return None

    @pages.page(PATH)
    def list_events(visit: Visit) -> HtmlResponse:
        text = visit.query.text("id")
        if not text:
            return list_page(visit)
        path = path_of(visit.account_id, text)
        if path is None:
            wrong = "is no event, delivery or member of an event that is kept"
            hint = _hint(use_cases.members.index, text)
            wrong = f"{wrong}. {hint}" if hint else wrong
            return list_page(visit, invalid([FieldError("id", wrong)]))
        return visit.go(path)

    @pages.page(f"{PATH}/<event_id>")
    def show_event(visit: Visit, event_id: str) -> HtmlResponse:
        # Colons may be escaped in addresses, and not every gateway undoes it; no id has a `%`.
        try:
            shown = use_cases.log.event(visit.account_id, EventId(event_id))
        except Problem:
            if not _is_new_sample(event_id):
                raise
            return visit.page("event_waiting.html", event_id=event_id)
        deliveries = cast("list[dict[str, str]]", shown["deliveries"])
        ids = [DeliveryId(one["id"]) for one in deliveries if "id" in one]
        entries = use_cases.log.entries(visit.account_id, ids)
        return visit.page(
            "event.html",
            event=shown,
            data=indented_json(shown["data"]),
            webhooks=webhook_names(use_cases.webhooks, visit.account_id),
            kinds=STATUS_KINDS,
            tried={one: _attempts(entries.get(one)) for one in ids},
            came_back=came_back,
            not_in_format=NOT_IN_FORMAT,
            filtered=FILTERED,
            erased=ERASED,
            reload_seconds=reload_seconds(settings.retry_interval_seconds),
            is_moving=any(one["status"] in _MOVING for one in deliveries),
            expired=EXPIRED,
        )


def _hint(index: MemberIndex, text: str) -> str:
    """What is not looked through, where somebody looks for this."""
    if index is MemberIndex.IDS and "@" in text:
        return "Members are found by their ids here, not by e-mail addresses."
    if index is MemberIndex.NONE and text:
        return "Members are not found here: the stack keeps no index of them."
    return ""


def _since_it_is(visit: Visit) -> dict[str, str]:
    """As a filter: nothing is older than the account, so that a new one is not searched on."""
    return {} if visit.account is None else {"since": to_rfc3339(visit.account.created_at)}


def _attempts(entry: Delivery | None) -> list[dict[str, Json]]:
    return [] if entry is None else [attempt.to_json() for attempt in entry.attempts]


def _is_new_sample(event_id: str) -> bool:
    """Whether it is a sample that the router may not have come to yet."""
    made_at = sampled_at(event_id)
    return made_at is not None and 0 <= now() - made_at < _ROUTED_WITHIN


def _read(
    events: EventListing,
    account_id: AccountId,
    parameters: dict[str, str],
    cursor: str | None,
    may_search: Callable[[], bool],
) -> Page[dict[str, Json]]:
    """Read on until something is found, a bounded number of times; once if it may not search."""
    page = events.list(account_id, parameters, _ROWS, cursor)
    if page.items or page.next_cursor is None or not may_search():
        return page
    for _ in range(_MOST_READS - 1):
        page = events.list(account_id, parameters, _ROWS, page.next_cursor)
        if page.items or page.next_cursor is None:
            break
    return page


def _shown(query: Form) -> Form:
    fields = {name: query.text(name) for name in ("id", *_FILTERS)}
    fields |= {name: to_date_field(fields[name]) for name in ("since", "until")}
    return Form({name: [value] for name, value in fields.items()})
