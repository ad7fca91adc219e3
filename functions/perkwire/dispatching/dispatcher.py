"""Dispatching: look the webhooks up, render, sign, send side by side, write the log.

What becomes of each message is `verdict`'s to say; this module finds out which row holds.
"""

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Protocol

from perkwire.dispatching.follow_up import FollowUp
from perkwire.dispatching.in_flight import InFlightDelivery, Outcome, attempt_number
from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.dispatching.verdict import Disposition, Finding, Verdict, verdict
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.formats import Unrenderable, format_of
from perkwire.model.delivery import Attempt, Change, Delivery, DeliveryStatus
from perkwire.model.event import types_of
from perkwire.model.masking import masked
from perkwire.model.messages import (
    DeliveryMessage,
    Received,
    UnreadableMessage,
    read_delivery_message,
)
from perkwire.model.secret import UnusableSecret
from perkwire.model.sending import NoResponse, Request, Response, Sender, TransportError
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.timestamps import MICROSECONDS

LOG_SECONDS = 0.2
"""What the log needs once the last request is over."""


class Webhooks(Protocol):
    """The webhooks that deliveries are for."""

    def states(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> Mapping[WebhookId, WebhookState]:
        """Those whose account and webhook exist, tombstones too, read consistently.

        Raises Unavailable.
        """
        ...


class DeliveryLog(Protocol):
    """Where deliveries are logged."""

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        """The entries that exist, read consistently; raises Unavailable."""
        ...

    def write(self, changes: Sequence[Change]) -> set[DeliveryId]:
        """Store them; the ids of those that are not stored. Never raises for a failed write.

        A success is never overwritten, nor a newer run by an older one, nor what another copy of
        the message has settled by one that is still retried; of such a change the attempt alone
        is added, and it counts as stored. A first success is put whatever is there.
        """
        ...


class Vault(Protocol):
    """Opens what management has sealed."""

    def open(self, webhook: Webhook) -> OpenedSecrets:
        """The secrets of exactly this webhook; raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchRule:
    """The stack's parameters for dispatching; `request_seconds` is the time-out of a request."""

    max_attempts: int
    retry_interval_seconds: int
    request_seconds: float


class Dispatcher:
    """The dispatcher's work on the messages of one invocation.

    `executor` needs as many threads as an invocation has messages, and some to spare: a step that
    has been given up keeps its own until its client gives up too.
    """

    def __init__(
        self,
        *,
        webhooks: Webhooks,
        log: DeliveryLog,
        vault: Vault,
        sender: Sender,
        follow_up: FollowUp,
        journal: Journal,
        rule: DispatchRule,
        executor: Executor,
        clock: Callable[[], int],
    ) -> None:
        self._webhooks = webhooks
        self._log = log
        self._vault = vault
        self._sender = sender
        self._following_up = follow_up
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
        works = self._readable(received)
        left = {record.message_id for record in received} - {
            work.received.message_id for work in works
        }
        self._find(works, seconds_left)
        self._log_unlogged(works, seconds_left)
        sent = [work for work in works if work.to_send]
        self._send(sent, seconds_left)
        left |= self._settle(works, seconds_left)
        try:
            self._in_time(seconds_left, lambda: self._following_up.follow_up(works))
        except Unavailable as error:
            self._journal.fault("health_not_kept", detail=str(error))
        # A request that never ends must not come into the next invocation, where it could write to
        # its endpoint: the time-out of this one ends it with the process.
        for work in sent:
            if work.sending_since is not None:
                work.ended.wait()
        return [record.message_id for record in received if record.message_id in left]

    def _in_time[T](self, seconds_left: Callable[[], float], step: Callable[[], T]) -> T:
        """What a step gives; raises Unavailable if it has not ended in time."""
        try:
            (result,) = self._executor.map(
                lambda _: step(), (None,), timeout=max(0.0, seconds_left())
            )
        except TimeoutError as error:
            raise Unavailable("no answer in the time that was left") from error
        return result

    def _readable(self, received: Sequence[Received]) -> list[InFlightDelivery]:
        works = []
        for one in received:
            try:
                works.append(InFlightDelivery(one, read_delivery_message(one.body)))
            except UnreadableMessage as error:
                self._journal.fault(
                    "message_unreadable", message_id=one.message_id, detail=str(error)
                )
        return works

    def _find(self, works: Sequence[InFlightDelivery], seconds_left: Callable[[], float]) -> None:
        """Find each message's webhook and log entry, and what they alone decide."""
        if not works:
            return
        try:
            states, entries = self._in_time(seconds_left, lambda: self._look_up(works))
        except Unavailable as error:
            self._journal.fault("dispatching_unavailable", detail=str(error))
            return
        firsts: dict[DeliveryId, InFlightDelivery] = {}
        for work in works:
            first = firsts.setdefault(work.message.delivery_id, work)
            if work.message.run > first.message.run:
                firsts[work.message.delivery_id] = work
        for work in works:
            message = work.message
            work.state = states.get(message.webhook_id)
            work.entry = entries.get(message.delivery_id)
            if work.state is None:
                self._fault(work, "webhook_absent")
            elif work is not firsts[message.delivery_id]:
                work.first_copy = firsts[message.delivery_id]
                work.finding = Finding.DOUBLED
                self._journal.note("delivery.doubled", delivery_id=message.delivery_id)
            elif work.entry is not None and work.entry.status is DeliveryStatus.UNKNOWN:
                self._fault(work, "delivery_of_later_release")
            else:
                decided = _decided_unsent(message, work.state.webhook, work.entry)
                work.to_send = decided is None
                work.finding = decided or Finding.UNAVAILABLE

    def _look_up(
        self, works: Sequence[InFlightDelivery]
    ) -> tuple[Mapping[WebhookId, WebhookState], Mapping[DeliveryId, Delivery]]:
        states = self._webhooks.states(
            {(work.message.account_id, work.message.webhook_id) for work in works}
        )
        entries = self._log.find(
            {(work.message.account_id, work.message.delivery_id) for work in works}
        )
        return states, entries

    def _log_unlogged(
        self, works: Sequence[InFlightDelivery], seconds_left: Callable[[], float]
    ) -> None:
        """Give an entry to a delivery that has none, was received before or is not again.

        If this receive is burnt before the log, as earlier ones were, and it is the last, an entry
        that becomes overdue is all that tells of it.
        """
        unlogged = [
            work
            for work in works
            if work.to_send
            and work.entry is None
            and (work.received.receive_count > 1 or self._is_last(work))
        ]
        for work in unlogged:
            work.entry = self._entry(
                work, Verdict(DeliveryStatus.RETRYING, None, Disposition.LEAVE)
            )
        self._write(
            [Change(None, work.entry, None) for work in unlogged if work.entry], seconds_left
        )

    def _write(
        self, changes: Sequence[Change], seconds_left: Callable[[], float]
    ) -> set[DeliveryId]:
        """Write the log; the ids of those that are not stored, or not known to be."""
        if not changes:
            return set()
        try:
            return self._in_time(seconds_left, lambda: self._log.write(changes))
        except Unavailable as error:
            self._journal.fault("delivery_table_failing", detail=str(error))
            return {change.after.id for change in changes}

    def _send(self, works: Sequence[InFlightDelivery], seconds_left: Callable[[], float]) -> None:
        """Open, render, sign and send, each message in a thread of its own.

        One whose secret is slow to come holds no other, and is not sent once time has run out. One
        that is still not back when the log must be written does not take it from the others.
        """
        sending = self._executor.map(
            lambda work: self._run(work, seconds_left),
            works,
            timeout=max(0.0, seconds_left() - LOG_SECONDS),
        )
        with contextlib.suppress(TimeoutError):
            for _ in sending:
                pass
        for work in works:
            work.finding, work.attempt = work.outcome or self._overdue(work)

    def _run(self, work: InFlightDelivery, seconds_left: Callable[[], float]) -> None:
        try:
            work.outcome = self._attempt(work, seconds_left)
        finally:
            work.ended.set()

    def _overdue(self, work: InFlightDelivery) -> Outcome:
        if work.sending_since is None:
            self._fault(work, "no_time_left", detail="the secret did not come in time")
            return Finding.UNAVAILABLE, None
        self._fault(work, "request_overdue")
        return Finding.REFUSED, Attempt(
            number=attempt_number(work),
            at=work.sending_since,
            duration_ms=(self._clock() - work.sending_since) // 1000,
            error=TransportError.TIMEOUT,
        )

    def _attempt(self, work: InFlightDelivery, seconds_left: Callable[[], float]) -> Outcome:
        state = work.state
        if state is None:
            return Finding.UNAVAILABLE, None
        made = self._request(work, state.webhook)
        if isinstance(made, Finding):
            return made, None
        request, opened = made
        if seconds_left() <= self._rule.request_seconds + LOG_SECONDS:
            self._fault(work, "no_time_left")
            return Finding.UNAVAILABLE, None
        at = self._clock()
        work.sending_since = at
        try:
            result = self._sender.send(request)
        except Exception as crash:  # the others of the batch have been sent, and must be logged
            self._fault(work, "attempt_crashed", detail=type(crash).__name__)
            return Finding.UNAVAILABLE, None
        number = attempt_number(work)
        match result:
            case Response(status, snippet, duration_ms):
                success = format_of(state.webhook.format).is_success(status)
                return Finding.ACCEPTED if success else Finding.REFUSED, Attempt(
                    number=number,
                    at=at,
                    duration_ms=duration_ms,
                    status_code=status,
                    response=None if success else masked(snippet, opened.all_secrets()),
                )
            case NoResponse(error, duration_ms):
                return Finding.REFUSED, Attempt(
                    number=number, at=at, duration_ms=duration_ms, error=error
                )

    def _request(
        self, work: InFlightDelivery, webhook: Webhook
    ) -> tuple[Request, OpenedSecrets] | Finding:
        try:
            opened = self._vault.open(webhook)
            return render(work.message, webhook, opened, self._clock()), opened
        except (Unavailable, UnusableSecret) as error:
            self._fault(work, "secret_unreadable", detail=str(error))
            return Finding.UNAVAILABLE
        except Unrenderable as error:
            self._fault(work, "delivery_unrenderable", detail=str(error))
        except Exception as error:  # one message must not take its batch with it
            self._fault(work, "delivery_unrenderable", detail=type(error).__name__)
        return Finding.UNRENDERABLE

    def _settle(
        self, works: Sequence[InFlightDelivery], seconds_left: Callable[[], float]
    ) -> set[str]:
        """Write the log; the ids of the messages to be left."""
        verdicts = {
            work.received.message_id: verdict(work.finding, last_attempt=self._is_last(work))
            for work in works
        }
        for work in works:
            work.after = self._entry(work, verdicts[work.received.message_id])
        changes = [
            Change(work.entry, work.after, work.attempt) for work in works if work.after is not None
        ]
        unstored = self._write(changes, seconds_left)
        left = set()
        for work in works:
            decided = verdicts[work.received.message_id]
            stored = work.message.delivery_id not in unstored
            if decided.status is not None:
                self._report(work, decided, stored=stored)
            if decided.message is Disposition.LEAVE or (
                decided.message is Disposition.DELETE_ONCE_LOGGED and not stored
            ):
                left.add(work.received.message_id)
        for work in works:
            if work.first_copy is not None and work.first_copy.received.message_id not in left:
                left.discard(work.received.message_id)
        return left

    def _is_last(self, work: InFlightDelivery) -> bool:
        return work.received.receive_count >= self._rule.max_attempts

    def _entry(self, work: InFlightDelivery, decided: Verdict) -> Delivery | None:
        if work.entry is not None and work.entry.status is DeliveryStatus.UNKNOWN:
            return None
        if decided.status is None:
            return self._still_due(work)
        now = self._clock()
        message = work.message
        due_at = None
        if decided.status is DeliveryStatus.RETRYING:
            due_at = now + self._rule.retry_interval_seconds * MICROSECONDS
        before = work.entry or Delivery(
            id=message.delivery_id,
            account_id=message.account_id,
            webhook_id=message.webhook_id,
            event_ids=tuple(event.id for event in message.events),
            event_types=types_of(message.events),
            run=message.run,
            status=DeliveryStatus.PENDING,
            reason=None,
            attempts=(),
            due_at=None,
            created_at=now,
            updated_at=now,
        )
        attempts = before.attempts if work.attempt is None else (*before.attempts, work.attempt)
        return replace(
            before,
            run=message.run,
            status=decided.status,
            reason=decided.reason,
            attempts=attempts,
            due_at=due_at,
            updated_at=now,
        )

    def _still_due(self, work: InFlightDelivery) -> Delivery | None:
        """The entry of a delivery that is left as it is: only its next attempt is due later.

        Else a service that is away for a few receives would make a live delivery read as lost.
        """
        entry, run = work.entry, work.message.run
        if work.finding is not Finding.UNAVAILABLE or entry is None or entry.run > run:
            return None
        if entry.status is not DeliveryStatus.RETRYING:
            return None
        now = self._clock()
        due_at = now + self._rule.retry_interval_seconds * MICROSECONDS
        return replace(entry, run=run, due_at=due_at, updated_at=now)

    def _report(self, work: InFlightDelivery, decided: Verdict, *, stored: bool) -> None:
        attempt = work.attempt
        self._journal.note(
            "delivery.attempted" if attempt else "delivery.settled",
            account_id=work.message.account_id,
            webhook_id=work.message.webhook_id,
            delivery_id=work.message.delivery_id,
            run=work.message.run,
            events=len(work.message.events),
            status=decided.status,
            reason=decided.reason,
            attempt=attempt.number if attempt else None,
            status_code=attempt.status_code if attempt else None,
            error=attempt.error if attempt else None,
            duration_ms=attempt.duration_ms if attempt else None,
        )
        if not stored:
            self._fault(work, "delivery_not_logged")

    def _fault(self, work: InFlightDelivery, what: str, detail: str | None = None) -> None:
        self._journal.fault(
            what,
            account_id=work.message.account_id,
            webhook_id=work.message.webhook_id,
            delivery_id=work.message.delivery_id,
            message_id=work.received.message_id,
            detail=detail,
        )


def _decided_unsent(
    message: DeliveryMessage, webhook: Webhook, entry: Delivery | None
) -> Finding | None:
    """What the log and the webhook's status decide without a request; None: it is to be sent."""
    if entry is not None and (entry.status is DeliveryStatus.SUCCEEDED or message.run < entry.run):
        return Finding.SETTLED
    match webhook.status:
        case WebhookStatus.DELETED:
            return Finding.DELETED
        case WebhookStatus.DISABLED:
            return Finding.DISABLED
        case WebhookStatus.PAUSED:
            return Finding.PAUSED
        case WebhookStatus.ENABLED:
            return None
