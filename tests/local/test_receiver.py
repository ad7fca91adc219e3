"""The sample receiver, driven by the reference implementation of Standard Webhooks."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from infra.local import demo
from infra.local.receiver import Attempt, Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = {"id": "evt_1", "type": "points.earned", "timestamp": "2026-01-01T00:00:00Z", "data": {}}


@pytest.fixture
def attempts() -> list[Attempt]:
    return []


@pytest.fixture
def receiver(attempts: list[Attempt]) -> Iterator[Receiver]:
    with Receiver(attempts.append) as running:
        yield running


def post(url: str, content: object, *, secret: str = SECRET) -> int:
    body = json.dumps(content)
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "dlv_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("dlv_1", now, body),
    }
    request = urllib.request.Request(url, data=body.encode(), headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_verified_request_is_taken(receiver: Receiver, attempts: list[Attempt]) -> None:
    receiver.add("crm", SECRET)
    assert post(receiver.url("crm"), EVENT) == 200
    (attempt,) = attempts
    assert attempt.verified
    assert (attempt.endpoint, attempt.delivery_id, attempt.number) == ("crm", "dlv_1", 1)
    assert attempt.event_types == ("points.earned",)


def test_wrong_signature_is_refused(receiver: Receiver, attempts: list[Attempt]) -> None:
    receiver.add("crm", SECRET)
    assert post(receiver.url("crm"), EVENT, secret="whsec_" + "A" * 32) == 401
    assert not attempts[0].verified


def test_endpoint_fails_as_often_as_told_and_recovers(
    receiver: Receiver, attempts: list[Attempt]
) -> None:
    receiver.add("mends", SECRET, failures=2)
    assert [post(receiver.url("mends"), EVENT) for _ in range(3)] == [503, 503, 200]
    assert [attempt.number for attempt in attempts] == [1, 2, 3]


def test_batch_shows_the_types_of_its_events(receiver: Receiver, attempts: list[Attempt]) -> None:
    receiver.add("crm", SECRET)
    post(receiver.url("crm"), {"type": "batch", "timestamp": "", "data": {"events": [EVENT] * 3}})
    assert attempts[0].event_types == ("points.earned",) * 3


def test_unknown_endpoint_is_not_found(receiver: Receiver, attempts: list[Attempt]) -> None:
    assert post(receiver.url("missing"), EVENT) == 404
    assert attempts == []


def test_samples_come_from_five_products() -> None:
    files = [json.loads(path.read_text()) for path in demo.SAMPLES.glob("*.json")]
    assert sorted(file["product"] for file in files) == [
        "Okendo",
        "Qualifio",
        "Voucherify",
        "Zinrelo",
        "Zoho Thrive",
    ]
    for file in files:
        assert file["source"]
        assert file["events"]
    for event in demo.samples():
        assert set(event) <= {"type", "program_id", "data"}
        assert isinstance(event["data"], dict)
    assert len(demo.samples()) <= 100
