"""Activity: who changed what of an account, or of what belongs to the operators.

A record names fields and never says what stood there: no secret can be in one.
"""

import dataclasses
import enum

from perkwire.model.account import Account, ApiKey, Caller
from perkwire.model.brand import Brand
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, KeyId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import to_rfc3339


class Action(enum.StrEnum):
    """What was done. Later releases know more."""

    ACCOUNT_CREATED = "account.created"
    ACCOUNT_CHANGED = "account.changed"
    KEY_CREATED = "api_key.created"
    KEY_REVOKED = "api_key.revoked"
    LINK_CREATED = "console_link.created"
    LINK_ENDED = "console_link.ended"
    LINKS_ENDED = "console_links.ended"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_ENABLED = "webhook.enabled"
    WEBHOOK_DISABLED = "webhook.disabled"
    SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105 - a word
    WEBHOOK_DELETED = "webhook.deleted"
    CONTRACT_CREATED = "contract.created"
    CONTRACT_DELETED = "contract.deleted"
    JOB_STARTED = "job.started"
    JOB_CANCELLED = "job.cancelled"
    BRAND_CHANGED = "brand.changed"
    ERASURE_ASKED = "erasure.asked"
    REDRIVE_STARTED = "redrive.started"
    REDRIVE_CANCELLED = "redrive.cancelled"
    REJECTED_SENT = "rejected_event.sent"
    REJECTED_DISMISSED = "rejected_event.dismissed"


class ActorKind(enum.StrEnum):
    """How somebody came in."""

    API_KEY = "api_key"
    SESSION = "session"
    COMMAND = "command"
    """Past API and console, with AWS's own rights: a command such as infra.operator_key."""
    NOBODY = "nobody"
    """Who has not signed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something: by an API key, or in a session that came from a key or a console link.

    `link_id` is the id of the console link; neither id signs anybody in.
    """

    kind: ActorKind
    key_id: KeyId | None = None
    link_id: str | None = None
    is_operator: bool = False

    def to_json(self) -> dict[str, Json]:
        """The actor as the API answers it."""
        optional = {"api_key_id": self.key_id, "console_link_id": self.link_id}
        return {
            "kind": self.kind,
            **{name: value for name, value in optional.items() if value is not None},
            "operator": self.is_operator,
        }


BY_COMMAND = Actor(kind=ActorKind.COMMAND, is_operator=True)
BY_NOBODY = Actor(kind=ActorKind.NOBODY)


def by_key(caller: Caller) -> Actor:
    """Who calls the API."""
    return Actor(
        kind=ActorKind.API_KEY, key_id=caller.key_id, is_operator=caller.account_id is None
    )


class Acting:
    """Who acts in the request under way. A function answers one request at a time."""

    def __init__(self, actor: Actor = BY_COMMAND) -> None:
        self.actor = actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is done to what. `owner` None: it is the operators', not an account's.

    `name` is what it was called then; `fields` are those that differ, by the API's names.
    """

    owner: AccountId | None
    action: Action
    subject: str
    name: str | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A record: a change, by whom, and when, in microseconds since the epoch.

    `action` and the actor's kind are text: a later release has words that this one does not know.
    """

    id: str
    at: int
    action: str
    subject: str
    name: str | None
    fields: tuple[str, ...]
    by: dict[str, Json]

    def to_json(self) -> dict[str, Json]:
        """The record as the API answers it."""
        return {
            "id": self.id,
            "at": to_rfc3339(self.at),
            "action": self.action,
            "subject": self.subject,
            "name": self.name,
            "fields": [*self.fields],
            "by": self.by,
        }


_NOT_SET_BY_ANYONE = {
    *("id", "account_id", "version", "endpoint_version", "created_at", "updated_at"),
    # Told by others: format, headers and secret, status.
    *("contract", "header_names", "sealed", "pause", "lane"),
}


def webhook_change(before: Webhook, after: Webhook) -> Change:
    """What was changed of a webhook."""
    fields = changed_fields(before, after)
    return Change(
        owner=after.account_id,
        action=_webhook_action(fields, after),
        subject=after.id,
        name=after.name,
        fields=fields,
    )


def changed_fields(before: Webhook, after: Webhook) -> tuple[str, ...]:
    """The fields of a webhook that differ, by the API's names; of a secret only that it does."""
    differing = {
        field.name
        for field in dataclasses.fields(Webhook)
        if field.name not in _NOT_SET_BY_ANYONE
        and getattr(before, field.name) != getattr(after, field.name)
    }
    if before.contract != after.contract:
        differing.add("format")
    if (before.header_names, before.sealed.headers) != (after.header_names, after.sealed.headers):
        differing.add("headers")
    if before.sealed.secret != after.sealed.secret:
        differing.add("secret")
    return tuple(sorted(differing))


def webhook_made(webhook: Webhook, action: Action) -> Change:
    """A webhook is there, or no longer."""
    return Change(owner=webhook.account_id, action=action, subject=webhook.id, name=webhook.name)


def account_change(before: Account, after: Account) -> Change:
    """What was changed of an account."""
    fields = ("name", "notify_emails")
    return Change(
        owner=after.id,
        action=Action.ACCOUNT_CHANGED,
        subject=after.id,
        name=after.name,
        fields=tuple(one for one in fields if getattr(before, one) != getattr(after, one)),
    )


def account_made(account: Account, action: Action) -> Change:
    """An account is there."""
    return Change(owner=account.id, action=action, subject=account.id, name=account.name)


def brand_change(before: Brand, after: Brand) -> Change:
    """What was changed of the brand, which is the operators'."""
    fields = ("name", "colour", "logo")
    return Change(
        owner=None,
        action=Action.BRAND_CHANGED,
        subject="brand",
        name=after.name,
        fields=tuple(one for one in fields if getattr(before, one) != getattr(after, one)),
    )


def key_made(api_key: ApiKey, action: Action) -> Change:
    """An API key is there, or no longer."""
    return Change(owner=api_key.account_id, action=action, subject=api_key.id, name=api_key.name)


def _webhook_action(fields: tuple[str, ...], after: Webhook) -> Action:
    if fields == ("secret",):
        return Action.SECRET_ROTATED
    if fields == ("status",):
        is_enabled = after.status is WebhookStatus.ENABLED
        return Action.WEBHOOK_ENABLED if is_enabled else Action.WEBHOOK_DISABLED
    return Action.WEBHOOK_CHANGED
