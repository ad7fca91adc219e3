"""ConfigTable as jobs are kept in it."""

import threading
from dataclasses import dataclass, field, replace

from perkwire.jobs.job import Job, JobStatus
from perkwire.jobs.starting import JobRunning
from perkwire.primitives.ids import AccountId, JobId
from perkwire.primitives.page import Page
from tests.fakes.failing import Failing
from tests.fakes.pages import read_cursor, write_cursor


@dataclass
class FakeJobItems:
    """The jobs that ConfigTable holds, and which of them a person has cancelled when."""

    jobs: dict[JobId, Job] = field(default_factory=dict)
    cancelled: dict[JobId, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class FakeJobTable(Failing):
    """For JobTable: working.Jobs."""

    def __init__(self, items: FakeJobItems) -> None:
        super().__init__()
        self._items = items

    def find(self, account_id: AccountId, job_id: JobId) -> Job | None:
        self._called("find")
        job = self._items.jobs.get(job_id)
        return self._seen(job) if job is not None and job.account_id == account_id else None

    def advance(self, before: Job, after: Job) -> Job | None:
        self._called("advance")
        with self._items.lock:
            stored = self._items.jobs.get(after.id)
            if stored is None or stored.version != before.version:
                return None
            self._items.jobs[after.id] = after
        return self._seen(after)

    def _seen(self, job: Job) -> Job:
        at = self._items.cancelled.get(job.id)
        if at is None:
            return job
        return replace(
            job,
            status=JobStatus.CANCELLED,
            reason=None,
            updated_at=max(job.updated_at, at),
            finished_at=at,
        )


class FakeJobStore(FakeJobTable):
    """For JobStore: starting.Jobs."""

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Job]:
        self._called("page")
        before = "~" if cursor is None else read_cursor(cursor)
        own = [job for job in self._items.jobs.values() if job.account_id == account_id]
        newest = sorted((one for one in own if one.id < before), key=_job_id, reverse=True)
        page = [self._seen(job) for job in newest[:limit]]
        return Page(page, write_cursor(page[-1].id) if len(page) == limit else None)

    def add(self, job: Job) -> None:
        self._called("add")
        with self._items.lock:
            for other in map(self._seen, self._items.jobs.values()):
                same = (other.account_id, other.webhook_id, other.kind) == (
                    job.account_id,
                    job.webhook_id,
                    job.kind,
                )
                if same and not other.has_ended:
                    raise JobRunning(other.id)
            self._items.jobs[job.id] = job

    def cancel(self, account_id: AccountId, job_id: JobId, now: int) -> Job | None:
        self._called("cancel")
        with self._items.lock:
            job = self._items.jobs.get(job_id)
            if job is None or job.account_id != account_id or self._seen(job).has_ended:
                return None
            self._items.cancelled[job_id] = now
        return self._seen(job)


def _job_id(job: Job) -> JobId:
    return job.id
