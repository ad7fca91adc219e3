"""Streaks and strain end with what has failed: HealthStore, over what management stores."""

from dataclasses import replace

import pytest

from perkwire.dispatching.health import Streak
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.lanes import Lane
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
    assert adapters.states.add_failures(after, 1, NOW + 9, failing=False) == Streak(
        1, NOW + 9, strain=1
    )
    assert adapters.states.add_failures(after, 1, NOW + 99, failing=True) == Streak(
        2, NOW + 9, strain=2
    )


@pytest.mark.parametrize("members", KEEPS.values(), ids=KEEPS)
def test_no_other_change_does(
    adapters: Adapters, webhook: Webhook, members: dict[str, object]
) -> None:
    after = changed(adapters, webhook, **members)

    assert is_failing(adapters, after)
    assert adapters.states.add_failures(after, 1, NOW + 9, failing=True) == Streak(
        25, NOW, strain=25
    )


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
    assert adapters.states.add_failures(after, 1, NOW + 9, failing=False) == Streak(
        1, NOW + 9, strain=1
    )


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
    assert adapters.states.add_failures(webhook, 1, NOW + 9, failing=False) == Streak(
        25, NOW, strain=25
    )
    adapters.states.end_streak(webhook, NOW)
    assert adapters.states.add_failures(webhook, 1, NOW + 9, failing=True) == Streak(
        1, NOW + 9, strain=1
    )


def state_of(adapters: Adapters, webhook: Webhook) -> WebhookState:
    state = adapters.states.states({(webhook.account_id, webhook.id)})[webhook.id]
    assert isinstance(state, WebhookState)
    return state


def rows(adapters: Adapters, webhook: Webhook) -> tuple[bool, int, int]:
    state = state_of(adapters, webhook)
    return state.failing, state.strain, state.ease


def test_strain_is_counted_beside_the_streak_and_outlives_it(
    adapters: Adapters, webhook: Webhook
) -> None:
    assert rows(adapters, webhook) == (True, 24, 0)

    assert adapters.states.add_slow(webhook, 2, NOW) == 26
    assert rows(adapters, webhook) == (False, 26, 0)
    assert adapters.states.add_failures(webhook, 1, NOW + 9, failing=False) == Streak(
        1, NOW + 9, strain=27
    )


def test_fast_successes_in_a_row_end_both_and_are_counted(
    adapters: Adapters, webhook: Webhook
) -> None:
    assert adapters.states.end_streak(webhook, NOW, fast=3) == 3
    assert adapters.states.end_streak(webhook, NOW, fast=2) == 5
    assert rows(adapters, webhook) == (False, 0, 5)


@pytest.mark.parametrize("how", ["add_failures", "add_slow", "end_streak"])
def test_anything_else_ends_the_row_of_fast_successes(
    adapters: Adapters, webhook: Webhook, how: str
) -> None:
    adapters.states.end_streak(webhook, NOW, fast=9)

    match how:
        case "add_failures":
            adapters.states.add_failures(webhook, 1, NOW, failing=True)
        case "add_slow":
            adapters.states.add_slow(webhook, 1, NOW)
        case _:
            adapters.states.end_streak(webhook, NOW)

    assert state_of(adapters, webhook).ease == 0


@pytest.mark.parametrize("members", MENDS.values(), ids=MENDS)
def test_a_change_of_what_may_have_failed_ends_strain_and_leads_into_the_prompt_lane(
    adapters: Adapters, webhook: Webhook, members: dict[str, object]
) -> None:
    assert adapters.states.move(webhook, Lane.SLOW)
    slow = state_of(adapters, webhook).webhook

    after = changed(adapters, slow, **members)

    assert rows(adapters, after) == (False, 0, 0)
    assert state_of(adapters, after).webhook.lane is Lane.PROMPT
    assert adapters.states.add_slow(after, 1, NOW) == 1
    assert adapters.states.end_streak(webhook, NOW) == 0, "nor does the old one end the new"
    assert rows(adapters, after) == (False, 1, 0)


@pytest.mark.parametrize("members", KEEPS.values(), ids=KEEPS)
def test_no_other_change_leads_out_of_the_slow_lane(
    adapters: Adapters, webhook: Webhook, members: dict[str, object]
) -> None:
    adapters.states.move(webhook, Lane.SLOW)
    slow = state_of(adapters, webhook).webhook

    after = changed(adapters, slow, **members)

    assert state_of(adapters, after).webhook.lane is Lane.SLOW
    assert state_of(adapters, after).strain == 24


def test_a_webhook_is_moved_once_from_lane_to_lane(adapters: Adapters, webhook: Webhook) -> None:
    assert not adapters.states.move(webhook, Lane.PROMPT)
    assert adapters.states.move(webhook, Lane.SLOW)
    assert not adapters.states.move(webhook, Lane.SLOW)

    moved = state_of(adapters, webhook).webhook
    assert moved == replace(webhook, lane=Lane.SLOW), "all else stays as it is"
    assert adapters.states.move(moved, Lane.PROMPT)
    assert state_of(adapters, webhook).webhook == webhook


@pytest.mark.parametrize("status", [WebhookStatus.PAUSED, WebhookStatus.DISABLED])
def test_one_that_is_not_enabled_or_was_changed_is_not_moved(
    adapters: Adapters, webhook: Webhook, status: WebhookStatus
) -> None:
    after = changed(adapters, webhook, status=status)

    assert not adapters.states.move(webhook, Lane.SLOW)
    assert not adapters.states.move(after, Lane.SLOW)
    assert state_of(adapters, after).webhook.lane is Lane.PROMPT


def test_a_change_may_be_saved_while_the_webhook_is_moved(
    adapters: Adapters, webhook: Webhook
) -> None:
    """It puts the lane back as it was read; the next attempts tell again."""
    adapters.states.move(webhook, Lane.SLOW)

    after = changed(adapters, webhook, name="Till 3")

    assert state_of(adapters, after).webhook.lane is Lane.PROMPT
    assert adapters.states.move(after, Lane.SLOW)
