"""docs/openapi.yaml against what the code shows."""

import json
import re
from dataclasses import replace
from http import HTTPStatus

import pytest

from perkwire.accepting import acceptance as accepting
from perkwire.formats.format import Attempt
from perkwire.formats.registry import FORMATS
from perkwire.jobs.job import JobKind, JobReason, JobStatus
from perkwire.jobs.starting import DryRun, started_json
from perkwire.managing.webhooks import GivenWebhook
from perkwire.model.account import ApiKey, Scope
from perkwire.model.activity import Action, Activity, Actor, ActorKind
from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.model.routed_event import NOT_IN_FORMAT, RoutedEvent
from perkwire.model.sending import ErrorDetail, Request, TransportError
from perkwire.model.standing import Standing
from perkwire.model.webhook import Pause, PauseReason, WebhookStatus
from perkwire.primitives import ids
from perkwire.primitives.fields import FieldWarning
from perkwire.primitives.ids import DeliveryId, EventId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import parse_rfc3339, to_rfc3339
from perkwire.reading.log import LogReader
from perkwire.reading.pacing import with_slots
from perkwire.recovering.retrying import HAS_SUCCEEDED, RetryResult
from perkwire.trials.trial import SentRequest, TrialOutcome
from tests import builders
from tests.fakes import (
    FakeClock,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeDeliveryReader,
    FakeEventItems,
    FakeEventReader,
    FakeSlotCounter,
    FakeWebhookLookup,
)
from tests.template.contract import contract, errors, named, schema
from tests.template.stack import ROOT
from tests.template.use_cases import a_job, a_listing, a_redriving, preview_filter


def shown_as(name: str, value: object) -> None:
    """The value fits the schema, which has all of its members and no more."""
    assert errors(named(name), value) == []
    assert isinstance(value, dict)
    assert set(value) == set(schema(name)["properties"])
    assert set(schema(name)["required"]) <= set(value)


