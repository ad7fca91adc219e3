"""Signing in to the console: console links, sessions, and who is looking at a page.

Of links and sessions only the SHA-256 of their token is kept, as of API keys: who reads the table
cannot sign in with what stands there.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import field
from typing import Protocol

from perkwire.model.account import Account, Caller, Scope, key_hash
from perkwire.model.activity import Actor, ActorKind
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import AccountId, is_account_id
from perkwire.primitives.problem import not_found
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, to_rfc3339

DEFAULT_LINK_MINUTES = 15
LONGEST_LINK_MINUTES = 60
SESSION_HOURS = 8

MINUTE = 60 * MICROSECONDS
_SESSION = SESSION_HOURS * HOUR_SECONDS * MICROSECONDS
_LINK_ID = regex(r"[0-9a-f]{64}")
_TOKEN_BYTES = 32
_LONGEST_CREDENTIAL = 256
# What an account's admin does in the console, sending a test event included.
_LINK_SCOPES = frozenset({Scope.EVENTS, Scope.WEBHOOKS})


@dataclass(frozen=True, slots=True)
class ConsoleLink:
    """Signs in to one account, once. Times are microseconds since the epoch.

    `created_at` is None of one that an earlier release made. One that was mailed has the hash of
    the address in `mailed_to`, and works as long as the account has that address.
    """

    account_id: AccountId
    expires_at: int
    created_at: int | None = None
    mailed_to: str | None = None

    @property
    def earliest(self) -> int:
        """When it was made, or the first moment at which it can have been."""
        if self.created_at is not None:
            return self.created_at
        return self.expires_at - LONGEST_LINK_MINUTES * MINUTE

    def to_json(self, console_url: str, token: str) -> dict[str, Json]:
        """The link as the API answers it, this once, with its token. Its id signs nobody in."""
        return {
            "id": token_hash(token),
            "url": f"{console_url}/enter?token={token}",
            "expires_at": to_rfc3339(self.expires_at),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is signed in until `expires_at`, in microseconds since the epoch.

    It came either from a console link, and is its account's, or from an API key, and is only as
    long as that key is. `acting_for` is the account that an operator has entered. `mailed_to` and
    `link_id` are the link's; a session that an earlier release began has no `link_id`.
    """

    account_id: AccountId | None = None
    key_hash: str | None = None
    link_id: str | None = None
    acting_for: AccountId | None = None
    mailed_to: str | None = None
    expires_at: int

    @property
    def created_at(self) -> int:
        """When it began: every session has the same length."""
        return self.expires_at - _SESSION


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is looking at a page; `account_id` is None for an operator who has entered none.

    `account` is the account if it has been read already, `link_id` the console link that they came
    by.
    """

    caller: Caller
    account_id: AccountId | None
    account: Account | None = field(default=None, compare=False)
    link_id: str | None = field(default=None, compare=False)

    @property
    def actor(self) -> Actor:
        """Who it is, as activity names them."""
        return Actor(
            kind=ActorKind.SESSION,
            key_id=self.caller.key_id,
            link_id=self.link_id,
            is_operator=self.caller.is_operator,
        )


class NoSuchLink(Exception):
    """The account has no console link of this id, or not any more."""


class Links(Protocol):
    """Where console links are kept, by the SHA-256 of their token."""

    def add(self, token_hash: str, link: ConsoleLink) -> None:
        """Store a new one; raises Unavailable."""
        ...

    def unused(self, token_hash: str) -> ConsoleLink | None:
        """One that has not been used, expired or not, read consistently; raises Unavailable."""
        ...

    def use(self, token_hash: str, session_hash: str, now: int) -> ConsoleLink | None:
        """Use it for this session and no other, ever; None if it is used or expired.

        Raises Unavailable.
        """
        ...

    def end(self, account_id: AccountId, token_hash: str) -> str | None:
        """Have it sign in nobody from now on; the session that it has become, if it has.

        Raises NoSuchLink if the account has none such, and Unavailable.
        """
        ...


class Sessions(Protocol):
    """Where sessions are kept, by the SHA-256 of their token."""

    def add(self, token_hash: str, session: Session) -> None:
        """Store a new one; raises Unavailable."""
        ...

    def find(self, token_hash: str) -> Session | None:
        """One, expired or not, read consistently; raises Unavailable."""
        ...

    def act_for(self, token_hash: str, account_id: AccountId | None) -> None:
        """Have an operator's session act for this account; raises Unavailable."""
        ...

    def remove(self, token_hash: str) -> None:
        """End it; nothing if there is none. Raises Unavailable."""
        ...


