"""What a change acts on is said in the same words wherever it is said."""

import pytest

from tests.template.stack import ROOT

WORDS = (
    "hat is routed is delivered: a change of event types, programmes, filter or batch size acts on "
    "events routed after it, one of URL, headers, secret, format settings, schedule or status on "
    "what is queued too"
)


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/api.md",
        "docs/architecture.md",
        "docs/openapi.yaml",
        "functions/console/templates/webhook_form.html",
    ],
)
def test_it_is_said_in_the_same_words(page: str) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())

    assert text.count(WORDS) == 1
