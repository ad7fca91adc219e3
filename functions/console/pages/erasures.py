"""Erasing a member: asked for with the name typed twice, and watched."""

from collections.abc import Collection
from typing import cast

from console.http.registry import Pages
from console.http.visit import HtmlResponse, Visit
from console.views.wording import STATUS_KINDS
from perkwire.adapters.wiring import UseCases
from perkwire.jobs.erasure import ErasureStatus
from perkwire.model.members import MemberIndex
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import JobId
from perkwire.primitives.problem import FieldError, Problem, invalid
from perkwire.primitives.strict_json import Json
from perkwire.settings.console import ConsoleSettings

PATH = "/console/erasures"
_RELOAD_SECONDS = 5
_ROWS = 25
_MOST_COUNTED = 100
_MOVING = (ErasureStatus.QUEUED, ErasureStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Reach:
    """The events that are found by a member, and their deliveries; capped: there may be more."""

    events: int
    deliveries: int
    is_capped: bool


def add(pages: Pages, use_cases: UseCases, _settings: ConsoleSettings) -> None:
    """Add the pages."""
    pages.done |= {"erasure-asked": "The erasure is under way: what waits is not sent any more."}

    def list_page(
        visit: Visit, problem: Problem | None = None, reach: Reach | None = None
    ) -> HtmlResponse:
        return visit.page(
            "erasures.html",
            problem=problem,
            reach=reach,
            can_count=use_cases.members.index is not MemberIndex.NONE,
            form=visit.form,
            erasures=use_cases.erasures.list(
                visit.account_id, _ROWS, visit.query.text("cursor") or None
            ),
            kinds=STATUS_KINDS,
        )

    @pages.page(PATH)
    def show_erasures(visit: Visit) -> HtmlResponse:
        return list_page(visit)

    def reach_of(visit: Visit, names: Collection[str]) -> Reach:
        if not names:
            raise invalid([FieldError("member_id", "is required, or email, or both")])
        events: set[Json] = set()
        deliveries: set[Json] = set()
        is_capped = False
        for name in names:
            found = use_cases.members.list(visit.account_id, {"member": name}, _MOST_COUNTED, None)
            is_capped = is_capped or found.next_cursor is not None
            for event in found.items:
                events.add(event["id"])
                outcomes = cast("list[dict[str, Json]]", event["deliveries"])
                deliveries |= {one["id"] for one in outcomes if "id" in one}
        return Reach(len(events), len(deliveries), is_capped=is_capped)

    @pages.form(PATH)
    def ask(visit: Visit) -> HtmlResponse:
        named: dict[str, Json] = {
            name: text for name in ("member_id", "email") if (text := visit.form.text(name))
        }
        typed = visit.form.text("confirmation")
        try:
            if "count" in visit.form:
                return list_page(visit, reach=reach_of(visit, {*map(str, named.values())}))
            if named and typed not in named.values():
                wrong = "must be the id or the address once more, exactly"
                raise invalid([FieldError("confirmation", wrong)])
            erasure = use_cases.erasures.ask(visit.account_id, named)
        except Problem as problem:
            return list_page(visit, problem)
        return visit.go(f"{PATH}/{erasure.id}", done="erasure-asked")

    @pages.page(f"{PATH}/<erasure_id>")
    def show_erasure(visit: Visit, erasure_id: str) -> HtmlResponse:
        erasure = use_cases.erasures.get(visit.account_id, JobId(erasure_id))
        return visit.page(
            "erasure.html",
            erasure=erasure.to_json(),
            kind=STATUS_KINDS[erasure.status],
            is_moving=erasure.status in _MOVING,
            reload_seconds=_RELOAD_SECONDS,
        )
