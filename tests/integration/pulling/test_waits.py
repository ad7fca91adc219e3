"""How many calls wait for something to pull: places in ConfigTable, taken under any race."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from perkwire.adapters.dynamodb.config_items import WaitItem, account_waits_pk, waits_pk
from perkwire.adapters.dynamodb.wait_places import (
    MOST_OF_ALL,
    MOST_OF_AN_ACCOUNT,
    WaitPlaces,
)
from perkwire.primitives.ids import AccountId, new_account_id
from perkwire.primitives.timestamps import MICROSECONDS, now
from tests.integration.pulling.conftest import Puller
from tests.integration.system import System, Tenant

SECONDS = 20 * MICROSECONDS


@pytest.fixture
def places(system: System, tenant: Tenant) -> WaitPlaces:
    """On ConfigTable as management is bound to it; all places are free."""
    tenant.get("/v1/webhooks")
    for place in range(MOST_OF_ALL):
        WaitItem(waits_pk(), str(place)).delete()
    return WaitPlaces()


def begin(places: WaitPlaces, account_id: AccountId) -> bool:
    """Whether there is a place: each try looks at some of them."""
    at = now()
    return any(places.begin(account_id, at, at + SECONDS) for _ in range(20))


def test_so_many_of_an_account_wait_and_no_more(places: WaitPlaces) -> None:
    account_id, at = new_account_id(), now()

    with ThreadPoolExecutor(8) as threads:
        begun = [*threads.map(lambda _: places.begin(account_id, at, at + SECONDS), range(8))]

    ends = [end for end in begun if end is not None]
    assert len(ends) == MOST_OF_AN_ACCOUNT
    assert begin(places, new_account_id())
    ends[0]()
    assert places.begin(account_id, at, at + SECONDS) is not None
    assert places.begin(account_id, at, at + SECONDS) is None


def test_so_many_of_all_wait_and_no_more(places: WaitPlaces) -> None:
    waiting = [begin(places, new_account_id()) for _ in range(MOST_OF_ALL)]

    assert waiting == [True] * MOST_OF_ALL
    account_id = new_account_id()
    assert not begin(places, account_id)
    # Nor does it keep a place of its account that it had no use for.
    own = [*WaitItem.query(account_waits_pk(account_id))]
    assert [item.attribute_values.get("until") for item in own] == [None] * len(own)


def test_a_place_whose_time_is_over_is_free(places: WaitPlaces) -> None:
    account_id, at = new_account_id(), now()
    for _ in range(MOST_OF_AN_ACCOUNT):
        assert places.begin(account_id, at, at + SECONDS)

    end = places.begin(account_id, at + SECONDS, at + 2 * SECONDS)

    assert end is not None
    end()


def test_a_call_waits_for_as_long_as_it_says(
    system: System, tenant: Tenant, places: WaitPlaces, client: object
) -> None:
    puller = Puller(tenant)
    begun = now()

    assert puller.pull(wait_seconds="1") == []

    assert now() - begun >= MICROSECONDS
