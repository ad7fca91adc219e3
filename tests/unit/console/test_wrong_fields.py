"""What is wrong with a field, in a sentence of the form's own words."""

import re
from pathlib import Path

import pytest

from console.http.form import Form, ShownProblem, label
from console.views.webhook_form import WebhookForm
from perkwire.formats.lookup import RELEASE_FORMATS
from perkwire.model.webhook import TYPE_FILTER_FORM
from perkwire.primitives.problem import FieldError, invalid

TEMPLATES = Path(__file__).resolve().parents[3] / "functions" / "console" / "templates"
FIELD = re.compile(r'\.(?:field|area|moment_field|choice)\("([a-z_]+)", "([^"]+)"')
# A page's own words for what is called otherwise elsewhere; its sentences are whole all the same.
OWN_WORDS = {
    ("event_id", "Or one of your events"),
    ("event_type", "Example of"),
    ("event_types", "More event types"),
    ("id", "Event, delivery or member"),
    ("max_per_second", "Most messages a second"),
    ("secret", "New secret"),
}


def sentence(field: str, detail: str, **filled_as: str) -> str:
    (error,) = ShownProblem(invalid([FieldError(field, detail)]), filled_as).errors
    return f"{error.label} {error.detail}"


@pytest.mark.parametrize(
    ("field", "detail", "said"),
    [
        (
            "scopes",
            "must be a list of 1 to 2 strings",
            "What the key may do must be chosen: one thing at least",
        ),
        (
            "retry_delays_seconds[0]",
            "must be a whole number from 1 to 43200",
            "Delay 1 must be a time from 1 s to 12 h, such as 5 min",
        ),
        (
            "retry_delays_seconds",
            "must be 172800 seconds at most, all together",
            "Delays between attempts must be 2 d at most, all together",
        ),
        (
            "event_type",
            f"must be {TYPE_FILTER_FORM}",
            "Event type is not known: one is, for example, points.earned, or points.* for all of "
            "a group",
        ),
        (
            "scopes",
            "may not hold events",
            "What the key may do must not go beyond what you may do yourself, as events does",
        ),
        ("program_ids[1]", "is there twice", "Line 2 of Programmes is there twice"),
        (
            "max_per_second",
            "must be a number from 0.1 to 1000",
            "Most deliveries a second must be a number from 0.1 to 1000",
        ),
        (
            "cursor",
            "must be the next_cursor of an earlier page",
            "Page is there no more: begin at the first",
        ),
    ],
)
def test_it_is_a_sentence(field: str, detail: str, said: str) -> None:
    assert sentence(field, detail) == said


def test_a_type_that_is_written_is_named_by_its_line_and_a_ticked_one_by_its_place() -> None:
    filled = {
        "events": ["chosen"],
        "event_types": ["points.earned"],
        "other_types": ["custom.a\ncustom.B"],
    }
    asked = WebhookForm(Form(filled), formats=RELEASE_FORMATS)

    assert sentence("event_types[2]", "is wrong", **asked.filled_as) == (
        "Line 2 of Other types is wrong"
    )
    assert sentence("event_types[0]", "is wrong", **asked.filled_as) == "Event type 1 is wrong"


def test_every_field_is_called_in_a_sentence_as_its_page_labels_it() -> None:
    found = {
        pair for page in TEMPLATES.glob("*.html") for pair in FIELD.findall(page.read_text("utf-8"))
    }

    assert len(found) > 20
    assert {pair for pair in found if label(pair[0]) != pair[1]} <= OWN_WORDS
