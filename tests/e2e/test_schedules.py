"""The retry rules of five products on one stack, whose receives are as many as the longest needs.

A second stands for each rule's own unit, so that a day is over in half a minute; the
stack's interval is as long as a cold dispatcher on a loaded machine may need.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.formats.registry import find_format
from tests.e2e.system import Account, LocalSystem, free_port, until
from tests.receiver import Receiver

# Building and starting the system takes its time, and so do twelve of the stack's intervals.
pytestmark = pytest.mark.timeout(900)

MAX_ATTEMPTS = 13
RULES: dict[str, dict[str, Any]] = {
    "zinrelo": {"retry_delays_seconds": [1] * 5},
    "qualifio": {"retry_delays_seconds": [1] * 7, "pause_when_exhausted": True},
    "voucherify": {
        "retry_delays_seconds": [1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2],
        "pause_when_exhausted": True,
    },
    "okendo": {},
    "zoho-thrive": {},
    "standard": {"retry_delays_seconds": [1, 1, 1, 2, 2, 2, 2]},
}
ATTEMPTS = {
    "zinrelo": 6,
    "qualifio": 8,
    "voucherify": 13,
    "okendo": MAX_ATTEMPTS,
    "zoho-thrive": MAX_ATTEMPTS,
    "standard": 8,
}


@pytest.fixture
def thirteen() -> Iterator[LocalSystem]:
    # The interval is the dispatcher's time-out, too. An invocation that it cuts off, or that has
    # less left than one request may take, uses up receives without an attempt.
    parameters = (
        f"MaxAttempts={MAX_ATTEMPTS}",
        "RetryIntervalSeconds=7",
        "EndpointTimeoutSeconds=2",
    )
    with LocalSystem(free_port(), parameters) as running:
        yield running


def said_by_all() -> dict[str, Any]:
    """The catalogue's example of an event that the format of every rule has a word for."""
    formats = [found for product in RULES if (found := find_format(product))]
    assert len(formats) == len(RULES)
    return next(
        {"type": name, "data": found.example}
        for name, found in event_types().items()
        if all(each.name_of(name) for each in formats)
    )


def test_the_rules_of_five_products_hold_side_by_side(
    thirteen: LocalSystem, receiver: Receiver
) -> None:
    account = Account(thirteen)
    endpoints = {product: receiver.endpoint(500) for product in RULES}
    webhooks = {
        account.webhook(endpoints[product].url, format=product, **rule)["id"]: product
        for product, rule in RULES.items()
    }

    def paused() -> dict[str, str]:
        return {
            webhooks[webhook["id"]]: webhook["paused"]["reason"]
            for webhook in account.get("/v1/webhooks")["data"]
            if webhook["status"] == "paused"
        }

    account.post(said_by_all())
    until(lambda: len(account.dead()) == len(RULES), "every message is a dead letter", seconds=360)

    came = {product: len(endpoint.requests) for product, endpoint in endpoints.items()}
    assert came == ATTEMPTS
    for listed in account.get("/v1/deliveries")["data"]:
        delivery = account.get(f"/v1/deliveries/{listed['id']}")
        assert (delivery["status"], delivery.get("reason")) == ("failed", None)
        # On a slow machine an attempt may be logged after the next one.
        numbers = sorted(attempt["number"] for attempt in delivery["attempts"])
        assert numbers == [*range(1, ATTEMPTS[webhooks[delivery["webhook_id"]]] + 1)]

    # Pausing comes after the last attempt's message is let go.
    until(lambda: len(paused()) >= 2, "both webhooks are paused")
    assert paused() == {"qualifio": "exhausted", "voucherify": "exhausted"}

    # A redriven message is new to SQS: the schedule begins anew.
    endpoints["zinrelo"].answer(500, 500, 200)
    thirteen.sqs.start_message_move_task(SourceArn=thirteen.local["DeadLetterQueueArn"])
    tried = endpoints["zinrelo"].wait_for(ATTEMPTS["zinrelo"] + 3, seconds=120)
    assert [request.status for request in tried[ATTEMPTS["zinrelo"] :]] == [500, 500, 200]
