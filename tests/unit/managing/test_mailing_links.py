"""Links by mail: who gets one, how often, and that nobody learns who has an account."""

import re

import pytest

from perkwire.managing.mailing_links import (
    ANSWER_SECONDS,
    MOST_ACCOUNTS,
    MOST_OF_ACCOUNT_PER_HOUR,
    MOST_REQUESTS_PER_MINUTE,
    MOST_TO_ADDRESS_PER_HOUR,
    MailedLinks,
)
from perkwire.managing.signing_in import DEFAULT_LINK_MINUTES, SigningIn
from perkwire.model.account import Account
from perkwire.primitives.ids import AccountId
from perkwire.primitives.problem import Problem
from tests.builders import ACCOUNT, NOW, OTHER_ACCOUNT, an_account
from tests.fakes import (
    FakeAccountStore,
    FakeClock,
    FakeConfigItems,
    FakeKeyLookup,
    FakeLinkCounter,
    FakeLinkStore,
    FakeMailer,
    FakeSessionStore,
    FakeTelemetry,
    FakeTopics,
)

ADA = "Ada@Zylker.example"
BEA = "bea@zylker.example"
UNCONFIRMED = "new@zylker.example"
CONSOLE = "https://console.example/console"


class Post:
    def __init__(self) -> None:
        items = FakeConfigItems()
        self.clock = FakeClock(NOW)
        self.accounts = FakeAccountStore(items)
        self.topics = FakeTopics()
        self.counter = FakeLinkCounter()
        self.mailer = FakeMailer()
        self.journal = FakeTelemetry()
        self.waited: list[float] = []
        links = FakeLinkStore()
        self.signing_in = SigningIn(
            links=links,
            sessions=FakeSessionStore(),
            keys=FakeKeyLookup(items),
            accounts=self.accounts,
            clock=self.clock,
        )
        self.mailed = MailedLinks(
            addresses=self.accounts,
            accounts=self.accounts,
            confirmations=self.topics,
            links=links,
            counter=self.counter,
            mailer=self.mailer,
            journal=self.journal,
            clock=self.clock,
            wait=self.waited.append,
        )
        self.account = self.have(ACCOUNT, ADA, BEA, UNCONFIRMED)
        self.topics.confirm(ADA)
        self.topics.confirm(BEA)

    def have(self, account_id: AccountId, *emails: str) -> Account:
        topic = self.topics.subscribe_only(account_id, emails)
        account = an_account(id=account_id, notify_emails=emails, notice_topic=topic)
        self.accounts.add(account)
        return account

    def ask(self, address: str = ADA, account_id: str = "") -> list[str]:
        """The tokens that came of it."""
        before = len(self.mailer.sent)
        self.mailed.request(address, account_id, CONSOLE)
        text = "".join(mail.text for mail in self.mailer.sent[before:])
        return re.findall(rf"^{CONSOLE}/enter\?token=(\S+)$", text, re.MULTILINE)


@pytest.fixture
def post() -> Post:
    return Post()


def test_a_confirmed_address_gets_a_link_that_signs_in_once(post: Post) -> None:
    (token,) = post.ask(ADA.lower())

    (mail,) = post.mailer.sent
    assert mail.to == ADA.lower()
    assert "Zylker Rewards" in mail.text
    session = post.signing_in.by_link(token)
    assert session is not None
    visitor = post.signing_in.visitor(session)
    assert visitor is not None
    assert visitor.account_id == ACCOUNT
    assert post.signing_in.by_link(token) is None


def test_a_link_is_over_after_its_minutes(post: Post) -> None:
    (token,) = post.ask()

    post.clock.pass_seconds(DEFAULT_LINK_MINUTES * 60)

    assert post.signing_in.by_link(token) is None


