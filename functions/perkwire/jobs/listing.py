"""Which jobs of an account to list."""

from collections.abc import Mapping

from perkwire.jobs.job import Job, JobStatus
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import one_of
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.problem import FieldError, invalid
from perkwire.primitives.regexes import regex

_WEBHOOK_ID = regex(r"wh_[0-9a-z]{16}")


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Of one webhook or all, of one status or all."""

    webhook_id: WebhookId | None = None
    status: JobStatus | None = None

    def takes(self, job: Job) -> bool:
        """Whether the job is to be listed."""
        return self.webhook_id in (None, job.webhook_id) and self.status in (None, job.status)


def parse_job_filter(parameters: Mapping[str, str]) -> JobFilter:
    """Read the query of GET /v1/jobs; raises the 422 problem."""
    errors: list[FieldError] = []
    webhook_id = parameters.get("webhook_id")
    if webhook_id is not None and not _WEBHOOK_ID.fullmatch(webhook_id):
        errors.append(FieldError("webhook_id", "is not a webhook's id"))
    status = parameters.get("status")
    if status is not None and status not in tuple(JobStatus):
        errors.append(FieldError("status", f"must be {one_of(tuple(JobStatus))}"))
    if errors:
        raise invalid(errors)
    return JobFilter(
        WebhookId(webhook_id) if webhook_id else None, JobStatus(status) if status else None
    )
