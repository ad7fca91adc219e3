"""ConfigTable as people look into the health of webhooks: their streaks of failures."""

from collections.abc import Collection, Mapping

from perkwire.adapters.dynamodb.config_items import HealthItem, health_pk
from perkwire.adapters.dynamodb.tables import find_all
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import WebhookId
from perkwire.reading.troubles import FailureStreak


class HealthReader:
    """Fulfils troubles.Streaks."""

    def of(self, webhooks: Collection[Webhook]) -> Mapping[WebhookId, FailureStreak]:
        """The streaks that there are, of the endpoints as they are now; raises Unavailable."""
        versions = {one.id: one.endpoint_version for one in webhooks}
        found = find_all(HealthItem, {(health_pk(one.account_id), one.id) for one in webhooks})
        return {
            WebhookId(item.sk): FailureStreak(int(item.failures), int(item.since))
            for item in found
            if item.failures is not None
            and item.since is not None
            and item.endpoint_version in (None, versions[WebhookId(item.sk)])
        }
