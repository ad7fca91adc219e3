from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from perkwire.dispatching.health import Streak
from perkwire.managing.accounts import AccountManagement
from perkwire.managing.webhook_draft import EndpointRules
from perkwire.managing.webhooks import WebhookManagement
from perkwire.model.account import Caller, Scope, key_hash
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.webhook import Pause, PauseReason, Webhook, WebhookStatus
from perkwire.primitives.ids import AccountId, KeyId, WebhookId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS, to_rfc3339
from tests.builders import (
    ACCOUNT,
    NOW,
    OTHER_ACCOUNT,
    SECRET,
    a_caller,
    an_account,
    an_operator,
    webhook_body,
)
from tests.fakes import (
    FakeAccountStore,
    FakeClock,
    FakeConfigItems,
    FakeKeyLookup,
    FakeKeyStore,
    FakeOpener,
    FakeSealer,
    FakeTopics,
    FakeWebhookStore,
)

MOST = 3
ABSENT = AccountId("acct_absent")
KEY_BODY: dict[str, Json] = {"name": "till", "scopes": ["events"]}


class Management:
    """Management with fakes around it, and two accounts."""

    def __init__(self) -> None:
        self.items = FakeConfigItems()
        self.items.put(an_account(), an_account(id=OTHER_ACCOUNT))
        self.clock = FakeClock(NOW)
        self.sealer = FakeSealer()
        self.store = FakeWebhookStore(self.items)
        accounts = FakeAccountStore(self.items)
        self.topics = FakeTopics()
        self.accounts = AccountManagement(
            accounts=accounts,
            api_keys=FakeKeyStore(self.items),
            topics=self.topics,
            webhooks=self.store,
            clock=self.clock,
        )
        self.webhooks = WebhookManagement(
            accounts=accounts,
            webhooks=self.store,
            sealer=self.sealer,
            rules=EndpointRules(EndpointPolicy.PUBLIC),
            most_webhooks=MOST,
            clock=self.clock,
        )

    def create(self, account_id: AccountId = ACCOUNT, **members: Json) -> Webhook:
        return self.webhooks.create(account_id, webhook_body(**members)).webhook

    def change(self, webhook: Webhook, **members: Json) -> Webhook:
        return self.webhooks.change(webhook.account_id, webhook.id, members).webhook


@pytest.fixture
def management() -> Management:
    return Management()


def status_of(call: Any, *arguments: Any) -> int:  # noqa: ANN401
    with pytest.raises(Problem) as raised:
        call(*arguments)
    return raised.value.status


# Accounts and keys.


def test_an_account_is_created_found_renamed_and_listed(management: Management) -> None:
    operator = an_operator()

    account = management.accounts.create(operator, {"name": "Zylker"})
    management.clock.pass_seconds(1)
    renamed = management.accounts.change(operator, account.id, {"name": "Zylker 2"})

    assert management.accounts.get(operator, account.id) == renamed
    assert (renamed.name, renamed.created_at) == ("Zylker 2", NOW)
    assert renamed.updated_at == NOW + 1_000_000
    assert renamed in management.accounts.list(operator, 50, None).items


def test_accounts_are_listed_page_by_page_each_once(management: Management) -> None:
    operator, cursor, seen = an_operator(), None, []
    for number in range(3):
        management.accounts.create(operator, {"name": str(number)})

    while True:
        page = management.accounts.list(operator, 2, cursor)
        seen += [account.id for account in page.items]
        if (cursor := page.next_cursor) is None:
            break

    assert seen == sorted(management.items.accounts)


@pytest.mark.parametrize(
    "call",
    [
        lambda accounts, caller: accounts.create(caller, {"name": "x"}),
        lambda accounts, caller: accounts.get(caller, OTHER_ACCOUNT),
        lambda accounts, caller: accounts.change(caller, OTHER_ACCOUNT, {"name": "x"}),
        lambda accounts, caller: accounts.list(caller, 50, None),
        lambda accounts, caller: accounts.create_key(caller, OTHER_ACCOUNT, KEY_BODY),
        lambda accounts, caller: accounts.get_key(caller, OTHER_ACCOUNT, KeyId("key_1")),
        lambda accounts, caller: accounts.remove_key(caller, OTHER_ACCOUNT, KeyId("key_1")),
        lambda accounts, caller: accounts.list_keys(caller, OTHER_ACCOUNT, 50, None),
    ],
)
def test_accounts_and_keys_of_others_are_an_operators_alone(
    management: Management,
    call: Any,  # noqa: ANN401
) -> None:
    assert status_of(call, management.accounts, a_caller()) == 403


