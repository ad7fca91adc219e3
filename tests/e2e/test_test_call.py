"""A test of a webhook on the running local system: one function invokes the other."""

import json

import pytest

from tests.e2e.system import Account, LocalSystem
from tests.receiver import Answer, Receiver

# The first test also builds and starts the system.
pytestmark = pytest.mark.timeout(400)

HEADERS = {"X-Shop": "shop-7-token"}


def test_a_sample_arrives_signed_saved_or_not(
    system: LocalSystem, account: Account, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(Answer(200, b"thanks"))
    webhook = account.webhook(endpoint.url, headers=HEADERS)
    asked = {"name": "till", "url": endpoint.url, "event_types": ["tier.upgraded"]}

    saved = system.call("POST", f"/v1/webhooks/{webhook['id']}/test", key=account.key)
    unsaved = system.call(
        "POST",
        "/v1/webhooks/test",
        {**asked, "headers": HEADERS, "secret": webhook["secret"]},
        key=account.key,
    )

    assert [status for status, _ in (saved, unsaved)] == [200, 200]
    for (_, outcome), request in zip((saved, unsaved), endpoint.requests, strict=True):
        assert request.verified(webhook["secret"]) == json.loads(outcome["request"]["body"])
        assert request.headers["x-shop"] == HEADERS["X-Shop"]
        assert HEADERS["X-Shop"] not in json.dumps(outcome)
        assert (outcome["delivered"], outcome["response"]) == (True, "thanks")
    assert account.statuses() == []
