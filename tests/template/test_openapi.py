"""docs/openapi.yaml against OpenAPI 3.1, the template and the code.

What the code refuses or answers is asked of the code itself: of its parsers, and of what it shows.
"""

import base64
import functools
import json
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from management.resolver import DEFAULT_LIMIT, HIGHEST_LIMIT
from perkwire import (
    VERSION,
    accepting,
    account,
    endpoint,
    event,
    event_listing,
    fields,
    ids,
    reading,
    signing_in,
)
from perkwire.account import (
    ApiKey,
    Scope,
    new_api_key,
    parse_account,
    parse_account_change,
    parse_key,
)
from perkwire.adapters import pages
from perkwire.adapters.data_schemas import DataSchemas
from perkwire.adapters.delivery_table import MOST_ATTEMPTS
from perkwire.adapters.http import MAX_SNIPPET_BYTES
from perkwire.catalogue import event_types
from perkwire.delivery import DeliveryStatus, Reason
from perkwire.endpoint import EndpointPolicy
from perkwire.event import EventHeading, parse_events
from perkwire.event_listing import EventListing, Place
from perkwire.fields import parse_object
from perkwire.formats import FORMATS, Attempt, format_names
from perkwire.ids import AccountId, DeliveryId, EventId
from perkwire.jobs import job
from perkwire.jobs.job import Job, JobKind, JobReason, JobStatus, parse_job
from perkwire.jobs.listing import JobFilter, parse_job_filter
from perkwire.jobs.starting import DryRun
from perkwire.managing import WebhookManagement
from perkwire.problem import MOST_ERRORS, FieldError, Problem, conflict, invalid
from perkwire.reading import EXPIRED, LogReading, parse_filter
from perkwire.redriving import HIGHEST_RATE, Redrive, RedriveQueue, Redriving
from perkwire.retrying import MOST_IDS, RetryResult, parse_ids
from perkwire.routed_event import NOT_IN_FORMAT, RoutedEvent
from perkwire.secret import check_secret
from perkwire.sending import Request, TransportError
from perkwire.signing_in import ConsoleLink, parse_link
from perkwire.strict_json import MAX_DEPTH, Json
from perkwire.timestamps import parse_rfc3339, to_rfc3339
from perkwire.trials import trying
from perkwire.trials.samples import default_type
from perkwire.trials.trial import MOST_SECONDS, Outcome, SentRequest
from perkwire.trials.trying import Trying
from perkwire.webhook import Pause, PauseReason, WebhookStatus
from perkwire.webhook_draft import (
    DEFAULT_OVERLAP_HOURS,
    LONGEST_OVERLAP_HOURS,
    EndpointRules,
    parse_rotation,
    parse_webhook,
    parse_webhook_change,
)
from tests import builders
from tests.fakes import (
    FakeAccountStore,
    FakeClock,
    FakeConfigItems,
    FakeDeliveryItems,
    FakeDeliveryReader,
    FakeEventItems,
    FakeEventReader,
    FakeSealer,
    FakeTrialCounter,
    FakeTrialDispatcher,
    FakeWebhookLookup,
    FakeWebhookStore,
)
from tests.template.stack import ROOT, source

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
RULES = EndpointRules(EndpointPolicy.PUBLIC)
LATER = 1_800_000_000_000_000  # than the times of the examples, in microseconds

type Object = dict[str, Any]


@functools.cache
def contract() -> Object:
    document: Object = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    return document


@functools.cache
def registry() -> Registry[Any]:
    resource = DRAFT202012.create_resource(contract())
    found: Registry[Any] = Registry().with_resource("urn:contract", resource)
    return found


def at(pointer: str) -> Any:  # noqa: ANN401
    """What a JSON pointer into the contract leads to."""
    found: Any = contract()
    for part in pointer.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, list) else found[name]
    return found


def errors(pointer: str, value: object) -> list[str]:
    """What the schema at a pointer has against a value."""
    checker = Draft202012Validator.FORMAT_CHECKER
    reference = {"$ref": f"urn:contract#{pointer.removeprefix('#')}"}
    validator = Draft202012Validator(reference, registry=registry(), format_checker=checker)
    return [error.message for error in validator.iter_errors(value)]


def named(name: str) -> str:
    return f"/components/schemas/{name}"


def schema(name: str) -> Object:
    found: Object = at(named(name))
    return found


def walk(value: object, pointer: str = "") -> Iterator[tuple[str, Object]]:
    """Every object of the contract, and where it is."""
    match value:
        case dict():
            yield pointer, value
            for name, member in value.items():
                escaped = str(name).replace("~", "~0").replace("/", "~1")
                yield from walk(member, f"{pointer}/{escaped}")
        case list():
            for position, item in enumerate(value):
                yield from walk(item, f"{pointer}/{position}")


def outside_examples(pointer: str) -> bool:
    return re.search(r"/(examples?|default|enum|const)(/|$)", pointer) is None


def resolved(value: Object) -> Object:
    found: Object = at(value["$ref"]) if "$ref" in value else value
    return found


def operations() -> dict[str, tuple[str, str, Object, list[Object]]]:
    """By operationId: method, path, the operation, and all its parameters."""
    found = {}
    for path, item in contract()["paths"].items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
                found[operation["operationId"]] = (
                    method.upper(),
                    path,
                    operation,
                    [resolved(parameter) for parameter in parameters],
                )
    return found


