"""Reading what became of events: the log of deliveries, newest first, and single events."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.lookup import FormatLookup
from perkwire.model.delivery import Delivery, DeliveryStatus
from perkwire.model.event import Event
from perkwire.model.messages import DeliveryMessage
from perkwire.model.routed_event import FILTERED, RoutedEvent
from perkwire.model.sending import TransportError
from perkwire.model.webhook import TYPE_FILTER_FORM, Webhook, covers, may_cover
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import one_of
from perkwire.primitives.ids import (
    AccountId,
    DeliveryId,
    EventId,
    WebhookId,
    time_prefix,
    webhook_of,
)
from perkwire.primitives.page import Page
from perkwire.primitives.problem import FieldError, invalid, not_found
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import parse_rfc3339, to_rfc3339
from perkwire.reading.outcomes import EventOutcomes
from perkwire.trials.trial import SentRequest

MOST_DELETED = 20
"""How many deleted webhooks' deliveries a list without `webhook_id` has."""

_MOST_OF_MOMENT = 100
_WEBHOOK_ID = regex(r"wh_[0-9a-z]{16}")
_CURSOR = regex(r"[0-9a-z]{26}")
_ANSWER = regex(rf"[1-5]([0-9]{{2}}|xx)|{'|'.join(TransportError)}")
_STATUSES = tuple(
    status
    for status in DeliveryStatus
    if status not in (DeliveryStatus.PENDING, DeliveryStatus.UNKNOWN)
)
_UNSETTLED = (DeliveryStatus.RETRYING, DeliveryStatus.FAILED)


