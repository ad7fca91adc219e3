"""A router with fakes all around it."""

from collections.abc import Callable

from perkwire.model.event import Event
from perkwire.model.hand_over import HandOver
from perkwire.model.lanes import DeliveryQueues, Lane
from perkwire.model.members import MemberIndex
from perkwire.model.messages import DeliveryMessage, Received, read_delivery_message
from perkwire.model.waiting import WaitingList
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.routing.router import Router
from tests.builders import ACCOUNT, NOW, an_account
from tests.fakes import (
    FakeClock,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeDeliveryTable,
    FakeEventItems,
    FakeEventTable,
    FakeQueue,
    FakeSlotCounter,
    FakeTelemetry,
    FakeWaitingTable,
    FakeWebhookLookup,
)


class RouterHarness:
    """A router with fakes around it, and an account without webhooks."""

    def __init__(self) -> None:
        self.config = FakeConfigItems()
        self.config.put(an_account())
        self.lookup = FakeWebhookLookup(self.config)
        self.events = FakeEventItems()
        self.event_table = FakeEventTable(self.events)
        self.log = FakeDeliveryItems()
        self.delivery_table = FakeDeliveryTable(self.log)
        self.lists = FakeWaitingTable(self.log)
        self.queue = FakeQueue()
        self.slow_queue = FakeQueue()
        self.pacing_queue = FakeQueue()
        self.slots = FakeSlotCounter()
        self.journal = FakeTelemetry()
        self.clock = FakeClock(NOW)
        self.member_index = MemberIndex.IDS

    def route(self, *received: Received, may_go_on: Callable[[], bool] = lambda: True) -> list[str]:
        routing = Router(
            webhooks=self.lookup,
            events=self.event_table,
            paused=self.delivery_table,
            hand_over=HandOver(
                delivery_queues=DeliveryQueues(
                    {Lane.PROMPT: self.queue, Lane.SLOW: self.slow_queue}
                ),
                pacing_queue=self.pacing_queue,
                slots=self.slots,
                waiting=WaitingList(self.lists, FakeQueue()),
                journal=self.journal,
                clock=self.clock,
            ),
            journal=self.journal,
            member_index=self.member_index,
            clock=self.clock,
        )
        return routing.route(received, may_go_on)

    def sent(self) -> list[DeliveryMessage]:
        return [read_delivery_message(message.body) for message in self.queue.messages]

    def became(self, event: Event, account: AccountId = ACCOUNT) -> dict[WebhookId, str]:
        return dict(self.events.events[(account, event.id)].deliveries)
