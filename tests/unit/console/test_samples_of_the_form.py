"""Which event type the sample of a webhook's form is of: one that is chosen."""

from console.http.form import Form
from console.views.webhook_form import WebhookForm
from perkwire.formats.lookup import RELEASE_FORMATS


def form(**fields: list[str]) -> WebhookForm:
    given = {"format": ["standard"], "events": ["chosen"], "name": ["till"], **fields}
    return WebhookForm(Form({**given, "url": ["https://till.example/"]}), formats=RELEASE_FORMATS)


def test_a_sample_is_of_a_type_that_is_ticked_and_not_of_one_that_is_no_longer() -> None:
    asked = form(event_types=["points.earned", "points.burned"], event_type=["tier.upgraded"])

    assert "tier.upgraded" not in asked.samples
    assert asked.sample == "points.earned"
    assert asked.asked_sample()["event_type"] == "points.earned"


def test_one_that_is_ticked_stays_chosen() -> None:
    asked = form(event_types=["points.earned", "tier.upgraded"], event_type=["tier.upgraded"])

    assert asked.sample == "tier.upgraded"


def test_a_group_offers_all_that_begins_so() -> None:
    asked = form(other_types=["tier.*"])

    assert len(asked.samples) > 1
    assert all(name.startswith("tier.") for name in asked.samples)


def test_while_none_is_chosen_every_type_is_offered() -> None:
    assert "points.earned" in form().samples


def test_what_is_no_type_is_left_for_the_library_to_refuse() -> None:
    asked = form(event_types=["points.earned"], event_type=["no.such"])

    assert asked.asked_sample()["event_type"] == "no.such"
