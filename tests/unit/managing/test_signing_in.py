"""Console links and sessions: who gets in, for whom, and for how long."""

import pytest

from perkwire.managing.signing_in import SigningIn, Visitor, form_token, is_form_token, token_hash
from perkwire.model.account import ApiKey, Caller, Scope, key_hash
from perkwire.primitives.ids import AccountId, new_key_id
from perkwire.primitives.problem import Problem
from perkwire.primitives.timestamps import HOUR_SECONDS
from tests.builders import ACCOUNT, NOW, OTHER_ACCOUNT, an_account, an_operator
from tests.fakes import (
    FakeAccountStore,
    FakeClock,
    FakeConfigItems,
    FakeKeyLookup,
    FakeKeyStore,
    FakeLinkStore,
    FakeSessionStore,
)

ADMIN = frozenset({Scope.EVENTS, Scope.WEBHOOKS})


class Fixture:
    def __init__(self) -> None:
        items = FakeConfigItems()
        self.clock = FakeClock(NOW)
        self.accounts = FakeAccountStore(items)
        self.keys = FakeKeyStore(items)
        self.links = FakeLinkStore()
        self.sessions = FakeSessionStore()
        self.signing_in = SigningIn(
            links=self.links,
            sessions=self.sessions,
            keys=FakeKeyLookup(items),
            accounts=self.accounts,
            clock=self.clock,
        )
        self.accounts.add(an_account(id=ACCOUNT))
        self.accounts.add(an_account(id=OTHER_ACCOUNT))

    def key(self, account_id: AccountId | None, *scopes: Scope) -> ApiKey:
        """An API key whose text is its id."""
        api_key = ApiKey(
            id=new_key_id(),
            account_id=account_id,
            name="a",
            scopes=frozenset(scopes),
            created_at=NOW,
        )
        self.keys.add(api_key, key_hash(api_key.id))
        return api_key

    def link(self, minutes: int | None = None) -> str:
        value = {} if minutes is None else {"expires_in_minutes": minutes}
        return self.signing_in.create_link(an_operator(), ACCOUNT, {**value})[1]

    def visitor(self, token: str | None) -> Visitor | None:
        assert token is not None
        return self.signing_in.visitor(token)


@pytest.fixture
def console() -> Fixture:
    return Fixture()


def test_a_link_signs_in_as_its_accounts_admin_once(console: Fixture) -> None:
    token = console.link()
    linked = console.signing_in.linked(token)
    assert linked is not None
    assert linked.id == ACCOUNT

    session = console.signing_in.by_link(token)

    assert console.visitor(session) == Visitor(Caller(ACCOUNT, ADMIN), ACCOUNT)
    assert console.signing_in.by_link(token) is None
    assert console.signing_in.linked(token) is None


def test_looking_at_a_link_does_not_use_it_up(console: Fixture) -> None:
    token = console.link()
    for _ in range(3):
        assert console.signing_in.linked(token) is not None

    assert console.signing_in.by_link(token) is not None


@pytest.mark.parametrize(("minutes", "lasts"), [(None, 15), (1, 1), (60, 60)])
def test_a_link_works_for_its_minutes(console: Fixture, minutes: int | None, lasts: int) -> None:
    token = console.link(minutes)
    console.clock.pass_seconds(lasts * 60 - 1)
    assert console.signing_in.linked(token) is not None

    console.clock.pass_seconds(1)

    assert console.signing_in.linked(token) is None
    assert console.signing_in.by_link(token) is None


def test_only_an_operator_makes_links_and_only_for_accounts_that_exist(console: Fixture) -> None:
    with pytest.raises(Problem) as refused:
        console.signing_in.create_link(Caller(ACCOUNT, ADMIN), ACCOUNT, {})
    with pytest.raises(Problem) as absent:
        console.signing_in.create_link(an_operator(), AccountId("acct_none"), {})

    assert (refused.value.status, absent.value.status) == (403, 404)
    assert console.links.links == {}


def test_an_api_key_signs_in_as_what_it_is(console: Fixture) -> None:
    own = console.key(ACCOUNT, Scope.WEBHOOKS)
    operators = console.key(None, Scope.OPERATOR)

    admin = console.visitor(console.signing_in.by_key(own.id))
    operator = console.visitor(console.signing_in.by_key(operators.id))

    assert admin == Visitor(Caller(ACCOUNT, frozenset({Scope.WEBHOOKS})), ACCOUNT)
    assert operator == Visitor(Caller(None, frozenset({Scope.OPERATOR})), None)


