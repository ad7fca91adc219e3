"""managing.Webhooks, and what the data path looks up: webhooks, their health, and pausing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from perkwire.dispatching.health import Streak
from perkwire.dispatching.noticing import UnreportedFailures
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.managing.stores import ChangedMeanwhile
from perkwire.managing.webhooks import TooManyWebhooks, UrlTaken
from perkwire.model.webhook import (
    DeletedWebhook,
    Pause,
    PauseReason,
    SealedSecrets,
    Webhook,
    WebhookStatus,
)
from perkwire.primitives.ids import AccountId, new_account_id, new_webhook_id
from perkwire.primitives.problem import Problem
from tests.builders import NOW, a_webhook
from tests.integration.contracts.conftest import Adapters

PAUSE = Pause(NOW + 1, PauseReason.FAILURES)


def one_of(account_id: AccountId, **members: object) -> Webhook:
    """A webhook of the account, with an id and URL of its own."""
    webhook_id = new_webhook_id()
    own = {"id": webhook_id, "account_id": account_id, "url": f"https://example.com/{webhook_id}"}
    return a_webhook(**{**own, **members})  # type: ignore[arg-type]


@pytest.fixture
def webhook(adapters: Adapters, account_id: AccountId) -> Webhook:
    """One that is there."""
    webhook = one_of(
        account_id,
        description="Points to the till.",
        event_types=("points.earned",),
        program_ids=("gold", "silver"),
        filter='{"data":{"points":[{"numeric":[">=",1000]}]}}',
        headers={"x-shop": "7"},
        batch_size=7,
        batch_bytes=12_345,
        max_per_second=0.3,
        retry_delays_seconds=(5, 300, 43_200),
        pause_when_exhausted=False,
    )
    adapters.webhooks.add(webhook, 10)
    return webhook


@pytest.mark.parametrize("delays", [None, (), (1,), (43_200, 5)])
@pytest.mark.parametrize("pause", [None, True, False])
def test_a_schedule_is_kept_as_it_is_an_empty_one_too(
    adapters: Adapters, webhook: Webhook, delays: tuple[int, ...] | None, pause: bool | None
) -> None:
    after = changed(webhook, retry_delays_seconds=delays, pause_when_exhausted=pause)
    adapters.webhooks.replace(webhook, after)

    assert adapters.webhooks.find(webhook.account_id, webhook.id) == after


def changed(webhook: Webhook, **members: object) -> Webhook:
    after = replace(webhook, **members)  # type: ignore[arg-type]
    return webhook.changed_to(after, after.updated_at)


def found(adapters: Adapters, webhook: Webhook) -> WebhookState | DeletedWebhook | None:
    return adapters.states.states({(webhook.account_id, webhook.id)}).get(webhook.id)


def state(adapters: Adapters, webhook: Webhook) -> WebhookState:
    state = found(adapters, webhook)
    assert isinstance(state, WebhookState)
    return state


def test_a_webhook_is_found_as_it_was_added(adapters: Adapters, webhook: Webhook) -> None:
    assert adapters.webhooks.find(webhook.account_id, webhook.id) == webhook
    assert adapters.lookup.of_account(webhook.account_id) == [webhook]
    assert state(adapters, webhook) == WebhookState(webhook, failing=False)


def test_a_webhook_is_its_own_accounts_only(adapters: Adapters, webhook: Webhook) -> None:
    other = new_account_id()

    assert adapters.webhooks.find(other, webhook.id) is None
    assert adapters.states.states({(other, webhook.id)}) == {}
    assert adapters.lookup.of_account(other) is None
    assert adapters.lookup.existing({other, webhook.account_id}) == {webhook.account_id}


def test_a_url_is_once_per_account(adapters: Adapters, webhook: Webhook) -> None:
    twin = one_of(webhook.account_id, url=webhook.url)

    with pytest.raises(UrlTaken):
        adapters.webhooks.add(twin, 10)
    assert adapters.webhooks.find(twin.account_id, twin.id) is None


def test_there_are_at_most_so_many(adapters: Adapters, account_id: AccountId) -> None:
    webhooks = [one_of(account_id) for _ in range(3)]
    for one in webhooks:
        adapters.webhooks.add(one, 3)

    with pytest.raises(TooManyWebhooks):
        adapters.webhooks.add(one_of(account_id), 3)
    adapters.webhooks.bury(webhooks[0], NOW)
    adapters.webhooks.add(one_of(account_id), 3)
    with pytest.raises(TooManyWebhooks):
        adapters.webhooks.add(one_of(account_id), 3)


def test_an_account_that_is_not_there_gets_no_webhook(adapters: Adapters) -> None:
    with pytest.raises(TooManyWebhooks):
        adapters.webhooks.add(one_of(new_account_id()), 3)


def test_one_is_added_once_and_known_as_deleted_afterwards(
    adapters: Adapters, account_id: AccountId
) -> None:
    webhook = one_of(account_id, is_pulled=True)
    adapters.webhooks.add(webhook, 10)
    with pytest.raises(UrlTaken):
        adapters.webhooks.add(webhook, 10)
    assert not adapters.webhooks.is_deleted(account_id, webhook.id)

    adapters.webhooks.bury(webhook, NOW)

    assert adapters.webhooks.is_deleted(account_id, webhook.id)
    assert not adapters.webhooks.is_deleted(account_id, new_webhook_id())


def test_of_many_with_one_url_at_once_one_is_added(
    adapters: Adapters, account_id: AccountId
) -> None:
    def add(_: int) -> bool:
        try:
            adapters.webhooks.add(one_of(account_id, url="https://example.com/"), 10)
        except UrlTaken:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(add, range(12))) == 1


def test_a_change_is_stored_once(adapters: Adapters, webhook: Webhook) -> None:
    after = changed(
        webhook,
        name="Warehouse",
        description=None,
        program_ids=None,
        status=WebhookStatus.DISABLED,
        sealed=SealedSecrets(secret=b"\x00other", headers=None),
    )

    adapters.webhooks.replace(webhook, after)

    assert adapters.webhooks.find(webhook.account_id, webhook.id) == after
    with pytest.raises(ChangedMeanwhile):
        adapters.webhooks.replace(webhook, changed(webhook, name="Other"))
    assert adapters.webhooks.find(webhook.account_id, webhook.id) == after


def test_a_changed_url_must_be_free_and_frees_the_old_one(
    adapters: Adapters, webhook: Webhook
) -> None:
    other = one_of(webhook.account_id)
    adapters.webhooks.add(other, 10)

    with pytest.raises(UrlTaken):
        adapters.webhooks.replace(webhook, changed(webhook, url=other.url))
    adapters.webhooks.replace(webhook, changed(webhook, url="https://example.com/new"))
    with pytest.raises(UrlTaken):
        adapters.webhooks.add(one_of(webhook.account_id, url="https://example.com/new"), 10)
    adapters.webhooks.add(one_of(webhook.account_id, url=webhook.url), 10)


def test_a_change_of_what_was_changed_meanwhile_moves_no_url(
    adapters: Adapters, webhook: Webhook
) -> None:
    adapters.webhooks.replace(webhook, changed(webhook, name="Warehouse"))

    with pytest.raises(ChangedMeanwhile):
        adapters.webhooks.replace(webhook, changed(webhook, url="https://example.com/new"))
    with pytest.raises(ChangedMeanwhile):
        adapters.webhooks.bury(webhook, NOW)

    adapters.webhooks.add(one_of(webhook.account_id, url="https://example.com/new"), 10)
    with pytest.raises(UrlTaken):
        adapters.webhooks.add(one_of(webhook.account_id, url=webhook.url), 10)


def test_a_buried_webhook_is_known_to_whoever_asks_for_it(
    adapters: Adapters, webhook: Webhook
) -> None:
    adapters.webhooks.bury(webhook, NOW + 2)

    tombstone = DeletedWebhook(webhook.account_id, webhook.id)
    assert adapters.webhooks.find(webhook.account_id, webhook.id) is None
    assert adapters.webhooks.page(webhook.account_id, 10, None).items == []
    assert adapters.lookup.of_account(webhook.account_id) == []
    assert adapters.lookup.find(webhook.account_id, webhook.id) == tombstone
    assert found(adapters, webhook) == tombstone
    assert adapters.lookup.logged(webhook.account_id, 5) == [webhook.id]
    adapters.webhooks.add(one_of(webhook.account_id, url=webhook.url), 10)


def test_of_the_deleted_ones_the_log_has_the_last_also_those_of_a_former_release(
    adapters: Adapters, account_id: AccountId
) -> None:
    webhooks = [one_of(account_id) for _ in range(5)]
    for one in webhooks:
        adapters.webhooks.add(one, 10)
    former, *buried, live = webhooks
    adapters.webhooks.replace(former, replace(former, status=WebhookStatus.DELETED, version=2))
    for place, one in enumerate(buried):
        adapters.webhooks.bury(one, NOW + 1 + place)

    last = [one.id for one in reversed(buried)]
    assert adapters.lookup.logged(account_id, 2) == [live.id, *last[:2]]
    assert adapters.lookup.logged(account_id, 4) == [live.id, *last, former.id]


def test_pages_hold_every_webhook_once(adapters: Adapters, account_id: AccountId) -> None:
    webhooks = [one_of(account_id) for _ in range(5)]
    for one in webhooks:
        adapters.webhooks.add(one, 10)
    adapters.webhooks.bury(webhooks[2], NOW)

    listed, cursor = [], None
    while True:
        page = adapters.webhooks.page(account_id, 2, cursor)
        assert len(page.items) <= 2
        listed += page.items
        if (cursor := page.next_cursor) is None:
            break

    kept = [one for one in webhooks if one is not webhooks[2]]
    assert listed == sorted(kept, key=lambda one: one.id)


@pytest.mark.parametrize("cursor", ["é", "a b", "../.."])
def test_a_cursor_that_no_page_gave_is_a_problem(
    cursor: str, adapters: Adapters, account_id: AccountId
) -> None:
    with pytest.raises(Problem):
        adapters.webhooks.page(account_id, 2, cursor)


def test_failures_add_up_from_the_first_one_until_they_are_forgotten(
    adapters: Adapters, webhook: Webhook
) -> None:
    assert adapters.states.add_failures(webhook, 2, NOW, failing=True) == Streak(2, NOW, strain=2)
    assert adapters.states.add_failures(webhook, 3, NOW + 9, failing=True) == Streak(
        5, NOW, strain=5
    )
    assert state(adapters, webhook).failing

    adapters.states.end_streak(webhook, NOW)

    assert not state(adapters, webhook).failing
    assert adapters.states.add_failures(webhook, 1, NOW + 20, failing=True) == Streak(
        1, NOW + 20, strain=1
    )


def test_failures_counted_by_many_at_once_all_count(adapters: Adapters, webhook: Webhook) -> None:
    with ThreadPoolExecutor(6) as threads:
        list(
            threads.map(
                lambda _: adapters.states.add_failures(webhook, 1, NOW, failing=True), range(30)
            )
        )

    assert adapters.states.add_failures(webhook, 0, NOW, failing=True).failures == 30


def test_failed_deliveries_are_counted_until_a_notice_takes_them(
    adapters: Adapters, webhook: Webhook
) -> None:
    states = adapters.states
    assert states.count_failed(webhook, 2, NOW) == UnreportedFailures(2, NOW, None)
    seen = states.count_failed(webhook, 1, NOW + 5)
    assert seen == UnreportedFailures(3, NOW, None)

    assert state(adapters, webhook).untold == seen
    assert states.take_untold(webhook, seen, NOW + 6)

    assert states.count_failed(webhook, 1, NOW + 9) == UnreportedFailures(1, NOW + 9, NOW + 6)


def test_what_is_counted_after_a_look_is_left_to_the_next_notice(
    adapters: Adapters, webhook: Webhook
) -> None:
    seen = adapters.states.count_failed(webhook, 2, NOW)
    adapters.states.count_failed(webhook, 5, NOW + 1)

    assert adapters.states.take_untold(webhook, seen, NOW + 2)

    left = state(adapters, webhook).untold
    assert left is not None
    assert (left.count, left.noticed_at) == (5, NOW + 2)
    assert adapters.states.count_failed(webhook, 1, NOW + 9).count == 6


def test_what_is_given_back_is_counted_again(adapters: Adapters, webhook: Webhook) -> None:
    seen = adapters.states.count_failed(webhook, 2, NOW)
    assert adapters.states.take_untold(webhook, seen, NOW + 2)

    adapters.states.give_back(webhook, seen)

    assert adapters.states.count_failed(webhook, 1, NOW + 9) == UnreportedFailures(3, NOW, NOW + 2)


@pytest.mark.parametrize("earlier", [False, True])
def test_of_many_who_would_tell_one_may(
    earlier: bool, adapters: Adapters, webhook: Webhook
) -> None:
    seen = adapters.states.count_failed(webhook, 1, NOW)
    if earlier:
        assert adapters.states.take_untold(webhook, seen, NOW + 1)
        seen = adapters.states.count_failed(webhook, 1, NOW + 2)

    with ThreadPoolExecutor(8) as threads:
        may = list(
            threads.map(
                lambda moment: adapters.states.take_untold(webhook, seen, moment),
                range(NOW + 10, NOW + 34),
            )
        )

    assert sum(may) == 1
    assert adapters.states.count_failed(webhook, 1, NOW + 50).count == 1


def test_counting_and_streaks_do_not_touch_each_other(adapters: Adapters, webhook: Webhook) -> None:
    adapters.states.count_failed(webhook, 2, NOW)
    assert not state(adapters, webhook).failing

    adapters.states.add_failures(webhook, 1, NOW, failing=True)
    adapters.states.end_streak(webhook, NOW)

    assert adapters.states.count_failed(webhook, 1, NOW + 9) == UnreportedFailures(3, NOW, None)


def test_a_state_knows_where_its_accounts_notices_go(adapters: Adapters, webhook: Webhook) -> None:
    assert state(adapters, webhook).notice_topic is None
    account = adapters.accounts.find(webhook.account_id)
    assert account is not None

    adapters.accounts.replace(account, replace(account, notice_topic="arn:aws:sns:us-east-1:0:t"))

    assert state(adapters, webhook).notice_topic == "arn:aws:sns:us-east-1:0:t"


def test_what_was_changed_meanwhile_is_not_paused(adapters: Adapters, webhook: Webhook) -> None:
    adapters.webhooks.replace(webhook, changed(webhook, url="https://moved.example/hook"))

    assert not adapters.states.pause(webhook, PAUSE)
    assert state(adapters, webhook).webhook.status is WebhookStatus.ENABLED


def test_of_many_who_pause_one_wins(adapters: Adapters, webhook: Webhook) -> None:
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda _: adapters.states.pause(webhook, PAUSE), range(24)))

    assert sum(won) == 1
    assert adapters.webhooks.find(webhook.account_id, webhook.id) == changed(
        webhook, status=WebhookStatus.PAUSED, pause=PAUSE, updated_at=PAUSE.at
    )


@pytest.mark.parametrize("status", [WebhookStatus.DISABLED, WebhookStatus.DELETED])
def test_only_an_enabled_webhook_is_paused(
    status: WebhookStatus, adapters: Adapters, webhook: Webhook
) -> None:
    if status is WebhookStatus.DELETED:
        adapters.webhooks.bury(webhook, NOW)
    else:
        adapters.webhooks.replace(webhook, changed(webhook, status=status))

    assert not adapters.states.pause(webhook, PAUSE)
    if status is WebhookStatus.DELETED:
        assert isinstance(found(adapters, webhook), DeletedWebhook)
    else:
        assert state(adapters, webhook).webhook.status is status


def test_an_absent_webhook_is_not_paused_into_being(
    adapters: Adapters, account_id: AccountId
) -> None:
    assert not adapters.states.pause(one_of(account_id), PAUSE)
    assert adapters.lookup.of_account(account_id) == []


def test_a_change_made_from_before_a_pause_does_not_undo_it(
    adapters: Adapters, webhook: Webhook
) -> None:
    adapters.states.pause(webhook, PAUSE)

    with pytest.raises(ChangedMeanwhile):
        adapters.webhooks.replace(webhook, changed(webhook, name="Warehouse"))
    assert state(adapters, webhook).webhook.status is WebhookStatus.PAUSED
