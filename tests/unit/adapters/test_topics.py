"""The topics of notices, on an SNS that leaves addresses unconfirmed, as AWS does."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from perkwire.adapters.topics import NoticePublisher, NoticeTopics
from perkwire.model.notices import Notice
from perkwire.primitives.ids import AccountId
from perkwire.primitives.journal import Unavailable
from perkwire.primitives.problem import Problem, too_many

ACCOUNT = AccountId("acct_1")
TOPIC = "arn:aws:sns:us-east-1:0:stack-notices-acct_1"


class Sns:
    """One topic. Unconfirmed subscriptions are listed without an ARN."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.subscriptions: list[dict[str, str]] = []
        self.failing: dict[str, Exception] = {}
        self.attributes: dict[str, str] | None = None
        self.tags: list[dict[str, str]] | None = None

    def refuse_other_attributes(self, arguments: dict[str, Any]) -> None:
        """As AWS does once there is a topic: what is not asked for is not compared."""
        for kind, there_is in (("Attributes", self.attributes), ("Tags", self.tags)):
            if there_is is not None and arguments.get(kind, there_is) != there_is:
                said = f"Invalid parameter: {kind} Reason: Topic already exists with different"
                raise ClientError(
                    {"Error": {"Code": "InvalidParameter", "Message": said}}, "CreateTopic"
                )

    def __getattr__(self, operation: str) -> Any:  # noqa: ANN401
        def call(**arguments: Any) -> dict[str, Any]:  # noqa: ANN401
            self.calls.append((operation, arguments))
            if operation in self.failing:
                raise self.failing[operation]
            match operation:
                case "create_topic":
                    self.refuse_other_attributes(arguments)
                    return {"TopicArn": f"arn:aws:sns:us-east-1:0:{arguments['Name']}"}
                case "subscribe":
                    self.has(arguments["Endpoint"], confirmed=False)
                case "unsubscribe":
                    arn = arguments["SubscriptionArn"]
                    assert arn.startswith(TOPIC)
                    self.subscriptions = [
                        one for one in self.subscriptions if one["SubscriptionArn"] != arn
                    ]
            return {}

        return call

    def get_paginator(self, operation: str) -> "Sns":
        assert operation == "list_subscriptions_by_topic"
        return self

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        getattr(self, "list_subscriptions_by_topic")(**arguments)  # noqa: B009
        for subscription in [*self.subscriptions]:
            yield {"Subscriptions": [subscription]}

    def has(self, endpoint: str, *, confirmed: bool = True, protocol: str = "email") -> None:
        arn = f"{TOPIC}:{len(self.subscriptions)}" if confirmed else "PendingConfirmation"
        self.subscriptions.append(
            {"SubscriptionArn": arn, "Protocol": protocol, "Endpoint": endpoint}
        )

    def named(self, operation: str) -> list[dict[str, Any]]:
        return [arguments for name, arguments in self.calls if name == operation]

    @property
    def endpoints(self) -> list[str]:
        return [one["Endpoint"] for one in self.subscriptions]


@pytest.fixture
def sns() -> Sns:
    return Sns()


def topics(sns: Sns) -> NoticeTopics:
    return NoticeTopics(lambda: cast(Any, sns), "stack")


def test_the_topic_is_named_by_stack_and_account_encrypted_and_tagged(sns: Sns) -> None:
    assert topics(sns).subscribe_only(ACCOUNT, ["a@x.example"]) == TOPIC

    (asked,) = sns.named("create_topic")
    assert asked["Name"] == "stack-notices-acct_1"
    assert asked["Attributes"]["KmsMasterKeyId"] == "alias/aws/sns"
    assert asked["Tags"] == [{"Key": "perkwire:account", "Value": ACCOUNT}]


@pytest.mark.parametrize(
    ("attributes", "tags"),
    [
        ({"DisplayName": "Brew & Bean"}, None),
        (None, [{"Key": "team", "Value": "loyalty"}]),
        ({"KmsMasterKeyId": "ours"}, []),
    ],
)
def test_a_topic_that_has_other_attributes_or_tags_by_now_is_used_as_it_is(
    sns: Sns, attributes: dict[str, str] | None, tags: list[dict[str, str]] | None
) -> None:
    sns.attributes, sns.tags = attributes, tags

    assert topics(sns).subscribe_only(ACCOUNT, ["a@x.example"]) == TOPIC
    assert sns.endpoints == ["a@x.example"]
    assert sns.named("set_topic_attributes") == []


def test_another_refusal_of_a_topic_is_none_of_these(sns: Sns) -> None:
    sns.failing["create_topic"] = refusal("AuthorizationError")
    with pytest.raises(Unavailable, match="SNS: AuthorizationError"):
        topics(sns).subscribe_only(ACCOUNT, [])
    assert len(sns.named("create_topic")) == 1


def test_an_address_that_has_unsubscribed_by_mail_can_be_subscribed_again(sns: Sns) -> None:
    sns.has("back@x.example")
    sns.has("gone@x.example")
    for subscription in sns.subscriptions:
        subscription["SubscriptionArn"] = "Deleted"  # as SNS lists them for days

    topics(sns).subscribe_only(ACCOUNT, ["back@x.example"])

    assert [asked["Endpoint"] for asked in sns.named("subscribe")] == ["back@x.example"]
    assert sns.named("unsubscribe") == []
    assert topics(sns).confirmed(TOPIC) == set()


