"""Webhooks: who gets which events, where, and how."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from perkwire.endpoint import EndpointPolicy, Refusal, check_headers, check_url
from perkwire.event import EVENT_TYPE, EVENT_TYPE_FORM, LONGEST_EVENT_TYPE, Event, EventHeading
from perkwire.fields import Fields, one_of
from perkwire.formats import FORMATS, Format
from perkwire.ids import AccountId, WebhookId
from perkwire.strict_json import Json
from perkwire.timestamps import to_rfc3339

ALL_TYPES = "*"
DEFAULT_OVERLAP_HOURS = 24
LONGEST_OVERLAP_HOURS = 168
_MOST_EVENT_TYPES = 200
_MOST_PROGRAMS = 100


class WebhookStatus(enum.StrEnum):
    """Paused by the system, disabled by a person; a deleted one stays as a tombstone."""

    ENABLED = "enabled"
    PAUSED = "paused"
    DISABLED = "disabled"
    DELETED = "deleted"


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

    def shown(self) -> dict[str, Json]:
        """The pause as the API answers it."""
        return {"at": to_rfc3339(self.at), "reason": self.reason}


@dataclass(frozen=True, slots=True)
class RetiredSecret:
    """The ciphertext of the secret before a rotation, which signs too until a moment."""

    secret: bytes
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecrets:
    """Ciphertexts: of the signing secret, and of the custom headers if there are any."""

    secret: bytes
    headers: bytes | None
    retired: RetiredSecret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A subscription and its endpoint. Times are microseconds since the epoch.

    `program_ids` None means all programmes. `version` grows with every change.
    """

    id: WebhookId
    account_id: AccountId
    name: str
    description: str | None
    url: str
    event_types: tuple[str, ...]
    program_ids: tuple[str, ...] | None
    header_names: tuple[str, ...]
    batch_size: int
    format: str
    status: WebhookStatus
    pause: Pause | None
    sealed: SealedSecrets
    version: int
    created_at: int
    updated_at: int

    def wants(self, event: Event | EventHeading) -> bool:
        """Whether the event is of a type and a programme that the webhook is for.

        An event of no programme goes to webhooks for all programmes only.
        """
        if self.event_types != (ALL_TYPES,) and event.type not in self.event_types:
            return False
        return self.program_ids is None or event.program_id in self.program_ids

    def shown(self) -> dict[str, Json]:
        """The webhook as the API answers it: never the secret, of the headers only the names."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "url": self.url,
            "event_types": [*self.event_types],
            "program_ids": None if self.program_ids is None else [*self.program_ids],
            "header_names": [*self.header_names],
            "batch_size": self.batch_size,
            "format": self.format,
            "status": self.status,
            "paused": None if self.pause is None else self.pause.shown(),
            "created_at": to_rfc3339(self.created_at),
            "updated_at": to_rfc3339(self.updated_at),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDraft:
    """What a new webhook is to be."""

    name: str
    description: str | None
    url: str
    event_types: tuple[str, ...]
    program_ids: tuple[str, ...] | None
    headers: Mapping[str, str] = field(repr=False)
    secret: str = field(repr=False)
    batch_size: int
    format: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """Which endpoints this stack may call."""

    policy: EndpointPolicy
    denied_ports: frozenset[int] = frozenset()


def parse_webhook(value: dict[str, Json], rules: EndpointRules) -> WebhookDraft:
    """Read POST /v1/webhooks; raises the 422 problem that names every wrong field."""
    fields = Fields(without_nulls(value))
    draft = read_webhook(fields, rules)
    fields.raise_if_wrong()
    return draft


def without_nulls(value: dict[str, Json]) -> dict[str, Json]:
    """The members but for those whose null, as a webhook is shown, means what absence does."""
    return {
        name: item
        for name, item in value.items()
        if item is not None or name not in ("program_ids", "description")
    }


def read_webhook(fields: Fields, rules: EndpointRules) -> WebhookDraft:
    """The members of a new webhook; what is wrong with them is noted in `fields`."""
    name = fields.required_name()
    url = _url(fields, rules)
    event_types = fields.required_texts("event_types", most=_MOST_EVENT_TYPES, check=_check_type)
    _check_all_types(fields, event_types)
    program_ids = _program_ids(fields)
    headers = _headers(fields)
    format_ = _format(fields)
    batch_size = _batch_size(fields, format_)
    secret = _secret(fields, format_)
    enabled = fields.flag("enabled")
    description = _description(fields)
    return WebhookDraft(
        name=name,
        description=description,
        url=url or "",
        event_types=event_types,
        program_ids=program_ids,
        headers=headers or {},
        secret=secret or format_.new_secret(),
        batch_size=batch_size or 1,
        format=format_.name,
        enabled=enabled is not False,
    )


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new secret, and for how many hours the old one signs beside it."""

    secret: str = field(repr=False)
    overlap_hours: int