class Keys(Protocol):
    """The API keys that there are."""

    def caller(self, key_hash: str) -> Caller | None:
        """Whose key this is, read consistently; None: nobody's. Raises Unavailable."""
        ...


class Accounts(Protocol):
    """The accounts that there are."""

    def find(self, account_id: AccountId) -> Account | None:
        """An account, read consistently; raises Unavailable."""
        ...

    def end_links(self, account_id: AccountId, now: int) -> bool:
        """Note that links made until `now`, and their sessions, are over; False: no such account.

        Raises Unavailable.
        """
        ...


class SigningIn:
    """Who may look at the console, and for whom."""

    def __init__(
        self,
        *,
        links: Links,
        sessions: Sessions,
        keys: Keys,
        accounts: Accounts,
        clock: Callable[[], int],
    ) -> None:
        self._links = links
        self._sessions = sessions
        self._keys = keys
        self._accounts = accounts
        self._clock = clock

    def create_link(
        self, caller: Caller, account_id: AccountId, value: dict[str, Json]
    ) -> tuple[ConsoleLink, str]:
        """A console link for an account and, this once, its token: an operator's work.

        Raises Problem and Unavailable.
        """
        caller.require(Scope.OPERATOR)
        minutes = parse_link(value)
        if self._accounts.find(account_id) is None:
            raise not_found("account")
        now = self._clock()
        link, token = ConsoleLink(account_id, now + minutes * MINUTE, now), new_token()
        self._links.add(token_hash(token), link)
        return link, token

    def end_link(self, caller: Caller, account_id: AccountId, link_id: str) -> None:
        """End a console link, used or not, and the session that it has become: an operator's work.

        Raises Problem and Unavailable.
        """
        caller.require(Scope.OPERATOR)
        if not _LINK_ID.fullmatch(link_id):
            raise not_found("console link")
        try:
            session = self._links.end(account_id, link_id)
        except NoSuchLink:
            raise not_found("console link") from None
        if session is not None:
            self._sessions.remove(session)

    def end_links(self, caller: Caller, account_id: AccountId) -> None:
        """End all console links of an account, and the sessions that they have become.

        Those too that an earlier release made. It costs one write, whatever their number: a moment
        is noted, and what is older is over. Raises Problem and Unavailable.
        """
        caller.require(Scope.OPERATOR)
        if not is_account_id(account_id) or not self._accounts.end_links(account_id, self._clock()):
            raise not_found("account")

    def linked(self, token: str) -> Account | None:
        """Whom a link would sign in; None if it is used or expired. Uses nothing up.

        Raises Unavailable.
        """
        found = self._linked(token)
        return found and found[0]

    def by_link(self, token: str) -> str | None:
        """A new session's token; None if the link is used, expired or ended. Raises Unavailable.

        The session is stored before the link leads to it: who ends the link finds it. It begins
        before the link is looked at: who ends all links meanwhile ends it too.
        """
        expires_at = self._end()
        found = self._linked(token)
        if found is None:
            return None
        account, mailed_to = found
        session_token = new_token()
        session = Session(
            account_id=account.id,
            link_id=token_hash(token),
            mailed_to=mailed_to,
            expires_at=expires_at,
        )
        self._sessions.add(token_hash(session_token), session)
        if self._links.use(token_hash(token), token_hash(session_token), self._clock()) is None:
            self._sessions.remove(token_hash(session_token))
            return None
        return session_token

    def _linked(self, token: str) -> tuple[Account, str | None] | None:
        """The account of a link that works, and whom it was mailed to."""
        link = self._links.unused(token_hash(token))
        if link is None or link.expires_at <= self._clock():
            return None
        account = self._accounts.find(link.account_id)
        if account is None or not _trusts(account, link.earliest, link.mailed_to):
            return None
        return account, link.mailed_to

    def by_key(self, key: str) -> str | None:
        """A new session's token; None if there is no such API key.

        Raises the 403 problem for a key that only sends events, and Unavailable.
        """
        if len(key) > _LONGEST_CREDENTIAL:
            return None
        caller = self._keys.caller(key_hash(key))
        if caller is None:
            return None
        caller.require(Scope.WEBHOOKS)
        token = new_token()
        session = Session(key_hash=key_hash(key), expires_at=self._end())
        self._sessions.add(token_hash(token), session)
        return token

    def visitor(self, token: str) -> Visitor | None:
        """Whose session it is; None once it has ended, or the API key it came from has.

        Raises Unavailable.
        """
        session = self._sessions.find(token_hash(token))
        if session is None or session.expires_at <= self._clock():
            return None
        if session.key_hash is None:
            return self._by_link(session)
        caller = self._keys.caller(session.key_hash)
        if caller is None:
            return None
        return Visitor(caller, session.acting_for if caller.is_operator else caller.account_id)

    def _by_link(self, session: Session) -> Visitor | None:
        account = self._accounts.find(session.account_id) if session.account_id else None
        if account is None or not _trusts(account, session.created_at, session.mailed_to):
            return None
        caller = Caller(account.id, _LINK_SCOPES)
        return Visitor(caller, account.id, account, session.link_id)

    def enter(self, token: str, caller: Caller, account_id: AccountId) -> Account:
        """Have an operator's session act for an account; raises Problem and Unavailable."""
        caller.require(Scope.OPERATOR)
        account = self._accounts.find(account_id)
        if account is None:
            raise not_found("account")
        self._sessions.act_for(token_hash(token), account_id)
        return account

    def leave(self, token: str, caller: Caller) -> None:
        """Undo `enter`; raises Problem and Unavailable."""
        caller.require(Scope.OPERATOR)
        self._sessions.act_for(token_hash(token), None)

    def sign_out(self, token: str) -> None:
        """End a session, at once for every browser that has it; raises Unavailable."""
        self._sessions.remove(token_hash(token))

    def _end(self) -> int:
        return self._clock() + _SESSION