def parameter(operation: str, name: str) -> Object:
    _, _, _, parameters = operations()[operation]
    (found,) = [each for each in parameters if each["name"] == name]
    return resolved(found["schema"])


# ---- OpenAPI 3.1, as far as this contract uses it ----


def closed(required: str = "", /, **properties: Object) -> Object:
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


def mapped(values: Object, pattern: str = ".") -> Object:
    return {
        "type": "object",
        "propertyNames": {"pattern": pattern},
        "additionalProperties": values,
    }


def definition(name: str) -> Object:
    return {"$ref": f"#/$defs/{name}"}


TEXT: Object = {"type": "string", "minLength": 1}
ANY: Object = {}
OPERATION = closed(
    "operationId summary responses",
    operationId=TEXT,
    tags={"type": "array", "items": TEXT},
    summary=TEXT,
    description=TEXT,
    security={"type": "array", "items": mapped({"type": "array", "items": TEXT})},
    parameters={"type": "array", "items": definition("parameter")},
    requestBody=closed("content", required={"type": "boolean"}, content=definition("content")),
    responses=mapped(definition("response"), "^([1-5][0-9]{2}|[1-5]XX|default)$")
    | {"minProperties": 1},
)
REFERENCE = closed("$ref", **{"$ref": TEXT})
OPENAPI: Object = {
    **closed(
        "openapi info paths",
        openapi={"const": "3.1.0"},
        info=closed(
            "title version",
            title=TEXT,
            version=TEXT,
            summary=TEXT,
            description=TEXT,
            license=closed("name", name=TEXT, identifier=TEXT),
        ),
        servers={
            "type": "array",
            "items": closed(
                "url",
                url=TEXT,
                description=TEXT,
                variables=mapped(closed("default", default=TEXT, description=TEXT)),
            ),
        },
        tags={"type": "array", "items": closed("name", name=TEXT, description=TEXT)},
        security={"type": "array", "items": mapped({"type": "array"})},
        paths=mapped(definition("path"), "^/"),
        webhooks=mapped(definition("path")),
        components=closed(
            **{
                name: mapped(values, "^[A-Za-z0-9._-]+$")
                for name, values in {
                    "schemas": {"type": "object"},
                    "responses": definition("response"),
                    "parameters": definition("parameter"),
                    "securitySchemes": closed(
                        "type scheme",
                        type={"const": "http"},
                        scheme={"const": "bearer"},
                        bearerFormat=TEXT,
                        description=TEXT,
                    ),
                }.items()
            }
        ),
    ),
    "$defs": {
        "path": closed(
            parameters={"type": "array", "items": definition("parameter")},
            **dict.fromkeys(METHODS, OPERATION),
        ),
        "parameter": {
            "anyOf": [
                REFERENCE,
                closed(
                    "name in schema example",
                    name=TEXT,
                    description=TEXT,
                    required={"type": "boolean"},
                    schema={"type": "object"},
                    example=ANY,
                    **{"in": {"enum": ["path", "query", "header"]}},
                ),
            ]
        },
        "content": mapped(
            closed(
                "schema",
                schema={"type": "object"},
                example=ANY,
                examples=mapped(closed("summary value", summary=TEXT, value=ANY)),
            )
            | {"oneOf": [{"required": ["example"]}, {"required": ["examples"]}]},
            "^application/(problem[+])?json$",
        ),
        "response": {
            "anyOf": [
                REFERENCE,
                closed(
                    "description",
                    description=TEXT,
                    headers=mapped(
                        closed(
                            "description schema example",
                            description=TEXT,
                            schema={"type": "object"},
                            example=ANY,
                        ),
                        "^[a-z-]+$",
                    ),
                    content=definition("content"),
                ),
            ]
        },
    },
}


class TestOpenApi:
    def test_it_has_the_structure_of_openapi_3_1(self) -> None:
        validator = Draft202012Validator(OPENAPI)

        assert [
            f"{error.json_path}: {error.message[:200]}"
            for error in validator.iter_errors(contract())
        ] == []

    def test_every_reference_leads_somewhere_and_every_component_is_used(self) -> None:
        references = {
            value["$ref"]
            for pointer, value in walk(contract())
            if "$ref" in value and outside_examples(pointer)
        }
        for reference in references:
            assert isinstance(at(reference), dict)

        components = {
            f"#/components/{kind}/{name}"
            for kind in ("schemas", "responses", "parameters")
            for name in contract()["components"][kind]
        }
        assert components == references

    def test_every_schema_is_json_schema_2020_12(self) -> None:
        pointers = [
            pointer
            for pointer, _ in walk(contract())
            if re.search(r"/schema$|^/components/schemas/[^/]+$", pointer)
            and outside_examples(pointer)
        ]
        assert pointers
        for pointer in pointers:
            Draft202012Validator.check_schema(at(pointer))

    def test_every_example_fits_its_schema(self) -> None:
        checked = 0
        for pointer, value in walk(contract()):
            if "schema" not in value or not outside_examples(pointer):
                continue
            examples = [each["value"] for each in value.get("examples", {}).values()]
            examples += [value["example"]] if "example" in value else []
            assert examples, pointer
            for example in examples:
                checked += 1
                assert errors(f"{pointer}/schema", example) == [], pointer
        assert checked > 40

    def test_every_name_is_there_once(self) -> None:
        names = [value["operationId"] for _, value in walk(contract()) if "operationId" in value]
        tags = {tag["name"] for tag in contract()["tags"]}

        assert len(names) == len(set(names))
        for _, _, operation, parameters in operations().values():
            assert set(operation["tags"]) <= tags
            keys = [(each["name"], each["in"]) for each in parameters]
            assert len(keys) == len(set(keys))

    def test_every_part_of_a_path_is_a_required_parameter(self) -> None:
        for method, path, _, parameters in operations().values():
            in_path = {each["name"] for each in parameters if each["in"] == "path"}
            required = {each["name"] for each in parameters if each.get("required")}

            assert in_path == set(re.findall(r"{(\w+)}", path)), f"{method} {path}"
            assert in_path <= required

    def test_every_text_of_a_request_has_a_bound(self) -> None:
        for name, (_, _, _, parameters) in operations().items():
            for each in parameters:
                found = resolved(each["schema"])
                bounds = {"maxLength", "maximum", "enum"} & found.keys()
                assert bounds or re.search(r"{\d+}\$$", found["pattern"]), f"{name} {each['name']}"

    def test_no_line_is_longer_than_140_characters(self) -> None:
        lines = (ROOT / "docs" / "openapi.yaml").read_text().splitlines()

        assert [line for line in lines if len(line) > 140] == []


