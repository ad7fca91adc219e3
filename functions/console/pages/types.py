"""The catalogue: every event type, what it looks like, and what each format makes of it."""

import json
from typing import Any, cast

from console.http.registry import Needs, Pages, Section
from console.http.visit import HtmlResponse, Visit
from console.pages.outcomes import OUTCOME, outcome_part
from console.views.failures import failure_of
from console.views.json_text import indented_json
from console.views.log import webhook_names
from console.views.schema import tables
from console.views.webhook_wording import format_label
from console.views.wording import came_back
from perkwire.adapters.wiring import UseCases
from perkwire.catalogue.event_types import CUSTOM, event_types
from perkwire.formats.format import Format, Payload, Unrenderable
from perkwire.formats.registry import FORMATS
from perkwire.model.event import Event
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import AccountId, WebhookId, new_test_delivery_id, new_webhook_id
from perkwire.primitives.problem import FieldError, Problem, invalid
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import now
from perkwire.reading.type_listing import list_types, show_type, told_contracts
from perkwire.settings.console import ConsoleSettings
from perkwire.trials.samples import sample_event

PATH = "/console/types"
_MOST_OF_STORED = 10_000  # of a body of a stored contract: a tenant wrote it
_SCHEMA = "application/schema+json"
_EXAMPLE_URL = "https://receiver.example/webhooks"


@dataclass(frozen=True, slots=True)
class FormatExample:
    """What a format makes of a type: its name for it, and the body of the example.

    `name` None: the format cannot say it. `inferred`: the product's pages do not print all of it.
    """

    format: str
    name: str | None
    inferred: bool
    body: str | None


def add(pages: Pages, use_cases: UseCases, _settings: ConsoleSettings) -> None:
    """Add the pages."""
    pages.sections.append(Section("Catalogue", PATH, Needs.ACCOUNT))

    @pages.page(PATH)
    def show_types(visit: Visit) -> HtmlResponse:
        words = visit.query.text("q").lower().split()
        groups: dict[str, list[dict[str, Any]]] = {}
        for item in list_types(len(event_types()), None).items:
            found = cast("dict[str, Any]", item)
            text = _searched(found)
            if all(word in text for word in words):
                groups.setdefault(found["group"], []).append({**found, "text": text})
        return visit.page("types.html", groups=groups, form=visit.query, custom=CUSTOM)

    def stored_said(name: str, account_id: AccountId) -> list[FormatExample]:
        """What the account's contracts, and the operators', make of a type that they say."""
        event = sample_event(name, now())
        stored = use_cases.contracts.of(account_id)
        return [
            FormatExample(one.name, one.name_of(name), False, _cut(_body(one, event, account_id)))
            for one in told_contracts(stored, use_cases.formats, name)
        ]

    def type_page(
        visit: Visit,
        name: str,
        *,
        problem: Problem | None = None,
        outcome: dict[str, Any] | None = None,
    ) -> HtmlResponse:
        shown = cast("dict[str, Any]", show_type(name))
        names = webhook_names(use_cases.webhooks, visit.account_id)
        return visit.page(
            "type.html",
            problem=problem,
            form=visit.form if problem or outcome else visit.query,
            type=shown,
            tables=tables(shown["schema"]),
            example=indented_json(shown["example"]),
            said=[*_said(shown, visit.account_id), *stored_said(name, visit.account_id)],
            webhooks=names,
            outcome=outcome,
            came_back=came_back,
            failure_of=failure_of,
            format_label=format_label,
        )

    @pages.page(f"{PATH}/<event_type>")
    def show(visit: Visit, event_type: str) -> HtmlResponse:
        return type_page(visit, event_type)

    @pages.page(f"{PATH}/<event_type>/schema.json")
    def download_schema(visit: Visit, event_type: str) -> HtmlResponse:
        schema = cast("dict[str, Any]", show_type(event_type))["schema"]
        return visit.download("schema.json", _SCHEMA, indented_json(schema))

    @pages.form(f"{PATH}/<event_type>/test")
    def test(visit: Visit, event_type: str) -> HtmlResponse:
        webhook_id = visit.form.text("webhook_id")
        problem: Problem | None = None
        outcome: dict[str, Json] | None = None
        try:
            if not webhook_id:
                raise invalid([FieldError("webhook_id", "must be chosen")])
            value: dict[str, Json] = {"event_type": event_type}
            outcome = use_cases.trying.test(visit.account_id, WebhookId(webhook_id), value)
        except Problem as wrong:
            problem = wrong
        if visit.form.text("part") == OUTCOME:
            return outcome_part(visit, outcome, problem)
        return type_page(visit, event_type, problem=problem, outcome=outcome)


def _searched(found: dict[str, Any]) -> str:
    """The text that the search of the catalogue looks at, in lower case."""
    names = (said["name"] for said in found["names"].values())
    parts = (found["type"], found["title"], found["group"], found["description"], *names)
    return " ".join(parts).lower()


def _said(shown: dict[str, Any], account_id: AccountId) -> list[FormatExample]:
    event = sample_event(shown["type"], now())
    said = []
    for format_name in FORMATS:
        named = shown["names"].get(format_name)
        if named is None:
            said.append(FormatExample(format_name, None, inferred=False, body=None))
        else:
            body = _body(FORMATS[format_name], event, account_id)
            inferred = named["inferred"] or named["body_inferred"]
            said.append(FormatExample(format_name, named["name"], inferred, body))
    return said


def _cut(body: str | None) -> str | None:
    if body is None or len(body) <= _MOST_OF_STORED:
        return body
    return f"{body[:_MOST_OF_STORED]}\n… cut after {_MOST_OF_STORED} of {len(body)} characters"


def _body(format_: Format, event: Event, account_id: AccountId) -> str | None:
    """The example as the format renders it, indented; None if it cannot."""
    payload = Payload(
        delivery_id=new_test_delivery_id(event.accepted_at),
        account_id=account_id,
        webhook_id=new_webhook_id(),
        url=_EXAMPLE_URL,
        events=(event,),
        batched=False,
        settings=format_.read_settings(Fields({})),
    )
    try:
        return indented_json(json.loads(format_.render(payload)))
    except Unrenderable:
        return None
