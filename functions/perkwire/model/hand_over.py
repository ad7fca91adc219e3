"""Handing deliveries over to SQS: each into its webhook's queue, at its slot if there is a pace.

Those of a webhook that is pulled go to the end of its list instead, and wait there.

SQS delays a message by 900 seconds at most. What has a later slot goes into PacingQueue and is
handed on from there, each time as a new message, until its slot is near: so it waits for as long as
its slot is away, whatever a queue's retention. A slot is taken once, and what is handed on twice is
the same delivery twice.

SQS delays by whole seconds: a delivery goes out in that second of the clock in which its slot is.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from perkwire.model.event import Event
from perkwire.model.lanes import DeliveryQueues, Lane
from perkwire.model.messages import (
    DeliveryMessage,
    PacedDelivery,
    encode_event,
    write_delivery_message,
    write_paced_delivery,
)
from perkwire.model.pace import Slots, slot_length
from perkwire.model.waiting import WaitingList
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.queueing import LONGEST_DELAY_SECONDS, Outgoing, Queue
from perkwire.primitives.timestamps import MICROSECONDS

_SLICE = 100  # deliveries that are sent between two looks at the clock
_SPARE_SECONDS = LONGEST_DELAY_SECONDS // 2
"""By so much a delivery leaves PacingQueue before its slot: as long as it may wait for the router
there and be in time all the same."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """A delivery and its webhook as it was read; None, if it is no more, has no pace."""

    message: DeliveryMessage
    webhook: Webhook | None

    @property
    def has_pace(self) -> bool:
        """Whether it needs a slot."""
        return self.webhook is not None and self.webhook.max_per_second is not None

    @property
    def is_pulled(self) -> bool:
        """Whether it waits to be called for."""
        return self.webhook is not None and self.webhook.is_pulled

    @property
    def lane(self) -> Lane:
        """The lane that it travels in, if it goes out now."""
        return Lane.PROMPT if self.webhook is None else self.webhook.lane


@dataclass(frozen=True, slots=True)
class _Sending:
    """What one call of `send` has to do. `goes_out_at` is what has come of it so far.

    `lane_of` is asked for what goes out now, and not for what waits on.
    """

    messages: Sequence[DeliveryMessage]
    lane_of: Callable[[int], Lane]
    encode: Callable[[Event], str]
    may_go_on: Callable[[], bool]
    goes_out_at: list[int | None]


class HandOver:
    """Into the queues of deliveries. `clock` gives microseconds since the epoch."""

    def __init__(
        self,
        *,
        delivery_queues: DeliveryQueues,
        pacing_queue: Queue,
        slots: Slots,
        waiting: WaitingList,
        journal: Journal,
        clock: Callable[[], int],
    ) -> None:
        self._waiting = waiting
        self._delivery_queues = delivery_queues
        self._pacing_queue = pacing_queue
        self._slots = slots
        self._journal = journal
        self._clock = clock

    def send(
        self,
        addressed: Sequence[Addressed],
        encode: Callable[[Event], str] = encode_event,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> list[int | None]:
        """When each goes out, in their order; None: SQS does not hold it. Never raises.

        One that is pulled may be from then on; None: the log does not have it.

        What has no pace goes first and waits for nothing. A paced delivery whose slot cannot be
        had is not sent. `may_go_on` says whether there is time for some more calls.
        """
        sending = _Sending(
            [one.message for one in addressed],
            lambda place: addressed[place].lane,
            encode,
            may_go_on,
            [None] * len(addressed),
        )
        posted = [place for place, one in enumerate(addressed) if not one.is_pulled]
        paced = [place for place in posted if addressed[place].has_pace]
        unpaced = [place for place in posted if not addressed[place].has_pace]
        late = self._send_slices(sending, dict.fromkeys(unpaced))
        if len(posted) < len(addressed):
            late += self._have_wait(addressed, sending)
        if paced and may_go_on():
            late += self._send_slices(sending, self._take_slots(addressed, paced))
        else:
            late += len(paced)
        if late:
            self._journal.fault("no_time_left", messages=late)
        return sending.goes_out_at

    def hand_on(
        self,
        paced: Sequence[PacedDelivery],
        lane_of: Callable[[DeliveryMessage], Lane],
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> list[bool]:
        """Whether SQS holds each anew, until its slot or for another look. Never raises.

        `lane_of`, which must not raise, is asked for what has a near slot: a webhook may have been
        strained, or got well, since the slot was taken.
        """
        sending = _Sending(
            [one.message for one in paced],
            lambda place: lane_of(paced[place].message),
            encode_event,
            may_go_on,
            [None] * len(paced),
        )
        late = self._send_slices(sending, {place: one.slot_at for place, one in enumerate(paced)})
        if late:
            self._journal.fault("no_time_left", messages=late)
        return [moment is not None for moment in sending.goes_out_at]

    def _have_wait(self, addressed: Sequence[Addressed], sending: _Sending) -> int:
        """Put what is pulled into the lists; how many there was no time for.

        A webhook whose list cannot be written makes no other wait.
        """
        places: dict[WebhookId, list[int]] = defaultdict(list)
        for place, one in enumerate(addressed):
            if one.is_pulled:
                places[one.message.webhook_id].append(place)
        late = 0
        for own in places.values():
            webhook = addressed[own[0]].webhook
            if webhook is None or not sending.may_go_on():
                late += len(own)
                continue
            slots = self._take_slots(addressed, own) if addressed[own[0]].has_pace else {}
            if addressed[own[0]].has_pace and not slots:
                continue
            now = self._clock()
            try:
                self._waiting.append(
                    webhook, [(sending.messages[one], slots.get(one)) for one in own], now
                )
            except Exception as error:  # one webhook must not take the others with it
                self._journal.fault(
                    "waiting_not_logged",
                    account_id=webhook.account_id,
                    webhook_id=webhook.id,
                    detail=str(error) if isinstance(error, Unavailable) else type(error).__name__,
                )
                continue
            for place in own:
                sending.goes_out_at[place] = max(now, slots.get(place) or now)
        return late

    def _take_slots(
        self, addressed: Sequence[Addressed], paced: Sequence[int]
    ) -> Mapping[int, int | None]:
        """The slot of each of these places; of those of webhooks that get none, nothing.

        One call for each webhook, whatever the number of its deliveries.
        """
        places: dict[WebhookId, list[int]] = defaultdict(list)
        for place in paced:
            places[addressed[place].message.webhook_id].append(place)
        slots: dict[int, int | None] = {}
        for own in places.values():
            webhook = addressed[own[0]].webhook
            if webhook is None or webhook.max_per_second is None:
                continue
            try:
                first = self._slots.take(webhook, len(own), self._clock())
            except Unavailable as error:
                self._journal.fault(
                    "slots_not_taken",
                    account_id=webhook.account_id,
                    webhook_id=webhook.id,
                    detail=str(error),
                )
            else:
                length = slot_length(webhook.max_per_second)
                slots |= {place: first + n * length for n, place in enumerate(own)}
        return dict(sorted(slots.items()))

    def _send_slices(self, sending: _Sending, slots: Mapping[int, int | None]) -> int:
        """Send what is at these places, at these slots; how many there was no time for."""
        places = list(slots)
        for start in range(0, len(places), _SLICE):
            if not sending.may_go_on():
                return len(places) - start
            some = places[start : start + _SLICE]
            now = self._clock()
            held = self._put(sending, [(place, slots[place]) for place in some], now)
            for place, is_held in zip(some, held, strict=True):
                if is_held:
                    sending.goes_out_at[place] = max(now, slots[place] or now)
        return 0

    def _put(
        self, sending: _Sending, places: Sequence[tuple[int, int | None]], now: int
    ) -> list[bool]:
        """Whether SQS holds what is at each of them now, until its slot or for another look."""
        outgoing = {
            place: _outgoing(sending.messages[place], slot, now, sending.encode)
            for place, slot in places
        }
        near = [place for place, slot in places if _is_near(slot, now)]
        far = [place for place, slot in places if not _is_near(slot, now)]
        held: dict[int, bool] = {}
        if near:
            sent = self._delivery_queues.send(
                [(sending.lane_of(place), outgoing[place]) for place in near]
            )
            held |= zip(near, sent, strict=True)
        if far:
            sent = self._pacing_queue.send([outgoing[place] for place in far])
            held |= zip(far, sent, strict=True)
        return [held[place] for place, _ in places]


def _is_near(slot: int | None, now: int) -> bool:
    return slot is None or _seconds_until(slot, now) <= LONGEST_DELAY_SECONDS


def _outgoing(
    message: DeliveryMessage, slot: int | None, now: int, encode: Callable[[Event], str]
) -> Outgoing:
    if slot is None:
        return Outgoing(write_delivery_message(message, encode), message.webhook_id)
    seconds = _seconds_until(slot, now)
    if seconds <= LONGEST_DELAY_SECONDS:
        return Outgoing(write_delivery_message(message, encode), message.webhook_id, seconds)
    return Outgoing(
        write_paced_delivery(PacedDelivery(message, slot), encode),
        message.webhook_id,
        min(LONGEST_DELAY_SECONDS, seconds - _SPARE_SECONDS),
    )


def _seconds_until(slot: int, now: int) -> int:
    """By how many whole seconds to delay what goes out now, for the second of its slot."""
    return max(0, slot // MICROSECONDS - now // MICROSECONDS)
