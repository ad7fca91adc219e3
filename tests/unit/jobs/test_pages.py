"""What a replay sends, and what a retry of all that failed."""

from dataclasses import replace
from typing import Any

import pytest

from perkwire.jobs.job import Job, JobKind, JobStatus
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.lanes import Lane
from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives.timestamps import MICROSECONDS, to_rfc3339
from tests.builders import (
    ACCOUNT,
    NOW,
    OTHER_ACCOUNT,
    WEBHOOK,
    a_delivery_message,
    a_webhook,
    an_event,
)
from tests.unit.jobs.world import (
    FAILED,
    HOUR,
    INTERVAL,
    REPLAY,
    RETRY_FAILED,
    RETRYING,
    START,
    World,
    counts,
    some_events,
)

# Replay.


def test_a_replay_sends_the_events_of_the_range_as_deliveries_of_its_own(world: World) -> None:
    world.change_webhook(batch_size=3)
    events = some_events(7, every=HOUR // 4)
    world.has_events(*events)
    outside = [an_event(accepted_at=START - 1), an_event(accepted_at=START + HOUR * 7 // 4)]
    world.has_events(*outside)

    job = world.start(REPLAY, until=to_rfc3339(START + HOUR * 7 // 4))
    assert counts(world.job(job)) == (JobStatus.QUEUED, None, 0, 0)
    world.run()

    assert [[event.id for event in one.events] for one in world.sent()] == [
        [event.id for event in events[:3]],
        [event.id for event in events[3:6]],
        [events[6].id],
    ]
    assert [message.run for message in world.sent()] == [0, 0, 0]
    assert {message.group for message in world.delivery_queue.messages} == {WEBHOOK}
    routed = a_delivery_message(a_webhook(batch_size=3), *events[:3])
    ids = [message.delivery_id for message in world.sent()]
    assert len({*ids, routed.delivery_id}) == 4, "the router's delivery is another one"
    assert counts(world.job(job)) == (JobStatus.DONE, 7, 7, 0)
    assert world.job(job).finished_at is not None


def test_a_replay_keeps_to_the_bytes_that_the_webhook_takes_now(world: World) -> None:
    world.change_webhook(batch_size=10, batch_bytes=2_000)
    events = [
        an_event(accepted_at=START + position, data={"text": "x" * 700}) for position in range(5)
    ]
    world.has_events(*events)

    job = world.start(REPLAY)
    world.run()

    assert [len(one.events) for one in world.sent()] == [2, 2, 1]
    assert counts(world.job(job)) == (JobStatus.DONE, 5, 5, 0)


def test_two_replays_send_different_deliveries(world: World) -> None:
    world.has_events(*some_events(2))
    for _ in range(2):
        world.start(REPLAY)
        world.run()

    assert len({message.delivery_id for message in world.sent()}) == 4
    assert len(set(world.sent_events())) == 2


def test_a_replay_sends_what_the_webhook_wants_now(world: World) -> None:
    world.change_webhook(event_types=("points.earned", "tier.upgraded"), program_ids=("gold",))
    wanted = an_event(accepted_at=START, program_id="gold")
    others = [
        an_event(accepted_at=START),
        an_event(accepted_at=START, program_id="silver"),
        an_event(accepted_at=START, program_id="gold", type="reward.redeemed"),
        an_event(accepted_at=START, program_id="gold", type="tier.upgraded"),
    ]
    world.has_events(wanted, *others)
    world.events.events[(OTHER_ACCOUNT, wanted.id)] = RoutedEvent(
        account_id=OTHER_ACCOUNT, event=wanted, deliveries={}
    )

    assert world.dry_run(REPLAY).count == 2
    assert world.dry_run(REPLAY, event_types=["points.earned"]).count == 1
    job = world.start(REPLAY, event_types=["points.earned", "points.spent"])
    world.run()

    assert world.sent_events() == [wanted.id]
    assert counts(world.job(job)) == (JobStatus.DONE, 1, 1, 0)


def test_a_replay_keeps_to_the_filter_and_counts_at_most(world: World) -> None:
    world.change_webhook(filter='{"data":{"points":[{"numeric":[">",1]}]}}', batch_size=2)
    events = [an_event(accepted_at=START + place, data={"points": place}) for place in range(5)]
    world.has_events(*events)

    counted = world.dry_run(REPLAY).to_json()
    assert (counted["total"], counted["at_most"], counted["complete"]) == (5, True, True)
    assert world.dry_run(RETRY_FAILED).to_json()["at_most"] is False
    job = world.start(REPLAY)
    world.run()

    assert world.sent_events() == [event.id for event in events[2:]]
    assert counts(world.job(job)) == (JobStatus.DONE, 5, 3, 2)
    assert world.job(job).to_json()["at_most"] is True


def test_a_page_that_is_sent_again_keeps_to_the_filter_that_it_was_planned_with(
    world: World,
) -> None:
    world.change_webhook(filter='{"data":{"points":[{"numeric":["<",3]}]}}', batch_size=5)
    world.has_events(
        *(an_event(accepted_at=START + place, data={"points": place}) for place in range(5))
    )
    world.start(REPLAY)
    advance = world.store.advance

    def changing(before: Job, after: Job) -> Job | None:
        stored = advance(before, after)
        if after.page:
            world.change_webhook(filter=None)
        return stored

    world.store.advance = changing  # type: ignore[method-assign]
    world.run()

    assert len(world.sent_events()) == 3


def test_events_of_one_moment_are_each_sent_once(world: World) -> None:
    events = [an_event(accepted_at=START) for _ in range(1_300)]
    world.has_events(*events)

    world.start(REPLAY, per_second=7)
    world.run()

    assert sorted(world.sent_events()) == sorted(event.id for event in events)


def test_an_event_that_is_gone_by_its_turn_is_skipped(world: World) -> None:
    events = some_events(3)
    world.has_events(*events)
    job = world.start(REPLAY)
    find_all = world.reader.find_all

    def without_one(keys: Any) -> Any:  # noqa: ANN401
        world.events.events.pop((ACCOUNT, events[1].id), None)
        return find_all(keys)

    world.reader.find_all = without_one  # type: ignore[method-assign]
    world.run()

    assert world.sent_events() == [events[0].id, events[2].id]
    assert counts(world.job(job)) == (JobStatus.DONE, 3, 2, 1)


def test_nothing_to_send_is_done_at_once(world: World) -> None:
    for kind in JobKind:
        job = world.start(kind)
        world.run()
        assert counts(world.job(job)) == (JobStatus.DONE, 0, 0, 0)
    assert world.sent() == []


# Retrying what failed.


def test_all_failed_of_the_range_are_sent_as_their_next_run(world: World) -> None:
    failed = [world.has_failed(event, run=run) for run, event in enumerate(some_events(3))]
    lost = world.has_failed(status=RETRYING, due_at=NOW - 2 * INTERVAL * MICROSECONDS - 1)
    for status in (DeliveryStatus.SUCCEEDED, DeliveryStatus.CANCELLED):
        world.has_failed(status=status)
    world.has_failed(status=RETRYING, due_at=NOW)
    world.has_failed(an_event(accepted_at=START - MICROSECONDS))
    world.has_failed(an_event(accepted_at=NOW - MICROSECONDS))
    until = to_rfc3339(NOW - MICROSECONDS)

    assert world.dry_run(RETRY_FAILED, until=until).count == 4
    job = world.start(RETRY_FAILED, until=until)
    world.run()

    assert {message.delivery_id: message.run for message in world.sent()} == {
        **{entry.id: entry.run + 1 for entry in failed},
        lost.id: 1,
    }
    assert counts(world.job(job)) == (JobStatus.DONE, 4, 4, 0)
    assert {world.deliveries.entries[entry.id].status for entry in failed} == {RETRYING}


def test_cancelled_ones_are_sent_too_if_they_are_asked_for(world: World) -> None:
    first, second, third, fourth = some_events(4)
    cancelled = world.has_failed(first, status=DeliveryStatus.CANCELLED)
    failed = world.has_failed(second)
    world.has_failed(third, status=DeliveryStatus.SUCCEEDED)
    world.has_failed(fourth, status=DeliveryStatus.CANCELLED, parts=(cancelled.id,))

    assert world.dry_run(RETRY_FAILED).count == 1
    assert world.dry_run(RETRY_FAILED, with_cancelled=True).count == 2
    job = world.start(RETRY_FAILED, with_cancelled=True)
    world.run()

    assert job.to_json()["with_cancelled"] is True
    assert counts(world.job(job)) == (JobStatus.DONE, 2, 2, 0)
    assert [message.delivery_id for message in world.sent()] == [cancelled.id, failed.id]


def test_one_that_fails_again_meanwhile_is_not_sent_twice(world: World) -> None:
    entries = [world.has_failed(event) for event in some_events(5)]
    world.start(RETRY_FAILED, per_second=1)
    hand_over = world.log.hand_over

    def failing_again(entry: Delivery, now: int, due_at: int) -> None:
        hand_over(entry, now, due_at)
        world.deliveries.put(replace(world.deliveries.entries[entry.id], status=FAILED))

    world.log.hand_over = failing_again  # type: ignore[method-assign]
    world.run()

    assert [message.delivery_id for message in world.sent()] == [entry.id for entry in entries]


def test_what_settles_before_its_page_is_sent_is_skipped(world: World) -> None:
    settled, other, gone = (world.has_failed(event) for event in some_events(3))
    job = world.start(RETRY_FAILED)
    advance = world.store.advance

    def settling(before: Job, after: Job) -> Job | None:
        world.deliveries.put(replace(settled, status=DeliveryStatus.SUCCEEDED))
        world.events.events.pop((ACCOUNT, gone.event_ids[0]), None)
        return advance(before, after)

    world.store.advance = settling  # type: ignore[method-assign]
    world.run()

    assert [message.delivery_id for message in world.sent()] == [other.id]
    assert counts(world.job(job)) == (JobStatus.DONE, 3, 1, 2)


# Lanes.


@pytest.mark.parametrize("kind", list(JobKind))
def test_a_page_of_a_strained_webhook_goes_into_the_slow_lane(world: World, kind: JobKind) -> None:
    world.change_webhook(lane=Lane.SLOW)
    if kind is JobKind.REPLAY:
        world.has_events(*some_events(1))
    else:
        world.has_failed(*some_events(1))

    world.start(kind)
    world.run()

    assert world.delivery_queue.messages == []
    assert [message.group for message in world.slow_delivery_queue.messages] == [WEBHOOK]
