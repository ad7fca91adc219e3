"""Listening to an account's events on one's own machine, by a webhook that is made for it."""

from collections.abc import Mapping

from console.http.form import Form, ShownProblem
from console.http.registry import Pages
from console.http.visit import HtmlResponse, Visit
from console.pages.webhooks import PATH as WEBHOOKS
from console.views.listen import given_out
from console.views.log import account_webhooks
from console.views.webhook_advanced import opens_settings
from console.views.webhook_form import WebhookForm
from console.views.webhook_wording import format_hint, format_label, format_options
from perkwire.adapters.wiring import UseCases
from perkwire.managing.listening import HOURS, MOST_LISTENING, choices_of
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.settings.console import ConsoleSettings

PATH = f"{WEBHOOKS}/listen"

_AS = "as"
_OWN_CHOICES = ("format", "format_settings", "event_types")


def add(pages: Pages, use_cases: UseCases, settings: ConsoleSettings) -> None:
    """Add the pages."""
    pages.done |= {
        "listener-ended": "Its webhook is deleted, and its file can pull nothing more. It may for "
        "up to a minute.",
    }

    def filled_in(visit: Visit, form: Form) -> WebhookForm:
        return WebhookForm(form, formats=use_cases.webhooks.formats(visit.account_id))

    def listen_page(
        visit: Visit, asked: WebhookForm, *, problem: Problem | None = None
    ) -> HtmlResponse:
        told = {one.name for one in ShownProblem(problem).errors} if problem else set()
        return visit.page(
            "listen.html",
            problem=problem,
            filled_as=asked.filled_as,
            form=asked.form,
            asked=asked,
            listeners=use_cases.listening.listeners(visit.account_id),
            models=[("", "What I choose here"), *models(visit).items()],
            opens_settings=opens_settings(asked, told),
            formats=format_options(asked.formats),
            hint=format_hint(asked.format),
            format_label=format_label,
            most=MOST_LISTENING,
            hours=HOURS,
        )

    def models(visit: Visit) -> Mapping[str, str]:
        """The names of the webhooks that one can listen as, by their ids."""
        found = account_webhooks(use_cases.webhooks, visit.account_id).values()
        return {one.id: one.name for one in found if one.ends_at is None}

    def choices(visit: Visit, asked: WebhookForm) -> dict[str, Json]:
        """What to listen to, and in which format; raises Problem."""
        if webhook_id := asked.form.text(_AS):
            return choices_of(use_cases.webhooks.get(visit.account_id, WebhookId(webhook_id)))
        value = asked.asked()
        return {name: value[name] for name in _OWN_CHOICES if name in value}

    @pages.page(PATH)
    def show(visit: Visit) -> HtmlResponse:
        asked = WebhookForm.empty(use_cases.webhooks.formats(visit.account_id))
        model = visit.query.text(_AS)
        return listen_page(visit, filled_in(visit, asked.form.changed({_AS: [model]})))

    @pages.form(f"{PATH}/form")
    def show_again(visit: Visit) -> HtmlResponse:
        return listen_page(visit, filled_in(visit, visit.form))

    @pages.form(PATH)
    def begin(visit: Visit) -> HtmlResponse:
        asked = filled_in(visit, visit.form)
        try:
            made = use_cases.listening.begin(visit.caller, visit.account_id, choices(visit, asked))
        except Problem as problem:
            return listen_page(visit, asked, problem=problem)
        return given_out(visit, settings, made.webhook.id, made.key, made.secret)

    @pages.form(f"{PATH}/end")
    def end(visit: Visit) -> HtmlResponse:
        webhook_id = WebhookId(visit.form.text("webhook_id"))
        use_cases.listening.end(visit.caller, visit.account_id, webhook_id)
        return visit.go(PATH, done="listener-ended")
