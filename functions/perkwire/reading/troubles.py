"""What is failing across accounts, and how each account fares: an operator's first look.

Reads the accounts that it is given and no others, each by a query for its webhooks, one batch for
their health, and a query for each webhook of what has failed or is being retried; of these at most
MOST_COUNTED, in one batch. It ends in time: accounts that it has not come to are named.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

from perkwire.model.account import Account
from perkwire.model.delivery import Delivery, DeliveryStatus, Reason
from perkwire.model.lanes import Lane
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId, DeliveryId, WebhookId, accepted_at, time_prefix
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS

MOST_COUNTED = 100
"""Deliveries of a webhook that have failed or are being retried, of which each is looked at."""
MOST_SECONDS = 6.0
LOOKED_BACK_DAYS = 14
"""As long as SQS keeps a dead letter."""

_SIDE_BY_SIDE = 8  # AWS's client keeps ten connections


@dataclass(frozen=True, slots=True)
class FailureStreak:
    """Failed attempts in a row, the first of them at `since`, in microseconds since the epoch."""

    failures: int
    since: int


class Webhooks(Protocol):
    """The webhooks of accounts."""

    def of_account(self, account_id: AccountId) -> Sequence[Webhook] | None:
        """All of an account, in one query; None: no such account. Raises Unavailable."""
        ...


class Streaks(Protocol):
    """The streaks of webhooks."""

    def of(self, webhooks: Collection[Webhook]) -> Mapping[WebhookId, FailureStreak]:
        """Those that there are, of the endpoints as they are now; raises Unavailable."""
        ...


class Deliveries(Protocol):
    """The log."""

    def unsettled(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[DeliveryId]:
        """Up to `limit` that have failed or are being retried, oldest first; raises Unavailable."""
        ...

    def newest_unsettled(
        self, account_id: AccountId, webhook_id: WebhookId, *, after: str, before: str, limit: int
    ) -> list[DeliveryId]:
        """The same, newest first; raises Unavailable."""
        ...

    def find(self, keys: Collection[tuple[AccountId, DeliveryId]]) -> Mapping[DeliveryId, Delivery]:
        """The entries that exist, in one batch; raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a webhook has not delivered; `is_capped`: at least so many, times are of the oldest.

    `resting` are the failed ones with a dead letter: not those whose webhook was paused.
    `last` is the newest of them as the API shows it. Times in microseconds since the epoch.
    """

    failed: int = 0
    resting: int = 0
    retrying: int = 0
    is_capped: bool = False
    failed_since: int | None = None
    resting_since: int | None = None
    retrying_since: int | None = None
    last: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A webhook with which something is wrong, or was: what it has not delivered rests."""

    account: Account
    webhook: Webhook
    streak: FailureStreak | None
    standing: Standing

    @property
    def is_strained(self) -> bool:
        """Whether it is in the slow lane, of which paused and disabled ones say nothing."""
        return self.webhook.lane is Lane.SLOW and self.webhook.status is WebhookStatus.ENABLED

    @property
    def is_failing(self) -> bool:
        """Whether its endpoint fails now: its last attempt did. What is paused gets none."""
        return self.streak is not None and not self.is_paused

    @property
    def is_paused(self) -> bool:
        """Whether it is paused."""
        return self.webhook.status is WebhookStatus.PAUSED

    @property
    def is_slow(self) -> bool:
        """Whether it is strained without a failure: its endpoint takes long."""
        return self.is_strained and not self.is_failing

    @property
    def is_current(self) -> bool:
        """Whether something is wrong now, beside what rests."""
        return self.is_failing or self.is_paused or self.is_slow

    @property
    def since(self) -> int | None:
        """When it began to fail, or was paused; None if neither is known."""
        if self.streak is not None:
            return self.streak.since
        return None if self.webhook.pause is None else self.webhook.pause.at


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """How an account fares; `troubles` None: there was no time to look."""

    account: Account
    webhooks: int
    troubles: Sequence[Trouble] | None

    @property
    def failing(self) -> int:
        """How many of its webhooks fail now, or are paused."""
        return sum(one.is_failing or one.is_paused for one in self.troubles or ())

    @property
    def failed(self) -> int:
        """Its failed deliveries, as far as they were counted."""
        return sum(one.standing.failed for one in self.troubles or ())

    @property
    def is_capped(self) -> bool:
        """Whether there are more."""
        return any(one.standing.is_capped for one in self.troubles or ())


