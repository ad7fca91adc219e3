"""Working on jobs, one turn of one job at a time.

A turn sends pages. After each it writes, in one conditional update, what the page came to and which
page is next, before that one is sent: so whoever has the job next sends the very same page if its
worker died, and of two workers only one goes on. A turn ends when the job is ahead of its rate or
the invocation's time is up: the next turn is a message of its own, delayed by as much as the job is
ahead, sent before it is stored that the turn has come. A message is done only once its job, as it
is stored, has ended or is beyond its turn: so a job that has not ended has a message of its turn,
whoever takes which message when.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from perkwire.jobs.erasure import ERASURE_PREFIX
from perkwire.jobs.job import Job, JobKind, JobReason, JobStatus, page_filter
from perkwire.jobs.pages import PageResult
from perkwire.jobs.selecting import Selection, SelectionPage, count
from perkwire.jobs.signalling import job_ended
from perkwire.model.messages import (
    JobMessage,
    Received,
    UnreadableMessage,
    WatchMessage,
    read_job_message,
    write_job_message,
)
from perkwire.model.signals import Signals
from perkwire.model.webhook import DeletedWebhook, Webhook, WebhookStatus
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, JobId, WebhookId
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.queueing import Outgoing, Queue
from perkwire.primitives.timestamps import MICROSECONDS

_NOTHING = PageResult(0, 0, 0)
_REASONS = {
    WebhookStatus.PAUSED: JobReason.PAUSED,
    WebhookStatus.DISABLED: JobReason.DISABLED,
    WebhookStatus.DELETED: JobReason.DELETED,
}


class Jobs(Protocol):
    """Where jobs are kept."""

    def find(self, account_id: AccountId, job_id: JobId) -> Job | None:
        """One job, read consistently; raises Unavailable."""
        ...

    def advance(self, before: Job, after: Job) -> Job | None:
        """Store a job's progress; None if `before` is no longer its last version.

        The answer is the job as it is stored: cancelled, if a person has cancelled it meanwhile.
        Raises Unavailable.
        """
        ...


class Webhooks(Protocol):
    """The webhooks that jobs are for."""

    def find(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook | DeletedWebhook | None:
        """A webhook or its tombstone; None: neither is there, or no account. Raises Unavailable."""
        ...


class Erasing(Protocol):
    """What works on erasures, whose messages are those of jobs."""

    def turn(self, message: JobMessage, may_go_on: Callable[[], bool]) -> bool:
        """Whether the message is done; raises Unavailable."""
        ...


class Watching(Protocol):
    """What takes the turns of watches, whose messages come beside those of jobs."""

    def turn(self, message: WatchMessage) -> bool:
        """Whether the message is done; raises Unavailable."""
        ...


class Pages(Protocol):
    """What sends the pages of one kind of job."""

    def send(self, job: Job, webhook: Webhook) -> PageResult:
        """Send the job's page; raises Unavailable unless SQS holds all of it."""
        ...


@dataclass(frozen=True, slots=True)
class KindWorker:
    """How jobs of one kind are done."""

    selection: Selection
    pages: Pages


