"""What of a webhook's form is folded away, and when it is not."""

from collections.abc import Collection

from console.views.schedules import STACK
from console.views.webhook_form import WebhookForm
from perkwire.model.webhook import DEFAULT_BATCH_BYTES

OPENS, ADVANCED = "opens", "advanced"
"""What a button within it sends, so that it stays open without a script."""

SETTINGS = "format_settings"
_OF_FORMAT = f"{SETTINGS}."
_FIELDS = frozenset(
    {
        "secret",
        "headers",
        "program_ids",
        "filter",
        "retry_delays_seconds",
        "pause_when_exhausted",
        "batch_size",
        "batch_bytes",
        "max_per_second",
        "description",
        "enabled",
    }
)


def set_apart(asked: WebhookForm) -> list[str]:
    """What of the folded fields is not as nearly all have it, as its heading says it."""
    form, current = asked.form, asked.current
    stored = current.header_names if current is not None and asked.keeps_headers else ()
    batch = (form.text("batch_size") or "1", form.text("batch_bytes") or str(DEFAULT_BATCH_BYTES))
    is_set = {
        "secret": form.text("secret"),
        "headers": stored or asked.header_names,
        "programmes": form.lines("program_ids"),
        "filter": asked.filter.kind != "none",
        "retries": form.text("schedule", STACK) != STACK or form.text("pause_when_exhausted"),
        "batches": batch != ("1", str(DEFAULT_BATCH_BYTES)),
        "pace": form.text("max_per_second"),
        "description": form.text("description"),
        "disabled": current is None and "enabled" not in form,
    }
    return [name for name, one in is_set.items() if one]


def opens_advanced(asked: WebhookForm, told: Collection[str]) -> bool:
    """Whether it is open: something in it is set, is `told` of on the page, or was just pressed."""
    return (
        not _FIELDS.isdisjoint(told) or asked.form.text(OPENS) == ADVANCED or bool(set_apart(asked))
    )


def opens_settings(asked: WebhookForm, told: Collection[str]) -> bool:
    """The same of the settings of the format; the first of several choices is what all have."""
    is_new = asked.current is None
    usual = {
        "signature_algorithm": "sha256",
        "signature_encoding": "hex",
        "published_as": "voucher.published" if is_new else "publication.succeeded",
        **{name: one.choices[0] for name, one in asked.contract_settings.items() if one.choices},
    }
    given = {
        name.removeprefix(_OF_FORMAT): asked.form.text(name)
        for name in asked.form
        if name.startswith(_OF_FORMAT)
    }
    is_set = any(text not in ("", usual.get(name)) for name, text in given.items())
    return SETTINGS in told or is_set