class TestAnswers:
    def test_an_account(self) -> None:
        full = builders.an_account(notify_emails=("Ops@b.example", "c@d.example"))

        shown_as("Account", full.to_json())
        shown = full.to_json_with(confirmed={"ops@b.example"})
        assert errors(named("AccountWithNotices"), shown) == []
        notices = shown.pop("notify_emails")
        assert shown == full.to_json()
        assert isinstance(notices, list)
        assert notices[0] == {"address": "Ops@b.example", "confirmed": True}
        for one in notices:
            shown_as("NotifyEmail", one)

    def test_an_api_key(self) -> None:
        key = ApiKey(
            id=ids.new_key_id(),
            account_id=builders.ACCOUNT,
            name="backend",
            scopes=frozenset({Scope.EVENTS, Scope.WEBHOOKS}),
            created_at=builders.NOW,
        )

        shown_as("ApiKey", key.to_json())

    def test_a_webhook_with_nothing_and_with_everything(self) -> None:
        pause = Pause(builders.NOW, PauseReason.GONE)
        full = builders.a_webhook(
            description="Nightly",
            program_ids=("gold",),
            filter='{"type":["points.earned"]}',
            headers={"X-A": "b"},
            status=WebhookStatus.PAUSED,
            pause=pause,
        )

        shown_as("Webhook", builders.a_webhook().to_json())
        shown_as("Webhook", full.to_json())
        for waits_until in (None, builders.NOW + 1):
            slots = FakeSlotCounter()
            if waits_until is not None:
                slots.last[full.id] = waits_until
            standing = Standing(12, builders.NOW, 1, waits_until).to_json()
            shown = with_slots(slots, full, builders.NOW)
            shown_as("WebhookWithSlots", shown | {"pull": standing})
            assert errors(named("WebhookWithSlots"), shown | {"pull": None}) == []
            shown_as("PullStanding", standing)
        shown_as("Pause", pause.to_json())

    def test_a_webhook_with_what_only_one_answer_says(self) -> None:
        warning = FieldWarning("secret", "has fewer than 16 characters")
        changed = GivenWebhook(webhook=builders.a_webhook(), warnings=(warning,))
        created = replace(changed, secret=builders.SECRET)

        assert errors(named("ChangedWebhook"), changed.to_json()) == []
        assert errors(named("CreatedWebhook"), created.to_json()) == []
        assert errors(named("CreatedWebhook"), changed.to_json())
        assert errors(named("ChangedWebhook"), changed.webhook.to_json())
        shown_as("Warning", warning.to_json())

    def test_a_preview_of_a_filter(self) -> None:
        many: Json = {"data": {"transaction": {"points": [{"numeric": [">", 5]}]}}}
        nothing = preview_filter({"event_types": ["*"], "filter": many})
        one = preview_filter({"event_types": ["points.*"], "filter": {"type": ["points.earned"]}})

        shown_as("FilterPreview", nothing)
        shown_as("UnmatchedEvent", nothing["unmatched"])
        shown_as("FilterPreview", one)
        assert (nothing["matched"], one["matched"]) == (0, 1)

    def test_a_delivery_with_its_attempts(self) -> None:
        refused = builders.an_attempt(location="https://new.example/")
        unanswered = builders.an_attempt(
            number=2,
            run=1,
            status_code=None,
            response=None,
            error=TransportError.TLS,
            error_detail=ErrorDetail.EXPIRED,
        )
        delivery = builders.a_delivery(
            status=DeliveryStatus.RETRYING,
            reason=Reason.FORMAT,
            attempts=(refused, unanswered),
            parts=(DeliveryId("dlv_4m7x2c9q1k8r5t3v_01m324eh94bqtkcxcrw6nvx6vp"),) * 2,
            due_at=builders.NOW,
            erased=(EventId("order-1"),),
        )
        shown = delivery.to_json(builders.NOW, 300)

        shown_as("Delivery", shown)
        members = refused.to_json().keys() | unanswered.to_json().keys()
        assert members == schema("Attempt")["properties"].keys()
        assert {"reason", "next_attempt_at"}.isdisjoint(schema("Delivery")["required"])
        assert errors(named("Delivery"), builders.a_delivery().to_json(builders.NOW, 300)) == []

    def test_an_event_and_what_became_of_it(self) -> None:
        items, deliveries = FakeEventItems(), FakeDeliveryItems()
        happened = builders.an_event(
            program_id="gold", occurred_at=builders.NOW, erased_at=builders.NOW
        )
        message = builders.a_delivery_message(builders.a_webhook(), happened)
        other, unsaid = (webhook.id for webhook in builders.webhooks(3)[1:])
        later = DeliveryId(f"dlv_{other.removeprefix('wh_')}_{'0' * 26}")
        reader = FakeEventReader(items)
        items.events[(builders.ACCOUNT, happened.id)] = RoutedEvent(
            account_id=builders.ACCOUNT,
            event=happened,
            deliveries={
                message.webhook_id: message.delivery_id,
                other: later,
                unsaid: NOT_IN_FORMAT,
            },
        )
        deliveries.put(builders.a_delivery(message))
        log = LogReader(
            deliveries=FakeDeliveryReader(deliveries),
            events=reader,
            webhooks=FakeWebhookLookup(FakeConfigItems()),
            retry_interval_seconds=300,
            log_retention_days=30,
            clock=FakeClock(builders.NOW),
        )

        shown = log.event(builders.ACCOUNT, happened.id)
        shown_as("Event", shown)
        became = shown["deliveries"]
        assert isinstance(became, list)
        statuses = [one["status"] for one in became if isinstance(one, dict)]
        assert statuses == ["succeeded", "pending", "not_in_format"]

    def test_a_redrive(self) -> None:
        for redrive in a_redriving().list(builders.an_operator()):
            shown_as("Redrive", redrive.to_json())
        started = a_redriving().start(builders.an_operator(), {"queue": "events"}).to_json()
        assert errors(named("Redrive"), started) == []
        assert started["status"] == "running"

    def test_an_event_of_the_list(self) -> None:
        page = a_listing().list(builders.ACCOUNT, {}, 1, None)

        for one in page.items:
            deliveries: list[Json] = [{"webhook_id": builders.WEBHOOK, "status": "filtered"}]
            shown_as("ListedEvent", one | {"deliveries": deliveries})
            assert errors(named("ListedEvent"), one) == []
        listed: Json = {"data": [*page.items], "next_cursor": page.next_cursor}
        assert errors(named("Events"), listed) == []

    def test_a_job_at_its_beginning_and_at_its_end(self) -> None:
        ended = a_job(
            kind=JobKind.REPLAY,
            event_types=("points.earned",),
            with_cancelled=True,
            status=JobStatus.FAILED,
            reason=JobReason.PAUSED,
            total=12,
            finished_at=builders.NOW,
        )

        shown_as("Job", ended.to_json())
        begun = a_job().to_json()
        assert errors(named("Job"), begun) == []
        assert begun.keys() == set(schema("Job")["required"])

    def test_a_record_of_activity(self) -> None:
        by = Actor(
            kind=ActorKind.SESSION, key_id=ids.new_key_id(), link_id="0" * 64, is_operator=True
        )
        one = Activity(
            id=ids.new_activity_id(builders.NOW),
            at=builders.NOW,
            action=Action.WEBHOOK_CHANGED,
            subject=ids.new_webhook_id(),
            name="CRM",
            fields=("url",),
            by=by.to_json(),
        )

        shown_as("Activity", one.to_json())
        listed: Json = {"data": [one.to_json()], "next_cursor": None}
        assert errors(named("ActivityPage"), listed) == []

    def test_a_dry_run(self) -> None:
        asked = a_job(event_types=("points.earned",), with_cancelled=True)
        counted = DryRun(asked, 7, complete=True)

        shown_as("StartedJob", started_json(counted))

    def test_a_started_job_has_the_form_of_a_dry_run(self) -> None:
        job = a_job()
        started = started_json(job)

        assert started == job.to_json() | {"complete": False}
        assert started.keys() == started_json(DryRun(job, 7, complete=True)).keys()
        assert errors(named("StartedJob"), started) == []

    @pytest.mark.parametrize(
        ("name", "other", "more"),
        [
            ("CreatedWebhook", "Webhook", {"secret", "warnings"}),
            ("ChangedWebhook", "Webhook", {"warnings"}),
            ("CreatedApiKey", "ApiKey", {"key"}),
            ("AccountWithNotices", "Account", {"notify_emails"}),
            ("EventTypeWithSchema", "EventTypeHeading", {"schema", "example"}),
            ("EventInDoubt", "AcceptedEvent", {"accepted"}),
            ("PostedEvents", "EventDraft", {"events"}),
        ],
    )
    def test_a_schema_that_has_more_than_another_has_all_of_it(
        self, name: str, other: str, more: set[str]
    ) -> None:
        larger, smaller = schema(name)["properties"], schema(other)["properties"]

        assert smaller.items() <= larger.items()
        assert larger.keys() - smaller.keys() == more
        if name != "PostedEvents":
            assert {*schema(name)["required"]} == {*schema(other)["required"], *more}

    def test_the_outcome_of_a_test(self) -> None:
        request = Request(url="https://a.example/", headers={"X-A": "b", "c": "d"}, body=b"{}")
        sent = SentRequest(request, frozenset({"X-A"}))
        taken = TrialOutcome(
            delivered=True,
            duration_ms=1,
            status_code=302,
            response="",
            location="https://new.example/",
            sent=sent,
        )
        lost = TrialOutcome(
            delivered=False,
            duration_ms=1,
            error=TransportError.TLS,
            error_detail=ErrorDetail.PROTOCOL,
            sent=sent,
        )
        unsent = TrialOutcome(delivered=False, duration_ms=0, error=Reason.FORMAT)

        for outcome in (taken, lost, unsent):
            assert errors(named("Outcome"), outcome.to_json() | {"warnings": []}) == []
        members = taken.to_json().keys() | lost.to_json().keys() | {"warnings"}
        assert members == schema("Outcome")["properties"].keys()
        shown_as("SentRequest", sent.to_json())

    def test_the_result_of_a_retry(self) -> None:
        delivery_id = builders.a_delivery_message().delivery_id
        said = schema("RetryResult")["properties"]["status"]["description"]
        statuses = {HTTPStatus(int(one)) for one in re.findall(r"\d+", said)}
        code = (ROOT / "functions" / "perkwire" / "recovering" / "retrying.py").read_text()

        assert {HTTPStatus[name] for name in re.findall(r"HTTPStatus\.([A-Z_]+)", code)} == statuses
        refused = RetryResult(delivery_id, HTTPStatus.CONFLICT, HAS_SUCCEEDED)
        assert errors(named("RetryResult"), refused.to_json()) == []
        left_out = "1 of its events are left out: not wanted, not kept, or erased."
        sent_on = RetryResult(delivery_id, HTTPStatus.ACCEPTED, left_out, sent_as=(delivery_id,))
        shown_as("RetryResult", sent_on.to_json())
        sent = RetryResult(delivery_id, HTTPStatus.ACCEPTED)
        assert errors(named("RetryResult"), sent.to_json()) == []

    def test_an_accepted_event(self) -> None:
        accepted = accepting.Accepted(ids.new_event_id(builders.NOW), duplicate=False)

        shown_as("AcceptedEvent", accepted.to_json())

    @pytest.mark.parametrize(
        ("name", "batched"), [("StandardEvent", False), ("StandardBatch", True)]
    )
    @pytest.mark.parametrize("program_id", [None, "gold"])
    def test_a_body_of_the_standard_format(
        self, name: str, batched: bool, program_id: str | None
    ) -> None:
        message = builders.a_delivery_message(None, builders.an_event(program_id=program_id))
        payload = builders.a_payload(*message.events, batched=batched)

        shown_as(name, json.loads(FORMATS["standard"].render(payload)))

    def test_the_headers_of_the_standard_format(self) -> None:
        message = builders.a_delivery_message()
        secrets = [builders.SECRET, builders.SECRET]
        attempt = Attempt(delivery_id=message.delivery_id, at=builders.NOW, body=b"{}", settings={})
        headers = FORMATS["standard"].sign(secrets, attempt)
        parameters = contract()["webhooks"]["delivery"]["post"]["parameters"]

        assert headers.keys() == {each["name"] for each in parameters}
        for position, each in enumerate(parameters):
            pointer = f"/webhooks/delivery/post/parameters/{position}/schema"
            assert errors(pointer, headers[each["name"]]) == []

    def test_a_time_that_was_given_comes_back_as_a_time(self) -> None:
        given = parse_rfc3339("2026-11-21T10:30:00.5+01:00")

        assert given is not None
        assert errors(named("Time"), to_rfc3339(given)) == []
