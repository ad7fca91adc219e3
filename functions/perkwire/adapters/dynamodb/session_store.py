"""ConfigTable as the console's links and sessions are kept in it.

| item | pk | sk |
|---|---|---|
| console link | `link#<SHA-256>` | `link` |
| session | `session#<SHA-256>` | `session` |
"""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from perkwire.adapters.dynamodb.activity_log import COMMANDS, ActivityLog
from perkwire.adapters.dynamodb.config_items import ConfigItem
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, find, update_if
from perkwire.managing.signing_in import ConsoleLink, NoSuchLink, Session
from perkwire.model.activity import Action, Change
from perkwire.primitives.ids import AccountId
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS

_LINK_SK = "link"
_ENDED = "ended"  # no SHA-256
_SESSION_SK = "session"


class LinkItem(ConfigItem, discriminator="console_link"):
    """A console link; `used_by` is the SHA-256 of the session that it has become, or `ended`.

    `until` ends it, in microseconds; `expires_at` lets DynamoDB remove the item, a day later.
    """

    account_id = UnicodeAttribute()
    until = NumberAttribute()
    used_by = UnicodeAttribute(null=True)
    created_at = NumberAttribute(null=True)
    mailed_to = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


class SessionItem(ConfigItem, discriminator="session"):
    """A session; `until` and `expires_at` as those of a link."""

    account_id = UnicodeAttribute(null=True)
    key_hash = UnicodeAttribute(null=True)
    link_id = UnicodeAttribute(null=True)
    acting_for = UnicodeAttribute(null=True)
    mailed_to = UnicodeAttribute(null=True)
    until = NumberAttribute()
    expires_at = NumberAttribute()


SESSION_ITEMS: tuple[type[ConfigItem], ...] = (LinkItem, SessionItem)


class LinkStore:
    """Fulfils signing_in.Links."""

    def __init__(self, activity: ActivityLog = COMMANDS) -> None:
        self._activity = activity

    def add(self, token_hash: str, link: ConsoleLink) -> None:
        """Store a new one; raises Unavailable."""
        item = LinkItem(
            _link_pk(token_hash),
            _LINK_SK,
            account_id=link.account_id,
            until=link.expires_at,
            created_at=link.created_at,
            mailed_to=link.mailed_to,
            expires_at=_removed_at(link.expires_at),
        )
        connection = item._get_connection().connection
        with failing_as_unavailable(), TransactWrite(connection=connection) as transaction:
            transaction.save(item)
            change = _change(link.account_id, token_hash, Action.LINK_CREATED)
            self._activity.add(transaction, change)

    def unused(self, token_hash: str) -> ConsoleLink | None:
        """One that has not been used, expired or not, read consistently; raises Unavailable."""
        item = find(LinkItem, _link_pk(token_hash), _LINK_SK)
        return None if item is None or item.used_by is not None else _link(item)

    def use(self, token_hash: str, session_hash: str, now: int) -> ConsoleLink | None:
        """Use it for this session and no other, ever; None if it is used or expired.

        AWS's client repeats a call whose answer was lost: the same session may use it again.
        Raises Unavailable.
        """
        item = LinkItem(_link_pk(token_hash), _LINK_SK)
        with failing_as_unavailable():
            used = update_if(
                item,
                [LinkItem.used_by.set(session_hash)],
                (LinkItem.until > now)
                & (LinkItem.used_by.does_not_exist() | (LinkItem.used_by == session_hash)),
            )
        return _link(item) if used else None

    def end(self, account_id: AccountId, token_hash: str) -> str | None:
        """Have it sign in nobody from now on; the session that it has become, if it has.

        Raises NoSuchLink, Unavailable.
        """
        item = LinkItem(_link_pk(token_hash), _LINK_SK)
        found = self._activity.update_if(
            item,
            [LinkItem.used_by.set(LinkItem.used_by | _ENDED)],
            LinkItem.account_id == account_id,
            _change(account_id, token_hash, Action.LINK_ENDED),
        )
        # A transaction answers nothing of the item; what it is used by never changes again.
        ended = find(LinkItem, _link_pk(token_hash), _LINK_SK) if found else None
        if ended is None:
            raise NoSuchLink
        return None if ended.used_by == _ENDED else ended.used_by


class SessionStore:
    """Fulfils signing_in.Sessions."""

    def add(self, token_hash: str, session: Session) -> None:
        """Store a new one; raises Unavailable."""
        with failing_as_unavailable():
            SessionItem(
                _session_pk(token_hash),
                _SESSION_SK,
                account_id=session.account_id,
                key_hash=session.key_hash,
                link_id=session.link_id,
                acting_for=session.acting_for,
                mailed_to=session.mailed_to,
                until=session.expires_at,
                expires_at=_removed_at(session.expires_at),
            ).save()

    def find(self, token_hash: str) -> Session | None:
        """One, expired or not, read consistently; raises Unavailable."""
        item = find(SessionItem, _session_pk(token_hash), _SESSION_SK)
        if item is None:
            return None
        return Session(
            account_id=AccountId(item.account_id) if item.account_id else None,
            key_hash=item.key_hash,
            link_id=item.link_id,
            acting_for=AccountId(item.acting_for) if item.acting_for else None,
            mailed_to=item.mailed_to,
            expires_at=int(item.until),
        )

    def act_for(self, token_hash: str, account_id: AccountId | None) -> None:
        """Have an operator's session act for this account; raises Unavailable."""
        acting_for = SessionItem.acting_for
        with failing_as_unavailable():
            # A session that was ended meanwhile is not to come back as half an item.
            update_if(
                SessionItem(_session_pk(token_hash), _SESSION_SK),
                [acting_for.set(account_id) if account_id else acting_for.remove()],
                SessionItem.pk.exists(),
            )

    def remove(self, token_hash: str) -> None:
        """End it; nothing if there is none. Raises Unavailable."""
        with failing_as_unavailable():
            SessionItem(_session_pk(token_hash), _SESSION_SK).delete()


def _change(account_id: AccountId, link_id: str, action: Action) -> Change:
    return Change(owner=account_id, action=action, subject=link_id)


def _link(item: LinkItem) -> ConsoleLink:
    created_at = None if item.created_at is None else int(item.created_at)
    account_id, until = AccountId(item.account_id), int(item.until)
    return ConsoleLink(account_id, until, created_at, item.mailed_to)


def _link_pk(token_hash: str) -> str:
    return f"link#{token_hash}"


def _session_pk(token_hash: str) -> str:
    return f"session#{token_hash}"


def _removed_at(until: int) -> int:
    return until // MICROSECONDS + DAY_SECONDS