def parse_rotation(value: dict[str, Json], current: Webhook) -> Rotation:
    """Read POST /v1/webhooks/{id}/rotate-secret; raises the 422 problem."""
    format_ = FORMATS[current.format]
    fields = Fields(value)
    secret = _secret(fields, format_)
    overlap_hours = fields.integer("overlap_hours", 0, LONGEST_OVERLAP_HOURS)
    fields.raise_if_wrong()
    return Rotation(
        secret or format_.new_secret(),
        DEFAULT_OVERLAP_HOURS if overlap_hours is None else overlap_hours,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChange:
    """What PATCH /v1/webhooks/{id} is to change; None leaves a field as it is.

    `any_program` and `no_description` say that null was sent.
    """

    name: str | None
    description: str | None
    no_description: bool
    url: str | None
    event_types: tuple[str, ...] | None
    program_ids: tuple[str, ...] | None
    any_program: bool
    headers: Mapping[str, str] | None = field(repr=False)
    batch_size: int | None
    enabled: bool | None


def parse_webhook_change(
    value: dict[str, Json], rules: EndpointRules, current: Webhook
) -> WebhookChange:
    """Read PATCH /v1/webhooks/{id}; raises the 422 problem that names every wrong field.

    `program_ids` and `description` may be null: all programmes, no description. The format and
    the secret stay: a receiver set up for them would refuse what comes after.
    """
    any_program = value.get("program_ids", "") is None
    no_description = value.get("description", "") is None
    fields = Fields(without_nulls(value))
    if "secret" in value:
        fields.refuse("secret", "is changed by rotate-secret")
    if "format" in value:
        fields.refuse("format", "cannot be changed; make another webhook")
    event_types = fields.texts("event_types", most=_MOST_EVENT_TYPES, check=_check_type)
    _check_all_types(fields, event_types or ())
    change = WebhookChange(
        name=fields.name(),
        description=_description(fields),
        no_description=no_description,
        url=_url(fields, rules, required=False),
        event_types=event_types,
        program_ids=_program_ids(fields),
        any_program=any_program,
        headers=_headers(fields),
        batch_size=_batch_size(fields, FORMATS[current.format]),
        enabled=fields.flag("enabled"),
    )
    fields.raise_if_wrong()
    return change


def _secret(fields: Fields, format_: Format) -> str | None:
    secret = fields.text("secret")
    if secret is not None and (wrong := format_.check_secret(secret)):
        fields.wrong("secret", wrong)
    return secret


def _description(fields: Fields) -> str | None:
    return fields.text("description", longest=1000)


def _url(fields: Fields, rules: EndpointRules, *, required: bool = True) -> str | None:
    url = (fields.required_text if required else fields.text)("url", longest=2048)
    if not url:
        return None
    checked = check_url(url, rules.policy, denied_ports=rules.denied_ports)
    if isinstance(checked, Refusal):
        fields.wrong("url", checked.detail)
        return None
    return checked


def _check_type(event_type: str) -> str | None:
    if event_type == ALL_TYPES:
        return None
    if len(event_type) > LONGEST_EVENT_TYPE or not EVENT_TYPE.fullmatch(event_type):
        return f"must be {EVENT_TYPE_FORM}, or {ALL_TYPES}"
    return None


def _check_all_types(fields: Fields, event_types: tuple[str, ...]) -> None:
    if ALL_TYPES in event_types and len(event_types) > 1:
        fields.wrong("event_types", f"must not name types beside {ALL_TYPES}")


def _program_ids(fields: Fields) -> tuple[str, ...] | None:
    return fields.texts("program_ids", most=_MOST_PROGRAMS, longest=128)


def _headers(fields: Fields) -> Mapping[str, str] | None:
    given = fields.object("headers")
    if given is None:
        return None
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    for name in given:
        if name not in texts:
            fields.wrong(f"headers.{name}", "must be a string")
    checked = check_headers(texts)
    if isinstance(checked, dict):
        return checked
    for name, detail in checked:
        fields.wrong(f"headers.{name}" if name else "headers", detail)
    return None


def _format(fields: Fields) -> Format:
    name = fields.text("format")
    if name is not None and name not in FORMATS:
        fields.wrong("format", f"must be {one_of(tuple(FORMATS))}")
    return FORMATS.get(name or "", FORMATS["standard"])


def _batch_size(fields: Fields, format_: Format) -> int | None:
    return fields.integer("batch_size", 1, format_.largest_batch)
