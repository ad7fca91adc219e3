"""Each function may do what this table says, and nothing more."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import BotoCoreError
from pynamodb.connection import Connection
from pynamodb.models import Model

from perkwire.adapters.dynamodb import (
    config_items,
    delivery_items,
    delivery_table,
    job_store,
    tables,
)
from perkwire.adapters.dynamodb.webhook_states import WebhookStates
from perkwire.adapters.topics import NoticeTopics
from perkwire.adapters.vault import Opener, Sealer
from perkwire.model.lanes import Lane
from perkwire.model.webhook import Pause, PauseReason, RetiredSecret, SealedSecrets, Webhook
from perkwire.primitives.ids import new_account_id, new_webhook_id
from perkwire.primitives.journal import Unavailable
from tests.builders import a_delivery, a_webhook
from tests.fakes import FakeTelemetry
from tests.iam.evaluator import Call, judge
from tests.iam.roles import policies
from tests.template.stack import inbox, observability, of_type, source, transformed

LANES = {"DeliveryQueue", "SlowDeliveryQueue"}
CONSUME = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}

type Condition = dict[str, dict[str, Any]]
ALWAYS: Condition = {}


def partitions(*patterns: str) -> Condition:
    """Only items whose partition key is like one of the patterns."""
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(patterns)}}


def attributes(*names: str) -> Condition:
    """Only these attributes."""
    return {"ForAllValues:StringEquals": {"dynamodb:Attributes": list(names)}}


KEYS = partitions("key#*")
# As long as an account's id, and no longer: `acct_*` would be its keys, URLs, jobs and tests too.
ACCOUNT = f"acct_{'?' * 16}"
DELETED = f"{ACCOUNT}#deleted"
ACCOUNTS = partitions(ACCOUNT)
HEALTH = partitions("health#*")
SLOTS = partitions("slots#*")
JOBS = partitions(f"{ACCOUNT}#jobs")
NEXT_RUN = attributes(
    "pk", "sk", "run", "status", "reason", "due_at", "place", "updated_at", "failed_key"
)
WITHOUT_ANSWERS = attributes(
    *("pk", "sk", "attempts", "erased", "status", "reason"),
    *("due_at", "spent_after", "updated_at", "failed_key"),
)
PAUSE = attributes(
    "pk", "sk", "status", "paused_at", "pause_reason", "lane", "updated_at", "version"
)
BOUND_TO_WEBHOOK: Condition = {
    "Null": {"kms:EncryptionContext:account": False, "kms:EncryptionContext:webhook": False},
    "StringEquals": {"kms:EncryptionContext:purpose": ["secret", "headers"]},
    "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["account", "webhook", "purpose"]},
}


def dynamodb(*operations: str) -> set[str]:
    return {f"dynamodb:{operation}" for operation in operations}


NOTICES = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-notices-*"

IDENTITIES = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*"

# Function -> statement -> what on which resources, under which condition.
REDRIVE = {
    "sqs:StartMessageMoveTask",
    "sqs:ListMessageMoveTasks",
    "sqs:CancelMessageMoveTask",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
}
PERMISSIONS: dict[str, dict[str, tuple[set[str], set[str], Condition]]] = {
    "Authorizer": {
        "ReadKeys": (dynamodb("GetItem"), {"ConfigTable"}, KEYS),
    },
    "Ingest": {
        "ReadAccounts": (dynamodb("BatchGetItem"), {"ConfigTable"}, ACCOUNTS),
        "RememberEventIds": (
            dynamodb("BatchGetItem", "BatchWriteItem", "PutItem"),
            {"EventTable"},
            ALWAYS,
        ),
        "SendEvents": ({"sqs:SendMessage"}, {"EventQueue"}, ALWAYS),
    },
    "Router": {
        "TakeEvents": (CONSUME, {"EventQueue", "PacingQueue"}, ALWAYS),
        "ReadWebhooks": (dynamodb("Query"), {"ConfigTable"}, ACCOUNTS),
        "KeepEvents": (
            dynamodb("BatchGetItem", "BatchWriteItem", "PartiQLInsert"),
            {"EventTable"},
            ALWAYS,
        ),
        "LogPausedDeliveries": (dynamodb("PutItem", "GetItem"), {"DeliveryTable"}, ALWAYS),
        "TakeSlots": (dynamodb("UpdateItem"), {"ConfigTable"}, SLOTS),
        "SendDeliveries": ({"sqs:SendMessage"}, LANES | {"PacingQueue"}, ALWAYS),
        "BeginWatches": ({"sqs:SendMessage"}, {"JobQueue"}, ALWAYS),
    },
    "Dispatcher": {
        "TakeDeliveries": (CONSUME, LANES, ALWAYS),
        "DelayAttempts": ({"sqs:ChangeMessageVisibility"}, LANES, ALWAYS),
        "ReadWebhooks": (
            dynamodb("BatchGetItem"),
            {"ConfigTable"},
            partitions(
                ACCOUNT,
                DELETED,
                f"{ACCOUNT}#contract-texts",
                "operator#contract-texts",
                "health#*",
            ),
        ),
        "RecordHealth": (dynamodb("UpdateItem"), {"ConfigTable"}, HEALTH),
        "PauseWebhooks": (dynamodb("UpdateItem"), {"ConfigTable"}, ACCOUNTS | PAUSE),
        "LogDeliveries": (
            dynamodb("BatchGetItem", "UpdateItem", "BatchWriteItem"),
            {"DeliveryTable"},
            ALWAYS,
        ),
        "ReadSecrets": ({"kms:Decrypt"}, {"SecretKey"}, BOUND_TO_WEBHOOK),
        "SendNotices": ({"sns:Publish"}, {NOTICES}, ALWAYS),
    },
    "Jobs": {
        "TakeJobs": (CONSUME, {"JobQueue"}, ALWAYS),
        "ReadWebhooks": (
            dynamodb("BatchGetItem", "Query"),
            {"ConfigTable"},
            partitions(ACCOUNT, DELETED),
        ),
        "EraseEvents": (
            dynamodb("UpdateItem"),
            {"EventTable"},
            attributes("pk", "sk", "data", "erased_at", "accepted_at"),
        ),
        "EraseMentions": (
            dynamodb("BatchWriteItem"),
            {"EventTable"},
            partitions(f"{ACCOUNT}#member#*", f"{ACCOUNT}#erased#*"),
        ),
        "EraseAnswers": (dynamodb("UpdateItem"), {"DeliveryTable"}, WITHOUT_ANSWERS),
        "AdvanceJobs": (dynamodb("GetItem", "UpdateItem"), {"ConfigTable"}, JOBS),
        "ReadEvents": (
            dynamodb("BatchGetItem", "Query"),
            {"EventTable", "EventTable/index/by_time"},
            ALWAYS,
        ),
        "ReadDeliveries": (
            dynamodb("BatchGetItem", "Query"),
            {"DeliveryTable", "DeliveryTable/index/failed"},
            ALWAYS,
        ),
        "NoteRetries": (dynamodb("UpdateItem"), {"DeliveryTable"}, NEXT_RUN),
        "HaveDeliveriesWait": (dynamodb("GetItem", "PutItem"), {"DeliveryTable"}, ALWAYS),
        "MoveWatches": (
            dynamodb("UpdateItem"),
            {"DeliveryTable"},
            partitions(f"{ACCOUNT}#*#pull") | attributes("pk", "sk", "last", "watch"),
        ),
        "CountNotices": (
            dynamodb("UpdateItem"),
            {"ConfigTable"},
            HEALTH | attributes("pk", "sk", "kind", "taken", "expires_at"),
        ),
        "SendNotices": ({"sns:Publish"}, {NOTICES}, ALWAYS),
        "TakeSlots": (dynamodb("UpdateItem"), {"ConfigTable"}, SLOTS),
        "SendDeliveries": ({"sqs:SendMessage"}, LANES | {"PacingQueue"}, ALWAYS),
        "SendNextTurns": ({"sqs:SendMessage"}, {"JobQueue"}, ALWAYS),
    },
    "Management": {
        "Configure": (
            dynamodb("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"),
            {"ConfigTable"},
            ALWAYS,
        ),
        "ReadEvents": (
            dynamodb("BatchGetItem", "Query"),
            {"EventTable", "EventTable/index/by_time"},
            ALWAYS,
        ),
        "ReadDeliveries": (
            dynamodb("BatchGetItem", "Query"),
            {"DeliveryTable", "DeliveryTable/index/failed"},
            ALWAYS,
        ),
        "NoteRetries": (
            dynamodb("GetItem", "PutItem", "UpdateItem"),
            {"DeliveryTable"},
            ALWAYS,
        ),
        "StartJobs": ({"sqs:SendMessage"}, {"JobQueue"}, ALWAYS),
        "SendAgain": (
            {"sqs:SendMessage"},
            LANES | {"EventQueue", "PacingQueue"},
            ALWAYS,
        ),
        "Redrive": (REDRIVE, {"DeadLetterQueue", "EventDeadLetterQueue"}, ALWAYS),
        "TestWebhooks": ({"lambda:InvokeFunction"}, {"DispatcherFunction"}, ALWAYS),
        "KeepSecrets": ({"kms:Encrypt"}, {"SecretKey"}, BOUND_TO_WEBHOOK),
        "KeepNoticeTopics": (
            {"sns:CreateTopic", "sns:TagResource", "sns:ListSubscriptionsByTopic"},
            {NOTICES},
            ALWAYS,
        ),
        "SubscribeAddresses": (
            {"sns:Subscribe"},
            {NOTICES},
            {"StringEquals": {"sns:Protocol": "email"}},
        ),
        "UnsubscribeAddresses": ({"sns:Unsubscribe"}, {"*"}, ALWAYS),
    },
}

# It stands on management's use cases, and shows beside them how old the dead letters are.
PERMISSIONS["Console"] = PERMISSIONS["Management"] | {
    "MeasureDeliveries": ({"sqs:GetQueueAttributes"}, LANES | {"PacingQueue"}, ALWAYS),
    "MailLinks": (
        {"ses:SendEmail"},
        {IDENTITIES},
        {"StringEquals": {"ses:FromAddress": {"Ref": "MailSender"}}},
    ),
    "MeasureDeadLetterQueues": ({"cloudwatch:GetMetricData"}, {"*"}, ALWAYS),
}


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def named(resource: dict[str, Any] | str) -> str:
    """`Table` for its ARN, `Table/index/x` for an ARN below it; what is no resource as it is."""
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        name, attribute = resource["Fn::GetAtt"]
        assert attribute == "Arn"
        return str(name)
    text: str = resource["Fn::Sub"]
    if text in (NOTICES, IDENTITIES):
        return text
    assert text.startswith("${")
    return text.replace("${", "").replace(".Arn}", "")


@pytest.mark.parametrize("function", PERMISSIONS)
def test_a_function_may_do_this_and_nothing_more(function: str) -> None:
    role = of_type(transformed(), "AWS::IAM::Role")[f"{function}Role"]
    (policy,) = role["Policies"]
    found = {}
    for statement in policy["PolicyDocument"]["Statement"]:
        assert statement["Effect"] == "Allow"
        found[statement["Sid"]] = (
            set(as_list(statement["Action"])),
            {named(each) for each in as_list(statement["Resource"])},
            statement.get("Condition", ALWAYS),
        )
    write_log = ({"logs:CreateLogStream", "logs:PutLogEvents"}, {f"{function}LogGroup"}, ALWAYS)
    assert found == PERMISSIONS[function] | {"WriteLog": write_log}


def test_no_role_carries_more_than_its_statements() -> None:
    roles = of_type(transformed(), "AWS::IAM::Role")
    assert set(roles) == {f"{function}Role" for function in PERMISSIONS}
    for name, role in roles.items():
        assert "ManagedPolicyArns" not in role, name
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}, name


def test_each_function_has_its_own_role() -> None:
    functions = of_type(transformed(), "AWS::Lambda::Function")
    for name, function in functions.items():
        own = name.replace("Function", "Role")
        assert function["Role"] == {"Fn::GetAtt": [own, "Arn"]}


def test_only_the_api_may_invoke_functions_and_each_through_its_routes() -> None:
    for name, permission in of_type(transformed(), "AWS::Lambda::Permission").items():
        assert permission["Principal"] == "apigateway.amazonaws.com", name
        assert permission["SourceArn"]["Fn::Sub"][1] == {
            "__ApiId__": {"Ref": "HttpApi"},
            **({"__Stage__": "*"} if "__Stage__" in permission["SourceArn"]["Fn::Sub"][1] else {}),
        }, name


def wildcards(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every place under a Resource or Action that holds a `*`, but for topics and identities."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from wildcards(each, (*path, str(key)))
    elif isinstance(value, list):
        for each in value:
            yield from wildcards(each, path)
    elif (
        isinstance(value, str)
        and "*" in value.replace(NOTICES, "").replace(IDENTITIES, "")
        and {"Resource", "Action"} & set(path)
    ):
        yield path


def test_no_statement_reaches_everything() -> None:
    """But the key's own policy, in which `*` is the key; SNS and CloudWatch know no resources.

    And what the inbox refuses whoever comes without TLS.
    """
    found = {
        path[1]
        for template in (transformed(), observability(), inbox())
        for path in wildcards(template)
        if path[0] == "Resources" and "Body" not in path
    }
    refusing = {"InboxSenders", "InboxTransport"}
    assert found == {"SecretKey", "ManagementRole", "ConsoleRole"} | refusing


def test_the_key_is_administered_by_the_account_and_rotates() -> None:
    key = of_type(source(), "AWS::KMS::Key")["SecretKey"]
    assert key["EnableKeyRotation"] is True
    account, alarms = key["KeyPolicy"]["Statement"]
    assert account["Principal"]["AWS"]["Fn::Sub"].endswith(":${AWS::AccountId}:root")
    assert "kms:*" not in json.dumps(alarms)


def bind_for_now(patch: pytest.MonkeyPatch, table: str, model: type[Model]) -> None:
    """Point a model at a table until the test is over: others have bound it for theirs."""
    patch.setattr(model.Meta, "table_name", table, raising=False)
    patch.setattr(model, "_connection", None)
    tables.bind(tables.TransactionalConnection("eu-west-1"), table, model)


class TestConditionsFitTheCode:
    """A condition that the code outgrows would show only in the cloud, as a refused call."""

    @pytest.mark.parametrize(
        ("function", "action", "may_reach"),
        [
            ("authorizer", "GetItem", {"key"}),
            ("ingest", "BatchGetItem", {"account"}),
            ("router", "Query", {"account"}),
            (
                "dispatcher",
                "BatchGetItem",
                {"account", "deleted", "health", "contract texts", "operators' contract texts"},
            ),
            ("dispatcher", "UpdateItem", {"account", "health"}),
            ("jobs", "BatchGetItem", {"account", "deleted"}),
            ("jobs", "Query", {"account", "deleted"}),
            ("jobs", "GetItem", {"jobs"}),
            ("jobs", "UpdateItem", {"jobs", "health"}),
        ],
    )
    def test_partitions(self, function: str, action: str, may_reach: set[str]) -> None:
        """Of everything that ConfigTable holds."""
        account = new_account_id()
        partition_keys = {
            "account": account,
            "deleted": config_items.tombstones_pk(account),
            "accounts": config_items.ACCOUNTS_PK,
            "health": config_items.health_pk(account),
            "jobs": job_store.jobs_pk(account),
            "key": config_items.key_pk("hash"),
            "keys": config_items.keys_pk(account),
            "operators' keys": config_items.keys_pk(None),
            "contracts": config_items.contracts_pk(account),
            "contract texts": config_items.contract_texts_pk(account),
            "operators' contract texts": config_items.contract_texts_pk(None),
            "contract uses": config_items.contract_uses_pk(account),
            "urls": config_items.urls_pk(account),
            "tests": config_items.trials_pk(account),
            "session": "session#hash",
            "link": "link#hash",
        }
        statements = policies(transformed(), "arn:aws:x:::{}".format, "stack")[function]
        found = {
            name
            for name, partition_key in partition_keys.items()
            if judge(
                statements,
                Call(
                    f"dynamodb:{action}",
                    "arn:aws:x:::ConfigTable",
                    {"dynamodb:leadingkeys": [partition_key]},
                ),
            ).allowed
        }
        assert found == may_reach

    def test_a_pause_changes_no_other_attributes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: dict[str, Any] = {}

        def dispatch(_: Connection, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            sent.update(arguments, operation=operation)
            return {"Attributes": {}}

        monkeypatch.setattr(Connection, "dispatch", dispatch)
        bind_for_now(monkeypatch, "ConfigTable", config_items.WebhookItem)
        webhook = cast(Webhook, SimpleNamespace(account_id="acct_1", id="wh_1", version=1))
        assert WebhookStates().pause(webhook, Pause(0, next(iter(PauseReason))))

        assert sent["operation"] == "UpdateItem"
        named_in_expressions = set(sent["ExpressionAttributeNames"].values())
        allowed = set(PAUSE["ForAllValues:StringEquals"]["dynamodb:Attributes"])
        assert named_in_expressions | set(sent["Key"]) | {"lane"} == allowed

    @pytest.mark.parametrize("lane", list(Lane))
    def test_nor_does_a_move_into_another_lane(
        self, monkeypatch: pytest.MonkeyPatch, lane: Lane
    ) -> None:
        sent: dict[str, Any] = {}

        def dispatch(_: Connection, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            sent.update(arguments, operation=operation)
            return {"Attributes": {}}

        monkeypatch.setattr(Connection, "dispatch", dispatch)
        bind_for_now(monkeypatch, "ConfigTable", config_items.WebhookItem)
        webhook = cast(Webhook, SimpleNamespace(account_id="acct_1", id="wh_1", version=1))
        assert WebhookStates().move(webhook, lane)

        assert sent["operation"] == "UpdateItem"
        named_in_expressions = set(sent["ExpressionAttributeNames"].values())
        assert named_in_expressions == {"lane", "status", "version"}

    def test_a_retry_changes_no_other_attributes_of_a_delivery(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: dict[str, Any] = {}

        def dispatch(_: Connection, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            sent.update(arguments, operation=operation)
            return {"Attributes": {}}

        monkeypatch.setattr(Connection, "dispatch", dispatch)
        bind_for_now(monkeypatch, "DeliveryTable", delivery_items.DeliveryItem)
        delivery_table.RetryableDeliveries(FakeTelemetry()).hand_over(a_delivery(), 0, 0)

        assert sent["operation"] == "UpdateItem"
        named_in_expressions = set(sent["ExpressionAttributeNames"].values())
        allowed = set(NEXT_RUN["ForAllValues:StringEquals"]["dynamodb:Attributes"])
        # What waits to be pulled has a place besides.
        assert named_in_expressions | set(sent["Key"]) == allowed - {"place"}

    def test_topics_of_notices(self) -> None:
        asked: list[str] = []

        class Client:
            def create_topic(self, **arguments: Any) -> dict[str, str]:  # noqa: ANN401
                asked.append(arguments["Name"])
                raise BotoCoreError

        with pytest.raises(Unavailable):
            NoticeTopics(lambda: cast(Any, Client()), "stack").subscribe_only(new_account_id(), [])
        (name,) = asked
        allowed = NOTICES.replace("${AWS::StackName}", "stack").rpartition(":")[2]
        assert name.startswith(allowed.removesuffix("*"))

    def test_secrets_are_bound_to_account_webhook_and_purpose(self) -> None:
        asked: list[dict[str, str]] = []

        class Client:
            def encrypt(self, **arguments: Any) -> dict[str, bytes]:  # noqa: ANN401
                asked.append(arguments["EncryptionContext"])
                return {"CiphertextBlob": b"{}"}

            def decrypt(self, **arguments: Any) -> dict[str, bytes]:  # noqa: ANN401
                asked.append(arguments["EncryptionContext"])
                return {"Plaintext": b"{}"}

        client = cast(Any, Client())
        sealed = SealedSecrets(
            secret=Sealer(client, "key").seal_secret(new_account_id(), new_webhook_id(), "secret"),
            headers=Sealer(client, "key").seal_headers(
                new_account_id(), new_webhook_id(), {"x-shop": "7"}
            ),
            retired=(RetiredSecret(b"", 0),),
        )
        Opener(client, "key").open(a_webhook(sealed=sealed))

        names = BOUND_TO_WEBHOOK["ForAllValues:StringEquals"]["kms:EncryptionContextKeys"]
        purposes = BOUND_TO_WEBHOOK["StringEquals"]["kms:EncryptionContext:purpose"]
        assert len(asked) == 5
        assert all(set(context) == set(names) for context in asked)
        assert {context["purpose"] for context in asked} == set(purposes)
        for name in BOUND_TO_WEBHOOK["Null"]:
            assert name.rpartition(":")[2] in names
