"""Erasing a member: asked for with the name typed twice, and watched."""

from console.http.registry import Pages
from console.http.visit import HtmlResponse, Visit
from console.views.wording import STATUS_KINDS
from perkwire.adapters.wiring import UseCases
from perkwire.jobs.erasure import ErasureStatus
from perkwire.primitives.ids import JobId
from perkwire.primitives.problem import FieldError, Problem, invalid
from perkwire.primitives.strict_json import Json
from perkwire.settings.console import ConsoleSettings

PATH = "/console/erasures"
_RELOAD_SECONDS = 5
_ROWS = 25
_MOVING = (ErasureStatus.QUEUED, ErasureStatus.RUNNING)


def add(pages: Pages, use_cases: UseCases, _settings: ConsoleSettings) -> None:
    """Add the pages."""
    pages.done |= {"erasure-asked": "The erasure is under way: what waits is not sent any more."}

    def list_page(visit: Visit, problem: Problem | None = None) -> HtmlResponse:
        return visit.page(
            "erasures.html",
            problem=problem,
            form=visit.form,
            erasures=use_cases.erasures.list(
                visit.account_id, _ROWS, visit.query.text("cursor") or None
            ),
            kinds=STATUS_KINDS,
        )

    @pages.page(PATH)
    def show_erasures(visit: Visit) -> HtmlResponse:
        return list_page(visit)

    @pages.form(PATH)
    def ask(visit: Visit) -> HtmlResponse:
        named: dict[str, Json] = {
            name: text for name in ("member_id", "email") if (text := visit.form.text(name))
        }
        typed = visit.form.text("confirmation")
        try:
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
