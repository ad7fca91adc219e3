"""Jobs: send again all that failed, or replay events, of a time range; counted before it begins."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from console.http.form import Form
from console.http.registry import Pages
from console.http.visit import HtmlResponse, Visit
from console.views.date_fields import from_date_field, to_date_field
from console.views.log import account_webhooks, names_of, reload_seconds, webhook_names
from console.views.webhook_wording import pace_words
from console.views.wording import JOB_NAMES, JOB_REASONS, STATUS_KINDS, came_back
from perkwire.adapters.wiring import UseCases
from perkwire.catalogue.event_types import event_types
from perkwire.jobs.job import DEFAULT_RATE, HIGHEST_RATE, Job, JobKind, JobStatus
from perkwire.jobs.listing import JobFilter
from perkwire.jobs.starting import DryRun
from perkwire.model.delivery import DeliveryStatus
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, JobId, WebhookId
from perkwire.primitives.problem import FieldError, Problem, invalid
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS, now, parse_rfc3339, to_rfc3339
from perkwire.reading.health import LastError, recent_health
from perkwire.reading.job_outcomes import JobOutcome
from perkwire.reading.log import DeliveryFilter
from perkwire.settings.console import ConsoleSettings

PATH = "/console/log/jobs"
_ROWS = 25
_EVERY = "every"
_MOST_CHOSEN = 100
_JOB_ID = regex(r"job_[0-9a-z]{16}")
_FIELDS = (
    "kind",
    "webhook_id",
    "since",
    "until",
    "event_type",
    "event_types",
    "with_cancelled",
    "per_second",
    "proposed",
)
_MOST_LOOKED_AT = 100  # deliveries, to tell whose have failed, or how the last ones fared


def add(pages: Pages, use_cases: UseCases, settings: ConsoleSettings) -> None:
    """Add the pages."""
    pages.done |= {
        "job-started": "The job is started.",
        "jobs-started": "The jobs are started.",
        "job-cancelled": "The job is cancelled. What was sent stays sent.",
    }

    pages.undone |= {"no-job-started": "No webhook was ticked, so no job is started."}

    def to_send_to(visit: Visit) -> dict[str, Webhook]:
        """The webhooks that a job is offered for: to one that has ended nobody listens."""
        found, at = account_webhooks(use_cases.webhooks, visit.account_id), now()
        return {one: webhook for one, webhook in found.items() if not webhook.has_ended(at)}

    def new_page(visit: Visit, given: Form, problem: Problem | None = None) -> HtmlResponse:
        names = names_of(to_send_to(visit))
        running = _JOB_ID.search(str(problem.document().get("detail", ""))) if problem else None
        day_ago = to_date_field(to_rfc3339(now() - DAY_SECONDS * MICROSECONDS))
        kind = _kind(given)
        chosen = given.text("webhook_id")
        if not chosen and problem is None and kind is JobKind.RETRY_FAILED:
            chosen = only_failing(visit.account_id, names)
        return visit.page(
            "job_new.html",
            problem=problem,
            running=running[0] if running else None,
            form=_shown(given.changed({"webhook_id": [chosen]})),
            kind=kind,
            kinds=JOB_NAMES,
            types=list(event_types()),
            webhooks=names,
            day_ago=day_ago,
            # What nobody has chosen is no news if it begins later.
            proposed=given.text("proposed") or to_date_field(given.text("since")) or day_ago,
            default_rate=DEFAULT_RATE,
            highest_rate=HIGHEST_RATE,
        )

    def only_failing(account_id: AccountId, names: Mapping[str, str]) -> str:
        """The webhook whose all failed deliveries are, of the newest ones; empty: of several."""
        wanted = DeliveryFilter(status=DeliveryStatus.FAILED)
        failed = use_cases.log.list(account_id, wanted, _MOST_LOOKED_AT, None)
        found = {str(one["webhook_id"]) for one in failed.items} & names.keys()
        return found.pop() if len(found) == 1 else ""

    def started(visit: Visit, given: Form, *, dry_run: bool) -> Job | DryRun:
        webhook_id = given.text("webhook_id")
        if not webhook_id:
            raise invalid([FieldError("webhook_id", "must be chosen")])
        kind = _kind(given)
        value = _request(given, kind, dry_run=dry_run)
        return use_cases.jobs.start(visit.account_id, WebhookId(webhook_id), kind, value)

    @pages.page(f"{PATH}/new")
    def show_new(visit: Visit) -> HtmlResponse:
        return new_page(visit, visit.query)

    @pages.form(f"{PATH}/count")
    def ask_for_count(visit: Visit) -> HtmlResponse:
        # So that the page of the count can be loaded again, and come back to.
        fields = {name: visit.form.text(name) for name in _FIELDS}
        given = {name: value for name, value in fields.items() if value}
        return visit.go(f"{PATH}/count", **given)

    @pages.page(f"{PATH}/count")
    def show_count(visit: Visit) -> HtmlResponse:
        given = visit.query
        if given.text("webhook_id") == _EVERY:
            return count_of_each(visit, given)
        try:
            dry_run = started(visit, given, dry_run=True)
        except Problem as problem:
            return new_page(visit, given, problem)
        webhook = use_cases.webhooks.get(visit.account_id, WebhookId(given.text("webhook_id")))
        kind = _kind(given)
        counted = dry_run.to_json()
        return visit.page(
            "job_count.html",
            counted=counted,
            moved_from=_moved_from(given, counted["since"]),
            kind=kind,
            kinds=JOB_NAMES,
            webhook=webhook.name,
            webhook_status=webhook.status,
            ended_at=webhook.ends_at if webhook.has_ended(now()) else None,
            still_failing=still_failing(webhook),
            came_back=came_back,
            rate=given.number("per_second") or DEFAULT_RATE,
            event_types=_event_types(given),
            # What was counted is what will be sent.
            fields={
                **{name: given.text(name) for name in _FIELDS},
                "since": counted["since"],
                "until": counted["until"],
            },
        )

    def still_failing(webhook: Webhook) -> LastError | None:
        """The last thing that its endpoint has answered, if it was a failure."""
        health = recent_health(use_cases.log, webhook, now(), most=_MOST_LOOKED_AT)
        last = health.last_error
        if last is None or last.attempt is None or last.at <= (health.succeeded_at or 0):
            return None
        return last

    def count_of_each(visit: Visit, given: Form) -> HtmlResponse:
        """Of every webhook, to be chosen from."""
        webhooks = [*to_send_to(visit).values()]
        kind = JobKind.RETRY_FAILED
        value = _request(given, kind, dry_run=True)
        try:
            counted = use_cases.jobs.count_each(visit.account_id, webhooks, kind, value)
        except Problem as problem:
            return new_page(visit, given, problem)
        asked = next((one.job for one in counted), None)
        since = to_rfc3339(asked.since) if asked else given.text("since")
        until = to_rfc3339(asked.until) if asked else given.text("until")
        return visit.page(
            "job_count_each.html",
            rows=[*zip(webhooks, counted, strict=True)],
            name=JOB_NAMES[kind],
            since=since,
            until=until,
            moved_from=_moved_from(given, since),
            rate=given.number("per_second") or DEFAULT_RATE,
            fields={
                **{name: given.text(name) for name in _FIELDS if name != "webhook_id"},
                "since": since,
                "until": until,
            },
        )

    @pages.form(f"{PATH}/several")
    def start_several(visit: Visit) -> HtmlResponse:
        """A job for each of the chosen webhooks; those that have none say so on the list."""
        refused = []
        chosen = visit.form.texts("webhook_ids")[:_MOST_CHOSEN]
        for webhook_id in chosen:
            try:
                started(visit, visit.form.changed({"webhook_id": [webhook_id]}), dry_run=False)
            except Problem as problem:
                if problem.status == HTTPStatus.UNPROCESSABLE_ENTITY:
                    return new_page(visit, visit.form, problem)
                refused.append(webhook_id)
        if not chosen:
            return visit.go(PATH, done="no-job-started")
        return visit.go(PATH, done="jobs-started", **{"not": ".".join(refused)} if refused else {})

    @pages.form(PATH)
    def start(visit: Visit) -> HtmlResponse:
        try:
            job = started(visit, visit.form, dry_run=False)
        except Problem as problem:
            return new_page(visit, visit.form, problem)
        return visit.go(f"{PATH}/{job.to_json()['id']}", done="job-started")

    @pages.page(PATH)
    def list_jobs(visit: Visit) -> HtmlResponse:
        cursor = visit.query.text("cursor") or None
        names = webhook_names(use_cases.webhooks, visit.account_id)
        found = use_cases.jobs.list(visit.account_id, JobFilter(), _ROWS, cursor)
        return visit.page(
            "jobs.html",
            jobs=found.items,
            next_cursor=found.next_cursor,
            names=JOB_NAMES,
            kinds=STATUS_KINDS,
            webhooks=names,
            refused=[names[one] for one in visit.query.text("not").split(".") if one in names],
        )

    @pages.page(f"{PATH}/<job_id>")
    def show(visit: Visit, job_id: str) -> HtmlResponse:
        job = use_cases.jobs.get(visit.account_id, JobId(job_id))
        return job_page(visit, job)

    def job_page(visit: Visit, job: Job, problem: Problem | None = None) -> HtmlResponse:
        shown = cast("dict[str, Any]", job.to_json())
        webhook = account_webhooks(use_cases.webhooks, visit.account_id).get(job.webhook_id)
        outcome = use_cases.job_outcomes.of(job) if job.has_ended and job.sent else None
        return visit.page(
            "job.html",
            problem=problem,
            job=shown,
            has_ended=job.has_ended,
            name=JOB_NAMES[job.kind],
            webhook=webhook and webhook.name,
            pace=pace_words(webhook.max_per_second) if webhook and webhook.max_per_second else "",
            outcome=outcome,
            badge=_badge(job, outcome),
            word=_word(job, outcome),
            reload_seconds=reload_seconds(settings.retry_interval_seconds),
            reason=JOB_REASONS.get(shown.get("reason", "")),
        )

    @pages.form(f"{PATH}/<job_id>/cancel")
    def cancel(visit: Visit, job_id: str) -> HtmlResponse:
        try:
            use_cases.jobs.cancel(visit.account_id, JobId(job_id))
        except Problem as problem:
            job = use_cases.jobs.get(visit.account_id, JobId(job_id))
            return job_page(visit, job, problem)
        return visit.go(f"{PATH}/{job_id}", done="job-cancelled")


def _badge(job: Job, outcome: JobOutcome | None) -> str:
    """Green is for what has arrived: a job that is done has only sent."""
    if job.status is not JobStatus.DONE or not job.sent:
        return STATUS_KINDS.get(job.status, "bad")
    if outcome is None:
        return "off"
    return "bad" if outcome.failed else "warn" if outcome.trying else "good"


def _word(job: Job, outcome: JobOutcome | None) -> str:
    """What has become of it, so that the badge's word agrees with its colour."""
    if job.status is not JobStatus.DONE or outcome is None or not outcome.failed:
        return job.status
    again = "" if job.kind is JobKind.REPLAY else " again"
    return f"done, {'some' if outcome.delivered or outcome.trying else 'all'} failed{again}"


