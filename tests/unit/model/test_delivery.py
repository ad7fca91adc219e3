import pytest

from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.primitives.timestamps import MICROSECONDS, to_rfc3339
from tests.builders import NOW, a_delivery, a_delivery_message, an_attempt, an_event

INTERVAL = 300
DUE = NOW + INTERVAL * MICROSECONDS
PATIENCE = 2 * INTERVAL * MICROSECONDS


@pytest.mark.parametrize(
    ("late", "lost"), [(-1, False), (0, False), (PATIENCE, False), (PATIENCE + 1, True)]
)
def test_a_delivery_overdue_by_two_intervals_reads_as_lost(late: int, lost: bool) -> None:
    delivery = a_delivery(status=DeliveryStatus.RETRYING, due_at=DUE)

    standing = delivery.standing(DUE + late, INTERVAL)

    if lost:
        assert standing == (DeliveryStatus.FAILED, Reason.LOST)
    else:
        assert standing == (DeliveryStatus.RETRYING, None)


@pytest.mark.parametrize(
    "status", [DeliveryStatus.SUCCEEDED, DeliveryStatus.FAILED, DeliveryStatus.CANCELLED]
)
def test_what_is_settled_is_never_lost(status: DeliveryStatus) -> None:
    delivery = a_delivery(status=status, reason=Reason.PAUSED, due_at=DUE)

    assert delivery.standing(DUE + 10 * PATIENCE, INTERVAL) == (status, Reason.PAUSED)


def test_a_delivery_shows_what_the_api_promises_and_no_more() -> None:
    message = a_delivery_message(None, an_event(), an_event(type="tier.upgraded"))
    delivery = a_delivery(
        message, attempts=(an_attempt(), an_attempt(number=2, status_code=200, response=None))
    )

    assert delivery.to_json(NOW, INTERVAL) == {
        "id": message.delivery_id,
        "status": "succeeded",
        "webhook_id": message.webhook_id,
        "event_ids": [event.id for event in message.events],
        "event_types": ["points.earned", "tier.upgraded"],
        "attempts": [
            {
                "number": 1,
                "at": "2026-09-21T14:13:20.000000Z",
                "duration_ms": 12,
                "status_code": 500,
                "response": "no",
            },
            {
                "number": 2,
                "at": "2026-09-21T14:13:20.000000Z",
                "duration_ms": 12,
                "status_code": 200,
            },
        ],
        "created_at": "2026-09-21T14:13:20.000000Z",
    }


@pytest.mark.parametrize("late", [-1, PATIENCE])
def test_a_retrying_delivery_says_when_its_next_attempt_is_due(late: int) -> None:
    delivery = a_delivery(status=DeliveryStatus.RETRYING, due_at=DUE)

    shown = delivery.to_json(DUE + late, INTERVAL)

    assert (shown["status"], shown["next_attempt_at"]) == ("retrying", to_rfc3339(DUE))


@pytest.mark.parametrize("status", [*DeliveryStatus][2:])
def test_what_is_settled_or_lost_has_no_next_attempt(status: DeliveryStatus) -> None:
    settled = a_delivery(status=status, due_at=DUE)
    lost = a_delivery(status=DeliveryStatus.RETRYING, due_at=DUE)

    assert "next_attempt_at" not in settled.to_json(NOW, INTERVAL)
    assert "next_attempt_at" not in lost.to_json(DUE + PATIENCE + 1, INTERVAL)


def test_a_lost_delivery_is_shown_as_failed_with_the_reason() -> None:
    delivery = a_delivery(status=DeliveryStatus.RETRYING, due_at=DUE)

    shown = delivery.to_json(DUE + PATIENCE + 1, INTERVAL)

    assert (shown["status"], shown["reason"]) == ("failed", "lost")


def test_an_attempt_without_an_answer_shows_its_error() -> None:
    attempt = an_attempt(status_code=None, error="dns", response=None)

    assert attempt.to_json().keys() == {"number", "at", "duration_ms", "error"}


def test_an_empty_answer_is_an_answer() -> None:
    assert an_attempt(response="").to_json()["response"] == ""
