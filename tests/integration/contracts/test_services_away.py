"""Every call of every adapter while its AWS service hangs, hangs up, talks rubbish or refuses.

A call raises Unavailable, or says in its answer that nothing was stored: never anything else, as
what is else ends the whole batch, or is a 500.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import get_session
from pynamodb.connection import Connection

from perkwire.accepting.acceptance import Claim
from perkwire.adapters.dynamodb import tables
from perkwire.adapters.dynamodb.account_store import AccountStore, KeyStore
from perkwire.adapters.dynamodb.claim_table import ClaimTable
from perkwire.adapters.dynamodb.config_items import CONFIG_ITEMS
from perkwire.adapters.dynamodb.contract_store import ContractStore
from perkwire.adapters.dynamodb.delivery_items import DELIVERY_TABLE_ITEMS
from perkwire.adapters.dynamodb.delivery_records import DeliveryRecords
from perkwire.adapters.dynamodb.delivery_table import DeliveryTable, RetryableDeliveries
from perkwire.adapters.dynamodb.event_index import EventIndex
from perkwire.adapters.dynamodb.event_table import EVENT_TABLE_ITEMS, EventReader, EventTable
from perkwire.adapters.dynamodb.job_store import JOB_ITEMS, JobStore
from perkwire.adapters.dynamodb.key_lookup import KeyLookup
from perkwire.adapters.dynamodb.mentions import Mentions
from perkwire.adapters.dynamodb.session_store import SESSION_ITEMS, LinkStore, SessionStore
from perkwire.adapters.dynamodb.trial_counter import TrialCounter
from perkwire.adapters.dynamodb.webhook_lookup import WebhookLookup
from perkwire.adapters.dynamodb.webhook_states import WebhookStates
from perkwire.adapters.dynamodb.webhook_store import WebhookStore
from perkwire.adapters.sqs.dead_letters import DeadLetterQueues
from perkwire.adapters.sqs.delivery_traffic import DeliveryTraffic
from perkwire.adapters.sqs.move_tasks import SqsMoveTasks
from perkwire.adapters.sqs.queue_age import QueueAge
from perkwire.adapters.sqs.queues import SqsQueue
from perkwire.adapters.topics import NoticePublisher, NoticeTopics
from perkwire.adapters.trial_calls import DispatcherFunction
from perkwire.adapters.vault import Opener, Sealer
from perkwire.dispatching.noticing import UnreportedFailures
from perkwire.managing.contracts import ContractHeading
from perkwire.managing.signing_in import ConsoleLink, Session
from perkwire.model.account import ApiKey, Scope
from perkwire.model.delivery import Change, DeliveryStatus
from perkwire.model.lanes import Lane
from perkwire.model.notices import Notice
from perkwire.model.routed_event import RoutedEvent
from perkwire.model.webhook import Pause, PauseReason
from perkwire.primitives.ids import EventId, KeyId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.queueing import Outgoing
from perkwire.reading.event_listing import ListPosition
from perkwire.recovering.redriving import Redrive, RedriveQueue
from perkwire.trials.trial import SavedWebhook, Trial
from tests.builders import (
    ACCOUNT,
    NOW,
    WEBHOOK,
    a_delivery,
    a_webhook,
    an_account,
    an_attempt,
    an_event,
)
from tests.fakes import FakeTelemetry
from tests.hostile_endpoints import (
    Endpoint,
    Script,
    answer,
    answers,
    hangs_up,
    resets,
    says,
    stalls_after,
)
from tests.integration.contracts.test_job_store import a_job

SECONDS = 0.05
ONCE = tables.Patience(SECONDS, SECONDS, 0)
CLAIM = Claim(account_id=ACCOUNT, event_id=EventId("evt_1"), digest="x", accepted_at=NOW, sent=True)
OTHER_CLAIM = Claim(
    account_id=ACCOUNT, event_id=EventId("evt_2"), digest="x", accepted_at=NOW, sent=False
)
ENTRY = a_delivery(status=DeliveryStatus.FAILED)
SUCCESS = a_delivery()
ROUTED = RoutedEvent(account_id=ACCOUNT, event=an_event(), deliveries={})
KEYS = {(ACCOUNT, EventId("evt_1"))}
HOOK = a_webhook()
BOTH_KINDS = [
    Change(None, SUCCESS, None),
    Change(None, ENTRY, an_attempt()),
    Change(ENTRY, ENTRY, None),
]


def refuses(status: bytes, kind: str) -> Script:
    body = json.dumps({"__type": f"com.amazonaws#{kind}", "message": "no"}).encode()
    return answers(answer(body, status, b"Content-Type: application/x-amz-json-1.0\r\n"))


SERVICES: dict[str, Script] = {
    "hangs": stalls_after(b""),
    "hangs in its answer": stalls_after(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
    "hangs up": hangs_up,
    "hangs up in its answer": says(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
    "resets": resets,
    "talks no HTTP": says(b"220 mail.example ESMTP\r\n"),
    "fails": refuses(b"500 Internal Server Error", "InternalServerError"),
    "fails without a word": answers(answer(b"", b"503 Service Unavailable")),
    "throttles": refuses(b"400 Bad Request", "ThrottlingException"),
}
NONSENSE: dict[str, Script] = {
    "a page": answers(answer(b"<html>Welcome</html>", extra=b"Content-Type: text/html\r\n")),
    "nothing": answers(answer(b"{}")),
}

type Call = Callable[[Connection, FakeTelemetry], object]


def claims(connection: Connection) -> ClaimTable:
    return ClaimTable(connection, event_retention_days=30, clock=lambda: NOW)


def webhooks(connection: Connection) -> WebhookStore:
    return WebhookStore(connection, tombstone_days=30)


def log(connection: Connection, journal: FakeTelemetry) -> DeliveryTable:
    return DeliveryTable(connection, journal, log_retention_days=15)


BETWEEN: Any = {"after": "0", "before": "~", "limit": 5}
KEY = ApiKey(
    id=KeyId("key_1"),
    account_id=ACCOUNT,
    name="x",
    scopes=frozenset({Scope.EVENTS}),
    created_at=NOW,
)
LINK = ConsoleLink(account_id=ACCOUNT, expires_at=NOW)
SESSION = Session(account_id=ACCOUNT, key_hash=None, acting_for=None, expires_at=NOW)
UNTOLD = UnreportedFailures(1, NOW, None)
JOB = a_job(ACCOUNT, WEBHOOK)
CONTRACT = ContractHeading(
    owner=ACCOUNT,
    format="ours@1",
    title="Ours",
    digest="0" * 32,
    says=("points.earned",),
    largest_batch=1,
    secret_rule="",
    created_at=NOW,
)

TABLE_CALLS: dict[str, Call] = {
    "log.find": lambda c, j: log(c, j).find({(ACCOUNT, ENTRY.id)}),
    "log.unsettled": lambda c, j: log(c, j).unsettled(ACCOUNT, WEBHOOK, **BETWEEN),
    "log.newest": lambda c, j: log(c, j).newest(ACCOUNT, WEBHOOK, **BETWEEN),
    "log.of_moment": lambda c, j: log(c, j).of_moment(ACCOUNT, WEBHOOK, "01", 5),
    "log.oldest": lambda c, j: log(c, j).oldest(ACCOUNT, WEBHOOK, **BETWEEN),
    "log.newest_unsettled": lambda c, j: log(c, j).newest_unsettled(ACCOUNT, WEBHOOK, **BETWEEN),
    "log.add": lambda c, j: log(c, j).add([ENTRY, SUCCESS]),
    "claims.find": lambda c, _: claims(c).find(KEYS),
    "claims.take one": lambda c, _: claims(c).take([CLAIM]),
    "claims.take two": lambda c, _: claims(c).take([CLAIM, OTHER_CLAIM]),
    "claims.mark_sent": lambda c, _: claims(c).mark_sent([CLAIM, OTHER_CLAIM]),
    "events.find": lambda _, __: EventReader().find(ACCOUNT, EventId("evt_1")),
    "events.find_all": lambda _, __: EventReader().find_all(KEYS),
    "events.of_hour": lambda _, __: EventIndex().of_hour(ACCOUNT, NOW, NOW + 9, None, 5),
    "events.newest_of_hour": lambda _, __: EventIndex().newest_of_hour(
        ACCOUNT, NOW - 9, ListPosition(NOW), 5
    ),
    "jobs.find": lambda c, _: JobStore(c).find(ACCOUNT, JOB.id),
    "jobs.add": lambda c, _: JobStore(c).add(JOB),
    "jobs.advance": lambda c, _: JobStore(c).advance(JOB, JOB),
    "jobs.cancel": lambda c, _: JobStore(c).cancel(ACCOUNT, JOB.id, NOW),
    "lookup.existing": lambda _, __: WebhookLookup().existing({ACCOUNT}),
    "lookup.of_account": lambda _, __: WebhookLookup().of_account(ACCOUNT),
    "records.look_up": lambda _, __: DeliveryRecords().look_up(
        {(ACCOUNT, WEBHOOK)}, {(ACCOUNT, ENTRY.id)}
    ),
    "lookup.states": lambda _, __: WebhookStates().states({(ACCOUNT, WEBHOOK)}),
    "lookup.look_again": lambda _, __: WebhookStates().look_again({(ACCOUNT, WEBHOOK)}),
    "mentions.newest": lambda _, __: Mentions().newest(ACCOUNT, "0" * 32, 0, ListPosition(NOW), 5),
    "contracts.texts": lambda c, _: ContractStore(c).texts([(ACCOUNT, "ours@1")]),
    "contracts.headings": lambda c, _: ContractStore(c).headings(ACCOUNT),
    "contracts.find": lambda c, _: ContractStore(c).find(ACCOUNT, "ours@1"),
    "contracts.add": lambda c, _: ContractStore(c).add(CONTRACT, "{}", 5),
    "contracts.users": lambda c, _: ContractStore(c).users(CONTRACT),
    "contracts.remove": lambda c, _: ContractStore(c).remove(CONTRACT, []),
    "health.add_failures": lambda _, __: WebhookStates().add_failures(HOOK, 1, NOW, failing=True),
    "health.add_slow": lambda _, __: WebhookStates().add_slow(HOOK, 1, NOW),
    "health.end_streak": lambda _, __: WebhookStates().end_streak(HOOK, NOW),
    "health.end_streak fast": lambda _, __: WebhookStates().end_streak(HOOK, NOW, fast=1),
    "health.move": lambda _, __: WebhookStates().move(HOOK, Lane.SLOW),
    "health.pause": lambda _, __: WebhookStates().pause(HOOK, Pause(NOW, PauseReason.GONE)),
    "counts.count_failed": lambda _, __: WebhookStates().count_failed(HOOK, 1, NOW),
    "counts.take_untold": lambda _, __: WebhookStates().take_untold(HOOK, UNTOLD, NOW),
    "counts.give_back": lambda _, __: WebhookStates().give_back(HOOK, UNTOLD),
    "accounts.add": lambda c, _: AccountStore(c).add(an_account()),
    "accounts.find": lambda c, _: AccountStore(c).find(ACCOUNT),
    "accounts.replace": lambda c, _: AccountStore(c).replace(an_account(), an_account()),
    "accounts.page": lambda c, _: AccountStore(c).page(5, None),
    "keys.add": lambda c, _: KeyStore(c).add(KEY, "hash"),
    "keys.find": lambda c, _: KeyStore(c).find(ACCOUNT, KEY.id),
    "keys.remove": lambda c, _: KeyStore(c).remove(ACCOUNT, KEY.id),
    "keys.page": lambda c, _: KeyStore(c).page(ACCOUNT, 5, None),
    "keys.caller": lambda _, __: KeyLookup().caller("hash"),
    "webhooks.add": lambda c, _: webhooks(c).add(HOOK, 10),
    "webhooks.find": lambda c, _: webhooks(c).find(ACCOUNT, WEBHOOK),
    "webhooks.replace": lambda c, _: webhooks(c).replace(HOOK, HOOK),
    "webhooks.bury": lambda c, _: webhooks(c).bury(HOOK, NOW),
    "webhooks.page": lambda c, _: webhooks(c).page(ACCOUNT, 5, None),
    "links.add": lambda _, __: LinkStore().add("hash", LINK),
    "links.unused": lambda _, __: LinkStore().unused("hash"),
    "links.use": lambda _, __: LinkStore().use("hash", "session", NOW),
    "sessions.add": lambda _, __: SessionStore().add("hash", SESSION),
    "sessions.find": lambda _, __: SessionStore().find("hash"),
    "sessions.act_for": lambda _, __: SessionStore().act_for("hash", ACCOUNT),
    "sessions.remove": lambda _, __: SessionStore().remove("hash"),
    "trials.take": lambda _, __: TrialCounter().take(ACCOUNT, NOW, 5),
}


@pytest.fixture(autouse=True)
def _models_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions that are warm already go on with the tables that they have been bound to."""
    models: list[Any] = [*CONFIG_ITEMS, *JOB_ITEMS, *SESSION_ITEMS, *EVENT_TABLE_ITEMS]
    for model in [*models, *DELIVERY_TABLE_ITEMS]:
        monkeypatch.setattr(model, "_connection", None)
        monkeypatch.setattr(model.Meta, "table_name", "", raising=False)


