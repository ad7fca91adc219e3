"""An event once it is routed: what it became at each webhook that wanted it."""

from collections.abc import Mapping
from dataclasses import dataclass

from perkwire.model.event import Event
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId

NOT_IN_FORMAT = "not_in_format"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedEvent:
    """An event as it is kept: `deliveries` says by webhook what it became."""

    account_id: AccountId
    event: Event
    deliveries: Mapping[WebhookId, DeliveryId | str]
