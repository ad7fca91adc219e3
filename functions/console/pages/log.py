"""The log of deliveries: the list, one of them, retrying, and taking the list along."""

import html
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode

from console.http.form import Form
from console.http.registry import Needs, Pages, Section
from console.http.spans import span
from console.http.visit import HtmlResponse, Visit
from console.views.curl import as_curl
from console.views.date_fields import to_date_field
from console.views.exports import MOST_EXPORTED, Export, as_csv, read_export
from console.views.failures import failure_of
from console.views.json_text import MOST_CHARACTERS, indented_json
from console.views.log import (
    FILTERS,
    TABS,
    LogPage,
    LogQuery,
    account_webhooks,
    names_of,
    read_page,
    reload_seconds,
    sorted_webhooks,
    webhook_names,
)
from console.views.notices import notice_of
from console.views.retries import as_query, from_query, in_console, retry_groups
from console.views.runs import runs_of
from console.views.schedules import time_line
from console.views.webhook_wording import format_label
from console.views.wording import REASONS, STATUS_KINDS, came_back
from perkwire.adapters.wiring import UseCases
from perkwire.catalogue.event_types import event_types
from perkwire.formats.format import Unrenderable
from perkwire.primitives.ids import DeliveryId, WebhookId
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import now
from perkwire.reading.health import unsettled_lately, was_taken
from perkwire.reading.log import as_listed
from perkwire.recovering.retrying import MOST_IDS, RetryResult, parse_ids
from perkwire.settings.console import ConsoleSettings

PATH = "/console/log"
_REFUSED = "refused"
_MOST_RAW = 50_000
_JSON = "application/json"
_CSV = "text/csv; charset=utf-8"


