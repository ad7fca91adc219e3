"""Whose the dead letters are: read off the logs, as to look at the messages would change them."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from perkwire.model.account import Account
from perkwire.model.delivery import DeliveryStatus
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS
from perkwire.reading.log import DeliveryFilter

_RESTING_DAYS = 14  # as long as SQS keeps a message
_SIDE_BY_SIDE = 8  # AWS's client keeps ten connections


class Log(Protocol):
    """The log of deliveries. LogReader fulfils it."""

    def count_unsettled(
        self, account_id: AccountId, wanted: DeliveryFilter, most: int
    ) -> tuple[Mapping[DeliveryStatus, int], bool]:
        """How many failed and are being retried, and whether there are more; raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Owner:
    """An account, and how many of its deliveries have failed; `is_capped`: at least so many."""

    account: Account
    failed: int
    is_capped: bool


def owners(log: Log, accounts: Collection[Account], now: int, most: int) -> Sequence[Owner]:
    """Those of the accounts that have failed deliveries, most of them first; raises Unavailable.

    Looks at the newest `most` of each that have failed or are being retried. What failed because
    its webhook was paused is among them, and in no queue.
    """
    wanted = DeliveryFilter(since=now - _RESTING_DAYS * DAY_SECONDS * MICROSECONDS)

    def count(account: Account) -> Owner:
        counts, is_capped = log.count_unsettled(account.id, wanted, most)
        return Owner(account, counts.get(DeliveryStatus.FAILED, 0), is_capped)

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        counted = [*pool.map(count, accounts)]
    found = [one for one in counted if one.failed]
    return sorted(found, key=lambda one: (-one.failed, one.account.name))
