"""docs/openapi.yaml against the parsers: it allows what the code takes, and nothing else."""

import base64
import json
import re
from collections.abc import Callable

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from perkwire.accepting import acceptance as accepting
from perkwire.accepting.mending import parse_send
from perkwire.adapters.data_schemas import DataSchemas
from perkwire.jobs.erasure import parse_erasure
from perkwire.jobs.job import JobKind, JobStatus, parse_job
from perkwire.jobs.listing import JobFilter, parse_job_filter
from perkwire.managing import signing_in
from perkwire.managing.contracts import read_storable
from perkwire.managing.signing_in import ConsoleLink, parse_link
from perkwire.managing.webhook_draft import parse_rotation, parse_webhook, parse_webhook_change
from perkwire.model.account import (
    new_api_key,
    parse_account,
    parse_account_change,
    parse_key,
    parse_own_account_change,
)
from perkwire.model.brand import parse_brand
from perkwire.model.event import parse_events
from perkwire.model.secret import check_secret
from perkwire.primitives.fields import parse_object
from perkwire.primitives.ids import AccountId, WebhookId
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import parse_rfc3339
from perkwire.reading.log import parse_filter
from perkwire.reading.trying_contracts import unsayable_examples
from perkwire.recovering.retrying import parse_ids
from tests import builders
from tests.template.bodies import (
    CREATION_CHANGES,
    EMAIL_CHANGES,
    EVENT_CHANGES,
    JOB_CHANGES,
    WEBHOOK_CHANGES,
    each,
)
from tests.template.contract import (
    LATER,
    RULES,
    Object,
    contract,
    errors,
    named,
    operations,
    parameter,
    schema,
    text,
)
from tests.template.use_cases import a_listing, a_redriving, a_trying, preview_filter


def refusal(parse: Callable[[], object]) -> Problem | None:
    try:
        parse()
    except Problem as problem:
        return problem
    return None


def agree(pointer: str, body: Json, parse: Callable[[], object]) -> None:
    """The contract takes what the code takes, and no more but what it leaves to the code."""
    against = errors(pointer, body)
    problem = refusal(parse)

    if against == [] and problem is not None:
        said = problem.document()["errors"]
        assert isinstance(said, list)
        assert any(left_to_the_code(error) for error in said), said
    else:
        assert (against == []) is (problem is None), f"schema: {against}; code: {problem!r}"


# What a schema could say in ways only that generators of clients do not understand: patterns that
# an engine refuses, and rules that make one field depend on another.
LEFT_TO_THE_CODE = [
    (r"url", r"is required"),  # of a webhook that is not pulled
    (
        r"(events\[\d+\]\.)?type|event_type|event_types\[\d+\]",
        r"is not an event type of the catalogue.*",
    ),
    (r"event_types", r"must not name types beside \*"),
    (r"name", r"must be without control or direction characters, not blank"),
    (r"(events\[\d+\]\.)?occurred_at|since|until", r"must be an RFC 3339 time.*"),
    (r"(events\[\d+\]\.)?occurred_at|since|until", r"must have 1 to 64 characters"),
    (r"type|data", r"is required"),
    (r"secret", r"must .*"),
    (r"batch_size", r"must be a whole number from 1 to 1"),
    (r"format_settings.*", r".*"),
]


def left_to_the_code(error: Json) -> bool:
    assert isinstance(error, dict)
    field, detail = str(error["field"]), str(error["detail"])
    return any(
        re.fullmatch(fields, field) and re.fullmatch(details, detail)
        for fields, details in LEFT_TO_THE_CODE
    )


def try_new_webhook(body: dict[str, Json]) -> None:
    a_trying().test_unsaved(builders.ACCOUNT, body)


def try_webhook(body: dict[str, Json]) -> None:
    a_trying().test(builders.ACCOUNT, builders.WEBHOOK, body)


