"""runner.TrialCounter: so many tests for each account and minute, under any race."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from pynamodb.connection import Connection

from perkwire.adapters.dynamodb.config_items import TrialCountItem, trials_pk
from perkwire.adapters.dynamodb.trial_counter import TrialCounter
from perkwire.primitives.ids import AccountId, new_account_id
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import NOW
from tests.fakes import FakeTrialCounter

MINUTE = 60 * MICROSECONDS
START = NOW - NOW % MINUTE

type AnyCounter = TrialCounter | FakeTrialCounter


@pytest.fixture(params=["fake", "real"])
def counter(request: pytest.FixtureRequest) -> AnyCounter:
    if request.param == "fake":
        return FakeTrialCounter()
    request.getfixturevalue("connection")
    return TrialCounter()


@pytest.fixture
def account_id() -> AccountId:
    return new_account_id()


def test_a_minute_has_so_many(counter: AnyCounter, account_id: AccountId) -> None:
    moments = [START, START + MINUTE // 2, START + MINUTE - 1]

    assert [counter.take(account_id, moment, 2) for moment in moments] == [True, True, False]


def test_the_next_minute_and_another_account_begin_anew(
    counter: AnyCounter, account_id: AccountId
) -> None:
    assert counter.take(account_id, START, 1)

    assert counter.take(account_id, START + MINUTE, 1)
    assert counter.take(new_account_id(), START, 1)
    assert not counter.take(account_id, START, 1)


def test_no_race_gets_past_the_limit(counter: AnyCounter, account_id: AccountId) -> None:
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda _: counter.take(account_id, START, 10), range(40)))

    assert taken.count(True) == 10


def test_a_count_expires(connection: Connection, account_id: AccountId) -> None:
    TrialCounter().take(account_id, START + MINUTE - 1, 1)

    (item,) = TrialCountItem.query(trials_pk(account_id))
    assert item.expires_at * MICROSECONDS > START + MINUTE
    assert item.expires_at * MICROSECONDS < START + 100 * MINUTE
