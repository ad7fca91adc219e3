"""A contract that cannot say an event harms that delivery, and no other of its batch."""

from dataclasses import replace
from typing import Any

import pytest

from perkwire.formats.contracts.contract import read_contract
from perkwire.formats.contracts.contract_format import ContractFormat
from perkwire.formats.standard import Standard
from perkwire.model.delivery import DeliveryStatus, Reason
from tests.builders import a_delivery_message, a_received, webhooks
from tests.unit.dispatching.harness import OK, DispatcherHarness

TEN = "`[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]`"


def loops(levels: int) -> Any:  # noqa: ANN401
    """A loop in a loop in a loop."""
    return {"$each": TEN, "do": loops(levels - 1)} if levels else "=data.member.id"


DOUBLED = "=data" + " | [@, @]" * 30
CANNOT: dict[str, dict[str, Any]] = {
    "a function that does not take what the event has": {"body": {"a": "=abs(data.member.id)"}},
    "a member that is required and absent": {
        "body": {"a": {"$value": "data.gone", "absent": "refuse"}}
    },
    "nothing that is left": {"body": {"a": "=data.gone"}},
    "a body that doubles thirty times": {"body": {"a": DOUBLED}},
    "loops in a loop": {"body": loops(5)},
    "a header with a line break": {
        "body": "=data",
        "headers": {"x-name": "=join('', [data.member.id, `\"\\r\\nx: y\"`])"},
    },
}  # fmt: skip


@pytest.mark.parametrize("what", CANNOT)
def test_one_is_left_with_its_reason_and_the_others_go_out(
    dispatcher: DispatcherHarness, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    written = {"name": "ours", "version": "1", "events": {"*": "{type}"}, **CANNOT[what]}
    ours = ContractFormat(read_contract(written))
    known = {"standard": Standard(), "ours@1": ours}
    monkeypatch.setattr("perkwire.formats.registry.FORMATS", known)
    healthy, failing, healthy_too = webhooks(3)
    dispatcher.config.put(healthy, replace(failing, format="ours@1"), healthy_too)
    for one in (healthy, healthy_too):
        dispatcher.sender.answer(one.url, OK)
    batch = [a_received(a_delivery_message(one)) for one in (healthy, failing, healthy_too)]

    assert dispatcher.dispatch(*batch) == [batch[1].message_id]

    sent_to = {request.url for request in dispatcher.sender.requests}
    assert sent_to == {healthy.url, healthy_too.url}
    entries = {one.webhook_id: one for one in dispatcher.deliveries.entries.values()}
    assert entries[failing.id].status is DeliveryStatus.RETRYING
    assert entries[failing.id].reason is Reason.FORMAT
    assert entries[healthy.id].status is entries[healthy_too.id].status is DeliveryStatus.SUCCEEDED
