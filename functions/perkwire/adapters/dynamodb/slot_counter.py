"""ConfigTable as the slots of webhooks with a pace are counted in it."""

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from perkwire.adapters.dynamodb.config_items import SlotItem, slots_pk
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, find, update_if
from perkwire.model.pace import slot_length
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS

_KEPT_SECONDS = 30 * DAY_SECONDS  # after the last slot, as the webhook may be deleted


class SlotCounter:
    """Fulfils pace.Slots. One item for each webhook.

    DynamoDB cannot take the later of two times, so there are two ways to take slots: behind those
    that are taken, or from now on. Which of them holds is remembered from the last time: mostly the
    first try is the only one.
    """

    def __init__(self) -> None:
        self._taken_until: dict[WebhookId, int] = {}

    def take(self, webhook: Webhook, count: int, now: int) -> int:
        """Take the next `count` slots of a webhook with a pace: when the first of them is.

        One update, or two. Raises Unavailable.
        """
        if webhook.max_per_second is None:
            raise ValueError("a webhook without a pace has no slots")
        length = slot_length(webhook.max_per_second)
        item = SlotItem(slots_pk(webhook.account_id), webhook.id)
        is_queued = SlotItem.last_at > now - length
        ways: list[tuple[list[Action], Condition]] = [
            (_from(now, (count - 1) * length), SlotItem.last_at.does_not_exist() | ~is_queued),
            (_further(count * length), is_queued),
        ]
        if self._taken_until.get(webhook.id, 0) > now:
            ways.reverse()
        with failing_as_unavailable():
            # The item may expire between two of these.
            for actions, condition in ways * 2:
                if update_if(item, actions, condition):
                    last_at = int(item.last_at)
                    self._remember(webhook.id, last_at + length, now)
                    return last_at - (count - 1) * length
        raise Unavailable("DynamoDB: the slots change too often")

    def last_taken(self, webhook: Webhook) -> int | None:
        """The last slot of the webhook that is taken, past ones too; None: none in a month.

        Raises Unavailable.
        """
        item = find(SlotItem, slots_pk(webhook.account_id), webhook.id)
        return None if item is None else int(item.last_at)

    def _remember(self, webhook_id: WebhookId, until: int, now: int) -> None:
        self._taken_until = {one: at for one, at in self._taken_until.items() if at > now}
        self._taken_until[webhook_id] = until


def _from(now: int, microseconds: int) -> list[Action]:
    """The first slot is now, the last so much later."""
    last_at = now + microseconds
    return [
        SlotItem.kind.set(SlotItem),
        SlotItem.last_at.set(last_at),
        SlotItem.expires_at.set(last_at // MICROSECONDS + _KEPT_SECONDS),
    ]


def _further(microseconds: int) -> list[Action]:
    """The last slot is so much later than the one before."""
    return [
        SlotItem.last_at.add(microseconds),
        SlotItem.expires_at.add(-(-microseconds // MICROSECONDS)),
    ]
