"""Handing over: which queue, which delay, whose slot."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.model.hand_over import Addressed, HandOver
from perkwire.model.lanes import DeliveryQueues, Lane
from perkwire.model.messages import (
    DeliveryMessage,
    PacedDelivery,
    read_delivery_message,
    read_router_message,
)
from perkwire.model.waiting import WaitingList
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.queueing import LONGEST_DELAY_SECONDS
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS
from tests.builders import NOW, a_delivery_message, a_webhook
from tests.fakes import (
    FakeClock,
    FakeDeliveryItems,
    FakeQueue,
    FakeSlotCounter,
    FakeTelemetry,
    FakeWaitingTable,
)

OTHER = WebhookId("wh_0000000000000002")


class Handing:
    """A hand-over with fakes around it."""

    def __init__(self) -> None:
        self.deliveries, self.slow, self.pacing = FakeQueue(), FakeQueue(), FakeQueue()
        self.slots = FakeSlotCounter()
        self.log = FakeDeliveryItems()
        self.lists = FakeWaitingTable(self.log)
        self.journal = FakeTelemetry()
        self.clock = FakeClock(NOW)
        self.over = HandOver(
            delivery_queues=DeliveryQueues({Lane.PROMPT: self.deliveries, Lane.SLOW: self.slow}),
            pacing_queue=self.pacing,
            slots=self.slots,
            waiting=WaitingList(self.lists, FakeQueue()),
            journal=self.journal,
            clock=self.clock,
        )

    def hand_on(self, *paced: PacedDelivery, lane: Lane = Lane.PROMPT) -> list[bool]:
        """Hand these on, whose webhooks are in this lane."""
        return self.over.hand_on(paced, lambda _: lane)

    @property
    def delays(self) -> list[int]:
        return [message.delay_seconds for message in self.deliveries.messages]

    def waiting(self) -> list[PacedDelivery]:
        """What is in PacingQueue."""
        read = [read_router_message(message.body) for message in self.pacing.messages]
        return [one for one in read if isinstance(one, PacedDelivery)]


@pytest.fixture
def handing() -> Handing:
    return Handing()


def some(count: int, webhook: Webhook) -> list[Addressed]:
    return [Addressed(a_delivery_message(webhook), webhook) for _ in range(count)]


def sent(queue: FakeQueue) -> list[DeliveryMessage]:
    return [read_delivery_message(message.body) for message in queue.messages]


def test_without_a_pace_all_goes_out_at_once_and_no_slot_is_asked_for(handing: Handing) -> None:
    addressed = some(3, a_webhook())

    assert handing.over.send(addressed) == [NOW] * 3

    assert sent(handing.deliveries) == [one.message for one in addressed]
    assert handing.delays == [0] * 3
    assert handing.slots.calls == {}
    assert handing.pacing.calls == {}


def test_twenty_at_five_a_second_go_out_over_four_seconds(handing: Handing) -> None:
    moments = handing.over.send(some(20, a_webhook(max_per_second=5)))

    assert moments == [NOW + n * MICROSECONDS // 5 for n in range(20)]
    assert Counter(handing.delays) == {0: 5, 1: 5, 2: 5, 3: 5}
    assert handing.slots.calls == {"take": 1}


@given(
    st.integers(0, MICROSECONDS - 1), st.floats(0.1, 1000), st.lists(st.integers(1, 40), max_size=4)
)
def test_no_second_of_the_clock_has_more_than_the_pace_and_one(
    fraction: int, max_per_second: float, batches: Sequence[int]
) -> None:
    handing = Handing()
    handing.clock.now = NOW + fraction
    arrivals: Counter[int] = Counter()
    for batch in batches:
        before = len(handing.deliveries.messages)
        handing.over.send(some(batch, a_webhook(max_per_second=max_per_second)))
        now = handing.clock.now // MICROSECONDS
        arrivals.update(now + delay for delay in handing.delays[before:])
        handing.clock.pass_seconds(0.3)

    assert all(count <= max_per_second + 1 for count in arrivals.values())


def test_a_later_slot_waits_in_the_pacing_queue(handing: Handing) -> None:
    webhook = a_webhook(max_per_second=0.1)

    moments = handing.over.send(some(150, webhook))

    # 900 seconds are 90 slots, and the one at their end.
    assert len(handing.deliveries.messages) == 91
    assert [one.slot_at for one in handing.waiting()] == moments[91:]
    assert {message.group for message in handing.pacing.messages} == {webhook.id}
    delays = [message.delay_seconds for message in handing.pacing.messages]
    assert min(delays) >= 460 and max(delays) <= LONGEST_DELAY_SECONDS  # noqa: PT018


@pytest.mark.parametrize(
    ("seconds", "delay"),
    [(901, 451), (1_349, 899), (1_350, 900), (1_351, 900), (100 * DAY_SECONDS, 900)],
)
def test_what_is_far_is_looked_at_again_before_its_slot_and_never_late(
    handing: Handing, seconds: int, delay: int
) -> None:
    paced = PacedDelivery(a_delivery_message(), NOW + seconds * MICROSECONDS)

    assert handing.hand_on(paced) == [True]

    assert handing.waiting() == [paced]
    assert [message.delay_seconds for message in handing.pacing.messages] == [delay]


@pytest.mark.parametrize(("seconds", "delay"), [(900, 900), (450, 450), (1, 1), (0, 0), (-600, 0)])
def test_what_is_near_goes_into_the_delivery_queue_as_any_other_does(
    handing: Handing, seconds: int, delay: int
) -> None:
    paced = PacedDelivery(a_delivery_message(), NOW + seconds * MICROSECONDS)

    assert handing.hand_on(paced) == [True]

    assert sent(handing.deliveries) == [paced.message]
    assert "slot_at" not in handing.deliveries.messages[0].body
    assert handing.delays == [delay]


def test_what_is_near_goes_into_the_lane_that_its_webhook_is_in_now(handing: Handing) -> None:
    near = PacedDelivery(a_delivery_message(), NOW)

    assert handing.hand_on(near, lane=Lane.SLOW) == [True]
    assert handing.hand_on(near, near) == [True, True]

    assert (len(handing.slow.messages), len(handing.deliveries.messages)) == (1, 2)


def test_for_what_is_far_no_lane_is_asked(handing: Handing) -> None:
    far = PacedDelivery(a_delivery_message(), NOW + 2_000 * MICROSECONDS)
    asked: list[DeliveryMessage] = []

    def lane_of(message: DeliveryMessage) -> Lane:
        asked.append(message)
        return Lane.SLOW

    assert handing.over.hand_on([far, far], lane_of) == [True, True]

    assert asked == []
    assert handing.waiting() == [far, far]


def test_what_the_queue_does_not_take_is_told_in_its_place(handing: Handing) -> None:
    near = PacedDelivery(a_delivery_message(), NOW)
    far = PacedDelivery(a_delivery_message(), NOW + 2_000 * MICROSECONDS)
    handing.pacing.refuse(1)

    assert handing.hand_on(far, near, far) == [False, True, True]


def test_each_webhook_has_slots_of_its_own_and_those_without_a_pace_go_first(
    handing: Handing,
) -> None:
    paced, other = a_webhook(max_per_second=1), a_webhook(id=OTHER, max_per_second=10)
    free = a_webhook(id=WebhookId("wh_0000000000000003"))
    addressed = [one for _ in range(3) for one in some(1, paced) + some(1, other) + some(1, free)]

    moments = handing.over.send(addressed)

    assert [moment - NOW for moment in moments if moment is not None] == [
        *(0, 0, 0),
        *(1_000_000, 100_000, 0),
        *(2_000_000, 200_000, 0),
    ]
    assert [one.webhook_id for one in sent(handing.deliveries)][:3] == [free.id] * 3
    assert handing.slots.calls == {"take": 2}


def test_a_webhook_whose_slots_cannot_be_had_makes_no_other_wait(handing: Handing) -> None:
    paced, other = a_webhook(max_per_second=1), a_webhook(id=OTHER, max_per_second=10)
    free = a_webhook(id=WebhookId("wh_0000000000000003"))
    handing.slots.fail("take", 1)

    moments = handing.over.send(some(1, paced) + some(1, other) + some(1, free))

    assert moments == [None, NOW, NOW]
    assert handing.journal.kinds == ["slots_not_taken"]
    assert handing.journal.faults[0][1]["webhook_id"] == paced.id


def test_a_slot_is_taken_once_also_if_sqs_refuses_what_it_was_for(handing: Handing) -> None:
    webhook = a_webhook(max_per_second=1)
    handing.deliveries.refuse(2)

    assert handing.over.send(some(3, webhook)) == [NOW, None, NOW + 2 * MICROSECONDS]
    assert handing.over.send(some(1, webhook)) == [NOW + 3 * MICROSECONDS]


def test_without_time_no_slot_is_taken(handing: Handing) -> None:
    looks = iter([True, False])
    addressed = some(1, a_webhook(id=OTHER)) + some(2, a_webhook(max_per_second=1))

    assert handing.over.send(addressed, may_go_on=lambda: next(looks)) == [NOW, None, None]

    assert handing.slots.calls == {}
    assert handing.journal.faults == [("no_time_left", {"messages": 2})]


def test_a_delivery_of_a_webhook_that_is_no_more_has_no_pace(handing: Handing) -> None:
    assert handing.over.send([Addressed(a_delivery_message(), None)]) == [NOW]


def test_a_changed_pace_acts_on_what_has_no_slot_yet(handing: Handing) -> None:
    handing.over.send(some(10, a_webhook(max_per_second=1)))

    faster = handing.over.send(some(2, a_webhook(max_per_second=10)))
    free = handing.over.send(some(1, a_webhook()))

    assert faster == [NOW + 9_100_000, NOW + 9_200_000]  # after the last that was taken
    assert free == [NOW]


class Queues:
    """Both queues with a clock: what is delayed comes when it is due, what is far goes round."""

    def __init__(self, lag_seconds: int) -> None:
        self.handing = Handing()
        self._lag = lag_seconds
        self.hand_overs = 0
        self._waiting: list[tuple[int, PacedDelivery]] = []
        self.arrivals: list[int] = []

    def run(self) -> None:
        """Until nothing waits in PacingQueue; `arrivals` are when deliveries can be received."""
        while self._waiting:
            due = min(at for at, _ in self._waiting)
            self.handing.clock.now = max(self.handing.clock.now, due) + self._lag * MICROSECONDS
            now = self.handing.clock.now
            ready = [one for at, one in self._waiting if at <= now][:10]
            for one in ready:
                self._waiting.remove(next(each for each in self._waiting if each[1] == one))
            self.hand_overs += 1
            assert self.handing.hand_on(*ready) == [True] * len(ready)
            self.collect()
        self.arrivals.sort()

    def collect(self) -> None:
        """Take what has been sent to either."""
        now = self.handing.clock.now
        for message in self.handing.deliveries.messages:
            self.arrivals.append(now + message.delay_seconds * MICROSECONDS)
        for message in self.handing.pacing.messages:
            read = read_router_message(message.body)
            assert isinstance(read, PacedDelivery)
            self._waiting.append((now + message.delay_seconds * MICROSECONDS, read))
        self.handing.deliveries.messages.clear()
        self.handing.pacing.messages.clear()


@pytest.mark.parametrize("lag_seconds", [0, 1])
def test_three_thousand_at_one_a_second_hold_across_hand_overs(lag_seconds: int) -> None:
    queues = Queues(lag_seconds)
    webhook = a_webhook(max_per_second=1)
    for start in range(0, 3_000, 100):
        queues.handing.clock.now = NOW + start * 10_000  # a second's worth of events in a second
        queues.handing.over.send(some(100, webhook))
        queues.collect()

    queues.run()

    assert len(queues.arrivals) == 3_000
    assert queues.hand_overs >= 3 * 3_000 / 10 - 200
    seconds = [at // MICROSECONDS - NOW // MICROSECONDS for at in queues.arrivals]
    assert seconds == list(range(3_000))
    assert all(
        0 < later - earlier < 2 * MICROSECONDS for earlier, later in pairwise(queues.arrivals)
    )


def test_what_waits_for_longer_than_a_queue_keeps_messages_is_sent_anew_all_the_while() -> None:
    queues = Queues(lag_seconds=1)
    slot_at = NOW + 20 * DAY_SECONDS * MICROSECONDS
    queues.handing.hand_on(PacedDelivery(a_delivery_message(), slot_at))
    queues.collect()

    queues.run()

    assert [at // MICROSECONDS for at in queues.arrivals] == [slot_at // MICROSECONDS]
    assert queues.hand_overs > 20 * DAY_SECONDS / (LONGEST_DELAY_SECONDS + 2)
