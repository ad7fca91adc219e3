"""The inbox: messages of other systems in, events accepted, what is wrong with others kept.

Each event stands alone: one that is refused keeps none beside it from being accepted. What fails
for now is left to SQS; what has been done of it by then is done once.
"""

from collections.abc import Callable, Mapping, Sequence

from perkwire.accepting.acceptance import Acceptance
from perkwire.accepting.inbox_messages import MessageEvent, Unwrapped, message_events, unwrapped
from perkwire.accepting.rejected_event import (
    RejectedEvent,
    RejectedEvents,
    RejectedHeading,
    said_account,
    said_type,
)
from perkwire.model.event import DataCheck, EventDraft, EventTypeCheck, PostedEvent, read_drafts
from perkwire.model.messages import Received
from perkwire.model.signals import Signals, events_rejected
from perkwire.primitives.ids import rejected_event_id
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.problem import FieldError, Problem, invalid
from perkwire.primitives.strict_json import compact
from perkwire.primitives.timestamps import MICROSECONDS

_MINUTE = 60 * MICROSECONDS


class Inbox:
    """Takes messages. `clock` gives microseconds since the epoch."""

    def __init__(
        self,
        *,
        acceptance: Acceptance,
        rejected: RejectedEvents,
        check_data: DataCheck,
        journal: Journal,
        signals: Signals | None,
        signal_interval_minutes: int,
        clock: Callable[[], int],
    ) -> None:
        self._acceptance = acceptance
        self._rejected = rejected
        self._check_data = check_data
        self._journal = journal
        self._signals = signals
        self._interval = signal_interval_minutes * _MINUTE
        self._clock = clock

    def take(self, received: Sequence[Received], may_go_on: Callable[[], bool]) -> Sequence[str]:
        """Take each message; the ids of those that are left for SQS."""
        left: list[str] = []
        rejected: list[RejectedEvent] = []
        for one in received:
            if not may_go_on():
                left.append(one.message_id)
                continue
            try:
                rejected += self._take(one)
            except Exception as error:  # a message must not take those beside it along
                left.append(one.message_id)
                self._journal.fault(
                    "inbox_message_left",
                    message_id=one.message_id,
                    receive_count=one.receive_count,
                    detail=_said(error),
                )
        self._tell(rejected)
        return left

    def _take(self, received: Received) -> Sequence[RejectedEvent]:
        """What of a message is rejected; raises Unavailable and other faults."""
        message = unwrapped(received.message_id, received.body)
        try:
            events = message_events(message.text)
        except Problem as problem:
            rejected = [_rejected(received, message, None, None, problem)]
        else:
            wrong = self._accept(message, [event.posted for event in events])
            whole = len(events) == 1
            rejected = [
                _rejected(received, message, place, events[place], problem, is_whole=whole)
                for place, problem in sorted(wrong.items())
            ]
        if rejected:
            self._rejected.keep(rejected)
        for one in rejected:
            heading = one.heading
            self._journal.fault(
                "event_rejected",
                rejected_event_id=heading.id,
                account_id=heading.account_id,
                message_id=received.message_id,
                status=heading.status,
            )
        return rejected

    def _accept(self, message: Unwrapped, posted: Sequence[PostedEvent]) -> Mapping[int, Problem]:
        """Accept those that can be; why not, of the others, by their places."""
        wrong: dict[int, Problem] = {}
        drafts: dict[int, EventDraft] = {}
        check_type = EventTypeCheck()
        for place, one in enumerate(posted):
            try:
                (drafts[place],) = read_drafts([one], self._check_data, check_type)
            except Problem as problem:
                wrong[place] = problem
        for place, result in self._acceptance.accept_each(drafts, message.message_id).items():
            if isinstance(result, FieldError):
                wrong[place] = invalid([result])
        return wrong

    def _tell(self, rejected: Sequence[RejectedEvent]) -> None:
        if not rejected or self._signals is None:
            return
        now = self._clock()
        try:
            if self._rejected.take_signal(now, now - self._interval):
                first = rejected[0].heading.id
                self._signals.send([events_rejected(now, count=len(rejected), first=first)])
        except Unavailable as error:  # a signal must not change what becomes of a message
            self._journal.fault("signal_not_sent", detail=str(error))


def _rejected(
    received: Received,
    message: Unwrapped,
    place: int | None,
    event: MessageEvent | None,
    problem: Problem,
    *,
    is_whole: bool = True,
) -> RejectedEvent:
    """`event` None: nothing could be read of the message; `is_whole`: it is all of it."""
    text = message.text
    if event is not None and not is_whole:
        text = compact(event.value).decode()
    posted = None if event is None else event.posted
    return RejectedEvent(
        RejectedHeading(
            id=rejected_event_id(received.sent_at, message.message_id, place),
            message_id=message.message_id,
            place=place,
            received_at=received.sent_at,
            sender=received.sender,
            account_id=said_account(posted),
            type=said_type(posted),
            status=problem.status,
        ),
        text,
        problem.document(),
    )


def _said(error: Exception) -> str:
    if isinstance(error, Unavailable):
        return str(error)
    return type(error).__name__
