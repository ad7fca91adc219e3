"""ConfigTable as the dispatcher has it: webhooks with their health, pauses, untold failures."""

import contextlib
from collections.abc import Collection, Iterable, Mapping

from perkwire.adapters.dynamodb.config_items import (
    ACCOUNT_SK,
    AccountItem,
    ConfigItem,
    HealthItem,
    WebhookItem,
    health_pk,
    webhook_sk,
)
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, find_all, update_if, whole
from perkwire.dispatching.noticing import UnreportedFailures
from perkwire.dispatching.pausing import Streak
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.webhook import Pause, Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, WebhookId, is_account_id


class WebhookStates:
    """Fulfils dispatching.Webhooks, pausing.HealthStore, noticing.FailureCounts."""

    def states(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> Mapping[WebhookId, WebhookState]:
        """Webhooks with their accounts and health, in one consistent batch; raises Unavailable."""
        # One key that the role refuses would take the whole batch along.
        keys = [key for key in keys if is_account_id(key[0])]
        wanted: set[tuple[str, str]] = {(account_id, ACCOUNT_SK) for account_id, _ in keys}
        for account_id, webhook_id in keys:
            wanted.add((account_id, webhook_sk(webhook_id)))
            wanted.add((health_pk(account_id), webhook_id))
        items = find_all(ConfigItem, wanted)
        topics = {item.pk: item.notice_topic for item in items if isinstance(item, AccountItem)}
        health = {item.sk: item for item in items if isinstance(item, HealthItem)}
        webhooks = _readable(item for item in items if isinstance(item, WebhookItem))
        return {
            webhook.id: _state(webhook, health.get(webhook.id), topics[webhook.account_id])
            for webhook in webhooks
            if webhook.account_id in topics
        }

    def add_failures(self, webhook: Webhook, count: int, now: int) -> Streak:
        """Lengthen the streak, beginning it at `now` if there is none; raises Unavailable."""
        item = _health_item(webhook)
        with failing_as_unavailable():
            item.update(
                actions=[
                    HealthItem.kind.set(HealthItem),
                    HealthItem.failures.add(count),
                    HealthItem.since.set(HealthItem.since | now),
                ]
            )
        return Streak(int(item.failures or count), int(item.since or now))

    def end_streak(self, webhook: Webhook) -> None:
        """Forget the streak; raises Unavailable."""
        with failing_as_unavailable():
            _health_item(webhook).update(
                actions=[
                    HealthItem.kind.set(HealthItem),
                    HealthItem.failures.remove(),
                    HealthItem.since.remove(),
                ]
            )

    def pause(self, webhook: Webhook, pause: Pause) -> bool:
        """Enabled to paused, if it is the webhook that was asked for: one caller wins.

        What it was changed to meanwhile, another URL or enabled after a pause, has not failed yet.
        Raises Unavailable.
        """
        item = WebhookItem(webhook.account_id, webhook_sk(webhook.id))
        with failing_as_unavailable():
            return update_if(
                item,
                [
                    WebhookItem.status.set(WebhookStatus.PAUSED),
                    WebhookItem.paused_at.set(pause.at),
                    WebhookItem.pause_reason.set(pause.reason),
                    WebhookItem.updated_at.set(pause.at),
                    WebhookItem.version.add(1),
                ],
                (WebhookItem.status == WebhookStatus.ENABLED)
                & (WebhookItem.version == webhook.version),
            )

    def count_failed(self, webhook: Webhook, count: int, now: int) -> UnreportedFailures:
        """Add to the failed deliveries that are untold; raises Unavailable."""
        return self._add_untold(webhook, count, now)

    def take_untold(self, webhook: Webhook, untold: UnreportedFailures, now: int) -> bool:
        """Subtract those of a notice, by a condition on the last one: one caller wins.

        What others have counted since stays. Raises Unavailable.
        """
        seen = untold.noticed_at
        last = HealthItem.noticed_at
        with failing_as_unavailable():
            return update_if(
                _health_item(webhook),
                [
                    HealthItem.untold.add(-untold.count),
                    HealthItem.untold_since.remove(),
                    HealthItem.noticed_at.set(now),
                ],
                last.does_not_exist() if seen is None else last == seen,
            )

    def give_back(self, webhook: Webhook, untold: UnreportedFailures) -> None:
        """Add those whose notice was not sent; raises Unavailable."""
        self._add_untold(webhook, untold.count, untold.since)

    def _add_untold(self, webhook: Webhook, count: int, since: int) -> UnreportedFailures:
        item = _health_item(webhook)
        with failing_as_unavailable():
            item.update(
                actions=[
                    HealthItem.kind.set(HealthItem),
                    HealthItem.untold.add(count),
                    HealthItem.untold_since.set(HealthItem.untold_since | since),
                ]
            )
        return _untold(item)


def _readable(items: Iterable[WebhookItem]) -> list[Webhook]:
    """The webhooks that this version can read; one that it cannot must not stop the others."""
    webhooks = []
    for item in items:
        with contextlib.suppress(ValueError):
            webhooks.append(item.to_webhook())
    return webhooks


def _state(webhook: Webhook, health: HealthItem | None, notice_topic: str | None) -> WebhookState:
    if health is None:
        return WebhookState(webhook, failing=False, notice_topic=notice_topic)
    return WebhookState(
        webhook,
        failing=health.failures is not None,
        notice_topic=notice_topic,
        untold=_untold(health) if health.untold else None,
    )


def _untold(health: HealthItem) -> UnreportedFailures:
    noticed_at = whole(health.noticed_at)
    # Counted while another's notice was taken out, they have failed at about that time.
    since = noticed_at if health.untold_since is None else int(health.untold_since)
    return UnreportedFailures(int(health.untold), since or 0, noticed_at)


def _health_item(webhook: Webhook) -> HealthItem:
    return HealthItem(health_pk(webhook.account_id), webhook.id)
