"""Previewing: the request that a receiver would get from a webhook that is still being filled in.

Made by the code that delivers, of a sample, without storing, sealing or sending anything.
"""

from dataclasses import field

from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.format import Format, Unrenderable
from perkwire.formats.lookup import RELEASE_FORMATS, AccountFormats
from perkwire.formats.unknown import UnknownFormat
from perkwire.managing.webhook_draft import (
    EndpointRules,
    WebhookDraft,
    check_kept_headers,
    read_webhook,
    without_nulls,
)
from perkwire.model.messages import DeliveryMessage
from perkwire.model.sending import Request
from perkwire.model.webhook import (
    ALL_TYPES,
    PULL,
    SealedSecrets,
    Webhook,
    WebhookStatus,
    pull_url,
)
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields, FieldWarning
from perkwire.primitives.ids import AccountId, WebhookId, new_test_delivery_id, new_webhook_id
from perkwire.primitives.problem import FieldError, invalid
from perkwire.primitives.strict_json import Json
from perkwire.trials.samples import default_type, first_type, sample_event

STAND_IN_URL = "https://your-endpoint.example/webhook"
"""Where the request goes as long as no URL is given."""

STAND_IN_VALUE = "-"
"""In place of a header's value that is stored, and so not known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A request with a sample of `event_type`, and what of it is only a stand-in.

    `kept` names the headers whose stored values are sent in truth. Without a given secret one is
    made up: the signature is of the right form, and of no use.
    """

    request: Request
    event_type: str
    kept: frozenset[str]
    has_secret: bool = field(repr=False)
    has_url: bool
    warnings: tuple[FieldWarning, ...]


def preview(
    account_id: AccountId,
    value: dict[str, Json],
    rules: EndpointRules,
    at: int,
    *,
    current: Webhook | None = None,
    keeps_headers: bool = False,
    formats: AccountFormats = RELEASE_FORMATS,
) -> Preview:
    """The request for a webhook as POST /v1/webhooks/test takes it, at `at` in microseconds.

    Name and event types do not matter and may be missing or wrong; so may the URL be missing, and
    a sample's type be one that the format does not say. `current` is the stored webhook that is
    being changed, if any; its format counts. Raises the 422 problem for all else that saving would
    refuse, or if a contract cannot say the sample, and Unavailable.
    """
    kept = current.header_names if current is not None and keeps_headers else ()
    has_url = bool(value.get("url"))
    headers = value.get("headers")
    members: dict[str, Json] = {
        **without_nulls(value),
        "name": "preview",
        "event_types": [ALL_TYPES],
        "url": value["url"] if has_url else STAND_IN_URL,
        "headers": {
            **dict.fromkeys(kept, STAND_IN_VALUE),
            **(headers if isinstance(headers, dict) else {}),
        },
    }
    is_pulled = members.get("delivery") == PULL or (current is not None and current.is_pulled)
    if is_pulled and not has_url:
        members.pop("url")
    named = members.pop("event_type", None)
    fields = Fields(members)
    if current is not None and isinstance(formats.of(current), UnknownFormat):
        fields.refuse("format", "is not known to this release")
    draft = read_webhook(fields, rules, current, formats=formats)
    if current is not None and keeps_headers and has_url:
        check_kept_headers(fields, draft.url, current)
    fields.raise_if_wrong()
    webhook = _webhook(account_id, current.id if current else new_webhook_id(), draft, at)
    format_ = formats.of(webhook)
    event_type = _sample_type(named, value.get("event_types"), format_)
    message = DeliveryMessage(
        delivery_id=new_test_delivery_id(at),
        account_id=account_id,
        webhook_id=webhook.id,
        run=0,
        events=(sample_event(event_type, at),),
    )
    opened = OpenedSecrets(draft.secret, draft.headers)
    try:
        request = render(message, webhook, opened, at, format_)
    except Unrenderable as unrenderable:
        raise invalid([FieldError("event_type", f"cannot be said: {unrenderable}")]) from None
    return Preview(
        request=request,
        event_type=event_type,
        kept=frozenset(kept),
        has_secret="secret" in members,
        has_url=has_url,
        warnings=draft.warnings,
    )


def _sample_type(named: Json, event_types: Json, format_: Format) -> str:
    """The type that is named, else the webhook's first, if the format says it; else one it says."""
    listed = event_types if isinstance(event_types, list) else []
    for wanted in (named, *listed[:1]):
        if isinstance(wanted, str) and (found := first_type([wanted], format_)):
            return found
    return default_type(format_)


def _webhook(account_id: AccountId, webhook_id: WebhookId, draft: WebhookDraft, at: int) -> Webhook:
    return Webhook(
        id=webhook_id,
        account_id=account_id,
        name=draft.name,
        description=draft.description,
        url=pull_url(webhook_id) if draft.is_pulled else draft.url,
        is_pulled=draft.is_pulled,
        event_types=draft.event_types,
        program_ids=draft.program_ids,
        filter=draft.filter,
        header_names=tuple(draft.headers),
        batch_size=draft.batch_size,
        batch_bytes=draft.batch_bytes,
        max_per_second=draft.max_per_second,
        retry_delays_seconds=draft.retry_delays_seconds,
        pause_when_exhausted=draft.pause_when_exhausted,
        format=draft.format,
        contract=draft.contract,
        format_settings=draft.format_settings,
        status=WebhookStatus.ENABLED,
        pause=None,
        sealed=SealedSecrets(secret=b"", headers=None),
        version=1,
        created_at=at,
        updated_at=at,
    )
