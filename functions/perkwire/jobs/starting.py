"""Starting, watching and cancelling jobs: what people do with them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from perkwire.jobs.job import (
    Job,
    JobKind,
    JobReason,
    JobRequest,
    JobStatus,
    page_filter,
    parse_job,
)
from perkwire.jobs.listing import JobFilter
from perkwire.jobs.selecting import Selection, count
from perkwire.jobs.signalling import job_ended
from perkwire.model.account import Account
from perkwire.model.messages import JobMessage, write_job_message
from perkwire.model.signals import Signals
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, JobId, WebhookId, new_job_id
from perkwire.primitives.page import Page
from perkwire.primitives.problem import (
    Problem,
    conflict,
    not_found,
    too_many_this_minute,
    unavailable,
)
from perkwire.primitives.queueing import Outgoing, Queue
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import DAY_SECONDS, HOUR_SECONDS, MICROSECONDS

_CLOCKS_APART = HOUR_SECONDS * MICROSECONDS


MOST_DRY_RUNS_PER_MINUTE = 10
"""Of one account: a month takes 720 queries."""

_COUNT_EACH_SECONDS = 10  # and as long as one count takes


class JobRunning(Exception):
    """The webhook has a job of this kind that has not ended; the argument is its id."""


class Jobs(Protocol):
    """Where jobs are kept: of each kind one at a time for a webhook, under any race."""

    def add(self, job: Job) -> None:
        """Store a new one; raises JobRunning, Unavailable."""
        ...

    def find(self, account_id: AccountId, job_id: JobId) -> Job | None:
        """One job, read consistently; raises Unavailable."""
        ...

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Job]:
        """An account's jobs, newest first; raises Problem for a bad cursor, and Unavailable."""
        ...

    def advance(self, before: Job, after: Job) -> Job | None:
        """Store a change; None if `before` is no longer its last version. Raises Unavailable."""
        ...

    def cancel(self, account_id: AccountId, job_id: JobId, now: int) -> Job | None:
        """Cancel one; None if it has ended or never was. Raises Unavailable."""
        ...


class Accounts(Protocol):
    """The accounts whose jobs they are."""

    def find(self, account_id: AccountId) -> Account | None:
        """An account; raises Unavailable."""
        ...


