"""The outcome table of docs/architecture.md, once as data."""

import pytest

from perkwire.dispatching.verdict import Disposition, Finding, Verdict, verdict
from perkwire.model.delivery import DeliveryStatus, Reason

LEAVE, DELETE = Disposition.LEAVE, Disposition.DELETE
ONCE_LOGGED = Disposition.DELETE_ONCE_LOGGED
RETRYING, FAILED = DeliveryStatus.RETRYING, DeliveryStatus.FAILED

# What becomes of the delivery before the last attempt and on it, why, and what of the message.
TABLE = {
    Finding.UNREADABLE: (None, None, None, LEAVE),
    Finding.DOUBLED: (None, None, None, LEAVE),
    Finding.UNAVAILABLE: (None, FAILED, Reason.UNAVAILABLE, LEAVE),
    Finding.SPENT: (None, None, None, LEAVE),
    Finding.USED_UP: (FAILED, FAILED, None, LEAVE),
    Finding.SETTLED: (None, None, None, DELETE),
    Finding.ERASED: (
        DeliveryStatus.CANCELLED,
        DeliveryStatus.CANCELLED,
        Reason.ERASED,
        ONCE_LOGGED,
    ),
    Finding.DELETED: (
        DeliveryStatus.CANCELLED,
        DeliveryStatus.CANCELLED,
        Reason.DELETED,
        ONCE_LOGGED,
    ),
    Finding.DISABLED: (
        DeliveryStatus.CANCELLED,
        DeliveryStatus.CANCELLED,
        Reason.DISABLED,
        ONCE_LOGGED,
    ),
    Finding.PAUSED: (FAILED, FAILED, Reason.PAUSED, ONCE_LOGGED),
    Finding.UNRENDERABLE: (RETRYING, FAILED, Reason.FORMAT, LEAVE),
    Finding.ACCEPTED: (DeliveryStatus.SUCCEEDED, DeliveryStatus.SUCCEEDED, None, DELETE),
    Finding.REFUSED: (RETRYING, FAILED, None, LEAVE),
}


def test_the_table_has_a_row_for_every_finding() -> None:
    assert set(TABLE) == set(Finding)


@pytest.mark.parametrize("finding", Finding)
def test_each_finding_has_the_verdict_of_its_row(finding: Finding) -> None:
    before_last, on_last, reason, message = TABLE[finding]

    for last_attempt, status in ((False, before_last), (True, on_last)):
        told = None if status is None else reason
        assert verdict(finding, last_attempt=last_attempt) == Verdict(status, told, message)


@pytest.mark.parametrize("finding", Finding)
@pytest.mark.parametrize("last_attempt", [False, True])
def test_a_message_goes_unlogged_only_after_a_success(finding: Finding, last_attempt: bool) -> None:
    found = verdict(finding, last_attempt=last_attempt)

    if found.message is DELETE and found.status is not None:
        assert found.status is DeliveryStatus.SUCCEEDED


@pytest.mark.parametrize("finding", Finding)
def test_a_delivery_that_is_retrying_keeps_its_message(finding: Finding) -> None:
    found = verdict(finding, last_attempt=False)

    if found.status is RETRYING:
        assert found.message is LEAVE
