"""Webhooks: the list, and one with all that can be done to it. Its form is webhook_form's."""

import json
from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from console.http.form import Form
from console.http.registry import Needs, Pages, Section
from console.http.spans import span
from console.http.visit import HtmlResponse, Visit
from console.pages.outcomes import OUTCOME, outcome_part
from console.views.after_pause import after_pause, began_at
from console.views.chart import BAR_WIDTH, HEIGHT, WIDTH, bars
from console.views.failures import failure_of
from console.views.history_charts import COLUMN, PERIODS, charts, percent, rows
from console.views.history_charts import HEIGHT as PLOT_HEIGHT
from console.views.json_text import indented_json
from console.views.listen import given_out
from console.views.log import Row, sorted_webhooks
from console.views.notices import notice_of
from console.views.receiver_code import receiver_code
from console.views.schedules import preset_name, schedule_words, time_line
from console.views.webhook_form import WebhookForm
from console.views.webhook_wording import (
    PAUSED_WHY,
    STATUS_KINDS,
    STRAINED_UNTIL,
    STRAINED_WHY,
    format_hint,
    format_label,
    lane_words,
    pace_words,
    secret_prefix,
    secret_rule,
    signs_with_both,
    strained_means,
    switching,
    waiting_words,
)
from console.views.wording import REASONS, came_back
from console.views.wording import STATUS_KINDS as DELIVERY_KINDS
from perkwire.adapters.wiring import UseCases
from perkwire.formats.format import Format
from perkwire.managing.webhook_draft import DEFAULT_OVERLAP_HOURS, LONGEST_OVERLAP_HOURS
from perkwire.managing.webhooks import GivenWebhook
from perkwire.model.lanes import Lane
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS, now
from perkwire.reading.health import Health, recent_health, unsettled_lately
from perkwire.reading.history import History, history
from perkwire.reading.pacing import taken_until
from perkwire.reading.troubles import FailureStreak
from perkwire.settings.console import ConsoleSettings
from perkwire.trials.sample_events import proposed_type

PATH = "/console/webhooks"
_WEBHOOK = f"{PATH}/<webhook_id>"
_PAGE = 20  # each costs a query for its health
_MOST_OF_EACH = 50  # deliveries that are read for it
_MOST_OF_ONE = 200  # on its own page
_PERIOD = "24h"
_NEWEST = 5

_CHART = {"bars": bars, "bar_width": BAR_WIDTH, "chart_height": HEIGHT, "chart_width": WIDTH}
_SHOWING: dict[str, Any] = {
    **_CHART,
    "status_kinds": STATUS_KINDS,
    "switching": switching,
    "reasons": REASONS,
    "came_back": came_back,
    "failure_of": failure_of,
    "format_label": format_label,
    "preset_name": preset_name,
    "span": span,
    "time_line": time_line,
}