class Webhooks(Protocol):
    """The webhooks that jobs are for."""

    def get(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook:
        """One webhook; raises Problem (404) and Unavailable."""
        ...


class DryRunCounter(Protocol):
    """Counts the dry runs of each account in each minute of the clock."""

    def take(self, account_id: AccountId, now: int, most: int) -> bool:
        """Count one more, unless the minute has `most` already, under any race.

        `now` is in microseconds since the epoch. Raises Unavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class DryRun:
    """A job that is not started: `count` items, or at least so many if it is not `complete`."""

    job: Job
    count: int
    complete: bool

    def to_json(self) -> dict[str, Json]:
        """The dry run as the API answers it: as a started job, which has an id."""
        counted: dict[str, Json] = {"id": None, "status": "counted", "total": self.count}
        return self.job.to_json() | counted | {"complete": self.complete}


def started_json(started: Job | DryRun) -> dict[str, Json]:
    """What was started, or only counted, in the one form in which the API answers both."""
    shown = started.to_json()
    return shown if isinstance(started, DryRun) else shown | {"complete": False}


class JobManagement:
    """The jobs of one account. `clock` gives microseconds since the epoch."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        accounts: Accounts,
        webhooks: Webhooks,
        selections: Mapping[JobKind, Selection],
        queue: Queue,
        dry_runs: DryRunCounter,
        event_retention_days: int,
        signals: Signals | None = None,
        clock: Callable[[], int],
    ) -> None:
        self._jobs = jobs
        self._signals = signals
        self._accounts = accounts
        self._webhooks = webhooks
        self._selections = selections
        self._queue = queue
        self._dry_runs = dry_runs
        self._retention = event_retention_days * DAY_SECONDS * MICROSECONDS
        self._clock = clock

    def start(
        self, account_id: AccountId, webhook_id: WebhookId, kind: JobKind, value: dict[str, Json]
    ) -> Job | DryRun:
        """A new job with SQS, or what it would send; raises Problem and Unavailable.

        409 to a new job if the webhook is not enabled, or has a job of this kind already; 429 to
        more than MOST_DRY_RUNS_PER_MINUTE of an account.
        """
        webhook = self._webhooks.get(account_id, webhook_id)
        request = parse_job(value, kind, self._clock())
        if not request.dry_run and webhook.status is not WebhookStatus.ENABLED:
            raise conflict(f"The webhook is {webhook.status}; enable it first.")
        account = self._accounts.find(account_id)
        if account is None:
            raise not_found("account")
        job = self._job(account, webhook, kind, request)
        selection = self._selections[kind]
        if request.dry_run:
            self._count_dry_run(account_id)
            counted, is_all = count(selection, job, webhook, self._clock)
            return DryRun(job, counted, is_all)
        job = replace(job, cursor=selection.start(job))
        try:
            self._jobs.add(job)
        except JobRunning as running:
            raise _is_running(kind, str(running)) from None
        self._queue_first_turn(job)
        return job

    def count_each(
        self,
        account_id: AccountId,
        webhooks: Sequence[Webhook],
        kind: JobKind,
        value: dict[str, Json],
    ) -> list[DryRun]:
        """What a job of each of these webhooks would send; all together are one dry run.

        What there is no time for is not complete. Raises Problem and Unavailable.
        """
        request = parse_job(value, kind, self._clock())
        account = self._accounts.find(account_id)
        if account is None:
            raise not_found("account")
        self._count_dry_run(account_id)
        deadline = self._clock() + _COUNT_EACH_SECONDS * MICROSECONDS
        counted = []
        for webhook in webhooks:
            job = self._job(account, webhook, kind, request)
            found, is_all = 0, False
            if self._clock() <= deadline:
                found, is_all = count(self._selections[kind], job, webhook, self._clock)
            counted.append(DryRun(job, found, is_all))
        return counted

    def _count_dry_run(self, account_id: AccountId) -> None:
        now = self._clock()
        if not self._dry_runs.take(account_id, now, MOST_DRY_RUNS_PER_MINUTE):
            raise too_many_this_minute(
                f"An account has at most {MOST_DRY_RUNS_PER_MINUTE} dry runs a minute.", now
            )

    def get(self, account_id: AccountId, job_id: JobId) -> Job:
        """One job; raises Problem and Unavailable."""
        job = self._jobs.find(account_id, job_id)
        if job is None:
            raise not_found("job")
        return job

    def list(
        self, account_id: AccountId, wanted: JobFilter, limit: int, cursor: str | None
    ) -> Page[Job]:
        """Jobs, newest first; what the filter leaves out makes a page short.

        One query. Raises Problem and Unavailable.
        """
        page = self._jobs.page(account_id, limit, cursor)
        return Page([job for job in page.items if wanted.takes(job)], page.next_cursor)

    def cancel(self, account_id: AccountId, job_id: JobId) -> Job:
        """Stop a job after its present page; raises Problem (409: it has ended) and Unavailable."""
        cancelled = self._jobs.cancel(account_id, job_id, self._clock())
        if cancelled is None:
            raise conflict(f"The job is {self.get(account_id, job_id).status}.")
        if self._signals:
            self._signals.send([job_ended(cancelled, self._clock())])
        return cancelled

    def _job(self, account: Account, webhook: Webhook, kind: JobKind, request: JobRequest) -> Job:
        now = self._clock()
        # Nothing is kept from before; an hour that holds nothing is a query all the same.
        earliest = max(now - self._retention, account.created_at - _CLOCKS_APART)
        return Job(
            id=new_job_id(now),
            account_id=webhook.account_id,
            webhook_id=webhook.id,
            kind=kind,
            since=min(max(request.since, earliest), request.until),
            until=request.until,
            event_types=request.event_types,
            with_cancelled=request.with_cancelled,
            per_second=request.per_second,
            status=JobStatus.QUEUED,
            reason=None,
            total=None,
            sent=0,
            skipped=0,
            page=(),
            page_batch=webhook.batch_size,
            page_batch_bytes=webhook.batch_bytes,
            page_filter=page_filter(kind, webhook),
            cursor=None,
            turn=0,
            version=1,
            created_at=now,
            updated_at=now,
            finished_at=None,
        )

    def _queue_first_turn(self, job: Job) -> None:
        message = JobMessage(account_id=job.account_id, job_id=job.id, turn=job.turn)
        (held,) = self._queue.send([Outgoing(write_job_message(message), job.account_id)])
        if held:
            return
        now = self._clock()
        failed = replace(
            job,
            status=JobStatus.FAILED,
            reason=JobReason.NOT_QUEUED,
            version=job.version + 1,
            updated_at=now,
            finished_at=now,
        )
        self._jobs.advance(job, failed)
        if self._signals:
            self._signals.send([job_ended(failed, now)])
        raise unavailable("The job could not be queued.")


def _is_running(kind: JobKind, job_id: str) -> Problem:
    return conflict(f"{job_id} is a {kind} of this webhook; cancel it or wait for its end.")
