import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.dispatching.health import Result
from perkwire.dispatching.strain import (
    RECOVERED_AFTER,
    STRAINED_AFTER,
    Row,
    lane_after,
    last_row,
)
from perkwire.model.lanes import Lane

FAST, SLOW, FAILED = (
    Result(success=True),
    Result(success=True, slow=True),
    Result(success=False),
)


def in_order(*results: Result) -> list[Result]:
    """Ended one after the other."""
    return [
        Result(success=one.success, slow=one.slow, ended_at=at) for at, one in enumerate(results)
    ]


@pytest.mark.parametrize(
    ("results", "row"),
    [
        ([FAST], Row(fast=True, length=1, is_all=True)),
        ([FAILED], Row(fast=False, length=1, is_all=True)),
        ([SLOW, FAILED, SLOW], Row(fast=False, length=3, is_all=True)),
        ([FAST, FAILED, SLOW], Row(fast=False, length=2, is_all=False)),
        ([FAILED, FAST, FAST], Row(fast=True, length=2, is_all=False)),
        ([FAST, FAILED, FAST], Row(fast=True, length=1, is_all=False)),
    ],
)
def test_the_last_row_is_of_one_kind(results: list[Result], row: Row) -> None:
    assert last_row(in_order(*results)) == row


def test_attempts_come_in_the_order_in_which_they_ended() -> None:
    fast, failed, slow = in_order(FAST, FAILED, SLOW)

    for shuffled in itertools.permutations((fast, failed, slow)):
        assert last_row(shuffled) == Row(fast=False, length=2, is_all=False)


@given(st.lists(st.sampled_from((FAST, SLOW, FAILED)), min_size=1, max_size=10))
def test_a_row_is_what_can_be_counted_from_the_end(results: list[Result]) -> None:
    row = last_row(in_order(*results))

    last = [one.is_fast for one in results][-row.length :]
    assert set(last) == {row.fast}
    assert row.is_all == (row.length == len(results))
    assert row.is_all or results[-row.length - 1].is_fast is not row.fast


@pytest.mark.parametrize(
    ("lane", "strain", "ease", "after"),
    [
        (Lane.PROMPT, STRAINED_AFTER - 1, 0, Lane.PROMPT),
        (Lane.PROMPT, STRAINED_AFTER, 0, Lane.SLOW),
        (Lane.PROMPT, 0, RECOVERED_AFTER, Lane.PROMPT),
        (Lane.SLOW, STRAINED_AFTER, 0, Lane.SLOW),
        (Lane.SLOW, 0, RECOVERED_AFTER - 1, Lane.SLOW),
        (Lane.SLOW, 0, RECOVERED_AFTER, Lane.PROMPT),
    ],
)
def test_the_lane_after_so_many(lane: Lane, strain: int, ease: int, after: Lane) -> None:
    assert lane_after(lane, strain=strain, ease=ease) is after
