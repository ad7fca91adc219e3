"""In-memory fulfilments of every protocol of the domain, one for each adapter.

A module stands for a table, or what is kept of one kind in it, or for a service. Those of one
table share a `Fake…Items`, as the adapters share the table. Each can be told to fail:
`fake.fail("find", 2)` fails the second call from the making of the fake on, `fake.fail("find")`
every one; a method that never raises then says that nothing was stored or sent.
"""

from tests.fakes.accounts import FakeAccountStore, FakeKeyLookup, FakeKeyStore
from tests.fakes.clock import FakeClock
from tests.fakes.config_items import FakeConfigItems
from tests.fakes.deliveries import (
    FakeDeliveryItems,
    FakeDeliveryReader,
    FakeDeliveryTable,
    FakeRetryableDeliveries,
)
from tests.fakes.erasures import (
    FakeErasedAccounts,
    FakeErasureItems,
    FakeErasureStore,
    FakeEventErasing,
    FakeLogErasing,
)
from tests.fakes.events import (
    EventKey,
    FakeClaimTable,
    FakeEventIndex,
    FakeEventItems,
    FakeEventReader,
    FakeEventTable,
    FakeMentions,
)
from tests.fakes.http import FakeSender
from tests.fakes.jobs import FakeJobItems, FakeJobStore, FakeJobTable
from tests.fakes.kms import FakeOpener, FakeSealer
from tests.fakes.mails import FakeLinkCounter, FakeMailer
from tests.fakes.records import FakeRecords
from tests.fakes.rejected import FakeRejectedErasing, FakeRejectedEvents
from tests.fakes.sessions import FakeLinkStore, FakeSessionStore
from tests.fakes.signals import FakeSignalCounts, FakeSignals
from tests.fakes.slots import FakeSlotCounter
from tests.fakes.sns import FakeTopics
from tests.fakes.sqs import FakeActivity, FakeMoveTasks, FakeQueue, FakeVisibility
from tests.fakes.telemetry import FakeTelemetry
from tests.fakes.trials import FakeTrialCounter, FakeTrialDispatcher
from tests.fakes.waiting import FakeWaitingTable, FakeWaits
from tests.fakes.webhooks import FakeWebhookLookup, FakeWebhookStore

__all__ = [
    "EventKey",
    "FakeAccountStore",
    "FakeActivity",
    "FakeClaimTable",
    "FakeClock",
    "FakeConfigItems",
    "FakeDeliveryItems",
    "FakeDeliveryReader",
    "FakeDeliveryTable",
    "FakeErasedAccounts",
    "FakeErasureItems",
    "FakeErasureStore",
    "FakeEventErasing",
    "FakeEventIndex",
    "FakeEventItems",
    "FakeEventReader",
    "FakeEventTable",
    "FakeJobItems",
    "FakeJobStore",
    "FakeJobTable",
    "FakeKeyLookup",
    "FakeKeyStore",
    "FakeLinkCounter",
    "FakeLinkStore",
    "FakeLogErasing",
    "FakeMailer",
    "FakeMentions",
    "FakeMoveTasks",
    "FakeOpener",
    "FakeQueue",
    "FakeRecords",
    "FakeRejectedErasing",
    "FakeRejectedEvents",
    "FakeRetryableDeliveries",
    "FakeSealer",
    "FakeSender",
    "FakeSessionStore",
    "FakeSignalCounts",
    "FakeSignals",
    "FakeSlotCounter",
    "FakeTelemetry",
    "FakeTopics",
    "FakeTrialCounter",
    "FakeTrialDispatcher",
    "FakeVisibility",
    "FakeWaitingTable",
    "FakeWaits",
    "FakeWebhookLookup",
    "FakeWebhookStore",
]
