"""Jobs: sending many deliveries or events of a time range to one webhook, a page at a time."""

import enum

from perkwire.model.event import EVENT_TYPE_FORM, has_type_form
from perkwire.model.webhook import MOST_BATCH_BYTES, Webhook
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import AccountId, JobId, WebhookId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import parse_rfc3339, to_rfc3339

HIGHEST_RATE = 500
DEFAULT_RATE = 50
_MOST_EVENT_TYPES = 200
_EARLIEST = 0  # ids and indexes begin with the epoch


class JobKind(enum.StrEnum):
    """`retry-failed` sends failed deliveries again, `replay` events, whatever became of them."""

    RETRY_FAILED = "retry-failed"
    REPLAY = "replay"


class JobStatus(enum.StrEnum):
    """Queued until its first page is planned; the last three are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class JobReason(enum.StrEnum):
    """Why a job failed: what its webhook had become, or that its queue did not take it."""

    PAUSED = "paused"
    DISABLED = "disabled"
    DELETED = "deleted"
    NOT_QUEUED = "not_queued"


@dataclass(frozen=True, slots=True)
class JobItem:
    """One thing to send: a delivery's id and its next run, or an event's id and 0."""

    id: str
    run: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job and how far it is. Times are microseconds since the epoch; `until` is exclusive.

    `with_cancelled` says that a `retry-failed` takes cancelled deliveries too. `total`, `sent` and
    `skipped` count deliveries in a `retry-failed`, events in a `replay`;
    `total` is None until it is counted, and stays None where counting would take long. `page` is
    decided and not known to be sent, `page_batch` and `page_batch_bytes` how its events are
    grouped, `page_filter` which of them are sent; `cursor` is where the page after it begins, None
    behind the last. `turn` counts the hand-overs to SQS and `version` the writes.
    """

    id: JobId
    account_id: AccountId
    webhook_id: WebhookId
    kind: JobKind
    since: int
    until: int
    event_types: tuple[str, ...] | None
    with_cancelled: bool = False
    per_second: int
    status: JobStatus
    reason: JobReason | None
    total: int | None
    sent: int
    skipped: int
    page: tuple[JobItem, ...]
    page_batch: int
    page_batch_bytes: int = MOST_BATCH_BYTES
    page_filter: str | None = None
    cursor: str | None
    turn: int
    version: int
    created_at: int
    updated_at: int
    finished_at: int | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status not in (JobStatus.QUEUED, JobStatus.RUNNING)

    def to_json(self) -> dict[str, Json]:
        """The job as the API answers it."""
        shown: dict[str, Json] = {"id": self.id, "kind": self.kind, "webhook_id": self.webhook_id}
        shown |= {"since": to_rfc3339(self.since), "until": to_rfc3339(self.until)}
        if self.event_types is not None:
            shown["event_types"] = [*self.event_types]
        if self.with_cancelled:
            shown["with_cancelled"] = True
        shown |= {"per_second": self.per_second, "status": self.status}
        if self.reason is not None:
            shown["reason"] = self.reason
        shown |= {
            "total": self.total,
            "at_most": self.page_filter is not None,
            "sent": self.sent,
            "skipped": self.skipped,
            "created_at": to_rfc3339(self.created_at),
            "updated_at": to_rfc3339(self.updated_at),
        }
        if self.finished_at is not None:
            shown["finished_at"] = to_rfc3339(self.finished_at)
        return shown


def page_filter(kind: JobKind, webhook: Webhook) -> str | None:
    """The filter of a page's events: a delivery that has failed was let through once."""
    return webhook.filter if kind is JobKind.REPLAY else None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What a new job is to cover."""

    since: int
    until: int
    event_types: tuple[str, ...] | None
    with_cancelled: bool = False
    per_second: int
    dry_run: bool


def parse_job(value: dict[str, Json], kind: JobKind, now: int) -> JobRequest:
    """Read POST /v1/webhooks/{id}/retry-failed or …/replay; raises the 422 problem.

    `now`, microseconds since the epoch, is the latest `until` and its default.
    """
    fields = Fields(value)
    since = _moment(fields, "since", fields.required_text("since", longest=64))
    until = now
    if (text := fields.text("until", longest=64)) is not None:
        until = _moment(fields, "until", text)
        if until > now:
            fields.wrong("until", "must not be in the future")
    if not fields.errors and until <= since:
        if text is None:
            fields.wrong("since", "must be in the past")
        else:
            fields.wrong("until", "must be after since")
    event_types = None
    if kind is JobKind.REPLAY:
        event_types = fields.texts("event_types", most=_MOST_EVENT_TYPES, check=_check_type)
    with_cancelled = fields.flag("with_cancelled") if kind is JobKind.RETRY_FAILED else None
    per_second = fields.integer("per_second", 1, HIGHEST_RATE)
    dry_run = fields.flag("dry_run")
    fields.raise_if_wrong()
    return JobRequest(
        since=since,
        until=until,
        event_types=event_types,
        with_cancelled=with_cancelled is True,
        per_second=per_second or DEFAULT_RATE,
        dry_run=dry_run is True,
    )


def _moment(fields: Fields, name: str, text: str) -> int:
    moment = parse_rfc3339(text)
    if moment is None:
        if text:
            fields.wrong(name, "must be an RFC 3339 time such as 2026-11-21T09:30:00Z")
        return _EARLIEST
    return max(moment, _EARLIEST)


def _check_type(event_type: str) -> str | None:
    return None if has_type_form(event_type) else f"must be {EVENT_TYPE_FORM}"
