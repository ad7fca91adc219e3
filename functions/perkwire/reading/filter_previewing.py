"""Previewing a filter: which of the last events that an account really had it would let through."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from perkwire.formats.registry import FORMATS, STANDARD
from perkwire.managing.wanted_events import (
    MOST_EVENT_TYPES,
    MOST_PROGRAMS,
    check_types,
    read_filter,
    type_check,
)
from perkwire.model.account import Account
from perkwire.model.event import Event
from perkwire.model.event_pattern import Misfit, stored_pattern
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.webhook import covers
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import AccountId, EventId
from perkwire.primitives.page import Page
from perkwire.primitives.problem import not_found, too_many_this_minute
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS, to_rfc3339

MOST_EVENTS = 500
MOST_PREVIEWS_PER_MINUTE = 10
"""Of one account, its other searches counted in: one takes up to 200 queries."""

_MOST_PAGES = 4  # of the list of events, each of two days or so many events
_AT_A_TIME = 50  # events that are read whole, of 256 kB at most
_SHOWN = 5
_SECONDS = 8


class Accounts(Protocol):
    """The accounts whose events they are."""

    def find(self, account_id: AccountId) -> Account | None:
        """An account; raises Unavailable."""
        ...


class Listing(Protocol):
    """The accepted events, without their data."""

    def list(
        self, account_id: AccountId, parameters: Mapping[str, str], limit: int, cursor: str | None
    ) -> Page[dict[str, Json]]:
        """A page of them, newest first by acceptance; raises Problem and Unavailable."""
        ...


class Events(Protocol):
    """The kept events."""

    def find_all(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[EventId, RoutedEvent]:
        """Those of one account's events that are still kept; raises Unavailable."""
        ...


class Searches(Protocol):
    """Counts what an account's people look for far back, in each minute of the clock."""

    def take(self, account_id: AccountId, now: int, most: int) -> bool:
        """Count one more, unless the minute has `most` already; raises Unavailable."""
        ...


class FilterPreview:
    """Of `events`, the newest of some types and programmes, `matched` are let through.

    `first` are the newest of these, `unmatched` is the newest of the others and why.
    `complete` is False if there may be more events among the last MOST_EVENTS that were not
    looked at: older than a week, or for want of time.
    """

    def __init__(self, *, complete: bool) -> None:
        self.events = 0
        self.matched = 0
        self.complete = complete
        self.first: list[Event] = []
        self.unmatched: tuple[Event, Misfit] | None = None

    def to_json(self) -> dict[str, Json]:
        """The preview as the API answers it."""
        unmatched: dict[str, Json] | None = None
        if self.unmatched is not None:
            event, misfit = self.unmatched
            unmatched = _heading(event) | {
                "pointer": misfit.pointer,
                "condition": misfit.wanted_text,
                "found": [*misfit.found_texts],
            }
        return {
            "events": self.events,
            "matched": self.matched,
            "complete": self.complete,
            "first": [_heading(event) for event in self.first],
            "unmatched": unmatched,
        }


class FilterPreviewing:
    """POST /v1/webhooks/filter-preview. `clock` gives microseconds since the epoch."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        listing: Listing,
        events: Events,
        searches: Searches,
        clock: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._listing = listing
        self._events = events
        self._searches = searches
        self._clock = clock

    def preview(self, account_id: AccountId, value: dict[str, Json]) -> FilterPreview:
        """What a filter would have let through; raises Problem and Unavailable.

        429 to more than MOST_PREVIEWS_PER_MINUTE of an account.
        """
        fields = Fields({name: one for name, one in value.items() if one is not None})
        types = fields.required_texts("event_types", most=MOST_EVENT_TYPES, check=type_check())
        check_types(fields, types, FORMATS[STANDARD])
        programs = fields.texts("program_ids", most=MOST_PROGRAMS, longest=128)
        text = read_filter(fields)
        if value.get("filter") is None:
            fields.wrong("filter", "is required")
        fields.raise_if_wrong()
        account = self._accounts.find(account_id)
        if account is None:
            raise not_found("account")
        self._count(account_id)
        deadline = self._clock() + _SECONDS * MICROSECONDS
        ids, complete = self._newest(account, types, programs, deadline)
        return self._looked_through(account_id, ids, text or "{}", deadline, complete=complete)

    def _count(self, account_id: AccountId) -> None:
        now = self._clock()
        if not self._searches.take(account_id, now, MOST_PREVIEWS_PER_MINUTE):
            raise too_many_this_minute(
                f"An account has at most {MOST_PREVIEWS_PER_MINUTE} previews a minute.", now
            )

    def _newest(
        self,
        account: Account,
        types: Sequence[str],
        programs: Sequence[str] | None,
        deadline: int,
    ) -> tuple[list[EventId], bool]:
        """The newest events of these types and programmes, and whether older ones do not matter."""
        since = {"since": to_rfc3339(account.created_at)}
        found: list[EventId] = []
        cursor = None
        for _ in range(_MOST_PAGES):
            page = self._listing.list(account.id, since, MOST_EVENTS, cursor)
            found += [
                EventId(str(one["id"]))
                for one in page.items
                if any(covers(wanted, str(one["type"])) for wanted in types)
                and (programs is None or one["program_id"] in programs)
            ]
            cursor = page.next_cursor
            if cursor is None or len(found) >= MOST_EVENTS:
                return found[:MOST_EVENTS], True
            if self._clock() > deadline:
                break
        return found, False

    def _looked_through(
        self,
        account_id: AccountId,
        ids: Sequence[EventId],
        text: str,
        deadline: int,
        *,
        complete: bool,
    ) -> FilterPreview:
        pattern = stored_pattern(text)
        preview = FilterPreview(complete=complete)
        for start in range(0, len(ids), _AT_A_TIME):
            if self._clock() > deadline:
                preview.complete = False
                break
            some = ids[start : start + _AT_A_TIME]
            kept = self._events.find_all({(account_id, one) for one in some})
            for event in (kept[one].event for one in some if one in kept):
                if event.erased_at is not None:
                    continue
                preview.events += 1
                if pattern.matches(event):
                    preview.matched += 1
                    preview.first += [event] if len(preview.first) < _SHOWN else []
                elif preview.unmatched is None and (misfit := pattern.misfit(event)):
                    preview.unmatched = (event, misfit)
        return preview


def _heading(event: Event) -> dict[str, Json]:
    return {
        "id": event.id,
        "type": event.type,
        "program_id": event.program_id,
        "accepted_at": to_rfc3339(event.accepted_at),
    }
