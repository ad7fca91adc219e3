"""What an AWS call asks of IAM: the actions, on which resources, with which condition keys.

From the pages of the Service Authorization Reference, and for DynamoDB's keys from "Using IAM
policy conditions for fine-grained access control". A call that is not here raises `Unjudgeable`.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from tests.iam.evaluator import Call, Context, Unjudgeable

type Json = Mapping[str, Any]

_REGION = "us-east-1"
_ACCOUNT = "000000000000"

# SQS has no rights of their own for batches.
_SQS_BATCHES = {
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}
_SQS = {
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ReceiveMessage",
    "SendMessage",
}
# A message move task works with the rights of the one who asks for it.
_SQS_MOVES = {"StartMessageMoveTask", "CancelMessageMoveTask", "ListMessageMoveTasks"}
_MOVED_FROM = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_IN_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_INSERT = re.compile(
    r"""INSERT INTO "(?P<table>[\w.-]+)" VALUE \{(?P<members>('\w+': \?(, )?)+)\}"""
)
# Words of expressions; a function's name has its bracket behind it, as IN has.
_WORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN"}
# How calls named attributes before there were expressions.
_OF_OLD = {
    "AttributeUpdates",
    "AttributesToGet",
    "Expected",
    "KeyConditions",
    "QueryFilter",
    "ScanFilter",
}


@dataclass(frozen=True)
class Data:
    """What a call does not say itself.

    `partition_keys` has the names of those of indexes, and that of all tables under ''; `sources`
    the ARNs of the queues whose messages become dead letters, by that of their dead-letter queue.
    """

    partition_keys: Mapping[str, str]
    sources: Mapping[str, list[str]]

    def asked(self, service: str, operation: str, parameters: Json) -> list[Call]:
        """What IAM is asked for a call of botocore; raises Unjudgeable."""
        match service:
            case "dynamodb":
                return [*self._dynamodb(operation, parameters)]
            case "sqs":
                return [*self._sqs(operation, parameters)]
            case "kms":
                return [_kms(operation, parameters)]
            case "sns":
                return [*_sns(operation, parameters)]
            case "ses" if operation == "SendEmail":
                return [_mail(parameters)]
            case "events" if operation == "PutEvents":
                return [*_signals(parameters)]
            case "lambda" if operation == "Invoke":
                return [Call("lambda:InvokeFunction", function_arn(parameters["FunctionName"]))]
            case "cloudwatch" if operation == "GetMetricData":
                return [Call("cloudwatch:GetMetricData")]
        raise Unjudgeable(f"no rule for the call {service}:{operation}")

    def _dynamodb(self, operation: str, parameters: Json) -> Iterator[Call]:
        match operation:
            case "BatchGetItem":
                for table, asked in parameters["RequestItems"].items():
                    yield _items(operation, table, asked["Keys"], _context(asked, reads=True))
            case "BatchWriteItem":
                for table, requests in parameters["RequestItems"].items():
                    written = [
                        request["PutRequest"]["Item"]
                        if "PutRequest" in request
                        else request["DeleteRequest"]["Key"]
                        for request in requests
                    ]
                    names = {name for item in written for name in item}
                    context = {"dynamodb:attributes": sorted(names)}
                    yield _items(operation, table, written, context)
            case "BatchExecuteStatement":
                for statement in parameters["Statements"]:
                    yield self._inserted(statement)
            case "TransactWriteItems":
                for entry in parameters["TransactItems"]:
                    ((kind, asked),) = entry.items()
                    context = _context(asked) | {"dynamodb:enclosingoperation": operation}
                    yield _items(_IN_TRANSACTION[kind], asked["TableName"], _keys(asked), context)
            case "TransactGetItems":
                for entry in parameters["TransactItems"]:
                    asked = entry["Get"]
                    context = _context(asked, reads=True) | {
                        "dynamodb:enclosingoperation": operation
                    }
                    yield _items("GetItem", asked["TableName"], _keys(asked), context)
            case "GetItem":
                context = _context(parameters, reads=True)
                yield _items(operation, parameters["TableName"], _keys(parameters), context)
            case "PutItem" | "UpdateItem" | "DeleteItem":
                context = _context(parameters)
                context["dynamodb:returnvalues"] = parameters.get("ReturnValues", "NONE")
                yield _items(operation, parameters["TableName"], _keys(parameters), context)
            case "Query":
                index = parameters.get("IndexName", "")
                context = _context(parameters, reads=True)
                context["dynamodb:leadingkeys"] = [self._queried(index, parameters)]
                table = table_arn(parameters["TableName"])
                yield Call("dynamodb:Query", f"{table}/index/{index}" if index else table, context)
            case _:
                raise Unjudgeable(f"no rule for the call dynamodb:{operation}")

    def _inserted(self, statement: Json) -> Call:
        """PartiQL's INSERT, whose members are all parameters."""
        inserted = _INSERT.fullmatch(statement["Statement"])
        if inserted is None:
            raise Unjudgeable("a statement that is no INSERT of parameters")
        names = re.findall(r"'(\w+)': \?", inserted["members"])
        item = dict(zip(names, statement["Parameters"], strict=True))
        context = {"dynamodb:attributes": sorted(names)}
        return _items("PartiQLInsert", inserted["table"], [item], context)

    def _queried(self, index: str, parameters: Json) -> str:
        """The value of the partition key that a query asks for."""
        names: Mapping[str, str] = parameters.get("ExpressionAttributeNames", {})
        for name, value in re.findall(
            r"(#?\w+)\s*=\s*(:\w+)", parameters["KeyConditionExpression"]
        ):
            if names.get(name, name) == self.partition_keys[index]:
                return _text(parameters["ExpressionAttributeValues"][value])
        raise Unjudgeable("a query without its partition key")

    def _sqs(self, operation: str, parameters: Json) -> Iterator[Call]:
        action = _SQS_BATCHES.get(operation, operation)
        if action in _SQS:
            yield Call(f"sqs:{action}", queue_arn(parameters["QueueUrl"]))
        elif action in _SQS_MOVES:
            yield from self._move(action, parameters)
        else:
            raise Unjudgeable(f"no rule for the call sqs:{operation}")

    def _move(self, action: str, parameters: Json) -> Iterator[Call]:
        if action == "CancelMessageMoveTask":
            arn = json.loads(base64.b64decode(parameters["TaskHandle"]))["sourceArn"]
        else:
            arn = parameters["SourceArn"]
        yield Call(f"sqs:{action}", arn)
        if action == "StartMessageMoveTask":
            yield from (Call(f"sqs:{one}", arn) for one in _MOVED_FROM)
            named = parameters.get("DestinationArn")
            for destination in [named] if named else self.sources[arn]:
                yield Call("sqs:SendMessage", destination)


