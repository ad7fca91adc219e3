"""The roles of template.yaml, their references resolved to the ARNs of a stack."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.iam.calls import Data, function_arn, key_arn, queue_arn, table_arn

type Statements = list[dict[str, Any]]
type Template = Mapping[str, Any]

_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "000000000000",
}


def policies(
    template: Template,
    arn_of: Callable[[str], str],
    stack_name: str,
    parameters: Mapping[str, str] | None = None,
) -> dict[str, Statements]:
    """What each function may do, by its name; `arn_of` knows a resource by its logical id.

    `parameters` are the stack's; without them they stay references. A policy of its own, which is
    there under a condition, counts as if it held: more than that no stack allows.
    """

    def resolved(value: Any) -> Any:  # noqa: ANN401 - whatever a template may hold
        match value:
            case {"Fn::GetAtt": [str(logical_id), "Arn"]}:
                return arn_of(logical_id)
            case {"Ref": str(name)} if name in (parameters or {}):
                return (parameters or {})[name]
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([\w:.]+)\}", lambda name: named(name[1]), text)
            case dict():
                return {key: resolved(one) for key, one in value.items()}
            case list():
                return [resolved(one) for one in value]
        return value

    def named(name: str) -> str:
        if name.endswith(".Arn"):
            return arn_of(name.removesuffix(".Arn"))
        if name in (parameters or {}):
            return (parameters or {})[name]
        return (_PSEUDO | {"AWS::StackName": stack_name}).get(name, name)

    found: dict[str, Statements] = {}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"]["Policies"]:
                found[policy["PolicyName"]] = resolved(policy["PolicyDocument"]["Statement"])
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Policy":
            for role in resource["Properties"]["Roles"]:
                # One that is of the policy under a condition counts as the policy does.
                reference = role["Fn::If"][1] if "Fn::If" in role else role
                function = str(reference["Ref"]).removesuffix("Role").lower()
                found[function] += resolved(resource["Properties"]["PolicyDocument"]["Statement"])
    return found


def data_of(template: Template, arn_of: Callable[[str], str]) -> Data:
    """What the template says of its tables and queues that the calls do not."""
    keys: dict[str, str] = {}
    sources: dict[str, list[str]] = {}
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::DynamoDB::Table":
            keys[""] = _partition_key(properties)
            for index in properties.get("GlobalSecondaryIndexes", []):
                keys[index["IndexName"]] = _partition_key(index)
        if "RedrivePolicy" in properties:
            target = properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
            sources.setdefault(arn_of(target), []).append(arn_of(logical_id))
    return Data(keys, sources)


def arns(template: Template, physical_ids: Mapping[str, str]) -> Callable[[str], str]:
    """The ARN of a resource by its logical id, from what CloudFormation says of a stack.

    What is not in the stack, such as functions that run elsewhere, is known by its logical id.
    """

    def arn_of(logical_id: str) -> str:
        physical_id = physical_ids.get(logical_id, logical_id)
        match template["Resources"][logical_id]["Type"]:
            case "AWS::DynamoDB::Table":
                return table_arn(physical_id)
            case "AWS::SQS::Queue":
                return queue_arn(physical_id)
            case "AWS::KMS::Key":
                return key_arn(physical_id)
            case "AWS::Lambda::Function":
                return function_arn(physical_id)
            case "AWS::Logs::LogGroup":
                return f"arn:aws:logs:us-east-1:000000000000:log-group:{physical_id}"
        raise KeyError(f"no ARN of {logical_id} is known")

    return arn_of


def _partition_key(schema: Mapping[str, Any]) -> str:
    (name,) = (key["AttributeName"] for key in schema["KeySchema"] if key["KeyType"] == "HASH")
    return str(name)
