"""ConfigTable as the mails are counted in it that ask an address for confirmation."""

from collections.abc import Callable

from perkwire.adapters.dynamodb.config_items import (
    TrialCountItem,
    address_pk,
    confirmations_pk,
)
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, update_if
from perkwire.model.account import address_hash
from perkwire.primitives.ids import AccountId
from perkwire.primitives.problem import too_many
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS, to_rfc3339

MOST_OF_ACCOUNT = 30
MOST_TO_ADDRESS = 100
"""In a day, UTC, whoever asks: it may belong to somebody who has never heard of us. Many, as the
platform's own people may want the notices of all accounts that they set up in a day."""

_TO_THE_DAY = len("2026-11-21")


class ConfirmationCounter:
    """So many mails for each account, and to each address, in a day."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock

    def count(self, account_id: AccountId, address: str) -> None:
        """Count one; raises the 429 problem, which says when the next day begins, and Unavailable.

        By conditions on the counts, so that no race gets past them. Of the address a hash is kept.
        """
        now = self._clock()
        for partition, most in (
            # An account that may have nobody asked uses up nothing of what others may.
            (confirmations_pk(account_id), MOST_OF_ACCOUNT),
            (address_pk(address_hash(address)), MOST_TO_ADDRESS),
        ):
            item = TrialCountItem(partition, to_rfc3339(now)[:_TO_THE_DAY])
            with failing_as_unavailable():
                taken = update_if(
                    item,
                    [
                        TrialCountItem.kind.set(TrialCountItem),
                        TrialCountItem.taken.add(1),
                        TrialCountItem.expires_at.set(now // MICROSECONDS + 2 * DAY_SECONDS),
                    ],
                    TrialCountItem.taken.does_not_exist() | (TrialCountItem.taken < most),
                )
            if not taken:
                raise too_many(
                    f"At most {MOST_TO_ADDRESS} mails a day ask an address for confirmation, and "
                    f"{MOST_OF_ACCOUNT} for an account.",
                    retry_after_seconds=DAY_SECONDS - now // MICROSECONDS % DAY_SECONDS,
                )
