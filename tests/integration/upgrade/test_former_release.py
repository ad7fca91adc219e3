"""What the release before has stored and queued is read. former_release.py.txt has written it."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pynamodb.connection import Connection

from perkwire.accepting.acceptance import Acceptance
from perkwire.adapters.dynamodb.event_index import EventIndex
from perkwire.dispatching.health import Streak
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.messages import read_delivery_message, read_event_message
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.webhook import DeletedWebhook, Webhook
from perkwire.primitives.ids import AccountId, EventId, WebhookId, new_account_id
from perkwire.primitives.strict_json import Json
from tests.builders import NOW, a_caller, an_event, any_data
from tests.fakes import FakeQueue, FakeTelemetry
from tests.integration.contracts.conftest import Adapters, connection, connections, real
from tests.integration.system import Stack

__all__ = ["connection", "connections", "real"]

WRITTEN = Path(__file__).with_name("former_release.json").read_text(encoding="utf-8")
LIVE, DELETED = WebhookId("wh_0000000000000001"), WebhookId("wh_0000000000000002")
ORDER = EventId("order-1")
HOUR = 3_600_000_000


class Former:
    """What the release has written, for an account of its own, in the tables of the stack."""

    def __init__(self, stack: Stack) -> None:
        self.account_id = new_account_id()
        written = json.loads(WRITTEN.replace("acct_0000000000000001", self.account_id))
        self.posted: dict[str, Json] = written["posted"]
        self.event_message: str = written["event_message"]
        self.delivery_message: str = written["delivery_message"]
        dynamodb = stack.client("dynamodb")
        for table, items in (("ConfigTable", "config"), ("EventTable", "events")):
            for item in written[items]:
                dynamodb.put_item(TableName=stack.resources[table], Item=as_stored(item))


def as_stored(item: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {"B": base64.b64decode(value["B"])} if "B" in value else value
        for name, value in item.items()
    }


@pytest.fixture
def former(stack: Stack, connection: Connection) -> Former:
    return Former(stack)


def webhook_of(real: Adapters, account_id: AccountId) -> Webhook:
    (webhook,) = real.lookup.of_account(account_id) or ()
    return webhook


def test_its_webhooks_are_read_and_its_tombstones_are_none_of_them(
    real: Adapters, former: Former
) -> None:
    account_id = former.account_id
    tombstone = DeletedWebhook(account_id, DELETED)

    webhook = webhook_of(real, account_id)

    assert (webhook.id, webhook.version, webhook.endpoint_version) == (LIVE, 3, 1)
    assert real.webhooks.page(account_id, 5, None).items == [webhook]
    assert real.lookup.find(account_id, LIVE) == webhook
    assert real.lookup.find(account_id, DELETED) == tombstone
    assert real.lookup.logged(account_id, 5) == [LIVE, DELETED]
    states = real.states.states({(account_id, LIVE), (account_id, DELETED)})
    assert states[DELETED] == tombstone
    assert states[LIVE] == WebhookState(webhook, failing=True)


def test_its_streaks_end_and_do_not_count_on(real: Adapters, former: Former) -> None:
    webhook = webhook_of(real, former.account_id)

    assert real.states.add_failures(webhook, 1, NOW + 9, failing=True) == Streak(
        1, NOW + 9, strain=1
    )
    real.states.end_streak(webhook, NOW + 10)

    state = real.states.states({(former.account_id, LIVE)})[LIVE]
    assert isinstance(state, WebhookState)
    assert not state.failing


def test_a_webhook_of_it_can_be_changed_and_deleted(real: Adapters, former: Former) -> None:
    webhook = webhook_of(real, former.account_id)
    real.webhooks.bury(webhook, NOW + 1)

    assert real.lookup.of_account(former.account_id) == []
    assert real.lookup.logged(former.account_id, 5) == [LIVE, DELETED]


def test_its_events_are_kept_as_they_are_and_listed(real: Adapters, former: Former) -> None:
    kept = real.event_reader.find(former.account_id, ORDER)
    assert kept is not None
    assert kept.event.data == former.posted["data"]
    again = RoutedEvent(account_id=former.account_id, event=kept.event, deliveries={})
    more = [
        RoutedEvent(
            account_id=former.account_id, event=an_event(accepted_at=NOW + n), deliveries={}
        )
        for n in range(1, 9)
    ]

    assert real.events.keep([again, *more]) == [True] * 9

    assert real.event_reader.find(former.account_id, ORDER) == kept
    headings, _ = EventIndex().of_hour(former.account_id, NOW - NOW % HOUR, NOW + HOUR, None, 50)
    assert [one.id for one in headings] == [ORDER, *(one.event.id for one in more)]


def test_its_claims_make_repeats_harmless(real: Adapters, former: Former) -> None:
    queue = FakeQueue()
    acceptance = Acceptance(
        claims=real.claims,
        kept_events=real.event_reader,
        accounts=real.lookup,
        queue=queue,
        check_data=any_data,
        journal=FakeTelemetry(),
        clock=real.clock,
    )
    caller = a_caller(former.account_id)

    answer = acceptance.accept(caller, json.dumps(former.posted).encode(), {})

    assert answer == {"id": ORDER, "duplicate": True}
    assert queue.messages == []


def test_its_messages_are_read(real: Adapters, former: Former) -> None:
    kept = real.event_reader.find(former.account_id, ORDER)
    assert kept is not None

    (queued,) = read_event_message(former.event_message).events
    delivery = read_delivery_message(former.delivery_message)

    assert queued == kept.event
    assert delivery.events == (kept.event,)
    assert kept.deliveries == {LIVE: delivery.delivery_id}
