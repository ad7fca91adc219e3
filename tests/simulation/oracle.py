"""What must hold, judged from outside: a small model of what was accepted, matched and received.

It knows the queues' messages, the stores' contents and the endpoints' requests, and shares no code
with the router and the dispatcher: matching, batching and signatures are done again here.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from perkwire.dispatching.pulling import Pulled
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.lanes import Lane
from perkwire.model.sending import Request, Response
from perkwire.model.waiting import WaitingPage
from perkwire.model.webhook import Webhook, WebhookStatus, pull_url
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId
from perkwire.primitives.ids import delivery_id as id_of
from perkwire.primitives.queueing import Outgoing
from perkwire.primitives.timestamps import MICROSECONDS
from tests.fakes import FakeConfigItems, FakeDeliveryItems, FakeEventItems
from tests.simulation.endpoints import TIMEOUT_SECONDS
from tests.simulation.entries import Entries
from tests.simulation.erasures import Erasures, States, bare
from tests.simulation.lanes import Lanes
from tests.simulation.model import (
    EventKey,
    Key,
    Notes,
    Parameters,
    event_ids,
    is_signed,
    members,
    most_attempts,
)
from tests.simulation.notices import Notices
from tests.simulation.parts import Parts
from tests.simulation.pauses import Pauses
from tests.simulation.promises import Promises
from tests.simulation.pulls import Pulls, as_message
from tests.simulation.queues import Message, Receipt, SimulatedQueue
from tests.simulation.retries import is_overdue
from tests.simulation.routings import Routings
from tests.simulation.rows import Rows, overran, states_of_deliveries
from tests.simulation.slots import Slots
from tests.simulation.world import Call, Invocation, World

_HEALTH = ("add_failures", "add_slow", "end_streak", "pause", "move")
_NOTICES = ("look_again", "count_failed", "take_untold", "admit_notice", "give_back", "publish")


@dataclass(eq=False)
class Oracle:
    """Watches a run. What it finds goes to the world's violations."""

    world: World
    config: FakeConfigItems
    events: FakeEventItems
    deliveries: FakeDeliveryItems
    parameters: Parameters
    event_queue: SimulatedQueue
    pacing_queue: SimulatedQueue
    delivery_queue: SimulatedQueue
    slow_queue: SimulatedQueue
    job_queue: SimulatedQueue
    notes: dict[Invocation, Notes] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)
    most_tries: int = 0
    said: dict[EventKey, str] = field(default_factory=dict)
    accepted: set[EventKey] = field(default_factory=set)
    history: dict[WebhookId, list[tuple[int, Webhook]]] = field(default_factory=dict)
    urls: dict[str, WebhookId] = field(default_factory=dict)
    ids: dict[Key, DeliveryId] = field(default_factory=dict)
    keys: dict[DeliveryId, Key] = field(default_factory=dict)
    runs: set[tuple[DeliveryId, int]] = field(default_factory=set)
    taken: set[DeliveryId] = field(default_factory=set)
    delivered: set[DeliveryId] = field(default_factory=set)
    unlogged: set[DeliveryId] = field(default_factory=set)
    excused: dict[DeliveryId, int] = field(default_factory=dict)
    expired: set[EventKey] = field(default_factory=set)
    expired_runs: set[tuple[DeliveryId, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.routings = Routings(self.world, self.config, self.events, self.notes)
        self.slots = Slots(self.world, self.was)
        self.pauses = Pauses(self.world)
        self.erasures = Erasures(
            world=self.world,
            events=self.events,
            deliveries=self.deliveries,
            queue=self.job_queue,
            forgotten=self.routings.forgotten,
        )
        self.parts = Parts(self.world, self.keys, self.erasures)
        self.lanes = Lanes(self.world)
        self.promises = Promises(
            world=self.world,
            config=self.config,
            events=self.events,
            deliveries=self.deliveries,
            queue=self.job_queue,
            forgotten=self.routings.forgotten,
            runs=self.runs,
            parts=self.parts,
            history=self.history,
            erasures=self.erasures,
        )
        self.entries = Entries(
            self.world, self.promises, self.runs, self.taken, self._identify, self.parts
        )
        self.pulls = Pulls(self.world, self.deliveries)
        self.notices = Notices(self.world, self.parameters.notice_interval_minutes)
        self.configured(self.parameters)

    def configured(self, parameters: Parameters) -> None:
        """Functions that start from now on have these."""
        self.parameters = parameters
        self.most_tries = max(self.most_tries, parameters.max_attempts)

    def webhooks_changed(self) -> None:
        """Look at the webhooks again."""
        for webhook in self.config.webhooks.values():
            past = self.history.setdefault(webhook.id, [])
            if not past or past[-1][1] != webhook:
                before = past[-1][1] if past else None
                past.append((self.world.now, webhook))
                self.urls[webhook.url] = webhook.id
                if webhook.status is WebhookStatus.PAUSED:
                    self.notices.pauses[webhook.id] += 1
                if webhook.status is WebhookStatus.DELETED:
                    self.pauses.forgets(webhook)
                elif before is not None and _is_mended(before, webhook):
                    self.pauses.mended[webhook.id].append(webhook.version)
                    if webhook.lane is Lane.SLOW:
                        self.world.violate(f"{webhook.id} is mended and still strained")

    def was(self, webhook_id: WebhookId, since: int, check: Callable[[Webhook], bool]) -> bool:
        """Whether the webhook has been like this at any time since then."""
        past = self.history.get(webhook_id, [])
        earlier = [webhook for at, webhook in past if at <= since][-1:]
        return any(map(check, earlier + [webhook for at, webhook in past if at > since]))

    def noted(self) -> Notes | None:
        return self.notes.get(self.world.current) if self.world.current else None

    # Ingest

    def accepts(self, account_id: AccountId, event_id: EventId, said: str) -> None:
        """A 202 for an event."""
        key = (account_id, event_id)
        known = key in self.events.events or key in self.routings.forgotten | self.expired
        if not known and key not in self.unrouted():
            self.world.violate(f"{event_id} is 202 and nobody has it")
        self.accepted.add(key)
        self._says(account_id, event_id, said)

    def _says(self, account_id: AccountId, event_id: EventId, said: str) -> None:
        if self.said.setdefault((account_id, event_id), said) != said:
            self.world.violate(f"{event_id} says two different things")

    def unrouted(self) -> set[EventKey]:
        """The events in EventQueue and its dead-letter queue."""
        parsed = [members(body) for body in self.event_queue.bodies()]
        return {
            (message["account_id"], one)
            for message in parsed
            if message
            for one in event_ids(message)
        }

    def expires(self, body: str) -> None:
        """A message has been in its queue for longer than SQS keeps it."""
        message = members(body)
        if message is None:
            return
        if "job_id" in message:
            self.promises.answered.discard(message["job_id"])
            self.erasures.answered.discard(message["job_id"])
        elif "delivery_id" in message:
            self.expired_runs.add((message["delivery_id"], message["run"]))
        else:
            self.expired |= {(message["account_id"], one) for one in event_ids(message)}

    # Invocations of router and dispatcher

    def begins(self, invocation: Invocation, receipts: Sequence[Receipt]) -> None:
        self.notes[invocation] = Notes(
            invocation=invocation,
            since=self.world.now,
            parameters=self.parameters,
            batch={one.message.id: members(one.message.body) for one in receipts},
            told={one.message.id: one.receive_count for one in receipts},
            entries=dict(self.deliveries.entries),
        )

    def webhooks_read(self, account_id: AccountId) -> None:
        notes = self.noted()
        if notes is not None and notes.invocation.kind == "router":
            self.routings.reads(notes, account_id)

    def queues_delivery(self, lane: Lane | None, outgoing: Outgoing) -> None:
        """A message goes into the queue of a lane, or into PacingQueue."""
        message = members(outgoing.body)
        if message is None:
            self.world.violate("a delivery message is unreadable")
            return
        self.slots.sends(message, outgoing.delay_seconds, self._waited_for(message))
        self.runs.add((message["delivery_id"], message["run"]))
        since = self.world.current.started_at if self.world.current else self.world.now
        if (
            lane is not None
            and not self.was(
                message["webhook_id"], since, lambda webhook: lane is _lane_of(webhook)
            )
            and not (lane is Lane.PROMPT and self._is_unknown(message["account_id"]))
        ):
            self.world.violate(f"{message['delivery_id']} goes into the {lane} lane")
        invocation = self.world.current
        whole = self.parts.queued(message, invocation) if invocation is not None else None
        if not self._is_replayed(message, whole):
            self._identify(message["delivery_id"], (message["webhook_id"], event_ids(message)))
        for key in [(message["account_id"], event_id) for event_id in event_ids(message)]:
            if key not in self.events.events and key not in self.routings.forgotten:
                self.world.violate(f"{key[1]} is on its way and not kept")

    def has_wait(self, page: WaitingPage, entries: Sequence[Delivery]) -> None:
        """Deliveries come to the end of the list of a webhook that is pulled."""
        self.pulls.adds(page, entries)
        for entry in entries:
            message = as_message(entry, self.events.events)
            self.runs.add((entry.id, entry.run))
            is_whole = len(message["events"]) == len(entry.event_ids)
            if is_whole and not self._is_replayed(message, None):
                self._identify(entry.id, (entry.webhook_id, entry.event_ids))
            for key in [(entry.account_id, event_id) for event_id in entry.event_ids]:
                if key not in self.events.events and key not in self.routings.forgotten:
                    self.world.violate(f"{key[1]} waits and is not kept")
        for one in page.deliveries:
            self.slots.waits(page.webhook_id, (one.id, one.run), one.not_before)

    def is_given(
        self, webhook_id: WebhookId, after: int | None, pulled: Pulled, invocation: Invocation
    ) -> None:
        """A reader has got an answer of requests, as an endpoint gets one."""
        self.pulls.gives(webhook_id, after, pulled)
        asked = [call.answer.asked for call in invocation.called("states") if call.error is None]
        account_id = self.history[webhook_id][0][1].account_id
        for _, delivery_id, signed in pulled.given:
            request = Request(pull_url(webhook_id), signed.body.encode(), signed.headers)
            if not is_signed(request):
                self.world.violate(f"{delivery_id} is not signed")
            ids = self._read(request, webhook_id)
            self._identify(delivery_id, (webhook_id, ids))
            for event_id in ids:
                if asked and self.erasures.cover((account_id, event_id), asked[-1]):
                    self.world.violate(f"{event_id} had been erased and is given")

    def _waited_for(self, message: dict[str, Any]) -> set[int]:
        """The slots of what the router hands on as this one; routed twice, it has two."""
        notes = self.noted()
        run = (message["delivery_id"], message["run"])
        return {
            one["slot_at"]
            for one in (notes.batch.values() if notes else ())
            if one and "slot_at" in one and (one["delivery_id"], one["run"]) == run
        }

    def _is_unknown(self, account_id: AccountId) -> bool:
        """Whether it is handed on by a router that could not read the account's webhooks."""
        notes = self.noted()
        if notes is None or not any(one and "slot_at" in one for one in notes.batch.values()):
            return False
        return any(
            call.arguments[0] == account_id and (call.error is not None or call.answer is None)
            for call in notes.invocation.called("of_account")
        )

    def _is_replayed(self, message: dict[str, Any], whole: DeliveryId | None) -> bool:
        """Whether a worker of a replay queues it; `whole` is the delivery that it is a part of."""
        notes = self.noted()
        jobs = [one for one in notes.batch.values() if one and "job_id" in one] if notes else []
        if notes is None or not jobs:
            return False
        replayed = self.promises.sends(jobs[0], message, whole, notes.since)
        if replayed and message["delivery_id"] in self.keys:
            self.world.violate(f"{message['delivery_id']} is of a replay and of a routing")
        return replayed

    def _whole(self, delivery_id: DeliveryId, key: Key) -> Key:
        """The delivery's webhook and events, with those that were left out as they are erased."""
        if not self.erasures.asked:
            return key
        account_id = self.history[key[0]][0][1].account_id
        for known in (self.promises.replays, self.parts.keys, self.keys):
            if delivery_id in known:
                webhook_id, ids = whole = known[delivery_id]
                fits = self.erasures.fits(account_id, key[1], ids)
                return whole if webhook_id == key[0] and fits else key
        for webhook_id, ids in self.routings.possible:
            if webhook_id != key[0] or not self.erasures.fits(account_id, key[1], ids):
                continue
            _, at = self.erasures.said[account_id, ids[0]]
            if id_of(webhook_id, ids, at) == delivery_id:
                return webhook_id, ids
        return key

    def _identify(self, delivery_id: DeliveryId, key: Key) -> None:
        key = self._whole(delivery_id, key)
        if delivery_id in self.promises.replays:
            if self.promises.replays[delivery_id] != key:
                self.world.violate(f"{delivery_id} of a replay stands for {key}")
            return
        if delivery_id in self.parts.keys:
            if self.parts.keys[delivery_id] != key:
                self.world.violate(f"{delivery_id}, a part, stands for {key}")
            return
        if key not in self.routings.possible:
            self.world.violate(f"no routing makes {delivery_id} of {key}")
        if self.ids.setdefault(key, delivery_id) != delivery_id:
            self.world.violate(f"{key} goes by {delivery_id} and {self.ids[key]}")
        if self.keys.setdefault(delivery_id, key) != key:
            self.world.violate(f"{delivery_id} stands for {key} and {self.keys[delivery_id]}")

    # The log

    def told(self, after: Delivery, stored: bool) -> None:
        """What the dispatcher was told of a write."""
        notes = self.noted()
        if notes is None:
            return
        if not stored:
            notes.unstored.add(after.id)
            self.unlogged.add(after.id)
            return
        notes.unstored.discard(after.id)
        notes.stored[after.id].append(after)
        entry = self.deliveries.entries[after.id]
        overruled = entry.status is DeliveryStatus.SUCCEEDED or entry.run > after.run
        logged, wanted = ({*map(bare, one.attempts)} for one in (entry, after))
        if not overruled and not wanted <= logged:
            self.world.violate(f"{after.id} is said to be stored, without its attempts")

    def crashes(self, error: BaseException) -> None:
        """The handler has given its whole batch back."""
        if "simulated" not in str(error):
            self.world.violate(f"a batch has crashed with {error!r}")
        if notes := self.noted():
            notes.crashed = True

    # Endpoints

    def sends(self, request: Request) -> None:
        """The dispatcher is about to send a request."""
        invocation = self.world.current
        if invocation is None:
            return
        if invocation.deadline - self.world.time() < TIMEOUT_SECONDS * MICROSECONDS:
            self.world.violate(f"{request.headers['webhook-id']} is sent without time for it")
        if int(request.headers["webhook-timestamp"]) != self.world.clock() // MICROSECONDS:
            self.world.violate(f"{request.headers['webhook-id']} is signed with another time")
        self._check_not_erased(request)

    def _check_not_erased(self, request: Request) -> None:
        """Nobody sends what had been erased when it was looked up."""
        notes, webhook_id = self.noted(), self.urls[request.url]
        if notes is None or not self.erasures.asked:
            return
        states = states_of_deliveries(notes.invocation)
        read = states.get(DeliveryId(request.headers["webhook-id"]))
        account_id = self.history[webhook_id][0][1].account_id
        if not isinstance(read, States):
            return
        for event_id in self._read(request, webhook_id):
            if self.erasures.cover((account_id, event_id), read.asked):
                self.world.violate(f"{event_id} had been erased and is sent")

    def renews(self, first: Request, second: Request) -> None:
        """The dispatcher sends a second copy, as the kept connection of the first has ended."""
        delivery_id = first.headers["webhook-id"]
        said, again = ((one.url, one.body, one.headers["webhook-id"]) for one in (first, second))
        if said != again:
            self.world.violate(f"{delivery_id} has a second copy that says something else")
        if int(second.headers["webhook-timestamp"]) != self.world.clock() // MICROSECONDS:
            self.world.violate(f"{delivery_id} has a second copy that is not signed anew")

    def gets_unanswered(self, request: Request, taken: bool) -> tuple[DeliveryId, WebhookId]:
        """A request arrives at an endpoint whose connection ends: no attempt of its own."""
        delivery_id = DeliveryId(request.headers["webhook-id"])
        webhook_id = self.urls[request.url]
        ids = self._read(request, webhook_id)
        self._identify(delivery_id, (webhook_id, ids))
        if not is_signed(request):
            self.world.violate(f"{delivery_id} is not signed")
        if taken:
            self.taken.add(delivery_id)
        return delivery_id, webhook_id

    def gets(self, request: Request, taken: bool) -> None:
        """A request arrives at an endpoint."""
        delivery_id, webhook_id = self.gets_unanswered(request, taken)
        notes = self.noted()
        if notes is None:
            self.world.violate(f"{delivery_id} is sent by nobody")
            return
        self._may_be_sent(notes, delivery_id, webhook_id, request.url)

    def _read(self, request: Request, webhook_id: WebhookId) -> tuple[EventId, ...]:
        """The events of a request, which have to be those that were accepted."""
        body = json.loads(request.body)
        if "message" in body:  # as Zoho Thrive says it
            return (EventId(request.headers["webhook-event-id"]),)
        events = body["data"]["events"] if body["type"] == "batch" else [body]
        account_id = self.history[webhook_id][0][1].account_id
        for event in events:
            said = json.dumps([event["type"], event["program_id"], event["data"]])
            self._says(account_id, event["id"], said)
        return tuple(EventId(event["id"]) for event in events)

    def _may_be_sent(
        self, notes: Notes, delivery_id: DeliveryId, webhook_id: WebhookId, url: str
    ) -> None:
        own = {
            message_id: message["run"]
            for message_id, message in notes.batch.items()
            if message and message.get("delivery_id") == delivery_id
        }
        if not own:
            self.world.violate(f"{delivery_id} is sent without a message")
            return
        for message_id in own:
            self.tries[message_id] += len(own) == 1
            if self.tries[message_id] > self.most_tries:
                self.world.violate(f"{message_id} was tried more than {self.most_tries} times")
        notes.requests[delivery_id] += 1
        if notes.requests[delivery_id] > 1:
            self.world.violate(f"{delivery_id} is sent twice by one invocation")
        entry = notes.entries.get(delivery_id)
        if entry is not None and entry.status is DeliveryStatus.SUCCEEDED:
            self.world.violate(f"{delivery_id} had succeeded and is sent again")
        if entry is not None and entry.run > max(own.values()):
            self.world.violate(f"{delivery_id} is sent by a message of an older run")
        if not self.was(
            webhook_id,
            notes.since,
            lambda webhook: webhook.status is WebhookStatus.ENABLED and webhook.url == url,
        ):
            self.world.violate(f"{delivery_id} is sent to a webhook that is not enabled there")
        told = max(notes.told[message_id] for message_id in own)
        state = notes.invocation.answers("states").get(webhook_id)
        if isinstance(state, WebhookState):
            most = most_attempts(state.webhook, notes.parameters)
            least = min(notes.told[message_id] for message_id in own)
            if state.webhook.retry_delays_seconds is not None and least > most:
                self.world.violate(f"{delivery_id} is sent after its webhook's last attempt")
        else:
            most = notes.parameters.max_attempts
        again = told > 1 or told >= most
        logged = delivery_id in self.deliveries.entries or delivery_id in notes.unstored
        if len(own) == 1 and again and not logged:
            self.world.violate(f"{delivery_id} may be received no more and is not in the log")

    # Messages

    def answers(self, left: Sequence[str], queue: SimulatedQueue) -> None:
        """An invocation has named the messages that it leaves."""
        notes = self.noted()
        if notes is None:
            return
        if not set(left) <= notes.batch.keys():
            self.world.violate("messages are left that were not in the batch")
        elif notes.crashed:
            if set(left) != notes.batch.keys():
                self.world.violate("a batch has crashed and is not left")
        elif queue is self.event_queue:
            self.routings.check(notes)
        elif queue in (self.delivery_queue, self.slow_queue):
            rows = Rows(self.world, notes, left, self.erasures)
            rows.check()
            if not overran(notes.invocation, *_HEALTH):
                self.pauses.check(notes, rows)
                self.lanes.check(notes, rows)
                if not overran(notes.invocation, *_NOTICES):
                    self.notices.check(notes, rows)
            for message_id in left:
                self._check_not_lost(notes, message_id, queue)

    def _check_not_lost(self, notes: Notes, message_id: str, queue: SimulatedQueue) -> None:
        """While SQS will bring a message again, nobody may take its delivery for lost."""
        message, queued = notes.batch[message_id], queue.messages.get(message_id)
        if message is None or queued is None or queued.receives >= queue.max_receives:
            return
        entry = self.deliveries.entries.get(message["delivery_id"])
        if message["delivery_id"] not in self.entries.found():
            return  # nor could anything be told of it
        if entry is None or entry.run != message["run"] or entry.id in notes.unstored:
            return
        if is_overdue(entry, self.world.clock()):
            self.world.violate(f"{entry.id} reads as lost, and {message_id} comes again")

    def deletes(self, message: Message) -> None:
        """A message is about to be deleted because its invocation was done with it."""
        notes = self.noted()
        parsed = members(message.body)
        if parsed is None or notes is None:
            self.world.violate(f"{message.id} is unreadable and deleted")
        elif "job_id" in parsed and parsed["job_id"].startswith("ers_"):
            self.erasures.is_done(message.id, parsed)
        elif "job_id" in parsed:
            self.promises.is_done(message.id, parsed)
        elif "slot_at" in parsed:
            self.slots.is_done(message.id, parsed)
        elif "delivery_id" in parsed:
            self._delivery_done(notes, parsed)
        else:
            self.routings.is_done(notes, message, parsed)

    def _delivery_done(self, notes: Notes, message: dict[str, Any]) -> None:
        delivery_id, run = message["delivery_id"], message["run"]
        requests = notes.invocation.called("request")
        if any(_is_success(call) and _is_of(call, delivery_id) for call in requests):
            self.delivered.add(delivery_id)
            return
        for entry in (notes.entries.get(delivery_id), self.deliveries.entries.get(delivery_id)):
            if entry and (entry.status is DeliveryStatus.SUCCEEDED or entry.run > run):
                return
        for entry in notes.stored[delivery_id]:
            if self._rests(entry, notes.since):
                self.excused[delivery_id] = max(run, self.excused.get(delivery_id, 0))
                return
        self.world.violate(f"a message of {delivery_id} is deleted without a reason")

    def _rests(self, entry: Delivery, since: int) -> bool:
        """Whether it is cancelled by a person, or failed because of a pause, and rightly so."""
        if (entry.status, entry.reason) == (DeliveryStatus.CANCELLED, Reason.ERASED):
            return self.erasures.all_of(entry)
        wanted = {
            (DeliveryStatus.CANCELLED, Reason.DELETED): WebhookStatus.DELETED,
            (DeliveryStatus.CANCELLED, Reason.DISABLED): WebhookStatus.DISABLED,
            (DeliveryStatus.FAILED, Reason.PAUSED): WebhookStatus.PAUSED,
        }
        status = wanted.get((entry.status, entry.reason)) if entry.reason else None
        return status is not None and self.was(
            entry.webhook_id, since, lambda webhook: webhook.status is status
        )


def _lane_of(webhook: Webhook) -> Lane:
    """A webhook that is deleted has none: what is still on its way to it takes the prompt one."""
    return Lane.PROMPT if webhook.status is WebhookStatus.DELETED else webhook.lane


def _is_mended(before: Webhook, after: Webhook) -> bool:
    """Whether a person has changed what may have failed, or wants it tried again."""
    is_enabled = after.status is WebhookStatus.ENABLED and before.status is not after.status
    return is_enabled or (before.url, before.sealed) != (after.url, after.sealed)


def _is_success(call: Call) -> bool:
    return isinstance(call.answer, Response) and 200 <= call.answer.status < 300


def _is_of(call: Call, delivery_id: DeliveryId) -> bool:
    return bool(call.arguments[0].headers["webhook-id"] == delivery_id)