@pytest.mark.parametrize(
    "call",
    [
        lambda accounts: accounts.get(an_operator(), ABSENT),
        lambda accounts: accounts.change(an_operator(), ABSENT, {"name": "x"}),
        lambda accounts: accounts.create_key(an_operator(), ABSENT, KEY_BODY),
        lambda accounts: accounts.list_keys(an_operator(), ABSENT, 50, None),
        lambda accounts: accounts.get_key(an_operator(), ABSENT, KeyId("key_1")),
        lambda accounts: accounts.remove_key(an_operator(), ABSENT, KeyId("key_1")),
        lambda accounts: accounts.get_key(an_operator(), ACCOUNT, KeyId("key_1")),
        lambda accounts: accounts.remove_key(an_operator(), ACCOUNT, KeyId("key_1")),
    ],
)
def test_what_is_not_there_is_not_found(management: Management, call: Any) -> None:  # noqa: ANN401
    assert status_of(call, management.accounts) == 404


def test_a_key_lets_its_holder_in_until_it_is_removed(management: Management) -> None:
    operator, lookup = an_operator(), FakeKeyLookup(management.items)

    api_key, key = management.accounts.create_key(operator, ACCOUNT, KEY_BODY)

    assert lookup.caller(key_hash(key)) == Caller(ACCOUNT, frozenset({Scope.EVENTS}))
    assert management.accounts.list_keys(operator, ACCOUNT, 50, None).items == [api_key]
    management.accounts.remove_key(operator, ACCOUNT, api_key.id)
    assert lookup.caller(key_hash(key)) is None


def test_a_key_itself_is_kept_nowhere(management: Management) -> None:
    api_key, key = management.accounts.create_key(an_operator(), ACCOUNT, KEY_BODY)

    assert key not in str(management.items) + str(api_key.to_json())
    members = {"id", "name", "scopes", "webhook_id", "created_at", "expires_at"}
    assert api_key.to_json().keys() == members


def test_a_key_is_not_found_in_another_account(management: Management) -> None:
    api_key, _ = management.accounts.create_key(an_operator(), ACCOUNT, KEY_BODY)

    for call in (management.accounts.get_key, management.accounts.remove_key):
        assert status_of(call, an_operator(), OTHER_ACCOUNT, api_key.id) == 404
    assert management.accounts.get_key(an_operator(), ACCOUNT, api_key.id) == api_key


@pytest.mark.parametrize("method", ["get_key", "remove_key"])
def test_a_key_of_an_account_that_is_not_there_is_left_alone(
    management: Management, method: str
) -> None:
    api_key, _ = management.accounts.create_key(an_operator(), ACCOUNT, KEY_BODY)
    del management.items.accounts[ACCOUNT]

    with pytest.raises(Problem) as raised:
        getattr(management.accounts, method)(an_operator(), ACCOUNT, api_key.id)

    assert raised.value.document()["title"] == "There is no such account."
    assert api_key.id in management.items.keys


# Whose webhooks.


def test_an_account_manages_its_own_and_an_operator_those_of_whom_it_names(
    management: Management,
) -> None:
    assert management.webhooks.account(a_caller(), None) == ACCOUNT
    assert management.webhooks.account(an_operator(), OTHER_ACCOUNT) == OTHER_ACCOUNT


@pytest.mark.parametrize(
    ("caller", "named", "status"),
    [
        (a_caller(ACCOUNT, Scope.EVENTS), None, 403),
        (a_caller(), OTHER_ACCOUNT, 403),
        (an_operator(), None, 422),
        (an_operator(), ABSENT, 404),
    ],
)
def test_nobody_else_manages_them(
    management: Management, caller: Caller, named: str | None, status: int
) -> None:
    assert status_of(management.webhooks.account, caller, named) == status


