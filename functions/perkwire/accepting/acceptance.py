"""Accepting events: validated as a whole, held by SQS before anyone is told so.

An event that comes with an id, or in a request with an Idempotency-Key, is claimed before it is
sent and marked as sent afterwards. The claim fixes its body and its time of acceptance, so that
every repeat of it becomes the same deliveries, while only the mark lets a repeat be answered
without sending: no crash in between can lose an event that was answered 202.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import batched
from typing import Protocol

from perkwire.accepting.envelopes import read_request
from perkwire.model.account import Caller, Scope
from perkwire.model.event import MAX_EVENTS, DataCheck, Event, EventDraft
from perkwire.model.messages import EventEncoder, EventMessage, chunks, write_event_message
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.fields import one_of
from perkwire.primitives.ids import (
    OWN_BEGINNINGS,
    AccountId,
    EventId,
    event_id_for_key,
    is_account_id,
    is_own,
    new_event_id,
)
from perkwire.primitives.journal import Journal, Unavailable
from perkwire.primitives.problem import FieldError, Problem, invalid, unavailable
from perkwire.primitives.queueing import Outgoing, Queue
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json

_IDEMPOTENCY_KEY = regex(r"[\x21-\x7e]{1,255}")
_INBOX = "inbox "  # with a blank, which no Idempotency-Key has


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An event id taken for one body; `sent` once SQS holds the event."""

    account_id: AccountId
    event_id: EventId
    digest: str
    accepted_at: int
    sent: bool = False

    @property
    def key(self) -> tuple[AccountId, EventId]:
        """What the claim is known by."""
        return self.account_id, self.event_id


