"""Listing the events that name a member, newest first, with what became of each."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from perkwire.model.account import Account
from perkwire.model.members import LONGEST_NAME, MemberIndex
from perkwire.model.routed_event import RoutedEvent
from perkwire.primitives.ids import AccountId, EventId
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, invalid, not_found
from perkwire.primitives.strict_json import Json
from perkwire.reading.event_listing import (
    ListPosition,
    first_place,
    heading_shown,
    read_event_filter,
    write_cursor,
)

MOST_LOOKED_AT = 500
"""Events that a page looks at for those of a type."""
_AT_A_TIME = 100
MOST_OUTCOMES = 1_000
"""Of a page: an event has one at each webhook that it was for."""


class Accounts(Protocol):
    """The accounts whose members they are."""

    def find(self, account_id: AccountId) -> Account | None:
        """An account; raises Unavailable."""
        ...


class Mentions(Protocol):
    """The events that name a member."""

    def newest(
        self, account_id: AccountId, member_key: str, since: int, place: ListPosition, limit: int
    ) -> tuple[Sequence[ListPosition], bool]:
        """Up to `limit` events from `place` back to `since`, newest first, by time and id.

        The flag says that there may be more. Raises Unavailable.
        """
        ...


class Events(Protocol):
    """The kept events."""

    def find_all(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[EventId, RoutedEvent]:
        """Those of one account's events that are still kept; raises Unavailable."""
        ...


class Outcomes(Protocol):
    """What became of events at each webhook."""

    def of(
        self, account_id: AccountId, events: Collection[RoutedEvent]
    ) -> Mapping[EventId, list[Json]]:
        """As the event itself shows it; raises Unavailable."""
        ...


class MemberListing:
    """GET /v1/events?member=…. `clock` gives microseconds since the epoch."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        mentions: Mentions,
        events: Events,
        outcomes: Outcomes,
        index: MemberIndex,
        event_retention_days: int,
        clock: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._mentions = mentions
        self._events = events
        self._outcomes = outcomes
        self.index = index
        self._retention_days = event_retention_days
        self._clock = clock

    def list(
        self, account_id: AccountId, parameters: Mapping[str, str], limit: int, cursor: str | None
    ) -> Page[dict[str, Json]]:
        """Events that name `member`, an id or an e-mail address, newest first by acceptance.

        The account, and a query and a batch read for each hundred events that are looked at:
        `limit`, or for those of a type MOST_LOOKED_AT at most, so that a page may be short. One
        with over MOST_OUTCOMES outcomes ends early. Raises Problem and Unavailable.
        """
        wanted = read_event_filter(parameters, self._clock(), self._retention_days)
        name = parameters["member"].strip()
        if self.index is MemberIndex.NONE:
            raise invalid([FieldError("member", "is not kept here: MemberIndex is none")])
        if not 0 < len(name) <= LONGEST_NAME:
            detail = f"must be an id or an e-mail address of 1 to {LONGEST_NAME} characters"
            raise invalid([FieldError("member", detail)])
        account = self._accounts.find(account_id)
        if account is None:
            raise not_found("account")
        key = account.member_keys.of(name)
        place: ListPosition | None = first_place(wanted.until, cursor)
        shown: list[RoutedEvent] = []
        looked_at = outcomes = 0
        while place and len(shown) < limit and looked_at < (MOST_LOOKED_AT if wanted.type else 1):
            most = _AT_A_TIME if wanted.type else limit
            found, more = self._mentions.newest(account_id, key, wanted.since, place, most)
            looked_at += most
            place = found[-1] if more else None
            for routed in self._kept(account_id, found):
                if not wanted.takes(routed.event):
                    continue
                outcomes += len(routed.deliveries)
                if shown and (len(shown) == limit or outcomes > MOST_OUTCOMES):
                    last = shown[-1].event
                    return self._page(account_id, shown, ListPosition(last.accepted_at, last.id))
                shown.append(routed)
        return self._page(account_id, shown, place)

    def _kept(self, account_id: AccountId, found: Sequence[ListPosition]) -> Iterator[RoutedEvent]:
        """Those of the events that are still kept, and not others under their ids since."""
        ids = [one.event_id for one in found if one.event_id]
        kept = self._events.find_all({(account_id, one) for one in ids}) if ids else {}
        for position in found:
            routed = kept.get(position.event_id) if position.event_id else None
            if routed is not None and routed.event.accepted_at == position.moment:
                yield routed

    def _page(
        self, account_id: AccountId, events: Sequence[RoutedEvent], last: ListPosition | None
    ) -> Page[dict[str, Json]]:
        became = self._outcomes.of(account_id, events)
        items: list[dict[str, Json]] = [
            heading_shown(routed.event) | {"deliveries": became[routed.event.id]}
            for routed in events
        ]
        return Page(items, write_cursor(last) if last else None)