# ---- The template ----


class TestTemplate:
    def test_its_routes_and_the_contract_are_the_same(self) -> None:
        routes = {
            (trigger["Properties"]["Method"], trigger["Properties"]["Path"])
            for resource in source()["Resources"].values()
            for trigger in resource.get("Properties", {}).get("Events", {}).values()
            if isinstance(trigger, dict) and trigger["Type"] == "HttpApi"
        }
        # The console's pages are for people: no contract but what they see.
        routes = {(method, path) for method, path in routes if not path.startswith("/console")}

        assert {(method, path) for method, path, _, _ in operations().values()} == routes

    def test_its_defaults_are_the_numbers_of_the_descriptions(self) -> None:
        defaults = {name: each["Default"] for name, each in source()["Parameters"].items()}
        api = source()["Resources"]["HttpApi"]["Properties"]
        cached = api["Auth"]["Authorizers"]["KeyAuthorizer"]["Identity"]["ReauthorizeEvery"]

        posting = operations()["postEvents"][2]["description"]
        creating = operations()["createWebhook"][2]["description"]
        revoking = operations()["deleteApiKey"][2]["description"]
        assert f"`EventRetentionDays` ({defaults['EventRetentionDays']} by" in posting
        assert f"`MaxWebhooksPerAccount` ({defaults['MaxWebhooksPerAccount']} by" in creating
        assert f"up to {cached} seconds" in revoking


# ---- Statuses ----

SUCCESS = {
    "postEvents": {"202"},
    "createWebhook": {"201"},
    "createAccount": {"201"},
    "createApiKey": {"201"},
    "createConsoleLink": {"201"},
    "deleteWebhook": {"204"},
    "deleteApiKey": {"204"},
    "startRedrive": {"201"},
    "retryFailedDeliveries": {"200", "202"},
    "replayEvents": {"200", "202"},
}
CAN_CONFLICT = {
    "updateAccount",
    "retryFailedDeliveries",
    "replayEvents",
    "cancelJob",
    "createWebhook",
    "updateWebhook",
    "deleteWebhook",
    "enableWebhook",
    "disableWebhook",
    "rotateSecret",
    "startRedrive",
}
CAN_FIND_NOTHING = {"cancelRedrive"}
TESTS = ("testNewWebhook", "testWebhook")


class TestStatuses:
    @pytest.mark.parametrize("name", operations())
    def test_an_operation_has_every_status_that_can_come_and_no_other(self, name: str) -> None:
        _, _, operation, parameters = operations()[name]
        places = {each["in"] for each in parameters}
        acts_for_an_account = any(each["name"] == "Perkwire-Account" for each in parameters)
        expected = SUCCESS.get(name, {"200"}) | {"401", "403", "429", "500", "503"}
        if "requestBody" in operation:
            expected |= {"400", "413", "422"}
        if "path" in places or acts_for_an_account or name in CAN_FIND_NOTHING:
            expected.add("404")
        if "query" in places or acts_for_an_account:
            expected.add("422")
        if name in CAN_CONFLICT:
            expected.add("409")

        assert set(operation["responses"]) == expected

    def test_every_problem_of_the_code_is_in_the_contract(self) -> None:
        found = set()
        for path in (ROOT / "functions").rglob("*.py"):
            found |= set(re.findall(r'\bProblem\(\s*(\d{3}),\s*"([a-z-]+)"', path.read_text()))
        types = schema("Problem")["properties"]["type"]["enum"]

        assert {f"urn:perkwire:problem:{name}" for _, name in found} == set(types)
        documented = {
            status
            for _, _, operation, _ in operations().values()
            for status in operation["responses"]
        }
        assert {status for status, _ in found} <= documented

    def test_tests_alone_have_a_limit_of_their_own_that_says_when_to_come_again(self) -> None:
        for name, (_, _, operation, _) in operations().items():
            response = resolved(operation["responses"]["429"])
            assert ("application/problem+json" in response["content"]) is (name in TESTS)
            assert set(response.get("headers", {})) == ({"retry-after"} if name in TESTS else set())

    def test_an_example_of_a_problem_stands_under_its_own_status(self) -> None:
        for _, _, operation, _ in operations().values():
            for status, response in operation["responses"].items():
                content = resolved(response).get("content", {}).get("application/problem+json", {})
                examples = [each["value"] for each in content.get("examples", {}).values()]
                examples += [content["example"]] if "example" in content else []
                assert all(str(example["status"]) == status for example in examples)

    def test_problems_are_as_the_contract_says(self) -> None:
        one = [FieldError("url", "is the URL of another webhook of the account")]
        for problem in (invalid(one), conflict("Each URL is once per account.", one)):
            assert errors(named("Problem"), problem.document()) == []
            assert problem.document().keys() <= schema("Problem")["properties"].keys()

    def test_every_scope_is_needed_somewhere_and_nothing_else_is(self) -> None:
        needed = {name: each[2]["security"][0]["apiKey"] for name, each in operations().items()}

        assert {scope for scopes in needed.values() for scope in scopes} == {*Scope}
        for name, (_, path, _, _) in operations().items():
            for_all = path.startswith(("/v1/accounts", "/v1/redrives"))
            expected = Scope.OPERATOR if for_all else Scope.WEBHOOKS
            if path.startswith("/v1/event-types"):
                assert needed[name] == []
            else:
                assert needed[name] == [Scope.EVENTS if name == "postEvents" else expected]


