"""Working on erasures: first the events by their time, then what the inbox rejected, then the log.

Nothing rests on the index of members: all that is kept is read. Each step can be done twice, and
its progress is stored after it under a condition on the erasure's version, so that a worker may die
at any step and of two only one goes on.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import replace
from typing import Protocol

from perkwire.accepting.rejected_event import RejectedHeading
from perkwire.jobs.erasure import Erasure, ErasureStatus, erased_entry
from perkwire.jobs.signalling import member_erased
from perkwire.model.account import Account
from perkwire.model.delivery import Delivery
from perkwire.model.event import EventHeading
from perkwire.model.members import MemberIndex
from perkwire.model.messages import JobMessage, write_job_message
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.signals import Signals
from perkwire.primitives.ids import AccountId, EventId, JobId, WebhookId, account_ids_in
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.queueing import Outgoing, Queue
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS

_HOUR = HOUR_SECONDS * MICROSECONDS
_MOST_HEADINGS = 500  # of one query
_AT_A_TIME = 100  # events that are read whole, of 256 kB at most
_MOST_ENTRIES = 200  # of one query of the log
_MOST_EMPTY_HOURS = 50  # that are looked at before progress is stored
_CLOCKS_APART = _HOUR  # far more than they are
_LONGEST_DELAY_SECONDS = 900
_TRIES = 3
EVENTS, REJECTED, LOG = "events", "rejected", "log"
_MOST_REJECTED = 25  # of one query, with a text of up to 1 MiB each
_MOST_REJECTED_LENGTH = 500_000  # in characters, of one step
_MOST_ACCOUNTS_NAMED = 100  # in a text, that are looked for


class Erasures(Protocol):
    """Where erasures are kept."""

    def find(self, account_id: AccountId, erasure_id: JobId) -> Erasure | None:
        """One erasure, read consistently; raises Unavailable."""
        ...

    def advance(self, before: Erasure, after: Erasure) -> bool:
        """Store progress; False if `before` is no longer its last version. Raises Unavailable."""
        ...


class Accounts(Protocol):
    """Accounts, and the webhooks that they have and had."""

    def account(self, account_id: AccountId) -> Account | None:
        """One account; raises Unavailable."""
        ...

    def existing(self, account_ids: Collection[AccountId]) -> Set[AccountId]:
        """Those of them that exist; raises Unavailable. Each has the form of an account's id."""
        ...

    def ever(self, account_id: AccountId) -> Sequence[WebhookId]:
        """The webhooks of an account, deleted ones too, in the order of their ids.

        Raises Unavailable.
        """
        ...


class EventsByTime(Protocol):
    """The kept events, by their time of acceptance."""

    def of_hour(
        self, account_id: AccountId, since: int, until: int, after: str | None, limit: int
    ) -> tuple[Sequence[EventHeading], bool]:
        """As selecting.EventsByTime has it; raises Unavailable."""
        ...


