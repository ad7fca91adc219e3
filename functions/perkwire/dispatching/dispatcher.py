"""The dispatcher's work on one invocation: find, send, settle, follow up.

What becomes of each message is `verdict`'s to say; `lookup` and `attempts` find out which row
holds.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from perkwire.dispatching.attempts import Attempts, Formats, Vault
from perkwire.dispatching.follow_up import Followed, FollowUp
from perkwire.dispatching.in_flight import InFlightDelivery
from perkwire.dispatching.lookup import Lookup, Records
from perkwire.dispatching.next_receive import NextReceives, Visibility
from perkwire.dispatching.schedule import spread_retries
from perkwire.dispatching.settlement import LogWriter, Settlement
from perkwire.dispatching.timing import DispatchRule, in_time
from perkwire.formats.lookup import FormatLookup
from perkwire.model.messages import Received, UnreadableMessage, read_delivery_message
from perkwire.model.sending import Sender
from perkwire.model.signals import Signal
from perkwire.primitives.journal import Journal, Unavailable


class Dispatcher:
    """The dispatcher's work on the messages of one invocation.

    `executor` needs as many threads as an invocation has messages, and some to spare: a step that
    has been given up keeps its own until its client gives up too.
    """

    def __init__(
        self,
        *,
        records: Records,
        log: LogWriter,
        vault: Vault,
        formats: Formats | None = None,
        sender: Sender,
        visibility: Visibility,
        follow_up: FollowUp,
        journal: Journal,
        rule: DispatchRule,
        executor: Executor,
        clock: Callable[[], int],
    ) -> None:
        self._lookup = Lookup(
            records=records,
            journal=journal,
            executor=executor,
            max_attempts=rule.max_attempts,
        )
        self._attempts = Attempts(
            vault=vault,
            formats=formats or FormatLookup(),
            sender=sender,
            journal=journal,
            rule=rule,
            executor=executor,
            clock=clock,
        )
        self._settlement = Settlement(
            log=log, journal=journal, rule=rule, executor=executor, clock=clock
        )
        self._next_receives = NextReceives(
            visibility=visibility, journal=journal, executor=executor
        )
        self._follow_up = follow_up
        self._journal = journal
        self._rule = rule
        self._executor = executor
        self._clock = clock

    def dispatch(
        self, received: Sequence[Received], seconds_left: Callable[[], float]
    ) -> list[str]:
        """Deal with each message; the ids of those to be left for SQS.

        No step takes longer than `seconds_left`: past the function's time-out SQS would bring all
        of them again, those that have succeeded too. A message for which there is no time for a
        request that takes its whole time-out is left as it is.
        """
        deliveries = self._readable(received)
        left = {record.message_id for record in received} - {
            delivery.received.message_id for delivery in deliveries
        }
        self._lookup.find(deliveries, seconds_left)
        self._settlement.log_unlogged(deliveries, seconds_left)
        sent = [delivery for delivery in deliveries if delivery.to_send]
        self._attempts.send(sent, seconds_left)
        left |= self._settlement.settle(deliveries, seconds_left)
        stay = [delivery for delivery in deliveries if delivery.received.message_id in left]
        self._next_receives.set(stay, seconds_left)
        followed = Followed()
        try:
            followed = in_time(
                self._executor, seconds_left, lambda: self._follow_up.follow_up(deliveries)
            )
        except Unavailable as error:
            self._journal.fault("health_not_kept", detail=str(error))
        except Exception as crash:  # what has been sent and logged stays so
            self._journal.fault("health_not_kept", detail=type(crash).__name__)
        self._next_receives.set(
            spread_retries(stay, followed.strained, self._rule, self._clock()), seconds_left
        )
        self._signal(followed.signals, seconds_left)
        # A request that never ends must not come into the next invocation, where it could write to
        # its endpoint: the time-out of this one ends it with the process.
        for delivery in sent:
            if delivery.sending_since is not None:
                delivery.ended.wait()
        return [record.message_id for record in received if record.message_id in left]

    def _signal(self, signals: Sequence[Signal], seconds_left: Callable[[], float]) -> None:
        """Last of all, so that nothing waits for it."""
        if not signals:
            return
        try:
            in_time(self._executor, seconds_left, lambda: self._follow_up.signal(signals))
        except Unavailable as error:
            self._journal.fault("signal_not_sent", detail=str(error))

    def _readable(self, received: Sequence[Received]) -> list[InFlightDelivery]:
        deliveries = []
        taken_at = self._clock()
        for one in received:
            try:
                deliveries.append(InFlightDelivery(one, read_delivery_message(one.body), taken_at))
            except UnreadableMessage as error:
                self._journal.fault(
                    "message_unreadable", message_id=one.message_id, detail=str(error)
                )
        return deliveries
