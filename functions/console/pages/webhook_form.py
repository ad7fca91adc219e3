"""The form of a new or stored webhook, with a preview and a test of what is filled in."""

import json
from collections.abc import Collection, Sequence
from http import HTTPStatus

from console.http.form import ShownProblem
from console.http.registry import Pages
from console.http.spans import span
from console.http.visit import HtmlResponse, Visit
from console.pages.outcomes import OUTCOME, outcome_part
from console.pages.webhooks import PATH, has_room, secret_page
from console.views.curl import as_curl
from console.views.failures import failure_of
from console.views.filter_rows import CONDITIONS
from console.views.form_versions import Difference, changed_meanwhile
from console.views.json_text import indented_json
from console.views.log import account_webhooks
from console.views.schedules import PRESETS, time_line
from console.views.webhook_advanced import opens_advanced, opens_settings, set_apart
from console.views.webhook_form import WebhookForm
from console.views.webhook_wording import format_hint, format_label, format_options
from console.views.wording import came_back
from perkwire.adapters.wiring import UseCases
from perkwire.formats.lookup import AccountFormats
from perkwire.model.endpoint import MAX_HEADERS, host_of, target_of
from perkwire.model.sending import Request
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import WebhookId, webhook_id_of_form
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, now
from perkwire.reading.filter_previewing import FilterPreview
from perkwire.reading.previewing import Preview, preview
from perkwire.settings.console import ConsoleSettings

_LATELY = HOUR_SECONDS * MICROSECONDS
_EDIT = f"{PATH}/<webhook_id>/edit"


