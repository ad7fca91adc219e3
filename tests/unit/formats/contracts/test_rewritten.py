"""Formats that are in code, as contracts: where the bytes are equal, and where they are not."""

import pytest
from hypothesis import given, settings

from perkwire.catalogue.event_types import event_types
from perkwire.formats.contracts.contract import read_contract
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.format import Attempt
from perkwire.formats.registry import FORMATS
from perkwire.formats.standard import Standard
from perkwire.model.event import Event
from perkwire.primitives.ids import DeliveryId
from tests.builders import a_payload, an_event
from tests.unit.formats.contracts.rewritten import QUALIFIO, STANDARD, ZOHO_THRIVE
from tests.unit.strategies import EVENTS

IN_CODE = FORMATS["zoho-thrive"]
AS_CONTRACT = ContractFormat(read_contract(ZOHO_THRIVE))
STANDARD_CONTRACT = ContractFormat(read_contract(STANDARD))
SAID = [one for one in event_types() if IN_CODE.name_of(one)]


@pytest.mark.parametrize("event_type", SAID)
def test_zoho_thrive_as_a_contract_has_the_bytes_of_the_code(event_type: str) -> None:
    event = an_event(type=event_type, data=event_types()[event_type].example)

    assert AS_CONTRACT.render(a_payload(event)) == IN_CODE.render(a_payload(event))


def test_zoho_thrive_stays_code_for_amounts_that_no_double_holds() -> None:
    """A contract's numbers are those of JSON in JavaScript: the code writes all digits."""
    order = {"id": "o-1", "total": "123456789012.123456"}
    event = an_event(type="purchase.created", data={"member": {"id": "m-1"}, "order": order})

    assert b"123456789012.123456," in IN_CODE.render(a_payload(event))
    assert b"123456789012.12346," in AS_CONTRACT.render(a_payload(event))


@pytest.mark.parametrize("event_type", event_types())
@pytest.mark.parametrize("batched", [False, True])
def test_standard_as_a_contract_has_the_bytes_of_the_code(event_type: str, batched: bool) -> None:
    data = event_types()[event_type].example
    events = [an_event(type=event_type, data=data, program_id=one) for one in ("gold", None)]
    payload = a_payload(*events[: 1 + batched], batched=batched)

    assert STANDARD_CONTRACT.render(payload) == Standard().render(payload)


@settings(max_examples=100, deadline=None)
@given(EVENTS)
def test_so_it_has_for_any_event(event: Event) -> None:
    payload = a_payload(event)

    assert STANDARD_CONTRACT.render(payload) == Standard().render(payload)


def test_qualifio_as_a_contract_says_the_member_twice() -> None:
    """`data` is the rest of the event's: no expression takes one member out of an object."""
    code, contract = FORMATS["qualifio"], ContractFormat(read_contract(QUALIFIO))
    equal: list[bool] = []
    different: list[bool] = []
    for name, found in event_types().items():
        if code.name_of(name) is None:
            continue
        payload = a_payload(an_event(type=name, data=found.example))
        is_equal = contract.render(payload) == code.render(payload)
        (equal if is_equal else different).append("member" in found.example)

    assert different
    assert all(different)
    assert not any(equal)


def test_okendo_signs_in_two_headers_where_a_contract_has_one() -> None:
    code = FORMATS["okendo@2025-02-01"]
    attempt = Attempt(delivery_id=DeliveryId("dlv_1"), at=0, body=b"", settings={})

    signed = code.sign([code.new_secret()], attempt)

    assert {"svix-signature", "webhook-signature"} <= signed.keys()
