"""Accounts, their API keys, and what the holder of a key may do."""

import dataclasses
import enum
import hashlib
import secrets
from collections.abc import Callable, Collection, Sequence

from perkwire.model.erasures import Erasures
from perkwire.model.members import MemberKeys
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields, one_of
from perkwire.primitives.ids import AccountId, KeyId, WebhookId
from perkwire.primitives.problem import FieldError, forbidden, invalid
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import to_rfc3339


class Scope(enum.StrEnum):
    """What an API key is for. `operator` is for all accounts and allows everything.

    `pull` is for one webhook alone, which the key names: to pull it, and nothing else.
    """

    EVENTS = "events"
    WEBHOOKS = "webhooks"
    PULL = "pull"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A tenant of the platform. Times are microseconds since the epoch.

    `notice_topic` is where notices go to `notify_emails`; None while there are none of these.
    `links_ended_at` is when an operator last ended its console links and their sessions.
    `member_secret` makes member keys; an account of an earlier release has none. It also is not
    found by its addresses until they are looked at or stored again: `is_found_by_address`.
    `erased` is what `erasures` reads.
    """

    id: AccountId
    name: str
    notify_emails: tuple[str, ...] = ()
    notice_topic: str | None = None
    created_at: int
    updated_at: int
    links_ended_at: int | None = None
    member_secret: str | None = dataclasses.field(default=None, repr=False)
    is_found_by_address: bool = dataclasses.field(default=False, compare=False)
    erased: bytes = dataclasses.field(default=b"", repr=False)

    @property
    def member_keys(self) -> MemberKeys:
        """What names of its members become keys by. Never another for an account."""
        return MemberKeys(self.member_secret or f"{self.id}#{self.created_at}")

    @property
    def erasures(self) -> Erasures:
        """Of which members nothing is to be sent that was accepted before they were erased."""
        return Erasures(self.member_keys, self.erased)

    @property
    def version(self) -> int:
        """What differs after each change; one that a release before stored has it too."""
        return self.updated_at

    def trusts(self, made_at: int) -> bool:
        """Whether a console link, or its session, that was made then may still be used."""
        return self.links_ended_at is None or made_at > self.links_ended_at

    def has_address(self, digest: str) -> bool:
        """Whether the address of this `address_hash` gets its notices."""
        return any(address_hash(address) == digest for address in self.notify_emails)

    def to_json(self) -> dict[str, Json]:
        """The account as the API answers it."""
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "created_at": to_rfc3339(self.created_at),
            "updated_at": to_rfc3339(self.updated_at),
        }

    def to_json_with(self, confirmed: Collection[str]) -> dict[str, Json]:
        """As `shown`, and which of its addresses (each as `same_address` has it) are confirmed."""
        emails: list[Json] = [
            {"address": address, "confirmed": same_address(address) in confirmed}
            for address in self.notify_emails
        ]
        return self.to_json() | {"notify_emails": emails}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key without the key itself, of which only the SHA-256 is kept.

    `webhook_id` is the one that it may pull; `expires_at` when it ends by itself, if it does.
    `is_for_listening`: the console made it for `listen.py`. A name says nothing of that, as anyone
    can give any.
    """

    id: KeyId
    account_id: AccountId | None
    name: str
    scopes: frozenset[Scope]
    created_at: int
    webhook_id: WebhookId | None = None
    expires_at: int | None = None
    is_for_listening: bool = False

    def to_json(self) -> dict[str, Json]:
        """The API key as the API answers it."""
        return {
            "id": self.id,
            "name": self.name,
            "scopes": [*sorted(self.scopes)],
            "created_at": to_rfc3339(self.created_at),
            "webhook_id": self.webhook_id,
            "expires_at": None if self.expires_at is None else to_rfc3339(self.expires_at),
        }


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose API key a request came with: an account's, or (`account_id` None) an operator's.

    `key_id` is the key's own; None in a session that came by a console link. `webhook_id` is the
    one webhook that a key with the scope `pull` is for.
    """

    account_id: AccountId | None
    scopes: frozenset[Scope]
    key_id: KeyId | None = dataclasses.field(default=None, compare=False)
    webhook_id: WebhookId | None = None

    @property
    def is_operator(self) -> bool:
        """Whether the key is for all accounts."""
        return Scope.OPERATOR in self.scopes

    def require(self, scope: Scope) -> None:
        """Raise the 403 problem unless the key has the scope; an operator's has every one."""
        if not self.is_operator and scope not in self.scopes:
            raise forbidden(f"It needs the scope {scope}.")

    def require_pull(self, webhook_id: WebhookId) -> None:
        """Raise the 403 problem unless the key may pull this webhook."""
        if Scope.PULL in self.scopes and webhook_id == self.webhook_id:
            return
        if Scope.PULL in self.scopes and Scope.WEBHOOKS not in self.scopes:
            raise forbidden("It is for another webhook.")
        self.require(Scope.WEBHOOKS)

    def acting_for(self, named: str | None, field: str) -> AccountId:
        """The account that the request is about. Only an operator may, and must, name one."""
        (account_id,) = self.acting_for_each([(field, named)], existing=set)
        return account_id

    def acting_for_each(
        self,
        named: Sequence[tuple[str, str | None]],
        existing: Callable[[Collection[AccountId]], Collection[AccountId]],
    ) -> list[AccountId]:
        """The same for the parts of a request: each has a field, and what is named there.

        `existing` says which of an operator's accounts there are; any other is refused too.
        """
        if self.is_operator:
            wanted = [AccountId(name or "") for _, name in named]
            errors = _misnamed(named, existing({one for one in wanted if one}))
            if errors:
                raise invalid(errors)
            return wanted
        reason = "only an operator's API key may name an account"
        errors = [FieldError(field, reason) for field, name in named if name is not None]
        if errors:
            raise forbidden("It is an account's own.", errors)
        if self.account_id is None:
            raise forbidden("It belongs to no account.")
        return [self.account_id] * len(named)


