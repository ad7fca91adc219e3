"""What is told to machines when a job or an erasure has ended."""

from perkwire.jobs.erasure import Erasure
from perkwire.jobs.job import Job
from perkwire.model.signals import Signal, SignalKind


def job_ended(job: Job, at: int) -> Signal:
    """It is done, failed or cancelled; of a cancelled one the page under way may come on top."""
    return Signal(
        kind=SignalKind.JOB_ENDED,
        account_id=job.account_id,
        at=at,
        about={
            "webhook_id": job.webhook_id,
            "job_id": job.id,
            "job_kind": job.kind,
            "status": job.status,
            "reason": job.reason,
            "sent": job.sent,
            "skipped": job.skipped,
        },
    )


def member_erased(erasure: Erasure, at: int) -> Signal:
    """It is done. Whose erasure it was, only who asked for it knows."""
    return Signal(
        kind=SignalKind.MEMBER_ERASED,
        account_id=erasure.account_id,
        at=at,
        about={
            "erasure_id": erasure.id,
            "events_erased": erasure.events_erased,
            "deliveries_found": erasure.deliveries_found,
        },
    )
