"""What must hold, judged from outside: a small model of what was accepted, matched and received.

It knows the queues' messages, the stores' contents and the endpoints' requests, and shares no code
with the router and the dispatcher: matching, batching and signatures are done again here.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from perkwire.delivery import Delivery, DeliveryStatus, Reason
from perkwire.ids import AccountId, DeliveryId, EventId, WebhookId
from perkwire.sending import Request
from perkwire.webhook import Webhook, WebhookStatus
from tests.fakes import FakeConfigItems, FakeDeliveryItems, FakeEventItems
from tests.simulation.model import EventKey, Key, Notes, event_ids, is_signed, matches, members
from tests.simulation.notices import Notices
from tests.simulation.queues import Message, Receipt
from tests.simulation.world import Invocation, World

_LIVE = (WebhookStatus.ENABLED, WebhookStatus.PAUSED)


@dataclass(eq=False)
class Oracle:
    """Watches a run. What it finds goes to the world's violations."""

    world: World
    config: FakeConfigItems
    events: FakeEventItems
    deliveries: FakeDeliveryItems
    max_attempts: int
    notices: Notices
    queued_events: Callable[[], Sequence[str]]
    notes: dict[Invocation, Notes] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)
    said: dict[EventKey, str] = field(default_factory=dict)
    accepted: set[EventKey] = field(default_factory=set)
    routed: set[EventKey] = field(default_factory=set)
    history: dict[WebhookId, list[tuple[int, Webhook]]] = field(default_factory=dict)
    urls: dict[str, WebhookId] = field(default_factory=dict)
    contended: set[EventKey] = field(default_factory=set)
    possible: set[Key] = field(default_factory=set)
    owed: dict[Key, None] = field(default_factory=dict)
    ids: dict[Key, DeliveryId] = field(default_factory=dict)
    keys: dict[DeliveryId, Key] = field(default_factory=dict)
    taken: set[DeliveryId] = field(default_factory=set)
    delivered: set[DeliveryId] = field(default_factory=set)
    unlogged: set[DeliveryId] = field(default_factory=set)
    excused: dict[DeliveryId, int] = field(default_factory=dict)

    def webhooks_changed(self) -> None:
        """Look at the webhooks again."""
        for webhook in self.config.webhooks.values():
            past = self.history.setdefault(webhook.id, [])
            if not past or past[-1][1] != webhook:
                past.append((self.world.now, webhook))
                self.urls[webhook.url] = webhook.id
                if webhook.status is WebhookStatus.PAUSED:
                    self.notices.pauses[webhook.id] += 1

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
        if key not in self.events.events and key not in self.unrouted():
            self.world.violate(f"{event_id} is 202 and nobody has it")
        self.accepted.add(key)
        self._says(account_id, event_id, said)

    def _says(self, account_id: AccountId, event_id: EventId, said: str) -> None:
        if self.said.setdefault((account_id, event_id), said) != said:
            self.world.violate(f"{event_id} says two different things")

    def unrouted(self) -> set[EventKey]:
        """The events in EventQueue and its dead-letter queue."""
        parsed = [members(body) for body in self.queued_events()]
        return {
            (message["account_id"], one)
            for message in parsed
            if message
            for one in event_ids(message)
        }

    # Invocations of router and dispatcher

    def begins(self, invocation: Invocation, receipts: Sequence[Receipt]) -> None:
        self.notes[invocation] = Notes(
            since=self.world.now,
            batch={one.message.id: members(one.message.body) for one in receipts},
            told={one.message.id: one.receive_count for one in receipts},
            entries=dict(self.deliveries.entries),
        )

    def webhooks_read(self, account_id: AccountId) -> None:
        """The router has read an account's webhooks: what its messages have to become."""
        notes = self.noted()
        if notes is None:
            return
        webhooks = [
            one
            for one in self.config.webhooks.values()
            if one.account_id == account_id and one.status in _LIVE
        ]
        for message_id, message in notes.batch.items():
            if message is None or message["account_id"] != account_id:
                continue
            matched: dict[Key, Webhook] = {}
            for webhook in webhooks:
                wanted = [one["id"] for one in message["events"] if matches(webhook, one)]
                for start in range(0, len(wanted), webhook.batch_size):
                    ids = tuple(wanted[start : start + webhook.batch_size])
                    matched[webhook.id, ids] = webhook
            notes.matched[message_id] = matched
            self.possible |= matched.keys()
            own = {(account_id, event_id) for event_id in event_ids(message)}
            self.contended |= own & self._routed_beside(notes)

    def _routed_beside(self, own: Notes) -> set[EventKey]:
        """The events that other routers have in hand at this moment."""
        beside = [self.notes[one] for one in self.world.running if one in self.notes]
        return {
            (message["account_id"], event_id)
            for notes in beside
            if notes is not own
            for message in notes.batch.values()
            if message and "delivery_id" not in message
            for event_id in event_ids(message)
        }

    def queues_delivery(self, body: str) -> None:
        """A message goes into DeliveryQueue."""
        message = members(body)
        if message is None:
            self.world.violate("a delivery message is unreadable")
            return
        self._identify(message["delivery_id"], (message["webhook_id"], event_ids(message)))
        for event_id in event_ids(message):
            if (message["account_id"], event_id) not in self.events.events:
                self.world.violate(f"{event_id} is on its way and not kept")

    def _identify(self, delivery_id: DeliveryId, key: Key) -> None:
        if key not in self.possible:
            self.world.violate(f"no routing makes {delivery_id} of {key}")
        if self.ids.setdefault(key, delivery_id) != delivery_id:
            self.world.violate(f"{key} goes by {delivery_id} and {self.ids[key]}")
        if self.keys.setdefault(delivery_id, key) != key:
            self.world.violate(f"{delivery_id} stands for {key} and {self.keys[delivery_id]}")

    def logs(self, before: Delivery | None, after: Delivery | None) -> None:
        """An entry of the log was written."""
        if after is None:
            if before is not None:
                self.world.violate(f"{before.id} has left the log")
            return
        self._identify(after.id, (after.webhook_id, tuple(after.event_ids)))
        if after.status is DeliveryStatus.SUCCEEDED:
            if after.id not in self.taken:
                self.world.violate(f"{after.id} is logged as succeeded and nobody took it")
        elif before is not None and before.status is DeliveryStatus.SUCCEEDED:
            self.world.violate(f"the success of {after.id} is overwritten by {after.status}")
        if before is not None and after.run < before.run:
            self.world.violate(f"{after.id} goes back from run {before.run} to {after.run}")

    def told(self, after: Delivery, stored: bool) -> None:
        """What the dispatcher was told of a write."""
        notes = self.noted()
        if notes is None:
            return
        if stored:
            notes.stored[after.id].append(after)
        else:
            notes.unstored.add(after.id)
            self.unlogged.add(after.id)

    def crashes(self) -> None:
        """The handler has given its whole batch back."""
        if notes := self.noted():
            notes.crashed = True

    # Endpoints

    def gets(self, request: Request, taken: bool) -> None:
        """A request arrives at an endpoint."""
        delivery_id = DeliveryId(request.headers["webhook-id"])
        webhook_id = self.urls[request.url]
        body = json.loads(request.body)
        events = body["data"]["events"] if body["type"] == "batch" else [body]
        self._identify(delivery_id, (webhook_id, tuple(event["id"] for event in events)))
        if not is_signed(request):
            self.world.violate(f"{delivery_id} is not signed")
        if taken:
            self.taken.add(delivery_id)
        notes = self.noted()
        if notes is None:
            self.world.violate(f"{delivery_id} is sent by nobody")
            return
        account_id = self.history[webhook_id][0][1].account_id
        for event in events:
            said = json.dumps([event["type"], event["program_id"], event["data"]])
            self._says(account_id, event["id"], said)
        self._may_be_sent(notes, delivery_id, webhook_id, request.url)

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
            if self.tries[message_id] > self.max_attempts:
                self.world.violate(f"{message_id} was tried more than {self.max_attempts} times")
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
        again = max(notes.told[message_id] for message_id in own) > 1
        logged = delivery_id in self.deliveries.entries or delivery_id in notes.unstored
        if len(own) == 1 and again and not logged:
            self.world.violate(f"{delivery_id} was received before and is not in the log")

    def succeeds(self, request: Request) -> None:
        """The dispatcher has seen a success."""
        if notes := self.noted():
            notes.successes.add(DeliveryId(request.headers["webhook-id"]))

    # Messages

    def answers(self, left: Sequence[str]) -> None:
        """An invocation has named the messages that it leaves."""
        notes = self.noted()
        if notes is None:
            return
        if not set(left) <= notes.batch.keys():
            self.world.violate("messages are left that were not in the batch")
        copies = Counter(one["delivery_id"] for one in notes.batch.values() if one and "run" in one)
        for message_id in left:
            message = notes.batch[message_id]
            if message is None or "run" not in message or notes.crashed:
                continue
            delivery_id = message["delivery_id"]
            if notes.told[message_id] < self.max_attempts or copies[delivery_id] > 1:
                continue
            failed = [one.status is DeliveryStatus.FAILED for one in notes.stored[delivery_id]]
            if not any(failed) and delivery_id not in notes.unstored:
                self.world.violate(f"{delivery_id} had its last receive, and the log is not told")

    def deletes(self, message: Message) -> None:
        """A message is about to be deleted because its invocation was done with it."""
        notes = self.noted()
        parsed = members(message.body)
        if parsed is None or notes is None:
            self.world.violate(f"{message.id} is unreadable and deleted")
        elif "delivery_id" in parsed:
            self._delivery_done(notes, parsed)
        elif message.id not in notes.matched:
            self.world.violate(f"{message.id} is deleted unrouted")
        else:
            self.owed.update(dict.fromkeys(notes.matched[message.id]))
            for event_id in event_ids(parsed):
                self.routed.add((parsed["account_id"], event_id))
                if (parsed["account_id"], event_id) not in self.events.events:
                    self.world.violate(f"{event_id} is routed and not kept")

    def _delivery_done(self, notes: Notes, message: dict[str, Any]) -> None:
        delivery_id, run = message["delivery_id"], message["run"]
        if delivery_id in notes.successes:
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
        wanted = {
            (DeliveryStatus.CANCELLED, Reason.DELETED): WebhookStatus.DELETED,
            (DeliveryStatus.CANCELLED, Reason.DISABLED): WebhookStatus.DISABLED,
            (DeliveryStatus.FAILED, Reason.PAUSED): WebhookStatus.PAUSED,
        }
        status = wanted.get((entry.status, entry.reason)) if entry.reason else None
        return status is not None and self.was(
            entry.webhook_id, since, lambda webhook: webhook.status is status
        )
