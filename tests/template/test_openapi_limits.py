"""docs/openapi.yaml against the enums, numbers and patterns of the code."""

import re

import pytest

from management.resolver import DEFAULT_LIMIT, HIGHEST_LIMIT
from perkwire import VERSION
from perkwire.adapters.dynamodb import pages
from perkwire.adapters.dynamodb.delivery_table import MOST_ATTEMPTS
from perkwire.adapters.sender.showing import MAX_SNIPPET_BYTES
from perkwire.catalogue.event_types import event_types
from perkwire.formats.registry import FORMATS, format_names
from perkwire.jobs import job
from perkwire.jobs.job import JobKind, JobReason, JobStatus
from perkwire.managing.webhook_draft import DEFAULT_OVERLAP_HOURS, LONGEST_OVERLAP_HOURS
from perkwire.model import account, endpoint, event, header_rules
from perkwire.model.account import Scope, new_api_key
from perkwire.model.activity import Action, ActorKind
from perkwire.model.delivery import DeliveryStatus, Reason
from perkwire.model.pace import HIGHEST_PACE, LOWEST_PACE
from perkwire.model.routed_event import UNSENT
from perkwire.model.schedule import LONGEST_DELAY_SECONDS, LONGEST_SCHEDULE_SECONDS
from perkwire.model.sending import TransportError
from perkwire.model.webhook import (
    DEFAULT_BATCH_BYTES,
    LEAST_BATCH_BYTES,
    MOST_BATCH_BYTES,
    PauseReason,
    WebhookStatus,
)
from perkwire.primitives import ids
from perkwire.primitives.problem import MOST_ERRORS
from perkwire.primitives.strict_json import MAX_DEPTH
from perkwire.reading import event_listing
from perkwire.reading import log as reading
from perkwire.reading.outcomes import EXPIRED
from perkwire.recovering.redriving import HIGHEST_RATE, RedriveQueue
from perkwire.recovering.retrying import MOST_IDS
from perkwire.trials import runner
from perkwire.trials.samples import default_type
from perkwire.trials.trial import MOST_SECONDS
from tests import builders
from tests.template.contract import at, contract, errors, named, operations, parameter, schema, text
from tests.template.stack import source


class TestEnums:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            (schema("AccountScope")["enum"], {*Scope} - {Scope.OPERATOR}),
            (schema("CatalogueType")["examples"], {*event_types()}),
            (
                schema("Webhook")["properties"]["status"]["enum"],
                {*WebhookStatus} - {WebhookStatus.DELETED},
            ),
            (schema("Pause")["properties"]["reason"]["enum"], {*PauseReason}),
            (
                schema("Delivery")["properties"]["status"]["enum"],
                {*DeliveryStatus} - {DeliveryStatus.PENDING},
            ),
            (
                parameter("listDeliveries", "status")["enum"],
                {*DeliveryStatus} - {DeliveryStatus.PENDING, DeliveryStatus.UNKNOWN},
            ),
            (
                schema("EventDelivery")["properties"]["status"]["enum"],
                {*DeliveryStatus, EXPIRED, *UNSENT},
            ),
            (schema("Delivery")["properties"]["reason"]["enum"], {*Reason}),
            (schema("RedriveQueue")["enum"], {*RedriveQueue}),
            (schema("Attempt")["properties"]["error"]["enum"], {*TransportError}),
            (schema("Outcome")["properties"]["error"]["enum"], {*TransportError, Reason.FORMAT}),
            (schema("Activity")["properties"]["action"]["examples"], {*Action}),
            (
                schema("Activity")["properties"]["by"]["properties"]["kind"]["examples"],
                {*ActorKind},
            ),
            (schema("Job")["properties"]["kind"]["enum"], {*JobKind}),
            (schema("Job")["properties"]["status"]["enum"], {*JobStatus}),
            (schema("Job")["properties"]["reason"]["enum"], {*JobReason}),
        ],
        ids=[
            "scope",
            "event type",
            "webhook",
            "pause",
            "log",
            "filter",
            "event",
            "reason",
            "queue",
            "error",
            "test",
            "activity",
            "actor",
            "job kind",
            "job",
            "job reason",
        ],
    )
    def test_an_enum_is_the_codes(self, values: list[str], expected: set[str]) -> None:
        assert set(values) == expected
        assert len(values) == len(expected)

    @pytest.mark.parametrize(
        ("name", "expected"), [("Format", [*FORMATS]), ("GivenFormat", format_names())]
    )
    def test_every_format_is_in_the_contract(self, name: str, expected: list[str]) -> None:
        """A stored contract may have any name, so there is no enum."""
        pattern = re.compile(schema(name)["pattern"])
        assert all(pattern.fullmatch(one) for one in [*expected, "till@2026-11-30", "a-b@1.0"])
        assert not any(pattern.fullmatch(one) for one in ("", "Zinrelo", "a b", "x@", "@1"))
        if name == "Format":
            told = set(re.findall(r"`([^`]+)`", schema(name)["description"]))
            assert told == {*expected}, "mend schemas/Format/description of docs/openapi.yaml"

    def test_every_transport_error_and_reason_is_explained(self) -> None:
        attempt, delivery = schema("Attempt")["properties"], schema("Delivery")["properties"]

        for value in TransportError:
            assert f"`{value}`" in attempt["error"]["description"]
        for reason in Reason:
            assert f"`{reason}`" in delivery["reason"]["description"]
        for why in JobReason:
            assert f"`{why}`" in schema("Job")["properties"]["reason"]["description"]


