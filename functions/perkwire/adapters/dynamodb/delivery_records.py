"""ConfigTable and DeliveryTable as the dispatcher looks a delivery up: both in one call."""

from collections.abc import Collection

from perkwire.adapters.dynamodb.config_items import ConfigItem
from perkwire.adapters.dynamodb.delivery_items import DeliveryItem, delivery_key
from perkwire.adapters.dynamodb.delivery_table import entries_of
from perkwire.adapters.dynamodb.tables import find_together
from perkwire.adapters.dynamodb.webhook_states import state_keys, states_of
from perkwire.dispatching.lookup import Entries, States
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId


class DeliveryRecords:
    """Fulfils dispatching.Records."""

    def look_up(
        self,
        webhooks: Collection[tuple[AccountId, WebhookId]],
        deliveries: Collection[tuple[AccountId, DeliveryId]],
    ) -> tuple[States, Entries]:
        """Both in one consistent batch, and tombstones if a webhook is absent; raises Unavailable.

        The batch has at most 100 keys: those of an invocation's deliveries are far fewer.
        """
        found = find_together(
            {
                ConfigItem: state_keys(webhooks),
                DeliveryItem: {delivery_key(*key) for key in deliveries},
            }
        )
        return states_of(webhooks, found[ConfigItem]), entries_of(found[DeliveryItem])
