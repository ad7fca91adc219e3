"""In which pages a job sends, how it counts them, and at which pace."""

import threading
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.jobs import selecting
from perkwire.jobs.job import Job, JobKind, JobStatus
from perkwire.jobs.starting import DryRun
from perkwire.primitives.ids import AccountId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import ACCOUNT, NOW, WEBHOOK, an_account, an_event
from tests.unit.jobs.world import (
    HOUR,
    REPLAY,
    RETENTION_DAYS,
    START,
    World,
    counts,
    problem_of,
    some_events,
)
from tests.unit.strategies import FEW


@pytest.mark.parametrize("kind", JobKind)
def test_more_than_ten_thousand(world: World, kind: JobKind) -> None:
    events = some_events(10_500, every=MICROSECONDS // 2)
    if kind is REPLAY:
        world.change_webhook(batch_size=100)
        world.has_events(*events)
    else:
        for event in events:
            world.has_failed(event)

    job = world.start(kind, per_second=500)
    world.run()

    assert world.sent_events() == [event.id for event in events]
    assert counts(world.job(job)) == (JobStatus.DONE, 10_500, 10_500, 0)
    assert max(len(message.events) for message in world.sent()) == (100 if kind is REPLAY else 1)


def test_a_long_quiet_range_is_passed_in_bounded_steps(world: World) -> None:
    world.clock.now = START + RETENTION_DAYS * 24 * HOUR
    event = an_event(accepted_at=world.clock.now - HOUR)
    world.has_events(event)
    calls: list[int] = []
    stored = world.store.advance

    def counting(before: Job, after: Job) -> Job | None:
        calls.append(world.index.calls["of_hour"])
        return stored(before, after)

    job = world.start(REPLAY)
    world.store.advance = counting  # type: ignore[method-assign]
    world.run()

    assert world.sent_events() == [event.id]
    # The first step comes after the count, which passes through the whole range once.
    steps = [after - before for before, after in pairwise(calls)]
    assert max(steps) <= 50
    assert world.job(job).status is JobStatus.DONE


def test_what_is_older_than_anything_kept_is_not_looked_for(world: World) -> None:
    counted = world.management.start(
        ACCOUNT, WEBHOOK, REPLAY, {"since": "1970-01-01T00:00:00Z", "dry_run": True}
    )

    assert isinstance(counted, DryRun)
    assert counted.job.since == NOW - RETENTION_DAYS * 24 * HOUR
    assert world.index.calls["of_hour"] <= RETENTION_DAYS * 24 + 1


def test_what_is_older_than_its_account_is_not_looked_for(world: World) -> None:
    world.config.put(an_account(created_at=NOW))
    # By the clock of another function, which may be behind.
    world.has_events(an_event(accepted_at=NOW - HOUR // 2))

    counted = world.dry_run(REPLAY)

    assert counted.job.since == NOW - HOUR
    assert counted.to_json() == counted.job.to_json() | {
        "id": None,
        "status": "counted",
        "total": 1,
        "complete": True,
    }
    assert world.index.calls["of_hour"] <= 2


def test_an_account_that_is_absent_has_no_jobs(world: World) -> None:
    world.config.accounts.clear()

    assert problem_of(lambda: world.start(REPLAY))["status"] == 404


def test_hours_are_counted_side_by_side(world: World) -> None:
    world.clock.now = START + RETENTION_DAYS * 24 * HOUR
    events = some_events(1_100)
    world.has_events(*events, an_event(accepted_at=world.clock.now - 1))
    all_at_once = threading.Barrier(8, timeout=10)
    of_hour = world.index.of_hour

    def waiting(*arguments: Any) -> Any:  # noqa: ANN401
        if not all_at_once.broken and arguments[1] < START + 8 * HOUR and arguments[3] is None:
            all_at_once.wait()
        return of_hour(*arguments)

    world.index.of_hour = waiting  # type: ignore[assignment,method-assign]
    counted = world.dry_run(REPLAY)

    assert (counted.count, counted.complete) == (1_101, True)
    # One for each hour, and one for each 500 events.
    assert world.index.calls["of_hour"] == RETENTION_DAYS * 24 + 2


def test_a_count_whose_query_fails_asks_no_further(world: World) -> None:
    world.clock.now = START + RETENTION_DAYS * 24 * HOUR
    asked: list[int] = []

    def failing(_account_id: AccountId, since: int, *_: object) -> Any:  # noqa: ANN401
        asked.append(since)
        if since > START:
            threading.Event().wait(0.2)  # the others are slow to answer
        raise Unavailable("told")

    world.index.of_hour = failing  # type: ignore[assignment,method-assign]
    with pytest.raises(Unavailable):
        world.dry_run(REPLAY)

    assert len(asked) < 3 * 8


def test_a_count_that_takes_long_says_that_it_is_not_all(world: World) -> None:
    world.has_events(*some_events(1_200))
    of_hour = world.index.of_hour

    def slow(*arguments: Any) -> Any:  # noqa: ANN401
        world.clock.pass_seconds(5)
        return of_hour(*arguments)

    world.index.of_hour = slow  # type: ignore[assignment,method-assign]
    counted = world.dry_run(REPLAY)
    assert counted.to_json()["complete"] is False
    assert 500 <= counted.count < 1_200

    job = world.start(REPLAY, per_second=500)
    world.run()
    assert counts(world.job(job)) == (JobStatus.DONE, None, 1_200, 0)


@FEW
@given(
    number=st.integers(1, 60),
    per_second=st.integers(1, 20),
    batch_size=st.integers(1, 7),
    page_ms=st.integers(0, 1_500),
)
def test_no_turn_is_ahead_of_its_rate_by_more_than_two_seconds(
    number: int, per_second: int, batch_size: int, page_ms: int
) -> None:
    world = World(batch_size=batch_size)
    world.has_events(*some_events(number))
    job = world.start(REPLAY, per_second=per_second)
    send = world.delivery_queue.send
    sent: list[tuple[int, int]] = []

    def watched(messages: Any) -> list[bool]:  # noqa: ANN401
        sent.append((world.clock.now, len(messages)))
        world.clock.pass_seconds(page_ms / 1000)
        return send(messages)

    world.delivery_queue.send = watched  # type: ignore[method-assign]
    world.run()

    assert world.job(job).sent == number
    begun = sent[0][0]
    total = 0
    for moment, count in sent:
        seconds = (moment - begun) / MICROSECONDS
        total += count
        assert total <= per_second * (seconds + 2)


def test_the_time_of_counting_lets_no_more_be_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*arguments: Any) -> tuple[int, bool]:  # noqa: ANN401
        world.clock.pass_seconds(8)
        return selecting.count(*arguments)

    monkeypatch.setattr("perkwire.jobs.working.count", slowly)
    world.has_events(*some_events(100))
    world.start(REPLAY, per_second=10)

    world.invoke()

    assert 0 < len(world.sent()) <= 20


def test_a_turn_ends_with_its_time_and_the_next_goes_on(world: World) -> None:
    world.has_events(*some_events(250))
    world.may_go_on = lambda: False
    job = world.start(REPLAY, per_second=500)

    assert world.invoke() == []
    assert (world.job(job).status, world.job(job).sent) == (JobStatus.RUNNING, 0)
    assert world.invoke() == []
    assert world.job(job).sent == 100
    world.run()

    assert counts(world.job(job)) == (JobStatus.DONE, 250, 250, 0)
    assert len(world.sent()) == 250
