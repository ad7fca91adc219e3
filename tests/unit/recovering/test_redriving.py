from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.recovering.redriving import RedriveQueue, Redriving
from tests.builders import NOW, a_caller, an_operator
from tests.fakes import FakeActivity, FakeClock, FakeMoveTasks


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def tasks(clock: FakeClock) -> FakeMoveTasks:
    return FakeMoveTasks(clock)


@pytest.fixture
def records() -> FakeActivity:
    return FakeActivity()


@pytest.fixture
def redriving(tasks: FakeMoveTasks, records: FakeActivity, clock: FakeClock) -> Redriving:
    return Redriving(tasks, records, clock, queues=[*RedriveQueue])


def status_of(call: Callable[..., object], *arguments: object) -> int:
    with pytest.raises(Problem) as raised:
        call(*arguments)
    return raised.value.status


def test_a_redrive_is_started_watched_and_cancelled(redriving: Redriving) -> None:
    started = redriving.start(an_operator(), {"queue": "deliveries", "max_per_second": 50})

    assert started.to_json() == {
        "queue": "deliveries",
        "status": "running",
        "moved": 0,
        "max_per_second": 50,
        "started_at": "2026-09-21T14:13:20.000000Z",
    }
    (running,) = redriving.list(an_operator())
    assert running.to_json() == started.to_json()
    assert redriving.cancel(an_operator(), "deliveries") == replace(running, status="cancelling")
    assert [one.status for one in redriving.list(an_operator())] == ["cancelled"]


def test_a_stack_without_an_inbox_knows_no_queue_of_it(
    tasks: FakeMoveTasks, records: FakeActivity, clock: FakeClock
) -> None:
    redriving = Redriving(
        tasks, records, clock, queues=[RedriveQueue.DELIVERIES, RedriveQueue.EVENTS]
    )

    wrong = [{"field": "queue", "detail": "must be deliveries or events"}]
    for name in ("inbox", "nothing"):
        with pytest.raises(Problem) as started:
            redriving.start(an_operator(), {"queue": name})
        with pytest.raises(Problem) as cancelled:
            redriving.cancel(an_operator(), name)
        assert started.value.document()["errors"] == wrong
        assert cancelled.value.document()["errors"] == wrong
    assert tasks.calls == {}


def test_a_start_is_answered_from_the_request(
    redriving: Redriving, tasks: FakeMoveTasks, clock: FakeClock
) -> None:
    clock.pass_seconds(60)

    started = redriving.start(an_operator(), {"queue": "events"})

    assert (started.queue, started.status, started.moved) == (RedriveQueue.EVENTS, "running", 0)
    assert (started.max_per_second, started.started_at) == (None, clock.now)
    assert tasks.calls == {"recent": 1, "resting": 1, "start": 1}


def test_each_is_recorded_before_sqs_is_asked_with_its_rate_and_how_many(
    redriving: Redriving, tasks: FakeMoveTasks, records: FakeActivity
) -> None:
    redriving.start(an_operator(), {"queue": "deliveries", "max_per_second": 10})
    redriving.start(an_operator(), {"queue": "events"})
    redriving.cancel(an_operator(), "deliveries")
    tasks.finish()
    tasks.fail("start")
    with pytest.raises(Unavailable):
        redriving.start(an_operator(), {"queue": "events"})

    assert [(one.owner, one.action, one.subject, one.name) for one in records.changes] == [
        (None, "redrive.started", "deliveries", "about 265 of deliveries, at most 10 a second"),
        (None, "redrive.started", "events", "about 265 of events, as fast as SQS can"),
        (None, "redrive.cancelled", "deliveries", "about 0 of deliveries had moved"),
        (None, "redrive.started", "events", "about 265 of events, as fast as SQS can"),
    ]


def test_what_cannot_be_recorded_is_not_done(
    redriving: Redriving, tasks: FakeMoveTasks, records: FakeActivity
) -> None:
    redriving.start(an_operator(), {"queue": "events"})
    records.fail("record")

    with pytest.raises(Unavailable):
        redriving.start(an_operator(), {"queue": "deliveries"})
    with pytest.raises(Unavailable):
        redriving.cancel(an_operator(), "events")

    assert [(one.queue, one.status) for one in redriving.list(an_operator())] == [
        ("events", "running")
    ]
    assert tasks.calls["start"] == 1


