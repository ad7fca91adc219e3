"""Whose dead letters are, as the page says it that asks before a redrive."""

from collections.abc import Mapping

from perkwire.model.account import Account
from perkwire.model.delivery import DeliveryStatus
from perkwire.primitives.ids import AccountId
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS
from perkwire.reading.dead_letter_owners import owners
from perkwire.reading.log import DeliveryFilter

NOW = 1_800_000_000 * MICROSECONDS
COUNTS: Mapping[str, tuple[Mapping[DeliveryStatus, int], bool]] = {
    "quiet": ({}, False),
    "busy": ({DeliveryStatus.RETRYING: 100}, True),
    "some": ({DeliveryStatus.FAILED: 3, DeliveryStatus.RETRYING: 4}, False),
    "many": ({DeliveryStatus.FAILED: 100}, True),
}


class Counts:
    def __init__(self) -> None:
        self.asked: list[tuple[int | None, int]] = []

    def count_unsettled(
        self, account_id: AccountId, wanted: DeliveryFilter, most: int
    ) -> tuple[Mapping[DeliveryStatus, int], bool]:
        self.asked.append((wanted.since, most))
        return COUNTS[account_id]


def test_accounts_with_failures_are_named_the_most_first_and_no_others() -> None:
    log = Counts()
    accounts = [Account(id=AccountId(one), name=one, created_at=0, updated_at=0) for one in COUNTS]

    found = owners(log, accounts, NOW, 100)

    assert [(one.account.name, one.failed, one.is_capped) for one in found] == [
        ("many", 100, True),
        ("some", 3, False),
    ]
    assert log.asked == [(NOW - 14 * DAY_SECONDS * MICROSECONDS, 100)] * 4