def add(pages: Pages, use_cases: UseCases, settings: ConsoleSettings) -> None:
    """Add the pages."""
    pages.sections.append(Section("Webhooks", PATH, Needs.ACCOUNT))
    pages.done |= {
        "webhook-enabled": "The webhook is enabled.",
        "webhook-disabled": "The webhook is disabled.",
        "webhook-deleted": "The webhook is deleted.",
        "listening-ended": "The files that were given out for listening can pull nothing more. "
        "They may for up to a minute.",
    }
    pages.undone |= {
        "webhook-is-changed": "Nothing was done: the webhook has changed since that page was "
        "opened. This is how it is now.",
        "webhook-was-changed": "Nothing was rotated: the webhook has changed since that form was "
        "opened. A new secret is shown once, and cannot be shown again: rotate it to have another.",
    }

    def find(visit: Visit, webhook_id: str) -> Webhook:
        return use_cases.webhooks.get(visit.account_id, WebhookId(webhook_id))

    def health(webhook: Webhook, most: int) -> Health:
        return recent_health(use_cases.log, webhook, now(), most=most)

    def streak_of(webhook: Webhook) -> FailureStreak | None:
        return use_cases.streaks.of([webhook]).get(webhook.id)

    @pages.page(PATH)
    def list_webhooks(visit: Visit) -> HtmlResponse:
        at = now()
        page = use_cases.webhooks.list(visit.account_id, _PAGE, visit.query.text("cursor") or None)
        shown = [
            (webhook, health(webhook, _MOST_OF_EACH)) for webhook in sorted_webhooks(page.items)
        ]
        return visit.page(
            "webhooks.html",
            webhooks=shown,
            at=at,
            notice=notice_of(
                [webhook for webhook, _ in shown],
                unsettled_lately(use_cases.log, visit.account_id, at),
                at,
                failing=[webhook for webhook, fared in shown if fared.unsettled.failed],
            ),
            next_cursor=page.next_cursor,
            is_first_page="cursor" not in visit.query,
            has_room=bool(page.next_cursor) or has_room(page.items, settings, at),
            most=settings.max_webhooks_per_account,
            **_SHOWING,
        )

    def webhook_page(
        visit: Visit,
        webhook: Webhook,
        *,
        problem: Problem | None = None,
        outcome: dict[str, Json] | None = None,
    ) -> HtmlResponse:
        """The webhook; an outcome or a problem is that of the test that was asked for."""
        filled = WebhookForm.filled(webhook, use_cases.webhooks.formats(visit.account_id))
        at = now()
        health_ = recent_health(use_cases.log, webhook, at, most=_MOST_OF_ONE)
        asked = visit.query.text("period")
        period = asked if asked in PERIODS else _PERIOD
        history_ = history(
            use_cases.log,
            webhook,
            PERIODS[period][1],
            at,
            log_retention_days=settings.log_retention_days,
        )
        was_tested = problem is not None or outcome is not None
        return visit.page(
            "webhook.html",
            problem=problem,
            form=visit.form if was_tested else Form({}),
            webhook=webhook,
            health=health_,
            **_told(history_, period),
            after_pause=after_pause(webhook, health_, visit.query.text("paused")),
            outcome=outcome,
            samples=filled.samples,
            sample=visit.form.text("event_type") if was_tested else filled.sample,
            proposed_type=proposed_type(webhook),
            hint=format_hint(filled.format),
            at=at,
            signs_with_both=signs_with_both(filled.format, webhook.format_settings),
            paused_why=PAUSED_WHY,
            filter_text=webhook.filter and indented_json(json.loads(webhook.filter)),
            max_attempts=settings.max_attempts,
            interval=settings.retry_interval_seconds,
            pace_words=pace_words,
            waits_until=taken_until(use_cases.slots, webhook, at),
            waiting=waiting_words(webhook),
            pull=use_cases.pulling.standing(webhook),
            log_retention_days=settings.log_retention_days,
            lane_words=lane_words(webhook),
            schedule_words=schedule_words(
                webhook, settings.max_attempts, settings.retry_interval_seconds
            ),
            strained_why=STRAINED_WHY,
            strained_means=strained_means(
                webhook, settings.max_attempts, settings.retry_interval_seconds
            ),
            streak=streak_of(webhook) if webhook.lane is Lane.SLOW else None,
            strained_until=STRAINED_UNTIL,
            **_SHOWING,
        )

    @pages.page(_WEBHOOK)
    def show(visit: Visit, webhook_id: str) -> HtmlResponse:
        return webhook_page(visit, find(visit, webhook_id))

    @pages.form(f"{_WEBHOOK}/listen")
    def listen(visit: Visit, webhook_id: str) -> HtmlResponse:
        """The file, with a key of its own in place of that of the file before."""
        webhook = find(visit, webhook_id)
        try:
            key = use_cases.listening.key_for(visit.caller, visit.account_id, webhook.id)
        except Problem as problem:
            return webhook_page(visit, webhook, problem=problem)
        return given_out(visit, settings, webhook.id, key)

    @pages.form(f"{_WEBHOOK}/listen/end")
    def end_listening(visit: Visit, webhook_id: str) -> HtmlResponse:
        webhook = find(visit, webhook_id)
        use_cases.listening.revoke(visit.caller, visit.account_id, webhook.id)
        return visit.go(f"{PATH}/{webhook.id}", done="listening-ended")

    @pages.form(f"{_WEBHOOK}/test")
    def test(visit: Visit, webhook_id: str) -> HtmlResponse:
        webhook = find(visit, webhook_id)
        event_type = visit.form.text("event_type")
        asked: dict[str, Json] = {"event_type": event_type} if event_type else {}
        problem: Problem | None = None
        outcome: dict[str, Json] | None = None
        try:
            outcome = use_cases.trying.test(visit.account_id, webhook.id, asked)
        except Problem as wrong:
            problem = wrong
        if visit.form.text("part") == OUTCOME:
            return outcome_part(visit, outcome, problem)
        return webhook_page(visit, webhook, problem=problem, outcome=outcome)

    @pages.form(f"{_WEBHOOK}/enable")
    def enable(visit: Visit, webhook_id: str) -> HtmlResponse:
        return switch(visit, webhook_id, enabled=True)

    @pages.form(f"{_WEBHOOK}/disable")
    def disable(visit: Visit, webhook_id: str) -> HtmlResponse:
        return switch(visit, webhook_id, enabled=False)

    def switch(visit: Visit, webhook_id: str, *, enabled: bool) -> HtmlResponse:
        webhook = find(visit, webhook_id)
        began = ""
        if enabled and webhook.pause:
            # As long as the webhook is paused, its streak and its failures say what led to that.
            failed = health(webhook, _MOST_OF_ONE)
            began = began_at(webhook.pause.at, failed, streak_of(webhook))
        try:
            use_cases.webhooks.switch(
                visit.account_id, WebhookId(webhook_id), enabled=enabled, read=visit.read_version
            )
        except Problem as problem:
            return changed_meanwhile(visit, webhook_id, problem)
        from_list = visit.form.text("from") == "list"
        done = "webhook-enabled" if enabled else "webhook-disabled"
        if began:
            # Its page says what to do about what failed.
            return visit.go(f"{PATH}/{webhook_id}", done=done, paused=began)
        return visit.go(PATH if from_list else f"{PATH}/{webhook_id}", done=done)

    def changed_meanwhile(visit: Visit, webhook_id: str, problem: Problem) -> HtmlResponse:
        """The webhook as it is now, if that is why; else raises the problem."""
        if problem.status != HTTPStatus.PRECONDITION_FAILED:
            raise problem
        return visit.go(f"{PATH}/{webhook_id}", done="webhook-is-changed")

    def rotation_page(
        visit: Visit, webhook: Webhook, *, form: Form, problem: Problem | None = None
    ) -> HtmlResponse:
        format_ = use_cases.formats.of(webhook)
        return visit.page(
            "webhook_rotate.html",
            problem=problem,
            form=form,
            webhook=webhook,
            secret_rule=secret_rule(format_),
            secret_prefix=secret_prefix(format_),
            signs_with_both=signs_with_both(format_, webhook.format_settings),
            format_label=format_label,
            default_hours=DEFAULT_OVERLAP_HOURS,
            most_hours=LONGEST_OVERLAP_HOURS,
        )

    @pages.page(f"{_WEBHOOK}/rotate")
    def show_rotation(visit: Visit, webhook_id: str) -> HtmlResponse:
        return rotation_page(visit, find(visit, webhook_id), form=Form({}))

    @pages.form(f"{_WEBHOOK}/rotate")
    def rotate(visit: Visit, webhook_id: str) -> HtmlResponse:
        webhook = find(visit, webhook_id)
        if webhook.version not in visit.read_version:
            # The page that shows the secret, loaded again, would rotate again: of two rotations
            # the first one's overlap ends, and with it the secret that the receiver has.
            return visit.go(f"{PATH}/{webhook.id}", done="webhook-was-changed")
        hours = visit.form.number("overlap_hours")
        asked: dict[str, Json] = {} if hours is None else {"overlap_hours": hours}
        if secret := visit.form.text("secret"):
            asked["secret"] = secret
        try:
            rotated = use_cases.webhooks.rotate_secret(
                visit.account_id, webhook.id, asked, {webhook.version}
            )
        except Problem as problem:
            return rotation_page(visit, webhook, form=visit.form, problem=problem)
        format_ = use_cases.formats.of(rotated.webhook)
        return secret_page(visit, rotated, format_, was_created=False)

    @pages.page(f"{_WEBHOOK}/delete")
    def show_deletion(visit: Visit, webhook_id: str) -> HtmlResponse:
        return visit.page("webhook_delete.html", webhook=find(visit, webhook_id))

    @pages.form(f"{_WEBHOOK}/delete")
    def delete(visit: Visit, webhook_id: str) -> HtmlResponse:
        try:
            use_cases.webhooks.delete(visit.account_id, WebhookId(webhook_id), visit.read_version)
        except Problem as problem:
            return changed_meanwhile(visit, webhook_id, problem)
        return visit.go(PATH, done="webhook-deleted")


