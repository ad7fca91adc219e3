"""The dispatcher's side of a test: sent as a delivery is, and kept out of everything else."""

import json

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from perkwire.formats.format import Unrenderable
from perkwire.model.delivery import Reason
from perkwire.model.sending import (
    ErrorDetail,
    NoResponse,
    Request,
    Response,
    TransportError,
)
from perkwire.model.webhook import Webhook, WebhookStatus
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.timestamps import now
from perkwire.trials.sampling import TrialSender
from perkwire.trials.trial import SavedWebhook, Trial, TrialOutcome
from tests.builders import ACCOUNT, NOW, SECRET, WEBHOOK, a_webhook, an_account
from tests.fakes import (
    FakeClock,
    FakeConfigItems,
    FakeOpener,
    FakeSender,
    FakeTelemetry,
    FakeWebhookLookup,
)

TOKEN = "Bearer of-the-receiver"
URL = a_webhook().url


class Bench:
    """Sampling with fakes around it, and one enabled webhook."""

    def __init__(self) -> None:
        self.items = FakeConfigItems()
        self.items.put(an_account(), a_webhook(headers={"Authorization": TOKEN}))
        self.lookup = FakeWebhookLookup(self.items)
        self.vault = FakeOpener()
        self.sender = FakeSender()
        self.journal = FakeTelemetry()
        self.clock = FakeClock(NOW)
        self.sampling = TrialSender(
            webhooks=self.lookup,
            vault=self.vault,
            sender=self.sender,
            journal=self.journal,
            clock=self.clock,
        )

    def send(self, webhook: Webhook | None = None) -> TrialOutcome:
        saved = SavedWebhook(ACCOUNT, WEBHOOK)
        outcome = self.sampling.send(Trial(webhook or saved, "points.earned"))
        assert outcome is not None
        return outcome


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("saved", [True, False])
def test_a_sample_is_signed_and_sent_as_a_delivery(bench: Bench, saved: bool) -> None:
    bench.clock.now = now()  # the verifier has a clock of its own
    if not saved:
        bench.items.webhooks.clear()

    bench.send(None if saved else a_webhook(headers={"Authorization": TOKEN}))

    (request,) = bench.sender.requests
    assert request.url == URL
    assert request.headers["Authorization"] == TOKEN
    assert request.headers["webhook-id"].startswith("dlv_test_")
    body = Verifier(SECRET).verify(request.body.decode(), dict(request.headers))
    assert body["type"] == "points.earned"
    assert body["id"].startswith("evt_test_")


def test_a_webhook_with_batches_gets_one(bench: Bench) -> None:
    bench.send(a_webhook(batch_size=2))

    assert json.loads(bench.sender.requests[0].body)["type"] == "batch"


def test_a_success_is_shown_with_its_answer_and_the_request(bench: Bench) -> None:
    bench.sender.answer(URL, Response(204, "thanks", 7))

    shown = bench.send().to_json()

    (request,) = bench.sender.requests
    headers: dict[str, object] = {**request.headers, "Authorization": "…"}
    assert shown == {
        "delivered": True,
        "status_code": 204,
        "duration_ms": 7,
        "response": "thanks",
        "request": {"url": URL, "headers": headers, "body": request.body.decode()},
    }
    assert headers["webhook-signature"]


def test_a_refusal_is_not_delivered(bench: Bench) -> None:
    bench.sender.answer(URL, Response(500, "oh no", 7))

    outcome = bench.send()

    assert (outcome.delivered, outcome.status_code, outcome.response) == (False, 500, "oh no")


@pytest.mark.parametrize("error", TransportError)
def test_no_answer_is_an_error_class_of_the_log(bench: Bench, error: TransportError) -> None:
    bench.sender.answer(URL, NoResponse(error, 9))

    shown = bench.send().to_json()

    assert shown.keys() == {"delivered", "error", "duration_ms", "request"}
    assert (shown["delivered"], shown["error"], shown["duration_ms"]) == (False, error, 9)


