"""The editor of contracts: written at one side, the request that it makes at the other."""

import contextlib
import html
import json
from collections.abc import Mapping
from typing import Any, cast

from console.http.form import Form
from console.http.registry import Pages
from console.http.rendering import segment
from console.http.visit import HtmlResponse, Visit
from console.pages.outcomes import OUTCOME, outcome_part
from console.views.curl import as_curl
from console.views.failures import failure_of
from console.views.json_places import line_of
from console.views.json_text import MOST_CHARACTERS, indented_json
from console.views.webhook_wording import format_label
from console.views.wording import came_back
from perkwire.adapters.wiring import UseCases
from perkwire.catalogue.event_types import event_types, is_event_type
from perkwire.formats.contracts.built_in import BUILT_IN, built_in
from perkwire.formats.contracts.contract import read_contract
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.model.event import Event
from perkwire.model.sending import Request
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, EventId
from perkwire.primitives.problem import FieldError, Problem, invalid, not_found
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import now
from perkwire.reading.trying_contracts import read_written, said_types, try_written
from perkwire.settings.console import ConsoleSettings
from perkwire.trials.samples import sample_event

PATH = "/console/contracts"
MADE = "made"
"""What the field `part` of the form holds when the request alone is asked for."""
_EXAMPLE_URL = "https://receiver.example/webhooks"
_FAVOURITE = "points.earned"
_MOST_EVENTS = 10
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


@dataclass(frozen=True, slots=True)
class WrongPlace:
    """What is wrong with a contract, and in which line of it, if that is known."""

    line: int | None
    detail: str


