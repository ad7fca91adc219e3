"""ConfigTable as it bounds how many calls wait for something to pull.

A place is an item that one call at a time can have, until it gives it back or its time is over.
"""

import random
from collections.abc import Callable

from perkwire.adapters.dynamodb.config_items import WaitItem, account_waits_pk, waits_pk
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, update_if
from perkwire.primitives.ids import AccountId
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS

MOST_OF_AN_ACCOUNT = 3
MOST_OF_ALL = 10
"""Half of ManagementConcurrency: whoever waits holds one, and all other calls go on."""

_TRIES = 4


class WaitPlaces:
    """Fulfils pulling.Waits."""

    def begin(self, account_id: AccountId, now: int, until: int) -> Callable[[], None] | None:
        """A place to wait until then, to be given back by a call; None: there is none.

        Raises Unavailable.
        """
        own = _take(account_waits_pk(account_id), MOST_OF_AN_ACCOUNT, now, until)
        if own is None:
            return None
        of_all = _take(waits_pk(), MOST_OF_ALL, now, until)
        if of_all is None:
            _give_back(own)
            return None

        def end() -> None:
            _give_back(own)
            _give_back(of_all)

        return end


def _take(pk: str, most: int, now: int, until: int) -> WaitItem | None:
    for place in random.sample(range(most), min(most, _TRIES)):
        item = WaitItem(pk, str(place))
        is_free = WaitItem.until.does_not_exist() | (WaitItem.until <= now)
        with failing_as_unavailable():
            taken = update_if(
                item,
                [
                    WaitItem.kind.set(WaitItem),
                    WaitItem.until.set(until),
                    WaitItem.expires_at.set(until // MICROSECONDS + HOUR_SECONDS),
                ],
                is_free,
            )
        if taken:
            return item
    return None


def _give_back(item: WaitItem) -> None:
    """Unless its time was over and another has it."""
    with failing_as_unavailable():
        update_if(item, [WaitItem.until.remove()], WaitItem.until == item.until)
