"""ConfigTable as jobs are kept in it.

| item | pk | sk |
|---|---|---|
| job | `<account>#jobs` | `<job>`, which sorts by when it was made |
| the latest job of a webhook and kind | `<account>#jobs` | `latest#<webhook>#<kind>` |
"""

import re

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from perkwire.adapters.dynamodb.activity_log import COMMANDS, ActivityLog
from perkwire.adapters.dynamodb.config_items import ConfigItem
from perkwire.adapters.dynamodb.pages import page
from perkwire.adapters.dynamodb.tables import (
    failing_as_unavailable,
    failure,
    find,
    text_list,
    update_if,
    whole,
)
from perkwire.jobs.job import Job, JobItem, JobKind, JobReason, JobStatus
from perkwire.jobs.starting import JobRunning
from perkwire.model.activity import Action as Deed
from perkwire.model.activity import Change
from perkwire.model.webhook import MOST_BATCH_BYTES
from perkwire.primitives.ids import AccountId, JobId, WebhookId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.page import Page
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS

_KEPT_SECONDS = 30 * DAY_SECONDS  # after its last change
_TRIES = 3
_JOB_PREFIX = "job_"
_JOB_ID = re.compile(rf"{_JOB_PREFIX}[0-9a-z]{{16}}")


class JobConfigItem(ConfigItem, discriminator="job"):
    """A job; `page` is a list of [id, run].

    A person writes `cancelled_at` and its worker all else, so that no write undoes another's.
    """

    webhook_id = UnicodeAttribute()
    job_kind = UnicodeAttribute()
    since = NumberAttribute()
    until = NumberAttribute()
    event_types = text_list(null=True)
    with_cancelled = BooleanAttribute(null=True)
    per_second = NumberAttribute()
    status = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    total = NumberAttribute(null=True)
    sent = NumberAttribute()
    skipped = NumberAttribute()
    page = JSONAttribute()
    page_batch = NumberAttribute()
    page_batch_bytes = NumberAttribute(null=True)
    page_filter = UnicodeAttribute(null=True)
    cursor = UnicodeAttribute(null=True)
    turn = NumberAttribute()
    version = NumberAttribute()
    created_at = NumberAttribute()
    updated_at = NumberAttribute()
    finished_at = NumberAttribute(null=True)
    cancelled_at = NumberAttribute(null=True)
    expires_at = NumberAttribute()

    @classmethod
    def of(cls, job: Job) -> "JobConfigItem":
        """The item that keeps a new job."""
        return cls(
            jobs_pk(job.account_id),
            job.id,
            webhook_id=job.webhook_id,
            job_kind=job.kind,
            since=job.since,
            until=job.until,
            event_types=None if job.event_types is None else list(job.event_types),
            with_cancelled=job.with_cancelled or None,
            per_second=job.per_second,
            status=job.status,
            sent=job.sent,
            skipped=job.skipped,
            page=_page(job),
            page_batch=job.page_batch,
            page_batch_bytes=job.page_batch_bytes,
            page_filter=job.page_filter,
            cursor=job.cursor,
            turn=job.turn,
            version=job.version,
            created_at=job.created_at,
            updated_at=job.updated_at,
            expires_at=_expires_at(job.updated_at),
        )

    def to_job(self) -> Job:
        """The job of the domain."""
        cancelled_at = whole(self.cancelled_at)
        finished_at = whole(self.finished_at)
        return Job(
            id=JobId(self.sk),
            account_id=AccountId(self.pk.partition("#")[0]),
            webhook_id=WebhookId(self.webhook_id),
            kind=JobKind(self.job_kind),
            since=int(self.since),
            until=int(self.until),
            event_types=None if self.event_types is None else tuple(self.event_types),
            with_cancelled=self.with_cancelled is True,
            per_second=int(self.per_second),
            status=JobStatus.CANCELLED if cancelled_at is not None else JobStatus(self.status),
            reason=JobReason(self.reason) if self.reason and cancelled_at is None else None,
            total=whole(self.total),
            sent=int(self.sent),
            skipped=int(self.skipped),
            page=tuple(JobItem(item_id, run) for item_id, run in self.page),
            page_batch=int(self.page_batch),
            page_batch_bytes=int(self.page_batch_bytes or MOST_BATCH_BYTES),
            page_filter=self.page_filter,
            cursor=self.cursor,
            turn=int(self.turn),
            version=int(self.version),
            created_at=int(self.created_at),
            updated_at=max(int(self.updated_at), cancelled_at or 0),
            finished_at=finished_at if cancelled_at is None else cancelled_at,
        )


class LatestJobItem(ConfigItem, discriminator="latest_job"):
    """Which job of a kind a webhook had last: the next one waits for its end."""

    job_id = UnicodeAttribute()
    expires_at = NumberAttribute()


JOB_ITEMS: tuple[type[ConfigItem], ...] = (JobConfigItem, LatestJobItem)