class TestRequests:
    @pytest.mark.parametrize("change", EVENT_CHANGES, ids=repr)
    @pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
    def test_an_event_is_valid_for_both_or_neither(self, change: Object, several: bool) -> None:
        body: Json = builders.event_body(**change)
        body = {"events": [body]} if several else body
        content = "/paths/~1v1~1events/post/requestBody/content/application~1json/schema"

        agree(content, body, lambda: parse_events(json.dumps(body).encode(), builders.any_data))

    @pytest.mark.parametrize("number", [0, 1, 100, 101])
    def test_a_list_of_events_is_valid_for_both_or_neither(self, number: int) -> None:
        body: Json = {"events": [builders.event_body() for _ in range(number)]}

        agree(
            named("PostedEvents"),
            body,
            lambda: parse_events(json.dumps(body).encode(), builders.any_data),
        )

    @pytest.mark.parametrize("missing", ["type", "data"])
    def test_an_event_lacks_nothing_for_both(self, missing: str) -> None:
        body = builders.event_body()
        del body[missing]

        agree(
            named("EventDraft"),
            body,
            lambda: parse_events(json.dumps(body).encode(), builders.any_data),
        )
        assert errors(named("EventDraft"), body)

    @pytest.mark.parametrize("change", [*WEBHOOK_CHANGES, *CREATION_CHANGES], ids=repr)
    def test_a_new_webhook_is_valid_for_both_or_neither(self, change: Object) -> None:
        body = builders.webhook_body(**change)

        agree(named("WebhookCreation"), body, lambda: parse_webhook(body, RULES))

    @pytest.mark.parametrize("missing", ["name", "event_types"])
    def test_a_new_webhook_lacks_nothing_for_both(self, missing: str) -> None:
        body = builders.webhook_body()
        del body[missing]

        agree(named("WebhookCreation"), body, lambda: parse_webhook(body, RULES))
        assert errors(named("WebhookCreation"), body)

    @pytest.mark.parametrize(
        "change",
        [
            *WEBHOOK_CHANGES,
            {"program_ids": None},
            {"description": None},
            {"filter": None},
            {"format": "standard"},
            {"secret": builders.SECRET},
        ],
        ids=repr,
    )
    def test_a_change_of_a_webhook_is_valid_for_both_or_neither(self, change: Object) -> None:
        current = builders.a_webhook()

        agree(named("WebhookChange"), change, lambda: parse_webhook_change(change, RULES, current))

    @pytest.mark.parametrize("length", range(20, 71))
    def test_a_secret_is_valid_for_both_or_neither(self, length: int) -> None:
        secret = "whsec_" + base64.b64encode(bytes(length)).decode()

        assert errors(named("GivenSecret"), secret) == []
        assert (check_secret(secret) is None) is (24 <= length <= 64)

    @pytest.mark.parametrize(
        "body",
        [
            *each("name", text(128), text(129), "", 1, None),
            {},
            {"name": "a", "colour": "red"},
            *({"name": "a", **change} for change in EMAIL_CHANGES),
        ],
        ids=repr,
    )
    def test_an_account_is_valid_for_both_or_neither(self, body: Object) -> None:
        agree(named("AccountCreation"), body, lambda: parse_account(body))

    @pytest.mark.parametrize(
        "change",
        [{}, *each("name", "a", "", 1, None), {"colour": "red"}, *EMAIL_CHANGES],
        ids=repr,
    )
    def test_a_change_of_an_account_is_valid_for_both_or_neither(self, change: Object) -> None:
        agree(named("AccountChange"), change, lambda: parse_account_change(change))

    @pytest.mark.parametrize("change", JOB_CHANGES, ids=repr)
    @pytest.mark.parametrize(
        ("name", "kind"),
        [("RetryFailedStart", JobKind.RETRY_FAILED), ("ReplayStart", JobKind.REPLAY)],
        ids=["retry-failed", "replay"],
    )
    def test_a_job_is_valid_for_both_or_neither(
        self, name: str, kind: JobKind, change: Object
    ) -> None:
        body = {"since": "2026-09-01T00:00:00Z", **change}

        agree(named(name), body, lambda: parse_job(body, kind, builders.NOW))

    @pytest.mark.parametrize("kind", JobKind)
    def test_a_job_says_since_when_for_both(self, kind: JobKind) -> None:
        name = "ReplayStart" if kind is JobKind.REPLAY else "RetryFailedStart"

        agree(named(name), {}, lambda: parse_job({}, kind, builders.NOW))
        assert errors(named(name), {})

    @pytest.mark.parametrize(
        "change",
        [
            *WEBHOOK_CHANGES,
            *CREATION_CHANGES,
            *each("event_type", "a.b", "*", "A.b", "", 1, None, "a." + text(127)),
        ],
        ids=repr,
    )
    def test_a_test_of_a_new_webhook_is_valid_for_both_or_neither(self, change: Object) -> None:
        body = builders.webhook_body(**change)

        agree(named("UnsavedWebhookTrial"), body, lambda: try_new_webhook(body))

    @pytest.mark.parametrize(
        "body",
        [{}, *each("event_type", "a.b", "*", "", 1, None), {"colour": "red"}, {"url": "x"}],
        ids=repr,
    )
    def test_a_test_is_valid_for_both_or_neither(self, body: Object) -> None:
        agree(named("WebhookTrial"), body, lambda: try_webhook(body))

    def test_a_test_of_a_new_webhook_is_its_creation_and_an_event_type(self) -> None:
        creation, test = schema("WebhookCreation"), schema("UnsavedWebhookTrial")

        assert test["required"] == creation["required"]
        assert test["properties"].keys() - creation["properties"].keys() == {"event_type"}
        assert creation["properties"].items() <= test["properties"].items()

    @pytest.mark.parametrize(
        "body",
        [
            *({"name": value, "scopes": ["events"]} for value in (text(128), text(129), "", 1)),
            *(
                {"name": "a", "scopes": value}
                for value in (
                    ["events", "webhooks"],
                    ["events", "events"],
                    ["operator"],
                    [],
                    "events",
                    None,
                )
            ),
            {"name": "a"},
            {"scopes": ["events"]},
            {"name": "a", "scopes": ["events"], "colour": "red"},
        ],
        ids=repr,
    )
    def test_an_api_key_is_valid_for_both_or_neither(self, body: Object) -> None:
        agree(named("ApiKeyCreation"), body, lambda: parse_key(body))

    @pytest.mark.parametrize(
        "body",
        [
            {},
            *({"expires_in_minutes": minutes} for minutes in (0, 1, 15, 60, 61, True, "15", None)),
            {"colour": "red"},
        ],
        ids=repr,
    )
    def test_a_console_link_is_valid_for_both_or_neither(self, body: Object) -> None:
        agree(named("ConsoleLinkCreation"), body, lambda: parse_link(body))

    def test_a_console_link_works_as_long_as_the_contract_says(self) -> None:
        minutes = schema("ConsoleLinkCreation")["properties"]["expires_in_minutes"]
        assert minutes["description"] == f"{parse_link({})} if left out."
        assert minutes["maximum"] == signing_in.LONGEST_LINK_MINUTES
        said = operations()["createConsoleLink"][2]["description"]
        assert f"signed in for {signing_in.SESSION_HOURS} hours" in said

    def test_a_console_link_is_shown_as_the_contract_says(self) -> None:
        link = ConsoleLink(AccountId("acct_1"), LATER)
        token = new_api_key().removeprefix("pk_")
        assert errors(named("ConsoleLink"), link.to_json("https://a.example/console", token)) == []

    @pytest.mark.parametrize(
        "body",
        [
            {},
            *each("overlap_hours", 0, 168, -1, 169, "1", None),
            *each("secret", builders.SECRET, "two\nlines", None),
            {"colour": "red"},
        ],
        ids=repr,
    )
    def test_a_rotation_is_valid_for_both_or_neither(self, body: Object) -> None:
        current = builders.a_webhook()

        agree(named("Rotation"), body, lambda: parse_rotation(body, current))

    @pytest.mark.parametrize(
        "body",
        [
            {},
            *each("ids", ["a"], ["a", "a"], [], [""], "a", None, [1]),
            *({"ids": [text(length)]} for length in (256, 257)),
            *({"ids": [f"{number}" for number in range(most)]} for most in (100, 101)),
            {"ids": ["a"], "colour": "red"},
            *({"ids": ["a"], "resend": resend} for resend in (True, False, None, 1, "yes")),
            *({"ids": ["a"], "webhook_id": one} for one in ("wh_1", "", None, 1)),
            *({"ids": ["a"], "webhook_id": text(length)} for length in (256, 257)),
        ],
        ids=repr,
    )
    def test_a_retry_is_valid_for_both_or_neither(self, body: Object) -> None:
        agree(named("DeliveryIds"), body, lambda: parse_ids(body))

    @pytest.mark.parametrize(
        "body",
        [
            {},
            *each("queue", "deliveries", "events", "jobs", "", None),
            *(
                {"queue": "events", "max_per_second": value}
                for value in (1, 500, 0, 501, "1", None)
            ),
            {"queue": "events", "colour": "red"},
        ],
        ids=repr,
    )
    def test_a_redrive_is_valid_for_both_or_neither(self, body: Object) -> None:
        agree(
            named("RedriveStart"), body, lambda: a_redriving().start(builders.an_operator(), body)
        )

    @pytest.mark.parametrize("key", ["a", text(255), text(256), "", "a b", "é", "~!"])
    def test_an_idempotency_key_is_valid_for_both_or_neither(self, key: str) -> None:
        taken = accepting._IDEMPOTENCY_KEY.fullmatch(key) is not None
        parameters = contract()["paths"]["/v1/events"]["post"]["parameters"]

        assert parameters[0]["name"] == "Idempotency-Key"
        pointer = "/paths/~1v1~1events/post/parameters/0/schema"
        assert (errors(pointer, key) == []) is taken

    def test_the_log_takes_the_query_parameters_of_the_contract_and_no_other(self) -> None:
        _, _, _, parameters = operations()["listDeliveries"]
        query = {each["name"]: str(each["example"]) for each in parameters if each["in"] == "query"}

        assert refusal(lambda: parse_filter(query)) is None
        problem = refusal(lambda: parse_filter(query | {"colour": "red"}))
        assert problem is not None
        assert problem.document()["errors"] == [
            {"field": "colour", "detail": "is not a known parameter"}
        ]

    def test_jobs_are_filtered_by_the_parameters_of_the_contract(self) -> None:
        _, _, _, parameters = operations()["listJobs"]
        query = {each["name"]: str(each["example"]) for each in parameters if "name" in each}
        filters = {name: query[name] for name in ("webhook_id", "status")}

        assert query.keys() - filters == {"Perkwire-Account", "limit", "cursor"}
        assert parse_job_filter(filters) == JobFilter(
            WebhookId(filters["webhook_id"]), JobStatus(filters["status"])
        )
        assert parameter("listJobs", "status")["enum"] == [*JobStatus]

    @pytest.mark.parametrize(
        ("name", "value"), [("webhook_id", ""), ("webhook_id", "wh_0"), ("status", "lost")]
    )
    def test_a_filter_of_jobs_is_refused_by_both(self, name: str, value: str) -> None:
        validator = Draft202012Validator(parameter("listJobs", name))

        assert not validator.is_valid(value)
        assert refusal(lambda: parse_job_filter({name: value})) is not None

    def test_events_take_the_query_parameters_of_the_contract(self) -> None:
        _, _, _, parameters = operations()["listEvents"]
        query = {each["name"]: str(each["example"]) for each in parameters if each["in"] == "query"}
        cursor = query.pop("cursor")
        now = parse_rfc3339(query["until"])
        assert now is not None

        page = a_listing(now).list(builders.ACCOUNT, query, 1, cursor)

        assert page.next_cursor is not None
        assert errors("/paths/~1v1~1events/get/parameters/2/schema", page.next_cursor) == []
        assert query.keys() == {"limit", "type", "member", "since", "until"}

    @pytest.mark.parametrize("name", ["type", "since", "until"])
    @pytest.mark.parametrize("value", ["A.b", "yesterday", ""])
    def test_a_filter_of_events_is_refused_by_both(self, name: str, value: str) -> None:
        checker = Draft202012Validator.FORMAT_CHECKER
        validator = Draft202012Validator(parameter("listEvents", name), format_checker=checker)

        problem = refusal(lambda: a_listing().list(builders.ACCOUNT, {name: value}, 1, None))
        assert not validator.is_valid(value)
        assert problem is not None

    @pytest.mark.parametrize("value", ["", "points", "A.b", "*", "a." + "b" * 127])
    def test_an_event_type_of_the_log_is_refused_by_both(self, value: str) -> None:
        validator = Draft202012Validator(parameter("listDeliveries", "event_type"))

        assert not validator.is_valid(value)
        assert refusal(lambda: parse_filter({"event_type": value})) is not None

    def test_every_example_of_a_request_is_taken_by_the_code(self) -> None:
        parsers: dict[str, Callable[[bytes], object]] = {
            "postEvents": lambda body: parse_events(body, DataSchemas()),
            "createWebhook": lambda body: parse_webhook(parse_object(body), RULES),
            "updateWebhook": lambda body: parse_webhook_change(
                parse_object(body), RULES, builders.a_webhook()
            ),
            "rotateSecret": lambda body: parse_rotation(parse_object(body), builders.a_webhook()),
            "retryDeliveries": lambda body: parse_ids(parse_object(body)),
            "startRedrive": lambda body: a_redriving().start(
                builders.an_operator(), parse_object(body)
            ),
            "testNewWebhook": lambda body: try_new_webhook(parse_object(body)),
            "previewFilter": lambda body: preview_filter(parse_object(body)),
            "testWebhook": lambda body: try_webhook(parse_object(body)),
            "retryFailedDeliveries": lambda body: parse_job(
                parse_object(body), JobKind.RETRY_FAILED, LATER
            ),
            "replayEvents": lambda body: parse_job(parse_object(body), JobKind.REPLAY, LATER),
            "createAccount": lambda body: parse_account(parse_object(body)),
            "updateAccount": lambda body: parse_account_change(parse_object(body)),
            "createApiKey": lambda body: parse_key(parse_object(body)),
            "replaceBrand": lambda body: parse_brand(parse_object(body), 1),
            "createOwnApiKey": lambda body: parse_key(parse_object(body)),
            "updateOwnAccount": lambda body: parse_own_account_change(parse_object(body)),
            "sendRejectedEvent": lambda body: parse_send(parse_object(body)),
            "askErasure": lambda body: parse_erasure(parse_object(body)),
            "createConsoleLink": lambda body: parse_link(parse_object(body)),
            "storeContract": lambda body: read_storable(parse_object(body), unsayable_examples),
        }
        with_body = {name for name, each in operations().items() if "requestBody" in each[2]}
        assert with_body == parsers.keys()
        for name, parse in parsers.items():
            content = operations()[name][2]["requestBody"]["content"]["application/json"]
            examples = [each["value"] for each in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            for example in examples:
                parse(json.dumps(example).encode())