def parse_link(value: dict[str, Json]) -> int:
    """A request for a console link: the minutes that it is to work; raises the 422 problem."""
    fields = Fields(value)
    minutes = fields.integer("expires_in_minutes", 1, LONGEST_LINK_MINUTES)
    fields.raise_if_wrong()
    return minutes or DEFAULT_LINK_MINUTES


def token_hash(token: str) -> str:
    """What is stored of a link's or session's token: its SHA-256, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def _trusts(account: Account, made_at: int, mailed_to: str | None) -> bool:
    is_addressee = mailed_to is None or account.has_address(mailed_to)
    return is_addressee and account.trusts(made_at)


def form_token(session_token: str, account_id: AccountId | None) -> str:
    """What proves that a form was made for this session and account.

    The account is in it because an operator may enter another one in a second tab: the form of the
    first would else change what it was not made for.
    """
    message = f"csrf:{account_id or ''}".encode()
    return hmac.new(session_token.encode(), message, hashlib.sha256).hexdigest()


def is_form_token(given: str, session_token: str, account_id: AccountId | None) -> bool:
    """Whether it is the one of `form_token`, compared in constant time."""
    return hmac.compare_digest(given.encode(), form_token(session_token, account_id).encode())


def new_token() -> str:
    """256 random bits, for a link or a session."""
    return secrets.token_urlsafe(_TOKEN_BYTES)