class Claims(Protocol):
    """Where claims are kept, for as long as events are."""

    def find(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[tuple[AccountId, EventId], Claim]:
        """The claims that exist, read consistently; raises Unavailable."""
        ...

    def take(self, claims: Sequence[Claim]) -> bool:
        """Store all of them, or none and False if one is there already; raises Unavailable."""
        ...

    def mark_sent(self, claims: Sequence[Claim]) -> None:
        """Note that SQS holds these events; raises Unavailable."""
        ...


class KeptEvents(Protocol):
    """Where routed events are kept."""

    def kept(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[tuple[AccountId, EventId], Event]:
        """Those of the events that are kept; raises Unavailable."""
        ...


class Accounts(Protocol):
    """The accounts that an operator may name."""

    def existing(self, account_ids: Collection[AccountId]) -> set[AccountId]:
        """Those of them that exist; raises Unavailable. Each has the form of an account's id."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """One event of a request: its id, and whether it had been accepted before."""

    event_id: EventId
    duplicate: bool

    def to_json(self) -> dict[str, Json]:
        """The event's part of the 202."""
        return {"id": self.event_id, "duplicate": self.duplicate}


@dataclass(frozen=True, slots=True)
class _Entry:
    """An event of the request on its way; `claimed` if a repeat is to be recognised.

    `former_digest` is what a release that counts otherwise would have claimed, `named_by` the
    field that its id comes from.
    """

    claim: Claim
    draft: EventDraft
    claimed: bool
    former_digest: str
    named_by: str


class _Refused(Exception):
    """What is wrong with some entries, by their places; nothing has been sent of any."""

    def __init__(self, errors: Mapping[int, FieldError]) -> None:
        super().__init__("entries are wrong")
        self.errors = errors


def send_events(
    queue: Queue, events: Mapping[tuple[AccountId, EventId], Event]
) -> set[tuple[AccountId, EventId]]:
    """Send them to EventQueue, each account's together; the keys of those that SQS does not hold.

    Nothing is claimed: for events of which nobody else has the id.
    """
    encode = EventEncoder()
    messages: list[EventMessage] = []
    for account_id in dict.fromkeys(account_id for account_id, _ in events):
        own = [event for (owner, _), event in events.items() if owner == account_id]
        messages += [
            EventMessage(account_id=account_id, events=chunk)
            for chunk in chunks(own, encode=encode)
        ]
    sent = queue.send(
        [Outgoing(write_event_message(message, encode), message.account_id) for message in messages]
    )
    return {
        (message.account_id, event.id)
        for message, held in zip(messages, sent, strict=True)
        if not held
        for event in message.events
    }


class Acceptance:
    """Events taken in: those of `POST /v1/events`, all or none; those of the inbox, each by itself.

    An event that comes without an id has one made up, or derived from what names its request or
    message, so that a repeat is known.
    """

    def __init__(
        self,
        *,
        claims: Claims,
        kept_events: KeptEvents,
        accounts: Accounts,
        queue: Queue,
        check_data: DataCheck,
        journal: Journal,
        clock: Callable[[], int],
    ) -> None:
        self._check_data = check_data
        self._journal = journal
        self._claims = claims
        self._kept_events = kept_events
        self._accounts = accounts
        self._queue = queue
        self._clock = clock

    def accept(self, caller: Caller, body: bytes, headers: Mapping[str, str]) -> Json:
        """The 202's body: `{"id", "duplicate"}`, or `{"events": […]}` of them for a list.

        `headers` are the request's by their lower-case names: `content-type` and those of
        CloudEvents say what the body is, `idempotency-key` makes a repeat of it harmless.
        Raises Problem, and Unavailable: then the request is to be sent again, and nothing has been
        sent but what a 503's `events` say.
        """
        caller.require(Scope.EVENTS)
        idempotency_key = headers.get("idempotency-key")
        if idempotency_key is not None and not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
            detail = "must be 1 to 255 visible ASCII characters"
            raise invalid([FieldError("Idempotency-Key", detail)])
        request = read_request(body, headers, self._check_data)
        drafts = request.drafts
        named = [(draft.field("account_id"), draft.account_id) for draft in drafts]
        accounts = caller.acting_for_each(named, self._existing)
        now = self._clock()
        # A repeat with more or fewer events is another request under the same key.
        suffix = "" if idempotency_key is None else f"/{len(drafts)}"
        entries = [
            _entry(draft, account_id, now, position, idempotency_key, suffix, "Idempotency-Key")
            for position, (draft, account_id) in enumerate(zip(drafts, accounts, strict=True))
        ]
        try:
            accepted = self._accepted(entries)
        except _Refused as refused:
            raise invalid(list(dict.fromkeys(refused.errors.values()))) from None
        shown: list[Json] = [one.to_json() for one in accepted]
        return {"events": shown} if request.bulk else shown[0]

    def accept_each(
        self, drafts: Mapping[int, EventDraft], message_id: str
    ) -> dict[int, Accepted | FieldError]:
        """Events of one message, each accepted or refused by itself; each names its account.

        `drafts` has them by their places in the message: from both the id of one that has none is
        derived. Raises Problem 503 and Unavailable: then all are to be given again, and what has
        been accepted is known by then.
        """
        entries, errors = self._of_message(drafts, message_id)
        results: dict[int, Accepted | FieldError] = {**errors}
        while entries:
            places = [*entries]
            try:
                accepted = self._accepted([*entries.values()])
            except _Refused as refused:
                results |= {places[one]: error for one, error in refused.errors.items()}
                entries = {place: one for place, one in entries.items() if place not in results}
                continue
            results |= zip(places, accepted, strict=True)
            break
        return results

    def accept_all(self, drafts: Mapping[int, EventDraft], message_id: str) -> Sequence[Accepted]:
        """As `accept_each`, but all or none; raises Problem and Unavailable.

        More than MAX_EVENTS are accepted in parts of so many, up to the first part that is not, of
        which none is. To give all of them again is harmless then, and needed.
        """
        entries, errors = self._of_message(drafts, message_id)
        if errors:
            raise invalid([*errors.values()])
        accepted: list[Accepted] = []
        for part in batched(entries.values(), MAX_EVENTS, strict=False):
            try:
                accepted += self._accepted(part, accepted)
            except _Refused as refused:
                before = f"{len(accepted)} events ahead of them are accepted; send all of it again."
                wrong = [*refused.errors.values()]
                raise invalid(wrong, before if accepted else None) from None
        return accepted

    def _of_message(
        self, drafts: Mapping[int, EventDraft], message_id: str
    ) -> tuple[dict[int, _Entry], dict[int, FieldError]]:
        """Those whose accounts there are, and what is wrong with the others."""
        entries: dict[int, _Entry] = {}
        errors: dict[int, FieldError] = {}
        if not drafts:
            return entries, errors
        existing = self._existing([AccountId(one.account_id or "") for one in drafts.values()])
        now = self._clock()
        for place, draft in drafts.items():
            account_id = AccountId(draft.account_id or "")
            if account_id in existing:
                field = draft.field("id")
                key = f"{_INBOX}{message_id}"
                entries[place] = _entry(draft, account_id, now, place, key, "", field)
            else:
                wrong = "names no account" if account_id else "is required"
                errors[place] = FieldError(draft.field("account_id"), wrong)
        return entries, errors

    def _accepted(
        self, entries: Sequence[_Entry], ahead: Sequence[Accepted] = ()
    ) -> list[Accepted]:
        """What became of them, all sent; raises _Refused, Problem and Unavailable.

        A problem tells of those, too, that were accepted ahead of them.
        """
        recognised = self._recognised(entries)
        return self._send(recognised, self._claim(recognised), ahead)

    def _recognised(self, entries: Sequence[_Entry]) -> list[_Entry]:
        """The entries, with those under an id that we made up known as accepted before.

        Only the event that has it may come again under such an id, as it is shown; another would
        be sent in its place.
        """
        own = {entry.claim.key for entry in entries if is_own(entry.draft.id or "")}
        if not own:
            return [*entries]
        kept = self._kept_events.kept(own)
        errors = {}
        recognised = []
        for position, entry in enumerate(entries):
            key = entry.claim.key
            if key not in own:
                recognised.append(entry)
            elif key in kept and kept[key].digest() == entry.claim.digest:
                again = replace(entry, claim=replace(entry.claim, sent=True), claimed=False)
                recognised.append(again)
            else:
                detail = f"must not begin with {one_of(OWN_BEGINNINGS)}, as ids made here do"
                errors[position] = FieldError(entry.draft.field("id"), detail)
        if errors:
            raise _Refused(errors)
        return recognised

    def _existing(self, named: Collection[AccountId]) -> set[AccountId]:
        return self._accounts.existing({one for one in named if is_account_id(one)})

    def _claim(self, entries: Sequence[_Entry]) -> Mapping[tuple[AccountId, EventId], Claim]:
        """The claim that holds for each claimed event: the one on record, or now taken."""
        wanted: dict[tuple[AccountId, EventId], Claim] = {}
        for entry in entries:
            if entry.claimed:
                wanted.setdefault(entry.claim.key, entry.claim)
        if not wanted:
            return {}
        _check_bodies(entries, wanted)
        # A second look is needed only if another request took one of the ids in between.
        for _ in range(3):
            found = self._claims.find(wanted.keys())
            _check_bodies(entries, found)
            missing = [claim for key, claim in wanted.items() if key not in found]
            if not missing or self._claims.take(missing):
                return {**wanted, **found}
        raise unavailable("Other requests with the same event ids are under way.")

    def _send(
        self,
        entries: Sequence[_Entry],
        found: Mapping[tuple[AccountId, EventId], Claim],
        ahead: Sequence[Accepted],
    ) -> list[Accepted]:
        to_send: dict[tuple[AccountId, EventId], Event] = {}
        results: list[Accepted] = []
        for entry in entries:
            key = entry.claim.key
            claim = found.get(key, entry.claim)
            duplicate = claim.sent or key in to_send
            results.append(Accepted(claim.event_id, duplicate))
            if not duplicate:
                to_send[key] = _event(entry.draft, claim)
        failed = send_events(self._queue, to_send)
        marked = [
            replace(claim, sent=True)
            for key, claim in found.items()
            if key in to_send and key not in failed
        ]
        if marked:
            self._mark_sent(marked)
        if failed:
            raise _partly_failed(entries, results, failed, ahead)
        return results

    def _mark_sent(self, claims: Sequence[Claim]) -> None:
        try:
            self._claims.mark_sent(claims)
        except Unavailable as error:
            # SQS holds the events, and a repeat merely sends them again: the 202 stands.
            self._journal.fault("claims_not_marked", detail=str(error))


def _check_bodies(
    entries: Iterable[_Entry], claims: Mapping[tuple[AccountId, EventId], Claim]
) -> None:
    errors = {}
    for position, entry in enumerate(entries):
        claim = claims.get(entry.claim.key) if entry.claimed else None
        if claim is not None and claim.digest not in (entry.claim.digest, entry.former_digest):
            errors[position] = FieldError(entry.named_by, "was used before with another body")
    if errors:
        raise _Refused(errors)


def _entry(
    draft: EventDraft,
    account_id: AccountId,
    now: int,
    place: int,
    key: str | None,
    suffix: str,
    key_field: str,
) -> _Entry:
    """`key`, of `key_field`, names what the event came in, None: nothing does.

    `suffix` goes with its digest.
    """
    accepted_at = now + place
    digest, former_digest = draft.digest(), draft.former_digest()
    if draft.id is not None:
        event_id = draft.id
    elif key is not None:
        event_id = event_id_for_key(account_id, key, place)
        digest, former_digest = f"{digest}{suffix}", f"{former_digest}{suffix}"
    else:
        event_id = new_event_id(accepted_at)
    claim = Claim(account_id=account_id, event_id=event_id, digest=digest, accepted_at=accepted_at)
    claimed = draft.id is not None or key is not None
    named_by = key_field if draft.id is None else draft.field("id")
    return _Entry(claim, draft, claimed, former_digest, named_by)


def _event(draft: EventDraft, claim: Claim) -> Event:
    return Event(
        id=claim.event_id,
        type=draft.type,
        accepted_at=claim.accepted_at,
        occurred_at=draft.occurred_at,
        program_id=draft.program_id,
        data=draft.data,
    )


def _partly_failed(
    entries: Sequence[_Entry],
    results: Sequence[Accepted],
    failed: set[tuple[AccountId, EventId]],
    ahead: Sequence[Accepted],
) -> Problem:
    events: list[Json] = [one.to_json() | {"accepted": True} for one in ahead]
    events += [
        result.to_json() | {"accepted": entry.claim.key not in failed}
        for entry, result in zip(entries, results, strict=True)
    ]
    return unavailable("Some events could not be queued.", {"events": events})
