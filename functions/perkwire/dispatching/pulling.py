"""Pulling: what waits for a webhook that nobody can call, given to whoever calls for it.

Places are read in their order, and what comes behind a gap is not given before it is known that
nobody is writing there any more. Asking behind a place says that all up to it has been taken.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from perkwire.dispatching.signing import Signed, SignedAs, Unsigned
from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.messages import DeliveryMessage, EventEncoder
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.standing import ReadableLists, Standing, standing_of
from perkwire.model.waiting import BeingWritten, ListEnd, WaitingDelivery, WaitingPage
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId
from perkwire.primitives.problem import FieldError, conflict, invalid
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS

LONGEST_WAIT_SECONDS = 20
MOST_EVENT_BYTES = 500_000
"""Of the events of one answer, unless a single delivery has more: Lambda is asked with 6 MB."""
MOST_BYTES = 2_000_000
"""Of an answer, unless a single request has more: Lambda answers with 6 MB."""

_LOOK_SECONDS = 1.0  # from one look at the list's end to the next
_WAITS = (DeliveryStatus.WAITING, DeliveryStatus.PULLED)
_MOST_TURNS = 10  # in one look, of which there was nothing to give


class Lists(ReadableLists, Protocol):
    """The lists of what waits."""

    def end(self, account_id: AccountId, webhook_id: WebhookId) -> ListEnd:
        """Where the list ends, read consistently; raises Unavailable."""
        ...

    def page_at(
        self, account_id: AccountId, webhook_id: WebhookId, last: int
    ) -> WaitingPage | None:
        """The page that ends at a place; None: there is none, and none is being written.

        Raises BeingWritten, Unavailable.
        """
        ...

    def entry(self, account_id: AccountId, delivery_id: DeliveryId) -> Delivery | None:
        """A log entry; None: there is none, and none is being written.

        Raises BeingWritten, Unavailable.
        """
        ...

    def take(self, account_id: AccountId, webhook_id: WebhookId, through: int, now: int) -> None:
        """Note that all up to a place have been taken, unless more have; raises Unavailable."""
        ...

    def settle(
        self,
        entry: Delivery,
        status: DeliveryStatus,
        reason: Reason | None,
        erased: Sequence[EventId],
        now: int,
    ) -> None:
        """Note what became of an entry at its turn, unless it waits elsewhere.

        Raises Unavailable.
        """
        ...


class Log(Protocol):
    """The log."""

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        """The entries that exist, read consistently; raises Unavailable."""
        ...


class Events(Protocol):
    """The kept events."""

    def find_all(
        self, keys: Collection[tuple[AccountId, EventId]]
    ) -> Mapping[EventId, RoutedEvent]:
        """Those of the events that are still kept; raises Unavailable."""
        ...


class Signer(Protocol):
    """What renders and signs; it alone can open secrets."""

    def sign(self, messages: Sequence[DeliveryMessage], most_bytes: int) -> Sequence[SignedAs]:
        """Of each message of one webhook the request, or why there is none; raises Unavailable.

        Of the first of them, one at least, if all would be more than `most_bytes` of an answer.
        """
        ...


class Waits(Protocol):
    """How many calls wait at a time: bounded for each account, and for all together."""

    def begin(self, account_id: AccountId, now: int, until: int) -> Callable[[], None] | None:
        """A place to wait until then, to be given back by a call; None: there is none.

        Raises Unavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pull:
    """What is asked for. `after` None: whatever has not been taken."""

    after: int | None
    limit: int
    wait_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Pulled:
    """What is given, each with the place that it waits at; `through` is where to go on behind."""

    given: Sequence[tuple[int, DeliveryId, Signed]]
    through: int

    def first(self, many: int) -> "Pulled":
        """The first so many of them, behind which it goes on."""
        if many >= len(self.given):
            return self
        return Pulled(self.given[:many], self.given[many - 1][0])

    def items(self) -> list[dict[str, Json]]:
        """As the API answers them."""
        return [
            {"delivery_id": delivery_id, "headers": {**signed.headers}, "body": signed.body}
            for _, delivery_id, signed in self.given
        ]


