"""Brevo Loyalty: a receiver written after what is public of its webhooks."""

import json

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import ProductEvent
from perkwire.dispatching.rendering import OpenedSecrets, render
from tests.builders import NOW, a_delivery_message, a_webhook, an_event
from tests.unit.formats.contract_product import ContractProduct

PRODUCT = ContractProduct("brevo-loyalty@1", secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
FORMAT, SECRET, delivery = PRODUCT.format, PRODUCT.secret, PRODUCT.delivery


@pytest.mark.parametrize("event", PRODUCT.events, ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    PRODUCT.says(event)


def test_no_type_is_said_that_no_line_of_the_page_has() -> None:
    PRODUCT.says_no_more()


COMMON = {
    "contact_id", "contact_properties", "event_date", "event_id", "event_name", "identifiers",
    "source",
}  # fmt: skip


@pytest.mark.parametrize("event_type", PRODUCT.types)
def test_a_delivery_satisfies_a_receiver_written_after_the_pages(event_type: str) -> None:
    body, headers, _ = delivery(event_type, program_name="Gold club")

    assert {*body} >= COMMON
    assert body["event_name"] == FORMAT.name_of(event_type)
    assert body["loyalty_program"] == {"id": "7", "name": "Gold club"}
    assert body["subscription"]["loyalty_subscription_id"]
    assert headers["webhook-signature"].startswith("v1,")
    if event_type.startswith("points."):
        assert body["balance_definition"]["name"] == "Points"


def test_a_batch_is_an_array() -> None:
    webhook = a_webhook(format=PRODUCT.name, batch_size=10)
    example = event_types()["points.earned"].example
    events = [an_event(type="points.earned", data=example) for _ in range(3)]
    message = a_delivery_message(webhook, *events)
    request = render(message, webhook, OpenedSecrets(SECRET, {}), NOW)

    assert [one["event_name"] for one in json.loads(request.body)] == ["balance_value_updated"] * 3