def test_a_second_one_that_is_refused_leaves_no_record(
    redriving: Redriving, records: FakeActivity
) -> None:
    redriving.start(an_operator(), {"queue": "deliveries"})

    assert status_of(redriving.start, an_operator(), {"queue": "deliveries"}) == 409
    assert status_of(redriving.start, an_operator(), {"queue": "jobs"}) == 422
    assert status_of(redriving.cancel, an_operator(), "events") == 404
    assert len(records.changes) == 1


def test_only_the_named_queues_redrive_is_cancelled(redriving: Redriving) -> None:
    redriving.start(an_operator(), {"queue": "deliveries"})
    redriving.start(an_operator(), {"queue": "events"})

    redriving.cancel(an_operator(), "events")

    assert {one.queue: one.status for one in redriving.list(an_operator())} == {
        "deliveries": "running",
        "events": "cancelled",
    }
    assert status_of(redriving.cancel, an_operator(), "events") == 404


def test_a_handle_is_not_shown(redriving: Redriving) -> None:
    redriving.start(an_operator(), {"queue": "events"})

    (running,) = redriving.list(an_operator())

    assert running.handle
    assert "handle" not in running.to_json()
    assert running.handle not in str(running.to_json())


def test_one_redrive_of_a_queue_runs_at_a_time(redriving: Redriving, tasks: FakeMoveTasks) -> None:
    redriving.start(an_operator(), {"queue": "deliveries"})
    redriving.start(an_operator(), {"queue": "events"})

    assert status_of(redriving.start, an_operator(), {"queue": "deliveries"}) == 409

    tasks.finish()
    redriving.start(an_operator(), {"queue": "deliveries"})


def test_redrives_of_both_queues_are_listed_newest_first(
    redriving: Redriving, tasks: FakeMoveTasks, clock: FakeClock
) -> None:
    for name in ("events", "deliveries", "events"):
        redriving.start(an_operator(), {"queue": name})
        tasks.finish()
        clock.pass_seconds(1)

    listed = redriving.list(an_operator())

    assert [one.queue for one in listed] == [
        RedriveQueue.EVENTS,
        RedriveQueue.DELIVERIES,
        RedriveQueue.EVENTS,
    ]


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"queue": None},
        {"queue": ""},
        {"queue": "jobs"},
        {"queue": 7},
        {"queue": "events", "max_per_second": 0},
        {"queue": "events", "max_per_second": 501},
        {"queue": "events", "destination": "elsewhere"},
    ],
)
def test_a_request_for_anything_else_is_refused(
    redriving: Redriving, value: dict[str, Json]
) -> None:
    assert status_of(redriving.start, an_operator(), value) == 422


@pytest.mark.parametrize(("name", "status"), [("jobs", 422), (None, 422), ("events", 404)])
def test_what_does_not_run_is_not_cancelled(
    redriving: Redriving, name: str | None, status: int
) -> None:
    assert status_of(redriving.cancel, an_operator(), name) == status


def test_a_redrive_that_has_ended_is_not_cancelled(
    redriving: Redriving, tasks: FakeMoveTasks
) -> None:
    redriving.start(an_operator(), {"queue": "events"})
    tasks.finish()

    assert status_of(redriving.cancel, an_operator(), "events") == 404


def test_redrives_are_an_operators_alone(redriving: Redriving) -> None:
    calls: list[tuple[Any, ...]] = [
        (redriving.start, a_caller(), {"queue": "events"}),
        (redriving.list, a_caller()),
        (redriving.cancel, a_caller(), "events"),
    ]

    assert [status_of(*call) for call in calls] == [403, 403, 403]


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("start", lambda redriving: redriving.start(an_operator(), {"queue": "deliveries"})),
        ("recent", lambda redriving: redriving.list(an_operator())),
        ("recent", lambda redriving: redriving.cancel(an_operator(), "events")),
        ("cancel", lambda redriving: redriving.cancel(an_operator(), "events")),
    ],
)
def test_a_queue_that_does_not_answer_is_said_to_be(
    redriving: Redriving, tasks: FakeMoveTasks, method: str, call: Callable[[Redriving], object]
) -> None:
    redriving.start(an_operator(), {"queue": "events"})
    tasks.fail(method)

    with pytest.raises(Unavailable):
        call(redriving)
