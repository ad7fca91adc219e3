"""Webhooks: who gets which events, where, and how."""

import enum
import json
from collections.abc import Mapping
from dataclasses import replace

from perkwire.model.event import Event, EventHeading, has_type_form
from perkwire.model.event_pattern import Misfit, stored_pattern
from perkwire.model.lanes import Lane
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import to_rfc3339

ALL_TYPES = "*"
ANY_OF_GROUP = ".*"
"""Behind the beginning of types: `points.*`."""
TYPE_FILTER_FORM = "an event type, such as points.earned, or points.* for all of a group"
LEAST_BATCH_BYTES = 1_024
DEFAULT_BATCH_BYTES = 65_536
"""Of a new webhook: below what common receivers take (100 kB, 128 kB)."""
MOST_BATCH_BYTES = 900_000
"""As much as a delivery message holds; what webhooks have from before there was a choice."""


class WebhookStatus(enum.StrEnum):
    """Paused by the system, disabled by a person; a deleted one leaves a tombstone."""

    ENABLED = "enabled"
    PAUSED = "paused"
    DISABLED = "disabled"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class DeletedWebhook:
    """A tombstone: all that is known of a webhook that has been deleted."""

    account_id: AccountId
    id: WebhookId


class PauseReason(enum.StrEnum):
    """Why the system paused a webhook."""

    FAILURES = "failures"
    EXHAUSTED = "exhausted"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Pause:
    """When (microseconds since the epoch) and why the system paused a webhook."""

    at: int
    reason: PauseReason

    def to_json(self) -> dict[str, Json]:
        """The pause as the API answers it."""
        return {"at": to_rfc3339(self.at), "reason": self.reason}


POST, PULL = "post", "pull"
"""How a webhook is reached: its endpoint is called, or somebody calls for what waits."""

MOST_LIVE_SECRETS = 3
"""The current secret and those before it that still sign."""


@dataclass(frozen=True, slots=True)
class RetiredSecret:
    """The ciphertext of a secret before a rotation, which signs too until a moment."""

    secret: bytes
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecrets:
    """Ciphertexts: of the signing secret, and of the custom headers if there are any.

    `retired` holds the secrets before it, the newest first: two at most, some of them over.
    """

    secret: bytes
    headers: bytes | None
    retired: tuple[RetiredSecret, ...] = ()

    def live(self, at: int) -> tuple[RetiredSecret, ...]:
        """The retired ones that still sign at this moment, the newest first."""
        return tuple(one for one in self.retired if at < one.until)


