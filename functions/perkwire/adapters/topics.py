"""SNS: one topic per account, its subscribers the addresses that want the account's notices."""

from collections.abc import Callable, Collection
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from perkwire.adapters.aws import failing_as_unavailable
from perkwire.model.account import same_address
from perkwire.model.notices import Notice
from perkwire.primitives.ids import AccountId
from perkwire.primitives.problem import FieldError, invalid

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import SubscriptionTypeDef

_ATTRIBUTES = {
    "DisplayName": "Perkwire",  # the sender's name in the e-mails
    "KmsMasterKeyId": "alias/aws/sns",
}


class _Topics:
    """Makes its client at the first call: most invocations have nothing to tell."""

    def __init__(self, make_client: "Callable[[], SNSClient]") -> None:
        self._make_client = make_client

    @cached_property
    def _client(self) -> "SNSClient":
        return self._make_client()


class NoticePublisher(_Topics):
    """Fulfils notices.Publisher."""

    def publish(self, topic: str, notice: Notice) -> None:
        """Hand the notice to SNS, which mails it to confirmed addresses; raises Unavailable."""
        with failing_as_unavailable("SNS"):
            self._client.publish(TopicArn=topic, Subject=notice.subject, Message=notice.text)


class NoticeTopics(_Topics):
    """Fulfils managing.NoticeTopics, with topics that template.yaml allows this stack alone.

    Subscribers other than e-mail addresses are an operator's own, and left alone.
    """

    def __init__(
        self,
        make_client: "Callable[[], SNSClient]",
        stack_name: str,
        count_mail: Callable[[AccountId, str], None] = lambda _account_id, _address: None,
    ) -> None:
        """`count_mail` is called before each mail for confirmation, and raises to refuse it."""
        super().__init__(make_client)
        self._count_mail = count_mail
        self._prefix = f"{stack_name}-notices-"

    def subscribe_only(self, account_id: AccountId, addresses: Collection[str]) -> str:
        """Have these addresses and no others subscribed; the ARN of the account's topic.

        SNS asks each new one for confirmation; one that lets two days pass is asked again by the
        next call. One that has not confirmed cannot be unsubscribed. Raises Unavailable, the 429
        problem for more mails than it may be: then all is left as it was, and the 422 problem for
        one that SNS will not have: then nobody is unsubscribed.
        """
        wanted = {same_address(address): address for address in addresses}
        with failing_as_unavailable("SNS"):
            topic = self._topic(account_id)
            unwanted = [
                subscription["SubscriptionArn"]
                # An address that is listed twice keeps the subscription that gets the mails.
                for subscription in sorted(
                    self._subscriptions(topic), key=_is_confirmed, reverse=True
                )
                if wanted.pop(same_address(subscription["Endpoint"]), None) is None
                and _is_confirmed(subscription)
            ]
            for address in wanted.values():
                self._count_mail(account_id, address)
            for address in wanted.values():
                self._subscribe(topic, address, [*addresses].index(address))
            for subscription_arn in unwanted:
                self._client.unsubscribe(SubscriptionArn=subscription_arn)
        return topic

    def confirmed(self, topic: str) -> set[str]:
        """The addresses that get notices, each as `same_address` has it; raises Unavailable."""
        with failing_as_unavailable("SNS"):
            try:
                subscriptions = self._subscriptions(topic)
            except ClientError as error:
                if error.response["Error"]["Code"] != "NotFound":
                    raise
                return set()  # the topic was deleted by hand
        return {
            same_address(subscription["Endpoint"])
            for subscription in subscriptions
            if _is_confirmed(subscription)
        }

    def _topic(self, account_id: AccountId) -> str:
        """The account's topic, made if it was not there.

        One that has other attributes or tags by now is used as it is: they are somebody's choice.
        """
        name = f"{self._prefix}{account_id}"
        try:
            return self._client.create_topic(
                Name=name,
                Attributes=_ATTRIBUTES,
                Tags=[{"Key": "perkwire:account", "Value": account_id}],
            )["TopicArn"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidParameter":
                raise
            # SNS refuses attributes and tags that the topic of this name has otherwise, but tells
            # which it is to whoever names none.
            return self._client.create_topic(Name=name)["TopicArn"]

    def _subscribe(self, topic: str, address: str, position: int) -> None:
        try:
            self._client.subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidParameter":
                raise
            wrong = FieldError(f"notify_emails[{position}]", "is no address that can be mailed")
            raise invalid([wrong]) from error

    def _subscriptions(self, topic: str) -> "list[SubscriptionTypeDef]":
        pages = self._client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        return [
            subscription
            for page in pages
            for subscription in page["Subscriptions"]
            if subscription["Protocol"] == "email" and not _has_ended(subscription)
        ]


def _has_ended(subscription: "SubscriptionTypeDef") -> bool:
    """Whether its owner has unsubscribed by a mail: SNS goes on listing it, as `Deleted`, for days.

    It gets nothing, it cannot be unsubscribed, and it may be subscribed again.
    """
    return subscription["SubscriptionArn"] == "Deleted"


def _is_confirmed(subscription: "SubscriptionTypeDef") -> bool:
    """Until it is confirmed, SNS lists `PendingConfirmation` instead of an ARN."""
    return subscription["SubscriptionArn"].startswith("arn:")
