"""What is on its way in each lane, what rests as dead letters, redrives: an operator's pages."""

from console.http.form import Form
from console.http.registry import Needs, Pages, Section
from console.http.visit import HtmlResponse, Visit
from perkwire.adapters.wiring import UseCases
from perkwire.model.lanes import Lane
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.recovering.redriving import HIGHEST_RATE, RedriveQueue
from perkwire.settings.console import ConsoleSettings

_PATH = "/console/queues"
_NAMES = {
    RedriveQueue.DELIVERIES: "Deliveries",
    RedriveQueue.EVENTS: "Events",
}


def add(pages: Pages, use_cases: UseCases, settings: ConsoleSettings) -> None:
    """Add the pages."""
    urls = {
        RedriveQueue.DELIVERIES: settings.dead_letter_queue_url,
        RedriveQueue.EVENTS: settings.event_dead_letter_queue_url,
    }
    pages.sections.append(Section("Queues", _PATH, Needs.OPERATOR))
    pages.done |= {
        "redrive-started": "The redrive is started. SQS moves the messages back, the numbers "
        "below follow a little later.",
        "redrive-cancelled": "The redrive is being cancelled. What has moved stays moved.",
    }

    def queues_page(
        visit: Visit, *, problem: Problem | None = None, about: str | None = None
    ) -> HtmlResponse:
        """Both queues; `about` names the one that a problem is about."""
        dead_letters = use_cases.dead_letters(urls)
        return visit.page(
            "queues.html",
            problem=problem,
            about=about,
            form=visit.form if about else Form({}),
            queues=[(queue, _NAMES[queue], dead_letters.of(queue)) for queue in RedriveQueue],
            lanes=[(lane, use_cases.traffic.of(lane)) for lane in Lane],
            redrives=use_cases.redriving.list(visit.caller),
            highest_rate=HIGHEST_RATE,
        )

    @pages.page(_PATH, Needs.OPERATOR)
    def show(visit: Visit) -> HtmlResponse:
        return queues_page(visit)

    @pages.form(f"{_PATH}/redrives", Needs.OPERATOR)
    def start(visit: Visit) -> HtmlResponse:
        value: dict[str, Json] = {"queue": visit.form.text("queue")}
        rate = visit.form.number("max_per_second")
        if rate is not None:
            value["max_per_second"] = rate
        try:
            use_cases.redriving.start(visit.caller, value)
        except Problem as problem:
            return queues_page(visit, problem=problem, about=visit.form.text("queue"))
        return visit.go(_PATH, done="redrive-started")

    @pages.form(f"{_PATH}/redrives/cancel", Needs.OPERATOR)
    def cancel(visit: Visit) -> HtmlResponse:
        try:
            use_cases.redriving.cancel(visit.caller, visit.form.text("queue"))
        except Problem as problem:
            return queues_page(visit, problem=problem, about=visit.form.text("queue"))
        return visit.go(_PATH, done="redrive-cancelled")
