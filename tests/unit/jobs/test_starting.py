"""Which jobs are taken, how they are listed, and what they show."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.jobs.job import JobKind, JobReason, JobStatus
from perkwire.jobs.listing import JobFilter
from perkwire.model.delivery import Reason
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.ids import AccountId, JobId, new_job_id, new_webhook_id
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import to_rfc3339
from tests.builders import ACCOUNT, NOW, OTHER_ACCOUNT, WEBHOOK, an_event
from tests.unit.jobs.world import REPLAY, RETRY_FAILED, START, World, problem_of, some_events


def test_one_job_of_a_kind_at_a_time(world: World) -> None:
    world.has_events(*some_events(3))
    job = world.start(REPLAY)

    problem = problem_of(lambda: world.start(REPLAY))
    assert problem["status"] == 409
    assert job.id in str(problem["detail"])
    world.start(RETRY_FAILED)
    world.run()
    world.start(REPLAY)


def test_a_cancelled_job_makes_way_for_the_next(world: World) -> None:
    job = world.start(REPLAY)
    assert world.management.cancel(ACCOUNT, job.id).status is JobStatus.CANCELLED

    again = world.start(REPLAY)
    world.run()

    assert world.job(again).status is JobStatus.DONE
    assert world.job(job).status is JobStatus.CANCELLED


@pytest.mark.parametrize("status", [WebhookStatus.PAUSED, WebhookStatus.DISABLED])
def test_only_an_enabled_webhook_has_jobs(world: World, status: WebhookStatus) -> None:
    world.change_webhook(status=status)

    problem = problem_of(lambda: world.start(REPLAY))

    assert (problem["status"], problem["detail"]) == (
        409,
        f"The webhook is {status}; enable it first.",
    )
    assert world.job_queue.messages == []


@pytest.mark.parametrize("kind", JobKind)
@pytest.mark.parametrize("status", [WebhookStatus.PAUSED, WebhookStatus.DISABLED])
def test_what_waits_for_a_webhook_can_be_counted_before_it_is_enabled(
    world: World, status: WebhookStatus, kind: JobKind
) -> None:
    world.has_failed()
    world.change_webhook(status=status)

    assert world.dry_run(kind).count == 1


def test_a_job_that_sqs_does_not_take_has_failed_and_makes_way(world: World) -> None:
    world.job_queue.refuse(1)

    assert problem_of(lambda: world.start(REPLAY))["status"] == 503

    (job,) = world.jobs.jobs.values()
    assert (job.status, job.reason) == (JobStatus.FAILED, JobReason.NOT_QUEUED)
    world.start(REPLAY)


def test_another_accounts_webhooks_and_jobs_are_not_found(world: World) -> None:
    job = world.start(REPLAY)
    management = world.management

    for call in (
        lambda: management.start(OTHER_ACCOUNT, WEBHOOK, REPLAY, world.asked()),
        lambda: management.get(OTHER_ACCOUNT, job.id),
        lambda: management.cancel(OTHER_ACCOUNT, job.id),
        lambda: management.get(ACCOUNT, JobId("job_none")),
        lambda: management.cancel(ACCOUNT, new_job_id(NOW)),
    ):
        assert problem_of(call)["status"] == 404
    assert world.job(job).status is JobStatus.QUEUED


def test_jobs_are_listed_newest_first_by_webhook_and_status(world: World) -> None:
    ended = world.start(REPLAY)
    world.run()
    world.clock.pass_seconds(1)
    waiting = world.start(RETRY_FAILED)

    def listed(account_id: AccountId = ACCOUNT, **wanted: Any) -> list[JobId]:  # noqa: ANN401
        page = world.management.list(account_id, JobFilter(**wanted), 50, None)
        assert page.next_cursor is None
        return [job.id for job in page.items]

    assert listed() == [waiting.id, ended.id]
    assert listed(status=JobStatus.QUEUED) == [waiting.id]
    assert listed(status=JobStatus.DONE, webhook_id=WEBHOOK) == [ended.id]
    assert listed(webhook_id=new_webhook_id()) == []
    assert listed(OTHER_ACCOUNT) == []


def test_a_filter_makes_a_page_of_jobs_short_and_the_list_goes_on(world: World) -> None:
    ended = world.start(REPLAY)
    world.run()
    world.clock.pass_seconds(1)
    waiting = world.start(RETRY_FAILED)
    done = JobFilter(status=JobStatus.DONE)

    first = world.management.list(ACCOUNT, done, 1, None)
    second = world.management.list(ACCOUNT, done, 1, first.next_cursor)

    assert (first.items, [job.id for job in second.items]) == ([], [ended.id])
    world.management.cancel(ACCOUNT, waiting.id)
    (cancelled,) = world.management.list(ACCOUNT, JobFilter(), 1, None).items
    assert cancelled.status is JobStatus.CANCELLED


def test_a_job_as_it_is_shown(world: World) -> None:
    world.has_events(*some_events(2))
    job = world.start(REPLAY, event_types=["points.earned"], per_second=7)
    assert job.to_json() == {
        "id": job.id,
        "kind": "replay",
        "webhook_id": WEBHOOK,
        "since": to_rfc3339(START),
        "until": to_rfc3339(NOW),
        "event_types": ["points.earned"],
        "per_second": 7,
        "status": "queued",
        "total": None,
        "at_most": False,
        "sent": 0,
        "skipped": 0,
        "created_at": to_rfc3339(NOW),
        "updated_at": to_rfc3339(NOW),
    }
    world.change_webhook(status=WebhookStatus.PAUSED)
    world.run()
    shown = world.job(job).to_json()
    assert (shown["status"], shown["reason"], shown["finished_at"]) == (
        "failed",
        "paused",
        to_rfc3339(NOW),
    )


NAMED: dict[str, tuple[dict[str, Json], str, str]] = {
    "required": ({}, "since", "is required"),
    "null": ({"since": None}, "since", "must not be null"),
    "no text": ({"since": 1}, "since", "must be a string"),
    "no time": ({"since": "yesterday"}, "since", "must be an RFC 3339 time"),
    "no offset": ({"since": "2026-01-01T00:00:00"}, "since", "must be an RFC 3339 time"),
    "until no time": ({"until": "now"}, "until", "must be an RFC 3339 time"),
    "future": ({"until": to_rfc3339(NOW + 1)}, "until", "must not be in the future"),
    "empty": ({"until": to_rfc3339(START)}, "until", "must be after since"),
    "since now": ({"since": to_rfc3339(NOW)}, "since", "must be in the past"),
    "slow": ({"per_second": 0}, "per_second", "whole number from 1 to 500"),
    "fast": ({"per_second": 501}, "per_second", "whole number from 1 to 500"),
    "flag": ({"dry_run": "yes"}, "dry_run", "must be true or false"),
    "unknown": ({"rate": 5}, "rate", "is not a known field"),
    "no types": ({"event_types": []}, "event_types", "must be a list of 1 to 200 strings"),
    "all types": ({"event_types": ["*"]}, "event_types[0]", "must be a dotted name"),
}


@pytest.mark.parametrize("case", NAMED)
def test_a_wrong_field_is_named(world: World, case: str) -> None:
    members, field, detail = NAMED[case]
    value = world.asked() | members if case != "required" else {}

    problem = problem_of(lambda: world.management.start(ACCOUNT, WEBHOOK, REPLAY, value))

    assert problem["status"] == 422
    errors: Any = problem["errors"]
    assert [error["field"] for error in errors] == [field]
    assert detail in errors[0]["detail"]


def test_event_types_are_for_replays_only(world: World) -> None:
    value = world.asked(event_types=["points.earned"])
    problem = problem_of(lambda: world.management.start(ACCOUNT, WEBHOOK, RETRY_FAILED, value))

    assert problem["errors"] == [{"field": "event_types", "detail": "is not a known field"}]


@given(st.integers(START, NOW - 1), st.integers(START + 1, NOW))
def test_the_range_includes_its_beginning_and_not_its_end(since: int, until: int) -> None:
    if since >= until:
        since, until = until - 1, since + 1
    world = World()
    events = [an_event(accepted_at=moment) for moment in (since - 1, since, until - 1, until)]
    world.has_events(*events)
    value: dict[str, Json] = {"since": to_rfc3339(since), "until": to_rfc3339(until)}
    world.management.start(ACCOUNT, WEBHOOK, REPLAY, value)
    world.run()

    wanted = {event.id for event in events if since <= event.accepted_at < until}
    assert set(world.sent_events()) == wanted


def test_reasons_are_those_of_deliveries_where_they_say_the_same() -> None:
    for reason in (JobReason.PAUSED, JobReason.DISABLED, JobReason.DELETED):
        assert Reason(reason.value).name == reason.name
