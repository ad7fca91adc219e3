"""What calls ask of IAM, as AWS's pages have it."""

import base64
import json
from typing import Any

import pytest

from tests.iam.calls import Data, function_arn, key_arn, queue_arn, table_arn
from tests.iam.evaluator import Call, Unjudgeable

DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
FED_BY = [f"arn:aws:sqs:us-east-1:000000000000:{lane}" for lane in ("prompt", "slow")]
DATA = Data({"": "pk", "by_time": "account_hour"}, {DEAD: FED_BY})
BUSES = "arn:aws:events:us-east-1:000000000000:event-bus"
ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/T"
QUEUE = "http://127.0.0.1:4566/000000000000/q"


def asked(service: str, operation: str, **parameters: Any) -> list[Call]:  # noqa: ANN401
    return DATA.asked(service, operation, parameters)


def key(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "s"}}


class TestDynamoDB:
    def test_an_items_partition_key_is_the_leading_key(self) -> None:
        (call,) = asked("dynamodb", "GetItem", TableName="T", Key=key("a"))
        assert (call.action, call.resource) == ("dynamodb:GetItem", ARN)
        assert call.context["dynamodb:leadingkeys"] == ["a"]
        assert call.context["dynamodb:select"] == "ALL_ATTRIBUTES"

    def test_an_update_names_the_attributes_of_its_key_and_its_expressions(self) -> None:
        (call,) = asked(
            "dynamodb",
            "UpdateItem",
            TableName="T",
            Key=key("a"),
            UpdateExpression="SET #0 = :0",
            ConditionExpression="#1 = :1",
            ExpressionAttributeNames={"#0": "status", "#1": "version"},
        )
        assert call.context["dynamodb:attributes"] == ["pk", "sk", "status", "version"]
        assert call.context["dynamodb:returnvalues"] == "NONE"

    def test_an_attribute_that_an_expression_names_outright_is_named_too(self) -> None:
        (call,) = asked(
            "dynamodb",
            "UpdateItem",
            TableName="T",
            Key=key("a"),
            UpdateExpression="SET url = if_not_exists(secret, :0), #0.deep = :1 REMOVE lane[0]",
            ConditionExpression="attribute_exists(pk) AND NOT version IN (:2)",
            ExpressionAttributeNames={"#0": "status"},
        )
        assert call.context["dynamodb:attributes"] == [
            *("lane", "pk", "secret", "sk", "status", "url", "version")
        ]

    @pytest.mark.parametrize("parameter", ["AttributeUpdates", "Expected", "AttributesToGet"])
    def test_what_names_attributes_in_the_old_way_is_not_judged(self, parameter: str) -> None:
        with pytest.raises(Unjudgeable, match=parameter):
            asked("dynamodb", "UpdateItem", TableName="T", Key=key("a"), **{parameter: {}})

    def test_a_put_names_all_that_it_writes(self) -> None:
        (call,) = asked("dynamodb", "PutItem", TableName="T", Item=key("a") | {"n": {"N": "1"}})
        assert call.context["dynamodb:attributes"] == ["n", "pk", "sk"]
        assert call.context["dynamodb:leadingkeys"] == ["a"]

    def test_a_query_of_an_index_is_of_the_index_and_by_its_key(self) -> None:
        parameters = {
            "TableName": "T",
            "KeyConditionExpression": "(#0 = :0 AND #1 >= :1)",
            "ExpressionAttributeNames": {"#0": "account_hour", "#1": "accepted_at"},
            "ExpressionAttributeValues": {":0": {"S": "a#12"}, ":1": {"N": "7"}},
        }
        (call,) = asked("dynamodb", "Query", **parameters, IndexName="by_time")
        assert call.resource == f"{ARN}/index/by_time"
        assert call.context["dynamodb:leadingkeys"] == ["a#12"]
        with pytest.raises(Unjudgeable, match="without its partition key"):
            asked("dynamodb", "Query", **parameters)

    def test_a_batch_is_asked_table_by_table_with_all_of_its_keys(self) -> None:
        calls = asked(
            "dynamodb",
            "BatchGetItem",
            RequestItems={"T": {"Keys": [key("b"), key("a"), key("a")]}, "U": {"Keys": [key("c")]}},
        )
        assert [call.resource for call in calls] == [ARN, table_arn("U")]
        assert [call.context["dynamodb:leadingkeys"] for call in calls] == [["a", "b"], ["c"]]

    def test_a_batch_of_writes_is_one_right_whatever_it_does(self) -> None:
        requests = [
            {"PutRequest": {"Item": key("a") | {"n": {"N": "1"}}}},
            {"DeleteRequest": {"Key": key("b")}},
        ]
        (call,) = asked("dynamodb", "BatchWriteItem", RequestItems={"T": requests})
        assert call.action == "dynamodb:BatchWriteItem"
        assert call.context["dynamodb:leadingkeys"] == ["a", "b"]
        assert call.context["dynamodb:attributes"] == ["n", "pk", "sk"]

    def test_an_insert_asks_for_a_right_of_its_own_and_names_all_that_it_writes(self) -> None:
        statement = """INSERT INTO "T" VALUE {'pk': ?, 'sk': ?, 'n': ?}"""
        values = [*key("a").values(), {"N": "1"}]
        (call,) = asked(
            "dynamodb",
            "BatchExecuteStatement",
            Statements=[{"Statement": statement, "Parameters": values}],
        )
        assert (call.action, call.resource) == ("dynamodb:PartiQLInsert", ARN)
        assert call.context["dynamodb:leadingkeys"] == ["a"]
        assert call.context["dynamodb:attributes"] == ["n", "pk", "sk"]
        for other in ('DELETE FROM "T" WHERE pk = ?', statement.replace("?", "'a'")):
            with pytest.raises(Unjudgeable, match="no INSERT"):
                asked("dynamodb", "BatchExecuteStatement", Statements=[{"Statement": other}])

    def test_a_transaction_asks_for_the_rights_of_what_it_does(self) -> None:
        of = {"TableName": "T"}
        calls = asked(
            "dynamodb",
            "TransactWriteItems",
            TransactItems=[
                {"Put": of | {"Item": key("a")}},
                {"Update": of | {"Key": key("b")}},
                {"Delete": of | {"Key": key("c")}},
                {"ConditionCheck": of | {"Key": key("d")}},
            ],
        )
        assert [(call.action, call.context["dynamodb:leadingkeys"]) for call in calls] == [
            ("dynamodb:PutItem", ["a"]),
            ("dynamodb:UpdateItem", ["b"]),
            ("dynamodb:DeleteItem", ["c"]),
            ("dynamodb:ConditionCheckItem", ["d"]),
        ]


