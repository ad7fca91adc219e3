"""What a request says of a webhook: made new, changed, or given another secret."""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace

from perkwire.formats.format import Format, Settings, header_names
from perkwire.formats.lookup import RELEASE_FORMATS, AccountFormats, use_of
from perkwire.formats.registry import FORMATS, STANDARD
from perkwire.formats.unknown import UnknownFormat
from perkwire.managing.endpoint_warnings import header_warning, url_warnings
from perkwire.managing.wanted_events import (
    MOST_EVENT_TYPES,
    MOST_PROGRAMS,
    check_types,
    read_filter,
    type_check,
)
from perkwire.model.endpoint import (
    EndpointPolicy,
    Refusal,
    check_headers,
    check_url,
    origin,
)
from perkwire.model.header_rules import folded
from perkwire.model.pace import HIGHEST_PACE, LOWEST_PACE
from perkwire.model.schedule import LONGEST_DELAY_SECONDS, LONGEST_SCHEDULE_SECONDS
from perkwire.model.webhook import (
    DEFAULT_BATCH_BYTES,
    LEAST_BATCH_BYTES,
    MOST_BATCH_BYTES,
    POST,
    PULL,
    ContractUse,
    Webhook,
)
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields, FieldWarning, one_of
from perkwire.primitives.problem import conflict
from perkwire.primitives.strict_json import Json

