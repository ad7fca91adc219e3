"""Samples: the catalogue's examples, of any type, and known for what they are."""

import json

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.formats.format import Format
from perkwire.formats.registry import FORMATS
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import new_test_delivery_id
from perkwire.trials.samples import default_type, sample_event
from tests.builders import NOW, a_payload


@pytest.mark.parametrize("event_type", event_types())
def test_a_sample_is_the_catalogues_example(event_type: str) -> None:
    event = sample_event(event_type, NOW)

    assert (event.type, event.data) == (event_type, event_types()[event_type].example)


def test_a_custom_sample_has_data_too() -> None:
    assert sample_event("custom.gift_given", NOW).data


def test_a_type_that_the_catalogue_has_lost_is_said_without_data() -> None:
    assert sample_event("points.forgotten", NOW).data == {}


@pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)
def test_the_default_type_is_one_that_the_format_says(format_: Format) -> None:
    event = sample_event(default_type(format_), NOW)

    assert json.loads(format_.render(a_payload(event, settings=format_.read_settings(Fields({})))))


def test_a_sample_says_that_it_is_one_and_is_another_each_time() -> None:
    samples = {sample_event("tier.upgraded", NOW).id for _ in range(50)}
    deliveries = {new_test_delivery_id(NOW) for _ in range(50)}

    assert len(samples) == len(deliveries) == 50
    assert all(event_id.startswith("evt_test_") for event_id in samples)
    assert all(delivery_id.startswith("dlv_test_") for delivery_id in deliveries)
