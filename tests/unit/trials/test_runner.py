"""Management's side of a test: what may be tested, how often, with what."""

from typing import Any

import pytest

from perkwire.dispatching.rendering import OpenedSecrets
from perkwire.formats.registry import FORMATS
from perkwire.managing.webhook_draft import EndpointRules
from perkwire.managing.webhooks import WebhookManagement
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.ids import WebhookId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import MICROSECONDS
from perkwire.trials.runner import MOST_PER_MINUTE, TrialRunner
from perkwire.trials.trial import SavedWebhook, Trial, TrialOutcome
from tests.builders import (
    ACCOUNT,
    NOW,
    OTHER_ACCOUNT,
    SECRET,
    WEBHOOK,
    a_webhook,
    an_account,
    webhook_body,
)
from tests.fakes import (
    FakeAccountStore,
    FakeClock,
    FakeConfigItems,
    FakeOpener,
    FakeSealer,
    FakeTrialCounter,
    FakeTrialDispatcher,
    FakeWebhookStore,
)


class Bench:
    """Trying with fakes around it, and an account with one webhook."""

    def __init__(self) -> None:
        self.items = FakeConfigItems()
        self.items.put(an_account(), an_account(id=OTHER_ACCOUNT), a_webhook())
        self.clock = FakeClock(NOW)
        self.sealer = FakeSealer()
        self.counter = FakeTrialCounter()
        self.dispatcher = FakeTrialDispatcher()
        rules = EndpointRules(EndpointPolicy.PUBLIC)
        self.trying = TrialRunner(
            webhooks=WebhookManagement(
                accounts=FakeAccountStore(self.items),
                webhooks=FakeWebhookStore(self.items),
                sealer=self.sealer,
                rules=rules,
                most_webhooks=3,
                clock=self.clock,
            ),
            rules=rules,
            counter=self.counter,
            dispatcher=self.dispatcher,
            clock=self.clock,
        )

    def test(self, webhook_id: WebhookId = WEBHOOK, **members: Json) -> dict[str, Json]:
        return self.trying.test(ACCOUNT, webhook_id, members)

    def test_unsaved(self, **members: Json) -> dict[str, Json]:
        return self.trying.test_unsaved(ACCOUNT, webhook_body(**members))

    def test_change(self, **members: Json) -> dict[str, Json]:
        return self.trying.test_change(ACCOUNT, WEBHOOK, members)

    def asked(self) -> Trial:
        """What the dispatcher was asked, once."""
        (trial,) = self.dispatcher.trials
        return trial


@pytest.fixture
def bench() -> Bench:
    return Bench()


def problem_of(call: Any, **members: Json) -> Problem:  # noqa: ANN401
    with pytest.raises(Problem) as raised:
        call(**members)
    return raised.value


def wrong_fields(problem: Problem) -> list[str]:
    assert problem.status == 422
    errors = problem.document()["errors"]
    assert isinstance(errors, list)
    return [str(error["field"]) for error in errors if isinstance(error, dict)]


def test_of_a_saved_webhook_the_ids_travel_alone(bench: Bench) -> None:
    outcome = bench.test()

    assert outcome == {"delivered": True, "duration_ms": 5, "status_code": 200, "warnings": []}
    assert bench.asked() == Trial(SavedWebhook(ACCOUNT, WEBHOOK), "tier.upgraded")


def test_what_may_be_regretted_is_told_beside_the_outcome(bench: Bench) -> None:
    warnings = bench.test_unsaved(format="zinrelo", secret="mysecret")["warnings"]

    assert isinstance(warnings, list)
    assert [isinstance(one, dict) and one["field"] for one in warnings] == ["secret"]
    assert "mysecret" not in str(warnings)