class Deliveries(Protocol):
    """The log."""

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        """The entries that exist; raises Unavailable."""
        ...

    def newest(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> Sequence[Delivery]:
        """Up to `limit` of a webhook's entries, newest first, between two ends of ids.

        Raises Unavailable.
        """
        ...

    def of_moment(
        self, account_id: AccountId, webhook_id: WebhookId, moment: str, limit: int
    ) -> Sequence[Delivery]:
        """Up to `limit` of a webhook's entries whose first event was accepted at this moment.

        Raises Unavailable.
        """
        ...

    def newest_unsettled(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> Sequence[DeliveryId]:
        """The same of those that have failed or are being retried, by their ids alone.

        Raises Unavailable.
        """
        ...


class Events(Protocol):
    """The kept events."""

    def find(self, account_id: AccountId, event_id: EventId) -> RoutedEvent | None:
        """One event; raises Unavailable."""
        ...

    def find_all(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[EventId, RoutedEvent]:
        """Those of one account's events that are still kept; raises Unavailable."""
        ...


class AccountWebhooks(Protocol):
    """The webhooks whose log there is."""

    def logged(self, account_id: AccountId, most_deleted: int) -> Sequence[WebhookId]:
        """All webhooks of an account, and of those deleted the last ones; raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries to list; None does not matter. Times are microseconds since the epoch.

    `answer` is what the last attempt came to: a status code such as `503`, all of a kind, `5xx`, or
    the class of an error.
    """

    status: DeliveryStatus | None = None
    answer: str | None = None
    webhook_id: WebhookId | None = None
    event_type: str | None = None
    since: int | None = None
    until: int | None = None


def parse_filter(parameters: Mapping[str, str]) -> DeliveryFilter:
    """Read the query of GET /v1/deliveries; raises the 422 problem."""
    errors: list[FieldError] = []
    status = parameters.get("status")
    if status is not None and status not in _STATUSES:
        errors.append(FieldError("status", f"must be {one_of(_STATUSES)}"))
    times: dict[str, int | None] = {}
    for name in ("since", "until"):
        text = parameters.get(name)
        times[name] = None if text is None else parse_rfc3339(text)
        if text is not None and times[name] is None:
            errors.append(FieldError(name, "must be an RFC 3339 time"))
    answer = parameters.get("answer")
    if answer is not None and not _ANSWER.fullmatch(answer):
        kinds = one_of(("a status such as 503", "5xx", *TransportError))
        errors.append(FieldError("answer", f"must be {kinds}"))
    known = {"status", "answer", "webhook_id", "event_type", "since", "until", "limit", "cursor"}
    errors += [
        FieldError(name, "is not a known parameter") for name in parameters if name not in known
    ]
    webhook_id = parameters.get("webhook_id")
    if webhook_id is not None and not _WEBHOOK_ID.fullmatch(webhook_id):
        errors.append(FieldError("webhook_id", "is not a webhook's id"))
    event_type = parameters.get("event_type")
    if event_type is not None and not may_cover(event_type):
        errors.append(FieldError("event_type", f"must be {TYPE_FILTER_FORM}"))
    if errors:
        raise invalid(errors)
    return DeliveryFilter(
        status=DeliveryStatus(status) if status else None,
        answer=answer,
        webhook_id=WebhookId(webhook_id) if webhook_id else None,
        event_type=event_type,
        since=times["since"],
        until=times["until"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _LogQuery:
    """The newest `limit` entries of some of an account's webhooks, between two ends of ids."""

    account_id: AccountId
    webhook_ids: Sequence[WebhookId]
    after: str
    before: str
    limit: int

    def newest(self, ids: Iterable[DeliveryId]) -> Sequence[DeliveryId]:
        """Those of all webhooks that are the newest, newest first."""
        return sorted(ids, key=_position, reverse=True)[: self.limit]


class LogReader:
    """The log of one account. `retry_interval_seconds` tells when a delivery is overdue.

    `log_retention_days` tells whether a delivery without an entry waits for its first attempt.
    """

    def __init__(
        self,
        *,
        deliveries: Deliveries,
        events: Events,
        webhooks: AccountWebhooks,
        formats: FormatLookup | None = None,
        retry_interval_seconds: int,
        log_retention_days: int,
        clock: Callable[[], int],
    ) -> None:
        self._deliveries = deliveries
        self._events = events
        self._webhooks = webhooks
        self._formats = formats or FormatLookup()
        self._retry_interval_seconds = retry_interval_seconds
        self._clock = clock
        self.outcomes = EventOutcomes(
            deliveries,
            retry_interval_seconds=retry_interval_seconds,
            log_retention_days=log_retention_days,
            clock=clock,
        )

    def delivery(self, account_id: AccountId, delivery_id: DeliveryId) -> dict[str, Json]:
        """One delivery with all its attempts; raises Problem and Unavailable."""
        return self._shown(self.entry(account_id, delivery_id))

    def entry(self, account_id: AccountId, delivery_id: DeliveryId) -> Delivery:
        """One delivery as the log keeps it; raises Problem and Unavailable."""
        if webhook_of(delivery_id) is not None:
            found = self._deliveries.find({(account_id, delivery_id)})
            if delivery_id in found:
                return found[delivery_id]
        raise not_found("delivery")

    def entries(
        self, account_id: AccountId, ids: Collection[DeliveryId]
    ) -> Mapping[DeliveryId, Delivery]:
        """Those of the deliveries that are in the account's log; raises Unavailable."""
        known = {(account_id, one) for one in ids if webhook_of(one) is not None}
        return self._deliveries.find(known) if known else {}

    def next_request(self, entry: Delivery, webhook: Webhook) -> SentRequest | None:
        """What an attempt now would send, but for the secrets; None: its events are not all kept.

        Signed with secrets made up here, so it proves nothing to anyone: the headers that they
        show in count as hidden, as do the webhook's own. Raises Unrenderable and Unavailable.
        """
        kept = self._events.find_all({(entry.account_id, one) for one in entry.event_ids})
        own = [one for one, routed in kept.items() if entry.may_carry(routed.event)]
        left = [
            one
            for one in entry.event_ids
            if one in kept and kept[one].event.erased_at is None and not entry.leaves_out(one)
        ]
        if len(own) < len(set(entry.event_ids)) or not left:
            return None
        message = DeliveryMessage(
            delivery_id=entry.id,
            account_id=entry.account_id,
            webhook_id=entry.webhook_id,
            run=entry.run,
            events=tuple(kept[one].event for one in left),
        )
        at = self._clock()
        custom = dict.fromkeys(webhook.header_names, "-")
        format_ = self._formats.of(webhook)
        one, other = (
            render(message, webhook, OpenedSecrets(format_.new_secret(), custom), at, format_)
            for _ in range(2)
        )
        signed = (name for name, value in one.headers.items() if value != other.headers[name])
        return SentRequest(one, frozenset({*custom, *signed}))

    def event_itself(self, account_id: AccountId, event_id: EventId) -> Event | None:
        """An event as it was accepted, None if it is not kept; raises Unavailable."""
        found = self._events.find(account_id, event_id)
        return None if found is None else found.event

    def matched(self, account_id: AccountId, ids: Collection[EventId]) -> Mapping[EventId, int]:
        """At how many webhooks each of the kept events was to arrive; raises Unavailable."""
        kept = self._events.find_all({(account_id, one) for one in ids})
        return {
            one: sum(became != FILTERED for became in found.deliveries.values())
            for one, found in kept.items()
        }

    def list(
        self, account_id: AccountId, wanted: DeliveryFilter, limit: int, cursor: str | None
    ) -> Page[dict[str, Json]]:
        """Deliveries, newest first by the acceptance of their first event.

        One query for each webhook, of at most `limit` entries each; of deleted webhooks for the
        MOST_DELETED that went last, any other's deliveries are listed by its id. Those that have
        failed or are being retried are found among themselves, and read in one batch. What a
        filter leaves out makes a page short, not the list. Raises Problem and Unavailable.
        """
        if cursor is not None and not _CURSOR.fullmatch(cursor):
            raise invalid([FieldError("cursor", "must be the next_cursor of an earlier page")])
        query = self._query(account_id, wanted, limit)
        if cursor is not None:
            query = replace(query, before=min(cursor, query.before))
        look = self._newest_unsettled if wanted.status in _UNSETTLED else self._newest
        ids, found = look(query)
        entries = [found[one] for one in ids if one in found]
        return Page(
            [self._shown(entry) for entry in entries if self._matches(entry, wanted)],
            _position(ids[-1]) if len(ids) == limit else None,
        )

    def count_unsettled(
        self, account_id: AccountId, wanted: DeliveryFilter, most: int
    ) -> tuple[Mapping[DeliveryStatus, int], bool]:
        """How many failed and how many are being retried, of the newest `most` that do either.

        The filter's status does not matter. The flag says that there are more. Costs what `list`
        costs for one of the two; raises Unavailable.
        """
        ids, found = self._newest_unsettled(self._query(account_id, wanted, most))
        any_status = replace(wanted, status=None)
        counts = Counter(
            self._standing(entry) for entry in found.values() if self._matches(entry, any_status)
        )
        return counts, len(ids) == most

    def _query(self, account_id: AccountId, wanted: DeliveryFilter, limit: int) -> _LogQuery:
        return _LogQuery(
            account_id=account_id,
            webhook_ids=self._webhook_ids(account_id, wanted.webhook_id),
            after="" if wanted.since is None else time_prefix(wanted.since),
            before="~" if wanted.until is None else time_prefix(wanted.until),
            limit=limit,
        )

    def _newest(
        self, query: _LogQuery
    ) -> tuple[Sequence[DeliveryId], Mapping[DeliveryId, Delivery]]:
        found = {
            entry.id: entry
            for webhook_id in query.webhook_ids
            for entry in self._deliveries.newest(
                query.account_id,
                webhook_id,
                after=query.after,
                before=query.before,
                limit=query.limit,
            )
        }
        return query.newest(found), found

    def _newest_unsettled(
        self, query: _LogQuery
    ) -> tuple[Sequence[DeliveryId], Mapping[DeliveryId, Delivery]]:
        found = {
            one
            for webhook_id in query.webhook_ids
            for one in self._deliveries.newest_unsettled(
                query.account_id,
                webhook_id,
                after=query.after,
                before=query.before,
                limit=query.limit,
            )
        }
        ids = query.newest(found)
        return ids, self._deliveries.find({(query.account_id, one) for one in ids})

    def event(self, account_id: AccountId, event_id: EventId) -> dict[str, Json]:
        """One event, and what became of it at each webhook; raises Problem and Unavailable.

        First as it was routed, then by replays, parts and what was sent on: those deliveries that
        begin with an event of the same millisecond, which their ids tell, once an attempt is made.
        """
        found = self._events.find(account_id, event_id)
        if found is None:
            raise not_found("event")
        became = self.outcomes.of(account_id, [found])[event_id]
        became += self.outcomes.beside(found, self._of_moment(account_id, found.event))
        return _event_shown(found.event) | {"deliveries": became}

    def _of_moment(self, account_id: AccountId, event: Event) -> Iterator[Delivery]:
        moment = time_prefix(event.accepted_at)
        for webhook_id in self._webhook_ids(account_id, None):
            yield from self._deliveries.of_moment(account_id, webhook_id, moment, _MOST_OF_MOMENT)

    def _webhook_ids(self, account_id: AccountId, wanted: WebhookId | None) -> Sequence[WebhookId]:
        if wanted is not None:
            return [wanted]
        return sorted(self._webhooks.logged(account_id, MOST_DELETED))

    def _matches(self, entry: Delivery, wanted: DeliveryFilter) -> bool:
        if wanted.status is not None and self._standing(entry) is not wanted.status:
            return False
        if wanted.answer is not None and not _has_answered(entry, wanted.answer):
            return False
        return wanted.event_type is None or any(
            covers(wanted.event_type, one) for one in entry.event_types
        )

    def _standing(self, entry: Delivery) -> DeliveryStatus:
        return entry.standing(self._clock(), self._retry_interval_seconds)[0]

    def _shown(self, entry: Delivery) -> dict[str, Json]:
        return entry.to_json(self._clock(), self._retry_interval_seconds)


def as_listed(delivery: Mapping[str, Any]) -> dict[str, Json]:
    """A delivery as lists have it: without what its endpoint answered, which it tells itself."""
    attempts: list[Json] = [
        {name: value for name, value in attempt.items() if name != "response"}
        for attempt in delivery["attempts"]
    ]
    return {**delivery, "attempts": attempts}


def _has_answered(entry: Delivery, answer: str) -> bool:
    last = entry.attempts[-1] if entry.attempts else None
    if last is None:
        return False
    if last.status_code is None:
        return last.error == answer
    code = str(last.status_code)
    return answer in (code, f"{code[0]}xx")


def _position(delivery_id: DeliveryId) -> str:
    return delivery_id.rpartition("_")[2]


def _event_shown(event: Event) -> dict[str, Json]:
    occurred_at = None if event.occurred_at is None else to_rfc3339(event.occurred_at)
    shown: dict[str, Json] = {
        "id": event.id,
        "type": event.type,
        "program_id": event.program_id,
        "accepted_at": to_rfc3339(event.accepted_at),
        "occurred_at": occurred_at,
        "data": event.data,
    }
    return shown if event.erased_at is None else shown | {"erased_at": to_rfc3339(event.erased_at)}
