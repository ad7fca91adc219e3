"""Open Loyalty: a receiver written after what is public of its webhooks."""

import hashlib
import hmac

import pytest

from perkwire.catalogue.names import ProductEvent
from tests.builders import NOW
from tests.unit.formats.contract_product import ContractProduct

PRODUCT = ContractProduct("open-loyalty@1", secret="whsec_of-open-loyalty")
FORMAT, SECRET, delivery = PRODUCT.format, PRODUCT.secret, PRODUCT.delivery


@pytest.mark.parametrize("event", PRODUCT.events, ids=lambda event: event.label)
def test_every_event_of_the_page_is_said(event: ProductEvent) -> None:
    PRODUCT.says(event)


def test_no_type_is_said_that_no_line_of_the_page_has() -> None:
    PRODUCT.says_no_more()


@pytest.mark.parametrize("event_type", PRODUCT.types)
def test_a_delivery_satisfies_a_receiver_written_after_the_pages(event_type: str) -> None:
    """Of the headers, which are public; what is signed and the body are inferred."""
    body, headers, raw = delivery(event_type, key_version="2")

    timestamp = headers["x-webhook-timestamp"]
    signed = f"{timestamp}.{raw.decode()}".encode()
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["x-webhook-signature"] == expected
    assert int(timestamp) == NOW // 10**6
    assert headers["x-webhook-signature-algorithm"] == "hmac-sha256"
    assert headers["x-webhook-signature-version"] == "2"
    assert len(headers["x-webhook-request-id"]) == 36
    assert body["eventName"] == FORMAT.name_of(event_type)
