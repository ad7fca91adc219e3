"""ConfigTable as the tests of each account are counted in it."""

from perkwire.adapters.dynamodb.config_items import TrialCountItem, trials_pk
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, update_if
from perkwire.primitives.ids import AccountId
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, to_rfc3339

_TO_THE_MINUTE = len("2026-11-21T01:23")


class TrialCounter:
    """Fulfils trying.TrialCounter: one item for each account and minute, gone an hour later."""

    def take(self, account_id: AccountId, now: int, most: int) -> bool:
        """Count one more by a condition on the count, so that no race gets past `most`.

        Raises Unavailable.
        """
        item = TrialCountItem(trials_pk(account_id), to_rfc3339(now)[:_TO_THE_MINUTE])
        with failing_as_unavailable():
            return update_if(
                item,
                [
                    TrialCountItem.kind.set(TrialCountItem),
                    TrialCountItem.taken.add(1),
                    TrialCountItem.expires_at.set(now // MICROSECONDS + HOUR_SECONDS),
                ],
                TrialCountItem.taken.does_not_exist() | (TrialCountItem.taken < most),
            )
