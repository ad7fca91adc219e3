import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from perkwire.dispatching import health
from perkwire.dispatching.health import Result, Streak
from perkwire.dispatching.pausing import QUIET_SECONDS, PauseRule
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.webhook import Pause, PauseReason, Webhook, WebhookStatus
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.timestamps import MICROSECONDS
from tests.builders import NOW, a_webhook
from tests.fakes import FakeConfigItems, FakeWebhookLookup

RULE = PauseRule(after_failures=20, when_exhausted=False)
STRICT = PauseRule(after_failures=20, when_exhausted=True)
GOOD, BAD = Result(success=True), Result(success=False)
GONE = Result(success=False, gone=True)
EXHAUSTED = Result(success=False, exhausted=True)
QUIET = QUIET_SECONDS * MICROSECONDS


@pytest.fixture
def config() -> FakeConfigItems:
    items = FakeConfigItems()
    items.put(a_webhook())
    return items


def record(
    store: FakeWebhookLookup,
    rule: PauseRule,
    webhook: Webhook,
    results: list[Result],
    *,
    failing: bool,
    now: int,
) -> PauseReason | None:
    state = WebhookState(webhook, failing=failing)
    return health.record(store, rule, state, results, now=now).pause


@pytest.fixture
def store(config: FakeConfigItems) -> FakeWebhookLookup:
    return FakeWebhookLookup(config)


def test_a_healthy_webhook_writes_nothing(store: FakeWebhookLookup) -> None:
    assert record(store, RULE, a_webhook(), [GOOD] * 10, failing=False, now=NOW) is None

    assert store.calls.total() == 0


def test_a_success_among_failures_ends_the_streak(
    store: FakeWebhookLookup, config: FakeConfigItems
) -> None:
    config.streaks[a_webhook().id] = Streak(100, 0, strain=100)

    assert record(store, RULE, a_webhook(), [BAD, GOOD, BAD], failing=True, now=NOW) is None

    assert config.streaks == {}
    assert store.calls == {"end_streak": 1}


def test_failures_beside_a_success_begin_no_streak(store: FakeWebhookLookup) -> None:
    assert record(store, RULE, a_webhook(), [BAD, GOOD], failing=False, now=NOW) is None

    assert store.calls.total() == 0


@pytest.mark.parametrize(
    ("failures", "quiet", "paused"),
    [
        (19, QUIET, False),
        (20, QUIET - 1, False),
        (20, QUIET, True),
        (21, QUIET, True),
        (1000, 0, False),
    ],
)
def test_enough_failures_and_ten_quiet_minutes_pause(
    store: FakeWebhookLookup, config: FakeConfigItems, failures: int, quiet: int, paused: bool
) -> None:
    config.streaks[a_webhook().id] = Streak(failures - 1, NOW - quiet, strain=0)

    reason = record(store, RULE, a_webhook(), [BAD], failing=True, now=NOW)

    assert reason is (PauseReason.FAILURES if paused else None)
    stored = config.webhooks[a_webhook().id]
    assert stored.pause == (Pause(NOW, PauseReason.FAILURES) if paused else None)


def test_failures_of_one_invocation_count_one_by_one(
    store: FakeWebhookLookup, config: FakeConfigItems
) -> None:
    record(store, RULE, a_webhook(), [BAD] * 7, failing=False, now=NOW)
    record(store, RULE, a_webhook(), [BAD] * 3, failing=True, now=NOW + 5)

    assert config.streaks == {a_webhook().id: Streak(10, NOW, strain=10)}


def test_gone_pauses_at_once(store: FakeWebhookLookup, config: FakeConfigItems) -> None:
    reason = record(store, RULE, a_webhook(), [BAD, GONE], failing=False, now=NOW)

    assert reason is PauseReason.GONE
    assert config.webhooks[a_webhook().id].status is WebhookStatus.PAUSED
    assert config.streaks == {}


@pytest.mark.parametrize("results", [[GOOD, GONE], [GONE, GOOD], [GOOD, BAD, GONE]])
def test_gone_pauses_beside_a_success_too(
    store: FakeWebhookLookup, config: FakeConfigItems, results: list[Result]
) -> None:
    assert record(store, RULE, a_webhook(), results, failing=False, now=NOW) is PauseReason.GONE

    assert config.webhooks[a_webhook().id].pause == Pause(NOW, PauseReason.GONE)
    assert store.calls == {"pause": 1}


