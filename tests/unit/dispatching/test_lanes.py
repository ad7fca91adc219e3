"""Which lane a webhook's attempts lead to, and what it costs to know."""

import pytest

from perkwire.dispatching.health import Recorded, Result, record
from perkwire.dispatching.pausing import PauseRule
from perkwire.dispatching.strain import RECOVERED_AFTER, STRAINED_AFTER
from perkwire.dispatching.webhook_state import WebhookState
from perkwire.model.lanes import Lane
from perkwire.model.sending import NoResponse, Response, TransportError
from perkwire.model.webhook import Webhook, WebhookStatus
from tests.builders import NOW, a_delivery_message, a_received, a_webhook
from tests.fakes import FakeConfigItems, FakeWebhookLookup
from tests.unit.dispatching.harness import (
    BROKEN,
    INTERVAL,
    MAX_ATTEMPTS,
    OK,
    REQUEST_SECONDS,
    DispatcherHarness,
    received,
)

RULE = PauseRule(after_failures=20, when_exhausted=False)
FAST, SLOW, FAILED = (
    Result(success=True),
    Result(success=True, slow=True),
    Result(success=False),
)
BECOMES_SLOW = Recorded(lane=Lane.SLOW, is_strained=True)
STAYS_SLOW = Recorded(is_strained=True)
SLOWLY = int(REQUEST_SECONDS * 1000 / 5) + 1  # milliseconds


class Bench:
    """One webhook and what is on record of it."""

    def __init__(self) -> None:
        self.config = FakeConfigItems()
        self.config.put(a_webhook())
        self.store = FakeWebhookLookup(self.config)

    @property
    def webhook(self) -> Webhook:
        return self.config.webhooks[a_webhook().id]

    def record(self, *results: Result) -> Recorded:
        """One invocation, whose attempts ended in this order."""
        webhook = self.webhook
        state = WebhookState(
            webhook,
            failing=self.config.streak_of(webhook) is not None,
            strain=self.config.strain_of(webhook),
            ease=self.config.ease_of(webhook),
        )
        self.store.calls.clear()
        ended = [
            Result(success=one.success, slow=one.slow, ended_at=at)
            for at, one in enumerate(results)
        ]
        return record(self.store, RULE, state, ended, now=NOW)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def strained() -> Bench:
    bench = Bench()
    bench.record(*[FAILED] * STRAINED_AFTER)
    assert bench.webhook.lane is Lane.SLOW
    return bench


@pytest.mark.parametrize("attempt", [FAILED, SLOW])
def test_five_in_a_row_that_failed_or_were_slow_strain_a_webhook(
    bench: Bench, attempt: Result
) -> None:
    for _ in range(STRAINED_AFTER - 1):
        assert bench.record(attempt) == Recorded()

    assert bench.record(attempt) == BECOMES_SLOW
    assert bench.webhook.lane is Lane.SLOW


def test_failures_and_slow_successes_are_one_row(bench: Bench) -> None:
    bench.record(FAILED, SLOW)
    bench.record(SLOW)
    bench.record(FAILED)

    assert bench.record(FAILED) == BECOMES_SLOW


def test_a_fast_success_ends_the_row(bench: Bench) -> None:
    bench.record(*[FAILED] * (STRAINED_AFTER - 1))
    bench.record(FAST)

    assert bench.record(*[FAILED] * (STRAINED_AFTER - 1)) == Recorded()
    assert bench.webhook.lane is Lane.PROMPT


def test_of_both_kinds_only_what_is_enough_by_itself_counts(bench: Bench) -> None:
    assert bench.record(FAST, *[FAILED] * (STRAINED_AFTER - 1)) == Recorded()
    assert bench.record(FAILED) == Recorded()
    assert bench.record(*[FAILED] * STRAINED_AFTER, FAST) == Recorded()
    assert bench.record(FAST, *[SLOW] * STRAINED_AFTER) == Recorded(
        lane=Lane.SLOW, is_strained=True
    )


def test_ten_fast_successes_in_a_row_lead_back(strained: Bench) -> None:
    for _ in range(RECOVERED_AFTER - 1):
        assert strained.record(FAST) == STAYS_SLOW

    assert strained.record(FAST) == Recorded(lane=Lane.PROMPT)
    assert strained.webhook.lane is Lane.PROMPT


@pytest.mark.parametrize("attempt", [FAILED, SLOW])
def test_any_other_attempt_begins_the_way_back_anew(strained: Bench, attempt: Result) -> None:
    strained.record(*[FAST] * (RECOVERED_AFTER - 1))
    strained.record(attempt)

    assert strained.record(*[FAST] * (RECOVERED_AFTER - 1)) == STAYS_SLOW
    assert strained.record(FAST) == Recorded(lane=Lane.PROMPT)


def test_one_that_recovered_is_strained_by_five_again_and_not_by_one(strained: Bench) -> None:
    strained.record(*[FAST] * RECOVERED_AFTER)

    assert strained.record(*[FAILED] * (STRAINED_AFTER - 1)) == Recorded()
    assert strained.record(FAILED) == BECOMES_SLOW