# ---- Enums and limits ----


class TestEnums:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            (schema("AccountScope")["enum"], {*Scope} - {Scope.OPERATOR}),
            (schema("CatalogueType")["anyOf"][1]["enum"], {*event_types()}),
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
                {*DeliveryStatus, EXPIRED, NOT_IN_FORMAT},
            ),
            (schema("Delivery")["properties"]["reason"]["enum"], {*Reason}),
            (schema("RedriveQueue")["enum"], {*RedriveQueue}),
            (schema("Attempt")["properties"]["error"]["enum"], {*TransportError}),
            (schema("Outcome")["properties"]["error"]["enum"], {*TransportError, Reason.FORMAT}),
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
        listed = schema(name)["enum"]

        missing, foreign = {*expected} - {*listed}, {*listed} - {*expected}
        assert not missing, f"add {sorted(missing)} to schemas/{name}/enum of docs/openapi.yaml"
        assert not foreign, (
            f"take {sorted(foreign)} out of schemas/{name}/enum of docs/openapi.yaml"
        )
        assert len(listed) == len(expected)

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
        assert schema("NewEvents")["properties"]["events"]["maxItems"] == event.MAX_EVENTS
        assert schema("EventType")["maxLength"] == event.LONGEST_EVENT_TYPE
        assert schema("GivenUrl")["maxLength"] == endpoint.MAX_URL_CHARACTERS
        assert schema("GivenHeaders")["maxProperties"] == endpoint.MAX_HEADERS
        assert schema("Attempt")["properties"]["response"]["maxLength"] == MAX_SNIPPET_BYTES
        assert schema("Retry")["properties"]["ids"]["maxItems"] == MOST_IDS
        assert schema("NewRedrive")["properties"]["max_per_second"]["maximum"] == HIGHEST_RATE
        assert schema("PerSecond")["maximum"] == job.HIGHEST_RATE
        for name in ("NewRetryFailed", "NewReplay"):
            assert schema(name)["properties"]["per_second"]["default"] == job.DEFAULT_RATE
        types = schema("NewReplay")["properties"]["event_types"]
        assert types["maxItems"] == job._MOST_EVENT_TYPES
        assert schema("NotifyEmails")["maxItems"] == account._MOST_EMAILS
        assert schema("NotifyEmails")["items"]["maxLength"] == account._LONGEST_EMAIL
        response = schema("Outcome")["properties"]["response"]
        assert response["maxLength"] == MAX_SNIPPET_BYTES
        overlap = schema("Rotation")["properties"]["overlap_hours"]
        assert overlap["default"] == DEFAULT_OVERLAP_HOURS
        assert overlap["maximum"] == LONGEST_OVERLAP_HOURS
        assert schema("Problem")["properties"]["errors"]["maxItems"] == MOST_ERRORS
        largest = max(each.largest_batch for each in FORMATS.values())
        assert schema("BatchSize")["maximum"] == largest

    def test_numbers_in_words_are_the_codes(self) -> None:
        posting = operations()["postEvents"][2]["description"]
        headers = schema("GivenHeaders")["description"]

        assert f"at most {event.MAX_REQUEST_BYTES:,} bytes" in posting
        assert f"at most {event.MAX_EVENT_BYTES:,} as compact JSON" in posting
        assert f"At most {endpoint.MAX_HEADERS}, and" in headers
        assert f"as one compact JSON object {endpoint.MAX_HEADER_BYTES} bytes" in headers
        listing = operations()["listEvents"][2]["description"]
        assert f"looks at {event_listing.MOST_HOURS} hours at most" in listing
        assert (trying.MOST_PER_MINUTE, MOST_SECONDS) == (10, 10)
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
        assert {said[1]} == {default_type(each) for each in FORMATS.values()}

    def test_every_refused_header_is_named(self) -> None:
        description = " ".join(schema("GivenHeaders")["description"].split())
        names, _, rest = description.partition("and every name that begins with")
        prefixes, _, owners = rest.partition(", but ")
        found = set(re.findall(r"[a-z0-9-]+", names.partition("mislead: ")[2]))

        assert found == endpoint._REFUSED_NAMES
        assert set(re.findall(r"[a-z-]+", prefixes)) - {"or"} == {*endpoint._REFUSED_PREFIXES}
        assert set(re.findall(r"[a-z-]+", owners)) - {"and"} == endpoint._OWNERS_NAMES

    @pytest.mark.parametrize(
        ("pointer", "pattern"),
        [
            (named("EventType"), event.EVENT_TYPE.pattern),
            (named("EventId"), event._ID.pattern),
            (named("Name"), fields._NAME.pattern),
            (named("GivenHeaders/propertyNames"), endpoint._TOKEN.pattern),
            (named("NotifyEmails/items"), account._EMAIL.pattern),
            ("/components/parameters/Cursor/schema", pages._CURSOR.pattern.replace("{1,400}", "+")),
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
        assert errors(named("CreatedApiKey/allOf/1/properties/key"), new_api_key()) == []


# ---- Requests: the contract allows what the code takes, and nothing else ----


def refusal(parse: Callable[[], object]) -> Problem | None:
    try:
        parse()
    except Problem as problem:
        return problem
    return None


def agree(pointer: str, body: Json, parse: Callable[[], object]) -> None:
    against = errors(pointer, body)
    problem = refusal(parse)

    assert (against == []) is (problem is None), f"schema: {against}; code: {problem!r}"


def text(length: int) -> str:
    return "x" * length


def each(name: str, *values: object) -> list[Object]:
    """A change of one member, for each value."""
    return [{name: value} for value in values]


EVENT_CHANGES: list[Object] = [
    {},
    *(
        {"type": value}
        for value in (
            "a.b",
            "tier.upgraded",
            "custom.x_1.y",
            "custom.",
            "points",
            "A.b",
            ".a",
            "a.",
            "*",
            "",
            1,
        )
    ),
    {"type": "custom." + text(121)},
    {"type": "custom." + text(122)},
    *each("id", "a", "a.b:c-d_E", "-a", "a b", "é", "", 1, None),
    {"id": text(128)},
    {"id": text(129)},
    *each("program_id", "é", text(128), text(129), "", None, 5),
    *each("account_id", text(256), text(257), "", None),
    *each("data", {}, {"a": [None]}, None, [], "x"),
    *each(
        "occurred_at",
        "2026-11-21T09:30:00Z",
        "2026-11-21t09:30:00.123456789z",
        "2026-11-21T09:30:00+05:30",
        "2026-11-21T09:30:00",
        "2026-11-21 09:30:00Z",
        "2026-11-21T09:30:00.1234567890Z",
        "2026-11-21",
        "yesterday",
        1_795_253_400,
        None,
    ),
    {"colour": "red"},
    {"events": []},
]

WEBHOOK_CHANGES: list[Object] = [
    {},
    *each("name", text(128), text(129), "", "é", "a\x00b", "a\x85b", "a\u2028b", 1, None),
    *each("name", " ", " a", "\u200d", "\u3164", "\u202ea", "a\u200f", "\U000e0067", "😀\u200d😀"),
    *each("description", text(1000), text(1001), "", 1),
    *each("url", "", 1, None, "https://e.example/" + text(2031)),
    *(
        {"event_types": value}
        for value in (["*"], ["custom.b"], ["*", "custom.b"], [], ["*", "*"], "*", None)
    ),
    *each("event_types", ["custom.b", "custom.b"], ["a.b"], ["A.b"], [1], ["tier.upgraded"]),
    *each("event_types", ["custom." + text(121)], ["custom." + text(122)]),
    {"event_types": [f"custom.b{number}" for number in range(200)]},
    {"event_types": [f"custom.b{number}" for number in range(201)]},
    *each("program_ids", ["a"], ["a", "a"], [], [""], [text(128)], [text(129)]),
    {"program_ids": [f"{number}" for number in range(100)]},
    {"program_ids": [f"{number}" for number in range(101)]},
    *each("headers", {}, {"X-A": "b c"}, {"X A": "b"}, {"X-A": " b"}, None, []),
    *each("headers", {"X-A": ""}, {"X-A": 1}, {"X-A": "é"}, {"": "b"}),
    {"headers": {f"x-{number}": "a" for number in range(20)}},
    {"headers": {f"x-{number}": "a" for number in range(21)}},
    {"headers": {"x": text(3064)}},
    {"headers": {"x": text(3065)}},
    *each("batch_size", 1, 100, 0, 101, "1", True, 1.5, None),
    *each("enabled", True, False, 0, "true", None),
    {"colour": "red"},
    {"id": "wh_0000000000000001"},
]

NULLS: list[Object] = [{"program_ids": None}, {"description": None}]

CREATION_CHANGES: list[Object] = [
    *NULLS,
    *each("format", *format_names(), "zinrelo@1", "", None),
    {"format": "zinrelo", "secret": "hush-hush-hush-hush"},
    {"format": "zinrelo", "secret": "hush-hush"},
    {"format": "zinrelo", "batch_size": 100},
    {"format": "okendo", "batch_size": 2},
    {"format": "voucherify", "batch_size": 2},
    {"format": "zoho-thrive", "batch_size": 2},
    {"format_settings": {}},
    {"format_settings": {"event_name": "x"}, "format": "voucherify"},
    {"format_settings": {"signature_encoding": "base64"}, "format": "qualifio"},
    {"format_settings": {"signature_encoding": "octal"}, "format": "qualifio"},
    {"format_settings": {"colour": "red"}},
    *each("secret", "whsec_", "hush", "", None, 1),
]


EMAIL_CHANGES: list[Object] = [
    *each("notify_emails", [], ["a@b.c"], ["a@b.c", "a@b.c"], ["a@b.c", "d@e.f"], "a@b.c", None),
    *each("notify_emails", ["a"], ["a@b"], ["a b@c.d"], ["é@b.c"], ["a@b..c"], [""], [1]),
    *({"notify_emails": [f"{text(local)}@b.c"]} for local in (64, 65)),
    *({"notify_emails": [f"a@{text(length)}.b"]} for length in (250, 251)),
    *({"notify_emails": [f"a{number}@b.c" for number in range(most)]} for most in (10, 11)),
]

JOB_CHANGES: list[Object] = [
    {},
    *each("since", "2026-09-01", "", "2026-09-01T00:00:00+02:00", text(65), 1, None),
    *each("until", "2026-09-21T00:00:00Z", "2026-09-21", 1, None),
    *each("per_second", 1, 500, 0, 501, "1", True, 1.5, None),
    *each("dry_run", True, False, 0, "true", None),
    *each("event_types", ["a.b"], ["a.b", "a.b"], [], ["*"], ["A.b"], "a.b", None, [1]),
    *({"event_types": [f"a.b{number}" for number in range(most)]} for most in (200, 201)),
    *each("event_types", ["a." + text(126)], ["a." + text(127)]),
    {"colour": "red"},
]


def a_job(**members: Any) -> Job:  # noqa: ANN401
    """A job that has just been made, but for these members."""
    made: Object = {
        "id": ids.new_job_id(builders.NOW),
        "account_id": builders.ACCOUNT,
        "webhook_id": ids.new_webhook_id(),
        "kind": JobKind.RETRY_FAILED,
        "since": 0,
        "until": builders.NOW,
        "event_types": None,
        "per_second": 50,
        "status": JobStatus.QUEUED,
        "reason": None,
        "total": None,
        "sent": 0,
        "skipped": 0,
        "page": (),
        "page_batch": 1,
        "cursor": None,
        "turn": 0,
        "version": 1,
        "created_at": builders.NOW,
        "updated_at": builders.NOW,
        "finished_at": None,
    }
    return Job(**(made | members))


class OneRedrive:
    """SQS with one redrive that has just been started: redriving.MoveTasks."""

    def start(self, queue: RedriveQueue, max_per_second: int | None) -> None:
        """Done."""

    def recent(self, queue: RedriveQueue) -> list[Redrive]:
        return [
            Redrive(
                queue=queue,
                status="failed",
                moved=1,
                to_move=2,
                max_per_second=3,
                started_at=builders.NOW,
                failure="AWS.SimpleQueueService.NonExistentQueue",
                handle=None,
            )
        ]

    def cancel(self, redrive: Redrive) -> None:
        """Done."""


class OneEvent:
    """The index with one event, and more behind it: event_listing.EventsByHour."""

    def newest_of_hour(
        self, account_id: AccountId, since: int, place: Place, limit: int
    ) -> tuple[list[EventHeading], bool]:
        one = EventHeading(
            id=EventId("order-1001"), type="points.earned", accepted_at=since, program_id=None
        )
        return [one], True


def a_listing(now: int = builders.NOW) -> EventListing:
    return EventListing(OneEvent(), event_retention_days=30, clock=FakeClock(now))


def a_redriving() -> Redriving:
    return Redriving(OneRedrive(), FakeClock(builders.NOW))


def a_trying() -> Trying:
    """Tests of the one webhook of an account, each answered as if it had arrived."""
    items, clock = FakeConfigItems(), FakeClock(builders.NOW)
    items.put(builders.an_account(), builders.a_webhook())
    return Trying(
        webhooks=WebhookManagement(
            accounts=FakeAccountStore(items),
            webhooks=FakeWebhookStore(items),
            sealer=FakeSealer(),
            rules=RULES,
            most_webhooks=1,
            clock=clock,
        ),
        rules=RULES,
        counter=FakeTrialCounter(),
        dispatcher=FakeTrialDispatcher(),
        clock=clock,
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
            named("NewEvents"),
            body,
            lambda: parse_events(json.dumps(body).encode(), builders.any_data),
        )

    @pytest.mark.parametrize("missing", ["type", "data"])
    def test_an_event_lacks_nothing_for_both(self, missing: str) -> None:
        body = builders.event_body()
        del body[missing]

        agree(
            named("NewEvent"),
            body,
            lambda: parse_events(json.dumps(body).encode(), builders.any_data),
        )
        assert errors(named("NewEvent"), body)

    @pytest.mark.parametrize("change", [*WEBHOOK_CHANGES, *CREATION_CHANGES], ids=repr)
    def test_a_new_webhook_is_valid_for_both_or_neither(self, change: Object) -> None:
        body = builders.webhook_body(**change)

        agree(named("NewWebhook"), body, lambda: parse_webhook(body, RULES))

    @pytest.mark.parametrize("missing", ["name", "url", "event_types"])
    def test_a_new_webhook_lacks_nothing_for_both(self, missing: str) -> None:
        body = builders.webhook_body()
        del body[missing]

        agree(named("NewWebhook"), body, lambda: parse_webhook(body, RULES))
        assert errors(named("NewWebhook"), body)

    @pytest.mark.parametrize(
        "change",
        [
            *WEBHOOK_CHANGES,
            {"program_ids": None},
            {"description": None},
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

        assert (errors(named("EncodedSecret"), secret) == []) is (check_secret(secret) is None)
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
        agree(named("NewAccount"), body, lambda: parse_account(body))

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
        [("NewRetryFailed", JobKind.RETRY_FAILED), ("NewReplay", JobKind.REPLAY)],
        ids=["retry-failed", "replay"],
    )
    def test_a_job_is_valid_for_both_or_neither(
        self, name: str, kind: JobKind, change: Object
    ) -> None:
        body = {"since": "2026-09-01T00:00:00Z", **change}

        agree(named(name), body, lambda: parse_job(body, kind, builders.NOW))

    @pytest.mark.parametrize("kind", JobKind)
    def test_a_job_says_since_when_for_both(self, kind: JobKind) -> None:
        name = "NewReplay" if kind is JobKind.REPLAY else "NewRetryFailed"

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

        agree(named("NewWebhookTest"), body, lambda: try_new_webhook(body))

    @pytest.mark.parametrize(
        "body",
        [{}, *each("event_type", "a.b", "*", "", 1, None), {"colour": "red"}, {"url": "x"}],
        ids=repr,
    )
    def test_a_test_is_valid_for_both_or_neither(self, body: Object) -> None:
        agree(named("WebhookTest"), body, lambda: try_webhook(body))

    def test_a_test_of_a_new_webhook_is_its_creation_and_an_event_type(self) -> None:
        creation, test = schema("NewWebhook"), schema("NewWebhookTest")

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
        agree(named("NewApiKey"), body, lambda: parse_key(body))

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
        agree(named("NewConsoleLink"), body, lambda: parse_link(body))

    def test_a_console_link_works_as_long_as_the_contract_says(self) -> None:
        minutes = schema("NewConsoleLink")["properties"]["expires_in_minutes"]
        assert parse_link({}) == minutes["default"]
        assert minutes["maximum"] == signing_in.LONGEST_LINK_MINUTES
        said = operations()["createConsoleLink"][2]["description"]
        assert f"signed in for {signing_in.SESSION_HOURS} hours" in said

    def test_a_console_link_is_shown_as_the_contract_says(self) -> None:
        link = ConsoleLink(AccountId("acct_1"), LATER)
        token = new_api_key().removeprefix("pk_")
        assert errors(named("ConsoleLink"), link.shown("https://a.example/console", token)) == []

    @pytest.mark.parametrize(
        "body",
        [
            {},
            *each("overlap_hours", 0, 168, -1, 169, "1", None),
            *each("secret", builders.SECRET, "hush", None),
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
        ],
        ids=repr,
    )
    def test_a_retry_is_valid_for_both_or_neither(self, body: Object) -> None:
        agree(named("Retry"), body, lambda: parse_ids(body))

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
        agree(named("NewRedrive"), body, lambda: a_redriving().start(builders.an_operator(), body))

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
            ids.WebhookId(filters["webhook_id"]), JobStatus(filters["status"])
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
        assert query.keys() == {"limit", "type", "since", "until"}

    @pytest.mark.parametrize("name", ["type", "since", "until"])
    @pytest.mark.parametrize("value", ["A.b", "yesterday", ""])
    def test_a_filter_of_events_is_refused_by_both(self, name: str, value: str) -> None:
        validator = Draft202012Validator(parameter("listEvents", name))

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
            "testWebhook": lambda body: try_webhook(parse_object(body)),
            "retryFailedDeliveries": lambda body: parse_job(
                parse_object(body), JobKind.RETRY_FAILED, LATER
            ),
            "replayEvents": lambda body: parse_job(parse_object(body), JobKind.REPLAY, LATER),
            "createAccount": lambda body: parse_account(parse_object(body)),
            "updateAccount": lambda body: parse_account_change(parse_object(body)),
            "createApiKey": lambda body: parse_key(parse_object(body)),
            "createConsoleLink": lambda body: parse_link(parse_object(body)),
        }
        with_body = {name for name, each in operations().items() if "requestBody" in each[2]}
        assert with_body == parsers.keys()
        for name, parse in parsers.items():
            content = operations()[name][2]["requestBody"]["content"]["application/json"]
            examples = [each["value"] for each in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            for example in examples:
                parse(json.dumps(example).encode())


# ---- Answers: what the code shows ----


def shown_as(name: str, value: object) -> None:
    """The value fits the schema, which has all of its members and no more."""
    assert errors(named(name), value) == []
    assert isinstance(value, dict)
    assert set(value) == set(schema(name)["properties"])
    assert set(schema(name)["required"]) <= set(value)


class TestAnswers:
    def test_an_account(self) -> None:
        full = builders.an_account(notify_emails=("Ops@b.example", "c@d.example"))

        shown_as("Account", full.shown())
        shown = full.shown_with(confirmed={"ops@b.example"})
        assert errors(named("AccountWithNotices"), shown) == []
        notices = shown.pop("notify_emails")
        assert shown == full.shown()
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

        shown_as("ApiKey", key.shown())

    def test_a_webhook_with_nothing_and_with_everything(self) -> None:
        pause = Pause(builders.NOW, PauseReason.GONE)
        full = builders.a_webhook(
            description="Nightly",
            program_ids=("gold",),
            headers={"X-A": "b"},
            status=WebhookStatus.PAUSED,
            pause=pause,
        )

        shown_as("Webhook", builders.a_webhook().shown())
        shown_as("Webhook", full.shown())
        shown_as("Pause", pause.shown())

    def test_a_delivery_with_its_attempts(self) -> None:
        refused = builders.an_attempt()
        unanswered = builders.an_attempt(
            number=2, status_code=None, response=None, error=TransportError.DNS
        )
        delivery = builders.a_delivery(
            status=DeliveryStatus.RETRYING,
            reason=Reason.FORMAT,
            attempts=(refused, unanswered),
            due_at=builders.NOW,
        )
        shown = delivery.shown(builders.NOW, 300)

        shown_as("Delivery", shown)
        members = refused.shown().keys() | unanswered.shown().keys()
        assert members == schema("Attempt")["properties"].keys()
        assert {"reason", "next_attempt_at"}.isdisjoint(schema("Delivery")["required"])
        assert errors(named("Delivery"), builders.a_delivery().shown(builders.NOW, 300)) == []

    def test_an_event_and_what_became_of_it(self) -> None:
        items, deliveries = FakeEventItems(), FakeDeliveryItems()
        happened = builders.an_event(program_id="gold", occurred_at=builders.NOW)
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
        log = LogReading(
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
            shown_as("Redrive", redrive.shown())
        started = a_redriving().start(builders.an_operator(), {"queue": "events"}).shown()
        assert errors(named("Redrive"), started) == []
        assert started["status"] == "running"

    def test_an_event_of_the_list(self) -> None:
        page = a_listing().list(builders.ACCOUNT, {}, 1, None)

        for one in page.items:
            shown_as("ListedEvent", one)
        listed: Json = {"data": [*page.items], "next_cursor": page.next_cursor}
        assert errors(named("Events"), listed) == []

    def test_a_job_at_its_beginning_and_at_its_end(self) -> None:
        ended = a_job(
            kind=JobKind.REPLAY,
            event_types=("points.earned",),
            status=JobStatus.FAILED,
            reason=JobReason.PAUSED,
            total=12,
            finished_at=builders.NOW,
        )

        shown_as("Job", ended.shown())
        begun = a_job().shown()
        assert errors(named("Job"), begun) == []
        assert begun.keys() == set(schema("Job")["required"])

    def test_a_dry_run(self) -> None:
        shown_as("DryRun", DryRun(0, builders.NOW, 7, complete=True).shown())

    def test_the_outcome_of_a_test(self) -> None:
        request = Request(url="https://a.example/", headers={"X-A": "b", "c": "d"}, body=b"{}")
        sent = SentRequest(request, frozenset({"X-A"}))
        taken = Outcome(delivered=True, duration_ms=1, status_code=200, response="", sent=sent)
        lost = Outcome(delivered=False, duration_ms=1, error=TransportError.DNS, sent=sent)
        unsent = Outcome(delivered=False, duration_ms=0, error=Reason.FORMAT)

        for outcome in (taken, lost, unsent):
            assert errors(named("Outcome"), outcome.shown()) == []
        members = taken.shown().keys() | lost.shown().keys()
        assert members == schema("Outcome")["properties"].keys()
        shown_as("SentRequest", sent.shown())

    @pytest.mark.parametrize(
        "members", [{}, {"status_code": 200, "error": "dns"}], ids=["neither", "both"]
    )
    def test_an_outcome_has_a_status_code_or_an_error(self, members: Object) -> None:
        assert errors(named("Outcome"), {"delivered": False, "duration_ms": 1, **members})

    def test_the_result_of_a_retry(self) -> None:
        delivery_id = builders.a_delivery_message().delivery_id
        statuses = set(map(HTTPStatus, schema("RetryResult")["properties"]["status"]["enum"]))
        code = (ROOT / "functions" / "perkwire" / "retrying.py").read_text()

        assert {HTTPStatus[name] for name in re.findall(r"HTTPStatus\.([A-Z_]+)", code)} == statuses
        refused = RetryResult(delivery_id, HTTPStatus.CONFLICT, "The delivery is succeeded.")
        shown_as("RetryResult", refused.shown())
        sent = RetryResult(delivery_id, HTTPStatus.ACCEPTED)
        assert errors(named("RetryResult"), sent.shown()) == []

    def test_an_accepted_event(self) -> None:
        accepted = accepting.Accepted(ids.new_event_id(builders.NOW), duplicate=False)

        shown_as("AcceptedEvent", accepted.shown())

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


@pytest.mark.parametrize("name", ["api", "receiving", "security", "cost", "CHANGELOG"])
def test_a_guide_links_to_nothing_that_is_not_there(name: str) -> None:
    guide = ROOT / "docs" / f"{name}.md"
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", guide.read_text())

    assert [link for link in links if not (guide.parent / link).exists()] == []