@pytest.fixture(params=[pytest.param(script, id=name) for name, script in SERVICES.items()])
def away(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    with Endpoint(request.param) as endpoint:
        yield endpoint


def connection_to(endpoint: Endpoint, patience: tables.Patience = ONCE) -> Connection:
    connection = tables.TransactionalConnection(
        "us-east-1",
        endpoint.url(target=""),
        connect_timeout_seconds=patience.connect_seconds,
        read_timeout_seconds=patience.read_seconds,
        max_retry_attempts=patience.retries,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    tables.bind(connection, "Config", *CONFIG_ITEMS, *JOB_ITEMS, *SESSION_ITEMS)
    tables.bind(connection, "Event", *EVENT_TABLE_ITEMS)
    tables.bind(connection, "Delivery", *DELIVERY_TABLE_ITEMS)
    return connection


def test_a_table_that_is_away_is_unavailable(away: Endpoint) -> None:
    connection = connection_to(away)
    for name, call in TABLE_CALLS.items():
        with pytest.raises(Unavailable) as failure:
            call(connection, FakeTelemetry())
        assert str(failure.value).startswith("DynamoDB: "), name


def test_what_the_log_cannot_store_is_said_and_not_raised(away: Endpoint) -> None:
    connection, journal = connection_to(away), FakeTelemetry()

    assert log(connection, journal).write(BOTH_KINDS) == {SUCCESS.id, ENTRY.id}

    assert set(journal.kinds) == {"delivery_table_failing"}


def test_once_the_table_does_not_answer_no_other_write_waits_for_it() -> None:
    failures = [a_delivery(status=DeliveryStatus.FAILED) for _ in range(9)]
    changes = [Change(None, SUCCESS, None), *(Change(None, one, None) for one in failures)]
    for tried in (changes, changes[1:]):
        with Endpoint(stalls_after(b"")) as endpoint:
            connection, journal = connection_to(endpoint), FakeTelemetry()

            unstored = log(connection, journal).write(tried)

            assert unstored == {change.after.id for change in tried}
            assert (len(endpoint.requests), journal.kinds) == (1, ["delivery_table_failing"])


@pytest.mark.measures_time
def test_a_call_takes_no_longer_than_its_patience_says() -> None:
    patience = tables.Patience(SECONDS, SECONDS, 1)
    with Endpoint(stalls_after(b"")) as endpoint:
        connection = connection_to(endpoint, patience)
        begun = time.monotonic()

        with pytest.raises(tables.NoAnswer):
            log(connection, FakeTelemetry()).find({(ACCOUNT, ENTRY.id)})

        assert time.monotonic() - begun < patience.most_seconds + 2
        assert len(endpoint.requests) == 2


def test_a_run_that_cannot_be_noted_is_a_fault(away: Endpoint) -> None:
    connection_to(away)
    journal = FakeTelemetry()

    RetryableDeliveries(journal).hand_over(ENTRY, NOW, NOW)

    assert journal.kinds == ["delivery_table_failing"]


def test_what_cannot_be_reopened_is_not_sent(away: Endpoint) -> None:
    connection_to(away)

    with pytest.raises(Unavailable):
        RetryableDeliveries(FakeTelemetry()).reopen(ENTRY, NOW, NOW)


def test_events_that_cannot_be_kept_are_said_and_not_raised(away: Endpoint) -> None:
    connection_to(away)
    journal = FakeTelemetry()

    kept = EventTable(journal, event_retention_days=30, clock=lambda: NOW).keep([ROUTED])

    assert (kept, journal.kinds) == ([False], ["event_table_failing"])


@pytest.mark.parametrize("script", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_instead_of_a_table_raises_nothing_else(script: Script) -> None:
    """Of a write nothing but its status says that it is stored; what can be seen is."""
    with Endpoint(script) as endpoint:
        connection = connection_to(endpoint)
        for call in TABLE_CALLS.values():
            with contextlib.suppress(Unavailable):
                call(connection, FakeTelemetry())
        log(connection, FakeTelemetry()).write(BOTH_KINDS)


TRIAL = Trial(SavedWebhook(ACCOUNT, WEBHOOK), "points.earned")
REDRIVE = Redrive(
    queue=RedriveQueue.DELIVERIES,
    status="running",
    moved=0,
    to_move=None,
    max_per_second=None,
    started_at=NOW,
    failure=None,
    handle="handle",
)

SERVICE_CALLS: dict[str, Callable[[Callable[[str], Any]], object]] = {
    "kms.seal_secret": lambda c: Sealer(c("kms"), "k").seal_secret(ACCOUNT, WEBHOOK, "secret"),
    "kms.seal_headers": lambda c: Sealer(c("kms"), "k").seal_headers(ACCOUNT, WEBHOOK, {"A": "b"}),
    "kms.open": lambda c: Opener(c("kms"), "k").open(HOOK),
    "sns.publish": lambda c: NoticePublisher(lambda: c("sns")).publish("arn", Notice("a", "b")),
    "sns.subscribe": lambda c: NoticeTopics(lambda: c("sns"), "s").subscribe_only(ACCOUNT, ["a@b"]),
    "sns.confirmed": lambda c: NoticeTopics(lambda: c("sns"), "s").confirmed("arn"),
    "sqs.start": lambda c: move_tasks(c).start(RedriveQueue.DELIVERIES, None),
    "sqs.resting": lambda c: move_tasks(c).resting(RedriveQueue.DELIVERIES),
    "sqs.recent": lambda c: move_tasks(c).recent(RedriveQueue.DELIVERIES),
    "sqs.cancel": lambda c: move_tasks(c).cancel(REDRIVE),
    "sqs.dead_letters": lambda c: dead_letters(c, FakeTelemetry()).of(RedriveQueue.DELIVERIES),
    "sqs.traffic": lambda c: traffic(c).of(Lane.PROMPT),
    "sqs.backlog": lambda c: traffic(c).backlog(),
    "lambda.invoke": lambda c: DispatcherFunction(c("lambda"), "f").send(TRIAL),
}


def clients_of(endpoint: Endpoint) -> Callable[[str], BaseClient]:
    session = get_session()
    session.set_credentials("local", "local")
    config = Config(
        connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1}
    )
    return lambda service: session.create_client(
        service, "us-east-1", endpoint_url=endpoint.url(target=""), config=config
    )


def move_tasks(clients: Callable[[str], Any]) -> SqsMoveTasks:
    return SqsMoveTasks(
        clients("sqs"), {RedriveQueue.DELIVERIES: "arn"}, {RedriveQueue.DELIVERIES: "url"}
    )


def dead_letters(clients: Callable[[str], Any], journal: FakeTelemetry) -> DeadLetterQueues:
    urls = {RedriveQueue.DELIVERIES: "https://sqs.example/q"}
    return DeadLetterQueues(clients("sqs"), urls, queue_age(clients, journal))


def queue_age(clients: Callable[[str], Any], journal: FakeTelemetry) -> QueueAge:
    return QueueAge(lambda: clients("cloudwatch"), journal, lambda: NOW)


def traffic(clients: Callable[[str], Any]) -> DeliveryTraffic:
    url = "https://sqs.example/q"
    age = queue_age(clients, FakeTelemetry())
    return DeliveryTraffic(clients("sqs"), dict.fromkeys(Lane, url), url, age)


def test_a_service_that_is_away_is_unavailable(away: Endpoint) -> None:
    clients = clients_of(away)
    for name, call in SERVICE_CALLS.items():
        with pytest.raises(Unavailable) as failure:
            call(clients)
        assert ": " in str(failure.value), name


def test_messages_that_cannot_be_sent_are_not_held(away: Endpoint) -> None:
    journal = FakeTelemetry()
    queue = SqsQueue(clients_of(away)("sqs"), "https://sqs.example/q", journal)  # type: ignore[arg-type]

    assert queue.send([Outgoing("body", "group")] * 2) == [False, False]

    assert set(journal.kinds) == {"sqs_failing"}


def test_an_age_that_is_unknown_leaves_the_rest(away: Endpoint) -> None:
    journal = FakeTelemetry()

    assert queue_age(clients_of(away), journal).oldest_seconds("q") is None

    assert journal.kinds == ["queue_age_unknown"]


@pytest.mark.parametrize("script", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_instead_of_a_service_raises_nothing_else(script: Script) -> None:
    with Endpoint(script) as endpoint:
        clients = clients_of(endpoint)
        for name, call in SERVICE_CALLS.items():
            if name == "lambda.invoke":  # what it answers is our own function's
                continue
            with contextlib.suppress(Unavailable):
                call(clients)
        queue = SqsQueue(clients("sqs"), "https://sqs.example/q", FakeTelemetry())  # type: ignore[arg-type]
        assert queue.send([Outgoing("body", "group")]) == [False]
        assert queue_age(clients, FakeTelemetry()).oldest_seconds("q") is None
