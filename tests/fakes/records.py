"""What is stored of deliveries, in two fakes."""

from collections.abc import Collection
from typing import Protocol

from perkwire.dispatching.lookup import Entries, States
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId


class _Webhooks(Protocol):
    def states(self, keys: Collection[tuple[AccountId, WebhookId]]) -> States: ...


class _Log(Protocol):
    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Entries: ...


class FakeRecords:
    """For DeliveryRecords: what each of the two has, one after the other."""

    def __init__(self, webhooks: _Webhooks, log: _Log) -> None:
        self._webhooks = webhooks
        self._log = log

    def look_up(
        self,
        webhooks: Collection[tuple[AccountId, WebhookId]],
        deliveries: Collection[tuple[AccountId, DeliveryId]],
    ) -> tuple[States, Entries]:
        return self._webhooks.states(webhooks), self._log.find(deliveries)
