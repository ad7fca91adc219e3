"""The real handlers in this process, on the queues, tables and key of a stack on the emulator."""

import functools
import io
import json
import logging
import sys
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar, Self

import pytest
from mypy_boto3_sqs import SQSClient
from mypy_boto3_sqs.type_defs import MessageTypeDef

import authorizer.app
import console.app
import dispatcher.app
import ingest.app
import jobs.app
import management.app
import router.app
from infra.local.emulator import Emulator
from infra.parameters import resolve
from tests.aws_events import (
    Context,
    authorizer_event,
    http_api_event,
    json_body,
    sqs_event_of,
)
from tests.iam.calls import queue_arn, table_arn
from tests.invariant import bodies_in
from tests.second_opinion import MotoServer

APPS: Mapping[str, ModuleType] = {
    "authorizer": authorizer.app,
    "ingest": ingest.app,
    "router": router.app,
    "dispatcher": dispatcher.app,
    "management": management.app,
    "jobs": jobs.app,
    "console": console.app,
}
# The interval is longer than any test, and an answer may take as long as a machine that stands
# still for a moment needs: those that are about waiting shorten both for themselves.
PARAMETERS = {
    "MaxAttempts": "3",
    "RetryIntervalSeconds": "60",
    "EndpointTimeoutSeconds": "20",
    "MaxWebhooksPerAccount": "10",
}

_DATA = ("AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::KMS::Key")
STACK_NAME = "integration"


class Output(io.StringIO):
    """What the functions write, of one test at a time; standard output has it too."""

    def write(self, text: str) -> int:
        sys.stdout.write(text)
        return super().write(text)

    def forget(self) -> None:
        self.seek(0)
        self.truncate()

    def lines(self) -> list[dict[str, Any]]:
        """The lines of the log."""
        return [json.loads(line) for line in self.getvalue().splitlines()]


_OUTPUT = Output()


@dataclass(frozen=True)
class Stack:
    """The data resources of template.yaml, as CloudFormation has made them, and no functions."""

    emulator: Emulator | MotoServer
    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    resources: Mapping[str, str]
    outputs: Mapping[str, str]
    # The ARNs of what a test has functions find instead of a resource, with that resource's.
    substitutes: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def create(cls, emulator: Emulator | MotoServer, template: Mapping[str, Any]) -> Self:
        parameters = resolve(template, PARAMETERS, local=True)
        kept = {
            name: {**resource, "Properties": _without_expiry(resource["Properties"])}
            for name, resource in template["Resources"].items()
            if resource["Type"] in _DATA
        }
        cloudformation = emulator.client("cloudformation")
        cloudformation.create_stack(
            StackName=STACK_NAME,
            TemplateBody=json.dumps(
                {
                    "Parameters": template["Parameters"],
                    "Conditions": template["Conditions"],
                    "Resources": kept,
                    "Outputs": {
                        f"{name}{attribute}": {"Value": {"Fn::GetAtt": [name, attribute]}}
                        for name, attribute in _attributes(template)
                        if name in kept
                    },
                },
                default=str,
            ),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=STACK_NAME, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )
        described = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
        resources = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in described}
        described = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}
        return cls(emulator, template, parameters, resources, outputs)

    def client(self, service: str) -> Any:  # noqa: ANN401 - one of boto3's generated classes
        """A client of the emulator: one for each service, as making one takes its time."""
        if service not in self._clients:
            self._clients[service] = self.emulator.client(service)
        return self._clients[service]

    @property
    def aws_environment(self) -> dict[str, str]:
        """What an AWS client finds in the environment of a function here."""
        return {
            "AWS_ENDPOINT_URL": self.emulator.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }

    def environment(self, app: str) -> dict[str, str]:
        """The variables that the template gives a function."""
        function = self.template["Resources"][f"{app.capitalize()}Function"]["Properties"]
        variables = {
            **self.template["Globals"]["Function"]["Environment"]["Variables"],
            **function["Environment"]["Variables"],
        }
        values = {name: self._chosen(value) for name, value in variables.items()}
        return {
            name: self._value(value)
            for name, value in values.items()
            if value != {"Ref": "AWS::NoValue"}
        }

    def _chosen(self, value: object) -> object:
        """What is left of a value by the conditions that hold for this stack."""
        match value:
            case {"Fn::If": [str(condition), yes, no]}:
                (named, wanted) = self.template["Conditions"][condition]["Fn::Equals"]
                return self._chosen(yes if self._value(named) == wanted else no)
        return value

    def substitute(self, variable: str, resource: str, other: str) -> None:
        """What is allowed of a resource is allowed of what stands for it, though it be nothing."""
        for ending, arn in (("_TABLE", table_arn), ("_QUEUE_URL", queue_arn)):
            if other and variable.endswith(ending):
                self.substitutes[arn(other)] = arn(resource)

    def _value(self, value: object) -> str:
        """What a reference of the template stands for; of what is not here, its name."""
        match value:
            case {"Ref": "AWS::StackName"}:
                return STACK_NAME
            case {"Ref": str(name)}:
                return self.parameters.get(name, self.resources.get(name, name))
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self.outputs.get(f"{name}{attribute}", name)
            case str() | int():
                return str(value)
        raise AssertionError(f"a variable of the template is no plain reference: {value}")