DEFAULT_OVERLAP_HOURS = 24
LONGEST_OVERLAP_HOURS = 168
_MAY_BE_NULL = (
    "program_ids",
    "description",
    "filter",
    "max_per_second",
    "retry_delays_seconds",
    "pause_when_exhausted",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDraft:
    """What a new webhook is to be; one that is pulled has no `url`."""

    name: str
    description: str | None
    url: str
    event_types: tuple[str, ...]
    program_ids: tuple[str, ...] | None
    filter: str | None
    headers: Mapping[str, str] = field(repr=False)
    secret: str = field(repr=False)
    batch_size: int
    batch_bytes: int
    max_per_second: float | None
    retry_delays_seconds: tuple[int, ...] | None = None
    pause_when_exhausted: bool | None = None
    format: str
    contract: ContractUse | None = None
    format_settings: Settings
    enabled: bool
    is_pulled: bool = False
    warnings: tuple[FieldWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """Which endpoints this stack may call, and how often for one delivery."""

    policy: EndpointPolicy
    denied_ports: frozenset[int] = frozenset()
    max_attempts: int = 6


def parse_webhook(
    value: dict[str, Json], rules: EndpointRules, formats: AccountFormats = RELEASE_FORMATS
) -> WebhookDraft:
    """Read POST /v1/webhooks; raises the 422 problem that names every wrong field."""
    fields = Fields(without_nulls(value))
    draft = read_webhook(fields, rules, formats=formats)
    fields.raise_if_wrong()
    return draft


def without_nulls(value: dict[str, Json], *, is_pulled: bool = False) -> dict[str, Json]:
    """The members but for those whose null, as a webhook is shown, means what absence does."""
    is_pulled = is_pulled or value.get("delivery") == PULL
    may_be_null = (*_MAY_BE_NULL, "url") if is_pulled else _MAY_BE_NULL
    return {
        name: item for name, item in value.items() if item is not None or name not in may_be_null
    }


def read_webhook(
    fields: Fields,
    rules: EndpointRules,
    stored: Webhook | None = None,
    *,
    formats: AccountFormats = RELEASE_FORMATS,
) -> WebhookDraft:
    """The members of a new webhook; what is wrong with them is noted in `fields`.

    Of a `stored` one that is to be changed, the format stays, and none may be named. Raises
    Unavailable.
    """
    name = fields.required_name()
    is_pulled = _is_pulled(fields, stored)
    url = None if is_pulled else _url(fields, rules)
    if is_pulled:
        _refuse_what_is_posted(fields)
    format_ = formats.of(stored) if stored else _format(fields, formats)
    stored_settings = stored.format_settings if stored else None
    event_types = fields.required_texts("event_types", most=MOST_EVENT_TYPES, check=type_check())
    check_types(fields, event_types, format_)
    program_ids = _program_ids(fields)
    filter_ = read_filter(fields)
    settings = _settings(fields, format_, stored_settings)
    if settings is None:
        settings = format_.read_settings(Fields({}), stored_settings)
    headers = _headers(fields)
    _check_header_names(fields, headers or (), format_, settings)
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
        filter=filter_,
        headers=headers or {},
        secret=secret or format_.new_secret(),
        batch_size=batch_size or 1,
        batch_bytes=_batch_bytes(fields) or DEFAULT_BATCH_BYTES,
        max_per_second=_max_per_second(fields),
        retry_delays_seconds=_retry_delays(fields, rules),
        pause_when_exhausted=fields.flag("pause_when_exhausted"),
        is_pulled=is_pulled,
        format=format_.name,
        contract=use_of(format_),
        format_settings=settings,
        enabled=enabled is not False,
        warnings=tuple(fields.warnings),
    )


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new secret, and for how many hours the old one signs beside it."""

    secret: str = field(repr=False)
    overlap_hours: int
    warnings: tuple[FieldWarning, ...] = ()


def parse_rotation(
    value: dict[str, Json], current: Webhook, formats: AccountFormats = RELEASE_FORMATS
) -> Rotation:
    """Read POST /v1/webhooks/{id}/rotate-secret; raises the 422 problem.

    409 if this release does not know the webhook's format.
    """
    format_ = formats.of(current)
    if isinstance(format_, UnknownFormat):
        raise conflict(f"This release does not know the webhook's format, {format_.name}.")
    fields = Fields(value)
    secret = _secret(fields, format_)
    overlap_hours = fields.integer("overlap_hours", 0, LONGEST_OVERLAP_HOURS)
    fields.raise_if_wrong()
    return Rotation(
        secret or format_.new_secret(),
        DEFAULT_OVERLAP_HOURS if overlap_hours is None else overlap_hours,
        tuple(fields.warnings),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChange:
    """What PATCH /v1/webhooks/{id} is to change; None leaves a field as it is.

    `any_program`, `no_description`, `no_filter`, `no_pace`, `stacks_schedule` and `stacks_pausing`
    say that null was sent.
    """

    name: str | None
    description: str | None
    no_description: bool
    url: str | None
    event_types: tuple[str, ...] | None
    program_ids: tuple[str, ...] | None
    any_program: bool
    filter: str | None
    no_filter: bool
    headers: Mapping[str, str] | None = field(repr=False)
    batch_size: int | None
    batch_bytes: int | None
    max_per_second: float | None
    no_pace: bool
    retry_delays_seconds: tuple[int, ...] | None
    stacks_schedule: bool
    pause_when_exhausted: bool | None
    stacks_pausing: bool
    contract: ContractUse | None = None
    format_settings: Settings | None
    enabled: bool | None
    warnings: tuple[FieldWarning, ...] = ()


def parse_webhook_change(
    value: dict[str, Json],
    rules: EndpointRules,
    current: Webhook,
    formats: AccountFormats = RELEASE_FORMATS,
) -> WebhookChange:
    """Read PATCH /v1/webhooks/{id}; raises the 422 problem that names every wrong field.

    `program_ids`, `description`, `filter` and `max_per_second` may be null: all programmes, and
    none; and so may `retry_delays_seconds` and `pause_when_exhausted`: the stack's rule. The
    format and the secret stay: a receiver set up for them would refuse what comes after. Stored
    headers stay with their endpoint: whoever may change a webhook could read them at one of their
    own.
    """
    any_program = value.get("program_ids", "") is None
    no_description = value.get("description", "") is None
    no_pace = value.get("max_per_second", "") is None
    is_pulled = current.is_pulled
    fields = Fields(without_nulls(value, is_pulled=is_pulled))
    _is_pulled(fields, current)
    if is_pulled:
        _refuse_what_is_posted(fields)
    if "secret" in value:
        fields.refuse("secret", "is changed by rotate-secret")
    if "format" in value:
        fields.refuse("format", "cannot be changed; make another webhook")
    format_ = formats.of(current)
    if isinstance(format_, UnknownFormat):
        _refuse_what_only_it_knows(fields, value, format_)
    event_types = fields.texts("event_types", most=MOST_EVENT_TYPES, check=type_check())
    check_types(fields, event_types or (), format_)
    headers = _headers(fields)
    settings = _settings(fields, format_, current.format_settings)
    _check_header_names(
        fields,
        current.header_names if headers is None else headers,
        format_,
        current.format_settings if settings is None else settings,
    )
    change = WebhookChange(
        name=fields.name(),
        description=_description(fields),
        no_description=no_description,
        url=None if is_pulled else _url(fields, rules, required=False),
        event_types=event_types,
        program_ids=_program_ids(fields),
        any_program=any_program,
        filter=read_filter(fields),
        no_filter=value.get("filter", "") is None,
        headers=headers,
        batch_size=_batch_size(fields, format_),
        batch_bytes=_batch_bytes(fields),
        max_per_second=_max_per_second(fields),
        no_pace=no_pace,
        retry_delays_seconds=_retry_delays(fields, rules),
        stacks_schedule=value.get("retry_delays_seconds", "") is None,
        pause_when_exhausted=fields.flag("pause_when_exhausted"),
        stacks_pausing=value.get("pause_when_exhausted", "") is None,
        contract=use_of(format_),
        format_settings=settings,
        enabled=fields.flag("enabled"),
    )
    if "headers" not in value:
        check_kept_headers(fields, change.url, current)
    fields.raise_if_wrong()
    return replace(change, warnings=tuple(fields.warnings))


_OF_ATTEMPTS = ("retry_delays_seconds", "pause_when_exhausted")


def _is_pulled(fields: Fields, stored: Webhook | None) -> bool:
    """Whether it is pulled; which of the two it is made as, it stays."""
    said = fields.text("delivery")
    if said is not None and said not in (POST, PULL):
        fields.wrong("delivery", f"must be {one_of((POST, PULL))}")
    is_pulled = said == PULL if stored is None else stored.is_pulled
    if stored is not None and said in (POST, PULL) and (said == PULL) is not is_pulled:
        fields.wrong("delivery", "cannot be changed; make another webhook")
    return is_pulled


def _refuse_what_is_posted(fields: Fields) -> None:
    """Note what a webhook that is pulled has no use for."""
    for name in ("url", *_OF_ATTEMPTS):
        if fields.has(name):
            fields.refuse(name, "is not for a webhook that is pulled")


def _refuse_what_only_it_knows(
    fields: Fields, value: dict[str, Json], format_: UnknownFormat
) -> None:
    for name in ("batch_size", "format_settings", "headers"):
        if name in value:
            detail = f"cannot be changed: this release does not know the format {format_.name}"
            fields.refuse(name, detail)


def _secret(fields: Fields, format_: Format) -> str | None:
    secret = fields.text("secret")
    if secret is None:
        return None
    if wrong := format_.check_secret(secret):
        fields.wrong("secret", f"{wrong}; leave it out to have one made")
    elif doubt := format_.doubt_secret(secret):
        fields.warn("secret", doubt)
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
    for doubt in url_warnings(checked):
        fields.warn("url", doubt)
    return checked


def _program_ids(fields: Fields) -> tuple[str, ...] | None:
    return fields.texts("program_ids", most=MOST_PROGRAMS, longest=128)


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
        for name in checked:
            if doubt := header_warning(name):
                fields.warn(f"headers.{name}", doubt)
        return checked
    for name, detail in checked:
        fields.wrong(f"headers.{name}" if name else "headers", detail)
    return None


def check_kept_headers(fields: Fields, url: str | None, current: Webhook) -> None:
    """Note in `fields` if the stored headers may not be sent to this URL, in normal form."""
    if url and current.header_names and origin(url) != origin(current.url):
        fields.wrong(
            "headers",
            "must be given again, or be none: stored values are not sent to another scheme, host "
            "or port",
        )


def _check_header_names(
    fields: Fields, names: Iterable[str], format_: Format, settings: Settings
) -> None:
    taken = header_names(format_, settings)
    for name in names:
        if folded(name) in taken:
            fields.wrong(f"headers.{name}", f"is set by the format {format_.name}")


def _format(fields: Fields, formats: AccountFormats) -> Format:
    name = fields.text("format")
    found = formats.find(name or STANDARD)
    if found is None:
        fields.wrong("format", f"must be {one_of(formats.names())}")
    return found or FORMATS[STANDARD]


def _settings(fields: Fields, format_: Format, stored: Settings | None) -> Settings | None:
    given = fields.object("format_settings")
    if given is None:
        return None
    inner = Fields(given, "format_settings.")
    settings = format_.read_settings(inner, stored)
    fields.errors += inner.finish()
    fields.warnings += inner.warnings
    return settings


def _batch_bytes(fields: Fields) -> int | None:
    return fields.integer("batch_bytes", LEAST_BATCH_BYTES, MOST_BATCH_BYTES)


def _max_per_second(fields: Fields) -> float | None:
    return fields.number("max_per_second", LOWEST_PACE, HIGHEST_PACE)


def _batch_size(fields: Fields, format_: Format) -> int | None:
    return fields.integer("batch_size", 1, format_.largest_batch)


def _retry_delays(fields: Fields, rules: EndpointRules) -> tuple[int, ...] | None:
    name = "retry_delays_seconds"
    why = f"one fewer than the stack's MaxAttempts, {rules.max_attempts}"
    most = rules.max_attempts - 1
    delays = fields.integers(name, 1, LONGEST_DELAY_SECONDS, most=most, why=why)
    if delays is not None and sum(delays) > LONGEST_SCHEDULE_SECONDS:
        fields.wrong(name, f"must be {LONGEST_SCHEDULE_SECONDS} seconds at most, all together")
    return delays
