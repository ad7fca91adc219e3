"""Streaks of failures end with what has failed: HealthStore, over what management stores."""

from dataclasses import replace

import pytest

from perkwire.dispatching.pausing import Streak
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.webhook import (
    Pause,
    PauseReason,
    RetiredSecret,
    SealedSecrets,
    Webhook,
    WebhookStatus,
)
from perkwire.primitives.ids import AccountId, new_webhook_id
from tests.builders import NOW, a_webhook
from tests.integration.contracts.conftest import Adapters

SECRETS = SealedSecrets(secret=b"s", headers=b"h")
MENDS: dict[str, dict[str, object]] = {
    "url": {"url": "https://b.example/hook"},
    "headers": {"sealed": replace(SECRETS, headers=b"i")},
    "no headers": {"sealed": replace(SECRETS, headers=None)},
    "secret": {"sealed": replace(SECRETS, secret=b"t", retired=(RetiredSecret(b"s", NOW),))},
    "format settings": {"format_settings": {"signature_header": "x-b"}},
}
KEEPS: dict[str, dict[str, object]] = {
    "name": {"name": "Till 2"},
    "description": {"description": "of the shop"},
    "event types": {"event_types": ("tier.upgraded",)},
    "programmes": {"program_ids": ("gold",)},
    "batch size": {"batch_size": 7},
    "disabled": {"status": WebhookStatus.DISABLED},
}


@pytest.fixture
def webhook(adapters: Adapters, account_id: AccountId) -> Webhook:
    """One that has failed 24 times."""
    webhook = a_webhook(id=new_webhook_id(), account_id=account_id, sealed=SECRETS)
    adapters.webhooks.add(webhook, 10)
    adapters.states.add_failures(webhook, 24, NOW, failing=False)
    return webhook


def changed(adapters: Adapters, webhook: Webhook, **members: object) -> Webhook:
    after = webhook.changed_to(replace(webhook, **members), NOW)  # type: ignore[arg-type]
    adapters.webhooks.replace(webhook, after)
    return after


def is_failing(adapters: Adapters, webhook: Webhook) -> bool:
    state = adapters.states.states({(webhook.account_id, webhook.id)})[webhook.id]
    assert isinstance(state, WebhookState)
    return state.failing


@pytest.mark.parametrize("members", MENDS.values(), ids=MENDS)
def test_a_change_of_what_may_have_failed_ends_the_streak(
    adapters: Adapters, webhook: Webhook, members: dict[str, object]
) -> None:
    after = changed(adapters, webhook, **members)

    assert not is_failing(adapters, after)
    assert adapters.states.add_failures(after, 1, NOW + 9, failing=False) == Streak(1, NOW + 9)
    assert adapters.states.add_failures(after, 1, NOW + 99, failing=True) == Streak(2, NOW + 9)


@pytest.mark.parametrize("members", KEEPS.values(), ids=KEEPS)
def test_no_other_change_does(
    adapters: Adapters, webhook: Webhook, members: dict[str, object]
) -> None:
    after = changed(adapters, webhook, **members)

    assert is_failing(adapters, after)
    assert adapters.states.add_failures(after, 1, NOW + 9, failing=True) == Streak(25, NOW)


def test_enabling_forgets_the_failures(adapters: Adapters, webhook: Webhook) -> None:
    adapters.states.pause(webhook, Pause(NOW, PauseReason.FAILURES))
    paused = adapters.webhooks.find(webhook.account_id, webhook.id)
    assert paused is not None
    assert is_failing(adapters, paused)

    after = changed(adapters, paused, status=WebhookStatus.ENABLED, pause=None)

    assert not is_failing(adapters, after)


def test_what_fails_late_at_the_old_endpoint_does_not_count_for_the_new(
    adapters: Adapters, webhook: Webhook
) -> None:
    after = changed(adapters, webhook, url="https://b.example/hook")

    adapters.states.add_failures(webhook, 10, NOW + 1, failing=True)

    assert not is_failing(adapters, after)
    assert adapters.states.add_failures(after, 1, NOW + 9, failing=False) == Streak(1, NOW + 9)


def test_what_succeeds_late_at_the_old_endpoint_does_not_end_the_new_ones_streak(
    adapters: Adapters, webhook: Webhook
) -> None:
    after = changed(adapters, webhook, url="https://b.example/hook")
    adapters.states.add_failures(after, 3, NOW, failing=False)

    adapters.states.end_streak(webhook, NOW)

    assert is_failing(adapters, after)


def test_whether_a_streak_was_seen_changes_nothing_of_the_count(
    adapters: Adapters, webhook: Webhook
) -> None:
    assert adapters.states.add_failures(webhook, 1, NOW + 9, failing=False) == Streak(25, NOW)
    adapters.states.end_streak(webhook, NOW)
    assert adapters.states.add_failures(webhook, 1, NOW + 9, failing=True) == Streak(1, NOW + 9)