@pytest.mark.parametrize("call", ["get", "change", "delete"])
def test_another_accounts_webhook_is_not_found(management: Management, call: str) -> None:
    webhook = management.create(OTHER_ACCOUNT)
    arguments: list[Any] = [ACCOUNT, webhook.id] + [{"name": "mine"}] * (call == "change")

    assert status_of(getattr(management.webhooks, call), *arguments) == 404
    assert management.items.webhooks[webhook.id] == webhook


# Who gets notices.


def test_an_account_without_addresses_has_no_topic(management: Management) -> None:
    account = management.accounts.create(an_operator(), {"name": "Zylker"})
    account = management.accounts.change(an_operator(), account.id, {"notify_emails": []})

    assert (account.notify_emails, account.notice_topic) == ((), None)
    assert management.accounts.confirmed(account) == set()
    assert management.topics.calls.total() == 0


def test_addresses_are_subscribed_before_the_account_is_stored(management: Management) -> None:
    management.topics.fail("subscribe_only", 1)
    body: dict[str, Json] = {"name": "Zylker", "notify_emails": ["a@zylker.example"]}
    before = len(management.items.accounts)

    with pytest.raises(Unavailable):
        management.accounts.create(an_operator(), body)
    assert len(management.items.accounts) == before
    account = management.accounts.create(an_operator(), body)

    assert management.items.accounts[account.id] == account
    assert management.topics.subscribed == {account.notice_topic: ["a@zylker.example"]}


def test_a_change_subscribes_these_and_no_others(management: Management) -> None:
    operator = an_operator()
    change = management.accounts.change
    first = change(operator, ACCOUNT, {"notify_emails": ["a@x.example", "b@x.example"]})
    assert first.notice_topic is not None

    second = change(operator, ACCOUNT, {"name": "New", "notify_emails": ["b@x.example"]})
    assert (second.name, second.notify_emails) == ("New", ("b@x.example",))
    assert management.topics.subscribed[first.notice_topic] == ["b@x.example"]

    third = change(operator, ACCOUNT, {"notify_emails": []})
    assert (third.notify_emails, third.notice_topic) == ((), None)
    assert management.topics.subscribed[first.notice_topic] == []


def test_a_change_of_the_name_alone_leaves_the_addresses(management: Management) -> None:
    change = management.accounts.change
    before = change(an_operator(), ACCOUNT, {"notify_emails": ["a@x.example"]})

    after = change(an_operator(), ACCOUNT, {"name": "New"})

    assert after == replace(before, name="New")
    assert management.topics.calls == {"subscribe_only": 1}


def test_if_sns_fails_nothing_is_stored_and_the_same_change_again_finishes_it(
    management: Management,
) -> None:
    management.topics.fail("subscribe_only", 1)
    body: dict[str, Json] = {"notify_emails": ["a@x.example"]}
    before = management.items.accounts[ACCOUNT]

    with pytest.raises(Unavailable):
        management.accounts.change(an_operator(), ACCOUNT, body)
    assert management.items.accounts[ACCOUNT] == before

    assert management.accounts.change(an_operator(), ACCOUNT, body).notice_topic is not None


def test_two_changes_at_the_same_time_are_a_conflict_for_one(management: Management) -> None:
    subscribe = management.topics.subscribe_only

    def meanwhile(account_id: AccountId, addresses: Collection[str]) -> str:
        management.items.put(an_account(name="Else", updated_at=NOW + 1))
        return subscribe(account_id, addresses)

    management.topics.subscribe_only = meanwhile  # type: ignore[method-assign]
    body: dict[str, Json] = {"notify_emails": ["a@x.example"]}

    assert status_of(management.accounts.change, an_operator(), ACCOUNT, body) == 409
    assert management.items.accounts[ACCOUNT].name == "Else"


