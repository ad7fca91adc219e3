"""Slots: how far apart they are."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.model.pace import HIGHEST_PACE, LOWEST_PACE, slot_length


@pytest.mark.parametrize(
    ("max_per_second", "microseconds"),
    [
        (1, 1_000_000),
        (5, 200_000),
        (0.1, 10_000_000),
        (1000, 1_000),
        (3, 333_334),
        (0.7, 1_428_572),
    ],
)
def test_slots_are_as_far_apart_as_the_pace_says(max_per_second: float, microseconds: int) -> None:
    assert slot_length(max_per_second) == microseconds


@given(st.floats(LOWEST_PACE, HIGHEST_PACE))
def test_no_pace_is_exceeded_nor_missed_by_more_than_a_thousandth(max_per_second: float) -> None:
    slots_in_a_second = Fraction(1_000_000, slot_length(max_per_second))

    assert Fraction(max_per_second) * Fraction(998, 1000) < slots_in_a_second
    assert slots_in_a_second <= Fraction(max_per_second) * (1 + Fraction(1, 10**12))
