"""ConfigTable as webhooks, their health and their notices are kept in it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from perkwire.dispatching.health import Streak
from perkwire.dispatching.noticing import UnreportedFailures, UnreportedPauses
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.managing.stores import ChangedMeanwhile
from perkwire.managing.webhooks import TooManyWebhooks, UrlTaken
from perkwire.model.account import Account
from perkwire.model.erasures import Erasures
from perkwire.model.lanes import Lane
from perkwire.model.webhook import (
    DeletedWebhook,
    Pause,
    SealedSecrets,
    Webhook,
    WebhookStatus,
)
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.page import Page
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS
from tests.fakes.config_items import FakeConfigItems
from tests.fakes.failing import Failing
from tests.fakes.pages import page_of


class FakeWebhookLookup(Failing):
    """For WebhookLookup and WebhookStates: accepting.Accounts, routing.AccountWebhooks,
    reading.AccountWebhooks, jobs.Webhooks, HealthStore, noticing.FailureCounts."""

    def __init__(self, items: FakeConfigItems) -> None:
        super().__init__()
        self._items = items

    def existing(self, account_ids: Collection[AccountId]) -> set[AccountId]:
        self._called("existing")
        return set(account_ids) & self._items.accounts.keys()

    def of_account(self, account_id: AccountId) -> Sequence[Webhook] | None:
        self._called("of_account")
        if account_id not in self._items.accounts:
            return None
        own = self._items.of_account(account_id)
        return [one for one in own if one.status is not WebhookStatus.DELETED]

    def account_with_webhooks(
        self, account_id: AccountId
    ) -> tuple[Account, Sequence[Webhook]] | None:
        webhooks = self.of_account(account_id)
        return None if webhooks is None else (self._items.accounts[account_id], webhooks)

    def find(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook | DeletedWebhook | None:
        self._called("find")
        webhook = self._items.webhooks.get(webhook_id)
        if webhook is None or webhook.account_id != account_id:
            return None
        if account_id not in self._items.accounts:
            return None
        if webhook.status is WebhookStatus.DELETED:
            return DeletedWebhook(account_id, webhook_id)
        return webhook

    def logged(self, account_id: AccountId, most_deleted: int) -> Sequence[WebhookId]:
        self._called("logged")
        own = self._items.of_account(account_id)
        deleted = sorted(
            (one for one in own if one.status is WebhookStatus.DELETED),
            key=lambda one: one.updated_at,
            reverse=True,
        )
        live = [one for one in own if one.status is not WebhookStatus.DELETED]
        return [one.id for one in [*live, *deleted[:most_deleted]]]

    def states(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> Mapping[WebhookId, WebhookState | DeletedWebhook]:
        self._called("states")
        return self._states(keys)

    def look_again(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> Mapping[WebhookId, WebhookState]:
        self._called("look_again")
        found = self._states(keys)
        return {one: state for one, state in found.items() if isinstance(state, WebhookState)}

    def _states(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> dict[WebhookId, WebhookState | DeletedWebhook]:
        found: dict[WebhookId, WebhookState | DeletedWebhook] = {}
        for account_id, webhook_id in keys:
            webhook = self._items.webhooks.get(webhook_id)
            if webhook is None or webhook.account_id != account_id:
                continue
            if account_id not in self._items.accounts:
                continue
            if webhook.status is WebhookStatus.DELETED:
                found[webhook_id] = DeletedWebhook(account_id, webhook_id)
                continue
            untold = self._items.untold.get(webhook_id, UnreportedFailures(0, 0, None))
            nothing = UnreportedFailures(0, 0, None)
            unsignalled = self._items.unsignalled.get(webhook_id, nothing)
            found[webhook_id] = WebhookState(
                webhook,
                failing=self._items.streak_of(webhook) is not None,
                strain=self._items.strain_of(webhook),
                ease=self._items.ease_of(webhook),
                notice_topic=self._items.accounts[account_id].notice_topic,
                untold=untold if untold.count else None,
                untold_pauses=self._items.pauses.get(webhook_id),
                unsignalled=unsignalled if unsignalled.count else None,
                erasures=self._erasures(account_id),
            )
        return found

    def _erasures(self, account_id: AccountId) -> Erasures | None:
        account = self._items.accounts[account_id]
        return account.erasures if account.erased else None

    def add_failures(self, webhook: Webhook, count: int, now: int, *, failing: bool) -> Streak:
        self._called("add_failures")
        items = self._items
        with items.lock:
            items.begin_rows_of(webhook)
            before = items.streaks.get(webhook.id) or Streak(0, now, strain=0)
            strain = items.strains.get(webhook.id, 0) + count
            streak = Streak(before.failures + count, before.since, strain=strain)
            items.streaks[webhook.id] = streak
            items.strains[webhook.id] = strain
            items.eases.pop(webhook.id, None)
        return streak

    def add_slow(self, webhook: Webhook, count: int, now: int) -> int:
        self._called("add_slow")
        items = self._items
        with items.lock:
            items.begin_rows_of(webhook)
            items.streaks.pop(webhook.id, None)
            items.eases.pop(webhook.id, None)
            items.strains[webhook.id] = items.strains.get(webhook.id, 0) + count
            return items.strains[webhook.id]

    def end_streak(self, webhook: Webhook, now: int, *, fast: int = 0) -> int:
        self._called("end_streak")
        items = self._items
        with items.lock:
            if fast:
                items.begin_rows_of(webhook)
            elif not items.has_rows_of(webhook):
                return 0
            ease = items.eases.get(webhook.id, 0) + fast if fast else 0
            items.end_rows_of(webhook.id)
            if fast:
                items.eases[webhook.id] = ease
        return ease

    def pause(self, webhook: Webhook, pause: Pause) -> bool:
        self._called("pause")
        with self._items.lock:
            current = self._items.webhooks.get(webhook.id)
            if current is None or current.status is not WebhookStatus.ENABLED:
                return False
            if current.version != webhook.version:
                return False
            self._items.webhooks[webhook.id] = replace(
                current,
                status=WebhookStatus.PAUSED,
                pause=pause,
                updated_at=pause.at,
                version=current.version + 1,
            )
        return True

    def move(self, webhook: Webhook, lane: Lane) -> bool:
        self._called("move")
        with self._items.lock:
            current = self._items.webhooks.get(webhook.id)
            if current is None or current.status is not WebhookStatus.ENABLED:
                return False
            if current.version != webhook.version or current.lane is lane:
                return False
            self._items.webhooks[webhook.id] = replace(current, lane=lane)
        return True

    def count_failed(self, webhook: Webhook, count: int, now: int) -> UnreportedFailures:
        self._called("count_failed")
        return self._add_untold(webhook, count, now)

    def take_untold(self, webhook: Webhook, untold: UnreportedFailures, now: int) -> bool:
        self._called("take_untold")
        with self._items.lock:
            current = self._items.untold[webhook.id]
            if current.noticed_at != untold.noticed_at:
                return False
            self._items.untold[webhook.id] = UnreportedFailures(
                current.count - untold.count, 0, now
            )
        return True

    def give_back(self, webhook: Webhook, untold: UnreportedFailures) -> None:
        self._called("give_back")
        self._add_untold(webhook, untold.count, untold.since)

    def count_pause(self, webhook: Webhook, now: int) -> UnreportedPauses:
        self._called("count_pause")
        with self._items.lock:
            before = self._items.pauses.get(webhook.id)
            noticed_at = self._items.pauses_noticed_at.get(webhook.id)
            after = UnreportedPauses((before.count if before else 0) + 1, noticed_at)
            self._items.pauses[webhook.id] = after
        return after

    def take_pauses(self, webhook: Webhook, pauses: UnreportedPauses, now: int) -> bool:
        self._called("take_pauses")
        with self._items.lock:
            if self._items.pauses_noticed_at.get(webhook.id) != pauses.noticed_at:
                return False
            self._items.pauses_noticed_at[webhook.id] = now
            left = self._items.pauses.pop(webhook.id).count - pauses.count
            if left:
                self._items.pauses[webhook.id] = UnreportedPauses(left, now)
        return True

    def admit_notice(self, webhook: Webhook, now: int, most: int) -> bool:
        self._called("admit_notice")
        hour = (webhook.account_id, now // (HOUR_SECONDS * MICROSECONDS))
        with self._items.lock:
            admitted = self._items.notices[hour] < most
            self._items.notices[hour] += admitted
        return admitted

    def _add_untold(self, webhook: Webhook, count: int, since: int) -> UnreportedFailures:
        with self._items.lock:
            before = self._items.untold.get(webhook.id, UnreportedFailures(0, 0, None))
            after = UnreportedFailures(
                before.count + count, before.since or since, before.noticed_at
            )
            self._items.untold[webhook.id] = after
        return after


class FakeWebhookStore(Failing):
    """For WebhookStore: managing.Webhooks."""

    def __init__(self, items: FakeConfigItems) -> None:
        super().__init__()
        self._items = items

    def add(self, webhook: Webhook, most: int) -> None:
        self._called("add")
        with self._items.lock:
            if self._items.holds_url(webhook) or webhook.id in self._items.webhooks:
                raise UrlTaken
            # An account that is not there has no room, as the condition on its item has it.
            if webhook.account_id not in self._items.accounts:
                raise TooManyWebhooks
            own = self._items.of_account(webhook.account_id)
            if sum(one.status is not WebhookStatus.DELETED for one in own) >= most:
                raise TooManyWebhooks
            self._items.put(webhook)

    def find(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook | None:
        self._called("find")
        webhook = self._items.webhooks.get(webhook_id)
        if webhook is None or webhook.account_id != account_id:
            return None
        return None if webhook.status is WebhookStatus.DELETED else webhook

    def is_deleted(self, account_id: AccountId, webhook_id: WebhookId) -> bool:
        self._called("is_deleted")
        webhook = self._items.webhooks.get(webhook_id)
        return webhook is not None and webhook.status is WebhookStatus.DELETED

    def replace(self, before: Webhook, after: Webhook) -> None:
        self._called("replace")
        with self._items.lock:
            self._check_version(before)
            if self._items.holds_url(after):
                raise UrlTaken
            self._items.put(after)

    def bury(self, webhook: Webhook, now: int) -> None:
        self._called("bury")
        with self._items.lock:
            self._check_version(webhook)
            self._items.end_rows_of(webhook.id)
            self._items.untold.pop(webhook.id, None)
            self._items.pauses.pop(webhook.id, None)
            self._items.pauses_noticed_at.pop(webhook.id, None)
            self._items.put(
                replace(
                    webhook,
                    status=WebhookStatus.DELETED,
                    pause=None,
                    header_names=(),
                    sealed=SealedSecrets(secret=b"", headers=None),
                    version=webhook.version + 1,
                    updated_at=now,
                )
            )

    def page(self, account_id: AccountId, limit: int, cursor: str | None) -> Page[Webhook]:
        self._called("page")
        own = self._items.of_account(account_id)
        page = page_of([(webhook.id, webhook) for webhook in own], limit, cursor)
        # As with the table, tombstones make a page short.
        present = [item for item in page.items if item.status is not WebhookStatus.DELETED]
        return Page(present, page.next_cursor)

    def _check_version(self, webhook: Webhook) -> None:
        current = self._items.webhooks.get(webhook.id)
        if current is None or current.version != webhook.version:
            raise ChangedMeanwhile