def has_room(webhooks: Collection[Webhook], settings: ConsoleSettings, at: int) -> bool:
    """Whether an account with these webhooks can have another: those that have ended make room."""
    live = sum(not one.has_ended(at) for one in webhooks)
    return live < settings.max_webhooks_per_account


def _told(history_: History, period: str) -> dict[str, Any]:
    """The history as the page shows it."""
    _, length, below = PERIODS[period]
    return {
        "history": history_,
        "period": period,
        "periods": PERIODS,
        "charts": charts(history_),
        "chart_column": COLUMN,
        "plot_height": PLOT_HEIGHT,
        "plot_width": COLUMN * length.slices,
        "below": below,
        "rows": rows(history_),
        "slice_seconds": length.slice_length // MICROSECONDS,
        "percent": percent,
        "newest": [Row(one, "") for one in history_.newest[:_NEWEST]],
        "delivery_kinds": DELIVERY_KINDS,
    }


def secret_page(
    visit: Visit, given: GivenWebhook, format_: Format, *, was_created: bool
) -> HtmlResponse:
    """The one page that shows a webhook's secret: of a new webhook, or after a rotation."""
    webhook = given.webhook
    return visit.page(
        "webhook_secret.html",
        status=HTTPStatus.CREATED,
        webhook=webhook,
        secret=given.secret,
        warnings=given.warnings,
        was_created=was_created,
        receivers=receiver_code(webhook.format, webhook.format_settings),
        format_label=format_label,
        retired=webhook.sealed.retired,
        signs_with_both=signs_with_both(format_, webhook.format_settings),
    )
