"""Trying a contract: written at one side, the request that it makes at the other."""

import html
import json
from collections.abc import Mapping
from typing import Any

from console.http.registry import Pages
from console.http.visit import HtmlResponse, Visit
from console.views.curl import as_curl
from console.views.json_text import MOST_CHARACTERS, indented_json
from console.views.webhook_wording import format_label
from perkwire.adapters.wiring import UseCases
from perkwire.catalogue.event_types import event_types, is_event_type
from perkwire.formats.contracts.built_in import BUILT_IN, built_in
from perkwire.model.sending import Request
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.problem import FieldError, Problem, invalid
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import now
from perkwire.reading.trying_contracts import try_written
from perkwire.settings.console import ConsoleSettings
from perkwire.trials.samples import sample_event

PATH = "/console/contracts"
_EXAMPLE_URL = "https://receiver.example/webhooks"
_FAVOURITE = "points.earned"
_STARTER: Mapping[str, Json] = {
    "name": "ours",
    "version": "1",
    "events": {"points.*": "{type}"},
    "body": {
        "event": "=event.name",
        "member": "=data.member.id",
        "points": "=data.transaction.points",
    },
    "signature": {"header": "x-our-signature", "signed": "{body}"},
}


@dataclass(frozen=True, slots=True)
class Tried:
    """A request that a contract has made, to be read."""

    head: str
    body: str
    curl: str


def add(pages: Pages, _use_cases: UseCases, _settings: ConsoleSettings) -> None:
    """Add the pages."""

    def page(
        visit: Visit, written: str, *, tried: Tried | None = None, problem: Problem | None = None
    ) -> HtmlResponse:
        return visit.page(
            "contract.html",
            problem=problem,
            form=visit.form if tried or problem else visit.query,
            written=written,
            tried=tried,
            types=[(one, one) for one in event_types()],
            favourite=_FAVOURITE,
            others=[(name, format_label(name)) for name in BUILT_IN],
        )

    @pages.page(PATH)
    def show(visit: Visit) -> HtmlResponse:
        begun = visit.query.text("from")
        contract = built_in(begun).contract.source if begun in BUILT_IN else _STARTER
        return page(visit, indented_json(dict(contract)))

    @pages.form(PATH)
    def render(visit: Visit) -> HtmlResponse:
        written = visit.form.text("contract")
        event_type = visit.form.text("event_type", _FAVOURITE)
        try:
            if not is_event_type(event_type):
                raise invalid([FieldError("event_type", "must be chosen")])
            at = now()
            event = sample_event(event_type, at)
            request = try_written(written, event, visit.account_id, _EXAMPLE_URL, at)
        except Problem as problem:
            return page(visit, written, problem=_at_the_contract(problem))
        return page(visit, written, tried=_shown(request))


def _at_the_contract(problem: Problem) -> Problem:
    """The errors of the contract as those of its field, each with its place as a JSON pointer."""
    errors: Any = problem.document().get("errors", [])
    return invalid(
        [
            FieldError(one["field"], one["detail"])
            if one["field"] == "event_type"
            else FieldError("contract", f"{one.get('pointer') or ''} {one['detail']}".strip())
            for one in errors
        ]
    )


def _shown(request: Request) -> Tried:
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    body = request.body.decode()
    curl = as_curl(request.url, dict(request.headers), body)
    return Tried(
        head=f"POST {request.url}\n{headers}",
        body=indented_json(json.loads(body)),
        curl=curl if len(html.escape(curl)) <= MOST_CHARACTERS else "",
    )