def add(pages: Pages, use_cases: UseCases, settings: ConsoleSettings) -> None:
    """Add the pages."""
    pages.sections.append(Section("Log", PATH, Needs.ACCOUNT))
    pages.done |= {
        "delivery-retried": "The delivery will be sent again now.",
        "delivery-sent-on": "Its events are on their way to the other webhook, whose log shows "
        "them once an attempt is made.",
    }

    def export(visit: Visit) -> Export:
        names = webhook_names(use_cases.webhooks, visit.account_id)
        return read_export(use_cases.log, visit.account_id, LogQuery.of(visit.query), names, now)

    @pages.page(PATH)
    def show_log(visit: Visit) -> HtmlResponse:
        wanted = LogQuery.of(visit.query)
        webhooks = account_webhooks(use_cases.webhooks, visit.account_id)
        names = names_of(webhooks)
        problem = None
        at = now()
        log = LogPage([], {}, None)
        try:
            log = read_page(use_cases.log, visit.account_id, wanted, names)
        except Problem as found:
            problem = found
        return visit.page(
            "log.html",
            problem=problem,
            form=_shown_filters(visit.query),
            log=log,
            wanted=wanted,
            tabs=TABS,
            webhooks=webhooks,
            choices=_choices(names, wanted.parameters.get("webhook_id")),
            types=list(event_types()),
            most_exported=MOST_EXPORTED,
            kinds=STATUS_KINDS,
            reasons=REASONS,
            reload_seconds=reload_seconds(settings.retry_interval_seconds),
            notice=notice_of(
                [*webhooks.values()], unsettled_lately(use_cases.log, visit.account_id, at), at
            ),
        )

    @pages.page(f"{PATH}/export.csv")
    def export_csv(visit: Visit) -> HtmlResponse:
        found = export(visit)
        return visit.download(f"{_name(found)}.csv", _CSV, as_csv(found.rows))

    @pages.page(f"{PATH}/export.json")
    def export_json(visit: Visit) -> HtmlResponse:
        found = export(visit)
        deliveries = [as_listed(row.delivery) for row in found.rows]
        text = json.dumps(
            {"data": deliveries, "complete": found.is_all}, indent=1, ensure_ascii=False
        )
        return visit.download(f"{_name(found)}.json", _JSON, text)

    @pages.form(f"{PATH}/retry")
    def retry(visit: Visit) -> HtmlResponse:
        wanted = LogQuery.of(visit.form)
        ids: list[Json] = [*visit.form.texts("ids")]
        fields: dict[str, list[str]] = {}
        try:
            fields = as_query(use_cases.retrying.retry(visit.account_id, parse_ids({"ids": ids})))
        except Problem:
            fields = {_REFUSED: ["none" if not ids else "all"]}
        return visit.go(f"{PATH}/retried?{urlencode(fields, doseq=True)}&{wanted.here}")

    @pages.page(f"{PATH}/retried")
    def show_retried(visit: Visit) -> HtmlResponse:
        refused = visit.query.text(_REFUSED)
        results, entries = from_query(
            visit.query,
            lambda ids: use_cases.log.entries(visit.account_id, ids),
            lambda found: use_cases.retrying.refusals(visit.account_id, found),
        )
        names = webhook_names(use_cases.webhooks, visit.account_id)
        is_wrong = bool(refused) or not results
        return visit.page(
            "log_retried.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK,
            is_wrong=is_wrong,
            groups=retry_groups(results, entries, names),
            sent=sum(one.status is HTTPStatus.ACCEPTED for one in results),
            of=len(results),
            most=MOST_IDS,
            is_none_selected=refused != "all",
            wanted=LogQuery.of(visit.query),
        )

    def delivery_page(
        visit: Visit, delivery_id: str, problem: Problem | None = None
    ) -> HtmlResponse:
        entry = use_cases.log.entry(visit.account_id, DeliveryId(delivery_id))
        shown = entry.to_json(now(), settings.retry_interval_seconds)
        try:
            webhook = use_cases.webhooks.get(visit.account_id, entry.webhook_id)
        except Problem:
            webhook = None
        request: dict[str, Json] | None = None
        why_no_request = "The webhook is deleted: nothing more is sent for it."
        if webhook is not None:
            why_no_request = "Its events are no longer kept, so it cannot be sent again."
            try:
                found = use_cases.log.next_request(entry, webhook)
                request = None if found is None else found.to_json()
            except Unrenderable:
                why_no_request = (
                    f"The format {format_label(webhook.format)} cannot say these events."
                )
        refusal = use_cases.retrying.refusal(entry, resend=True)
        return visit.page(
            "delivery.html",
            problem=problem,
            delivery=shown,
            webhook=webhook,
            interval=settings.retry_interval_seconds,
            max_attempts=settings.max_attempts,
            span=span,
            time_line=time_line,
            reload_seconds=reload_seconds(settings.retry_interval_seconds),
            request=request,
            body=_readable(request),
            raw=_raw(request),
            recipients=sorted_webhooks(use_cases.sending_on.recipients(entry)),
            form=visit.form,
            curl=_curl(request),
            why_no_request=why_no_request,
            refusal=None if refusal is None else refusal.detail,
            kind=STATUS_KINDS[cast("str", shown["status"])],
            reason=REASONS.get(cast("str", shown.get("reason", ""))),
            came_back=came_back,
            failure_of=failure_of,
            runs_of=runs_of,
            is_taken=lambda attempt: was_taken(attempt, webhook.format if webhook else None),
        )

    @pages.page(f"{PATH}/<delivery_id>")
    def show_delivery(visit: Visit, delivery_id: str) -> HtmlResponse:
        return delivery_page(visit, delivery_id)

    @pages.form(f"{PATH}/<delivery_id>/retry")
    def retry_one(visit: Visit, delivery_id: str) -> HtmlResponse:
        ids = parse_ids({"ids": [delivery_id]})
        # Of one that has succeeded the page says what that means.
        resend = "resend" in visit.form
        (result,) = use_cases.retrying.retry(visit.account_id, ids, resend=resend)
        return answered(visit, result, "delivery-retried")

    @pages.form(f"{PATH}/<delivery_id>/send-on")
    def send_on(visit: Visit, delivery_id: str) -> HtmlResponse:
        ids = parse_ids({"ids": [delivery_id]})
        to = WebhookId(visit.form.text("webhook_id"))
        try:
            (result,) = use_cases.sending_on.send(visit.account_id, ids, to)
        except Problem as problem:
            return delivery_page(visit, delivery_id, problem)
        return answered(visit, result, "delivery-sent-on")

    def answered(visit: Visit, result: RetryResult, done: str) -> HtmlResponse:
        if result.status is HTTPStatus.ACCEPTED:
            return visit.go(f"{PATH}/{result.delivery_id}", done=done)
        refused = Problem(
            result.status,
            "refused",
            "The delivery was not sent again.",
            detail=in_console(result.detail),
        )
        return delivery_page(visit, result.delivery_id, refused)


def _name(found: Export) -> str:
    """The name of the file says whether it is all."""
    return "perkwire-log" if found.is_all else f"perkwire-log-newest-{len(found.rows)}"


def _shown_filters(query: Form) -> Form:
    """The filters as the fields of the page show them."""
    fields = {name: query.text(name) for name in (*FILTERS, "status")}
    fields |= {name: to_date_field(fields[name]) for name in ("since", "until")}
    return Form({name: [value] for name, value in fields.items()})


def _choices(names: Mapping[str, str], chosen: str | None) -> list[tuple[str, str]]:
    """What to choose a webhook from; one that is deleted stays chosen."""
    choices = [("", "All"), *names.items()]
    if chosen is not None and chosen not in names:
        choices.append((chosen, f"{chosen} (deleted)"))
    return choices


def _readable(request: dict[str, Json] | None) -> str:
    """The body, indented for reading; its bytes on the wire have no such blanks."""
    if request is None:
        return ""
    return indented_json(json.loads(cast("str", request["body"])))


def _raw(request: Mapping[str, Any] | None) -> str:
    """The body, byte for byte; empty if there is none, or it is too long for a page to carry."""
    body = "" if request is None else str(request["body"])
    return body if len(body) <= _MOST_RAW else ""


def _curl(request: Mapping[str, Any] | None) -> str:
    """The command line; empty if there is none, or it is too long for a page to carry."""
    if request is None:
        return ""
    command = as_curl(request["url"], request["headers"], request["body"])
    return command if len(html.escape(command)) <= MOST_CHARACTERS else ""
