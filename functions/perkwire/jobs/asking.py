"""Asking for erasures, and seeing how far they are."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from perkwire.jobs.erasing import EVENTS
from perkwire.jobs.erasure import ERASURE_PREFIX, Erasure, ErasureStatus, parse_erasure
from perkwire.model.account import Account
from perkwire.model.messages import JobMessage, write_job_message
from perkwire.primitives.ids import AccountId, JobId, new_job_id
from perkwire.primitives.page import Page
from perkwire.primitives.problem import conflict, not_found, too_many, unavailable
from perkwire.primitives.queueing import Outgoing, Queue
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import DAY_SECONDS, HOUR_SECONDS, MICROSECONDS

MOST_AT_ONCE = 10
"""Erasures of an account that have not ended; each takes a minute at least."""

MOST_NAMES = 2_000
"""Of members that an account's item remembers as erased: 24 bytes each."""

LONGEST_IN_QUEUES_DAYS = 28
"""A message lives four days in its queue, fourteen as a dead letter, and again once redriven."""

ROUTER_SECONDS = 30
"""Its time-out, in template.yaml."""

_MARGIN_SECONDS = 15  # clocks apart, and the index by time
_CLOCKS_APART = HOUR_SECONDS * MICROSECONDS
_LONGEST_DELAY_SECONDS = 900
# Whatever the parameter is by now: it may have been more, and DynamoDB removes late what expires.
_LONGEST_KEPT = 368 * DAY_SECONDS * MICROSECONDS
_STANDING_STILL = HOUR_SECONDS * MICROSECONDS
_LOOKED_AT = 50


class ChangedMeanwhile(Exception):
    """Another erasure has been asked for between the look at the account and the write."""


class Erasures(Protocol):
    """Where erasures are kept."""

    def add(self, erasure: Erasure, before: Account, erased: bytes) -> None:
        """Store one, and what its account remembers; raises ChangedMeanwhile, Unavailable."""
        ...

    def find(self, account_id: AccountId, erasure_id: JobId) -> Erasure | None:
        """One erasure, read consistently; raises Unavailable."""
        ...

    def advance(self, before: Erasure, after: Erasure) -> bool:
        """Store a change; False if `before` is no longer its last version. Raises Unavailable."""
        ...

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Erasure]:
        """An account's erasures, newest first; raises Problem for a bad cursor, and Unavailable."""
        ...


class Accounts(Protocol):
    """The accounts whose members they are."""

    def find(self, account_id: AccountId) -> Account | None:
        """An account; raises Unavailable."""
        ...


class ErasureManagement:
    """The erasures of one account. `clock` gives microseconds since the epoch."""

    def __init__(
        self,
        *,
        erasures: Erasures,
        accounts: Accounts,
        queue: Queue,
        event_retention_days: int,
        dispatcher_timeout_seconds: int,
        clock: Callable[[], int],
    ) -> None:
        self._erasures = erasures
        self._accounts = accounts
        self._queue = queue
        self._retention = event_retention_days * DAY_SECONDS * MICROSECONDS
        longest = max(ROUTER_SECONDS, dispatcher_timeout_seconds) + _MARGIN_SECONDS
        self._wait_seconds = longest
        self._clock = clock

    def ask(self, account_id: AccountId, value: dict[str, Json]) -> Erasure:
        """A new erasure with SQS; raises Problem and Unavailable.

        From now on no event that names the member and was accepted before is routed or sent. What
        is kept is erased once everything that is under way has ended. 409 beyond MOST_NAMES, 429
        beyond MOST_AT_ONCE.
        """
        names = parse_erasure(value)
        for _ in range(3):
            account = self._accounts.find(account_id)
            if account is None:
                raise not_found("account")
            # Whoever asks meanwhile changes the account: then this is counted anew.
            self._check_at_once(account_id)
            erasure, erased = self._made(account, names)
            try:
                self._erasures.add(erasure, account, erased)
            except ChangedMeanwhile:
                continue
            self._queue_first_turn(erasure)
            return erasure
        raise unavailable("Other erasures are being asked for.")

    def _check_at_once(self, account_id: AccountId) -> None:
        """One that has not moved for an hour waits for an operator, and nobody for it."""
        moved_since = self._clock() - _STANDING_STILL
        under_way = [
            one
            for one in self._erasures.page(account_id, _LOOKED_AT, None).items
            if not one.has_ended and one.updated_at >= moved_since
        ]
        if len(under_way) >= MOST_AT_ONCE:
            raise too_many(
                f"An account has at most {MOST_AT_ONCE} erasures under way.",
                retry_after_seconds=self._wait_seconds,
            )

    def _made(self, account: Account, names: Sequence[str]) -> tuple[Erasure, bytes]:
        keys = tuple(dict.fromkeys(map(account.member_keys.of, names)))
        now = self._clock()
        remembered = self._retention + LONGEST_IN_QUEUES_DAYS * DAY_SECONDS * MICROSECONDS
        erasures = account.erasures.with_more(keys, now, forget_before=now - remembered)
        if len(erasures) > MOST_NAMES:
            raise conflict(f"An account has at most {MOST_NAMES} names of erased members a while.")
        erasure = Erasure(
            id=JobId(new_job_id(now).replace("job_", ERASURE_PREFIX)),
            account_id=account.id,
            member_keys=keys,
            since=max(now - _LONGEST_KEPT, account.created_at - _CLOCKS_APART),
            asked_at=now,
            begins_at=now + self._wait_seconds * MICROSECONDS,
            status=ErasureStatus.QUEUED,
            cursor="",
            events_read=0,
            events_erased=0,
            deliveries_read=0,
            deliveries_found=0,
            turn=0,
            version=1,
            updated_at=now,
            finished_at=None,
        )
        return replace(erasure, cursor=f"{EVENTS}:{erasure.since}"), erasures.packed

    def get(self, account_id: AccountId, erasure_id: JobId) -> Erasure:
        """One erasure; raises Problem and Unavailable."""
        erasure = self._erasures.find(account_id, erasure_id)
        if erasure is None:
            raise not_found("erasure")
        return erasure

    def list(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Erasure]:
        """Erasures, newest first; raises Problem and Unavailable."""
        return self._erasures.page(account_id, limit, cursor)

    def _queue_first_turn(self, erasure: Erasure) -> None:
        message = JobMessage(account_id=erasure.account_id, job_id=erasure.id, turn=erasure.turn)
        delay = min(self._wait_seconds, _LONGEST_DELAY_SECONDS)
        (held,) = self._queue.send(
            [Outgoing(write_job_message(message), erasure.account_id, delay)]
        )
        if held:
            return
        now = self._clock()
        failed = replace(
            erasure,
            status=ErasureStatus.FAILED,
            version=erasure.version + 1,
            updated_at=now,
            finished_at=now,
        )
        self._erasures.advance(erasure, failed)
        raise unavailable("The erasure could not be queued.")
