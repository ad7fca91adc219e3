"""The rules of AWS that the model of `make bench` stands on; the waits are its result."""

from dataclasses import replace

import pytest

from bench.bench_isolation import TEMPLATE
from bench.fair_queue import FairQueue, Load, Message, Stack, is_noisy, simulate

STACK = Stack(slots=2, slow_slots=0, batch=10, timeout=10.0, visibility=300.0, attempts=3)
LOAD = Load(webhooks=5, per_second=2.0, share=0.2, seconds=200.0)


def test_the_numbers_are_the_template_s() -> None:
    stack = Stack.of_template(TEMPLATE)

    assert stack == Stack(
        slots=50, slow_slots=10, batch=10, timeout=10.0, visibility=300.0, attempts=6
    )


@pytest.mark.parametrize(
    ("in_flight", "of_all", "noisy"),
    [(29, 29, False), (30, 299, True), (30, 300, False), (31, 300, True), (400, 4000, False)],
)
def test_a_group_is_noisy_with_thirty_in_flight_and_more_than_a_tenth(
    in_flight: int, of_all: int, noisy: bool
) -> None:
    assert is_noisy(in_flight, of_all, 0.0, 1.0) is noisy


def test_a_group_is_noisy_with_more_than_a_tenth_of_the_processing_time() -> None:
    assert is_noisy(1, 1000, 10.1, 100.0)
    assert not is_noisy(1, 1000, 10.0, 100.0)


def test_a_noisy_group_waits_for_all_quiet_ones_and_fills_what_is_left_of_a_batch() -> None:
    queue = FairQueue()
    loud = Message(0, 0.0)
    queue.put(loud)
    queue.processed(loud, 60.0)
    for group in (1, 2, 3):
        queue.put(Message(group, 0.5))

    assert [one.group for one in queue.receive(1.0, 2)] == [1, 2]
    assert [one.group for one in queue.receive(1.0, 2)] == [3, 0]


def test_what_has_failed_stays_in_flight_until_it_returns() -> None:
    queue = FairQueue()
    queue.put(Message(0, 0.0))
    (failed,) = queue.receive(0.0, 10)

    assert queue.in_flight() == 1
    assert queue.receive(299.0, 10) == []
    queue.landed(failed)
    assert queue.in_flight() == 0


def test_a_webhook_that_times_out_fills_the_flight_until_its_attempts_are_used_up() -> None:
    long = replace(LOAD, seconds=1_500.0)
    per_second = LOAD.per_second * LOAD.share

    most, _ = simulate(STACK, long, 1).most_in_flight

    full = per_second * STACK.visibility * STACK.attempts
    assert 0.7 * full < most < 1.3 * full


def test_nobody_waits_while_an_invocation_is_free() -> None:
    roomy = replace(STACK, slots=1_000)

    assert simulate(roomy, LOAD, 1).percentile(1) == 0.0


def test_a_slot_is_taken_for_as_long_as_the_slowest_request_of_its_batch() -> None:
    one = replace(STACK, slots=1)
    alone = replace(LOAD, share=0.0)

    assert simulate(one, alone, 1).percentile(1) < STACK.timeout
    assert simulate(one, LOAD, 1).percentile(1) > 0.9 * STACK.timeout


def test_after_five_failures_its_new_deliveries_travel_in_the_slow_lane() -> None:
    two_lanes = replace(STACK, slow_slots=2)
    long = replace(LOAD, seconds=1_000.0)

    one, two = simulate(STACK, long, 1), simulate(two_lanes, long, 1)

    assert one.strained_at is None
    assert two.strained_at is not None
    assert STACK.timeout < two.strained_at < 6 * STACK.timeout
    assert two.most_in_flight[0] < one.most_in_flight[0] / 4 < two.most_in_flight[1]
    # A few still wait, at the retries of what had been queued in the prompt lane before.
    assert two.percentile(0.95, since=two.strained_at + 30) < one.percentile(0.95) / 10


def test_a_seed_gives_the_same_waits() -> None:
    assert simulate(STACK, LOAD, 7) == simulate(STACK, LOAD, 7)
    assert simulate(STACK, LOAD, 7) != simulate(STACK, LOAD, 8)