def table_arn(name: str) -> str:
    """The ARN of a table, which a call may name by it too."""
    known = name.startswith("arn:")
    return name if known else f"arn:aws:dynamodb:{_REGION}:{_ACCOUNT}:table/{name}"


def queue_arn(url: str) -> str:
    """The ARN of the queue at a URL."""
    _, account, name = url.rsplit("/", 2)
    return f"arn:aws:sqs:{_REGION}:{account}:{name}"


def key_arn(key_id: str) -> str:
    """The ARN of a key, which a call may name by it too."""
    known = key_id.startswith("arn:")
    return key_id if known else f"arn:aws:kms:{_REGION}:{_ACCOUNT}:key/{key_id}"


def function_arn(name: str) -> str:
    """The ARN of a function, which a call may name by it too."""
    known = name.startswith("arn:")
    return name if known else f"arn:aws:lambda:{_REGION}:{_ACCOUNT}:function:{name}"


def _items(action: str, table: str, keys: list[Json], context: Context) -> Call:
    leading = sorted({_text(key["pk"]) for key in keys})
    return Call(
        f"dynamodb:{action}", table_arn(table), {**context, "dynamodb:leadingkeys": leading}
    )


def _keys(parameters: Json) -> list[Json]:
    return [parameters.get("Key") or parameters["Item"]]


