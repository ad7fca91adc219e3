"""What waits to be pulled: a list for each webhook, written at its end and never before it.

Whoever hands deliveries over puts them there in pages. A page and the log entries of its deliveries
are written at once, under the condition that nobody has written another page since the end of the
list was read: places are numbered without a gap, in the order of the writes, by no clock. So a
place that is there has all places before it, however slow, crashed or doubled their writers are.

A delivery that is in the log in this run is in the list already, and does not come into it again.

A list in which something waits has a watch: a message in JobQueue that is delayed again and again,
until it looks a day later whether anybody pulls. Who writes begins one, unless there is one.
"""

import math
from collections.abc import Sequence
from dataclasses import field, replace
from typing import Protocol

from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.messages import DeliveryMessage, WatchMessage, write_watch_message
from perkwire.model.webhook import Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.queueing import LONGEST_DELAY_SECONDS, Outgoing, Queue
from perkwire.primitives.timestamps import DAY_SECONDS, HOUR_SECONDS, MICROSECONDS

MOST_OF_A_PAGE = 98
"""A transaction takes 100 items: these entries, their page, and where the list ends."""

WATCH_MICROSECONDS = DAY_SECONDS * MICROSECONDS
"""Nothing has to be pulled for so long, while something waits, before the admins are told."""

_TRIES = 10
_OVERDUE = HOUR_SECONDS * MICROSECONDS
"""A watch that should have looked so long ago is no more: its message was lost, or is buried."""


@dataclass(frozen=True, slots=True)
class WaitingDelivery:
    """A delivery in the list. `not_before` is its slot, if its webhook has a pace."""

    id: DeliveryId
    run: int
    event_ids: tuple[EventId, ...]
    not_before: int | None = None


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """What one write has put at the end of a list. `last` is the place of its last delivery."""

    account_id: AccountId
    webhook_id: WebhookId
    last: int
    written_at: int
    deliveries: tuple[WaitingDelivery, ...]

    @property
    def first(self) -> int:
        """The place of its first delivery."""
        return self.last - len(self.deliveries) + 1


class BeingWritten(Exception):
    """A transaction is under way at the place that was asked for."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How far a webhook has been pulled, and when that was said; None: never."""

    through: int
    at: int | None


@dataclass(frozen=True, slots=True)
class ListEnd:
    """Where a list ends: its last place that is taken; 0: none.

    `watch` is when its watch looks next, by which the watch knows itself; None: it has none.
    """

    last: int = 0
    watch: int | None = None


@dataclass(frozen=True, slots=True)
class NotAdded:
    """Why a page was not written: another was, at its places, or these are in the log already."""

    was_beaten: bool
    known: frozenset[DeliveryId] = field(default=frozenset())


class WaitingPages(Protocol):
    """Where the lists are kept."""

    def end(self, account_id: AccountId, webhook_id: WebhookId) -> ListEnd:
        """Where the list ends, read consistently; raises Unavailable."""
        ...

    def add(
        self, before: ListEnd, page: WaitingPage, entries: Sequence[Delivery], watch: int
    ) -> NotAdded | None:
        """Write a page and the entries of its deliveries, all of it or nothing; None: it is.

        Only if the list still ends as `before`, behind which the page begins, and no entry is there
        in its run, or a later one. Raises Unavailable, and may have been written even so.
        """
        ...


class WaitingList:
    """Puts deliveries at the ends of lists; `watches` is where their watches wait."""

    def __init__(self, pages: WaitingPages, watches: Queue) -> None:
        self._pages = pages
        self._watches = watches

    def append(
        self, webhook: Webhook, deliveries: Sequence[tuple[DeliveryMessage, int | None]], now: int
    ) -> None:
        """Have them wait, each not before its slot, in their order; raises Unavailable.

        Those that the list has already stay where they are. So a repeat after a failure is
        harmless.
        """
        left = list({message.delivery_id: (message, at) for message, at in deliveries}.values())
        for start in range(0, len(left), MOST_OF_A_PAGE):
            self._append(webhook, left[start : start + MOST_OF_A_PAGE], now)

    def _append(
        self, webhook: Webhook, left: Sequence[tuple[DeliveryMessage, int | None]], now: int
    ) -> None:
        begun: int | None = None
        for _ in range(_TRIES):
            end = self._pages.end(webhook.account_id, webhook.id)
            watch = end.watch
            if watch is None or watch + _OVERDUE < now:
                watch = begun = begun or self._begin_watch(webhook, now)
            page = WaitingPage(
                webhook.account_id,
                webhook.id,
                end.last + len(left),
                now,
                tuple(_waiting(message, at) for message, at in left),
            )
            entries = [
                _entry(message, end.last + number, now)
                for number, (message, _) in enumerate(left, 1)
            ]
            not_added = self._pages.add(end, page, entries, watch)
            if not_added is None:
                return
            left = [one for one in left if one[0].delivery_id not in not_added.known]
            if not left:
                return
        raise Unavailable("DynamoDB: the list of what waits changes too often")

    def _begin_watch(self, webhook: Webhook, now: int) -> int:
        """Before anything waits: whatever happens then, a watch without a list ends by itself."""
        watch = WatchMessage(
            account_id=webhook.account_id, webhook_id=webhook.id, watch=now + WATCH_MICROSECONDS
        )
        if not send_watch(self._watches, watch, now):
            raise Unavailable("SQS: the watch of the list cannot be begun")
        return watch.watch


def send_watch(queue: Queue, watch: WatchMessage, now: int) -> bool:
    """Whether SQS holds it: until it is to look, or for as long as SQS delays a message."""
    seconds = math.ceil(max(0, watch.watch - now) / MICROSECONDS)
    delay = min(seconds, LONGEST_DELAY_SECONDS)
    (is_held,) = queue.send([Outgoing(write_watch_message(watch), watch.account_id, delay)])
    return is_held


def _waiting(message: DeliveryMessage, not_before: int | None) -> WaitingDelivery:
    event_ids = tuple(event.id for event in message.events)
    return WaitingDelivery(message.delivery_id, message.run, event_ids, not_before)


def _entry(message: DeliveryMessage, place: int, now: int) -> Delivery:
    return replace(Delivery.of(message, DeliveryStatus.WAITING, now), place=place)