def test_an_address_is_confirmed_by_its_owner(management: Management) -> None:
    body: dict[str, Json] = {"notify_emails": ["Ann@x.example", "bob@x.example"]}
    account = management.accounts.change(an_operator(), ACCOUNT, body)
    management.topics.confirm("ann@x.example")

    shown: Any = account.to_json_with(management.accounts.confirmed(account))

    assert shown["notify_emails"] == [
        {"address": "Ann@x.example", "confirmed": True},
        {"address": "bob@x.example", "confirmed": False},
    ]


# Webhooks.


def test_a_new_webhook_is_stored_as_asked_and_its_secret_told_once(
    management: Management,
) -> None:
    body = webhook_body(headers={"Authorization": "Bearer t0ken"}, secret=SECRET, batch_size=5)

    created = management.webhooks.create(ACCOUNT, body)

    webhook = created.webhook
    assert created.secret == SECRET
    assert management.webhooks.get(ACCOUNT, webhook.id) == webhook
    assert (webhook.status, webhook.version, webhook.batch_size) == (WebhookStatus.ENABLED, 1, 5)
    assert webhook.header_names == ("Authorization",)
    opened = FakeOpener().open(webhook)
    assert opened.secret == SECRET
    assert opened.headers == {"Authorization": "Bearer t0ken"}
    assert SECRET not in str(webhook)


def test_a_webhook_may_be_made_with_what_it_shows_as_null(management: Management) -> None:
    webhook = management.create(description=None, program_ids=None)

    assert (webhook.description, webhook.program_ids) == (None, None)


def test_a_webhook_may_begin_disabled(management: Management) -> None:
    assert management.create(enabled=False).status is WebhookStatus.DISABLED


def test_a_url_is_once_per_account_however_it_is_written(management: Management) -> None:
    management.create(url="https://till.example/")

    with pytest.raises(Problem) as raised:
        management.create(url="https://TILL.example:443")

    assert raised.value.status == 409
    document: Any = raised.value.document()
    assert document["errors"][0]["field"] == "url"
    management.create(OTHER_ACCOUNT, url="https://till.example/")


def test_an_account_has_so_many_webhooks_and_no_more(management: Management) -> None:
    made = [management.create(url=f"https://till.example/{number}") for number in range(MOST)]

    assert status_of(management.webhooks.create, ACCOUNT, webhook_body()) == 409

    management.webhooks.delete(ACCOUNT, made[0].id)
    management.create()


def test_if_secrets_cannot_be_sealed_nothing_is_stored(management: Management) -> None:
    management.sealer.fail("seal_headers")

    with pytest.raises(Unavailable):
        management.create(headers={"x-a": "1"})

    assert management.items.webhooks == {}


def test_a_change_changes_what_it_names_and_nothing_else(management: Management) -> None:
    before = management.create(description="old", program_ids=["gold"])
    management.clock.pass_seconds(1)

    after = management.change(before, name="New", batch_size=7)

    assert after == replace(before, name="New", batch_size=7, version=2, updated_at=NOW + 1_000_000)
    assert management.webhooks.get(ACCOUNT, before.id) == after


def test_null_takes_programmes_and_description_away(management: Management) -> None:
    before = management.create(description="old", program_ids=["gold"])

    after = management.change(before, description=None, program_ids=None)

    assert (after.description, after.program_ids) == (None, None)


def test_changed_headers_replace_all_and_the_secret_stays(management: Management) -> None:
    before = management.create(headers={"x-a": "1"}, secret=SECRET)

    after = management.change(before, headers={"x-b": "2"})

    assert after.header_names == ("x-b",)
    assert FakeOpener().open(after).headers == {"x-b": "2"}
    assert FakeOpener().open(after).secret == SECRET
    assert FakeOpener().open(management.change(after, headers={})).headers == {}


@pytest.mark.parametrize(
    ("enabled", "status"), [(True, WebhookStatus.ENABLED), (False, WebhookStatus.DISABLED)]
)
def test_enabling_and_disabling_end_a_pause(
    management: Management, enabled: bool, status: WebhookStatus
) -> None:
    webhook = replace(
        management.create(), status=WebhookStatus.PAUSED, pause=Pause(NOW, PauseReason.GONE)
    )
    management.items.put(webhook)
    management.items.streaks[webhook.id] = Streak(30, 0, strain=30)

    after = management.change(webhook, enabled=enabled)

    assert (after.status, after.pause) == (status, None)
    assert (management.items.streak_of(after) is None) is enabled