class JobTable:
    """Fulfils working.Jobs."""

    def find(self, account_id: AccountId, job_id: JobId) -> Job | None:
        """One job, read consistently; raises Unavailable."""
        # The partition holds other items too, and the id is whatever a caller wrote.
        if not _JOB_ID.fullmatch(job_id):
            return None
        item = find(JobConfigItem, jobs_pk(account_id), job_id)
        return None if item is None else item.to_job()

    def advance(self, before: Job, after: Job) -> Job | None:
        """Store a job's progress; None if `before` is no longer its last version.

        The answer is the job as it is stored: cancelled, if a person has cancelled it meanwhile.
        Raises Unavailable.
        """
        actions: list[Action] = [
            JobConfigItem.status.set(after.status),
            JobConfigItem.sent.set(after.sent),
            JobConfigItem.skipped.set(after.skipped),
            JobConfigItem.page.set(_page(after)),
            JobConfigItem.page_batch.set(after.page_batch),
            JobConfigItem.page_batch_bytes.set(after.page_batch_bytes),
            JobConfigItem.turn.set(after.turn),
            JobConfigItem.version.set(after.version),
            JobConfigItem.updated_at.set(after.updated_at),
            JobConfigItem.expires_at.set(_expires_at(after.updated_at)),
            JobConfigItem.cursor.set(after.cursor)
            if after.cursor is not None
            else JobConfigItem.cursor.remove(),
        ]
        if after.page_filter is not None or before.page_filter is not None:
            actions.append(
                JobConfigItem.page_filter.remove()
                if after.page_filter is None
                else JobConfigItem.page_filter.set(after.page_filter)
            )
        if after.total is not None:
            actions.append(JobConfigItem.total.set(after.total))
        if after.reason is not None:
            actions.append(JobConfigItem.reason.set(after.reason))
        if after.finished_at is not None:
            actions.append(JobConfigItem.finished_at.set(after.finished_at))
        stored = _updated(after, actions, JobConfigItem.version == before.version)
        return stored or self._stored_after_all(after)

    def _stored_after_all(self, after: Job) -> Job | None:
        """AWS's client repeats a call whose answer was lost, and then finds its own work done."""
        found = self.find(after.account_id, after.id)
        wanted = (after.version, after.turn, after.page)
        if found is None or (found.version, found.turn, found.page) != wanted:
            return None
        is_ours = found.has_ended or found.updated_at == after.updated_at
        return found if is_ours else None


class JobStore(JobTable):
    """Fulfils starting.Jobs."""

    def __init__(self, connection: Connection, activity: ActivityLog = COMMANDS) -> None:
        self._connection = connection
        self._activity = activity

    def add(self, job: Job) -> None:
        """Store a new one; raises JobRunning, Unavailable."""
        for tries_left in reversed(range(_TRIES)):
            latest = find(LatestJobItem, jobs_pk(job.account_id), _latest_sk(job))
            if latest is not None:
                other = self.find(job.account_id, JobId(latest.job_id))
                if other is not None and not other.has_ended:
                    raise JobRunning(other.id)
            try:
                self._put(job, latest)
            except TransactWriteError as error:
                # Another of the same kind has just been added: the next look finds it.
                if not tries_left or not _has_collided(error):
                    raise Unavailable(f"DynamoDB: {failure(error)}") from error
            else:
                return

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Job]:
        """An account's jobs, newest first; raises Problem for a bad cursor, and Unavailable."""
        listed = page(
            JobConfigItem, jobs_pk(account_id), limit, cursor, prefix=_JOB_PREFIX, forward=False
        )
        return Page([item.to_job() for item in listed.items], listed.next_cursor)

    def cancel(self, account_id: AccountId, job_id: JobId, now: int) -> Job | None:
        """Cancel one; None if it has ended or never was. Raises Unavailable."""
        job = self.find(account_id, job_id)
        if job is None:
            return None
        is_cancelled = self._activity.update_if(
            JobConfigItem(jobs_pk(account_id), job_id),
            [JobConfigItem.cancelled_at.set(now)],
            JobConfigItem.status.is_in(JobStatus.QUEUED, JobStatus.RUNNING)
            & JobConfigItem.cancelled_at.does_not_exist(),
            _change(job, Deed.JOB_CANCELLED),
        )
        # A transaction answers nothing of the item.
        return self.find(account_id, job_id) if is_cancelled else None

    def _put(self, job: Job, latest: LatestJobItem | None) -> None:
        item = LatestJobItem(
            jobs_pk(job.account_id),
            _latest_sk(job),
            job_id=job.id,
            expires_at=_expires_at(job.created_at),
        )
        unchanged = (
            LatestJobItem.pk.does_not_exist()
            if latest is None
            else LatestJobItem.job_id == latest.job_id
        )
        with TransactWrite(connection=self._connection) as transaction:
            transaction.save(JobConfigItem.of(job), condition=JobConfigItem.pk.does_not_exist())
            transaction.save(item, condition=unchanged)
            self._activity.add(transaction, _change(job, Deed.JOB_STARTED))


def jobs_pk(account_id: AccountId) -> str:
    """The partition of an account's jobs."""
    return f"{account_id}#jobs"


def _latest_sk(job: Job) -> str:
    return f"latest#{job.webhook_id}#{job.kind}"


def _page(job: Job) -> list[list[str | int]]:
    return [[item.id, item.run] for item in job.page]


def _change(job: Job, deed: Deed) -> Change:
    return Change(
        owner=job.account_id, action=deed, subject=job.id, name=f"{job.kind} of {job.webhook_id}"
    )


def _expires_at(moment: int) -> int:
    return moment // MICROSECONDS + _KEPT_SECONDS


def _updated(job: Job, actions: list[Action], condition: Condition) -> Job | None:
    item = JobConfigItem(jobs_pk(job.account_id), job.id)
    with failing_as_unavailable():
        updated = update_if(item, actions, condition)
    return item.to_job() if updated else None


def _has_collided(error: TransactWriteError) -> bool:
    codes = {reason.code for reason in error.cancellation_reasons if reason is not None}
    return "ConditionalCheckFailed" in codes