class Pulling:
    """Of one webhook at a time. `clock` gives microseconds since the epoch."""

    def __init__(
        self,
        *,
        lists: Lists,
        log: Log,
        events: Events,
        signer: Signer,
        waits: Waits,
        sleep: Callable[[float], None],
        clock: Callable[[], int],
    ) -> None:
        self._lists = lists
        self._log = log
        self._events = events
        self._signer = signer
        self._waits = waits
        self._sleep = sleep
        self._clock = clock

    def pull(self, webhook: Webhook, asked: Pull) -> Pulled:
        """What waits behind a place, and note that all up to it has been taken.

        Raises Problem, and Unavailable: then nothing has been passed over.
        """
        if not webhook.is_pulled:
            raise conflict("The webhook is not pulled: its deliveries are posted to its URL.")
        if webhook.status is not WebhookStatus.ENABLED:
            raise conflict(f"The webhook is {webhook.status}; enable it first.")
        begin = self._begin(webhook, asked.after)
        pulled = self._given(webhook, begin, asked.limit)
        if pulled.given or not asked.wait_seconds:
            return pulled
        now = self._clock()
        until = now + asked.wait_seconds * MICROSECONDS
        end = self._waits.begin(webhook.account_id, now, until)
        if end is None:
            return pulled
        try:
            while not pulled.given and self._clock() < until:
                self._wait(webhook, pulled.through, until)
                pulled = self._given(webhook, pulled.through, asked.limit)
        finally:
            end()
        return pulled

    def standing(self, webhook: Webhook) -> Standing | None:
        """How far a webhook has been pulled; None of one that is not. Raises Unavailable."""
        if not webhook.is_pulled:
            return None
        end = self._lists.end(webhook.account_id, webhook.id)
        return standing_of(self._lists, webhook, end)

    def _last(self, webhook: Webhook) -> int:
        return self._lists.end(webhook.account_id, webhook.id).last

    def _begin(self, webhook: Webhook, after: int | None) -> int:
        taken = self._lists.taken(webhook.account_id, webhook.id)
        if after is None:
            return taken.through
        if after > taken.through:
            if after > self._last(webhook) and not self._lists.pages(
                webhook.account_id, webhook.id, after=after - 1, limit=1
            ):
                raise invalid([FieldError("after", "must be the next_cursor of an earlier pull")])
            self._lists.take(webhook.account_id, webhook.id, after, self._clock())
        return after

    def _wait(self, webhook: Webhook, through: int, until: int) -> None:
        """Until something may have come, or the time is up: one small read a second."""
        at_first = self._last(webhook)
        while (now := self._clock()) < until:
            self._sleep(min(_LOOK_SECONDS, (until - now) / MICROSECONDS))
            last = self._last(webhook)
            if last > max(at_first, through) or at_first > through:
                return

    def _given(self, webhook: Webhook, begin: int, limit: int) -> Pulled:
        given: list[tuple[int, DeliveryId, Signed]] = []
        through = begin
        for _ in range(_MOST_TURNS):
            turn = self._turn(webhook, through, limit)
            if not turn:
                break
            before = through
            given, through = self._signed(webhook, turn)
            if given or through == before:
                break
        return Pulled(given, through)

    def _turn(self, webhook: Webhook, begin: int, limit: int) -> list[tuple[int, WaitingDelivery]]:
        """The next deliveries behind a place, each with its own, as far as all of them are there.

        None whose slot has not come, and none behind it.
        """
        now = self._clock()
        turn: list[tuple[int, WaitingDelivery]] = []
        for page in self._pages(webhook, begin, limit):
            for place, one in enumerate(page.deliveries, page.first):
                if place <= begin:
                    continue
                if one.not_before is not None and one.not_before > now:
                    return turn
                turn.append((place, one))
                if len(turn) == limit:
                    return turn
        return turn

    def _pages(self, webhook: Webhook, begin: int, limit: int) -> Iterator[WaitingPage]:
        """Pages behind a place, up to one ahead of which another is being written."""
        expected = begin + 1
        found = self._lists.pages(webhook.account_id, webhook.id, after=begin, limit=limit)
        for page in found:
            if page.first > expected:
                try:
                    yield from self._between(webhook, expected, page.first)
                except BeingWritten:
                    return
            yield page
            expected = page.last + 1

    def _between(self, webhook: Webhook, expected: int, first: int) -> list[WaitingPage]:
        """What was missed of the places from one to another, or is no longer kept.

        Raises BeingWritten. From the last of them back to one that is no longer kept: a writer
        needs that what is ahead of its page has been decided, so what is ahead of an old page is
        old.
        """
        missed: list[WaitingPage] = []
        last = first - 1
        while last >= expected:
            page = self._lists.page_at(webhook.account_id, webhook.id, last)
            if page is None:
                break
            missed.insert(0, page)
            last = page.first - 1
        return missed

    def _signed(
        self, webhook: Webhook, turn: Sequence[tuple[int, WaitingDelivery]]
    ) -> tuple[list[tuple[int, DeliveryId, Signed]], int]:
        """Those of the deliveries that can be given, and up to which place that is all."""
        account_id = webhook.account_id
        entries: dict[DeliveryId, Delivery | None] = {
            **self._log.find({(account_id, one.id) for _, one in turn})
        }
        kept = self._events.find_all(
            {(account_id, event_id) for _, one in turn for event_id in one.event_ids}
        )
        messages: list[tuple[int, DeliveryMessage]] = []
        encode, size, through = EventEncoder(), 0, turn[0][0] - 1
        for place, one in turn:
            try:
                entry = entries[one.id] = self._entry(webhook, one, entries.get(one.id))
            except BeingWritten:
                break
            message = None
            if entry is None or (entry.status in _WAITS and entry.place == place):
                message = self._message(webhook, one, entry, kept)
            if message is not None:
                size += sum(len(encode(event)) for event in message.events)
                if messages and size > MOST_EVENT_BYTES:
                    break
                messages.append((place, message))
            through = place
        if not messages:
            return [], through
        given: list[tuple[int, DeliveryId, Signed]] = []
        answers = self._signer.sign([message for _, message in messages], MOST_BYTES)
        if len(answers) < len(messages):
            through = messages[len(answers)][0] - 1
        for (place, message), signed in zip(messages, answers, strict=False):
            self._note(entries.get(message.delivery_id), signed)
            if isinstance(signed, Signed):
                given.append((place, message.delivery_id, signed))
        return given, through

    def _entry(
        self, webhook: Webhook, one: WaitingDelivery, found: Delivery | None
    ) -> Delivery | None:
        """The log entry, of which the page may be there ahead; raises BeingWritten.

        None: it is no longer kept.
        """
        if found is not None and found.run >= one.run:
            return found
        return self._lists.entry(webhook.account_id, one.id)

    def _message(
        self,
        webhook: Webhook,
        one: WaitingDelivery,
        entry: Delivery | None,
        kept: Mapping[EventId, RoutedEvent],
    ) -> DeliveryMessage | None:
        """The delivery as it would have been posted; None: there is nothing of it to give."""
        own = [
            kept[event_id].event
            for event_id in one.event_ids
            if event_id in kept and (entry is None or entry.may_carry(kept[event_id].event))
        ]
        left = [
            event
            for event in own
            if event.erased_at is None and not (entry is not None and event.id in entry.erased)
        ]
        if len(own) < len(one.event_ids):
            self._settle(entry, DeliveryStatus.FAILED, Reason.LOST)
            return None
        if not left:
            self._settle(entry, DeliveryStatus.CANCELLED, Reason.ERASED, one.event_ids)
            return None
        return DeliveryMessage(
            delivery_id=one.id,
            account_id=webhook.account_id,
            webhook_id=webhook.id,
            run=one.run,
            events=tuple(left),
        )

    def _note(self, entry: Delivery | None, signed: SignedAs) -> None:
        """Note in the log what was not given, or not whole."""
        match signed:
            case Unsigned.ERASED:
                erased = () if entry is None else entry.event_ids
                self._settle(entry, DeliveryStatus.CANCELLED, Reason.ERASED, erased)
            case Unsigned.UNRENDERABLE:
                self._settle(entry, DeliveryStatus.FAILED, Reason.FORMAT)
            case Signed(left_out=left_out) if left_out and entry is not None:
                gone = {*entry.erased, *left_out}
                erased = tuple(one for one in entry.event_ids if one in gone)
                if erased != entry.erased:
                    self._settle(entry, DeliveryStatus.WAITING, None, erased)

    def _settle(
        self,
        entry: Delivery | None,
        status: DeliveryStatus,
        reason: Reason | None,
        erased: Sequence[EventId] = (),
    ) -> None:
        if entry is not None:
            self._lists.settle(entry, status, reason, erased, self._clock())