def add(pages: Pages, use_cases: UseCases, _settings: ConsoleSettings) -> None:
    """Add the pages."""
    pages.done |= {
        "contract-stored": "The contract is stored: it is a format that webhooks can have.",
        "contract-deleted": "The contract is deleted.",
    }

    def page(
        visit: Visit,
        form: Form,
        written: str,
        *,
        tried: Tried | None = None,
        problem: Problem | None = None,
        outcome: dict[str, Json] | None = None,
    ) -> HtmlResponse:
        latest = use_cases.events.list(visit.account_id, {}, _MOST_EVENTS, None).items
        return visit.page(
            "contract.html",
            problem=problem,
            form=form,
            written=written,
            tried=tried,
            places=_places(problem, written),
            types=[(one, one) for one in event_types()],
            events=[(one["id"], f"{one['type']}, {one['accepted_at']}") for one in latest],
            favourite=_FAVOURITE,
            others=[(name, format_label(name)) for name in BUILT_IN],
            stored=use_cases.contracts.of(visit.account_id),
            outcome=outcome,
            came_back=came_back,
            failure_of=failure_of,
            format_label=format_label,
        )

    def stored(visit: Visit, name: str) -> ContractFormat | None:
        found = use_cases.webhooks.formats(visit.account_id).find(name)
        return found if isinstance(found, ContractFormat) else None

    def begun_with(
        visit: Visit, found: ContractFormat | None, problem: Problem | None = None
    ) -> HtmlResponse:
        """The page as it is opened: with one that there is, and what becomes of an example."""
        format_ = found or ContractFormat(read_contract(dict(_STARTER)))
        said = said_types(format_)
        event_type = _FAVOURITE if _FAVOURITE in said else said[0]
        written = indented_json(dict(format_.contract.source))
        tried = None
        with contextlib.suppress(Problem):
            tried = _tried(written, sample_event(event_type, now()), visit.account_id)
        form = Form({"event_type": [event_type]})
        return page(visit, form, written, tried=tried, problem=problem)

    def event_of(visit: Visit) -> Event:
        """One of the account's own, if it is chosen, else the example of a type."""
        if event_id := visit.form.text("event_id"):
            found = use_cases.log.event_itself(visit.account_id, EventId(event_id))
            if found is None:
                raise invalid([FieldError("event_id", "is not kept any more")])
            return found
        event_type = visit.form.text("event_type", _FAVOURITE)
        if not is_event_type(event_type):
            raise invalid([FieldError("event_type", "must be chosen")])
        return sample_event(event_type, now())

    @pages.page(PATH)
    def show(visit: Visit) -> HtmlResponse:
        begun = visit.query.text("from")
        found = built_in(begun) if begun in BUILT_IN else stored(visit, begun) if begun else None
        return begun_with(visit, found)

    @pages.form(PATH)
    def render(visit: Visit) -> HtmlResponse:
        written = visit.form.text("contract")
        tried: Tried | None = None
        problem: Problem | None = None
        try:
            tried = _tried(written, event_of(visit), visit.account_id)
        except Problem as wrong:
            problem = _at_the_contract(wrong)
        if visit.form.text("part") == MADE:
            places = _places(problem, written)
            return visit.page("contract_made.html", tried=tried, places=places)
        return page(visit, visit.form, written, tried=tried, problem=problem)

    @pages.form(f"{PATH}/test")
    def test(visit: Visit) -> HtmlResponse:
        written = visit.form.text("contract")
        problem: Problem | None = None
        outcome: dict[str, Json] | None = None
        try:
            format_ = read_written(written)
            asked: dict[str, Json] = {
                "name": format_.name,
                "url": visit.form.text("url"),
                "event_types": ["*"],
                "event_type": event_of(visit).type,
            }
            if secret := visit.form.text("secret"):
                asked["secret"] = secret
            outcome = use_cases.trying.test_contract(visit.account_id, asked, format_)
        except Problem as wrong:
            problem = _at_the_contract(wrong)
        made_up = not visit.form.text("secret")
        if visit.form.text("part") == OUTCOME:
            return outcome_part(visit, outcome, problem, is_made_up=made_up)
        return page(visit, visit.form, written, problem=problem, outcome=outcome)

    @pages.form(f"{PATH}/stored")
    def store(visit: Visit) -> HtmlResponse:
        written = visit.form.text("contract")
        try:
            value = dict(read_written(written).contract.source)
            made = use_cases.contracts.create(visit.account_id, value)
        except Problem as problem:
            return page(visit, visit.form, written, problem=_at_the_contract(problem))
        return visit.go(PATH, **{"from": made.name}, done="contract-stored")

    @pages.page(f"{PATH}/<format_name>/contract.json")
    def export(visit: Visit, format_name: str) -> HtmlResponse:
        found = stored(visit, format_name.replace("%40", "@"))
        if found is None:
            raise not_found("contract")
        text = indented_json(dict(found.contract.source))
        return visit.download(f"{segment(found.contract.name)}.json", "application/json", text)

    @pages.form(f"{PATH}/<format_name>/delete")
    def delete(visit: Visit, format_name: str) -> HtmlResponse:
        name = format_name.replace("%40", "@")
        try:
            use_cases.contracts.delete(visit.account_id, name)
        except Problem as problem:
            return begun_with(visit, stored(visit, name), problem)
        return visit.go(PATH, done="contract-deleted")


def _at_the_contract(problem: Problem) -> Problem:
    """The errors of the contract as those of its field, each with its place as a JSON pointer."""
    errors: list[Any] = cast("dict[str, Any]", problem.document()).get("errors", [])
    if problem.status != 422 or not errors or any("pointer" not in one for one in errors):
        return problem
    return invalid(
        [
            FieldError("contract", f"{one['pointer']} {one['detail']}".strip(), one["pointer"])
            for one in errors
        ]
    )


def _places(problem: Problem | None, written: str) -> list[WrongPlace]:
    document = {} if problem is None else cast("dict[str, Any]", problem.document())
    return [
        WrongPlace(line_of(written, one["pointer"]) if "pointer" in one else None, one["detail"])
        for one in document.get("errors", [])
    ]


def _tried(written: str, event: Event, account_id: AccountId) -> Tried:
    return _shown(try_written(written, event, account_id, _EXAMPLE_URL, now()))


def _shown(request: Request) -> Tried:
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    body = request.body.decode()
    curl = as_curl(request.url, dict(request.headers), body)
    return Tried(
        head=f"POST {request.url}\n{headers}",
        body=indented_json(json.loads(body)),
        curl=curl if len(html.escape(curl)) <= MOST_CHARACTERS else "",
    )
