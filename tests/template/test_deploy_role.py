"""infra/deploy-role.yaml allows what a deployment needs, by CloudFormation's own schemas."""

import pytest

from infra.parameters import load_template
from tests.iam.evaluator import Call, as_list, judge
from tests.template.deploying import (
    ACCOUNT,
    REGION,
    STACK,
    deploy_role,
    longest_names,
    needed_by_resources,
    needed_by_sam,
    types,
)
from tests.template.stack import ROOT

ARN = f"{REGION}:{ACCOUNT}"

# What the schemas name and no deployment of ours comes to: why, type, and the actions.
NEVER: dict[str, dict[str, set[str]]] = {
    "A deployment knows its resources and lists none.": {
        "AWS::CloudFormation::Stack": {"cloudformation:ListStacks"},
        "AWS::CloudWatch::Dashboard": {"cloudwatch:ListDashboards"},
        "AWS::DynamoDB::Table": {"dynamodb:ListTables"},
        "AWS::IAM::Role": {"iam:ListRoles"},
        "AWS::KMS::Key": {"kms:ListKeys"},
        "AWS::Lambda::EventSourceMapping": {"lambda:ListEventSourceMappings"},
        "AWS::Lambda::Function": {"lambda:ListFunctions"},
        "AWS::Lambda::LayerVersion": {"lambda:ListLayerVersions"},
        "AWS::S3::Bucket": {"s3:ListAllMyBuckets"},
        "AWS::S3::BucketPolicy": {"s3:ListAllMyBuckets"},
        "AWS::SNS::Subscription": {"sns:ListSubscriptions"},
        "AWS::SNS::Topic": {"sns:ListTopics"},
        "AWS::SQS::Queue": {"sqs:ListQueues"},
    },
    "The nested stack is made with the rights of the one who deploys, without a role of its own.": {
        "AWS::CloudFormation::Stack": {"iam:PassRole"},
    },
    "No table has replicas, streams to Kinesis, or is imported from S3.": {
        "AWS::DynamoDB::Table": {
            "iam:CreateServiceLinkedRole",
            "kinesis:DescribeStream",
            "kinesis:PutRecords",
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
            "logs:PutRetentionPolicy",
            "s3:GetObject",
            "s3:GetObjectMetadata",
            "s3:ListBucket",
        },
    },
    "The key that AWS manages for DynamoDB lets in whoever comes through DynamoDB.": {
        "AWS::DynamoDB::Table": {
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:ListAliases",
            "kms:RevokeGrant",
        },
    },
    "The roles have inline policies alone, and no boundary, and `UpdateRole` sets descriptions.": {
        "AWS::IAM::Role": {
            "iam:AttachRolePolicy",
            "iam:DetachRolePolicy",
            "iam:PutRolePermissionsBoundary",
            "iam:DeleteRolePermissionsBoundary",
            "iam:UpdateRoleDescription",
        },
    },
    "The policies of signals and the inbox are of roles alone.": {
        "AWS::IAM::Policy": {
            f"iam:{verb}{whose}Policy"
            for verb in ("Get", "Put", "Delete")
            for whose in ("User", "Group")
        },
    },
    "The key is enabled and rotates from the beginning, for good.": {
        "AWS::KMS::Key": {"kms:DisableKey", "kms:EnableKey", "kms:DisableKeyRotation"},
    },
    "No function and no mapping has a key of ours for its environment or its filters.": {
        "AWS::Lambda::EventSourceMapping": {
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:GenerateDataKey",
        },
        "AWS::Lambda::Function": {
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
        },
    },
    "No function is in a network of ours or mounts a file system.": {
        "AWS::Lambda::Function": {
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
            "elasticfilesystem:DescribeMountTargets",
            "s3files:ListMountTargets",
        },
    },
    "No log group is delivered elsewhere, has a policy of its own or indexed fields.": {
        "AWS::Logs::LogGroup": {
            "firehose:TagDeliveryStream",
            "logs:DeleteIndexPolicy",
            "logs:DeleteResourcePolicy",
            "logs:PutIndexPolicy",
            "s3:REST.PUT.OBJECT",
        },
    },
    "SAM's bucket is not replicated, and keeps no tables of its own metadata.": {
        "AWS::S3::Bucket": {
            "iam:PassRole",
            "s3tables:CreateNamespace",
            "s3tables:CreateTable",
            "s3tables:CreateTableBucket",
            "s3tables:GetTable",
            "s3tables:GetTableMetadataLocation",
            "s3tables:PutTableBucketPolicy",
            "s3tables:PutTableEncryption",
            "s3tables:PutTablePolicy",
            "s3tables:UpdateTableMetadataLocation",
        },
    },
    "No topic logs its deliveries, and no subscription is to Firehose.": {
        "AWS::SNS::Subscription": {"iam:GetRole", "iam:PassRole"},
        "AWS::SNS::Topic": {"iam:GetRole", "iam:PassRole"},
    },
}

# What no schema names and a deployment needs all the same.
BESIDE_THE_SCHEMAS = {
    "An account's first API makes API Gateway's own role.": {"iam:CreateServiceLinkedRole"},
    "Whoever sets the access log of a stage has to be able to deliver logs.": {
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:UpdateLogDelivery",
    },
    "infra.deploy asks for the account's concurrency.": {"lambda:GetAccountSettings"},
}

