"""signing_in.Links and signing_in.Sessions: a link is one session's, an ended one stays ended."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import pytest

from perkwire.adapters.dynamodb.session_store import LinkStore, SessionStore
from perkwire.managing.signing_in import ConsoleLink, Session
from tests.builders import ACCOUNT, NOW, OTHER_ACCOUNT
from tests.fakes import FakeLinkStore, FakeSessionStore

LINK = ConsoleLink(ACCOUNT, NOW + 1)


@dataclass(frozen=True)
class Stores:
    links: LinkStore | FakeLinkStore
    sessions: SessionStore | FakeSessionStore


@pytest.fixture(params=["fake", "real"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "fake":
        return Stores(FakeLinkStore(), FakeSessionStore())
    request.getfixturevalue("connection")
    return Stores(LinkStore(), SessionStore())


@pytest.fixture
def token_hash() -> str:
    return uuid4().hex


def test_a_link_is_unused_until_it_is_used(stores: Stores, token_hash: str) -> None:
    assert stores.links.unused(token_hash) is None
    stores.links.add(token_hash, LINK)
    assert stores.links.unused(token_hash) == LINK

    assert stores.links.use(token_hash, "session", NOW) == LINK

    assert stores.links.unused(token_hash) is None
    assert stores.links.use(token_hash, "another", NOW) is None


def test_what_is_sent_twice_by_the_client_is_one_use(stores: Stores, token_hash: str) -> None:
    stores.links.add(token_hash, LINK)

    assert [stores.links.use(token_hash, "session", NOW) for _ in range(2)] == [LINK, LINK]


def test_a_link_that_is_expired_or_absent_cannot_be_used(stores: Stores, token_hash: str) -> None:
    assert stores.links.use(token_hash, "session", NOW) is None
    assert stores.links.unused(token_hash) is None
    stores.links.add(token_hash, LINK)

    assert stores.links.use(token_hash, "session", LINK.expires_at) is None
    assert stores.links.use(token_hash, "session", LINK.expires_at - 1) == LINK


def test_of_many_at_once_one_gets_the_link(stores: Stores, token_hash: str) -> None:
    stores.links.add(token_hash, LINK)

    with ThreadPoolExecutor(8) as threads:
        used = list(threads.map(lambda n: stores.links.use(token_hash, f"s{n}", NOW), range(8)))

    assert [link for link in used if link] == [LINK]


@pytest.mark.parametrize(
    "session",
    [
        Session(account_id=ACCOUNT, expires_at=NOW),
        Session(key_hash="hash", expires_at=NOW),
        Session(key_hash="hash", acting_for=ACCOUNT, expires_at=NOW),
    ],
)
def test_a_session_is_found_as_it_was_added(
    stores: Stores, token_hash: str, session: Session
) -> None:
    assert stores.sessions.find(token_hash) is None
    stores.sessions.add(token_hash, session)

    assert stores.sessions.find(token_hash) == session

    stores.sessions.remove(token_hash)
    stores.sessions.remove(token_hash)
    assert stores.sessions.find(token_hash) is None


def test_a_session_acts_for_one_account_after_another(stores: Stores, token_hash: str) -> None:
    stores.sessions.add(token_hash, Session(key_hash="hash", expires_at=NOW))
    seen = []
    for account_id in (ACCOUNT, OTHER_ACCOUNT, None):
        stores.sessions.act_for(token_hash, account_id)
        session = stores.sessions.find(token_hash)
        seen.append(session and session.acting_for)

    assert seen == [ACCOUNT, OTHER_ACCOUNT, None]


def test_an_ended_session_does_not_come_back(stores: Stores, token_hash: str) -> None:
    stores.sessions.act_for(token_hash, ACCOUNT)

    assert stores.sessions.find(token_hash) is None
