"""What has become of what a job sent, read off the log of its webhook."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from perkwire.jobs.job import Job, JobKind
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, WebhookId, time_prefix

_MOST_READ = 500  # entries of one query
_MOST_QUERIES = 4


class Deliveries(Protocol):
    """The log, by time."""

    def oldest(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> Sequence[Delivery]:
        """Up to `limit` entries of any status, oldest first; raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """Of what a job has sent: deliveries of a `retry-failed`, events of a `replay`."""

    delivered: int
    failed: int
    trying: int


class JobOutcomes:
    """Outcomes of jobs. `retry_interval_seconds` tells when a delivery is overdue."""

    def __init__(
        self, deliveries: Deliveries, *, retry_interval_seconds: int, clock: Callable[[], int]
    ) -> None:
        self._deliveries = deliveries
        self._retry_interval_seconds = retry_interval_seconds
        self._clock = clock

    def of(self, job: Job) -> JobOutcome | None:
        """What it has come to by now; None if there is too much to look through.

        What the log does not tell of yet is being tried. Raises Unavailable.
        """
        counted: Counter[DeliveryStatus] = Counter()
        after, before = time_prefix(job.since), time_prefix(job.until)
        for _ in range(_MOST_QUERIES):
            entries = self._deliveries.oldest(
                job.account_id, job.webhook_id, after=after, before=before, limit=_MOST_READ
            )
            for entry in entries:
                if _is_of(entry, job):
                    counted[self._standing(entry)] += _size(entry, job)
            if len(entries) < _MOST_READ:
                break
            after = entries[-1].id.rpartition("_")[2]
        else:
            return None
        delivered, failed = (
            min(counted[status], job.sent)
            for status in (DeliveryStatus.SUCCEEDED, DeliveryStatus.FAILED)
        )
        return JobOutcome(delivered, failed, max(0, job.sent - delivered - failed))

    def _standing(self, entry: Delivery) -> DeliveryStatus:
        status = entry.standing(self._clock(), self._retry_interval_seconds)[0]
        # Cancelled since, it is as little delivered as what has failed.
        return DeliveryStatus.FAILED if status is DeliveryStatus.CANCELLED else status


def _is_of(entry: Delivery, job: Job) -> bool:
    if job.kind is JobKind.REPLAY:
        return entry.created_at >= job.created_at
    return entry.run > 0 and entry.updated_at >= job.created_at


def _size(entry: Delivery, job: Job) -> int:
    return len(entry.event_ids) if job.kind is JobKind.REPLAY else 1