def test_only_new_addresses_are_subscribed(sns: Sns) -> None:
    sns.has("Old@x.example")
    sns.has("pending@x.example", confirmed=False)

    topics(sns).subscribe_only(ACCOUNT, ["OLD@x.example", "pending@x.example", "new@x.example"])

    assert sns.named("subscribe") == [
        {"TopicArn": TOPIC, "Protocol": "email", "Endpoint": "new@x.example"}
    ]
    assert sns.named("unsubscribe") == []


def test_others_are_unsubscribed_once_they_can_be(sns: Sns) -> None:
    sns.has("leaver@x.example")
    sns.has("pending@x.example", confirmed=False)
    sns.has("arn:aws:sqs:us-east-1:0:mine", protocol="sqs")
    sns.has("stayer@x.example")

    topics(sns).subscribe_only(ACCOUNT, ["stayer@x.example"])
    assert "leaver@x.example" not in sns.endpoints
    sns.subscriptions[0]["SubscriptionArn"] = f"{TOPIC}:late"  # it confirms all the same
    topics(sns).subscribe_only(ACCOUNT, ["stayer@x.example"])

    assert sns.endpoints == ["arn:aws:sqs:us-east-1:0:mine", "stayer@x.example"]


@pytest.mark.parametrize("confirmed", [(False, True), (True, False), (True, True)])
def test_an_address_that_is_listed_twice_keeps_one_that_is_confirmed(
    sns: Sns, confirmed: tuple[bool, bool]
) -> None:
    """By another hand, or two calls at once: SNS knows them apart by their case."""
    for spelling, is_confirmed in zip(("Ann@x.example", "ann@x.example"), confirmed, strict=True):
        sns.has(spelling, confirmed=is_confirmed)

    topics(sns).subscribe_only(ACCOUNT, ["ANN@x.example"])

    left = [one["SubscriptionArn"].startswith(TOPIC) for one in sns.subscriptions]
    assert left.count(True) == 1, "one mail of each notice"
    assert sns.named("subscribe") == []


def test_an_address_that_sns_will_not_have_is_refused_for_good_and_nobody_leaves(sns: Sns) -> None:
    sns.has("leaver@x.example")
    sns.failing["subscribe"] = refusal("InvalidParameter")

    with pytest.raises(Problem) as raised:
        topics(sns).subscribe_only(ACCOUNT, ["..@x-.example"])

    assert raised.value.status == 422
    assert '"notify_emails[0]"' in json.dumps(raised.value.document())
    assert sns.endpoints == ["leaver@x.example"]


def test_who_may_have_nobody_asked_changes_nobody(sns: Sns) -> None:
    def refuse(_account_id: AccountId, _address: str) -> None:
        raise too_many("Enough for today.", retry_after_seconds=1)

    sns.has("a@x.example", confirmed=True)
    topics = NoticeTopics(lambda: cast("Any", sns), "stack", refuse)

    with pytest.raises(Problem):
        topics.subscribe_only(ACCOUNT, ["b@x.example"])

    assert [one["Endpoint"] for one in sns.subscriptions] == ["a@x.example"]
    topics.subscribe_only(ACCOUNT, [])
    assert sns.subscriptions == []


def test_a_failure_half_way_is_finished_by_the_next_call(sns: Sns) -> None:
    sns.has("leaver@x.example")
    sns.failing["subscribe"] = ConnectTimeoutError(endpoint_url="")
    with pytest.raises(Unavailable, match="SNS: ConnectTimeoutError"):
        topics(sns).subscribe_only(ACCOUNT, ["new@x.example"])
    sns.failing.clear()

    topics(sns).subscribe_only(ACCOUNT, ["new@x.example"])

    assert sns.endpoints == ["new@x.example"]


def test_an_address_is_confirmed_once_sns_has_an_arn_for_it(sns: Sns) -> None:
    sns.has("Ann@x.example")
    sns.has("bob@x.example", confirmed=False)

    assert topics(sns).confirmed(TOPIC) == {"ann@x.example"}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "with ann@x.example"}}, "Any")


def test_a_topic_that_was_deleted_by_hand_has_nobody(sns: Sns) -> None:
    sns.failing["list_subscriptions_by_topic"] = refusal("NotFound")
    assert topics(sns).confirmed(TOPIC) == set()

    sns.failing["list_subscriptions_by_topic"] = refusal("Throttled")
    with pytest.raises(Unavailable, match="SNS: Throttled"):
        topics(sns).confirmed(TOPIC)


def test_a_notice_goes_out_by_one_client_made_when_it_is_needed(sns: Sns) -> None:
    made: list[Sns] = []

    def make() -> Any:  # noqa: ANN401
        made.append(sns)
        return sns

    publisher = NoticePublisher(make)
    assert made == []
    for _ in range(2):
        publisher.publish(TOPIC, Notice("subject", "text"))

    assert made == [sns]
    assert (
        sns.named("publish") == [{"TopicArn": TOPIC, "Subject": "subject", "Message": "text"}] * 2
    )


def test_a_refusal_to_publish_gives_its_code_alone(sns: Sns) -> None:
    sns.failing["publish"] = refusal("AuthorizationError")

    with pytest.raises(Unavailable) as raised:
        NoticePublisher(lambda: cast(Any, sns)).publish(TOPIC, Notice("s", "t"))
    assert str(raised.value) == "SNS: AuthorizationError"
