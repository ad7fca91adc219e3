"""ConfigTable: what of a webhook no signal has told of, beside its health."""

from perkwire.adapters.dynamodb.config_items import HealthItem
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, update_if
from perkwire.adapters.dynamodb.webhook_states import health_item, kept, unsignalled
from perkwire.dispatching.noticing import UnreportedFailures
from perkwire.model.webhook import Webhook


class SignalCounts:
    """Fulfils signalling.SignalCounts."""

    def count_failed(self, webhook: Webhook, count: int, now: int) -> UnreportedFailures:
        """Add to the failed deliveries that are untold; raises Unavailable."""
        item = health_item(webhook)
        with failing_as_unavailable():
            item.update(
                actions=[
                    HealthItem.unsignalled.add(count),
                    HealthItem.unsignalled_since.set(HealthItem.unsignalled_since | now),
                    *kept(now),
                ]
            )
        return unsignalled(item)

    def take_failed(self, webhook: Webhook, untold: UnreportedFailures, now: int) -> bool:
        """Subtract those of a signal, by a condition on the last one: one caller wins.

        What others have counted since stays. Raises Unavailable.
        """
        last = HealthItem.signalled_at
        seen = untold.noticed_at
        with failing_as_unavailable():
            return update_if(
                health_item(webhook),
                [
                    HealthItem.unsignalled.add(-untold.count),
                    HealthItem.unsignalled_since.remove(),
                    last.set(now),
                    *kept(now),
                ],
                last.does_not_exist() if seen is None else last == seen,
            )

    def take_pause(self, webhook: Webhook, now: int, since: int) -> bool:
        """Note the signal of a pause, unless one was after `since`: one caller wins.

        Raises Unavailable.
        """
        last = HealthItem.pause_signalled_at
        with failing_as_unavailable():
            return update_if(
                health_item(webhook),
                [last.set(now), *kept(now)],
                last.does_not_exist() | (last <= since),
            )
