"""Jobs on the running local system: turn after turn through JobQueue, by real mappings."""

from typing import Any

import pytest

from tests.e2e.system import Account, LocalSystem, until
from tests.receiver import Receiver

# The first test also builds and starts the system.
pytestmark = pytest.mark.timeout(400)

TURNS = 18  # Lambda would stop a loop that it does not allow at the sixteenth
EVENT = {
    "type": "tier.upgraded",
    "data": {"member": {"id": "mbr_7"}, "tier": {"current": {"name": "Gold"}}},
}
LONG_AGO = "2026-01-01T00:00:00Z"


def job(system: LocalSystem, account: Account, path: str, **members: object) -> str:
    body = {"since": LONG_AGO, **members}
    status, started = system.call("POST", path, body, key=account.key)
    assert status == 202, started
    job_id: str = started["id"]
    return job_id


def ended(account: Account, job_id: str) -> dict[str, Any]:
    path = f"/v1/jobs/{job_id}"
    until(lambda: "finished_at" in account.get(path), "the job has ended", 90)
    found: dict[str, Any] = account.get(path)
    return found


def test_a_replay_of_many_turns_and_a_retry_of_what_failed(
    system: LocalSystem, account: Account, receiver: Receiver
) -> None:
    failing, new = receiver.endpoint(500), receiver.endpoint()
    webhook = account.webhook(failing.url)
    event_ids = account.post(*[EVENT] * TURNS)
    until(lambda: account.statuses() == ["failed"] * TURNS, "all have failed")
    # What is overdue counts as failed, and a busy machine may bring it late.
    until(lambda: not account.waiting(), "nothing is on its way any more")
    failing.answer(200)
    late = account.webhook(new.url)

    replay = job(system, account, f"/v1/webhooks/{late['id']}/replay", per_second=1)
    retry = job(system, account, f"/v1/webhooks/{webhook['id']}/retry-failed")
    done = [ended(account, one) for one in (retry, replay)]

    # How many it had to send: on a busy machine a last attempt may come so late that it arrives.
    assert [one["status"] for one in done] == ["done"] * 2
    new.wait_for_events(event_ids)
    assert len(new.requests) == TURNS
    until(lambda: account.statuses() == ["succeeded"] * 2 * TURNS, "all have succeeded")
    arrived = [one.event_ids[0] for one in failing.requests if one.succeeded]
    assert sorted(arrived) == sorted(event_ids)