def test_a_change_of_something_else_leaves_a_pause_as_it_is(management: Management) -> None:
    webhook = replace(
        management.create(), status=WebhookStatus.PAUSED, pause=Pause(NOW, PauseReason.GONE)
    )
    management.items.put(webhook)

    assert management.change(webhook, name="New").pause == webhook.pause


def test_a_webhook_may_take_its_own_url_and_one_that_became_free(management: Management) -> None:
    first, second = management.create(), management.create(url="https://two.example/")

    assert management.change(first, url=first.url).url == first.url
    assert status_of(management.webhooks.change, ACCOUNT, second.id, {"url": first.url}) == 409
    management.webhooks.delete(ACCOUNT, first.id)
    assert management.change(second, url=first.url).url == first.url


def test_a_change_that_was_overtaken_is_refused(management: Management) -> None:
    webhook = management.create()

    class Overtaken(FakeWebhookStore):
        def replace(self, before: Webhook, after: Webhook) -> None:
            management.items.put(replace(before, version=before.version + 1))
            super().replace(before, after)

    management.webhooks._webhooks = Overtaken(management.items)

    assert status_of(management.webhooks.change, ACCOUNT, webhook.id, {"name": "x"}) == 409
    assert management.items.webhooks[webhook.id].name == "Till"


@pytest.mark.parametrize("enabled", [True, False])
def test_a_webhook_is_switched_on_and_off(management: Management, enabled: bool) -> None:
    webhook = replace(
        management.create(), status=WebhookStatus.PAUSED, pause=Pause(NOW, PauseReason.GONE)
    )
    management.items.put(webhook)

    after = management.webhooks.switch(ACCOUNT, webhook.id, enabled=enabled)

    assert after.status is (WebhookStatus.ENABLED if enabled else WebhookStatus.DISABLED)
    assert (after.pause, after.version) == (None, 2)
    assert management.items.webhooks[webhook.id] == after


@pytest.mark.parametrize(("said", "hours"), [({}, 24), ({"overlap_hours": 1}, 1)])
def test_a_rotated_secret_is_told_once_and_the_old_one_signs_for_the_overlap(
    management: Management, said: dict[str, Json], hours: int
) -> None:
    webhook = management.create(secret=SECRET)

    rotated = management.webhooks.rotate_secret(ACCOUNT, webhook.id, said)

    secret = rotated.secret or ""
    opened = FakeOpener().open(management.items.webhooks[webhook.id])
    until = NOW + hours * 3_600_000_000
    assert opened.secrets(until - 1) == (secret, SECRET)
    assert opened.secrets(until) == (secret,)
    assert secret != SECRET
    assert secret
    assert secret not in str(rotated.webhook.to_json())


def test_without_an_overlap_the_old_secret_is_gone_at_once(management: Management) -> None:
    webhook = management.create(secret=SECRET)
    body: dict[str, Json] = {"overlap_hours": 0, "secret": "whsec_" + "B" * 40}

    rotated = management.webhooks.rotate_secret(ACCOUNT, webhook.id, body)

    assert rotated.secret == body["secret"]
    assert rotated.webhook.sealed.retired == ()


def rotated(management: Management, webhook: Webhook, secret: str, hours: int) -> Webhook:
    """The webhook with another secret, an hour later."""
    management.clock.pass_seconds(3_600)
    body: dict[str, Json] = {"secret": secret, "overlap_hours": hours}
    return management.webhooks.rotate_secret(ACCOUNT, webhook.id, body).webhook


HOUR = HOUR_SECONDS * MICROSECONDS
SECRETS = [f"whsec_{letter * 40}" for letter in "ABCDE"]


