"""Sending a sample event through the queues: who would get it is said before it is sent."""

from console.http.form import Form
from console.http.registry import Pages
from console.http.rendering import segment
from console.http.visit import HtmlResponse, Visit
from console.views.webhook_wording import format_label
from perkwire.adapters.wiring import UseCases
from perkwire.catalogue.event_types import event_types
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.problem import Problem
from perkwire.settings.console import ConsoleSettings
from perkwire.trials.sample_events import Recipient, SampleFate

PATH = "/console/log/sample"


def add(pages: Pages, use_cases: UseCases, settings: ConsoleSettings) -> None:
    """Add the pages."""
    samples = use_cases.sample_events(settings.event_queue_url)
    pages.done |= {"sample-sent": "The sample event is sent."}

    def sample_page(visit: Visit, given: Form, problem: Problem | None = None) -> HtmlResponse:
        event_type = given.text("event_type") or samples.proposed_type(visit.account_id)
        program_id = given.text("program_id") or None
        recipients: list[Recipient] | None = None
        try:
            recipients = samples.recipients(visit.account_id, event_type, program_id)
        except Problem as wrong:
            problem = problem or wrong
        chosen = given.texts("webhook_ids")
        live = [one for one in recipients or () if one.becomes is SampleFate.SENT]
        if not chosen and problem is None and len(live) <= 1:
            # There is no choice; of several none is ticked, as one may be in use.
            chosen = [one.webhook.id for one in recipients or () if one.can_be_chosen]
        return visit.page(
            "sample.html",
            problem=problem,
            form=given,
            event_type=event_type,
            program_id=program_id or "",
            groups=_groups(event_type),
            recipients=recipients,
            chosen=chosen,
            fate=SampleFate,
            format_label=format_label,
        )

    @pages.page(PATH)
    def show(visit: Visit) -> HtmlResponse:
        return sample_page(visit, visit.query)

    @pages.form(PATH)
    def send(visit: Visit) -> HtmlResponse:
        given = visit.form
        try:
            event_id = samples.send(
                visit.caller,
                visit.account_id,
                given.text("event_type"),
                given.text("program_id") or None,
                {WebhookId(one) for one in given.texts("webhook_ids")},
            )
        except Problem as problem:
            return sample_page(visit, given, problem)
        return visit.go(f"/console/events/{segment(event_id)}", done="sample-sent")


def _groups(chosen: str) -> dict[str, list[str]]:
    """The types to choose from, as the catalogue groups them; a chosen one of one's own too."""
    groups: dict[str, list[str]] = {}
    for one in event_types().values():
        groups.setdefault(one.group, []).append(one.name)
    if chosen not in event_types():
        groups["of your own"] = [chosen]
    return groups