@pytest.mark.parametrize("results", [[GOOD, EXHAUSTED], [EXHAUSTED, GOOD]])
def test_an_exhausted_delivery_pauses_beside_a_success_too(
    store: FakeWebhookLookup, results: list[Result]
) -> None:
    reason = record(store, STRICT, a_webhook(), results, failing=False, now=NOW)

    assert reason is PauseReason.EXHAUSTED


def test_without_the_rule_a_success_beside_an_exhausted_delivery_ends_the_streak(
    store: FakeWebhookLookup,
) -> None:
    assert record(store, RULE, a_webhook(), [EXHAUSTED, GOOD], failing=True, now=NOW) is None

    assert store.calls == {"end_streak": 1}


def test_a_success_at_the_last_attempt_exhausts_nothing(store: FakeWebhookLookup) -> None:
    late = Result(success=True, exhausted=True)

    assert record(store, STRICT, a_webhook(), [late], failing=False, now=NOW) is None

    assert store.calls.total() == 0


def test_gone_is_the_reason_even_if_it_was_the_last_attempt(store: FakeWebhookLookup) -> None:
    last = Result(success=False, gone=True, exhausted=True)

    reason = record(store, STRICT, a_webhook(), [EXHAUSTED, last], failing=False, now=NOW)

    assert reason is PauseReason.GONE


@pytest.mark.parametrize(("rule", "expected"), [(RULE, None), (STRICT, PauseReason.EXHAUSTED)])
def test_an_exhausted_delivery_pauses_only_under_the_rule(
    store: FakeWebhookLookup, rule: PauseRule, expected: PauseReason | None
) -> None:
    assert record(store, rule, a_webhook(), [EXHAUSTED], failing=False, now=NOW) is expected


@pytest.mark.parametrize(
    "status", [WebhookStatus.PAUSED, WebhookStatus.DISABLED, WebhookStatus.DELETED]
)
def test_only_an_enabled_webhook_is_paused(
    store: FakeWebhookLookup, config: FakeConfigItems, status: WebhookStatus
) -> None:
    config.put(a_webhook(status=status))

    assert record(store, RULE, a_webhook(), [GONE], failing=False, now=NOW) is None

    assert config.webhooks[a_webhook().id].status is status


def test_of_many_at_once_one_gets_the_reason(store: FakeWebhookLookup) -> None:
    together = threading.Barrier(8)

    def pause(webhook: Webhook) -> PauseReason | None:
        together.wait(timeout=5)
        return record(store, RULE, webhook, [GONE], failing=False, now=NOW)

    with ThreadPoolExecutor(8) as pool:
        reasons = [*pool.map(pause, [a_webhook()] * 8)]

    assert reasons.count(PauseReason.GONE) == 1
    assert reasons.count(None) == 7


@pytest.mark.parametrize("method", ["add_failures", "pause", "end_streak"])
def test_a_failing_store_is_said_to_be(store: FakeWebhookLookup, method: str) -> None:
    store.fail(method)
    results = {"add_failures": [BAD], "pause": [GONE], "end_streak": [GOOD]}

    with pytest.raises(Unavailable):
        record(store, RULE, a_webhook(), results[method], failing=True, now=NOW)


def test_a_late_410_of_an_old_url_does_not_pause_the_webhook_at_its_new_one(
    store: FakeWebhookLookup, config: FakeConfigItems
) -> None:
    asked = a_webhook()
    moved = a_webhook(url="https://moved.example/", version=2)
    config.put(moved)

    assert record(store, RULE, asked, [GONE], failing=False, now=NOW) is None

    assert config.webhooks[asked.id] == moved


def test_failures_of_an_old_url_do_not_pause_the_webhook_at_its_new_one(
    store: FakeWebhookLookup, config: FakeConfigItems
) -> None:
    asked = a_webhook()
    moved = a_webhook(url="https://moved.example/", version=2)
    config.put(moved)
    config.streaks[asked.id] = Streak(30, NOW - QUIET, strain=30)

    assert record(store, RULE, asked, [BAD], failing=True, now=NOW) is None

    assert config.webhooks[asked.id] == moved
