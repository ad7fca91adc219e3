"""The inbox: what it would not take, for operators to mend and send again. If the stack has one."""

from typing import Any

from console.http.form import Form
from console.http.registry import Needs, Pages, Section
from console.http.rendering import segment
from console.http.visit import HtmlResponse, Visit
from console.views.json_text import MOST_CHARACTERS, indented_json
from perkwire.accepting.rejected_event import RejectedEvent
from perkwire.adapters.wiring import UseCases
from perkwire.primitives.ids import RejectedEventId
from perkwire.primitives.problem import FieldError, Problem, invalid
from perkwire.primitives.strict_json import InvalidJson, parse
from perkwire.settings.console import ConsoleSettings

PATH = "/console/inbox"
_ROWS = 25
_LONGEST_INDENTED = 100_000  # what is longer is shown as it came
_MALFORMED = 400


def add(pages: Pages, use_cases: UseCases, settings: ConsoleSettings) -> None:
    """Add the pages."""
    if not settings.inbox_queue_url:
        return
    pages.sections.append(Section("Inbox", PATH, Needs.OPERATOR))
    pages.done |= {
        "rejected-sent": "It is accepted now, and on its way to the webhooks that want it.",
        "rejected-dismissed": "It is forgotten.",
    }

    def one_page(
        visit: Visit, rejected_id: str, given: Form, problem: Problem | None = None
    ) -> HtmlResponse:
        found = use_cases.mending.get(visit.caller, RejectedEventId(rejected_id))
        return visit.page(
            "rejected_event.html",
            problem=problem,
            form=given,
            path=f"{PATH}/{segment(rejected_id)}",
            rejected=found.heading,
            text="" if _is_too_long(found) else _indented(found.text),
            is_too_long=_is_too_long(found),
            why=_errors(found.problem),
            detail=found.problem.get("detail") or found.problem.get("title"),
        )

    @pages.page(PATH, Needs.OPERATOR)
    def list_rejected(visit: Visit) -> HtmlResponse:
        cursor = visit.query.text("cursor") or None
        return visit.page(
            "inbox.html", rejected=use_cases.mending.list(visit.caller, _ROWS, cursor)
        )

    @pages.page(f"{PATH}/<rejected_event_id>", Needs.OPERATOR)
    def show(visit: Visit, rejected_event_id: str) -> HtmlResponse:
        return one_page(visit, rejected_event_id, Form({}))

    @pages.form(f"{PATH}/<rejected_event_id>/send", Needs.OPERATOR)
    def send(visit: Visit, rejected_event_id: str) -> HtmlResponse:
        text = visit.form.text("text")
        rejected_id = RejectedEventId(rejected_event_id)
        try:
            if not text and not _is_too_long(use_cases.mending.get(visit.caller, rejected_id)):
                raise invalid([FieldError("text", "is required")])
            use_cases.mending.send(visit.caller, rejected_id, {"text": text} if text else {})
        except Problem as problem:
            return one_page(visit, rejected_event_id, visit.form, _of_text(problem))
        return visit.go(PATH, done="rejected-sent")

    @pages.form(f"{PATH}/<rejected_event_id>/dismiss", Needs.OPERATOR)
    def dismiss(visit: Visit, rejected_event_id: str) -> HtmlResponse:
        use_cases.mending.dismiss(visit.caller, RejectedEventId(rejected_event_id))
        return visit.go(PATH, done="rejected-dismissed")


def _is_too_long(rejected: RejectedEvent) -> bool:
    """To be shown, and so to be mended on the page."""
    return len(rejected.text) > MOST_CHARACTERS


def _indented(text: str) -> str:
    """JSON as a person reads it; what is none, or long, as it came."""
    if len(text) > _LONGEST_INDENTED:
        return text
    try:
        return indented_json(parse(text))
    except InvalidJson:
        return text


def _errors(problem: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - a document, stored or made
    return [(str(one["field"]), str(one["detail"])) for one in problem.get("errors", ())]


def _of_text(problem: Problem) -> Problem:
    """What is wrong with members of the text, as errors of the one field that there is."""
    document = problem.document()
    errors = [
        FieldError("text", detail if field == "text" else f"has at {field}: {detail}")
        for field, detail in _errors(document)
    ]
    if not errors and problem.status == _MALFORMED:
        errors = [FieldError("text", f"cannot be read: {document.get('detail')}")]
    detail = document.get("detail")
    return invalid(errors, detail if isinstance(detail, str) else None) if errors else problem