def test_an_api_key_that_only_sends_events_does_not_sign_in(console: Fixture) -> None:
    api_key = console.key(ACCOUNT, Scope.EVENTS)

    with pytest.raises(Problem) as refused:
        console.signing_in.by_key(api_key.id)

    assert refused.value.status == 403
    assert console.sessions.sessions == {}


@pytest.mark.parametrize("key", ["", "pk_none", "x" * 10_000])
def test_what_is_no_api_key_does_not_sign_in(console: Fixture, key: str) -> None:
    assert console.signing_in.by_key(key) is None


def test_a_session_ends_after_eight_hours(console: Fixture) -> None:
    by_key = console.signing_in.by_key(console.key(ACCOUNT, Scope.WEBHOOKS).id)
    by_link = console.signing_in.by_link(console.link())
    console.clock.pass_seconds(8 * HOUR_SECONDS - 1)
    assert console.visitor(by_key) is not None
    assert console.visitor(by_link) is not None

    console.clock.pass_seconds(1)

    assert console.visitor(by_key) is None
    assert console.visitor(by_link) is None


def test_a_session_ends_with_its_api_key_and_with_no_other(console: Fixture) -> None:
    first, second = (console.key(ACCOUNT, Scope.WEBHOOKS) for _ in range(2))
    sessions = [console.signing_in.by_key(each.id) for each in (first, second)]

    console.keys.remove(ACCOUNT, first.id)

    assert console.visitor(sessions[0]) is None
    assert console.visitor(sessions[1]) is not None


def test_signing_out_ends_the_session_and_no_other(console: Fixture) -> None:
    api_key = console.key(ACCOUNT, Scope.WEBHOOKS)
    mine, other = (console.signing_in.by_key(api_key.id) for _ in range(2))
    assert mine is not None

    console.signing_in.sign_out(mine)

    assert console.visitor(mine) is None
    assert console.visitor(other) is not None


def test_an_operator_enters_and_leaves_an_account(console: Fixture) -> None:
    session = console.signing_in.by_key(console.key(None, Scope.OPERATOR).id)
    assert session is not None

    entered = console.signing_in.enter(session, an_operator(), ACCOUNT)
    assert entered.id == ACCOUNT
    assert console.visitor(session) == Visitor(Caller(None, frozenset({Scope.OPERATOR})), ACCOUNT)

    console.signing_in.leave(session, an_operator())
    assert console.visitor(session) == Visitor(Caller(None, frozenset({Scope.OPERATOR})), None)


def test_nobody_else_enters_an_account_and_nobody_one_that_is_not_there(console: Fixture) -> None:
    session = console.signing_in.by_key(console.key(ACCOUNT, Scope.WEBHOOKS).id)
    assert session is not None

    with pytest.raises(Problem) as refused:
        console.signing_in.enter(session, Caller(ACCOUNT, ADMIN), OTHER_ACCOUNT)
    with pytest.raises(Problem) as absent:
        console.signing_in.enter(session, an_operator(), AccountId("acct_none"))

    assert (refused.value.status, absent.value.status) == (403, 404)
    visitor = console.visitor(session)
    assert visitor is not None
    assert visitor.account_id == ACCOUNT


def test_an_admin_is_of_the_keys_account_whatever_the_session_says(console: Fixture) -> None:
    session = console.signing_in.by_key(console.key(ACCOUNT, Scope.WEBHOOKS).id)
    assert session is not None
    console.sessions.act_for(token_hash(session), OTHER_ACCOUNT)

    visitor = console.visitor(session)

    assert visitor is not None
    assert visitor.account_id == ACCOUNT


def test_tokens_are_kept_as_their_hash_alone(console: Fixture) -> None:
    link = console.link()
    session = console.signing_in.by_link(link)
    assert session is not None

    kept = str([console.links.links, console.sessions.sessions])

    assert token_hash(link) in kept
    assert token_hash(session) in kept
    assert link not in kept
    assert session not in kept


def test_a_form_is_for_its_session_and_account_alone() -> None:
    token = form_token("session", ACCOUNT)

    assert is_form_token(token, "session", ACCOUNT)
    assert not is_form_token(token, "another", ACCOUNT)
    assert not is_form_token(token, "session", OTHER_ACCOUNT)
    assert not is_form_token(token, "session", None)
    assert not is_form_token("", "session", ACCOUNT)
    assert not is_form_token("ünïcode", "session", ACCOUNT)