@dataclass(frozen=True, slots=True)
class ContractUse:
    """The stored contract that is a webhook's format: whose it is, and which types it says.

    `owner` None: the operators', for all accounts. `digest` is of its text, which never changes.
    `says` are the keys of its events, so that whoever routes has nothing more to read.
    """

    owner: AccountId | None
    digest: str
    says: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A subscription and its endpoint. Times are microseconds since the epoch.

    `program_ids` None means all programmes, `filter` None all that they and the types leave; else
    it is the text of an event pattern. A request has at most `batch_size` events and, if it has
    more than one, about `batch_bytes`. It gets at most `max_per_second` deliveries a second; None
    is as fast as they come. `format` is a name with its version, so that a newer one changes
    nothing here; `contract` is None if it is one of the release's own. `version` grows with every
    change; `endpoint_version` is the one that last changed what may have failed: URL, headers,
    secret, format settings, or that enabled the webhook again. What failed before it says nothing
    of the webhook as it is. `lane` is where its new deliveries travel: the slow one while it is
    strained.

    `is_pulled`: nobody is called, its deliveries wait in the log until they are pulled; `url` is
    then a name that nothing resolves, which formats that sign a URL sign.

    `ends_at`: it was made for listening, and gets no event that is accepted then or later. None:
    it stays until somebody deletes it.

    `retry_delays_seconds` is its schedule; `pause_when_exhausted` says that a delivery which uses
    up its attempts pauses it. None is the stack's own rule.
    """

    id: WebhookId
    account_id: AccountId
    name: str
    description: str | None
    url: str
    event_types: tuple[str, ...]
    program_ids: tuple[str, ...] | None
    filter: str | None = None
    header_names: tuple[str, ...]
    batch_size: int
    batch_bytes: int = DEFAULT_BATCH_BYTES
    max_per_second: float | None = None
    format: str
    contract: ContractUse | None = None
    format_settings: Mapping[str, Json]
    status: WebhookStatus
    pause: Pause | None
    lane: Lane = Lane.PROMPT
    sealed: SealedSecrets
    retry_delays_seconds: tuple[int, ...] | None = None
    pause_when_exhausted: bool | None = None
    version: int
    endpoint_version: int = 1
    is_pulled: bool = False
    ends_at: int | None = None
    created_at: int
    updated_at: int

    def has_ended(self, at: int) -> bool:
        """Whether what is accepted at this moment is not for it any more."""
        return self.ends_at is not None and at >= self.ends_at

    def changed_to(self, after: "Webhook", at: int) -> "Webhook":
        """The next version: `after`, which differs from this one in what was changed at `at`."""
        version = self.version + 1
        is_mended = (
            (after.url, after.sealed, after.format_settings)
            != (self.url, self.sealed, self.format_settings)
        ) or (after.status is WebhookStatus.ENABLED and self.status is not WebhookStatus.ENABLED)
        return replace(
            after,
            version=version,
            endpoint_version=version if is_mended else self.endpoint_version,
            lane=Lane.PROMPT if is_mended else after.lane,
            updated_at=at,
        )

    def wants(self, event: Event | EventHeading) -> bool:
        """Whether the event is of a type and a programme that the webhook is for.

        And was accepted before the webhook's end, if it has one.
        An event of no programme goes to webhooks for all programmes only.
        """
        if self.has_ended(event.accepted_at):
            return False
        if event.type not in self.event_types and not any(
            covers(wanted, event.type) for wanted in self.event_types
        ):
            return False
        return self.program_ids is None or event.program_id in self.program_ids

    def lets_through(self, event: Event) -> bool:
        """Whether the event matches the filter, if there is one; raises UnreadablePattern."""
        return self.filter is None or stored_pattern(self.filter).matches(event)

    def misfit(self, event: Event) -> Misfit | None:
        """The condition of the filter that keeps the event out, None if none does."""
        return None if self.filter is None else stored_pattern(self.filter).misfit(event)

    def to_json(self) -> dict[str, Json]:
        """The webhook as the API answers it: never the secret, of the headers only the names."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "delivery": PULL if self.is_pulled else POST,
            "url": None if self.is_pulled else self.url,
            "event_types": [*self.event_types],
            "program_ids": None if self.program_ids is None else [*self.program_ids],
            "filter": None if self.filter is None else json.loads(self.filter),
            "header_names": [*self.header_names],
            "batch_size": self.batch_size,
            "batch_bytes": self.batch_bytes,
            "max_per_second": self.max_per_second,
            "retired_secrets": [
                {"signs_until": to_rfc3339(retired.until)} for retired in self.sealed.retired
            ],
            "retry_delays_seconds": (
                None if self.retry_delays_seconds is None else [*self.retry_delays_seconds]
            ),
            "pause_when_exhausted": self.pause_when_exhausted,
            "format": self.format,
            "format_settings": {**self.format_settings},
            "status": self.status,
            "paused": None if self.pause is None else self.pause.to_json(),
            "lane": self.lane,
            "ends_at": None if self.ends_at is None else to_rfc3339(self.ends_at),
            "version": self.version,
            "created_at": to_rfc3339(self.created_at),
            "updated_at": to_rfc3339(self.updated_at),
        }


def pull_url(webhook_id: WebhookId) -> str:
    """What stands for the URL of one that is pulled: no name below `.invalid` ever resolves."""
    return f"https://pull.invalid/{webhook_id}"


def may_cover(text: str) -> bool:
    """Whether it could name a type, or a group as `points.*`; `*` and what else is wrong cannot."""
    return has_type_form(text.removesuffix(ANY_OF_GROUP) + ".x" * text.endswith(ANY_OF_GROUP))


def covers(wanted: str, event_type: str) -> bool:
    """Whether a type is meant by what a webhook names: itself, `*`, or the `points.*` of it."""
    if wanted in (event_type, ALL_TYPES):
        return True
    return wanted.endswith(ANY_OF_GROUP) and event_type.startswith(wanted[:-1])