class Events(Protocol):
    """The kept events, whole."""

    def find_all(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[EventId, RoutedEvent]:
        """Those of the events that are still kept; raises Unavailable."""
        ...


class ErasableEvents(Protocol):
    """The kept events, to take data away."""

    def erase(self, erasure: Erasure, events: Sequence[RoutedEvent], now: int) -> None:
        """Take away their data and `member_keys`, and note their ids; raises Unavailable."""
        ...

    def erased_by(self, erasure: Erasure) -> Set[EventId]:
        """The ids that are noted; raises Unavailable."""
        ...


class ErasableLog(Protocol):
    """The log, to take answers away."""

    def oldest(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, limit: int
    ) -> Sequence[tuple[str, Delivery]]:
        """Up to `limit` entries of a webhook behind a place, each with its own; oldest first.

        Raises Unavailable.
        """
        ...

    def erase(self, before: Delivery, after: Delivery) -> Delivery | None:
        """Store a change of an entry, None; or the entry as it is, if it has changed meanwhile.

        Raises Unavailable.
        """
        ...


class ErasableRejectedEvents(Protocol):
    """The rejected events of the inbox, to take their texts away."""

    def oldest(
        self, *, after: str, limit: int
    ) -> Sequence[tuple[RejectedHeading, Callable[[], tuple[str, str]]]]:
        """Up to `limit` of them behind an id, each with how it is read: its text, and its problem.

        Oldest first. Raises Unavailable, and so does what reads.
        """
        ...

    def erase(self, heading: RejectedHeading, now: int) -> None:
        """Take away what it was and why it was rejected; raises Unavailable."""
        ...


class _LogOfErasure:
    """What a turn has to know to go through the log, read once: the events and the webhooks."""

    def __init__(self, accounts: Accounts, erasable: ErasableEvents) -> None:
        self._accounts = accounts
        self._erasable = erasable
        self._is_read = False
        self.webhooks: Sequence[WebhookId] = ()
        self.erased: Set[EventId] = frozenset()

    def read(self, erasure: Erasure) -> None:
        """Read them, once its events have all been looked at; raises Unavailable."""
        if not self._is_read:
            self.webhooks = self._accounts.ever(erasure.account_id)
            self.erased = self._erasable.erased_by(erasure)
            self._is_read = True


class ErasureWorker:
    """The turns of erasures. `clock` gives microseconds since the epoch."""

    def __init__(
        self,
        *,
        erasures: Erasures,
        accounts: Accounts,
        index: EventsByTime,
        events: Events,
        erasable: ErasableEvents,
        log: ErasableLog,
        rejected: ErasableRejectedEvents,
        queue: Queue,
        journal: Journal,
        signals: Signals | None = None,
        clock: Callable[[], int],
    ) -> None:
        self._erasures = erasures
        self._accounts = accounts
        self._index = index
        self._events = events
        self._erasable = erasable
        self._log = log
        self._rejected = rejected
        self._queue = queue
        self._journal = journal
        self._signals = signals
        self._clock = clock

    def turn(self, message: JobMessage, may_go_on: Callable[[], bool]) -> bool:
        """Whether the message is done; raises Unavailable."""
        erasure = self._erasures.find(message.account_id, message.job_id)
        if erasure is None:
            self._journal.fault(
                "job_absent", account_id=message.account_id, job_id=message.job_id, detail=None
            )
            return False
        if erasure.has_ended or message.turn < erasure.turn:
            return True
        account = self._accounts.account(erasure.account_id)
        if account is None:
            raise Unavailable("the account is absent")
        if self._clock() < erasure.begins_at:
            return self._hand_on(erasure, message.turn, erasure.begins_at - self._clock())
        log = _LogOfErasure(self._accounts, self._erasable)
        while True:
            after = self._step(erasure, account, log)
            after = replace(after, updated_at=self._clock(), version=erasure.version + 1)
            if not self._erasures.advance(erasure, after):
                # Another worker has it: this message has come twice, and the other goes on.
                return False
            if after.has_ended:
                self._note_end(after)
                return True
            erasure = after
            if not may_go_on():
                return self._hand_on(erasure, message.turn, 0)

    def _hand_on(self, erasure: Erasure, turn: int, delay: int) -> bool:
        """Whether the next turn has a message of its own, and the erasure says so."""
        seconds = min(math.ceil(delay / MICROSECONDS), _LONGEST_DELAY_SECONDS)
        following = max(erasure.turn, turn) + 1
        message = JobMessage(account_id=erasure.account_id, job_id=erasure.id, turn=following)
        (held,) = self._queue.send(
            [Outgoing(write_job_message(message), erasure.account_id, seconds)]
        )
        if not held:
            return False
        return self._erasures.advance(
            erasure, replace(erasure, turn=following, version=erasure.version + 1)
        )

    def _step(self, erasure: Erasure, account: Account, log: "_LogOfErasure") -> Erasure:
        erasure = replace(erasure, status=ErasureStatus.RUNNING)
        part, _, place = erasure.cursor.partition(":")
        if part == EVENTS:
            return self._events_step(erasure, account, place)
        if part == REJECTED:
            return self._rejected_step(erasure, account, place)
        return self._log_step(erasure, log, place)

    def _events_step(self, erasure: Erasure, account: Account, place: str) -> Erasure:
        text, _, behind = place.partition(":")
        moment, until = int(text), erasure.asked_at + 1
        if moment >= until:
            return self._rejected_step(erasure, account, "")
        for _ in range(_MOST_EMPTY_HOURS):
            headings, more = self._index.of_hour(
                erasure.account_id, moment, until, behind or None, _MOST_HEADINGS
            )
            following = moment - moment % _HOUR + _HOUR
            if headings or following >= until:
                break
            moment, behind = following, ""
        erased = 0
        for start in range(0, len(headings), _AT_A_TIME):
            some = headings[start : start + _AT_A_TIME]
            kept = self._events.find_all({(erasure.account_id, one.id) for one in some})
            about = [self._about(one, account, erasure) for one in kept.values()]
            chosen = [one for one in about if one is not None]
            if chosen:
                self._erasable.erase(erasure, chosen, self._clock())
            erased += len(chosen)
        if more:
            cursor = f"{EVENTS}:{headings[-1].accepted_at}:{headings[-1].id}"
        else:
            cursor = f"{EVENTS}:{following}"
        return replace(
            erasure,
            cursor=cursor,
            events_read=erasure.events_read + len(headings),
            events_erased=erasure.events_erased + erased,
        )

    def _about(self, routed: RoutedEvent, account: Account, erasure: Erasure) -> RoutedEvent | None:
        """The event with all keys that it may be found by, if it names the member.

        Or if it may have: its data may be gone already, as it came to the router a second time
        after it was sent, or as somebody else's erasure has met it. Then its deliveries are looked
        at all the same.
        """
        event = routed.event
        if event.accepted_at > erasure.asked_at:
            return None
        if event.erased_at is not None:
            is_late = event.erased_at >= erasure.asked_at - _CLOCKS_APART
            return replace(routed, member_keys=erasure.member_keys) if is_late else None
        keys = account.member_keys.named(event.data, MemberIndex.IDS_AND_EMAILS)
        if not {*keys} & {*erasure.member_keys}:
            return None
        return replace(routed, member_keys=keys)

    def _rejected_step(self, erasure: Erasure, account: Account, place: str) -> Erasure:
        """What the inbox rejected by then, and may be of this account; whoever that is in.

        It is no event, so that its text as a whole is looked at: any word may be the member's name.
        Of large ones a step looks at few: each word of theirs takes its time.
        """
        found = self._rejected.oldest(after=place, limit=_MOST_REJECTED)
        named = {one.account_id for one, _ in found if one.account_id is not None}
        others = self._accounts.existing(named - {account.id})
        wanted, size, looked_at = {*erasure.member_keys}, 0, 0
        for heading, read in found:
            looked_at += 1
            is_late = heading.received_at > erasure.asked_at
            if heading.erased_at is not None or is_late or heading.account_id in others:
                continue
            texts = read()
            if self._is_of_others(heading, texts[0], account):
                continue
            if any(account.member_keys.are_in(text, wanted) for text in texts):
                self._rejected.erase(heading, self._clock())
                self._journal.note(
                    "rejected_event.erased",
                    account_id=account.id,
                    job_id=erasure.id,
                    rejected_event_id=heading.id,
                )
            size += sum(map(len, texts))
            if size > _MOST_REJECTED_LENGTH:
                break
        is_over = looked_at == len(found) < _MOST_REJECTED
        cursor = f"{LOG}:" if is_over else f"{REJECTED}:{found[looked_at - 1][0].id}"
        return replace(erasure, cursor=cursor)

    def _is_of_others(self, heading: RejectedHeading, text: str, account: Account) -> bool:
        """Whether it does not say whose it is, and names accounts, of which this is none."""
        if heading.account_id == account.id:
            return False
        named = account_ids_in(text)
        if account.id in named:
            return False
        return bool(named and self._accounts.existing(named[:_MOST_ACCOUNTS_NAMED]))

    def _log_step(self, erasure: Erasure, log: "_LogOfErasure", place: str) -> Erasure:
        current, _, behind = place.partition(":")
        log.read(erasure)
        webhooks = [one for one in log.webhooks if one >= current]
        erased = log.erased
        if not webhooks or not erased:
            now = self._clock()
            return replace(
                erasure,
                status=ErasureStatus.DONE,
                events_erased=len(erased),
                finished_at=now,
            )
        webhook_id = webhooks[0]
        after = behind if webhook_id == current else ""
        found = self._log.oldest(erasure.account_id, webhook_id, after=after, limit=_MOST_ENTRIES)
        own = [entry for _, entry in found if not erased.isdisjoint(entry.event_ids)]
        for entry in own:
            self._erase_entry(entry, erased)
        if len(found) == _MOST_ENTRIES:
            cursor = f"{LOG}:{webhook_id}:{found[-1][0]}"
        else:
            cursor = f"{LOG}:{webhook_id}~"  # behind the webhook, before the next
        return replace(
            erasure,
            cursor=cursor,
            events_erased=len(erased),
            deliveries_read=erasure.deliveries_read + len(found),
            deliveries_found=erasure.deliveries_found + len(own),
        )

    def _erase_entry(self, entry: Delivery, erased: Set[EventId]) -> None:
        for _ in range(_TRIES):
            after = erased_entry(entry, erased, self._clock())
            if after is None:
                return
            meanwhile = self._log.erase(entry, after)
            if meanwhile is None:
                return
            entry = meanwhile
        raise Unavailable("an entry of the log changes all the time")

    def _note_end(self, erasure: Erasure) -> None:
        self._journal.note(
            "erasure.ended",
            account_id=erasure.account_id,
            job_id=erasure.id,
            events=erasure.events_erased,
            deliveries=erasure.deliveries_found,
        )
        if self._signals:
            self._signals.send([member_erased(erasure, self._clock())])
