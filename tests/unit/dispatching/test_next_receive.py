"""When SQS is asked to bring a message again, and how delays are spread."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from perkwire.dispatching.in_flight import InFlightDelivery
from perkwire.dispatching.next_receive import (
    LONGEST_SECONDS,
    NextReceive,
    NextReceives,
    spread,
    within_limit,
)
from perkwire.primitives.ids import DeliveryId
from tests.builders import NOW, a_delivery_message, a_received
from tests.fakes import FakeTelemetry, FakeVisibility

SECONDS = st.integers(0, LONGEST_SECONDS)


@given(SECONDS, st.text())
def test_a_delay_gets_up_to_a_tenth_more(seconds: int, delivery_id: str) -> None:
    assert seconds <= spread(seconds, DeliveryId(delivery_id)) <= seconds + seconds / 10


@given(SECONDS, st.text())
def test_the_spread_of_a_delivery_is_always_the_same(seconds: int, delivery_id: str) -> None:
    own = DeliveryId(delivery_id)

    assert spread(seconds, own) == spread(seconds, own)


def test_a_thousand_that_failed_together_come_back_over_the_whole_tenth() -> None:
    delays = [spread(300, DeliveryId(f"dlv_{number}")) for number in range(1_000)]

    assert set(delays) == set(range(300, 331))
    assert max(delays.count(one) for one in delays) < 1_000 / 10


@given(SECONDS, st.integers(0, 900))
def test_a_delay_ends_within_twelve_hours_of_the_receive(seconds: int, since: int) -> None:
    kept = within_limit(seconds, since)

    assert 0 <= kept <= seconds
    assert kept + since < LONGEST_SECONDS


def test_a_delay_that_crashes_is_a_fault_and_nothing_more(executor: ThreadPoolExecutor) -> None:
    class Crashing(FakeVisibility):
        def hide(self, receives: Sequence[NextReceive]) -> None:
            raise KeyError(receives[0].received.message_id)

    journal = FakeTelemetry()
    message = a_delivery_message()
    delivery = InFlightDelivery(a_received(message), message, NOW)
    delivery.delay_seconds = 60

    NextReceives(visibility=Crashing(journal), journal=journal, executor=executor).set(
        [delivery], lambda: 1.0
    )

    assert [(what, line["detail"]) for what, line in journal.faults] == [
        ("delay_not_set", "KeyError")
    ]