def _moved_from(given: Form, since: Json) -> str | None:
    """The beginning that a person asked for, if nothing is kept from then; in RFC 3339."""
    asked = parse_rfc3339(from_date_field(given.text("since")))
    if asked == parse_rfc3339(from_date_field(given.text("proposed"))):
        return None
    begins = parse_rfc3339(str(since))
    if asked is None or begins is None or begins - asked < MICROSECONDS:
        return None
    return to_rfc3339(max(asked, 0))


def _event_types(form: Form) -> list[str]:
    return list(dict.fromkeys([*form.texts("event_type"), *form.lines("event_types")]))


def _kind(form: Form) -> JobKind:
    text = form.text("kind")
    return JobKind.REPLAY if text == JobKind.REPLAY else JobKind.RETRY_FAILED


def _request(form: Form, kind: JobKind, *, dry_run: bool) -> dict[str, Json]:
    """What the API would be asked."""
    value: dict[str, Json] = {"since": from_date_field(form.text("since"))}
    if until := form.text("until"):
        value["until"] = from_date_field(until)
    chosen = _event_types(form)
    if kind is JobKind.REPLAY and chosen:
        value["event_types"] = [*chosen]
    if kind is JobKind.RETRY_FAILED and form.text("with_cancelled"):
        value["with_cancelled"] = True
    if (rate := form.number("per_second")) is not None:
        value["per_second"] = rate
    if dry_run:
        value["dry_run"] = True
    return value


def _shown(given: Form) -> Form:
    fields = {name: given.text(name) for name in _FIELDS if name in given}
    fields |= {name: to_date_field(fields[name]) for name in ("since", "until") if name in fields}
    return Form({name: [value] for name, value in fields.items()})
