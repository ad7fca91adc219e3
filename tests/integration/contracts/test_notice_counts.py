"""noticing.FailureCounts, as it counts pauses and notices: one suite for the fake and the table."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from perkwire.dispatching.noticing import UnreportedPauses
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, new_webhook_id
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS
from tests.builders import NOW, a_webhook
from tests.integration.contracts.conftest import Adapters

HOUR = HOUR_SECONDS * MICROSECONDS
START = NOW - NOW % HOUR


@pytest.fixture
def webhook(adapters: Adapters, account_id: AccountId) -> Webhook:
    webhook_id = new_webhook_id()
    made = replace(
        a_webhook(), id=webhook_id, account_id=account_id, url=f"https://x.example/{webhook_id}"
    )
    adapters.webhooks.add(made, 10)
    return made


def state(adapters: Adapters, webhook: Webhook) -> WebhookState:
    found = adapters.states.states({(webhook.account_id, webhook.id)})[webhook.id]
    assert isinstance(found, WebhookState)
    return found


def test_looked_up_again_are_those_that_there_are(adapters: Adapters, webhook: Webhook) -> None:
    buried = replace(webhook, id=new_webhook_id(), url="https://x.example/buried")
    adapters.webhooks.add(buried, 10)
    adapters.webhooks.bury(buried, NOW)
    ids = (webhook.id, buried.id, new_webhook_id())

    found = adapters.states.look_again({(webhook.account_id, one) for one in ids})

    assert found == {webhook.id: state(adapters, webhook)}


def test_pauses_are_counted_until_a_notice_takes_them(adapters: Adapters, webhook: Webhook) -> None:
    assert state(adapters, webhook).untold_pauses is None
    assert adapters.states.count_pause(webhook, NOW) == UnreportedPauses(1, None)
    seen = adapters.states.count_pause(webhook, NOW + 1)
    assert seen == UnreportedPauses(2, None) == state(adapters, webhook).untold_pauses

    assert adapters.states.take_pauses(webhook, seen, NOW + 2)

    assert state(adapters, webhook).untold_pauses is None
    assert adapters.states.count_pause(webhook, NOW + 3) == UnreportedPauses(1, NOW + 2)


def test_of_many_notices_of_pauses_one_takes_and_none_is_lost(
    adapters: Adapters, webhook: Webhook
) -> None:
    seen = adapters.states.count_pause(webhook, NOW)
    adapters.states.count_pause(webhook, NOW + 1)

    with ThreadPoolExecutor(8) as pool:
        taken = [*pool.map(lambda _: adapters.states.take_pauses(webhook, seen, NOW + 2), range(8))]

    assert taken.count(True) == 1
    assert state(adapters, webhook).untold_pauses == UnreportedPauses(1, NOW + 2)


def test_an_hour_has_so_many_notices_under_any_race(adapters: Adapters, webhook: Webhook) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = [*pool.map(lambda _: adapters.states.admit_notice(webhook, START, 5), range(12))]

    assert taken.count(True) == 5
    assert not adapters.states.admit_notice(webhook, START + HOUR - 1, 5)
    assert adapters.states.admit_notice(webhook, START + HOUR, 5)


def test_a_new_webhook_of_the_account_does_not_begin_anew(
    adapters: Adapters, webhook: Webhook
) -> None:
    assert adapters.states.admit_notice(webhook, START, 1)
    adapters.webhooks.bury(webhook, START)

    assert not adapters.states.admit_notice(replace(webhook, id=new_webhook_id()), START, 1)