class JobWorker:
    """The turns of all jobs. `clock` gives microseconds since the epoch."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        webhooks: Webhooks,
        kinds: Mapping[JobKind, KindWorker],
        erasing: Erasing,
        watching: Watching,
        queue: Queue,
        journal: Journal,
        signals: Signals | None = None,
        clock: Callable[[], int],
    ) -> None:
        self._jobs = jobs
        self._signals = signals
        self._erasing = erasing
        self._watching = watching
        self._webhooks = webhooks
        self._kinds = kinds
        self._queue = queue
        self._journal = journal
        self._clock = clock

    def work(self, received: Sequence[Received], may_go_on: Callable[[], bool]) -> list[str]:
        """Work on the job of each message; the ids of the messages to be left for SQS.

        `may_go_on` is asked after each page.
        """
        return [one.message_id for one in received if not self._is_done(one, may_go_on)]

    def _is_done(self, received: Received, may_go_on: Callable[[], bool]) -> bool:
        try:
            message = read_job_message(received.body)
        except UnreadableMessage as error:
            self._journal.fault(
                "message_unreadable", message_id=received.message_id, detail=str(error)
            )
            return False
        try:
            if isinstance(message, WatchMessage):
                return self._watching.turn(message)
            if message.job_id.startswith(ERASURE_PREFIX):
                return self._erasing.turn(message, may_go_on)
            return self._turn(message, may_go_on)
        except Unavailable as error:
            self._unavailable(message, str(error))
            return False
        except Exception as crash:  # one job must not take those beside it along
            self._unavailable(message, type(crash).__name__)
            return False

    def _turn(self, message: JobMessage, may_go_on: Callable[[], bool]) -> bool:
        """Whether the message is done."""
        before: Job | None = None
        while True:
            job = self._jobs.find(message.account_id, message.job_id)
            if job is None:
                self._fault("job_absent", message)
                return False
            if job.has_ended or message.turn < job.turn:
                return True
            if before is not None and job.turn == before.turn:
                # This very message has come twice: it comes again should the other worker die.
                return False
            before = job
            webhook = self._webhooks.find(job.account_id, job.webhook_id)
            if webhook is None:
                self._fault("webhook_absent", message)
                return False
            stored = self._take(job, webhook, message, may_go_on)
            if stored is not None:
                return stored.has_ended or message.turn < stored.turn

    def _take(
        self,
        job: Job,
        webhook: Webhook | DeletedWebhook,
        message: JobMessage,
        may_go_on: Callable[[], bool],
    ) -> Job | None:
        """The job as it is stored after this turn; None if another worker has changed it."""
        if isinstance(webhook, DeletedWebhook):
            return self._store(job, self._ended(job, JobStatus.FAILED, JobReason.DELETED))
        if webhook.status is not WebhookStatus.ENABLED:
            return self._store(job, self._ended(job, JobStatus.FAILED, _REASONS[webhook.status]))
        work = self._kinds[job.kind]
        if job.status is JobStatus.QUEUED:
            total, is_all = count(work.selection, job, webhook, self._clock)
            job = replace(job, status=JobStatus.RUNNING, total=total if is_all else None)
        begun = self._clock()  # counting is no time in which it might have sent
        deliveries = 0
        while True:
            outcome = work.pages.send(job, webhook) if job.page else _NOTHING
            deliveries += outcome.deliveries
            after = self._after(job, webhook, work.selection, outcome)
            delay = self._delay(after, deliveries, self._clock() - begun, may_go_on)
            # Its own message may have come before the turn of it.
            next_turn = max(job.turn, message.turn) + 1
            if delay is not None and self._hand_on(after, next_turn, delay):
                after = replace(after, turn=next_turn)
            stored = self._store(job, after)
            if stored is None or stored.has_ended or delay is not None:
                return stored
            job = stored

    def _after(self, job: Job, webhook: Webhook, selection: Selection, outcome: PageResult) -> Job:
        """The job once its page is sent, the next one planned."""
        step = SelectionPage((), None)
        if job.cursor is not None:
            length = selection.page_length(job, webhook)
            step = selection.step(job, webhook, job.cursor, length)
        after = replace(
            job,
            sent=job.sent + outcome.sent,
            skipped=job.skipped + outcome.skipped,
            page=step.items,
            page_batch=webhook.batch_size,
            page_batch_bytes=webhook.batch_bytes,
            page_filter=page_filter(job.kind, webhook),
            cursor=step.cursor,
            updated_at=self._clock(),
            version=job.version + 1,
        )
        if step.items or step.cursor is not None:
            return after
        return replace(after, status=JobStatus.DONE, finished_at=after.updated_at)

    def _ended(self, job: Job, status: JobStatus, reason: JobReason) -> Job:
        now = self._clock()
        return replace(
            job,
            status=status,
            reason=reason,
            updated_at=now,
            finished_at=now,
            version=job.version + 1,
        )

    def _delay(
        self, job: Job, deliveries: int, elapsed: int, may_go_on: Callable[[], bool]
    ) -> int | None:
        """After how many seconds the next turn is due; None to go on at once, or never again."""
        if job.has_ended:
            return None
        ahead = deliveries / job.per_second - elapsed / MICROSECONDS
        if may_go_on() and (deliveries < job.per_second or ahead <= 0):
            return None
        return max(0, math.ceil(ahead))

    def _hand_on(self, job: Job, turn: int, delay: int) -> bool:
        message = JobMessage(account_id=job.account_id, job_id=job.id, turn=turn)
        (held,) = self._queue.send([Outgoing(write_job_message(message), job.account_id, delay)])
        return held

    def _store(self, before: Job, after: Job) -> Job | None:
        stored = self._jobs.advance(before, after)
        if stored is None:
            # Another worker has it: this message came twice, or before its turn.
            self._journal.note("job.overtaken", account_id=before.account_id, job_id=before.id)
        elif stored.has_ended:
            self._journal.note(
                "job.ended",
                account_id=stored.account_id,
                webhook_id=stored.webhook_id,
                job_id=stored.id,
                kind=stored.kind,
                status=stored.status,
                reason=stored.reason,
                sent=stored.sent,
                skipped=stored.skipped,
            )
            # Who has cancelled it has told so.
            if self._signals and stored.status is not JobStatus.CANCELLED:
                self._signals.send([job_ended(stored, self._clock())])
        return stored

    def _unavailable(self, message: JobMessage | WatchMessage, detail: str) -> None:
        if isinstance(message, JobMessage):
            self._fault("job_unavailable", message, detail=detail)
        else:
            self._journal.fault(
                "watch_unavailable",
                account_id=message.account_id,
                webhook_id=message.webhook_id,
                detail=detail,
            )

    def _fault(self, what: str, message: JobMessage, detail: str | None = None) -> None:
        self._journal.fault(
            what, account_id=message.account_id, job_id=message.job_id, detail=detail
        )
