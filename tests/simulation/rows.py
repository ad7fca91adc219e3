"""What a dispatcher's batch had to become: the table of docs/architecture.md, read once more.

Judged when an invocation has answered, from what its ports have told it: which row holds for each
message, what the log had to be given, down to each attempt's members, and what had to be left.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.delivery import Attempt, Change, Delivery, DeliveryStatus, Reason
from perkwire.model.lanes import Lane
from perkwire.model.sending import NoResponse, Response, TransportError
from perkwire.model.webhook import DeletedWebhook, WebhookStatus
from perkwire.primitives.ids import DeliveryId, WebhookId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.timestamps import MICROSECONDS
from tests.simulation.endpoints import RETRY_AFTER_SECONDS, TIMEOUT_SECONDS
from tests.simulation.erasures import Erasures, States
from tests.simulation.model import (
    RETRY_INTERVAL_SECONDS,
    Notes,
    can_say,
    event_ids,
    most_attempts,
)
from tests.simulation.world import Call, Invocation, StillRunning, World

_INTERVAL = RETRY_INTERVAL_SECONDS * MICROSECONDS
_UNSENT = ("secret_unreadable", "delivery_unrenderable", "no_time_left", "attempt_crashed")
_AFTERWARDS_SECONDS = 1
_LONGEST = 43_200 - 60
_MOST_SPENT = 45  # seconds of an invocation
_STRAINED = 5  # attempts in a row

type _Entry = tuple[DeliveryId, DeliveryStatus, Reason | None, int]


@dataclass(frozen=True, slots=True)
class Row:
    """The entry that the log has to be given, if any, and whether the message is left.

    `left` None: it is left unless the log has stored the entry.
    """

    name: str
    status: DeliveryStatus | None
    reason: Reason | None
    left: bool | None
    only_due_later: bool = False


_SPENT = Row("spent", None, None, left=True)
_ENDED = {
    WebhookStatus.DELETED: Row("deleted", DeliveryStatus.CANCELLED, Reason.DELETED, None),
    WebhookStatus.DISABLED: Row("disabled", DeliveryStatus.CANCELLED, Reason.DISABLED, None),
    WebhookStatus.PAUSED: Row("paused", DeliveryStatus.FAILED, Reason.PAUSED, None),
}


@dataclass(frozen=True, slots=True)
class Tried:
    """A request that has come back, and the message that it was for."""

    state: WebhookState
    result: Response | NoResponse
    last: bool

    @property
    def success(self) -> bool:
        return isinstance(self.result, Response) and 200 <= self.result.status < 300


def states_of_deliveries(
    invocation: Invocation,
) -> dict[DeliveryId, Mapping[WebhookId, WebhookState | DeletedWebhook]]:
    """What was read of webhooks when each delivery was looked up, all at once or by itself."""
    found: dict[DeliveryId, Mapping[WebhookId, WebhookState | DeletedWebhook]] = {}
    states: Mapping[WebhookId, WebhookState | DeletedWebhook] = {}
    for call in invocation.calls:
        if call.error is None and call.name == "states":
            states = call.answer
        elif call.error is None and call.name == "find":
            found |= {delivery_id: states for _, delivery_id in call.arguments[0]}
    return found


class Rows:
    """`left` are the messages that the invocation has named."""

    def __init__(
        self, world: World, notes: Notes, left: Collection[str], erasures: Erasures
    ) -> None:
        self._world = world
        self._erasures = erasures
        self._notes = notes
        self._left = left
        called = notes.invocation.called
        # All at once, or, if something crashed that nobody foresaw, each delivery by itself.
        self._states_of = states_of_deliveries(notes.invocation)
        self._entries: dict[DeliveryId, Delivery] = notes.invocation.answers("find")
        self._requests = {
            call.arguments[0].headers["webhook-id"]: call for call in called("request")
        }
        self._faults: dict[str, list[Call]] = defaultdict(list)
        for fault in called("fault"):
            self._faults[fault.arguments[1].get("message_id", "")].append(fault)
        self._unstored: set[DeliveryId] = set()
        self._changes: list[Change] = []
        self._placeholders: list[Change] = []
        crashed: Counter[tuple[DeliveryId, int]] = Counter()
        for call in called("write"):
            # What nobody foresaw is tried again, each entry by itself.
            for change in call.arguments[0]:
                self._forget_one(change, crashed)
            if isinstance(call.error, RuntimeError):
                crashed.update(_entry_of(one) for one in call.arguments[0])
            self._placeholders += [one for one in call.arguments[0] if _is_placeholder(one)]
            changes = [one for one in call.arguments[0] if not _is_placeholder(one)]
            self._changes += changes
            if changes:
                self._unstored |= call.answer or {one.after.id for one in changes if call.error}
        self._hidden: dict[str, int] = {
            one.received.message_id: one.seconds
            for call in called("hide")
            for one in call.arguments[0]
        }
        self._first: dict[DeliveryId, str] = {}
        for message_id, message in notes.batch.items():
            if message is not None:
                first = self._first.setdefault(message["delivery_id"], message_id)
                if message["run"] > notes.batch[first]["run"]:  # type: ignore[index]
                    self._first[message["delivery_id"]] = message_id
        self._rows: dict[str, Row] = {}
        # Copies share the fate of the first: they come after it.
        for message_id in sorted(notes.batch, key=lambda one: one not in self._first.values()):
            self._rows[message_id] = self._row(message_id, notes.batch[message_id])

    def check(self) -> None:
        """Judge every message and every change."""
        wanted: Counter[_Entry] = Counter()
        for message_id, message in self._notes.batch.items():
            row = self._rows[message_id]
            self._world.say(f"  row {row.name}: {row.status or 'unchanged'} {row.reason or ''}")
            if (message_id in self._left) != self._is_left(message_id):
                self._violate(message_id, f"is {'' if message_id in self._left else 'not '}left")
            if message is not None and row.status is not None:
                wanted[message["delivery_id"], row.status, row.reason, message["run"]] += 1
                if not row.only_due_later:
                    self._check_said(message_id, message["delivery_id"])
        given: Counter[_Entry] = Counter(
            (one.after.id, one.after.status, one.after.reason, one.after.run)
            for one in self._changes
        )
        if given != wanted:
            self._world.violate(f"the log is given {[*given - wanted]} and not {[*wanted - given]}")
            return
        for change in self._changes:
            self._check_change(change)
        for message_id in self._notes.batch:
            self._check_hidden(message_id)

    def tried(self) -> list[Tried]:
        """The requests that have come back."""
        return [
            Tried(state, result, self._is_last(self._first[delivery_id]))
            for delivery_id in self._requests
            if (result := self._result(delivery_id))
            and (state := self._state(self._first[delivery_id]))
        ]

    def _forget_one(self, change: Change, crashed: Counter[tuple[DeliveryId, int]]) -> None:
        """A change that was given to the log in a write that crashed is given once more."""
        entry = _entry_of(change)
        if not crashed[entry]:
            return
        crashed[entry] -= 1
        self._unstored.discard(change.after.id)
        before = [one for one in self._changes if _entry_of(one) == entry]
        if before:
            self._changes.remove(before[0])

    def unsuccessful(self) -> list[tuple[WebhookState, DeliveryStatus]]:
        """What did not go through and stays in the queue, or has just left it for the dead."""
        found = []
        for message_id, row in self._rows.items():
            state = self._state(message_id)
            if row.left is True and row.status is not None and state is not None:
                found.append((state, row.status))
        return found

    def failed_unseen(self) -> Counter[WebhookId]:
        """How many of each webhook have failed without having been looked up."""
        return Counter(
            message["webhook_id"]
            for message_id, row in self._rows.items()
            if (message := self._notes.batch[message_id]) is not None
            and self._state(message_id) is None
            and row.status is DeliveryStatus.FAILED
        )

    def states(self) -> list[WebhookState]:
        """The webhooks of the batch, as they were read; again, what could not be read at first."""
        found: dict[WebhookId, WebhookState] = self._notes.invocation.answers("look_again")
        found |= {state.webhook.id: state for one in self._rows if (state := self._state(one))}
        return list(found.values())

    def _row(self, message_id: str, message: dict[str, Any] | None) -> Row:
        if message is None:
            return Row("unreadable", None, None, left=True)
        found = self._found(message_id)
        delivery_id = message["delivery_id"]
        if found is None:
            looked_up = delivery_id in self._states_of
            return self._unavailable(message_id, "absent" if looked_up else "not looked up")
        if message_id != self._first[delivery_id]:
            return Row("doubled", None, None, left=self._is_left(self._first[delivery_id]))
        entry = self._entries.get(delivery_id)
        if entry and (entry.status is DeliveryStatus.SUCCEEDED or entry.run > message["run"]):
            return Row("settled", None, None, left=False)
        if isinstance(found, DeletedWebhook):
            return _ENDED[WebhookStatus.DELETED]
        if self._is_erased(message, entry):
            return Row("erased", DeliveryStatus.CANCELLED, Reason.ERASED, None)
        used_up = self._used_up(message_id, message, found, entry)
        if used_up is _SPENT and found.webhook.status is WebhookStatus.PAUSED:
            return used_up
        if found.webhook.status in _ENDED:
            return _ENDED[found.webhook.status]
        return used_up or self._sent(message_id, message, found)

    def _is_erased(self, message: dict[str, Any], entry: Delivery | None) -> bool:
        """Whether none of its events is left, by what was read or by what the log has of it."""
        if entry is not None and entry.reason is Reason.ERASED:
            return True
        read = self._states_of[message["delivery_id"]]
        asked = read.asked if isinstance(read, States) else 0
        return all(
            self._erasures.cover((message["account_id"], one), asked)
            or (entry is not None and (one in entry.erased or one not in entry.event_ids))
            for one in event_ids(message)
        )

    def _used_up(
        self,
        message_id: str,
        message: dict[str, Any],
        state: WebhookState,
        entry: Delivery | None,
    ) -> Row | None:
        """The row of a receive after the webhook's own last attempt, or after its failure."""
        told = self._notes.told[message_id]
        is_own = state.webhook.retry_delays_seconds is not None
        is_over = is_own and told > most_attempts(state.webhook, self._notes.parameters)
        known = entry if entry is not None and entry.run == message["run"] else None
        if known is not None and known.status is not DeliveryStatus.RETRYING:
            failed_at = known.spent_after
            return _SPENT if is_over or (failed_at is not None and told > failed_at) else None
        if not is_over:
            return None
        if known is not None and known.attempts:
            return Row("used up", DeliveryStatus.FAILED, None, left=True)
        reason = Reason.FORMAT if known is not None and known.reason else Reason.UNAVAILABLE
        return Row("never sent", DeliveryStatus.FAILED, reason, left=True)

    def _sent(self, message_id: str, message: dict[str, Any], state: WebhookState) -> Row:
        failed = DeliveryStatus.FAILED if self._is_last(message_id) else DeliveryStatus.RETRYING
        call = self._requests.get(message["delivery_id"])
        claims = [one for one in self._faults[message_id] if one.arguments[0] in _UNSENT]
        sayable = can_say(state.webhook, [event["type"] for event in message["events"]])
        if result := self._result(message["delivery_id"]):
            if not sayable or claims:
                self._violate(message_id, f"is sent in spite of {claims or 'its format'}")
            if Tried(state, result, last=False).success:
                return Row("accepted", DeliveryStatus.SUCCEEDED, None, left=False)
            name = "refused" if call is not None and call.error is None else "request_overdue"
            return Row(name, failed, None, left=True)
        if len(claims) != 1:
            self._violate(message_id, "is neither sent nor said to be unsent")
            return self._unavailable(message_id, "unexplained")
        what = claims[0].arguments[0]
        opened = [
            one.error
            for one in self._notes.invocation.called("open")
            if one.arguments[0].id == state.webhook.id and one.error is not None
        ]
        surprised = any(isinstance(one, RuntimeError) for one in opened)
        time_left = self._notes.invocation.deadline - claims[0].began + self._notes.invocation.skew
        true = {
            "secret_unreadable": any(isinstance(one, Unavailable) for one in opened),
            "delivery_unrenderable": surprised or not sayable,
            "no_time_left": time_left <= (TIMEOUT_SECONDS + _AFTERWARDS_SECONDS) * MICROSECONDS
            or any(isinstance(one, StillRunning) for one in opened),
            "attempt_crashed": call is not None and "simulated" in str(call.error),
        }
        if not true[what]:
            self._violate(message_id, f"is said to be unsent because of {what}")
        if what == "delivery_unrenderable":
            return Row(what, failed, Reason.FORMAT, left=True)
        return self._unavailable(message_id, what)

    def _unavailable(self, message_id: str, name: str) -> Row:
        if self._is_last(message_id):
            return Row(name, DeliveryStatus.FAILED, Reason.UNAVAILABLE, left=True)
        message = self._notes.batch[message_id]
        entry = self._known(message["delivery_id"]) if message else None
        if message is None or entry is None or entry.run > message["run"]:
            return Row(name, None, None, left=True)
        if entry.status is not DeliveryStatus.RETRYING:
            return Row(name, None, None, left=True)
        return Row(name, DeliveryStatus.RETRYING, entry.reason, left=True, only_due_later=True)

    def _known(self, delivery_id: DeliveryId) -> Delivery | None:
        """The entry that was read, or made because there was none."""
        if delivery_id not in self._states_of or delivery_id in self._entries:
            return self._entries.get(delivery_id)
        made = [one.after for one in self._placeholders if one.after.id == delivery_id]
        return made[0] if made else None

    def _is_left(self, message_id: str) -> bool:
        message, row = self._notes.batch[message_id], self._rows[message_id]
        if row.left is not None or message is None:
            return row.left is not False
        return message["delivery_id"] in self._unstored

    def _is_last(self, message_id: str) -> bool:
        state, parameters = self._state(message_id), self._notes.parameters
        most = most_attempts(state.webhook, parameters) if state else parameters.max_attempts
        return self._notes.told[message_id] >= most

    def _state(self, message_id: str) -> WebhookState | None:
        found = self._found(message_id)
        return found if isinstance(found, WebhookState) else None

    def _found(self, message_id: str) -> WebhookState | DeletedWebhook | None:
        message = self._notes.batch[message_id]
        if message is None:
            return None
        return self._states_of.get(message["delivery_id"], {}).get(message["webhook_id"])

    def _check_said(self, message_id: str, delivery_id: DeliveryId) -> None:
        unlogged = [one.arguments[0] == "delivery_not_logged" for one in self._faults[message_id]]
        if any(unlogged) != (delivery_id in self._unstored):
            self._violate(message_id, f"is {'' if any(unlogged) else 'not '}said to be unlogged")

    def _check_change(self, change: Change) -> None:
        """The entry's times, and the attempt that it has to have, or not."""
        after, notes = change.after, self._notes
        skew = notes.invocation.skew
        if not notes.since + skew <= after.updated_at <= self._world.now + skew:
            self._world.violate(f"{after.id} was changed at another time")
        retrying = after.status is DeliveryStatus.RETRYING
        first = self._first[after.id]
        state = self._state(first)
        is_own = state is not None and state.webhook.retry_delays_seconds is not None
        asked = self._hidden.get(first)
        wait = asked * MICROSECONDS if is_own and asked is not None else _INTERVAL
        if after.due_at != (after.updated_at + wait if retrying else None):
            self._world.violate(f"{after.id} ({after.status}) is due at {after.due_at}")
        call = self._requests.get(after.id)
        wanted = None
        if call is not None and (result := self._result(after.id)):
            wanted = self._attempt(after.id, call.began, result)
        if change.attempt != wanted:
            self._world.violate(f"{after.id} is logged with {change.attempt} and not {wanted}")
        elif wanted is not None and after.attempts[-1:] != (wanted,):
            self._world.violate(f"{after.id} has {wanted} and does not end with it")

    def _check_hidden(self, message_id: str) -> None:
        """SQS is told when a message comes again where a schedule says it, and nowhere else."""
        asked, wanted = self._hidden.get(message_id), None
        if message_id in self._left:
            wanted = self._delay(message_id)
            if wanted is None and asked is not None and self._may_be_spread(message_id):
                is_late = asked >= RETRY_INTERVAL_SECONDS - _MOST_SPENT
                wanted = asked if is_late and asked <= 1.1 * RETRY_INTERVAL_SECONDS else None
        if asked is None or wanted is None:
            if asked != wanted:
                self._violate(message_id, f"is hidden for {asked} and not for {wanted}")
        elif not min(wanted, _LONGEST - _MOST_SPENT) <= asked <= min(wanted * 1.1, _LONGEST):
            self._violate(message_id, f"is hidden for {asked} seconds and not for {wanted}")

    def _may_be_spread(self, message_id: str) -> bool:
        """Whether it failed under the stack's rule, at a webhook that is strained."""
        state, row = self._state(message_id), self._rows[message_id]
        if state is None or row.name not in ("refused", "request_overdue"):
            return False
        strains = (
            call.answer if isinstance(call.answer, int) else call.answer.strain
            for name in ("add_failures", "add_slow")
            for call in self._notes.invocation.called(name)
            if call.error is None and call.arguments[0].id == state.webhook.id
        )
        is_strained = state.webhook.lane is Lane.SLOW or any(one >= _STRAINED for one in strains)
        return is_strained and not self._is_last(message_id)

    def _delay(self, message_id: str) -> int | None:
        """What the schedule says, without what spreads it."""
        row, state = self._rows[message_id], self._state(message_id)
        if row.name in ("spent", "used up"):
            return 0
        delays = state.webhook.retry_delays_seconds if state is not None else None
        if delays is None or row.left is None or row.name == "absent":
            return None
        if self._is_last(message_id):
            return 0
        delay = delays[self._notes.told[message_id] - 1]
        if row.name in ("secret_unreadable", "no_time_left", "attempt_crashed"):
            return delay if delay > RETRY_INTERVAL_SECONDS else None
        message = self._notes.batch[message_id]
        result = self._result(message["delivery_id"]) if message is not None else None
        asks = isinstance(result, Response) and result.status in (429, 503)
        return max(delay, RETRY_AFTER_SECONDS) if asks else delay

    def _result(self, delivery_id: DeliveryId) -> Response | NoResponse | None:
        """What has come of a request, if there was one: a time-out, if it is still under way."""
        call = self._requests.get(delivery_id)
        if call is None or not isinstance(call.error, StillRunning):
            result: Response | NoResponse | None = call.answer if call is not None else None
            return result
        for fault in self._faults[self._first[delivery_id]]:
            if fault.arguments[0] == "request_overdue":
                return NoResponse(TransportError.TIMEOUT, (fault.began - call.began) // 1000)
        return None

    def _attempt(self, delivery_id: DeliveryId, at: int, result: Response | NoResponse) -> Attempt:
        """The try as it was seen; its number goes on from the log's and from what SQS counted."""
        entry = self._entries.get(delivery_id)
        number = self._notes.told[self._first[delivery_id]]
        if entry is not None and entry.attempts:
            number = max(number, entry.attempts[-1].number + 1)
        message = self._notes.batch[self._first[delivery_id]]
        run = message["run"] or None if message else None
        if isinstance(result, NoResponse):
            ms, error = result.duration_ms, result.error
            return Attempt(number=number, at=at, duration_ms=ms, error=error, run=run)
        return Attempt(
            number=number,
            at=at,
            duration_ms=result.duration_ms,
            status_code=result.status,
            response=None if 200 <= result.status < 300 else result.snippet,
            run=run,
        )

    def _violate(self, message_id: str, what: str) -> None:
        message = self._notes.batch[message_id]
        delivery_id = message["delivery_id"] if message else "unreadable"
        self._world.violate(f"{message_id} ({delivery_id}) {what}; {self._rows.get(message_id)}")


def overran(invocation: Invocation, *names: str) -> bool:
    """Whether one of these calls took longer than was waited for."""
    return any(
        isinstance(call.error, StillRunning) for name in names for call in invocation.called(name)
    )


def _entry_of(change: Change) -> tuple[DeliveryId, int]:
    return change.after.id, change.after.run


def _is_placeholder(change: Change) -> bool:
    """Whether it is only there to become overdue, if what comes next is burnt."""
    after = change.after
    first = change.before is None and change.attempt is None
    return first and after.status is DeliveryStatus.RETRYING and after.reason is None