@pytest.mark.parametrize("call", ["test", "test_unsaved", "test_change"])
def test_a_redirect_is_a_warning_about_the_url(bench: Bench, call: str) -> None:
    bench.dispatcher.outcome = TrialOutcome(
        delivered=False, duration_ms=5, status_code=301, location="https://new.example/hook"
    )

    (warning,) = getattr(bench, call)()["warnings"]

    assert warning["field"] == "url"
    assert "https://new.example/hook" in warning["detail"]


def test_an_unsaved_webhook_travels_sealed_for_itself_and_stays_unsaved(bench: Bench) -> None:
    before = dict(bench.items.webhooks)

    bench.test_unsaved(secret=SECRET, headers={"X-Shop": "shop-7-token"}, batch_size=5)

    webhook = bench.asked().webhook
    assert isinstance(webhook, Webhook)
    assert (webhook.url, webhook.batch_size) == ("https://till.example/hook", 5)
    assert FakeOpener().open(webhook) == OpenedSecrets(SECRET, {"X-Shop": "shop-7-token"})
    assert webhook.id not in before
    assert bench.items.webhooks == before


def test_a_change_is_tested_with_the_stored_secret_and_headers_and_stays_unsaved(
    bench: Bench,
) -> None:
    bench.items.put(a_webhook(headers={"X-Shop": "shop-7-token"}))
    before = dict(bench.items.webhooks)

    url = f"{a_webhook().url}/new"

    bench.test_change(url=url, batch_size=5, event_type="points.earned")

    trial = bench.asked()
    assert isinstance(trial.webhook, Webhook)
    assert (trial.webhook.id, trial.event_type) == (WEBHOOK, "points.earned")
    assert (trial.webhook.url, trial.webhook.batch_size) == (url, 5)
    assert FakeOpener().open(trial.webhook) == OpenedSecrets(SECRET, {"X-Shop": "shop-7-token"})
    assert bench.items.webhooks == before

    elsewhere = problem_of(bench.test_change, url="https://new.example/hook")
    assert wrong_fields(elsewhere) == ["headers"]
    assert len(bench.dispatcher.trials) == 1


def test_a_change_that_cannot_be_saved_is_not_tested(bench: Bench) -> None:
    wrong = problem_of(bench.test_change, url="ftp://new.example/", event_type="points.nothing")
    worse = problem_of(bench.test_change, url="ftp://new.example/", batch_size=0)
    absent = problem_of(lambda: bench.trying.test_change(OTHER_ACCOUNT, WEBHOOK, {}))

    assert wrong_fields(wrong) == ["event_type"]
    assert set(wrong_fields(worse)) == {"url", "batch_size"}
    assert absent.status == 404
    assert bench.dispatcher.trials == []


@pytest.mark.parametrize("call", ["test", "test_unsaved"])
def test_the_type_is_as_asked(bench: Bench, call: str) -> None:
    getattr(bench, call)(event_type="custom.gift_given")

    assert bench.asked().event_type == "custom.gift_given"


def test_the_type_is_else_the_webhooks_first(bench: Bench) -> None:
    bench.items.put(a_webhook(event_types=("tier.upgraded", "points.earned")))

    bench.test()
    bench.test_unsaved(event_types=["referral.completed", "tier.upgraded"])
    bench.test_unsaved(event_types=["*"])

    asked = [trial.event_type for trial in bench.dispatcher.trials]
    assert asked == ["tier.upgraded", "referral.completed", "tier.upgraded"]


@pytest.mark.parametrize("call", ["test", "test_unsaved"])
@pytest.mark.parametrize(
    "event_type", ["*", "points", "", 7, None, "Points.Earned", "a." + "b" * 128]
)
def test_what_is_no_type_is_named(bench: Bench, call: str, event_type: Json) -> None:
    problem = problem_of(getattr(bench, call), event_type=event_type)

    assert wrong_fields(problem) == ["event_type"]
    assert bench.counter.calls["take"] == 0


