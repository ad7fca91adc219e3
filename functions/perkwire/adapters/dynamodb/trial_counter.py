"""ConfigTable as the dear calls of each account are counted in it."""

from collections.abc import Callable

from perkwire.adapters.dynamodb.config_items import (
    TrialCountItem,
    contract_checks_pk,
    dry_runs_pk,
    searches_pk,
    trials_pk,
)
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, update_if
from perkwire.primitives.ids import AccountId
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, to_rfc3339

_TO_THE_MINUTE = len("2026-11-21T01:23")


class MinuteCounter[Who]:
    """One item for each of them and minute in a partition of their kind, gone an hour later."""

    def __init__(self, partition: Callable[[Who], str]) -> None:
        self._partition = partition

    def take(self, who: Who, now: int, most: int) -> bool:
        """Count one more by a condition on the count, so that no race gets past `most`.

        Raises Unavailable.
        """
        item = TrialCountItem(self._partition(who), to_rfc3339(now)[:_TO_THE_MINUTE])
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


class TrialCounter(MinuteCounter[AccountId]):
    """Fulfils runner.TrialCounter."""

    def __init__(self) -> None:
        super().__init__(trials_pk)


class DryRunCounter(MinuteCounter[AccountId]):
    """Fulfils starting.DryRunCounter."""

    def __init__(self) -> None:
        super().__init__(dry_runs_pk)


class SearchCounter(MinuteCounter[AccountId]):
    """Counts the pages of the console that look through more days than one page of a list does."""

    def __init__(self) -> None:
        super().__init__(searches_pk)


class ContractCheckCounter(MinuteCounter[AccountId | None]):
    """Fulfils contracts.CheckCounter."""

    def __init__(self) -> None:
        super().__init__(contract_checks_pk)
