"""Settling: what becomes of each delivery and message by the table of verdicts, and its entry."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Protocol

from perkwire.dispatching.in_flight import InFlightDelivery, delivery_fault
from perkwire.dispatching.schedule import delay_seconds, is_last_attempt
from perkwire.dispatching.timing import DispatchRule, in_time
from perkwire.dispatching.verdict import Disposition, Finding, Verdict, verdict
from perkwire.model.delivery import Change, Delivery, DeliveryStatus
from perkwire.primitives.ids import DeliveryId, EventId
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.timestamps import MICROSECONDS


class LogWriter(Protocol):
    """The log, to write to."""

    def write(self, changes: Sequence[Change]) -> set[DeliveryId]:
        """Store them; the ids of those that are not stored. Never raises for a failed write.

        A success is never overwritten, nor a newer run by an older one, nor what another copy of
        the message has settled by one that is still retried; of such a change the attempt alone
        is added, and it counts as stored. A first success is put whatever is there.
        """
        ...


class Settlement:
    """Writes the log, and decides which messages are left for SQS."""

    def __init__(
        self,
        *,
        log: LogWriter,
        journal: Journal,
        rule: DispatchRule,
        executor: Executor,
        clock: Callable[[], int],
    ) -> None:
        self._log = log
        self._journal = journal
        self._rule = rule
        self._executor = executor
        self._clock = clock

    def log_unlogged(
        self, deliveries: Sequence[InFlightDelivery], seconds_left: Callable[[], float]
    ) -> None:
        """Give an entry to a delivery that has none, was received before or is not again.

        If this receive is burnt before the log, as earlier ones were, and it is the last, an entry
        that becomes overdue is all that tells of it.
        """
        unlogged = [
            delivery
            for delivery in deliveries
            if delivery.to_send
            and delivery.entry is None
            and (delivery.received.receive_count > 1 or self._is_last(delivery))
        ]
        for delivery in unlogged:
            delivery.entry = self._entry(
                delivery, Verdict(DeliveryStatus.RETRYING, None, Disposition.LEAVE)
            )
        self._write(
            [Change(None, one.entry, None) for one in unlogged if one.entry],
            seconds_left,
        )

    def settle(
        self, deliveries: Sequence[InFlightDelivery], seconds_left: Callable[[], float]
    ) -> set[str]:
        """Write the log; the ids of the messages to be left."""
        verdicts = {
            one.received.message_id: verdict(one.finding, last_attempt=self._is_last(one))
            for one in deliveries
        }
        for delivery in deliveries:
            delivery.delay_seconds = delay_seconds(delivery, self._rule, self._clock())
            delivery.after = self._entry(delivery, verdicts[delivery.received.message_id])
        changes = [
            Change(one.entry, one.after, one.attempt) for one in deliveries if one.after is not None
        ]
        unstored = self._write(changes, seconds_left)
        left = set()
        for delivery in deliveries:
            decided = verdicts[delivery.received.message_id]
            stored = delivery.message.delivery_id not in unstored
            if decided.status is not None:
                self._report(delivery, decided, stored=stored)
            if decided.message is Disposition.LEAVE or (
                decided.message is Disposition.DELETE_ONCE_LOGGED and not stored
            ):
                left.add(delivery.received.message_id)
        for delivery in deliveries:
            first = delivery.first_copy
            if first is not None and first.received.message_id not in left:
                left.discard(delivery.received.message_id)
        return left

    def _write(
        self, changes: Sequence[Change], seconds_left: Callable[[], float]
    ) -> set[DeliveryId]:
        """Write the log; the ids of those that are not stored, or not known to be."""
        if not changes:
            return set()
        try:
            return in_time(self._executor, seconds_left, lambda: self._log.write(changes))
        except Unavailable as error:
            self._journal.fault("delivery_table_failing", detail=str(error))
            return {change.after.id for change in changes}
        except Exception as crash:  # one entry must not take those beside it along
            if len(changes) > 1:
                return {one for change in changes for one in self._write([change], seconds_left)}
            self._journal.fault("delivery_table_failing", detail=type(crash).__name__)
            return {changes[0].after.id}

    def _is_last(self, delivery: InFlightDelivery) -> bool:
        return is_last_attempt(delivery, self._rule.max_attempts)

    def _entry(self, delivery: InFlightDelivery, decided: Verdict) -> Delivery | None:
        if delivery.entry is not None and delivery.entry.status is DeliveryStatus.UNKNOWN:
            return None
        if decided.status is None:
            return self._still_due(delivery)
        now = self._clock()
        message = delivery.message
        before = delivery.entry or Delivery.of(message, DeliveryStatus.PENDING, now)
        made = () if delivery.attempt is None else (delivery.attempt,)
        return replace(
            before,
            run=message.run,
            status=decided.status,
            reason=decided.reason,
            attempts=(*before.attempts, *made),
            due_at=self._due_at(delivery, now)
            if decided.status is DeliveryStatus.RETRYING
            else None,
            spent_after=self._spent_after(delivery, decided),
            updated_at=now,
            erased=self._erased(delivery, before),
        )

    def _erased(self, delivery: InFlightDelivery, before: Delivery) -> tuple[EventId, ...]:
        """Which of its events are not sent any more."""
        if delivery.finding is Finding.ERASED:
            return before.event_ids
        if not delivery.left_out:
            return before.erased
        own = (*before.event_ids, *delivery.left_out)
        gone = {*before.erased, *delivery.left_out}
        return tuple(one for one in dict.fromkeys(own) if one in gone)

    def _due_at(self, delivery: InFlightDelivery, now: int) -> int:
        """When the message comes again, as SQS will be told, or by the stack's interval."""
        delay = delivery.delay_seconds
        return now + (self._rule.retry_interval_seconds if delay is None else delay) * MICROSECONDS

    def _spent_after(self, delivery: InFlightDelivery, decided: Verdict) -> int | None:
        """The receive with which it has failed, if SQS has more for its message."""
        receive_count = delivery.received.receive_count
        is_spent = decided.status is DeliveryStatus.FAILED and delivery.delay_seconds is not None
        return receive_count if is_spent and receive_count < self._rule.max_attempts else None

    def _still_due(self, delivery: InFlightDelivery) -> Delivery | None:
        """The entry of a delivery that is left as it is: only its next attempt is due later.

        Else a service that is away for a few receives would make a live delivery read as lost.
        """
        entry, run = delivery.entry, delivery.message.run
        if delivery.finding is not Finding.UNAVAILABLE or entry is None or entry.run > run:
            return None
        if entry.status is not DeliveryStatus.RETRYING:
            return None
        now = self._clock()
        return replace(entry, run=run, due_at=self._due_at(delivery, now), updated_at=now)

    def _report(self, delivery: InFlightDelivery, decided: Verdict, *, stored: bool) -> None:
        attempt = delivery.attempt
        if self._is_told_by_the_log_alone(decided, stored=stored):
            return
        self._journal.note(
            "delivery.attempted" if attempt else "delivery.settled",
            account_id=delivery.message.account_id,
            webhook_id=delivery.message.webhook_id,
            delivery_id=delivery.message.delivery_id,
            run=delivery.message.run,
            events=len(delivery.message.events),
            status=decided.status,
            reason=decided.reason,
            attempt=attempt.number if attempt else None,
            status_code=attempt.status_code if attempt else None,
            error=attempt.error if attempt else None,
            error_detail=attempt.error_detail if attempt else None,
            duration_ms=attempt.duration_ms if attempt else None,
        )
        if not stored:
            delivery_fault(self._journal, delivery, "delivery_not_logged")

    def _is_told_by_the_log_alone(self, decided: Verdict, *, stored: bool) -> bool:
        """A success has no line, unless it is asked for or is missing in the log of deliveries."""
        return (
            decided.status is DeliveryStatus.SUCCEEDED and stored and not self._rule.log_successes
        )
