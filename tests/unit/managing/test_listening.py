"""Listening on one's own machine: what is made for it, and what becomes of it."""

import pytest

from perkwire.managing.accounts import AccountManagement
from perkwire.managing.listening import HOURS, MOST_LISTENING, Listener, Listening, choices_of
from perkwire.managing.stores import ChangedMeanwhile
from perkwire.managing.webhook_draft import EndpointRules
from perkwire.managing.webhooks import WebhookManagement
from perkwire.model.account import MOST_KEYS, ApiKey, Scope
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.webhook import Webhook
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import HOUR_SECONDS, MICROSECONDS
from tests.builders import ACCOUNT, NOW, a_caller, a_webhook, an_account, webhook_body
from tests.fakes import (
    FakeAccountStore,
    FakeClock,
    FakeConfigItems,
    FakeKeyStore,
    FakeSealer,
    FakeTopics,
    FakeWebhookStore,
)

ALL: dict[str, Json] = {"event_types": ["*"]}
LENGTH = HOURS * HOUR_SECONDS * MICROSECONDS
CALLER = a_caller()
MOST = 10


class Desk:
    """Somebody who listens, with fakes around."""

    def __init__(self) -> None:
        self.items = FakeConfigItems()
        self.items.put(an_account())
        self.clock = FakeClock(NOW)
        accounts, webhooks = FakeAccountStore(self.items), FakeWebhookStore(self.items)
        self.store = webhooks
        self.accounts = AccountManagement(
            accounts=accounts,
            api_keys=FakeKeyStore(self.items),
            topics=FakeTopics(),
            webhooks=webhooks,
            clock=self.clock,
        )
        self.webhooks = WebhookManagement(
            accounts=accounts,
            webhooks=webhooks,
            sealer=FakeSealer(),
            rules=EndpointRules(EndpointPolicy.PUBLIC),
            most_webhooks=MOST,
            clock=self.clock,
        )
        self.listening = Listening(webhooks=self.webhooks, accounts=self.accounts, clock=self.clock)

    def begin(self, choices: dict[str, Json] | None = None) -> Listener:
        return self.listening.begin(CALLER, ACCOUNT, ALL if choices is None else choices)

    def end(self, webhook: Webhook) -> None:
        self.listening.end(CALLER, ACCOUNT, webhook.id)

    def there_are(self) -> list[WebhookId]:
        return [one.id for one in self.webhooks.list(ACCOUNT, 100, None).items]

    def given_keys(self) -> list[ApiKey]:
        return [*self.accounts.list_keys(CALLER, ACCOUNT, 100, None).items]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_webhook_and_a_key_are_made_that_end_together(desk: Desk) -> None:
    made = desk.begin()

    (key,) = desk.given_keys()
    assert made.webhook.is_pulled
    assert made.webhook.ends_at == key.expires_at == NOW + LENGTH
    assert made.webhook.name == "Listening since 2026-09-21 14:13 UTC"
    assert key.scopes == {Scope.PULL}
    assert key.webhook_id == made.webhook.id
    assert made.secret.startswith("whsec_")
    assert desk.listening.listeners(ACCOUNT) == [made.webhook]


def test_whoever_listens_as_a_webhook_gets_its_bodies_and_not_its_headers_or_secret(
    desk: Desk,
) -> None:
    model = a_webhook(
        event_types=("points.*", "tier.upgraded"),
        program_ids=("gold",),
        filter='{"data":{"points":[{"exists":true}]}}',
        batch_size=10,
        batch_bytes=2_000,
        format="zinrelo",
        headers={"x-shop": "7"},
        secret="the secret of the model",
    )

    made = desk.begin(choices_of(model))

    for name in ("event_types", "program_ids", "filter", "batch_size", "batch_bytes", "format"):
        assert getattr(made.webhook, name) == getattr(model, name)
    assert made.webhook.header_names == ()
    assert made.secret != "the secret of the model"


def test_so_many_listen_at_a_time_and_no_more(desk: Desk) -> None:
    made = [desk.begin() for _ in range(MOST_LISTENING)]

    with pytest.raises(Problem) as refused:
        desk.begin()
    desk.end(made[0].webhook)

    assert refused.value.status == 409
    assert (
        refused.value.document()["detail"]
        == "At most 5 listen at a time: end one to begin another."
    )
    assert desk.begin().webhook.id in desk.there_are()


