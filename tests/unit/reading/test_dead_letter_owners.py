"""Whose dead letters are, as the page says it that asks before a redrive."""

from collections.abc import Mapping

from perkwire.model.delivery import DeliveryStatus
from perkwire.primitives.ids import AccountId
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS
from perkwire.reading.dead_letter_owners import owners
from perkwire.reading.log import DeliveryFilter
from tests.builders import NOW, an_account

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
    accounts = [an_account(id=AccountId(one), name=one) for one in COUNTS]

    found = owners(log, accounts, NOW, 100)

    assert [(one.account.name, one.failed, one.is_capped) for one in found] == [
        ("many", 100, True),
        ("some", 3, False),
    ]
    assert log.asked == [(NOW - 14 * DAY_SECONDS * MICROSECONDS, 100)] * 4
