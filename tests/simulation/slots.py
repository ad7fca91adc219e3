"""Slots: what takes one keeps to it, and what waits for one is handed on until it is near."""

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import DeliveryId, WebhookId
from perkwire.primitives.timestamps import MICROSECONDS
from tests.fakes import FakeSlotCounter
from tests.simulation.world import Invocation, World

_LONGEST_DELAY_SECONDS = 900

type _Run = tuple[DeliveryId, int]


@dataclass(eq=False)
class Slots:
    """Judges by times of the clock of the function that sends.

    `was` says whether a webhook has been like this at any time since a moment.
    """

    world: World
    was: Callable[[WebhookId, int, Callable[[Webhook], bool]], bool]
    last: dict[WebhookId, int] = field(default_factory=dict)
    taken: dict[tuple[Invocation, WebhookId], list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )
    going: dict[tuple[Invocation, WebhookId], dict[_Run, int]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    handed_on: dict[Invocation, set[_Run]] = field(default_factory=lambda: defaultdict(set))

    def takes(self, webhook: Webhook, count: int, first: int) -> None:
        """Slots have been given to the invocation that runs."""
        invocation = self.world.current
        if invocation is None or webhook.max_per_second is None:
            return
        length = math.ceil(MICROSECONDS / webhook.max_per_second)
        if first < self.last.get(webhook.id, 0) + length:
            self.world.violate(f"a slot of {webhook.id} is taken twice")
        given = [first + place * length for place in range(count)]
        self.last[webhook.id] = given[-1]
        self.taken[invocation, webhook.id] += given
        self.world.say(f"  {count} slots of {webhook.id}")

    def sends(self, message: dict[str, Any], delay_seconds: int, waited_for: set[int]) -> None:
        """A message of a delivery goes into a queue, having waited in PacingQueue for these slots.

        Called as SQS takes it.
        """
        invocation = self.world.current
        run = (message["delivery_id"], message["run"])
        if not 0 <= delay_seconds <= _LONGEST_DELAY_SECONDS:
            self.world.violate(f"{run} is to be delayed by {delay_seconds} seconds")
        if invocation is None:
            return
        goes_out = self.world.clock() // MICROSECONDS + delay_seconds
        if "slot_at" in message:
            if goes_out > message["slot_at"] // MICROSECONDS:
                self.world.violate(f"{run} comes from PacingQueue after its slot")
            goes_out = message["slot_at"] // MICROSECONDS
            self.world.say(f"  {run} waits for its slot")
        if waited_for:
            self.handed_on[invocation].add(run)
            if "slot_at" in message and message["slot_at"] not in waited_for:
                self.world.violate(f"{run} has another slot than it took")
            if goes_out < min(waited_for) // MICROSECONDS:
                self.world.violate(f"{run} is handed on and goes out before its slot")
            return
        self._takes_its_slot(invocation, WebhookId(message["webhook_id"]), run, goes_out)

    def waits(self, webhook_id: WebhookId, run: _Run, not_before: int | None) -> None:
        """A delivery comes into a list, to be pulled from its slot on."""
        invocation = self.world.current
        if invocation is None or self.was(
            webhook_id, invocation.started_at, lambda webhook: webhook.max_per_second is None
        ):
            return
        if not_before not in self.taken[invocation, webhook_id]:
            self.world.violate(f"{run} waits for {not_before}, which is no slot of its own")

    def _takes_its_slot(
        self, invocation: Invocation, webhook_id: WebhookId, run: _Run, goes_out: int
    ) -> None:
        """Of all that goes out, the first not before the first slot, the second and so on."""
        if self.was(
            webhook_id, invocation.started_at, lambda webhook: webhook.max_per_second is None
        ):
            return
        going = self.going[invocation, webhook_id]
        going[run] = min(goes_out, going.get(run, goes_out))
        slots = sorted(self.taken[invocation, webhook_id])
        if len(going) > len(slots):
            self.world.violate(f"{run} goes out without a slot")
            return
        for second, slot in zip(sorted(going.values()), slots, strict=False):
            if second < slot // MICROSECONDS:
                self.world.violate(f"{run} or one beside it goes out before its slot")

    def is_done(self, message_id: str, message: dict[str, Any]) -> None:
        """A message of PacingQueue is about to be deleted."""
        invocation = self.world.current
        if invocation is None:
            return
        if (message["delivery_id"], message["run"]) not in self.handed_on[invocation]:
            self.world.violate(f"{message_id} is deleted and was not handed on")


class SlotCounter(FakeSlotCounter):
    """pace.Slots; the judge hears of what is given. Its items are lost to no fault."""

    def __init__(self, slots: Slots) -> None:
        super().__init__()
        self._slots = slots

    def take(self, webhook: Webhook, count: int, now: int) -> int:
        first = super().take(webhook, count, now)
        self._slots.takes(webhook, count, first)
        return first
