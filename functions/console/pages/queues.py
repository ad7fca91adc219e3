"""What is on its way, waits for its slot or rests as dead letters: an operator's page."""

from console.http.form import Form
from console.http.registry import Needs, Pages, Section
from console.http.visit import HtmlResponse, Visit
from console.views.wording import came_back
from perkwire.adapters.wiring import UseCases
from perkwire.model.account import Account
from perkwire.model.lanes import Lane
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, Problem, invalid, not_found
from perkwire.primitives.strict_json import Json
from perkwire.reading.troubles import LOOKED_BACK_DAYS
from perkwire.recovering.redriving import HIGHEST_RATE, RedriveQueue
from perkwire.settings.console import ConsoleSettings

_PATH = "/console/queues"
_DEFAULT_RATE = 10  # messages a second: endpoints that have just recovered take it
_MOST_ACCOUNTS = 100  # whose failures are counted: about a dozen queries for each
_MOST_ROWS = 50  # of webhooks: the page stays small
_NAMES = {
    RedriveQueue.DELIVERIES: "Deliveries",
    RedriveQueue.EVENTS: "Events and paced deliveries",
    RedriveQueue.INBOX: "Messages of the inbox",
}
_MEANINGS = {
    RedriveQueue.DELIVERIES: "Deliveries that have used up their attempts: their endpoints fail, "
    "or do not answer. Each goes back into the lane that it came from.",
    RedriveQueue.EVENTS: "Events that could not be passed on to any webhook, and deliveries of "
    "webhooks with a pace that could not be sent on when their slot was near. That is a fault of "
    "this system, never an endpoint's. Each goes back to the queue that it came from.",
    RedriveQueue.INBOX: "Messages of the inbox that could not be taken ten times: a service of AWS "
    "failed, or this system. What is wrong with an event leads to the page Inbox, and never here. "
    "Each goes back to the inbox. It is a new message there: of its events those without an id of "
    "their own that had been accepted are accepted once more.",
}
_WHOSE = {
    RedriveQueue.EVENTS: "these are events and paced deliveries that the router could not work on",
    RedriveQueue.INBOX: "each event of a message names its account",
}
_ANEW = {
    RedriveQueue.DELIVERIES: "all its attempts anew",
    RedriveQueue.EVENTS: "ten new goes of the router",
    RedriveQueue.INBOX: "ten new goes of ingest",
}


def add(pages: Pages, use_cases: UseCases, _settings: ConsoleSettings) -> None:
    """Add the pages."""
    pages.sections.append(Section("Queues", _PATH, Needs.OPERATOR))
    pages.done |= {
        "redrive-started": "The redrive is started. SQS moves the messages back, the numbers "
        "below follow a little later.",
        "redrive-cancelled": "The redrive is being cancelled. What has moved stays moved.",
    }

    def queue_of(form: Form) -> RedriveQueue:
        """The queue that is named, which the stack has."""
        name = form.text("queue")
        if name not in use_cases.redriving.queues:
            raise not_found("queue")
        return RedriveQueue(name)

    def queues_page(visit: Visit, problem: Problem | None = None) -> HtmlResponse:
        """The queues, and what is on its way to them."""
        queues = use_cases.redriving.queues
        letters = {queue: use_cases.dead_letters.of(queue) for queue in queues}
        return visit.page(
            "queues.html",
            problem=problem,
            queues=[
                (queue, _NAMES[queue], _MEANINGS[queue], one) for queue, one in letters.items()
            ],
            resting_now={queue: one.count for queue, one in letters.items()},
            lanes=[(lane, use_cases.traffic.of(lane)) for lane in Lane],
            backlog=use_cases.traffic.backlog(),
            redrives=use_cases.redriving.list(visit.caller),
        )

    def confirm_page(
        visit: Visit, queue: RedriveQueue, given: Form, problem: Problem | None = None
    ) -> HtmlResponse:
        """What a redrive would move: how many, how old and whose."""
        letters = use_cases.dead_letters.of(queue)
        listed = Page[Account]([], None)
        if queue is RedriveQueue.DELIVERIES and letters.count:
            listed = use_cases.accounts.list(visit.caller, _MOST_ACCOUNTS, None)
        overview = use_cases.overlooking.look(listed.items)
        resting = overview.resting
        return visit.page(
            "redrive.html",
            problem=problem,
            form=given,
            queue=queue,
            title=_NAMES[queue],
            whose=_WHOSE.get(queue),
            anew=_ANEW[queue],
            letters=letters,
            overview=overview,
            resting=resting[:_MOST_ROWS],
            more_resting=len(resting[_MOST_ROWS:]),
            known=sum(one.standing.resting for one in resting),
            is_capped=any(one.standing.is_capped for one in resting),
            came_back=came_back,
            days=LOOKED_BACK_DAYS,
            most_accounts=_MOST_ACCOUNTS if listed.next_cursor else None,
            default_rate=_DEFAULT_RATE,
            highest_rate=HIGHEST_RATE,
        )

    @pages.page(_PATH, Needs.OPERATOR)
    def show(visit: Visit) -> HtmlResponse:
        return queues_page(visit)

    @pages.page(f"{_PATH}/redrives/new", Needs.OPERATOR)
    def confirm(visit: Visit) -> HtmlResponse:
        return confirm_page(visit, queue_of(visit.query), Form({}))

    @pages.form(f"{_PATH}/redrives", Needs.OPERATOR)
    def start(visit: Visit) -> HtmlResponse:
        queue, rate = queue_of(visit.form), visit.form.number("max_per_second")
        value: dict[str, Json] = {"queue": queue, "max_per_second": rate}
        try:
            if rate is None:
                # SQS's own rate, which the API takes for no number, is as fast as it can.
                wrong = f"must be a whole number from 1 to {HIGHEST_RATE}"
                raise invalid([FieldError("max_per_second", wrong)])
            use_cases.redriving.start(visit.caller, value)
        except Problem as problem:
            return confirm_page(visit, queue, visit.form, problem)
        return visit.go(_PATH, done="redrive-started")

    @pages.form(f"{_PATH}/redrives/cancel", Needs.OPERATOR)
    def cancel(visit: Visit) -> HtmlResponse:
        try:
            use_cases.redriving.cancel(visit.caller, visit.form.text("queue"))
        except Problem as problem:
            return queues_page(visit, problem)
        return visit.go(_PATH, done="redrive-cancelled")