class TestLimits:
    def test_the_version_is_the_codes(self) -> None:
        assert contract()["info"]["version"] == VERSION

    def test_numbers_are_the_codes(self) -> None:
        assert parameter("listWebhooks", "limit")["default"] == DEFAULT_LIMIT
        assert parameter("listWebhooks", "limit")["maximum"] == HIGHEST_LIMIT
        for page in ("Webhooks", "Deliveries", "Events", "Accounts", "ApiKeys", "Jobs"):
            assert schema(page)["properties"]["data"]["maxItems"] == HIGHEST_LIMIT
        assert schema("PostedEvents")["properties"]["events"]["maxItems"] == event.MAX_EVENTS
        assert schema("EventType")["maxLength"] == event.LONGEST_EVENT_TYPE
        assert schema("GivenUrl")["maxLength"] == endpoint.MAX_URL_CHARACTERS
        assert schema("GivenHeaders")["maxProperties"] == endpoint.MAX_HEADERS
        assert schema("Attempt")["properties"]["response"]["maxLength"] == MAX_SNIPPET_BYTES
        assert schema("DeliveryIds")["properties"]["ids"]["maxItems"] == MOST_IDS
        assert schema("RedriveStart")["properties"]["max_per_second"]["maximum"] == HIGHEST_RATE
        assert schema("PerSecond")["maximum"] == job.HIGHEST_RATE
        for name in ("RetryFailedStart", "ReplayStart"):
            rate = schema(name)["properties"]["per_second"]["description"]
            assert rate == f"{job.DEFAULT_RATE} if left out."
        types = schema("ReplayStart")["properties"]["event_types"]
        assert types["maxItems"] == job._MOST_EVENT_TYPES
        assert schema("NotifyEmails")["maxItems"] == account._MOST_EMAILS
        assert schema("NotifyEmails")["items"]["maxLength"] == account._LONGEST_EMAIL
        response = schema("Outcome")["properties"]["response"]
        assert response["maxLength"] == MAX_SNIPPET_BYTES
        overlap = schema("Rotation")["properties"]["overlap_hours"]
        assert overlap["description"] == f"{DEFAULT_OVERLAP_HOURS} if left out."
        assert overlap["maximum"] == LONGEST_OVERLAP_HOURS
        assert schema("Problem")["properties"]["errors"]["maxItems"] == MOST_ERRORS
        largest = max(each.largest_batch for each in FORMATS.values())
        assert schema("BatchSize")["maximum"] == largest
        pace = schema("MaxPerSecond")
        assert (pace["minimum"], pace["maximum"]) == (LOWEST_PACE, HIGHEST_PACE)
        batch_bytes = schema("BatchBytes")
        assert batch_bytes["minimum"] == LEAST_BATCH_BYTES
        assert batch_bytes["maximum"] == MOST_BATCH_BYTES
        delays = schema("RetryDelays")
        assert delays["items"]["maximum"] == LONGEST_DELAY_SECONDS
        assert delays["maxItems"] == source()["Parameters"]["MaxAttempts"]["MaxValue"] - 1
        assert f"at most {LONGEST_SCHEDULE_SECONDS} (two days)" in delays["description"]
        for name in ("WebhookCreation", "UnsavedWebhookTrial"):
            said = schema(name)["properties"]["batch_bytes"]["description"]
            assert said == f"{DEFAULT_BATCH_BYTES} if left out."

    def test_numbers_in_words_are_the_codes(self) -> None:
        posting = operations()["postEvents"][2]["description"]
        headers = schema("GivenHeaders")["description"]

        assert f"at most {event.MAX_REQUEST_BYTES:,} bytes" in posting
        assert f"at most {event.MAX_EVENT_BYTES:,} as compact JSON" in posting
        assert f"At most {endpoint.MAX_HEADERS}, and" in headers
        assert f"as one compact JSON object {endpoint.MAX_HEADER_BYTES} bytes" in headers
        listing = operations()["listEvents"][2]["description"]
        assert f"looks at {event_listing.MOST_HOURS} hours at most" in listing
        assert f"looks at {event_listing.MOST_LOOKED_AT} events at most" in listing
        assert (runner.MOST_PER_MINUTE, MOST_SECONDS) == (10, 10)
        testing = operations()["testWebhook"][2]["description"]
        assert "At most ten tests in each minute" in testing
        assert "within ten seconds at most" in testing
        assert f"deeper than {MAX_DEPTH} levels" in contract()["info"]["description"]
        attempts = schema("Delivery")["properties"]["attempts"]["description"]
        assert f"the last {MOST_ATTEMPTS}." in attempts

    def test_the_sample_of_a_webhook_on_all_types_is_the_codes(self) -> None:
        said = re.search(
            r"if left out, `(.*)` for `\*`", operations()["testWebhook"][2]["description"]
        )

        assert said is not None
        saying = [each for each in FORMATS.values() if each.name_of(said[1])]
        assert {said[1]} == {default_type(each) for each in saying}

    def test_every_rule_for_headers_is_said_with_its_names(self) -> None:
        description = " ".join(schema("GivenHeaders")["description"].split())

        for rule in header_rules.RULES:
            assert f"* {rule.detail}: {', '.join(rule.patterns)}." in description

    @pytest.mark.parametrize(
        ("pointer", "pattern"),
        [
            (named("EventType"), event.EVENT_TYPE.pattern),
            (named("EventId"), event._ID.pattern),
            (named("GivenHeaders/propertyNames"), endpoint._TOKEN.pattern),
            (named("NotifyEmails/items"), account._EMAIL.pattern),
            (
                "/components/parameters/PageCursor/schema",
                pages._CURSOR.pattern.replace("{1,400}", "+"),
            ),
        ],
    )
    def test_a_pattern_is_the_codes(self, pointer: str, pattern: str) -> None:
        assert at(pointer)["pattern"] == f"^{pattern}$"

    def test_the_cursor_of_the_log_is_the_codes(self) -> None:
        cursor = parameter("listDeliveries", "cursor")["pattern"]

        assert cursor == f"^{reading._CURSOR.pattern}$"
        webhook_id = parameter("listDeliveries", "webhook_id")["pattern"]
        assert webhook_id == f"^{reading._WEBHOOK_ID.pattern}$"

    def test_the_cursor_of_events_is_the_codes(self) -> None:
        cursor = parameter("listEvents", "cursor")

        assert cursor["pattern"] == f"^{event_listing._CURSOR.pattern}$"
        longest = f"{10**16 - 1}.{text(128)}"
        assert event_listing._CURSOR.fullmatch(longest)
        assert cursor["maxLength"] == len(longest)

    def test_new_ids_and_keys_are_of_the_written_form(self) -> None:
        webhook = ids.new_webhook_id()
        new_event = ids.new_event_id(builders.NOW)

        assert errors(named("AccountRef"), ids.new_account_id()) == []
        assert errors(named("WebhookId"), webhook) == []
        assert errors(named("KeyId"), ids.new_key_id()) == []
        assert errors(named("JobId"), ids.new_job_id(builders.NOW)) == []
        assert errors(named("EventId"), new_event) == []
        delivery = ids.delivery_id(webhook, [new_event], builders.NOW)
        assert errors(named("DeliveryId"), delivery) == []
        assert errors(named("CreatedApiKey/properties/key"), new_api_key()) == []