class TestSqs:
    @pytest.mark.parametrize(
        ("operation", "action"),
        [
            ("SendMessage", "SendMessage"),
            ("SendMessageBatch", "SendMessage"),
            ("DeleteMessageBatch", "DeleteMessage"),
            ("ChangeMessageVisibilityBatch", "ChangeMessageVisibility"),
            ("GetQueueAttributes", "GetQueueAttributes"),
        ],
    )
    def test_batches_have_no_rights_of_their_own(self, operation: str, action: str) -> None:
        assert asked("sqs", operation, QueueUrl=QUEUE) == [
            Call(f"sqs:{action}", "arn:aws:sqs:us-east-1:000000000000:q")
        ]

    def test_a_redrive_takes_and_sends_with_the_rights_of_who_asks(self) -> None:
        calls = asked("sqs", "StartMessageMoveTask", SourceArn=DEAD)
        of_source = {call.action for call in calls if call.resource == DEAD}
        assert of_source == {
            "sqs:StartMessageMoveTask",
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
        }
        sent_to = [call.resource for call in calls if call.action == "sqs:SendMessage"]
        assert sent_to == FED_BY
        (*_, sent) = asked("sqs", "StartMessageMoveTask", SourceArn=DEAD, DestinationArn="d")
        assert sent == Call("sqs:SendMessage", "d")

    def test_a_task_is_cancelled_at_the_queue_that_its_handle_names(self) -> None:
        handle = base64.b64encode(json.dumps({"taskId": "1", "sourceArn": DEAD}).encode()).decode()
        assert asked("sqs", "CancelMessageMoveTask", TaskHandle=handle) == [
            Call("sqs:CancelMessageMoveTask", DEAD)
        ]


