"""The check that ends every test of a fault finds each way in which an event can get lost."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.invariant import violations
from tests.receiver import ReceivedRequest


@dataclass
class Told:
    """Evidence about one event, `e`, of one webhook, `w`, whose delivery is `d`."""

    status: str | None
    reason: str | None = None
    waiting_for: list[dict[str, Any]] = field(default_factory=list)
    dead_letters: list[dict[str, Any]] = field(default_factory=list)

    def event(self, _event_id: str) -> dict[str, Any] | None:
        if self.status is None:
            return None
        return {"deliveries": [{"webhook_id": "w", "id": "d", "status": self.status}]}

    def delivery(self, _delivery_id: str) -> dict[str, Any] | None:
        return {"status": self.status, "reason": self.reason}

    def waiting(self) -> list[str]:
        return [json.dumps(message) for message in self.waiting_for]

    def dead(self) -> list[str]:
        return [json.dumps(message) for message in self.dead_letters]


EVENT = {"events": [{"id": "e"}]}
DELIVERY = {"delivery_id": "d", "events": [{"id": "e"}]}
OTHER = {"delivery_id": "other", "events": [{"id": "e"}]}


def request(
    *event_ids: str, delivery: str = "d", status: int = 200, path: str = "/hook"
) -> ReceivedRequest:
    events = [{"id": event_id} for event_id in event_ids]
    body = {"type": "batch", "data": {"events": events}}
    return ReceivedRequest(path, {"webhook-id": delivery}, b"", status, body)


@pytest.mark.parametrize(
    "told",
    [
        Told(None, waiting_for=[EVENT]),
        Told("pending", waiting_for=[EVENT]),
        Told("pending", waiting_for=[DELIVERY]),
        Told("retrying", waiting_for=[DELIVERY]),
        Told("succeeded"),
        Told("failed", dead_letters=[DELIVERY]),
        Told("failed", waiting_for=[DELIVERY]),
        Told("failed", "paused"),
        Told("cancelled"),
    ],
)
def test_an_event_that_is_somewhere_is_no_violation(told: Told) -> None:
    assert violations(told, {"e": ["w"]}) == []


@pytest.mark.parametrize(
    ("told", "violation"),
    [
        (Told(None), "e at w is neither routed nor queued"),
        (Told(None, waiting_for=[DELIVERY]), "e at w is neither routed nor queued"),
        (Told("pending"), "e at w is pending and in no queue"),
        (Told("pending", dead_letters=[DELIVERY]), "e at w is pending and in no queue"),
        (Told("retrying", waiting_for=[OTHER]), "e at w is retrying and in no queue"),
        (Told("failed"), "e at w has failed and is in no dead-letter queue"),
        (Told("failed", "lost"), "e at w has failed and is in no dead-letter queue"),
        (
            Told("failed", dead_letters=[OTHER]),
            "e at w has failed and is in no dead-letter queue",
        ),
    ],
)
def test_an_event_that_is_nowhere_is_one(told: Told, violation: str) -> None:
    assert violations(told, {"e": ["w"]}) == [violation]


def test_an_event_that_a_webhook_never_got_is_one() -> None:
    assert violations(Told("succeeded"), {"e": ["w", "v"]}) == [
        "e at v is neither routed nor queued"
    ]


def test_a_success_that_never_arrived_is_one() -> None:
    assert violations(Told("succeeded"), {"e": ["w"]}, [request("e", status=500)]) == [
        "e at w is logged as succeeded and has not arrived"
    ]
    assert violations(Told("succeeded"), {"e": ["w"]}, [request("e")]) == []


@pytest.mark.parametrize(
    "second", [request("e", delivery="another"), request("e", "f"), request("f", "e")]
)
def test_a_repeat_with_other_ids_is_one(second: ReceivedRequest) -> None:
    found = violations(Told("succeeded"), {"e": ["w"]}, [request("e"), second])

    assert [violation[:28] for violation in found] == ["e came to /hook in different"]


def test_the_same_event_in_other_deliveries_of_other_webhooks_is_none() -> None:
    requests = [request("e"), request("e"), request("e", delivery="another", path="/other")]

    assert violations(Told("succeeded"), {"e": ["w"]}, requests) == []
