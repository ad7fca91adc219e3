"""What the router has to make of events: matched, batched and recorded once more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, EventId, WebhookId
from perkwire.primitives.timestamps import MICROSECONDS
from tests.fakes import FakeConfigItems, FakeEventItems
from tests.simulation.model import (
    FILTERED,
    NOT_IN_FORMAT,
    EventKey,
    Key,
    Notes,
    event_ids,
    is_known,
    matches,
    passes,
)
from tests.simulation.queues import Message
from tests.simulation.world import Invocation, World

_LIVE = (WebhookStatus.ENABLED, WebhookStatus.PAUSED)
_RESERVE_SECONDS = 5


@dataclass(eq=False)
class Routings:
    """`owed` are the requests that routings to their end have promised.

    `forgotten` are the events whose time in the store is over.
    """

    world: World
    config: FakeConfigItems
    events: FakeEventItems
    notes: dict[Invocation, Notes]
    routed: set[EventKey] = field(default_factory=set)
    contended: set[EventKey] = field(default_factory=set)
    possible: set[Key] = field(default_factory=set)
    owed: dict[Key, None] = field(default_factory=dict)
    forgotten: set[EventKey] = field(default_factory=set)

    def reads(self, notes: Notes, account_id: AccountId) -> None:
        """The router has read an account's webhooks: what its messages have to become."""
        own = [one for one in self.config.webhooks.values() if one.account_id == account_id]
        webhooks = [one for one in own if one.status in _LIVE]
        for message_id, message in notes.batch.items():
            if message is None or message["account_id"] != account_id or "slot_at" in message:
                continue
            notes.matched[message_id] = self._matched(message, webhooks)
            notes.foreign[message_id] = _foreign(message, webhooks)
            notes.filtered[message_id] = _filtered(message, webhooks)
            self.possible |= notes.matched[message_id].keys()
            ids = {(account_id, event_id) for event_id in event_ids(message)}
            self.contended |= ids & self._routed_beside(notes)

    def is_done(self, notes: Notes, message: Message, members: dict[str, Any]) -> None:
        """A message is about to be deleted: it has become all that it had to."""
        if message.id not in notes.matched:
            self.world.violate(f"{message.id} is deleted unrouted")
            return
        self.owed.update(dict.fromkeys(notes.matched[message.id]))
        account_id = members["account_id"]
        for key in [(account_id, event_id) for event_id in event_ids(members)]:
            self.routed.add(key)
            if key not in self.events.events and key not in self.forgotten:
                self.world.violate(f"{key[1]} is routed and not kept")
        self._check_filtered(notes, account_id, notes.filtered[message.id])
        for webhook_id, event_id in notes.foreign[message.id]:
            key = (account_id, event_id)
            kept = self.events.events.get(key)
            if kept is None or key in self.contended:
                continue
            self.world.say(f"  {event_id} is {NOT_IN_FORMAT} at {webhook_id}")
            is_told = kept.deliveries.get(webhook_id) == NOT_IN_FORMAT
            if not is_told and not _has(self.possible, webhook_id, event_id):
                self.world.violate(f"{event_id} cannot be said at {webhook_id}, and nobody says so")

    def _check_filtered(
        self, notes: Notes, account_id: AccountId, filtered: set[tuple[WebhookId, EventId]]
    ) -> None:
        """What a filter has kept out is told, unless an earlier routing had let it through."""
        for webhook_id, event_id in sorted(filtered):
            key = (account_id, event_id)
            kept = self.events.events.get(key)
            if kept is None or key in self.contended:
                continue
            self.world.say(f"  {event_id} is {FILTERED} at {webhook_id}")
            is_told = kept.deliveries.get(webhook_id) == FILTERED
            if not is_told and not _has(self.possible, webhook_id, event_id):
                self.world.violate(f"{event_id} is filtered at {webhook_id}, and nobody says so")
            is_gone = key in self.forgotten or kept.event.erased_at is not None
            if is_told and _has(self.owed, webhook_id, event_id) and not is_gone:
                self.world.violate(f"{event_id} was sent to {webhook_id}, and reads as filtered")

    def check(self, notes: Notes) -> None:
        """Time has run out only for a router that has none left."""
        invocation = notes.invocation
        for fault in invocation.called("fault"):
            left = invocation.deadline + invocation.skew - fault.began
            if fault.arguments[0] == "no_time_left" and left > _RESERVE_SECONDS * MICROSECONDS:
                self.world.violate(f"{invocation.name} says that no time is left, and there is")

    def _matched(self, message: dict[str, Any], webhooks: Sequence[Webhook]) -> dict[Key, Webhook]:
        matched: dict[Key, Webhook] = {}
        for webhook in webhooks:
            wanted = [
                EventId(one["id"])
                for one in message["events"]
                if matches(webhook, one)
                and is_known(webhook, one["type"])
                and passes(webhook.filter, one["data"])
            ]
            for start in range(0, len(wanted), webhook.batch_size):
                matched[webhook.id, tuple(wanted[start : start + webhook.batch_size])] = webhook
        return matched

    def _routed_beside(self, own: Notes) -> set[EventKey]:
        """The events that other routers have in hand at this moment."""
        beside = [self.notes[one] for one in self.world.running if one in self.notes]
        return {
            (message["account_id"], event_id)
            for notes in beside
            if notes is not own
            for message in notes.batch.values()
            if message and notes.invocation.kind == "router" and "slot_at" not in message
            for event_id in event_ids(message)
        }


def _foreign(
    message: dict[str, Any], webhooks: Sequence[Webhook]
) -> set[tuple[WebhookId, EventId]]:
    return {
        (webhook.id, event["id"])
        for webhook in webhooks
        for event in message["events"]
        if matches(webhook, event) and not is_known(webhook, event["type"])
    }


def _filtered(
    message: dict[str, Any], webhooks: Sequence[Webhook]
) -> set[tuple[WebhookId, EventId]]:
    return {
        (webhook.id, event["id"])
        for webhook in webhooks
        for event in message["events"]
        if matches(webhook, event)
        and is_known(webhook, event["type"])
        and not passes(webhook.filter, event["data"])
    }


def _has(keys: Iterable[Key], webhook_id: WebhookId, event_id: EventId) -> bool:
    return any(one == webhook_id and event_id in ids for one, ids in keys)