@pytest.mark.parametrize("hours", [(24, 24), (168, 1), (2, 168)])
def test_no_rotation_takes_away_a_secret_whose_overlap_has_not_ended(
    management: Management, hours: tuple[int, int]
) -> None:
    webhook = management.create(secret=SECRETS[0])
    for secret, overlap in zip(SECRETS[1:3], hours, strict=True):
        webhook = rotated(management, webhook, secret, overlap)

    opened = FakeOpener().open(management.items.webhooks[webhook.id])
    first, second = (NOW + (1 + at) * HOUR + hours[at] * HOUR for at in range(2))
    assert opened.secrets(min(first, second) - 1) == (SECRETS[2], SECRETS[1], SECRETS[0])
    later = SECRETS[0] if first > second else SECRETS[1]
    assert opened.secrets(min(first, second)) == (SECRETS[2], later)
    assert opened.secrets(max(first, second)) == (SECRETS[2],)
    shown = webhook.to_json()["retired_secrets"]
    assert shown == [{"signs_until": to_rfc3339(second)}, {"signs_until": to_rfc3339(first)}]


def test_a_fourth_secret_is_refused_with_the_moment_when_the_next_one_ends(
    management: Management,
) -> None:
    webhook = management.create(secret=SECRETS[0])
    rotated(management, webhook, SECRETS[1], 48)
    before = rotated(management, webhook, SECRETS[2], 24)

    with pytest.raises(Problem) as raised:
        rotated(management, webhook, SECRETS[3], 24)

    assert raised.value.status == 409
    assert to_rfc3339(NOW + 26 * HOUR) in str(raised.value.document())
    assert management.items.webhooks[webhook.id] == before

    management.clock.now = NOW + 26 * HOUR - HOUR  # it is an hour later that one has ended
    after = rotated(management, webhook, SECRETS[3], 24)
    opened = FakeOpener().open(after)
    assert opened.secrets(NOW + 26 * HOUR) == (SECRETS[3], SECRETS[2], SECRETS[0])


def test_without_an_overlap_all_secrets_end(management: Management) -> None:
    webhook = management.create(secret=SECRETS[0])
    for secret in SECRETS[1:3]:
        webhook = rotated(management, webhook, secret, 168)

    webhook = rotated(management, webhook, SECRETS[3], 0)

    opened = FakeOpener().open(management.items.webhooks[webhook.id])
    assert [*opened.secrets(0)] == [SECRETS[3]]
    assert webhook.to_json()["retired_secrets"] == []


@pytest.mark.parametrize(
    "body",
    [{"overlap_hours": -1}, {"overlap_hours": 169}, {"secret": "hush"}, {"colour": 1}],
)
def test_a_rotation_that_makes_no_sense_changes_nothing(
    management: Management, body: dict[str, Json]
) -> None:
    webhook = management.create()

    assert status_of(management.webhooks.rotate_secret, ACCOUNT, webhook.id, body) == 422
    assert management.items.webhooks[webhook.id] == webhook


def test_a_deleted_webhook_leaves_a_tombstone_without_secrets(management: Management) -> None:
    webhook = management.create(headers={"x-a": "1"})

    management.webhooks.delete(ACCOUNT, webhook.id)

    tombstone = management.items.webhooks[webhook.id]
    assert tombstone.status is WebhookStatus.DELETED
    assert (tombstone.sealed.secret, tombstone.sealed.headers) == (b"", None)
    assert management.webhooks.list(ACCOUNT, 50, None).items == []
    for call in (management.webhooks.get, management.webhooks.delete):
        assert status_of(call, ACCOUNT, webhook.id) == 404


def test_webhooks_are_listed_page_by_page(management: Management) -> None:
    made = {management.create(url=f"https://till.example/{number}").id for number in range(3)}

    first = management.webhooks.list(ACCOUNT, 2, None)
    second = management.webhooks.list(ACCOUNT, 2, first.next_cursor)

    assert {webhook.id for webhook in first.items + second.items} == made
    assert second.next_cursor is None


def test_a_cursor_that_no_page_gave_is_refused(management: Management) -> None:
    assert status_of(management.webhooks.list, ACCOUNT, 2, "é") == 422


def test_an_unknown_webhook_is_not_found(management: Management) -> None:
    assert status_of(management.webhooks.get, ACCOUNT, WebhookId("wh_absent")) == 404