@pytest.mark.parametrize("results", [[FAST], [FAST] * 10, [FAILED, FAST], [FAST, SLOW]])
def test_a_fast_success_of_an_unstrained_webhook_costs_no_write(
    bench: Bench, results: list[Result]
) -> None:
    bench.record(*results)

    assert bench.store.calls.total() == 0


@pytest.mark.parametrize(
    ("results", "calls"),
    [([FAILED], {"add_failures": 1}), ([SLOW], {"add_slow": 1}), ([FAST], {})],
)
def test_one_write_tells_of_streak_and_strain(
    bench: Bench, results: list[Result], calls: dict[str, int]
) -> None:
    bench.record(*results)

    assert bench.store.calls == calls


def test_slow_successes_of_a_strained_webhook_cost_no_write(bench: Bench) -> None:
    bench.record(*[SLOW] * STRAINED_AFTER)

    assert bench.record(SLOW) == STAYS_SLOW
    assert bench.store.calls.total() == 0


def test_a_slow_success_ends_the_failures(strained: Bench) -> None:
    strained.record(SLOW)

    assert strained.config.streaks == {}
    assert strained.config.strains == {strained.webhook.id: STRAINED_AFTER + 1}


def test_a_webhook_that_is_paused_is_not_moved(bench: Bench) -> None:
    gone = Result(success=False, gone=True)
    state = WebhookState(bench.webhook, failing=False)

    recorded = record(bench.store, RULE, state, [gone] * STRAINED_AFTER, now=NOW)

    assert recorded.lane is None
    assert (bench.webhook.status, bench.webhook.lane) == (WebhookStatus.PAUSED, Lane.PROMPT)


def test_what_a_change_has_undone_is_set_again_by_the_next_attempt(strained: Bench) -> None:
    """A form that was read before the move is saved after it."""
    strained.config.put(a_webhook(lane=Lane.PROMPT, name="Another name"))

    assert strained.record(FAILED) == BECOMES_SLOW


def test_what_was_changed_meanwhile_is_not_moved(bench: Bench) -> None:
    state = WebhookState(bench.webhook, failing=False)
    bench.config.put(a_webhook(url="https://moved.example/", version=2, endpoint_version=2))

    assert record(bench.store, RULE, state, [FAILED] * 5, now=NOW).lane is None

    assert bench.webhook.lane is Lane.PROMPT


def test_an_attempt_is_slow_after_a_fifth_of_its_time(dispatcher: DispatcherHarness) -> None:
    for _ in range(STRAINED_AFTER):
        dispatcher.answer(Response(200, "", SLOWLY - 1))
        dispatcher.dispatch(received())
        dispatcher.deliveries.entries.clear()
    assert dispatcher.config.strains == {}

    for _ in range(STRAINED_AFTER):
        dispatcher.answer(Response(200, "", SLOWLY))
        dispatcher.dispatch(received())
        dispatcher.deliveries.entries.clear()

    assert dispatcher.config.webhooks[dispatcher.webhook.id].lane is Lane.SLOW
    assert "webhook.strained" in [what for what, _ in dispatcher.journal.notes]


@pytest.mark.parametrize("answer", [BROKEN, NoResponse(TransportError.TIMEOUT, 1000)])
def test_strain_and_recovery_are_noted(
    dispatcher: DispatcherHarness, answer: Response | NoResponse
) -> None:
    for outcome in (*[answer] * STRAINED_AFTER, *[OK] * RECOVERED_AFTER):
        dispatcher.answer(outcome)
        dispatcher.dispatch(received())
        dispatcher.deliveries.entries.clear()

    lanes = [what for what, _ in dispatcher.journal.notes if what.startswith("webhook.")]
    assert lanes == ["webhook.strained", "webhook.recovered"]


def failed_together(dispatcher: DispatcherHarness, number: int, *, receive: int = 1) -> set[int]:
    """After how many seconds what one invocation fails comes back; none: after the interval."""
    batch = [a_received(a_delivery_message(), receive) for _ in range(number)]
    dispatcher.visibility.hidden.clear()
    assert dispatcher.dispatch(*batch) == [one.message_id for one in batch]
    hidden = dispatcher.visibility.hidden
    assert set(hidden) in (set(), {one.message_id for one in batch})
    return {*hidden.values()}


def test_retries_of_a_strained_webhook_are_spread_by_invocation(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.answer(BROKEN)
    assert failed_together(dispatcher, STRAINED_AFTER - 1) == set()

    found = [failed_together(dispatcher, 3) for _ in range(20)]

    assert all(len(seconds) == 1 for seconds in found), "what came together comes back together"
    seconds = [next(iter(one)) for one in found]
    assert len({*seconds}) > 5
    assert all(INTERVAL <= one <= INTERVAL * 1.1 for one in seconds)


def test_what_has_failed_for_good_goes_to_the_dead_letters_when_the_stack_says(
    dispatcher: DispatcherHarness,
) -> None:
    dispatcher.answer(BROKEN)
    failed_together(dispatcher, STRAINED_AFTER)

    assert failed_together(dispatcher, 2, receive=MAX_ATTEMPTS) == set()