def _context(parameters: Json, *, reads: bool = False) -> dict[str, Any]:
    """The attributes that a call names; a read without a projection is of all of them."""
    if old := sorted(_OF_OLD & parameters.keys()):
        raise Unjudgeable(f"no rule for {old[0]}")
    named = {*parameters.get("ExpressionAttributeNames", {}).values()}
    for name, expression in parameters.items():
        if name.endswith("Expression"):
            named |= {*_named_outright(expression)}
    named |= {*parameters.get("Key", {}), *parameters.get("Item", {})}
    named |= {name for key in parameters.get("Keys", []) for name in key}
    context: dict[str, Any] = {"dynamodb:attributes": sorted(named)}
    if reads:
        projected = "ProjectionExpression" in parameters
        context["dynamodb:select"] = "SPECIFIC_ATTRIBUTES" if projected else "ALL_ATTRIBUTES"
    return context


def _named_outright(expression: str) -> Iterator[str]:
    """Attributes that an expression names without a `#`; what follows a dot is inside of one."""
    for found in re.finditer(r"(?<![\w#:.])[A-Za-z_]\w*(?!\w)(?!\s*\()", expression):
        if found[0].upper() not in _WORDS:
            yield found[0]


def _text(value: Json) -> str:
    ((_, found),) = value.items()
    return str(found)


def _kms(operation: str, parameters: Json) -> Call:
    bound: Mapping[str, str] = parameters.get("EncryptionContext", {})
    context: dict[str, Any] = {
        f"kms:encryptioncontext:{name}".lower(): value for name, value in bound.items()
    }
    context["kms:encryptioncontextkeys"] = sorted(bound)
    return Call(f"kms:{operation}", key_arn(parameters["KeyId"]), context)


def _mail(parameters: Json) -> Call:
    """The identity is the sender's address, or its domain: both are below `identity/`."""
    sender = parseaddr(parameters["Source"])[1]
    arn = f"arn:aws:ses:{_REGION}:{_ACCOUNT}:identity/{sender}"
    return Call("ses:SendEmail", arn, {"ses:fromaddress": sender})


def _signals(parameters: Json) -> Iterator[Call]:
    """One for each bus, with the sources of what goes there."""
    entries: list[Json] = parameters["Entries"]
    for bus in sorted({entry.get("EventBusName", "default") for entry in entries}):
        sources = {one["Source"] for one in entries if one.get("EventBusName", "default") == bus}
        yield Call("events:PutEvents", bus_arn(bus), {"events:source": sorted(sources)})


def bus_arn(name: str) -> str:
    """The ARN of an event bus, which a call may name by it too."""
    known = name.startswith("arn:")
    return name if known else f"arn:aws:events:{_REGION}:{_ACCOUNT}:event-bus/{name}"


def _sns(operation: str, parameters: Json) -> Iterator[Call]:
    match operation:
        case "CreateTopic":
            arn = f"arn:aws:sns:{_REGION}:{_ACCOUNT}:{parameters['Name']}"
            yield Call("sns:CreateTopic", arn)
            if parameters.get("Tags"):
                yield Call("sns:TagResource", arn)
        case "Subscribe":
            context = {
                "sns:protocol": parameters["Protocol"],
                "sns:endpoint": parameters.get("Endpoint", ""),
            }
            yield Call("sns:Subscribe", parameters["TopicArn"], context)
        case "Unsubscribe":
            # IAM knows no subscriptions as resources.
            yield Call("sns:Unsubscribe")
        case "Publish" | "ListSubscriptionsByTopic" | "SetTopicAttributes" | "GetTopicAttributes":
            yield Call(f"sns:{operation}", parameters["TopicArn"])
        case _:
            raise Unjudgeable(f"no rule for the call sns:{operation}")
