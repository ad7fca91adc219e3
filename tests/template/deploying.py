"""What a deployment asks of AWS, from CloudFormation's resource schemas and SAM CLI's own calls."""

import functools
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from samcli.lib.bootstrap import bootstrap
from samcli.lib.deploy import deployer
from samcli.lib.utils import managed_cloudformation_stack

from infra.parameters import load_template
from tests.iam.evaluator import Call, Context
from tests.template.stack import ROOT, inbox, observability, transformed

STACK = "perkwire"
REGION = "eu-west-1"
ACCOUNT = "123456789012"
_SAM_STACK = "aws-sam-cli-managed-default"
_SUFFIX = "1A2B3C4D5E6F"
_NESTED = f"{STACK}-ObservabilityStack-{_SUFFIX}"
_BUCKET = "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-1a2b3c"
_API = f"arn:aws:apigateway:{REGION}::/apis"

# The ARNs of a resource, from its name, that CloudFormation's calls for it may be about.
_ARNS: Mapping[str, tuple[str, ...]] = {
    "AWS::ApiGatewayV2::Api": (_API, f"{_API}/a1b2", f"{_API}/a1b2/routes/c3d4"),
    "AWS::ApiGatewayV2::Stage": (
        f"{_API}/a1b2/stages",
        f"{_API}/a1b2/stages/$default",
        f"arn:aws:apigateway:{REGION}::/tags/arn%3Aaws%3Aapigateway%3A{REGION}%3A%3A%2Fapis%2Fa1b2",
    ),
    "AWS::CloudFormation::Stack": (
        f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{{name}}/0f1e2d3c",
    ),
    "AWS::CloudWatch::Alarm": (f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{{name}}",),
    "AWS::CloudWatch::Dashboard": (f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/Dashboard-{_SUFFIX}",),
    "AWS::DynamoDB::Table": (f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{name}}",),
    "AWS::IAM::Policy": (f"arn:aws:iam::{ACCOUNT}:role/{STACK}-DispatcherRole-{_SUFFIX}",),
    "AWS::IAM::Role": (f"arn:aws:iam::{ACCOUNT}:role/{{name}}",),
    "AWS::KMS::Key": (f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c",),
    "AWS::Lambda::EventSourceMapping": (
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:0f1e2d3c",
    ),
    "AWS::Lambda::Function": (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{name}}",),
    "AWS::Lambda::LayerVersion": (
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{{name}}",
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{{name}}:1",
    ),
    "AWS::Lambda::Permission": (
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{STACK}-IngestFunction-{_SUFFIX}",
    ),
    "AWS::Logs::LogGroup": (f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{name}}",),
    "AWS::S3::Bucket": (_BUCKET,),
    "AWS::S3::BucketPolicy": (_BUCKET,),
    "AWS::SNS::Subscription": (
        f"arn:aws:sns:{REGION}:{ACCOUNT}:{STACK}-AlarmTopic-{_SUFFIX}",
        f"arn:aws:sns:{REGION}:{ACCOUNT}:{STACK}-AlarmTopic-{_SUFFIX}:0f1e2d3c",
    ),
    "AWS::SNS::Topic": (f"arn:aws:sns:{REGION}:{ACCOUNT}:{{name}}",),
    "AWS::SQS::Queue": (f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{name}}",),
    "AWS::SQS::QueuePolicy": (f"arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}-InboxQueue-{_SUFFIX}",),
}

# What the schema of one type asks of another: the code of a function, the role that it gets.
_ELSEWHERE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "AWS::Lambda::Function": {
        "s3": (f"{_BUCKET}/{STACK}/0f1e2d3c",),
        "iam": (f"arn:aws:iam::{ACCOUNT}:role/{STACK}-IngestRole-{_SUFFIX}",),
    },
    "AWS::ApiGatewayV2::Api": {"s3": (f"{_BUCKET}/{STACK}/0f1e2d3c",)},
    "AWS::Lambda::LayerVersion": {"s3": (f"{_BUCKET}/{STACK}/0f1e2d3c",)},
}

# The physical names of resources that the template names itself, by logical id.
_NAMED_BY = {
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Logs::LogGroup": "LogGroupName",
}

# AWS's pages and its machine-readable reference differ on whether these are asked of the topic.
_PERHAPS_WITHOUT_RESOURCE = {
    "sns:GetSubscriptionAttributes",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
}


@dataclass(frozen=True)
class Needed:
    """A permission of a type's schema, with the calls that it has to allow."""

    type: str
    action: str
    calls: tuple[Call, ...]


@functools.cache
def needed_by_resources() -> list[Needed]:
    """Every permission that the schemas name for the resources of a deployment."""
    found: dict[tuple[str, str], list[Call]] = {}
    for template, stack in _stacks():
        for logical_id, resource in template["Resources"].items():
            kind = resource["Type"]
            name = _name(stack, logical_id, resource)
            for action in _permissions(kind):
                calls = found.setdefault((kind, action), [])
                calls += [call for call in _calls(kind, action, name) if call not in calls]
    return [Needed(kind, action, tuple(calls)) for (kind, action), calls in sorted(found.items())]


def needed_by_sam() -> list[Call]:
    """What `sam deploy` calls of CloudFormation, for the stack and for the one of its bucket."""
    source = inspect.getsource(deployer) + inspect.getsource(managed_cloudformation_stack)
    # Its waiters call two of these.
    names = re.findall(r"_client\.(?:get_paginator\(\"(\w+)\"|(?!get_)(\w+)\()", source)
    names += re.findall(r"_client\.()(get_template_summary)\(", source)
    calls = []
    for name in sorted({paged or called for paged, called in names}):
        action = f"cloudformation:{name.title().replace('_', '')}"
        calls += [
            Call(action, f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack}/0f1e2d3c")
            for stack in (STACK, _SAM_STACK)
        ]
    transform = f"arn:aws:cloudformation:{REGION}:aws:transform/Serverless-2016-10-31"
    return [*calls, Call("cloudformation:CreateChangeSet", transform)]


def longest_names() -> dict[str, str]:
    """The longest physical name of each type."""
    found: dict[str, str] = {}
    for template, stack in _stacks():
        for logical_id, resource in template["Resources"].items():
            name = _name(stack, logical_id, resource)
            found[resource["Type"]] = max(found.get(resource["Type"], ""), name, key=len)
    return found


def types() -> set[str]:
    """The types of all resources of a deployment."""
    return {
        resource["Type"] for template, _ in _stacks() for resource in template["Resources"].values()
    }


@functools.cache
def deploy_role() -> list[dict[str, Any]]:
    """The statements of infra/deploy-role.yaml for the stack `perkwire`."""
    role = load_template(ROOT / "infra" / "deploy-role.yaml")["Resources"]["DeployRole"]
    (policy,) = role["Properties"]["Policies"]
    statements: list[dict[str, Any]] = _resolved(policy["PolicyDocument"]["Statement"])
    return statements


@functools.cache
def _stacks() -> list[tuple[dict[str, Any], str]]:
    return [
        (transformed(), STACK),
        (observability(), _NESTED),
        (inbox(), f"{STACK}-InboxObservabilityStack-{_SUFFIX}"),
        # The bucket of the artifacts, which `resolve_s3` has SAM CLI keep in a stack of its own.
        (json.loads(bootstrap._get_stack_template()), _SAM_STACK),
    ]


@functools.cache
def _permissions(kind: str) -> frozenset[str]:
    """What the handlers of a type, and its tags, may ask for."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    named = {
        permission
        for handler in schema["handlers"].values()
        for permission in handler["permissions"]
    }
    return frozenset(named | set(schema.get("tagging", {}).get("permissions", [])))


def _calls(kind: str, action: str, name: str) -> Iterator[Call]:
    service = action.partition(":")[0]
    context: Context = {"iam:passedtoservice": f"{kind.split('::')[1].lower()}.amazonaws.com"}
    if action == "kms:ScheduleKeyDeletion":
        context = {"aws:calledvia": ("cloudformation.amazonaws.com",)}
    if _is_without_resource(action):
        yield Call(action)
        return
    own = service == kind.split("::")[1].lower() or kind.startswith("AWS::ApiGatewayV2")
    elsewhere = _ELSEWHERE.get(kind, {}).get(service)
    for arn in elsewhere or (_ARNS[kind] if own else ("*",)):
        yield Call(action, arn.format(name=name), context)
    if action in _PERHAPS_WITHOUT_RESOURCE:
        yield Call(action)


def _name(stack: str, logical_id: str, resource: Mapping[str, Any]) -> str:
    given = resource.get("Properties", {}).get(_NAMED_BY.get(resource["Type"], ""))
    return str(_resolved(given)) if given else f"{stack}-{logical_id}-{_SUFFIX}"


@functools.cache
def _reference() -> dict[str, Any]:
    """AWS's Service Authorization Reference, as cfn-lint brings it."""
    file = resources.files("cfnlint.data.AdditionalSpecs") / "Policies.json"
    reference: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return reference


def _is_without_resource(action: str) -> bool:
    """Whether AWS knows no resource for an action, so that only `*` allows it."""
    service, _, name = action.lower().partition(":")
    known = _reference()[service]["Actions"].get(name)
    # Some that the schemas name are no rights of IAM's at all, and of some the reference is silent.
    return known is not None and "Resources" not in known


def _resolved(value: Any) -> Any:  # noqa: ANN401 - whatever a template may hold
    if isinstance(value, list):
        return [_resolved(one) for one in value]
    if isinstance(value, dict):
        if set(value) == {"Fn::Sub"}:
            return re.sub(r"\$\{([\w:]+)\}", lambda name: _PARAMETERS[name[1]], value["Fn::Sub"])
        if set(value) == {"Ref"}:
            return _PARAMETERS[value["Ref"]]
        return {key: _resolved(one) for key, one in value.items()}
    return value


_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK,
    "StackName": STACK,
}