def _misnamed(
    named: Sequence[tuple[str, str | None]], existing: Collection[AccountId]
) -> list[FieldError]:
    errors = []
    for field, name in named:
        if not name:
            errors.append(FieldError(field, "is required with an operator's API key"))
        elif name not in existing:
            errors.append(FieldError(field, "names no account"))
    return errors


@dataclass(frozen=True, slots=True)
class AccountDraft:
    """What a new account is to be."""

    name: str
    notify_emails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What of an account is to change; None leaves it as it is."""

    name: str | None
    notify_emails: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class KeyDraft:
    """What a new API key is to be."""

    name: str
    scopes: frozenset[Scope]
    webhook_id: WebhookId | None = None
    hours: int | None = None


ACCOUNT_SCOPES = (Scope.EVENTS, Scope.WEBHOOKS)
KEY_SCOPES = (*ACCOUNT_SCOPES, Scope.PULL)
LONGEST_KEY_HOURS = 365 * 24
MOST_KEYS = 50
"""API keys that an account has."""

_WEBHOOK_ID = regex(r"wh_[0-9a-z]{16}")
_MOST_EMAILS = 10
_LONGEST_EMAIL = 254
# A guard against slips alone: whether there is such a mailbox, its confirmation tells.
_EMAIL = regex(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def parse_account(value: dict[str, Json]) -> AccountDraft:
    """A request that creates an account; raises the 422 problem."""
    fields = Fields(value)
    draft = AccountDraft(fields.required_name(), _emails(fields) or ())
    fields.raise_if_wrong()
    return draft


def parse_account_change(value: dict[str, Json]) -> AccountChange:
    """A request that changes an account; raises the 422 problem."""
    fields = Fields(value)
    change = AccountChange(fields.name(), _emails(fields))
    fields.raise_if_wrong()
    return change


def parse_own_account_change(value: dict[str, Json]) -> AccountChange:
    """What an account's own admin changes of it; raises the 422 problem."""
    fields = Fields(value)
    if "name" in value:
        fields.refuse("name", "is the operator's to change")
    change = AccountChange(None, _emails(fields))
    fields.raise_if_wrong()
    return change


def same_address(address: str) -> str:
    """Equal for addresses that reach the same mailbox, whatever their case."""
    return address.lower()


def address_hash(address: str) -> str:
    """What keys of tables hold of an address: a SHA-256, the same whatever its case."""
    return hashlib.sha256(same_address(address).encode()).hexdigest()


def is_address(text: str) -> bool:
    """Whether it could be an e-mail address."""
    return len(text) <= _LONGEST_EMAIL and _EMAIL.fullmatch(text) is not None


def parse_key(value: dict[str, Json]) -> KeyDraft:
    """A request for an account's new API key; raises the 422 problem."""
    fields = Fields(value)
    name = fields.required_name()
    scopes = fields.required_texts("scopes", most=len(KEY_SCOPES), check=_check_scope)
    webhook_id = fields.text("webhook_id", pattern=_WEBHOOK_ID, form="a webhook's id")
    hours = fields.integer("expires_in_hours", 1, LONGEST_KEY_HOURS)
    if Scope.PULL in scopes:
        if len(scopes) > 1:
            fields.wrong("scopes", "must be pull alone, if it is among them")
        if webhook_id is None and not fields.has("webhook_id"):
            fields.wrong("webhook_id", "is required with the scope pull")
    elif webhook_id is not None:
        fields.wrong("webhook_id", "goes with the scope pull alone")
    fields.raise_if_wrong()
    return KeyDraft(
        name,
        frozenset(Scope(scope) for scope in scopes),
        None if webhook_id is None else WebhookId(webhook_id),
        hours,
    )


def new_api_key() -> str:
    """`pk_` and 256 random bits."""
    return f"pk_{secrets.token_urlsafe(32)}"


def key_hash(key: str) -> str:
    """What is stored of an API key: its SHA-256, in hex."""
    return hashlib.sha256(key.encode()).hexdigest()


def _emails(fields: Fields) -> tuple[str, ...] | None:
    emails = fields.texts(
        "notify_emails", fewest=0, most=_MOST_EMAILS, longest=_LONGEST_EMAIL, check=_check_email
    )
    seen: set[str] = set()
    for position, address in enumerate(emails or ()):
        if same_address(address) in seen:
            fields.wrong(f"notify_emails[{position}]", "is there twice")
        seen.add(same_address(address))
    return emails


def _check_email(address: str) -> str | None:
    return None if _EMAIL.fullmatch(address) else "must be an e-mail address"


def _check_scope(scope: str) -> str | None:
    return None if scope in KEY_SCOPES else f"must be {one_of(KEY_SCOPES)}"