def test_kms_knows_what_a_secret_is_bound_to() -> None:
    (call,) = asked("kms", "Decrypt", KeyId="k", EncryptionContext={"account": "a", "Purpose": "p"})
    assert (call.action, call.resource) == ("kms:Decrypt", key_arn("k"))
    assert call.context == {
        "kms:encryptioncontext:account": "a",
        "kms:encryptioncontext:purpose": "p",
        "kms:encryptioncontextkeys": ["Purpose", "account"],
    }


class TestSns:
    def test_a_topic_with_tags_needs_the_right_to_tag(self) -> None:
        arn = "arn:aws:sns:us-east-1:000000000000:t"
        assert asked("sns", "CreateTopic", Name="t") == [Call("sns:CreateTopic", arn)]
        assert asked("sns", "CreateTopic", Name="t", Tags=[{"Key": "k", "Value": "v"}])[1] == Call(
            "sns:TagResource", arn
        )

    def test_a_subscription_has_its_protocol_and_its_end_none(self) -> None:
        (call,) = asked("sns", "Subscribe", TopicArn="t", Protocol="email", Endpoint="a@b.example")
        assert call.context == {"sns:protocol": "email", "sns:endpoint": "a@b.example"}
        assert asked("sns", "Unsubscribe", SubscriptionArn="t:1") == [Call("sns:Unsubscribe")]


def test_a_mail_is_judged_by_the_address_that_it_comes_from() -> None:
    (call,) = asked("ses", "SendEmail", Source='"A, B" <a@b.example>', Destination={}, Message={})

    assert call == Call(
        "ses:SendEmail",
        "arn:aws:ses:us-east-1:000000000000:identity/a@b.example",
        {"ses:fromaddress": "a@b.example"},
    )


def test_what_is_put_to_a_bus_is_judged_by_its_source() -> None:
    entries = [
        {"EventBusName": "b", "Source": "ours"},
        {"EventBusName": "b", "Source": "aws.ec2"},
        {"Source": "ours"},
    ]

    assert asked("events", "PutEvents", Entries=entries) == [
        Call("events:PutEvents", f"{BUSES}/b", {"events:source": ["aws.ec2", "ours"]}),
        Call("events:PutEvents", f"{BUSES}/default", {"events:source": ["ours"]}),
    ]


def test_functions_and_metrics() -> None:
    assert asked("lambda", "Invoke", FunctionName="f") == [
        Call("lambda:InvokeFunction", function_arn("f"))
    ]
    assert asked("cloudwatch", "GetMetricData") == [Call("cloudwatch:GetMetricData")]


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("dynamodb", "Scan"),
        ("sqs", "PurgeQueue"),
        ("sns", "DeleteTopic"),
        ("lambda", "CreateFunction"),
        ("s3", "GetObject"),
    ],
)
def test_what_has_no_rule_is_not_judged(service: str, operation: str) -> None:
    with pytest.raises(Unjudgeable, match=f"{service}:{operation}"):
        asked(service, operation)


def test_arns_are_taken_as_they_are() -> None:
    assert table_arn(ARN) == ARN
    assert function_arn("arn:aws:lambda:r:a:function:f") == "arn:aws:lambda:r:a:function:f"
    assert key_arn("arn:aws:kms:r:a:key/k") == "arn:aws:kms:r:a:key/k"
    assert queue_arn(QUEUE) == "arn:aws:sqs:us-east-1:000000000000:q"
