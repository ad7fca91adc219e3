"""No secret is in anything that the running system writes; that one would be found is shown here.

The check itself is made whenever a `LocalSystem` ends, so that it covers all tests of this folder.
"""

import time

import pytest

from tests.e2e.system import Account, LocalSystem
from tests.receiver import Receiver

pytestmark = pytest.mark.timeout(400)


def test_a_secret_in_a_log_would_be_found(
    system: LocalSystem, account: Account, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook = account.webhook(endpoint.url, headers={"authorization": "canary-of-the-till"})
    data = {"member": {"id": "m1", "email": "canary@member.example"}}
    account.post({"type": "custom.canary", "data": data})
    (request,) = endpoint.wait_for(1)
    assert request.headers["authorization"] == "canary-of-the-till"
    assert system.leaks() == []

    planted = [webhook["secret"], account.key, "canary-of-the-till", "canary@member.example"]
    logs = system.client("logs")
    group = next(
        one["logGroupName"]
        for one in logs.describe_log_groups()["logGroups"]
        if "Dispatcher" in one["logGroupName"]
    )
    stream = {"logGroupName": group, "logStreamName": "canaries"}
    logs.create_log_stream(**stream)
    line = {"timestamp": int(time.time() * 1000), "message": f"careless: {' '.join(planted)}"}
    logs.put_log_events(**stream, logEvents=[line])
    try:
        assert system.leaks() == [f"{group} shows {one}" for one in sorted(planted)]
    finally:
        logs.delete_log_stream(**stream)
    assert system.leaks() == []
