"""The rate of each account: its own, whatever the others do and however long it was quiet."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.model.account import Caller
from perkwire.model.account_rates import MOST_ACCOUNTS, AccountRates
from perkwire.primitives.ids import AccountId
from perkwire.primitives.problem import Problem
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import NOW, OTHER_ACCOUNT, a_caller, an_operator
from tests.fakes import FakeClock

RATE, BURST = 5, 20


def taken(rates: AccountRates, times: int, caller: Caller | None = None) -> int:
    """How many of so many calls are let in."""
    let_in = 0
    for _ in range(times):
        with contextlib.suppress(Problem):
            rates.count(caller or a_caller())
            let_in += 1
    return let_in


def test_a_burst_is_let_in_and_then_the_rate() -> None:
    clock = FakeClock(NOW)
    rates = AccountRates(RATE, BURST, clock)

    assert taken(rates, 100) == BURST
    clock.now += MICROSECONDS
    assert taken(rates, 100) == RATE
    clock.now += 3600 * MICROSECONDS
    assert taken(rates, 100) == BURST


def test_it_says_when_to_call_again_and_then_lets_in() -> None:
    clock = FakeClock(NOW)
    rates = AccountRates(1, 1, clock)
    rates.count(a_caller())

    with pytest.raises(Problem) as refused:
        rates.count(a_caller())

    assert refused.value.status == 429
    assert refused.value.headers() == {"retry-after": "1"}
    clock.now += MICROSECONDS
    rates.count(a_caller())


def test_the_others_have_all_of_theirs() -> None:
    rates = AccountRates(RATE, BURST, FakeClock(NOW))

    taken(rates, 1000)

    assert taken(rates, 100, a_caller(OTHER_ACCOUNT)) == BURST


def test_operators_are_not_counted() -> None:
    rates = AccountRates(RATE, BURST, FakeClock(NOW))

    assert taken(rates, 500, an_operator()) == 500


def test_no_more_accounts_are_kept_than_it_may_be_and_the_busiest_stay() -> None:
    rates = AccountRates(RATE, BURST, FakeClock(NOW))
    taken(rates, BURST)

    for number in range(3 * MOST_ACCOUNTS):
        rates.count(a_caller(AccountId(f"acct_a{number:015}")))
        assert taken(rates, 1) == 0

    assert len(rates._buckets) == MOST_ACCOUNTS


@given(st.lists(st.integers(-5 * MICROSECONDS, 5 * MICROSECONDS), max_size=60))
def test_whatever_the_clock_does_no_more_is_let_in_than_the_rate(steps: list[int]) -> None:
    clock = FakeClock(NOW)
    rates = AccountRates(RATE, BURST, clock)
    let_in = 0
    forward = 0
    for step in steps:
        clock.now += step
        forward += max(step, 0)
        let_in += taken(rates, 3)

    assert let_in <= BURST + RATE * forward / MICROSECONDS + 1