def _without_expiry(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The emulator removes what has expired once a minute, by its own clock; tests have theirs."""
    return {name: one for name, one in properties.items() if name != "TimeToLiveSpecification"}


def _attributes(template: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Those of resources that the functions find in their environments."""
    functions = (
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    )
    values = (
        value for function in functions for value in function["Environment"]["Variables"].values()
    )
    chosen = (value["Fn::If"][1] if "Fn::If" in value else value for value in values)
    return {
        (value["Fn::GetAtt"][0], value["Fn::GetAtt"][1])
        for value in chosen
        if isinstance(value, dict) and "Fn::GetAtt" in value
    }


@dataclass(frozen=True)
class Response:
    """What the API answered."""

    status: int
    json: Any
    content_type: str | None


@dataclass(frozen=True)
class Polled:
    """One invocation by an event source mapping: what it got, and what it left for SQS."""

    messages: list[MessageTypeDef]
    left: list[MessageTypeDef]
    _sqs: SQSClient
    _queue_url: str

    def return_at_once(self) -> None:
        """Let the time-out of the messages that were left be over now."""
        for message in self.left:
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url,
                ReceiptHandle=message["ReceiptHandle"],
                VisibilityTimeout=0,
            )


class System:
    """All functions of a stack, their environment as the template has it."""

    _started_with: ClassVar[dict[str, Mapping[str, str]]] = {}

    def __init__(self, stack: Stack, patch: pytest.MonkeyPatch) -> None:
        self.stack = stack
        self._patch = patch
        self.secrets: set[str] = set()
        self.refused: list[str] = []
        self.output = _OUTPUT
        self.output.forget()
        self.sqs: SQSClient = stack.client("sqs")
        self.restart()

    def restart(self, **changes: str) -> None:
        """Begin again with variables other than the template's.

        Functions that find what they found before have no cold start, which takes its time.
        """
        given = {app: self.stack.environment(app) for app in APPS}
        every = {name for variables in given.values() for name in variables}
        for app, variables in given.items():
            for name in variables.keys() & changes.keys():
                self.stack.substitute(name, variables[name], changes[name])
            found = self.stack.aws_environment | variables
            found |= {
                name: value
                for name, value in changes.items()
                if name in variables or name not in every
            }
            for name, value in found.items():
                self._patch.setenv(name, value)
            if found != System._started_with.get(app):
                System._started_with[app] = found
                self.cold_start(app)

    def cold_start(self, *apps: str) -> None:
        """Have these functions, or all, build what they need anew, at their next invocation."""
        for app in apps or APPS:
            for member in vars(APPS[app]).values():
                if isinstance(member, functools._lru_cache_wrapper):
                    member.cache_clear()
            if hasattr(APPS[app], "_telemetry"):
                APPS[app]._telemetry()
            for handler in logging.getLogger(app).handlers:
                # Its own is what standard output was at the logger's first use: another test's.
                if isinstance(handler, logging.StreamHandler):
                    handler.stream = _OUTPUT

    def queue(self, name: str) -> str:
        """A queue's URL, by its name in the template."""
        return self.stack.resources[name]

    def bodies(self, queue: str) -> list[str]:
        """What is in a queue, received by no one."""
        return bodies_in(self.stack.emulator.url, self.queue(queue))

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """What is in a queue, read."""
        return [json.loads(body) for body in self.bodies(queue)]

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of a table, as DynamoDB has them."""
        dynamodb = self.stack.client("dynamodb")
        pages = dynamodb.get_paginator("scan").paginate(TableName=self.stack.resources[table])
        return [item for page in pages for item in page["Items"]]

    def new_items(self, table: str, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What is there now and was not, or not so."""
        return [item for item in self.items(table) if item not in before]

    def empty_queues(self) -> None:
        """Forget all messages."""
        for name, resource in self.stack.template["Resources"].items():
            if resource["Type"] == "AWS::SQS::Queue":
                self.sqs.purge_queue(QueueUrl=self.queue(name))

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Response:
        """A request with an API key, through the authorizer; bytes go as they are."""
        sent = {"Authorization": f"Bearer {key}", **(headers or {})}
        admission = authorizer.app.handler(authorizer_event(sent), Context())
        if not admission["isAuthorized"]:
            return Response(403, {"message": "Forbidden"}, "application/json")
        event = http_api_event(
            method,
            path,
            body=body if isinstance(body, bytes) else json.dumps(body).encode() if body else None,
            headers=sent,
            query=query,
            authorizer=admission["context"],
        )
        app = ingest.app if (method, path) == ("POST", "/v1/events") else management.app
        answer = app.handler(event, Context())
        given = answer.get("headers") or {}
        content_type = next(
            (value for name, value in given.items() if name.lower() == "content-type"), None
        )
        if answer["statusCode"] >= 400:
            self.refused.append(answer["body"])
        return Response(answer["statusCode"], json_body(answer), content_type)

    def leaks(self) -> list[str]:
        """The secrets that a line of the functions or a problem document shows."""
        shown = self.output.getvalue() + "\n".join(self.refused)
        return [secret for secret in self.secrets if secret in shown]

    def poll(self, queue: str, app: str, *, most: int = 10) -> Polled:
        """One invocation of a function with what is in its queue, as a mapping makes it."""
        url = self.queue(queue)
        messages = self.receive(queue, most)
        if not messages:
            return Polled([], [], self.sqs, url)
        answer = APPS[app].handler(sqs_event_of(messages, queue_arn(url)), Context())
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        assert failed <= {message["MessageId"] for message in messages}
        for message in messages:
            if message["MessageId"] not in failed:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        left = [message for message in messages if message["MessageId"] in failed]
        return Polled(messages, left, self.sqs, url)

    def receive(self, queue: str, most: int = 10, *, for_seconds: int = 60) -> list[MessageTypeDef]:
        """Receive from a queue, as a mapping does; the messages are hidden for so long."""
        return self.sqs.receive_message(
            QueueUrl=self.queue(queue),
            MaxNumberOfMessages=most,
            VisibilityTimeout=for_seconds,
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])

    def route(self) -> None:
        """Invoke the router until EventQueue has nothing more to give."""
        while self.poll("EventQueue", "router").messages:
            pass

    def dispatch(self, *, most: int = 10) -> Polled:
        """Invoke the dispatcher once with what is in the prompt lane, or else in the slow one."""
        prompt = self.poll("DeliveryQueue", "dispatcher", most=most)
        return (
            prompt if prompt.messages else self.poll("SlowDeliveryQueue", "dispatcher", most=most)
        )

    def dispatch_all(self) -> None:
        """Invoke the dispatcher, each retry at once, until both lanes are empty."""
        while (polled := self.dispatch()).messages:
            polled.return_at_once()