@dataclass(frozen=True, slots=True)
class Overview:
    """All accounts that were looked at: the worst first, and all that fails, likewise."""

    accounts: Sequence[AccountStanding]

    @property
    def unseen(self) -> int:
        """Accounts that there was no time for."""
        return sum(one.troubles is None for one in self.accounts)

    @property
    def troubles(self) -> list[Trouble]:
        """What fails now, is paused or slow, the most failed and retried deliveries first."""
        found = (one for one in self._all if one.is_current)
        return sorted(found, key=_weight)

    @property
    def undelivered(self) -> list[Trouble]:
        """Webhooks with failed deliveries, those that failed longest ago first."""
        found = [one for one in self._all if one.standing.failed_since is not None]
        return sorted(found, key=lambda one: one.standing.failed_since or 0)

    @property
    def resting(self) -> list[Trouble]:
        """Webhooks with dead letters, those of which one was accepted longest ago first."""
        found = [one for one in self._all if one.standing.resting_since is not None]
        return sorted(found, key=lambda one: one.standing.resting_since or 0)

    @property
    def waiting(self) -> list[Trouble]:
        """Webhooks with deliveries that are still being tried, the oldest first."""
        found = [one for one in self._all if one.standing.retrying_since is not None]
        return sorted(found, key=lambda one: one.standing.retrying_since or 0)

    @property
    def _all(self) -> list[Trouble]:
        return [trouble for one in self.accounts for trouble in one.troubles or ()]


class Overlooking:
    """Looks at accounts. `clock` gives microseconds since the epoch."""

    def __init__(
        self,
        *,
        webhooks: Webhooks,
        streaks: Streaks,
        deliveries: Deliveries,
        retry_interval_seconds: int,
        clock: Any,  # noqa: ANN401
    ) -> None:
        self._webhooks = webhooks
        self._streaks = streaks
        self._deliveries = deliveries
        self._retry_interval_seconds = retry_interval_seconds
        self._clock = clock

    def look(
        self, accounts: Collection[Account], *, most_seconds: float = MOST_SECONDS
    ) -> Overview:
        """How these accounts fare; raises Unavailable."""
        deadline = time.monotonic() + most_seconds
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            looked_at = [*pool.map(partial(self._look_at, deadline), accounts)]
        return Overview(
            sorted(
                looked_at,
                key=lambda one: (-one.failing, -one.failed, one.account.name.casefold()),
            )
        )

    def _look_at(self, deadline: float, account: Account) -> AccountStanding:
        if time.monotonic() > deadline:
            return AccountStanding(account, 0, None)
        webhooks = self._webhooks.of_account(account.id) or ()
        streaks = self._streaks.of(webhooks) if webhooks else {}
        troubles = []
        for webhook in webhooks:
            if time.monotonic() > deadline:
                return AccountStanding(account, len(webhooks), None)
            trouble = Trouble(
                account=account,
                webhook=webhook,
                streak=streaks.get(webhook.id),
                standing=self._standing(webhook),
            )
            if trouble.is_current or trouble.standing.last is not None:
                troubles.append(trouble)
        return AccountStanding(account, len(webhooks), troubles)

    def _standing(self, webhook: Webhook) -> Standing:
        now = self._clock()
        key = webhook.account_id, webhook.id
        since = time_prefix(now - LOOKED_BACK_DAYS * DAY_SECONDS * MICROSECONDS)
        ids = self._deliveries.unsettled(*key, after=since, before="~", limit=MOST_COUNTED + 1)
        if not ids:
            return Standing()
        wanted, is_capped = ids[:MOST_COUNTED], len(ids) > MOST_COUNTED
        found = self._deliveries.find({(webhook.account_id, one) for one in wanted})
        standings = {
            one: entry.standing(now, self._retry_interval_seconds) for one, entry in found.items()
        }
        failed = [one for one, (status, _) in standings.items() if status is DeliveryStatus.FAILED]
        resting = [one for one in failed if standings[one][1] is not Reason.PAUSED]
        retrying = [
            one for one, (status, _) in standings.items() if status is DeliveryStatus.RETRYING
        ]
        if is_capped:
            newest = self._deliveries.newest_unsettled(*key, after=since, before="~", limit=1)
            found = self._deliveries.find({(webhook.account_id, one) for one in newest}) or found
        unsettled = [
            entry
            for entry in found.values()
            if entry.status in (DeliveryStatus.FAILED, DeliveryStatus.RETRYING)
        ]
        last = max(unsettled, key=_tried_at, default=None)
        return Standing(
            failed=len(failed),
            resting=len(resting),
            retrying=len(retrying),
            is_capped=is_capped,
            failed_since=min(map(accepted_at, failed), default=None),
            resting_since=min(map(accepted_at, resting), default=None),
            retrying_since=min(map(accepted_at, retrying), default=None),
            last=None if last is None else last.to_json(now, self._retry_interval_seconds),
        )


def _weight(trouble: Trouble) -> tuple[int, int, str]:
    standing = trouble.standing
    failures = 0 if trouble.streak is None else trouble.streak.failures
    return -(standing.failed + standing.retrying), -failures, trouble.webhook.id


def _tried_at(entry: Delivery) -> tuple[bool, int]:
    """What an endpoint answered tells more than that nothing was sent since."""
    return bool(entry.attempts), entry.attempts[-1].at if entry.attempts else accepted_at(entry.id)
