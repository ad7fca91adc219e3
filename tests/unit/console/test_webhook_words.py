"""Formats in words for people."""

import pytest

from console.views.webhook_wording import (
    format_hint,
    format_label,
    format_options,
    waiting_words,
)
from perkwire.formats.registry import FORMATS, known_format
from perkwire.model.webhook import WebhookStatus
from tests.builders import a_webhook


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_label_and_a_hint(name: str) -> None:
    product, _, version = name.partition("@")

    assert product not in format_label(name), (
        f"add {product} to _LABELS of console/views/webhook_wording.py"
    )
    assert version in format_label(name)
    assert format_hint(FORMATS[name]), (
        f"add {product} to _HINTS of console/views/webhook_wording.py"
    )


def test_a_format_that_this_release_does_not_know_is_said_to_be_so() -> None:
    assert "does not know" in format_hint(known_format("okendo@2031-01-01"))
    assert format_label("okendo@2031-01-01") == "Okendo (2031-01-01)"


def test_each_format_is_offered_once_and_of_its_versions_all_that_a_new_webhook_can_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offered = [name for _, options in format_options() for name, _ in options]
    assert sorted(offered) == sorted(FORMATS)

    newer = type("Newer", (type(FORMATS["zinrelo"]),), {"name": "zinrelo@2031-01-01"})()
    monkeypatch.setattr("perkwire.formats.registry.FORMATS", {**FORMATS, newer.name: newer})

    names = [name for _, options in format_options() for name, _ in options]
    assert sorted(names) == sorted({*FORMATS, newer.name} - {"zinrelo"})


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (WebhookStatus.ENABLED, "each goes out by itself"),
        (WebhookStatus.PAUSED, "each is logged as failed at its turn"),
        (WebhookStatus.DISABLED, "each is cancelled at its turn"),
    ],
)
def test_of_what_waits_is_said_what_becomes_of_it(status: WebhookStatus, said: str) -> None:
    assert said in waiting_words(a_webhook(status=status, max_per_second=1))
