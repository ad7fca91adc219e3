"""signalling.SignalCounts: one suite for the fake and the table."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from perkwire.dispatching.noticing import UnreportedFailures
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import AccountId, new_webhook_id
from tests.builders import NOW, a_webhook
from tests.integration.contracts.conftest import Adapters


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


def test_failures_are_counted_until_a_signal_takes_them(
    adapters: Adapters, webhook: Webhook
) -> None:
    counts = adapters.signal_counts
    assert state(adapters, webhook).unsignalled is None
    assert counts.count_failed(webhook, 2, NOW) == UnreportedFailures(2, NOW, None)
    seen = counts.count_failed(webhook, 1, NOW + 1)
    assert seen == UnreportedFailures(3, NOW, None) == state(adapters, webhook).unsignalled
    counts.count_failed(webhook, 1, NOW + 2)

    assert counts.take_failed(webhook, seen, NOW + 3)
    assert not counts.take_failed(webhook, seen, NOW + 4)

    left = state(adapters, webhook).unsignalled
    assert left is not None
    assert (left.count, left.noticed_at) == (1, NOW + 3)


def test_notices_have_counts_of_their_own(adapters: Adapters, webhook: Webhook) -> None:
    adapters.signal_counts.count_failed(webhook, 2, NOW)
    adapters.states.count_failed(webhook, 5, NOW + 1)

    found = state(adapters, webhook)

    assert found.untold == UnreportedFailures(5, NOW + 1, None)
    assert found.unsignalled == UnreportedFailures(2, NOW, None)


def test_of_pauses_one_in_a_time_is_taken(adapters: Adapters, webhook: Webhook) -> None:
    take = adapters.signal_counts.take_pause
    assert take(webhook, NOW, NOW - 60)
    assert not take(webhook, NOW + 59, NOW - 1)
    assert take(webhook, NOW + 60, NOW)


def test_of_many_at_once_one_takes(adapters: Adapters, webhook: Webhook) -> None:
    seen = adapters.signal_counts.count_failed(webhook, 1, NOW)

    with ThreadPoolExecutor(5) as pool:
        taken = [*pool.map(lambda n: _take(adapters, webhook, seen, NOW + n), range(5))]

    assert sum(failures for failures, _ in taken) == 1
    assert sum(pause for _, pause in taken) == 1


def _take(
    adapters: Adapters, webhook: Webhook, seen: UnreportedFailures, now: int
) -> tuple[bool, bool]:
    counts = adapters.signal_counts
    return counts.take_failed(webhook, seen, now), counts.take_pause(webhook, now, NOW - 60)