def test_it_is_said_which_of_the_reasons_an_error_has(bench: Bench) -> None:
    bench.sender.answer(URL, NoResponse(TransportError.TLS, 9, ErrorDetail.SELF_SIGNED))

    assert bench.send().to_json()["error_detail"] == "self_signed"


def test_it_is_said_where_a_redirect_points(bench: Bench) -> None:
    bench.sender.answer(URL, Response(302, "", 9, f"https://new.example/{SECRET}"))

    assert bench.send().to_json()["location"] == "https://new.example/…"


def test_of_two_copies_the_one_that_was_answered_is_shown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = bench.sender.send

    def twice(request: Request) -> Response | NoResponse:
        assert request.anew is not None
        bench.clock.pass_seconds(3)
        return send(request.anew())

    monkeypatch.setattr(bench.sender, "send", twice)
    outcome = bench.send()

    (answered,) = bench.sender.requests
    assert outcome.sent is not None
    assert outcome.sent.request.headers == answered.headers
    assert answered.headers["webhook-timestamp"] == str(NOW // 1_000_000 + 3)


def test_an_endpoint_that_echoes_gives_no_secret_away(bench: Bench) -> None:
    bench.sender.answer(URL, Response(200, f"Authorization: {TOKEN}, key: {SECRET}!", 1))

    assert bench.send().response == "Authorization: Bearer …, key: …!"


@pytest.mark.parametrize("status", [WebhookStatus.PAUSED, WebhookStatus.DISABLED])
def test_any_status_is_sent_to(bench: Bench, status: WebhookStatus) -> None:
    bench.items.put(a_webhook(status=status))

    assert bench.send().delivered


@pytest.mark.parametrize("there_is", ["no webhook", "no account", "a tombstone"])
def test_what_is_not_there_is_not_sent_to(bench: Bench, there_is: str) -> None:
    if there_is == "no account":
        bench.items.accounts.clear()
    bench.items.webhooks.clear()
    if there_is != "no webhook":
        deleted = there_is == "a tombstone"
        status = WebhookStatus.DELETED if deleted else WebhookStatus.ENABLED
        bench.items.put(a_webhook(status=status))

    assert bench.sampling.send(Trial(SavedWebhook(ACCOUNT, WEBHOOK), "points.earned")) is None
    assert bench.sender.requests == []


def test_what_the_format_cannot_say_is_not_sent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Unrenderable("evt_1")

    monkeypatch.setattr("perkwire.trials.sampling.render_now", refuse)

    assert bench.send().to_json() == {"delivered": False, "error": "format", "duration_ms": 0}
    assert bench.sender.requests == []


def test_nor_is_what_is_in_a_format_that_this_release_does_not_know(bench: Bench) -> None:
    outcome = bench.send(a_webhook(format="zinrelo@2031-01-01"))

    assert (outcome.delivered, outcome.error) == (False, Reason.FORMAT)
    assert not bench.sender.requests


@pytest.mark.parametrize("failing", ["lookup.states", "vault.open"])
def test_what_fails_is_unavailable_and_nothing_is_sent(bench: Bench, failing: str) -> None:
    part, method = failing.split(".")
    getattr(bench, part).fail(method)

    with pytest.raises(Unavailable):
        bench.send()
    assert bench.sender.requests == []


def test_failures_are_not_counted_for_pausing(bench: Bench) -> None:
    bench.sender.answer(URL, Response(410, "", 1))

    for _ in range(30):
        bench.send()

    assert (bench.items.streaks, bench.items.webhooks[WEBHOOK].status) == ({}, "enabled")


def test_one_line_tells_of_it_without_url_or_header(bench: Bench) -> None:
    bench.send()

    ((what, fields),) = bench.journal.notes
    assert what == "webhook.tested"
    assert fields == {
        "account_id": ACCOUNT,
        "webhook_id": WEBHOOK,
        "delivery_id": bench.sender.requests[0].headers["webhook-id"],
        "status_code": 200,
        "error": None,
        "error_detail": None,
        "duration_ms": 1,
    }
