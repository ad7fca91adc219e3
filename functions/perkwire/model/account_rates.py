"""How often one account may call, as one execution environment of a function sees it.

A token bucket for each account, in memory: it costs no call, and what an account gets in all is
this times the environments that serve it. API Gateway's own limits are of all callers together.
"""

import math
from collections import OrderedDict
from collections.abc import Callable

from perkwire.model.account import Caller
from perkwire.primitives.ids import AccountId
from perkwire.primitives.problem import too_many
from perkwire.primitives.timestamps import MICROSECONDS

MOST_ACCOUNTS = 1_000
"""Buckets that are kept; of more, the account that has called least lately begins anew."""


class AccountRates:
    """`per_second` calls of each account, and at once `burst` of one that has been quiet.

    `clock` gives microseconds since the epoch. Operators are not counted: they are the platform.
    """

    def __init__(self, per_second: int, burst: int, clock: Callable[[], int]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[AccountId, tuple[float, int]] = OrderedDict()

    def count(self, caller: Caller) -> None:
        """Count one call; raises the 429 problem, which says when there is room for another."""
        if caller.account_id is None:
            return
        now = self._clock()
        left, at = self._buckets.pop(caller.account_id, (float(self._burst), now))
        # A clock that is set back gives nothing and takes nothing.
        gained = max(now - at, 0) * self._per_second / MICROSECONDS
        left = min(left + gained, float(self._burst))
        allowed = left >= 1
        self._buckets[caller.account_id] = (left - 1 if allowed else left, now)
        if len(self._buckets) > MOST_ACCOUNTS:
            self._buckets.popitem(last=False)
        if not allowed:
            raise too_many(
                "The account sends more requests than one may.",
                retry_after_seconds=math.ceil((1 - left) / self._per_second),
            )