@pytest.mark.parametrize("address", [UNCONFIRMED, "nobody@elsewhere.example"])
def test_who_is_not_confirmed_or_not_known_gets_none_and_the_same_answer(
    post: Post, address: str
) -> None:
    assert post.ask(address) == []
    assert post.ask(address, ACCOUNT) == []
    assert post.ask(ADA, OTHER_ACCOUNT) == []
    assert post.ask(ADA, "x" * 300) == []

    assert post.mailer.sent == []
    assert all(0 < seconds <= ANSWER_SECONDS for seconds in post.waited)
    assert len(post.waited) == 4


def test_what_fails_on_the_way_to_a_mail_is_told_to_the_operator_alone(post: Post) -> None:
    post.mailer.fail("send")

    assert post.ask() == []

    assert [what for what, _ in post.journal.faults] == ["link_not_mailed"]
    assert len(post.waited) == 1


def test_an_address_gets_so_many_an_hour_and_another_its_own(post: Post) -> None:
    assert [len(post.ask()) for _ in range(MOST_TO_ADDRESS_PER_HOUR + 1)] == [1, 1, 1, 0]

    assert len(post.ask(BEA)) == 1
    post.clock.pass_seconds(3600)
    assert len(post.ask()) == 1


def test_an_account_has_so_many_mailed_an_hour(post: Post) -> None:
    addresses = [f"{number}@zylker.example" for number in range(6)]
    post.have(OTHER_ACCOUNT, *addresses)
    for one in addresses:
        post.topics.confirm(one)

    got = [len(post.ask(one)) for one in addresses for _ in range(2)]

    assert sum(got) == MOST_OF_ACCOUNT_PER_HOUR


def test_all_the_world_asks_so_often_a_minute(post: Post) -> None:
    for number in range(MOST_REQUESTS_PER_MINUTE):
        post.ask(f"{number}@elsewhere.example")

    for address in (ADA, "nobody@elsewhere.example"):
        with pytest.raises(Problem) as raised:
            post.ask(address)
        assert raised.value.status == 429
    assert len(post.waited) == MOST_REQUESTS_PER_MINUTE
    post.clock.pass_seconds(60)
    assert len(post.ask()) == 1


def test_an_address_of_many_accounts_gets_the_first_ones_or_the_one_that_it_names(
    post: Post,
) -> None:
    ids = [AccountId(f"acct_{number:016}") for number in range(MOST_ACCOUNTS + 2)]
    for one in ids:
        post.have(one, BEA)

    assert len(post.ask(BEA)) == MOST_ACCOUNTS
    assert "name its id" in post.mailer.sent[-1].text
    assert len(post.ask(BEA, ids[-1])) == 1


def test_links_and_sessions_end_with_the_address(post: Post) -> None:
    used, unused = post.ask()[0], post.ask()[0]
    session = post.signing_in.by_link(used)
    assert session is not None
    by_bea = post.signing_in.by_link(post.ask(BEA)[0])
    assert by_bea is not None

    without = an_account(
        id=ACCOUNT,
        notify_emails=(BEA,),
        notice_topic=post.account.notice_topic,
        updated_at=NOW + 1,
    )
    post.accounts.replace(post.account, without)

    assert post.signing_in.visitor(session) is None
    assert post.signing_in.by_link(unused) is None
    assert post.signing_in.visitor(by_bea) is not None


@pytest.mark.parametrize("text", ["", "ada", "ada@zylker", "a" * 250 + "@x.example"])
def test_what_is_no_address_is_said_so(post: Post, text: str) -> None:
    with pytest.raises(Problem) as raised:
        post.ask(text)

    assert raised.value.status == 422


def test_who_is_not_named_any_more_gets_none_though_still_subscribed(post: Post) -> None:
    without = an_account(
        id=ACCOUNT,
        notify_emails=(BEA,),
        notice_topic=post.account.notice_topic,
        updated_at=NOW + 1,
    )
    post.accounts.replace(post.account, without)

    assert post.ask(ADA, ACCOUNT) == []
