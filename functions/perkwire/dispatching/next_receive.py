"""When SQS is to bring a message again that stays with it.

Without a word of ours that is once its queue's visibility time-out is over: the stack's interval.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Protocol
from zlib import crc32

from perkwire.dispatching.in_flight import InFlightDelivery
from perkwire.dispatching.timing import in_time
from perkwire.model.messages import Received
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import DeliveryId
from perkwire.primitives.journal import Journal, Unavailable

LONGEST_SECONDS = 43_200
"""As long as SQS hides a message, counted from its receive."""
_BEFORE_INVOCATION_SECONDS = 60  # at most between a receive and the invocation that it is for
_SPREAD = 10  # a tenth of a delay
_IDS = 2**32  # values of crc32


@dataclass(frozen=True, slots=True)
class NextReceive:
    """The message of this receive is to be brought again so many seconds from now."""

    received: Received
    seconds: int


class Visibility(Protocol):
    """How long SQS keeps messages to itself."""

    def hide(self, receives: Sequence[NextReceive]) -> None:
        """Have SQS bring each again at its own time.

        Never raises: one that SQS does not take is a fault, and comes again after its queue's
        visibility time-out. A message that has been deleted or received again stays as it is.
        """
        ...


def spread(seconds: int, delivery_id: DeliveryId) -> int:
    """The delay with up to a tenth more, always the same of a delivery.

    What failed together does not come back together.
    """
    return seconds + crc32(delivery_id.encode()) * (seconds // _SPREAD + 1) // _IDS


def within_limit(seconds: int, since_invoked: int) -> int:
    """The delay, or what is left of twelve hours from the receive on.

    SQS refuses more, and does not tell when a message was received: `since_invoked` are the
    seconds since the invocation began, which is soon after.
    """
    return min(seconds, LONGEST_SECONDS - _BEFORE_INVOCATION_SECONDS - since_invoked)


class NextReceives:
    """Sets when the messages that an invocation leaves come again, where that is said of them."""

    def __init__(self, *, visibility: Visibility, journal: Journal, executor: Executor) -> None:
        self._visibility = visibility
        self._journal = journal
        self._executor = executor

    def set(
        self, deliveries: Sequence[InFlightDelivery], seconds_left: Callable[[], float]
    ) -> None:
        """Have SQS bring those that have a `delay_seconds` again after it, in time or not."""
        receives = [
            NextReceive(delivery.received, delivery.delay_seconds)
            for delivery in deliveries
            if delivery.delay_seconds is not None
        ]
        if not receives:
            return
        try:
            in_time(self._executor, seconds_left, lambda: self._visibility.hide(receives))
        except Unavailable as error:
            self._journal.fault("delay_not_set", detail=str(error))
        except Exception as crash:  # what has been sent and logged stays so
            self._journal.fault("delay_not_set", detail=type(crash).__name__)