def test_what_has_ended_listens_no_more_and_is_removed_by_who_begins_next(desk: Desk) -> None:
    kept = desk.webhooks.create(ACCOUNT, webhook_body()).webhook
    ended = [desk.begin().webhook for _ in range(MOST_LISTENING)]
    desk.clock.now += LENGTH
    assert desk.listening.listeners(ACCOUNT) == []
    assert {one.id for one in ended} < {*desk.there_are()}

    made = desk.begin()

    assert {*desk.there_are()} == {kept.id, made.webhook.id}
    assert [one.webhook_id for one in desk.given_keys()] == [made.webhook.id]


def test_what_has_ended_makes_room_for_a_webhook_once_there_is_none(desk: Desk) -> None:
    ended = [desk.begin().webhook for _ in range(MOST_LISTENING)]
    desk.clock.now += LENGTH
    live = desk.webhooks.create(ACCOUNT, {**webhook_body(), "url": "https://a.example/"}).webhook
    desk.webhooks.create(
        ACCOUNT, {**ALL, "name": "Till", "delivery": "pull"}, ends_at=desk.clock.now + 1
    )
    made = [live.id]

    def create(number: int) -> None:
        body = webhook_body() | {"url": f"https://a.example/{number}"}
        made.append(desk.webhooks.create(ACCOUNT, body).webhook.id)

    for number in range(MOST - MOST_LISTENING - 2):
        create(number)
    assert {one.id for one in ended} < {*desk.there_are()}
    for number in range(MOST_LISTENING):
        create(100 + number)

    assert {*made} < {*desk.there_are()}
    assert len(desk.there_are()) == MOST
    with pytest.raises(Problem) as refused:
        create(999)
    assert refused.value.document()["detail"] == f"An account has at most {MOST} webhooks."


def test_what_cannot_be_deleted_makes_no_room_and_nothing_else(desk: Desk) -> None:
    """As if somebody else had deleted it, and taken its place."""
    for _ in range(MOST_LISTENING):
        desk.begin()
    desk.clock.now += LENGTH
    for number in range(MOST - MOST_LISTENING):
        desk.webhooks.create(ACCOUNT, webhook_body() | {"url": f"https://a.example/{number}"})

    def gone(webhook: Webhook, now: int) -> None:
        raise ChangedMeanwhile

    desk.store.bury = gone  # type: ignore[method-assign]
    with pytest.raises(Problem) as refused:
        desk.webhooks.create(ACCOUNT, webhook_body())

    assert refused.value.document()["detail"] == f"An account has at most {MOST} webhooks."


def test_without_room_for_a_key_no_webhook_stays(desk: Desk) -> None:
    for number in range(MOST_KEYS):
        desk.accounts.create_key(CALLER, ACCOUNT, {"name": f"{number}", "scopes": ["webhooks"]})

    with pytest.raises(Problem) as refused:
        desk.begin()

    assert (
        refused.value.document()["detail"] == "The account has 50 API keys, and can have no more."
    )
    assert desk.there_are() == []


def test_ending_it_takes_the_webhook_and_the_key_and_is_harmless_again(desk: Desk) -> None:
    made = desk.begin()

    desk.end(made.webhook)
    desk.end(made.webhook)

    assert (desk.there_are(), desk.given_keys()) == ([], [])


def test_no_other_webhook_is_ended(desk: Desk) -> None:
    other = desk.webhooks.create(ACCOUNT, {**ALL, "name": "Till", "delivery": "pull"}).webhook
    desk.listening.key_for(CALLER, ACCOUNT, other.id)

    desk.end(other)

    assert (desk.there_are(), desk.given_keys()) == ([other.id], [])


def test_a_key_of_the_accounts_own_stays_whatever_its_name(desk: Desk) -> None:
    webhook = desk.webhooks.create(ACCOUNT, {**ALL, "name": "Till", "delivery": "pull"}).webhook
    body: dict[str, Json] = {"name": "listen", "scopes": ["pull"], "webhook_id": webhook.id}
    own = [
        desk.accounts.create_key(CALLER, ACCOUNT, {**body, **ends})[0]
        for ends in ({}, {"expires_in_hours": HOURS})
    ]

    for _ in range(2):
        desk.listening.key_for(CALLER, ACCOUNT, webhook.id)
        assert len(desk.given_keys()) == 3
    desk.listening.revoke(CALLER, ACCOUNT, webhook.id)

    assert {one.id for one in desk.given_keys()} == {one.id for one in own}
    assert "is_for_listening" not in own[0].to_json()


def test_what_cannot_be_listened_to_is_refused_by_its_field(desk: Desk) -> None:
    with pytest.raises(Problem) as refused:
        desk.begin({"event_types": ["points"], "format": "okendo"})

    assert "event_types[0]" in str(refused.value.document()["errors"])
    assert desk.there_are() == []
