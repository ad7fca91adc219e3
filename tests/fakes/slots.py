"""The slots of webhooks with a pace."""

import threading

from perkwire.model.pace import slot_length
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import WebhookId
from tests.fakes.failing import Failing


class FakeSlotCounter(Failing):
    """For SlotCounter: pace.Slots."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[WebhookId, int] = {}
        self._taking = threading.Lock()

    def take(self, webhook: Webhook, count: int, now: int) -> int:
        self._called("take")
        if webhook.max_per_second is None:
            raise ValueError("a webhook without a pace has no slots")
        length = slot_length(webhook.max_per_second)
        with self._taking:
            first = max(now, self.last.get(webhook.id, 0) + length)
            self.last[webhook.id] = first + (count - 1) * length
        return first

    def last_taken(self, webhook: Webhook) -> int | None:
        self._called("last_taken")
        return self.last.get(webhook.id)
