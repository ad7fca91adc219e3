"""ConfigTable as the dispatcher has it: webhooks with their health, pauses, untold failures."""

import contextlib
from collections.abc import Collection, Iterable, Mapping

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from perkwire.adapters.dynamodb.config_items import (
    ACCOUNT_SK,
    AccountItem,
    ConfigItem,
    HealthItem,
    TombstoneItem,
    WebhookItem,
    health_pk,
    tombstones_pk,
    webhook_sk,
)
from perkwire.adapters.dynamodb.notice_counter import NoticeCounter
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, find_all, update_if, whole
from perkwire.dispatching.health import Streak
from perkwire.dispatching.noticing import UnreportedFailures, UnreportedPauses
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.lanes import Lane
from perkwire.model.webhook import DeletedWebhook, Pause, Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, WebhookId, is_account_id
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS

_HEALTH_SECONDS = 30 * DAY_SECONDS  # after its last change
_NO_STREAK: list[Action] = [HealthItem.failures.remove(), HealthItem.since.remove()]


class WebhookStates(NoticeCounter):
    """Fulfils trials.Webhooks, health.HealthStore, noticing.FailureCounts."""

    def states(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> Mapping[WebhookId, WebhookState | DeletedWebhook]:
        """Webhooks with their accounts and health, in one consistent batch; raises Unavailable.

        Only if one is absent, tombstones are looked for.
        """
        return states_of(keys, find_all(ConfigItem, state_keys(keys)))

    def look_again(
        self, keys: Collection[tuple[AccountId, WebhookId]]
    ) -> Mapping[WebhookId, WebhookState]:
        """Those of the webhooks that there are, without the deleted; raises Unavailable."""
        found = self.states(keys)
        return {one: state for one, state in found.items() if isinstance(state, WebhookState)}

    def add_failures(self, webhook: Webhook, count: int, now: int, *, failing: bool) -> Streak:
        """Lengthen streak and strain, or begin them at `now`; raises Unavailable.

        `failing` says which of the two is likelier.
        """
        item = self._lengthen(
            webhook,
            begun=[
                HealthItem.failures.set(count),
                HealthItem.since.set(now),
                HealthItem.strain.set(count),
                HealthItem.ease.remove(),
            ],
            longer=[
                HealthItem.failures.add(count),
                HealthItem.since.set(HealthItem.since | now),
                HealthItem.strain.add(count),
                HealthItem.ease.remove(),
            ],
            now=now,
            is_known=failing,
        )
        return Streak(
            int(item.failures or count), int(item.since or now), strain=int(item.strain or count)
        )

    def add_slow(self, webhook: Webhook, count: int, now: int) -> int:
        """End the streak and lengthen the strain, which is how long now; raises Unavailable."""
        item = self._lengthen(
            webhook,
            begun=[*_NO_STREAK, HealthItem.ease.remove(), HealthItem.strain.set(count)],
            longer=[*_NO_STREAK, HealthItem.ease.remove(), HealthItem.strain.add(count)],
            now=now,
            is_known=True,
        )
        return int(item.strain or count)

    def end_streak(self, webhook: Webhook, now: int, *, fast: int = 0) -> int:
        """Forget streak and strain, unless they are another version's of the endpoint.

        Count `fast` successes in a row, if there are any to count. How many that is; raises
        Unavailable.
        """
        ended = [*_NO_STREAK, HealthItem.strain.remove()]
        if fast:
            item = self._lengthen(
                webhook,
                begun=[*ended, HealthItem.ease.set(fast)],
                longer=[*ended, HealthItem.ease.add(fast)],
                now=now,
                is_known=True,
            )
            return int(item.ease or fast)
        version = HealthItem.endpoint_version
        with failing_as_unavailable():
            update_if(
                health_item(webhook),
                [*ended, HealthItem.ease.remove(), version.remove(), *kept(now)],
                version.does_not_exist() | (version == webhook.endpoint_version),
            )
        return 0

    def _lengthen(
        self,
        webhook: Webhook,
        *,
        begun: list[Action],
        longer: list[Action],
        now: int,
        is_known: bool,
    ) -> HealthItem:
        """The health item after one of the two: `longer`, if what it counts is of this endpoint.

        Rows of another version of the endpoint are none of this one's: they are over. `is_known`
        says that `longer` is likelier. Raises Unavailable.
        """
        item = health_item(webhook)
        version = webhook.endpoint_version
        is_ours = HealthItem.endpoint_version == version
        ways: list[tuple[list[Action], Condition]] = [
            (
                [*begun, HealthItem.endpoint_version.set(version)],
                HealthItem.endpoint_version.does_not_exist() | ~is_ours,
            ),
            (longer, is_ours),
        ]
        if is_known:
            ways.reverse()
        with failing_as_unavailable():
            # Another dispatcher may begin or end one between two of these.
            for actions, condition in ways * 2:
                if update_if(item, [*actions, *kept(now)], condition):
                    return item
        raise Unavailable("DynamoDB: the streak changes too often")

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

    def move(self, webhook: Webhook, lane: Lane) -> bool:
        """To this lane from the other, if it is the webhook that was asked for: one caller wins.

        The version stays as it is: nobody who changes the webhook is to be refused for this. Who
        does at the same time may put the lane back, until the next attempts tell again. Raises
        Unavailable.
        """
        is_slow = lane is Lane.SLOW
        with failing_as_unavailable():
            return update_if(
                WebhookItem(webhook.account_id, webhook_sk(webhook.id)),
                [WebhookItem.lane.set(lane) if is_slow else WebhookItem.lane.remove()],
                (WebhookItem.status == WebhookStatus.ENABLED)
                & (WebhookItem.version == webhook.version)
                & (WebhookItem.lane.does_not_exist() if is_slow else WebhookItem.lane.exists()),
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
                health_item(webhook),
                [
                    HealthItem.untold.add(-untold.count),
                    HealthItem.untold_since.remove(),
                    HealthItem.noticed_at.set(now),
                    *kept(now),
                ],
                last.does_not_exist() if seen is None else last == seen,
            )

    def give_back(self, webhook: Webhook, untold: UnreportedFailures) -> None:
        """Add those whose notice was not sent; raises Unavailable."""
        self._add_untold(webhook, untold.count, untold.since)

    def count_pause(self, webhook: Webhook, now: int) -> UnreportedPauses:
        """Count a pause; all that are untold now. Raises Unavailable."""
        item = health_item(webhook)
        with failing_as_unavailable():
            item.update(actions=[HealthItem.untold_pauses.add(1), *kept(now)])
        return _untold_pauses(item)

    def take_pauses(self, webhook: Webhook, pauses: UnreportedPauses, now: int) -> bool:
        """Subtract those of a notice, by a condition on the last one: one caller wins.

        Raises Unavailable.
        """
        seen = pauses.noticed_at
        last = HealthItem.pause_noticed_at
        with failing_as_unavailable():
            return update_if(
                health_item(webhook),
                [
                    HealthItem.untold_pauses.add(-pauses.count),
                    HealthItem.pause_noticed_at.set(now),
                    *kept(now),
                ],
                last.does_not_exist() if seen is None else last == seen,
            )

    def _add_untold(self, webhook: Webhook, count: int, since: int) -> UnreportedFailures:
        item = health_item(webhook)
        with failing_as_unavailable():
            item.update(
                actions=[
                    HealthItem.untold.add(count),
                    HealthItem.untold_since.set(HealthItem.untold_since | since),
                    *kept(since),
                ]
            )
        return _untold(item)


def state_keys(keys: Collection[tuple[AccountId, WebhookId]]) -> set[tuple[str, str]]:
    """Where the webhooks are, with their accounts and health."""
    # One key that the role refuses would take the whole batch along.
    keys = [key for key in keys if is_account_id(key[0])]
    wanted: set[tuple[str, str]] = {(account_id, ACCOUNT_SK) for account_id, _ in keys}
    for account_id, webhook_id in keys:
        wanted.add((account_id, webhook_sk(webhook_id)))
        wanted.add((health_pk(account_id), webhook_id))
    return wanted


def states_of(
    keys: Collection[tuple[AccountId, WebhookId]], items: Collection[ConfigItem]
) -> Mapping[WebhookId, WebhookState | DeletedWebhook]:
    """What was found of the webhooks at `state_keys`; looks for tombstones if one is absent.

    Raises Unavailable.
    """
    accounts = {item.pk: item for item in items if isinstance(item, AccountItem)}
    health = {item.sk: item for item in items if isinstance(item, HealthItem)}
    webhooks = [item for item in items if isinstance(item, WebhookItem)]
    present = {(item.pk, item.sk) for item in webhooks}
    absent = {
        (tombstones_pk(account_id), webhook_id)
        for account_id, webhook_id in keys
        if account_id in accounts and (account_id, webhook_sk(webhook_id)) not in present
    }
    states: dict[WebhookId, WebhookState | DeletedWebhook] = {
        webhook.id: (
            DeletedWebhook(webhook.account_id, webhook.id)
            if webhook.status is WebhookStatus.DELETED
            else _state(webhook, health.get(webhook.id), accounts[webhook.account_id])
        )
        for webhook in _readable(webhooks)
        if webhook.account_id in accounts
    }
    for item in find_all(TombstoneItem, absent) if absent else ():
        tombstone = item.to_tombstone()
        states[tombstone.id] = tombstone
    return states


def _readable(items: Iterable[WebhookItem]) -> list[Webhook]:
    """The webhooks that this version can read; one that it cannot must not stop the others."""
    webhooks = []
    for item in items:
        with contextlib.suppress(ValueError):
            webhooks.append(item.to_webhook())
    return webhooks


def _state(webhook: Webhook, health: HealthItem | None, account: AccountItem) -> WebhookState:
    notice_topic = account.notice_topic
    erasures = account.to_account().erasures if account.erased else None
    if health is None:
        return WebhookState(webhook, failing=False, notice_topic=notice_topic, erasures=erasures)
    is_ours = health.endpoint_version == webhook.endpoint_version
    return WebhookState(
        webhook,
        failing=health.failures is not None and (is_ours or health.endpoint_version is None),
        strain=int(health.strain or 0) if is_ours else 0,
        ease=int(health.ease or 0) if is_ours else 0,
        notice_topic=notice_topic,
        untold=_untold(health) if health.untold else None,
        untold_pauses=_untold_pauses(health) if health.untold_pauses else None,
        unsignalled=unsignalled(health) if health.unsignalled else None,
        erasures=erasures,
    )


def _untold(health: HealthItem) -> UnreportedFailures:
    noticed_at = whole(health.noticed_at)
    # Counted while another's notice was taken out, they have failed at about that time.
    since = noticed_at if health.untold_since is None else int(health.untold_since)
    return UnreportedFailures(int(health.untold), since or 0, noticed_at)


def unsignalled(health: HealthItem) -> UnreportedFailures:
    """The failed deliveries of which no signal has told."""
    signalled_at = whole(health.signalled_at)
    since = signalled_at if health.unsignalled_since is None else int(health.unsignalled_since)
    return UnreportedFailures(int(health.unsignalled), since or 0, signalled_at)


def _untold_pauses(health: HealthItem) -> UnreportedPauses:
    return UnreportedPauses(int(health.untold_pauses), whole(health.pause_noticed_at))


def kept(now: int) -> list[Action]:
    """What every change of a health item says: what it is, and for how long it is kept."""
    return [
        HealthItem.kind.set(HealthItem),
        HealthItem.expires_at.set(now // MICROSECONDS + _HEALTH_SECONDS),
    ]


def health_item(webhook: Webhook) -> HealthItem:
    """Where the webhook's health is."""
    return HealthItem(health_pk(webhook.account_id), webhook.id)