# Of a name, by the pages of each service, for the types whose names begin with the stack's.
MOST_CHARACTERS = {
    "AWS::CloudFormation::Stack": 128,
    "AWS::CloudWatch::Alarm": 255,
    "AWS::DynamoDB::Table": 255,
    "AWS::IAM::Role": 64,
    "AWS::Lambda::Function": 64,
    "AWS::Lambda::LayerVersion": 64,
    "AWS::Logs::LogGroup": 512,
    "AWS::SNS::Topic": 256,
    "AWS::SQS::Queue": 80,
}


def never() -> set[tuple[str, str]]:
    return {
        (kind, action)
        for kinds in NEVER.values()
        for kind, actions in kinds.items()
        for action in actions
    }


def refused(call: Call) -> bool:
    return not judge(deploy_role(), call).allowed


def test_every_permission_of_the_schemas_is_allowed_or_has_a_reason_why_it_is_never_used() -> None:
    """Exactly: what is never used is not allowed either."""
    found = {
        (each.type, each.action)
        for each in needed_by_resources()
        if any(refused(call) for call in each.calls)
    }
    assert found == never()


def test_the_schemas_of_all_types_say_what_they_need() -> None:
    needed = needed_by_resources()
    assert {each.type for each in needed} == types()
    assert len(types()) >= 15
    for kind in types():
        named = {each.action.partition(":")[2].lower() for each in needed if each.type == kind}
        least = 1 if kind == "AWS::SQS::QueuePolicy" else 3  # an attribute of a queue
        assert len(named) >= least, f"{kind}: {named}"


def test_what_sam_deploy_calls_of_cloudformation_is_allowed() -> None:
    calls = needed_by_sam()
    assert {"CreateChangeSet", "DescribeStackEvents", "ExecuteChangeSet"} <= {
        call.action.partition(":")[2] for call in calls
    }
    assert [call for call in calls if refused(call)] == []


def test_a_right_that_is_named_is_needed() -> None:
    """But for those that a wildcard gives, which are for resources of the stack's name alone."""
    pairs = {(each.type, each.action) for each in needed_by_resources()}
    needed = {action for _, action in pairs - never()}
    beside = {action for actions in BESIDE_THE_SCHEMAS.values() for action in actions}
    given = {action for statement in deploy_role() for action in as_list(statement["Action"])}
    named = {action for action in given if "*" not in action}
    assert named - needed - beside == set()
    assert beside <= named


def test_every_name_begins_with_the_stacks_whole_name() -> None:
    """CloudFormation cuts the stack's name where a name would be too long: no right reaches it."""
    parameters = load_template(ROOT / "infra" / "deploy-role.yaml")["Parameters"]
    most = parameters["StackName"]["MaxLength"]
    lengths = {kind: len(name) - len(STACK) + most for kind, name in longest_names().items()}
    assert {kind for kind, most in MOST_CHARACTERS.items() if lengths[kind] > most} == set()
    longer = {kind for kind, most in MOST_CHARACTERS.items() if lengths[kind] + 1 > most}
    assert longer, "or it could be longer"


@pytest.mark.parametrize(
    "call",
    [
        Call("sqs:DeleteQueue", f"arn:aws:sqs:{ARN}:orders"),
        Call("dynamodb:DeleteTable", f"arn:aws:dynamodb:{ARN}:table/orders"),
        Call("logs:DeleteLogGroup", f"arn:aws:logs:{ARN}:log-group:/aws/lambda/orders"),
        Call("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/Admin"),
        Call("cloudformation:DeleteStack", f"arn:aws:cloudformation:{ARN}:stack/orders/1"),
        Call("sqs:CreateQueue"),
    ],
    ids=lambda call: call.action,
)
def test_what_is_not_of_the_stack_is_out_of_reach(call: Call) -> None:
    assert refused(call)


class TestPassingRoles:
    ROLE = f"arn:aws:iam::{ACCOUNT}:role/perkwire-IngestRole-1"

    @pytest.mark.parametrize(
        ("service", "may"), [("lambda.amazonaws.com", True), ("ec2.amazonaws.com", False)]
    )
    def test_to_functions_alone(self, service: str, may: bool) -> None:
        call = Call("iam:PassRole", self.ROLE, {"iam:passedtoservice": service})
        assert refused(call) is not may

    def test_only_api_gateways_own_role_is_made(self) -> None:
        of_api = "role/aws-service-role/ops.apigateway.amazonaws.com/AWSServiceRoleForAPIGateway"
        for name, may in (("ops.apigateway.amazonaws.com", True), ("ecs.amazonaws.com", False)):
            call = Call(
                "iam:CreateServiceLinkedRole",
                f"arn:aws:iam::{ACCOUNT}:{of_api}",
                {"iam:awsservicename": name},
            )
            assert refused(call) is not may


class TestDeletingKeys:
    """The key of a first deployment that failed, and never at once."""

    def may(self, **context: str | list[str]) -> bool:
        named = {"aws:calledvia": context["via"]} if "via" in context else {}
        if "days" in context:
            named |= {"kms:schedulekeydeletionpendingwindowindays": context["days"]}
        arn = f"arn:aws:kms:{ARN}:key/1"
        return not refused(Call("kms:ScheduleKeyDeletion", arn, named))

    def test_is_cloudformations_and_leaves_thirty_days(self) -> None:
        through = ["cloudformation.amazonaws.com"]
        assert self.may(via=through)
        assert self.may(via=through, days="30")
        assert not self.may(via=through, days="7")

    def test_is_not_for_the_one_who_deploys(self) -> None:
        assert not self.may()
        assert not self.may(days="30")