def add(pages: Pages, use_cases: UseCases, settings: ConsoleSettings) -> None:
    """Add the pages."""
    pages.done |= {
        "webhook-changed": "The webhook is changed. What is waiting already is sent this way too.",
        "webhook-was-created": "The webhook is created already. Its secret was shown once, and "
        "cannot be shown again: rotate it to have another one.",
    }

    def formats_of(visit: Visit) -> AccountFormats:
        return use_cases.webhooks.formats(visit.account_id)

    def sent(visit: Visit) -> WebhookForm:
        """What was filled in, of a new webhook or of a stored one."""
        webhook_id, formats = visit.form.text("webhook_id"), formats_of(visit)
        if not webhook_id:
            return WebhookForm(visit.form, formats=formats)
        current = use_cases.webhooks.get(visit.account_id, WebhookId(webhook_id))
        return WebhookForm(visit.form, current, formats=formats)

    def previewed(visit: Visit, asked: WebhookForm) -> "ShownPreview":
        try:
            made = preview(
                visit.account_id,
                asked.asked_sample(),
                use_cases.rules,
                now(),
                current=asked.current,
                keeps_headers=asked.keeps_headers,
                formats=asked.formats,
            )
        except Problem as problem:
            return ShownPreview(None, ShownProblem(problem))
        return ShownPreview(made, None, {*made.kept, *asked.header_names})

    def form_page(
        visit: Visit,
        asked: WebhookForm,
        *,
        problem: Problem | None = None,
        outcome: dict[str, Json] | None = None,
        filtered: FilterPreview | None = None,
        undone: Sequence[Difference] = (),
        status: int = 200,
    ) -> HtmlResponse:
        """The form with what is filled in, and the preview of it."""
        shown = None if problem is None else ShownProblem(problem)
        told = {one.name for one in shown.errors} if shown else set()
        told |= {one.field for one in undone}
        return visit.page(
            "webhook_form.html",
            status=status,
            problem=problem,
            filled_as=asked.filled_as,
            form=asked.form,
            asked=asked,
            rows=asked.rows(shown),
            set_apart=set_apart(asked),
            opens_advanced=opens_advanced(asked, told),
            opens_settings=opens_settings(asked, told),
            most_headers=MAX_HEADERS,
            conditions=CONDITIONS,
            filtered=filtered,
            undone=undone,
            presets=PRESETS,
            time_line=time_line,
            span=span,
            max_attempts=settings.max_attempts,
            interval=settings.retry_interval_seconds,
            formats=format_options(asked.formats),
            hint=format_hint(asked.format),
            format_label=format_label,
            outcome=outcome,
            is_made_up=asked.is_secret_made_up,
            came_back=came_back,
            failure_of=failure_of,
            preview=previewed(visit, asked),
        )

    def just_made(visit: Visit) -> Webhook | None:
        """What the same form has made lately: its answer, loaded again, is sent again."""
        name, url = visit.form.text("name"), visit.form.text("url")
        pulled = webhook_id_of_form(visit.account_id, visit.form.text("form_id"), name)
        found = account_webhooks(use_cases.webhooks, visit.account_id).values()
        same = (one for one in found if (one.name, one.url) == (name, url) or one.id == pulled)
        return next((one for one in same if now() - one.created_at < _LATELY), None)

    @pages.page(f"{PATH}/new")
    def show_new(visit: Visit) -> HtmlResponse:
        there_are = account_webhooks(use_cases.webhooks, visit.account_id).values()
        if not has_room(there_are, settings, now()):
            return visit.page("webhooks_full.html", most=settings.max_webhooks_per_account)
        return form_page(visit, WebhookForm.empty(formats_of(visit)))

    @pages.form(PATH)
    def create(visit: Visit) -> HtmlResponse:
        asked = WebhookForm(visit.form, formats=formats_of(visit))
        try:
            form_id = visit.form.text("form_id")
            created = use_cases.webhooks.create(visit.account_id, asked.asked(), form=form_id)
        except Problem as problem:
            if problem.status == HTTPStatus.CONFLICT and (made := just_made(visit)):
                return visit.go(f"{PATH}/{made.id}", done="webhook-was-created")
            return form_page(visit, asked, problem=problem)
        return secret_page(visit, created, asked.format, was_created=True)

    @pages.page(_EDIT)
    def show_edit(visit: Visit, webhook_id: str) -> HtmlResponse:
        webhook = use_cases.webhooks.get(visit.account_id, WebhookId(webhook_id))
        asked = WebhookForm.filled(webhook, formats_of(visit))
        if url := visit.query.text("url"):
            asked = WebhookForm(asked.form.changed({"url": [url]}), webhook, formats=asked.formats)
        return form_page(visit, asked)

    @pages.form(_EDIT)
    def change(visit: Visit, webhook_id: str) -> HtmlResponse:
        webhook = use_cases.webhooks.get(visit.account_id, WebhookId(webhook_id))
        asked = WebhookForm(visit.form, webhook, formats=formats_of(visit))
        try:
            if webhook.version not in visit.read_version and (undone := asked.undone()):
                both = asked.brought_up_to_date(undone)
                return form_page(visit, both, problem=changed_meanwhile("webhook"), undone=undone)
            change = asked.asked_change()
            use_cases.webhooks.change(visit.account_id, webhook.id, change, {webhook.version})
        except Problem as problem:
            return form_page(visit, asked.refused(problem), problem=problem)
        return visit.go(f"{PATH}/{webhook.id}", done="webhook-changed")

    @pages.form(f"{PATH}/form")
    def show_again(visit: Visit) -> HtmlResponse:
        return form_page(visit, sent(visit))

    @pages.form(f"{PATH}/filter")
    def try_filter(visit: Visit) -> HtmlResponse:
        asked = sent(visit)
        try:
            filtered = use_cases.filter_previews.preview(
                visit.account_id, asked.asked_filter_preview()
            )
        except Problem as problem:
            return form_page(visit, asked, problem=problem)
        return form_page(visit, asked, filtered=filtered)

    @pages.form(f"{PATH}/preview")
    def show_preview(visit: Visit) -> HtmlResponse:
        asked = sent(visit)
        if visit.form.text("part") != "preview":
            return form_page(visit, asked)
        return visit.page(
            "webhook_preview.html", asked=asked, form=asked.form, preview=previewed(visit, asked)
        )

    @pages.form(f"{PATH}/test")
    def test(visit: Visit) -> HtmlResponse:
        asked = sent(visit)
        problem: Problem | None = None
        outcome: dict[str, Json] | None = None
        try:
            value = asked.asked_test()
            if asked.current is None:
                outcome = use_cases.trying.test_unsaved(visit.account_id, value)
            else:
                outcome = use_cases.trying.test_change(visit.account_id, asked.current.id, value)
        except Problem as wrong:
            problem = wrong
        if visit.form.text("part") == OUTCOME:
            return outcome_part(visit, outcome, problem, is_made_up=asked.is_secret_made_up)
        return form_page(visit, asked, problem=problem, outcome=outcome)


class ShownPreview:
    """A preview as its page shows it, or what there is to be mended first."""

    def __init__(
        self,
        made: Preview | None,
        problem: ShownProblem | None,
        own_headers: Collection[str] = (),
    ) -> None:
        self.made = made
        self.problem = problem
        self._own_headers = own_headers

    @property
    def target(self) -> str:
        """The path and query that are asked for."""
        return target_of(self._request.url)

    @property
    def host(self) -> str:
        """The header Host."""
        return host_of(self._request.url)

    @property
    def curl(self) -> str:
        """The request as a command line, without the values of the webhook's own headers."""
        return as_curl(self._request.url, self._request.headers, self.raw, self._own_headers)

    @property
    def raw(self) -> str:
        """The body, byte for byte."""
        return self._request.body.decode()

    @property
    def pretty(self) -> str:
        """The body, easier to read."""
        return indented_json(json.loads(self.raw))

    @property
    def _request(self) -> Request:
        if self.made is None:
            raise RuntimeError("there is no request to show")
        return self.made.request
