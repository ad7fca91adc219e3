"""accepting.Claims: ids are taken all or none, once, and for as long as events are kept."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from perkwire.accepting.acceptance import Claim
from perkwire.primitives.ids import AccountId, EventId
from tests.builders import NOW
from tests.integration.contracts.conftest import RETENTION_DAYS, Adapters


def a_claim(account_id: AccountId, event_id: str, digest: str = "d1") -> Claim:
    return Claim(
        account_id=account_id, event_id=EventId(event_id), digest=digest, accepted_at=NOW + 7
    )


def test_a_claim_is_found_as_it_was_taken(adapters: Adapters, account_id: AccountId) -> None:
    claim = a_claim(account_id, "order:1")

    assert adapters.claims.find({claim.key}) == {}
    assert adapters.claims.take([claim])
    assert adapters.claims.find({claim.key, (account_id, EventId("order:2"))}) == {claim.key: claim}


def test_a_taken_claim_is_not_taken_again(adapters: Adapters, account_id: AccountId) -> None:
    claim = a_claim(account_id, "order:1")
    adapters.claims.take([claim])

    assert not adapters.claims.take([a_claim(account_id, "order:1", "d2")])
    assert adapters.claims.find({claim.key}) == {claim.key: claim}


def test_all_are_taken_or_none(adapters: Adapters, account_id: AccountId) -> None:
    claims = [a_claim(account_id, f"order:{number}") for number in range(100)]
    adapters.claims.take([claims[50]])

    assert not adapters.claims.take(claims)
    assert set(adapters.claims.find({claim.key for claim in claims})) == {claims[50].key}

    free = [claim for claim in claims if claim is not claims[50]]
    assert adapters.claims.take(free)
    assert len(adapters.claims.find({claim.key for claim in claims})) == 100


def test_a_sent_claim_says_so_and_keeps_the_rest(adapters: Adapters, account_id: AccountId) -> None:
    claims = [a_claim(account_id, f"order:{number}") for number in range(30)]
    adapters.claims.take(claims)

    adapters.claims.mark_sent([replace(claim, sent=True) for claim in claims[1:]])

    found = adapters.claims.find({claim.key for claim in claims})
    assert found == {claim.key: replace(claim, sent=claim is not claims[0]) for claim in claims}


def test_a_claim_ends_with_the_events_retention(adapters: Adapters, account_id: AccountId) -> None:
    first, second = a_claim(account_id, "order:1"), a_claim(account_id, "order:1", "d2")
    adapters.claims.take([first])

    adapters.clock.pass_seconds(RETENTION_DAYS * 86_400 - 1)
    assert not adapters.claims.take([second])
    adapters.clock.pass_seconds(1)
    assert adapters.claims.find({first.key}) == {}
    assert adapters.claims.take([second])
    assert adapters.claims.find({first.key}) == {first.key: second}


def test_of_many_at_once_one_takes(adapters: Adapters, account_id: AccountId) -> None:
    claims = [a_claim(account_id, "order:1"), a_claim(account_id, "order:2")]

    with ThreadPoolExecutor(6) as threads:
        taken = list(threads.map(lambda _: adapters.claims.take(claims), range(12)))

    assert sum(taken) == 1
