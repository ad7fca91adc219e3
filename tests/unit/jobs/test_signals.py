"""The end of a job is told once, whoever has ended it."""

from typing import Any

from perkwire.jobs.job import Job, JobStatus
from perkwire.model.webhook import WebhookStatus
from tests.builders import ACCOUNT
from tests.signals import check
from tests.unit.jobs.world import REPLAY, World, problem_of, some_events


def ends(world: World) -> list[tuple[object, object]]:
    """Status and reason of each end that was told of."""
    for one in world.signals.sent:
        check(one.kind, one.to_json())
    assert {one.kind for one in world.signals.sent} <= {"job.ended"}
    return [(one.about["status"], one.about["reason"]) for one in world.signals.sent]


def test_a_job_that_is_under_way_has_told_nothing(world: World) -> None:
    world.has_events(*some_events(3))
    world.start(REPLAY)
    assert ends(world) == []

    world.run()

    assert ends(world) == [("done", None)]


def test_one_whose_webhook_is_paused_says_why_it_failed(world: World) -> None:
    world.has_events(*some_events(3))
    world.start(REPLAY)
    world.change_webhook(status=WebhookStatus.PAUSED)
    world.run()

    assert ends(world) == [("failed", "paused")]


def test_one_that_sqs_does_not_take_is_told_too(world: World) -> None:
    world.job_queue.refuse(1)
    assert problem_of(lambda: world.start(REPLAY))["status"] == 503

    assert ends(world) == [("failed", "not_queued")]


def test_one_that_is_cancelled_while_a_page_is_sent_is_told_of_once(world: World) -> None:
    world.has_events(*some_events(3))
    job = world.start(REPLAY)
    advance = world.store.advance

    def cancelling(before: Job, after: Job) -> Any:  # noqa: ANN401 - as the store answers
        if after.status is JobStatus.DONE:
            world.management.cancel(ACCOUNT, job.id)
        return advance(before, after)

    world.store.advance = cancelling  # type: ignore[method-assign]
    world.run()

    assert ends(world) == [("cancelled", None)]


def test_what_cannot_be_told_ends_all_the_same(world: World) -> None:
    world.signals.fail("send")
    world.has_events(*some_events(3))
    job = world.start(REPLAY)
    world.run()

    assert world.job(job).status is JobStatus.DONE
    assert world.signals.calls["send"] == 1