class Tenant:
    """An account, through its own API key. Fulfils `tests.invariant.Evidence`."""

    def __init__(self, system: System, operator_key: str) -> None:
        self.system = system
        made = system.call("POST", "/v1/accounts", {"name": "Brew & Bean"}, key=operator_key)
        assert made.status == 201, made
        self.id: str = made.json["id"]
        self._operator_key = operator_key
        self.key = self.new_key("events", "webhooks")

    def new_key(self, *scopes: str) -> str:
        """Another API key of the account."""
        answer = self.system.call(
            "POST",
            f"/v1/accounts/{self.id}/api-keys",
            {"name": "tests", "scopes": [*scopes]},
            key=self._operator_key,
        )
        assert answer.status == 201, answer
        key: str = answer.json["key"]
        self.system.secrets.add(key)
        return key

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Response:
        """A request with the account's key."""
        return self.system.call(method, path, body, key=self.key, headers=headers, query=query)

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - whatever JSON was answered
        """What there is at a path; fails for anything but 200."""
        answer = self.call("GET", path, query=query)
        assert answer.status == 200, answer
        return answer.json

    def webhook(self, url: str, **fields: object) -> dict[str, Any]:
        """A new webhook for all events, with its secret."""
        asked = {"name": "orders", "url": url, "event_types": ["*"], **fields}
        answer = self.call("POST", "/v1/webhooks", asked)
        assert answer.status == 201, answer
        webhook: dict[str, Any] = answer.json
        self.system.secrets.add(webhook["secret"])
        headers = fields.get("headers")
        if isinstance(headers, Mapping):
            self.system.secrets.update(headers.values())
        return webhook

    def post(self, *events: Mapping[str, Any]) -> list[str]:
        """Post events; their ids."""
        answer = self.call("POST", "/v1/events", {"events": [*events]})
        assert answer.status == 202, answer
        return [event["id"] for event in answer.json["events"]]

    def an_event(self, event_type: str = "points.earned", **fields: object) -> dict[str, Any]:
        """An event about a member whom no log line may name."""
        email = f"{uuid.uuid4().hex}@member.example"
        self.system.secrets.add(email)
        data = {
            "member": {"id": "mbr_1", "email": email},
            "transaction": {"id": "txn_1", "points": 120},
            "tier": {"current": {"name": "Gold"}},
        }
        return {"type": event_type, "data": data, **fields}

    def some_events(self, count: int) -> list[dict[str, Any]]:
        """Several events, each of another member."""
        return [self.an_event() for _ in range(count)]

    def deliveries(self, **query: str) -> list[dict[str, Any]]:
        """The log, newest first."""
        listed: list[dict[str, Any]] = self.get("/v1/deliveries", **query)["data"]
        return listed

    def event(self, event_id: str) -> dict[str, Any] | None:
        return self._found(f"/v1/events/{event_id}")

    def delivery(self, delivery_id: str) -> dict[str, Any] | None:
        return self._found(f"/v1/deliveries/{delivery_id}")

    def waiting(self) -> list[str]:
        queues = ("EventQueue", "PacingQueue", "DeliveryQueue", "SlowDeliveryQueue")
        return [body for queue in queues for body in self.system.bodies(queue)]

    def dead(self) -> list[str]:
        return self.system.bodies("DeadLetterQueue")

    def _found(self, path: str) -> dict[str, Any] | None:
        answer = self.call("GET", path)
        assert answer.status in (200, 404), answer
        found: dict[str, Any] = answer.json
        return found if answer.status == 200 else None


def matched(
    event_ids: Sequence[str], *webhooks: Mapping[str, Any]
) -> Mapping[str, Collection[str]]:
    """All of these events at all of these webhooks, as the invariant wants to know it."""
    return {event_id: [webhook["id"] for webhook in webhooks] for event_id in event_ids}


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait for a condition; fail with `what` is missing when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.02)


def strings_in(value: object) -> Iterator[str]:
    """Every string in some JSON, or in an item of DynamoDB, binaries as Latin-1."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("latin-1")
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield str(name)
            yield from strings_in(member)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from strings_in(item)