@pytest.mark.parametrize("call", ["test", "test_unsaved"])
def test_a_type_that_the_format_lacks_is_named(
    bench: Bench, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(FORMATS["standard"]), "name_of", lambda *_: None)

    problem = problem_of(getattr(bench, call), event_type="tier.joined")
    assert wrong_fields(problem) == ["event_type"]
    assert bench.dispatcher.trials == []


def test_every_wrong_field_of_an_unsaved_webhook_is_named(bench: Bench) -> None:
    problem = problem_of(bench.test_unsaved, url="http://127.0.0.1", event_type="*", colour="green")

    assert wrong_fields(problem) == ["url", "event_type", "colour"]


def test_an_unknown_field_is_named(bench: Bench) -> None:
    assert wrong_fields(problem_of(bench.test, type="points.earned")) == ["type"]


@pytest.mark.parametrize("status", [WebhookStatus.DISABLED, WebhookStatus.PAUSED])
def test_any_status_is_tested(bench: Bench, status: WebhookStatus) -> None:
    bench.items.put(a_webhook(status=status))

    assert bench.test()["delivered"] is True


@pytest.mark.parametrize(
    "webhook",
    [
        a_webhook(status=WebhookStatus.DELETED),
        a_webhook(account_id=OTHER_ACCOUNT),
        a_webhook(id=WebhookId("wh_0000000000000009")),
    ],
    ids=["deleted", "another account's", "absent"],
)
def test_what_is_not_there_is_not_tested(bench: Bench, webhook: Webhook) -> None:
    bench.items.webhooks.clear()
    bench.items.put(webhook)

    assert problem_of(bench.test).status == 404
    assert bench.dispatcher.trials == []


def test_one_deleted_meanwhile_is_not_there(bench: Bench) -> None:
    bench.dispatcher.outcome = None

    assert problem_of(bench.test).status == 404


def test_the_eleventh_test_of_a_minute_is_refused_until_the_next(bench: Bench) -> None:
    bench.clock.now = NOW - NOW % (60 * MICROSECONDS) + 48 * MICROSECONDS
    for _ in range(MOST_PER_MINUTE // 2):
        bench.test()
        bench.test_unsaved()

    problem = problem_of(bench.test)

    assert (problem.status, problem.headers()) == (429, {"retry-after": "12"})
    assert problem.document()["detail"] == "An account has at most 10 tests a minute."
    assert len(bench.dispatcher.trials) == MOST_PER_MINUTE
    sealed = bench.sealer.calls["seal_secret"]
    assert problem_of(bench.test_unsaved).status == 429
    assert bench.sealer.calls["seal_secret"] == sealed
    bench.clock.pass_seconds(12)
    assert bench.test()["delivered"] is True


@pytest.mark.parametrize("failing", ["counter.take", "dispatcher.send", "sealer.seal_secret"])
def test_what_fails_is_unavailable(bench: Bench, failing: str) -> None:
    part, method = failing.split(".")
    getattr(bench, part).fail(method)

    with pytest.raises(Unavailable):
        bench.test_unsaved()


def test_a_filter_does_not_keep_a_test_from_being_sent_and_is_told_of(bench: Bench) -> None:
    nothing: Json = {"data": {"nothing": [{"exists": True}]}}
    kept_out = [
        {
            "field": "filter",
            "detail": "would not have let this sample through: it does not meet /data/nothing",
        }
    ]
    bench.items.put(a_webhook(filter='{"data":{"nothing":[{"exists":true}]}}'))

    assert bench.test()["warnings"] == kept_out
    assert bench.test_unsaved(filter=nothing)["warnings"] == kept_out
    assert bench.test_change(filter=nothing)["warnings"] == kept_out
    assert bench.test_change(filter={"type": ["tier.upgraded"]})["warnings"] == []
    assert len(bench.dispatcher.trials) == 4


def test_of_a_group_the_first_type_that_the_format_says_is_sent(bench: Bench) -> None:
    bench.test_unsaved(event_types=["tier.*"], format="zoho-thrive")

    assert bench.asked().event_type.startswith("tier.")
