"""What ends a job on its way, and what a crash at any step leaves."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from perkwire.jobs.job import Job, JobKind, JobReason, JobStatus
from perkwire.model.messages import JobMessage, write_job_message
from perkwire.model.webhook import WebhookStatus
from perkwire.primitives.ids import AccountId, JobId
from perkwire.primitives.problem import Problem
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import ACCOUNT, OTHER_ACCOUNT, a_received, an_event
from tests.unit.jobs.world import (
    HOUR,
    REPLAY,
    RETRY_FAILED,
    START,
    Died,
    World,
    counts,
    some_events,
)

# Cancelling, and webhooks that change.


def test_a_cancelled_job_sends_no_further_page(world: World) -> None:
    world.has_events(*some_events(100))
    job = world.start(REPLAY, per_second=10)
    send = world.delivery_queue.send

    def cancelling(messages: Any) -> list[bool]:  # noqa: ANN401
        if not world.job(job).has_ended:
            world.management.cancel(ACCOUNT, job.id)
        return send(messages)

    world.delivery_queue.send = cancelling  # type: ignore[method-assign]
    world.run()

    assert len(world.sent()) == 10
    assert counts(world.job(job)) == (JobStatus.CANCELLED, 100, 10, 0)
    with pytest.raises(Problem) as refused:
        world.management.cancel(ACCOUNT, job.id)
    assert refused.value.status == 409


def test_a_job_cancelled_on_its_last_page_stays_cancelled(world: World) -> None:
    world.has_events(*some_events(3))
    job = world.start(REPLAY)
    advance = world.store.advance

    def cancelling(before: Job, after: Job) -> Job | None:
        if after.has_ended:
            world.management.cancel(ACCOUNT, job.id)
        return advance(before, after)

    world.store.advance = cancelling  # type: ignore[method-assign]
    world.run()

    assert counts(world.job(job)) == (JobStatus.CANCELLED, 3, 3, 0)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (WebhookStatus.PAUSED, JobReason.PAUSED),
        (WebhookStatus.DISABLED, JobReason.DISABLED),
        (WebhookStatus.DELETED, JobReason.DELETED),
    ],
)
def test_a_webhook_that_no_longer_takes_anything_ends_the_job(
    world: World, status: WebhookStatus, reason: JobReason
) -> None:
    world.has_events(*some_events(100))
    job = world.start(REPLAY, per_second=10)
    world.invoke()
    sent = len(world.sent())
    assert 0 < sent < 100

    world.change_webhook(status=status)
    world.run()

    assert counts(world.job(job)) == (JobStatus.FAILED, 100, world.job(job).sent, 0)
    assert world.job(job).reason is reason
    assert len(world.sent()) == sent


def test_a_batch_size_changed_on_the_way_acts_from_the_next_page(world: World) -> None:
    world.change_webhook(batch_size=2)
    world.has_events(*some_events(40))
    world.start(REPLAY, per_second=1)
    world.invoke()
    world.change_webhook(batch_size=5)
    world.run()

    sizes = [len(message.events) for message in world.sent()]
    assert sizes[0] == 2
    assert set(sizes[2:-1]) == {5}
    assert len(set(world.sent_events())) == len(world.sent_events()) == 40


# What goes wrong.


class Tripwire:
    """Kills the worker before or after the n-th of all its calls that change something."""

    def __init__(self, world: World, step: int, *, after: bool) -> None:
        self._left = step
        self._after = after
        self.tripped = False
        for owner, name in (
            (world.store, "advance"),
            (world.delivery_queue, "send"),
            (world.job_queue, "send"),
            (world.log, "hand_over"),
        ):
            setattr(owner, name, self._watching(getattr(owner, name)))

    def _watching(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any) -> Any:  # noqa: ANN401
            self._left -= 1
            trips = self._left == 0
            if trips and not self._after:
                self._die()
            result = call(*arguments)
            if trips:
                self._die()
            return result

        return watched

    def _die(self) -> None:
        self.tripped = True
        raise Died


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", JobKind)
def test_a_worker_may_die_at_any_step(kind: JobKind, after: bool) -> None:
    step = 0
    while True:
        step += 1
        world = World(batch_size=3 if kind is REPLAY else 1)
        events = some_events(17, every=HOUR // 10)
        world.has_events(*events)
        if kind is RETRY_FAILED:
            for event in events:
                world.has_failed(event)
        job = world.start(kind, per_second=2)
        tripwire = Tripwire(world, step, after=after)
        world.run()
        place = f"step {step}"
        assert counts(world.job(job)) == (JobStatus.DONE, 17, 17, 0), place
        assert set(world.sent_events()) == {event.id for event in events}, place
        ways = defaultdict(set)
        for message in world.sent():
            for event in message.events:
                own = tuple(one.id for one in message.events)
                ways[event.id].add((message.delivery_id, own, message.run))
        assert all(len(way) == 1 for way in ways.values()), place
        assert len(world.sent_events()) <= 17 + 6, f"{place}: one page at most comes twice"
        if not tripwire.tripped:
            break
    assert step >= 10


def test_a_page_is_the_same_after_a_crash_whatever_has_changed(world: World) -> None:
    events = some_events(6)
    world.change_webhook(batch_size=3)
    world.has_events(*events)
    world.start(REPLAY)
    Tripwire(world, 2, after=True)
    assert world.invoke() is None
    first = world.sent()
    assert first

    world.change_webhook(batch_size=2, event_types=("tier.upgraded",))
    world.has_events(an_event(accepted_at=START))
    world.run()

    assert world.sent() == first * 2


def test_two_workers_do_not_both_go_on(world: World) -> None:
    events = some_events(30)
    world.has_events(*events)
    job = world.start(REPLAY, per_second=10)
    world.take_queued()
    world.waiting *= 2  # the message comes twice
    send = world.delivery_queue.send
    nested: list[bool] = []

    def meanwhile(messages: Any) -> list[bool]:  # noqa: ANN401
        held = send(messages)
        if not nested:
            nested.append(True)
            assert world.invoke() == []
        return held

    world.delivery_queue.send = meanwhile  # type: ignore[method-assign]
    world.run()

    assert counts(world.job(job)) == (JobStatus.DONE, 30, 30, 0)
    assert len(world.sent_events()) == 40, "the page that both had, and no other, went out twice"
    assert len({message.delivery_id for message in world.sent()}) == 30


def test_a_message_whose_turn_has_passed_does_nothing(world: World) -> None:
    world.has_events(*some_events(30))
    job = world.start(REPLAY, per_second=10)
    world.take_queued()
    old = world.waiting[0]
    world.invoke()
    sent = len(world.sent())

    world.waiting.insert(0, old)
    assert world.invoke() == []
    assert len(world.sent()) == sent
    world.run()
    assert world.job(job).sent == len(world.sent()) == 30


@pytest.mark.parametrize("kind", JobKind)
def test_a_page_that_sqs_does_not_take_comes_again(world: World, kind: JobKind) -> None:
    for event in some_events(5):
        world.has_failed(event)
    job = world.start(kind)
    world.delivery_queue.refuse(2, 4)

    assert world.invoke() == ["m-1"]
    assert world.journal.kinds == ["job_unavailable"]
    world.run()

    assert counts(world.job(job)) == (JobStatus.DONE, 5, 5, 0)
    assert len({message.delivery_id for message in world.sent()}) == 5
    # Those that were noted as handed over are not sent again.
    assert len(world.sent()) == (5 if kind is RETRY_FAILED else 8)


def test_a_next_turn_that_sqs_does_not_take_leaves_this_one(world: World) -> None:
    world.has_events(*some_events(30))
    job = world.start(REPLAY, per_second=10)
    world.take_queued()
    world.job_queue.refuse(2)

    assert world.invoke() == ["m-1"]
    assert world.job(job).sent == 10
    world.run()

    assert counts(world.job(job)) == (JobStatus.DONE, 30, 30, 0)
    assert len(world.sent()) == 30


@pytest.mark.parametrize(
    ("break_it", "fault"),
    [
        (lambda world: world.jobs.jobs.clear(), "job_absent"),
        (lambda world: world.config.webhooks.clear(), "webhook_absent"),
        (lambda world: world.config.accounts.clear(), "webhook_absent"),
        (lambda world: world.lookup.fail("find"), "job_unavailable"),
        (lambda world: world.store.fail("find"), "job_unavailable"),
        (lambda world: world.store.fail("advance"), "job_unavailable"),
        (lambda world: world.index.fail("of_hour"), "job_unavailable"),
        (lambda world: world.reader.fail("find_all"), "job_unavailable"),
    ],
)
def test_what_cannot_be_read_or_stored_leaves_the_message(
    world: World, break_it: Callable[[World], None], fault: str
) -> None:
    world.has_events(*some_events(3))
    world.start(REPLAY)
    break_it(world)

    assert world.invoke() == ["m-1"]
    assert world.journal.kinds == [fault]
    assert world.sent() == []


@pytest.mark.parametrize(
    "body",
    [
        *("", "{}", "[]", '{"v":1}', '{"v":2,"account_id":"a"}'),
        '{"v":1,"account_id":"a#b","job_id":"job_1","turn":0}',
        '{"v":1,"account_id":"a","job_id":"job_1","turn":1' + "0" * 40 + "}",
        '{"v":1,"account_id":"a","job_id":"job_1","turn":true}',
    ],
)
def test_an_unreadable_message_is_left_with_one_line(world: World, body: str) -> None:
    received = a_received(body, message_id="m-2")

    assert world.work.work([received], world.may_go_on) == ["m-2"]
    assert world.journal.kinds == ["message_unreadable"]


def test_a_job_of_another_account_is_not_found(world: World) -> None:
    world.has_events(*some_events(3))
    job = world.start(REPLAY)
    message = JobMessage(account_id=OTHER_ACCOUNT, job_id=job.id, turn=0)
    received = a_received(write_job_message(message), message_id="m-2")

    assert world.work.work([received], world.may_go_on) == ["m-2"]
    assert world.journal.kinds == ["job_absent"]


def test_a_job_that_crashes_is_left_and_no_other(world: World) -> None:
    world.has_events(*some_events(1))
    world.has_failed()
    ill, well = world.start(REPLAY), world.start(RETRY_FAILED)
    find = world.store.find

    def crashing(account_id: AccountId, job_id: JobId) -> Job | None:
        if job_id == ill.id:
            raise ValueError("a kind of a later release")
        return find(account_id, job_id)

    world.store.find = crashing  # type: ignore[method-assign]
    batch = [a_received(message.body) for message in world.job_queue.messages]

    assert world.work.work(batch, lambda: True) == [batch[0].message_id]

    ((what, line),) = world.journal.faults
    assert (what, line["job_id"], line["detail"]) == ("job_unavailable", ill.id, "ValueError")
    assert world.job(well).has_ended


def test_a_replay_sends_nothing_that_was_accepted_after_the_webhooks_end() -> None:
    world = World(ends_at=START + 3 * MICROSECONDS)
    events = some_events(5)
    world.has_events(*events)
    job = world.start(REPLAY)

    world.run()

    assert world.sent_events() == [event.id for event in events[:3]]
    assert counts(world.job(job)) == (JobStatus.DONE, 3, 3, 0)
